//! One large document at a time, beside its floor; then several at once, and one that is too large.

use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use attestation::{Receipt, verify_bundle};
use events::DecisionResult;
use futures::future::try_join_all;
use serde::Serialize;
use supplier_ingest::MAX_DOCUMENT_BYTES;

use super::{
    document::Order,
    floor::{self, Times},
    place::{Place, at},
    supplier::{Submission, Supplier, next_receipt},
};
use crate::{
    pipeline::Sync,
    processes::{Snapshot, Usage},
    stats::percentile,
};

/// Documents that arrive at once.
const AT_ONCE: usize = 4;

/// Documents of one size.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) components: usize,
    pub(super) bytes: usize,
    /// Every document.
    pub(super) runs: Vec<Run>,
    /// Medians of the runs, in milliseconds.
    pub(super) upload_ms: f64,
    pub(super) receipt_ms: f64,
    /// Until there is a receipt, and a search finds what is in the document.
    pub(super) done_ms: f64,
    pub(super) floor_ms: f64,
    /// `done_ms` as a multiple of the floor.
    pub(super) ratio: f64,
    pub(super) floor: Vec<Times>,
    pub(super) floor_peak_bytes: u64,
    pub(super) processes: Vec<Usage>,
}

/// One document, in milliseconds since its manifest was dropped; the upload is before that.
#[derive(Debug, Serialize)]
pub(super) struct Run {
    pub(super) upload_ms: f64,
    pub(super) receipt_ms: f64,
    pub(super) queryable_ms: f64,
}

/// Several documents at once.
#[derive(Debug, Serialize)]
pub(super) struct Crowd {
    pub(super) documents: usize,
    pub(super) components: usize,
    pub(super) bytes: usize,
    /// From the first manifest to the last receipt.
    pub(super) receipts_ms: f64,
    pub(super) processes: Vec<Usage>,
}

/// A document that is too large.
#[derive(Debug, Serialize)]
pub(super) struct Refused {
    pub(super) components: usize,
    pub(super) bytes: usize,
    pub(super) rule: String,
    pub(super) receipt_ms: f64,
    pub(super) processes: Vec<Usage>,
}

/// How documents are measured.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setup {
    pub(super) sync: Sync,
    pub(super) runs: usize,
    pub(super) seed: u64,
    pub(super) order: Order,
}

impl Setup {
    /// `runs` documents of `components`, one after the other; services are new, so that their peak is
    /// that of such documents.
    pub(super) async fn row(&self, components: usize) -> anyhow::Result<Row> {
        let (mut place, submissions) = self.start(components, self.runs).await?;
        let bytes = submissions[0].parts[0].len();
        ensure!(
            bytes as u64 <= MAX_DOCUMENT_BYTES,
            "{components} components have {bytes} bytes, more than a document may: {MAX_DOCUMENT_BYTES}"
        );
        let mut runs = Vec::new();
        for submission in &submissions {
            runs.push(one(&place, submission).await?);
        }
        let processes = place.usage()?.since(&Snapshot::default(), self.runs);
        let floor = beside(&submissions)?;
        place.remove().await?;
        let median =
            |of: fn(&Run) -> f64| percentile(&mut runs.iter().map(of).collect::<Vec<_>>(), 50);
        let done_ms = median(Run::done_ms);
        let mut totals: Vec<f64> = floor.documents.iter().map(Times::total_ms).collect();
        let floor_ms = percentile(&mut totals, 50);
        Ok(Row {
            components,
            bytes,
            upload_ms: median(|it| it.upload_ms),
            receipt_ms: median(|it| it.receipt_ms),
            done_ms,
            floor_ms,
            ratio: done_ms / floor_ms,
            floor: floor.documents,
            floor_peak_bytes: floor.peak_memory_bytes,
            processes,
            runs,
        })
    }

