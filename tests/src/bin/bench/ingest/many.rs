//! Many small documents of many suppliers at once, beside two floors: the work, and the messages.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use async_nats::jetstream::{self, stream};
use bytes::Bytes;
use futures::{future::try_join_all, stream::StreamExt};
use serde::Serialize;

use super::{
    document::Order,
    floor::Times,
    large::beside,
    place::Place,
    supplier::{Submission, Supplier, next_receipt},
};
use crate::{pipeline::Sync, processes::Usage, stats::percentile};

/// Components of each document.
const COMPONENTS: usize = 20;
/// Receipts that are checked; each costs as much as a signature.
const CHECK_EVERY: usize = 10;
const WARM_UP_SEED: u64 = 1_000_000;

/// What was measured.
#[derive(Debug, Serialize)]
pub(super) struct Many {
    pub(super) documents: usize,
    pub(super) suppliers: usize,
    pub(super) components: usize,
    /// Of all documents together.
    pub(super) bytes: usize,
    /// From the first upload to the last.
    pub(super) upload_seconds: f64,
    /// From the first upload to the last receipt.
    pub(super) receipts_seconds: f64,
    /// From the first upload until the mapper has recorded the last one.
    pub(super) mapped_seconds: f64,
    pub(super) documents_per_second: f64,
    /// Parsing, schema and one transaction for each, one after the other.
    pub(super) floor_per_second: f64,
    /// Median of one document.
    pub(super) floor_ms: Times,
    /// The messages that suppliers send, published to as many streams by as many tasks, and nothing else.
    pub(super) raw_publish_per_second: f64,
    pub(super) processes: Vec<Usage>,
}

/// `documents` of `suppliers` at once; each supplier sends one after the other.
pub(super) async fn measure(
    sync: Sync,
    documents: usize,
    suppliers: usize,
    seed: u64,
) -> anyhow::Result<Many> {
    let senders = Supplier::several(suppliers)?;
    let mut place = Place::start(sync, &senders).await?;
    let each = documents / suppliers;
    ensure!(each > 0, "fewer documents than suppliers");
    let documents = each * suppliers;
    // Suppliers' documents lie beside each other.
    let submissions = (0..documents).map(|index| {
        senders[index / each].submission(COMPONENTS, seed + index as u64, Order::VersionFirst)
    });
    let submissions: Vec<Submission> = submissions.collect::<anyhow::Result<_>>()?;
    warm_up(&place, &senders[0]).await?;

    let before = place.usage()?;
    let times = run(&place, &submissions, each).await?;
    let processes = place.usage()?.since(&before, documents);
    let floor = beside(&submissions)?;
    place.stop_services();
    let raw = publish_raw(place.raw(), &submissions, each).await?;
    place.remove().await?;
    let median = |of: fn(&Times) -> f64| {
        percentile(&mut floor.documents.iter().map(of).collect::<Vec<_>>(), 50)
    };
    let floor_seconds: f64 = floor.documents.iter().map(Times::total_ms).sum::<f64>() / 1_000.0;
    Ok(Many {
        documents,
        suppliers,
        components: COMPONENTS,
        bytes: submissions.iter().map(|it| it.parts[0].len()).sum(),
        upload_seconds: times.uploaded.as_secs_f64(),
        receipts_seconds: times.answered.as_secs_f64(),
        mapped_seconds: times.mapped.as_secs_f64(),
        documents_per_second: documents as f64 / times.answered.as_secs_f64(),
        floor_per_second: documents as f64 / floor_seconds,
        floor_ms: Times {
            parse_ms: median(|it| it.parse_ms),
            validate_ms: median(|it| it.validate_ms),
            transaction_ms: median(|it| it.transaction_ms),
        },
        raw_publish_per_second: documents as f64 / raw.as_secs_f64(),
        processes,
    })
}

/// Since the first upload.
struct Took {
    uploaded: Duration,
    answered: Duration,
    mapped: Duration,
}

async fn run(place: &Place, submissions: &[Submission], each: usize) -> anyhow::Result<Took> {
    let mut receipts = place.receipts().await?;
    let mut waiting: BTreeMap<String, &Submission> =
        submissions.iter().map(|it| (it.receipt_subject(), it)).collect();
    let began = Instant::now();
    let sending = try_join_all(submissions.chunks(each).map(async |own| {
        // As far from each other as suppliers are.
        let bus = place.connect().await?;
        for submission in own {
            submission.upload(&bus).await?;
            submission.submit(&bus).await?;
        }
        Ok::<_, anyhow::Error>(began.elapsed())
    }));
    let mut answers = Vec::with_capacity(submissions.len());
    let answering = async {
        while answers.len() < submissions.len() {
            let receipt = next_receipt(&mut receipts).await?;
            let submission = waiting.remove(&receipt.subject);
            answers.push((submission.context("a receipt that nobody waits for")?, receipt));
        }
        Ok::<_, anyhow::Error>(began.elapsed())
    };
    let (sent, answered) = futures::future::try_join(sending, answering).await?;
    place.wait_until_mapped().await?;
    let mapped = began.elapsed();
    for (submission, receipt) in answers.iter().step_by(CHECK_EVERY) {
        submission.check_accepted(&receipt.bundle, &place.trust)?;
    }
    let uploaded = sent.into_iter().max().unwrap_or_default();
    Ok(Took { uploaded, answered, mapped })
}

/// Schemas are compiled and processes started.
async fn warm_up(place: &Place, supplier: &Supplier) -> anyhow::Result<()> {
    let bus = place.connect().await?;
    let mut receipts = place.receipts().await?;
    let submission = supplier.submission(COMPONENTS, WARM_UP_SEED, Order::VersionFirst)?;
    submission.upload(&bus).await?;
    submission.submit(&bus).await?;
    let receipt = next_receipt(&mut receipts).await?;
    submission.check_accepted(&receipt.bundle, &place.trust)?;
    submission.queryable(&bus).await?;
    Ok(())
}

/// The same messages, for streams that nobody looks at.
async fn publish_raw(
    raw: &jetstream::Context,
    submissions: &[Submission],
    each: usize,
) -> anyhow::Result<Duration> {
    let senders = submissions.chunks(each).enumerate();
    futures::stream::iter(0..submissions.len().div_ceil(each))
        .then(|number| {
            raw.create_stream(stream::Config {
                name: format!("FLOOR_{number}"),
                subjects: vec![format!("floor.{number}.>")],
                ..Default::default()
            })
        })
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let began = Instant::now();
    try_join_all(senders.map(async |(number, own)| {
        for (index, submission) in own.iter().enumerate() {
            let [document, bundle] = submission.parts.clone();
            let manifest: Bytes = submission.manifest()?;
            for (part, payload) in [("0", document), ("1", bundle), ("2", manifest)] {
                let subject = format!("floor.{number}.{index}.{part}");
                raw.publish(subject, payload).await?.await?;
            }
        }
        Ok::<_, anyhow::Error>(())
    }))
    .await?;
    Ok(began.elapsed())
}
