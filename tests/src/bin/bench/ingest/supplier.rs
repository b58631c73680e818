//! Whoever drops documents, and asks what became of them.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use async_nats::jetstream::consumer::push;
use attestation::{Receipt, SigningKey, Trust, verify_bundle};
use backlog_mapper::{
    queries::{Asked, Head, SEARCH},
    store::Hits,
};
use bus::Bus;
use bytes::Bytes;
use events::{
    CHUNK_BYTES, DecisionResult, Digest, FilePath, Input, Label, Manifest, SubmissionId, SupplierId,
};
use futures::StreamExt;
use supplier_ingest::{Passport, passport::Key};

use super::document::{Order, Shape};
use crate::now;

/// Nothing takes so long but what will never come.
const PATIENCE: Duration = Duration::from_secs(300);
/// How often it is asked whether a component is known.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Somebody with a passport.
pub(super) struct Supplier {
    pub(super) id: SupplierId,
    key: SigningKey,
}

/// A document on its way.
pub(super) struct Submission {
    pub(super) supplier: SupplierId,
    name: SubmissionId,
    manifest: Manifest,
    /// Document and bundle, as they are uploaded.
    pub(super) parts: [Bytes; 2],
    /// A component that no other document has.
    pub(super) probe: String,
}

/// A receipt in its stream.
pub(super) struct Delivered {
    pub(super) subject: String,
    pub(super) bundle: Bytes,
    pub(super) at: Instant,
}

impl Supplier {
    /// `count` suppliers with keys of their own.
    pub(super) fn several(count: usize) -> anyhow::Result<Vec<Self>> {
        (0..count)
            .map(|number| {
                let id = format!("bench-{number}").parse()?;
                Ok(Self { id, key: SigningKey::generate()? })
            })
            .collect()
    }

    /// Its passport, in `directory`.
    pub(super) fn write_passport(&self, directory: &Path) -> anyhow::Result<()> {
        let key = Key {
            label: Label::of("bench"),
            key: self.key.public_key().clone(),
            development: false,
            not_before: None,
            not_after: None,
        };
        let name = self.id.as_str();
        let mut passport = Passport::new(self.id.clone(), Label::of(name), vec![key]);
        // What is measured is how fast it goes, not how fast it may.
        passport.limits.submissions_per_minute = 60_000;
        Ok(fs::write(directory.join(format!("{name}.toml")), passport.to_toml())?)
    }

    /// A signed document of `components`, made now.
    pub(super) fn submission(
        &self,
        components: usize,
        seed: u64,
        order: Order,
    ) -> anyhow::Result<Submission> {
        let supplier = self.id.as_str();
        let shape = Shape { supplier, components, seed, timestamp: now(), order };
        let document = shape.document();
        let bundle = self.key.sign_file(document.as_bytes())?;
        let parts = [Bytes::from(document), Bytes::from(bundle)];
        let name = format!("product-{seed}");
        let manifest = Manifest {
            document: input(&format!("{name}.cdx.json"), &parts[0])?,
            bundle: Some(input(&format!("{name}.sigstore.json"), &parts[1])?),
        };
        let probe = shape.probe();
        Ok(Submission { supplier: self.id.clone(), name: name.parse()?, manifest, parts, probe })
    }
}

impl Submission {
    /// Uploads document and bundle.
    pub(super) async fn upload(&self, bus: &Bus) -> anyhow::Result<()> {
        for part in &self.parts {
            bus.drop_document(&self.supplier, Digest::of(part), part).await?;
        }
        Ok(())
    }

    /// Drops the manifest, which makes a submission of what was uploaded.
    pub(super) async fn submit(&self, bus: &Bus) -> anyhow::Result<()> {
        bus.drop_manifest(&self.supplier, &self.name, &self.manifest).await?;
        Ok(())
    }

    pub(super) fn receipt_subject(&self) -> String {
        format!("receipts.{}.{}", self.supplier, self.name)
    }

    /// The manifest as it is sent.
    pub(super) fn manifest(&self) -> anyhow::Result<Bytes> {
        Ok(serde_json::to_vec(&self.manifest)?.into())
    }

    /// Fails unless `bundle` is the receipt that accepts this document.
    pub(super) fn check_accepted(&self, bundle: &[u8], trust: &Trust) -> anyhow::Result<()> {
        let receipt: Receipt = verify_bundle(bundle, trust)?.statement.predicate()?;
        let subject = self.receipt_subject();
        ensure!(
            receipt.decision.document == Some(self.manifest.document.digest),
            "the receipt {subject} is about another document"
        );
        let is_accepted = receipt.decision.result == DecisionResult::Accepted;
        ensure!(is_accepted, "{subject} is rejected: {:?}", receipt.findings);
        Ok(())
    }

    /// When a search first found the component that only this document has.
    pub(super) async fn queryable(&self, bus: &Bus) -> anyhow::Result<Instant> {
        let question = Asked { question: self.probe.clone(), offset: 0 };
        let question = Bytes::from(serde_json::to_vec(&question)?);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = bus.ask(SEARCH, question.clone(), PATIENCE).await?;
            if is_found(&answer)? {
                return Ok(Instant::now());
            }
            ensure!(Instant::now() < deadline, "a search does not find {}", self.probe);
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}

fn is_found(answer: &[u8]) -> anyhow::Result<bool> {
    let end = answer.iter().position(|it| *it == b'\n').context("an answer without a head")?;
    match serde_json::from_slice(&answer[..end])? {
        Head::Known { .. } => {
            let hits: Hits = serde_json::from_slice(&answer[end + 1..])?;
            Ok(!hits.products.is_empty())
        }
        Head::Nothing => Ok(false),
        Head::Error(why) => anyhow::bail!("the mapper cannot search: {why}"),
    }
}

/// The next receipt.
pub(super) async fn next_receipt(receipts: &mut push::Ordered) -> anyhow::Result<Delivered> {
    let next = tokio::time::timeout(PATIENCE, receipts.next()).await;
    let next = next.context("no receipt for five minutes; see the services' logs")?;
    let message = next.context("the broker sends no more receipts")??;
    let (subject, bundle) = (message.subject.to_string(), message.payload.clone());
    Ok(Delivered { subject, bundle, at: Instant::now() })
}

fn input(path: &str, bytes: &Bytes) -> anyhow::Result<Input> {
    let path: FilePath = path.parse()?;
    let (size, chunks) = (bytes.len() as u64, bytes.len().div_ceil(CHUNK_BYTES));
    Ok(Input { path, digest: Digest::of(bytes), size, chunks: u32::try_from(chunks)? })
}