    /// Several documents of `components` at once, each of another supplier.
    pub(super) async fn crowd(&self, components: usize) -> anyhow::Result<Crowd> {
        let (mut place, submissions) = self.start(components, AT_ONCE).await?;
        let bus = place.connect().await?;
        try_join_all(submissions.iter().map(|it| it.upload(&bus))).await?;
        let mut receipts = place.receipts().await?;
        let mut waiting: BTreeMap<String, &Submission> =
            submissions.iter().map(|it| (it.receipt_subject(), it)).collect();
        let began = Instant::now();
        try_join_all(submissions.iter().map(|it| it.submit(&bus))).await?;
        let mut took = Duration::ZERO;
        while !waiting.is_empty() {
            let receipt = next_receipt(&mut receipts).await?;
            let submission = waiting.remove(&receipt.subject);
            let submission = submission.context("a receipt that nobody waits for")?;
            submission.check_accepted(&receipt.bundle, &place.trust)?;
            took = receipt.at - began;
        }
        try_join_all(submissions.iter().map(|it| it.queryable(&bus))).await?;
        let processes = place.usage()?.since(&Snapshot::default(), AT_ONCE);
        place.remove().await?;
        let bytes = submissions[0].parts[0].len();
        let receipts_ms = ms(took);
        Ok(Crowd { documents: AT_ONCE, components, bytes, receipts_ms, processes })
    }

    /// A document of `components` that is too large to be taken.
    pub(super) async fn refused(&self, components: usize) -> anyhow::Result<Refused> {
        let (mut place, submissions) = self.start(components, 1).await?;
        let submission = &submissions[0];
        let bus = place.connect().await?;
        submission.upload(&bus).await?;
        let mut receipts = place.receipts().await?;
        let began = Instant::now();
        submission.submit(&bus).await?;
        let receipt = next_receipt(&mut receipts).await?;
        let said: Receipt = verify_bundle(&receipt.bundle, &place.trust)?.statement.predicate()?;
        let is_refused = said.decision.result == DecisionResult::Rejected;
        ensure!(is_refused, "{components} components are not too many; raise the number");
        let rule = said.decision.rule.map(|it| it.to_string()).unwrap_or_default();
        let processes = place.usage()?.since(&Snapshot::default(), 1);
        place.remove().await?;
        let (bytes, receipt_ms) = (submission.parts[0].len(), ms(receipt.at - began));
        Ok(Refused { components, bytes, rule, receipt_ms, processes })
    }

    /// Services that have judged a small document each way, and `count` documents, each of a supplier
    /// of its own: a supplier's stream holds a few only.
    async fn start(
        &self,
        components: usize,
        count: usize,
    ) -> anyhow::Result<(Place, Vec<Submission>)> {
        let suppliers = Supplier::several(count)?;
        let place = Place::start(self.sync, &suppliers).await?;
        // Schemas are compiled, connections open, pages mapped.
        let warm_up = suppliers[0].submission(20, self.seed - 1, self.order)?;
        one(&place, &warm_up).await?;
        let seeds = self.seed..;
        let submissions = suppliers.iter().zip(seeds);
        let submissions = submissions.map(|(it, seed)| it.submission(components, seed, self.order));
        let submissions = submissions.collect::<anyhow::Result<_>>()?;
        Ok((place, submissions))
    }
}

impl Run {
    fn done_ms(&self) -> f64 {
        self.receipt_ms.max(self.queryable_ms)
    }
}

async fn one(place: &Place, submission: &Submission) -> anyhow::Result<Run> {
    let bus = place.connect().await?;
    let began = Instant::now();
    submission.upload(&bus).await?;
    let upload_ms = ms(began.elapsed());
    let mut receipts = place.receipts().await?;
    let began = Instant::now();
    submission.submit(&bus).await?;
    let (receipt, queryable) =
        futures::future::try_join(next_receipt(&mut receipts), submission.queryable(&bus)).await?;
    ensure!(receipt.subject == submission.receipt_subject(), "a receipt that nobody waits for");
    submission.check_accepted(&receipt.bundle, &place.trust)?;
    // What is left of it is not the next one's.
    place.wait_until_mapped().await?;
    let (receipt_ms, queryable_ms) = (ms(receipt.at - began), ms(queryable - began));
    Ok(Run { upload_ms, receipt_ms, queryable_ms })
}

/// The floor of the same documents.
pub(super) fn beside(submissions: &[Submission]) -> anyhow::Result<floor::Floor> {
    let directory = at("documents");
    fs::create_dir_all(&directory)?;
    for (index, submission) in submissions.iter().enumerate() {
        fs::write(directory.join(format!("{index:06}.cdx.json")), &submission.parts[0])?;
    }
    floor::measure(&directory, &at("floor.db"))
}

pub(super) fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
