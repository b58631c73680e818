//! A supplier's document in, one signed receipt out: over a real broker, with real services.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail their test")]

mod backlog;
mod connections;
mod doors;
mod intruders;
mod place;
mod refusals;

use std::fs;

use archive::Class;
use attestation::{Predicate, Receipt, SigningKey};
use bus::BusError;
use e2e_tests::seconds;
use events::{DecisionResult, Digest};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use worker::{Context, HandleError, Handler};

use self::place::{Place, id, named, sbom};

const SUBMISSIONS: usize = 10;

#[tokio::test(flavor = "multi_thread")]
async fn manifest_that_is_dropped_twice_between_two_replicas_has_one_of_everything() {
    let place = Place::busy(&["acme"], 2).await;
    let documents: Vec<_> =
        (1..SUBMISSIONS).map(|it| sbom("widget", &format!("1.{it}"), "left@1.0")).collect();
    for (number, document) in documents.iter().enumerate() {
        let manifest = serde_json::to_vec(&place.uploaded("acme", document).await).unwrap();
        let submission = format!("s-{number}");
        place.drop_raw("acme", &submission, manifest.clone()).await;
        // Two that lie there at the same time would be one.
        place.let_in("acme", &submission).await;
        place.drop_raw("acme", &submission, manifest).await;
    }
    // Manifests are let in one after the other: the second ones were seen before this one.
    let last = sbom("widget", "2.0", "left@1.0");
    place.submit("acme", "last", &last).await;
    place.answer("acme", "last").await;

    for (number, document) in documents.iter().enumerate() {
        let answer = place.answer("acme", &format!("s-{number}")).await;
        let Receipt { decision, findings, .. } = answer.receipt;
        assert_eq!(decision.result, DecisionResult::Accepted, "{findings:?}");
        assert_eq!(decision.document, Some(Digest::of(document)));
        assert_eq!(place.archive.get(Digest::of(document), 1 << 20).await.unwrap(), document);
    }
    for stream in ["DOCUMENT_SUBMITTED", "EVIDENCE_READY", "EVIDENCE_SIGNED", "RECEIPTS"] {
        let subjects = place.broker.subjects_of(&format!("ATTESTRY_{stream}")).await;
        assert_eq!(subjects.len(), SUBMISSIONS, "{stream}");
        assert!(subjects.values().all(|count| *count == 1), "{stream}: {subjects:?}");
    }
    assert_eq!(place.archive.claims_below("receipts").await.unwrap().len(), SUBMISSIONS);
    assert_eq!(stored(&place, Class::Sbom).await, SUBMISSIONS);
    assert_eq!(stored(&place, Class::Statement).await, SUBMISSIONS);
    // The supplier's signature and ours.
    assert_eq!(stored(&place, Class::Bundle).await, 2 * SUBMISSIONS);
    place.assert_nothing_in_quarantine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_that_decide_at_once_decide_the_same() {
    let mut place = Place::start(&["acme"]).await;
    place.stand_at_doors().await;
    place.submit("acme", "s-1", &sbom("widget", "1.0", "left@1.0")).await;
    let event = place.let_in("acme", "s-1").await;
    let (first, second) = (place.ingest(), place.ingest());
    let (early, late) = (at(&place, 1_800_000_000), at(&place, 1_800_000_001));

    let both = futures::future::join(first.handle(&event, &early), second.handle(&event, &late));
    let (first, second) = tokio::time::timeout(seconds(60), both).await.expect("within a minute");

    assert_eq!(first.unwrap(), second.unwrap(), "the first decision counts, with its time");
    assert_eq!(stored(&place, Class::Statement).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn decision_that_was_claimed_stands_although_the_passport_has_changed_since() {
    let mut place = Place::start(&["acme"]).await;
    place.stand_at_doors().await;
    let document = sbom("widget", "1.0", "left@1.0");
    place.submit("acme", "s-1", &document).await;
    let event = place.let_in("acme", "s-1").await;
    // The document cannot be stored: what was claimed is all that the first run leaves.
    let shard = format!("archive/documents/sha256/{}", &Digest::of(&document).hex()[..2]);
    let shard = place.directory.path().join(shard);
    fs::create_dir_all(shard.parent().unwrap()).unwrap();
    fs::write(&shard, "").unwrap();
    let first = at(&place, 1_800_000_000);
    let stopped = place.ingest().handle(&event, &first).await.unwrap_err();
    assert!(matches!(stopped, HandleError::Outage { dependency: "archive", .. }), "{stopped:?}");
    fs::remove_file(&shard).unwrap();
    let passport = fs::read(place.directory.path().join("passports/acme.toml")).unwrap();

    place.give_passport("acme", SigningKey::generate().unwrap().public_key());
    place.run_ingest().await;

    let answer = place.answer("acme", "s-1").await;
    let Receipt { decision, passport: judged_by, .. } = answer.receipt;
    assert_eq!((decision.result, decision.ingested_at), (DecisionResult::Accepted, first.now));
    assert_eq!(judged_by, Some(Digest::of(&passport)));
    assert_eq!(place.archive.get(Digest::of(&document), 1 << 20).await.unwrap(), document);
    place.submit("acme", "s-2", &document).await;
    let later = place.answer("acme", "s-2").await.receipt;
    assert_eq!(later.decision.result, DecisionResult::Rejected, "by the passport of now");
    place.assert_nothing_in_quarantine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipt_verifies_with_our_key_alone_and_is_about_the_document() {
    let place = Place::busy(&["acme"], 1).await;
    let document = sbom("widget", "1.0", "left@1.0");
    place.submit("acme", "s-1", &document).await;

    let answer = place.answer("acme", "s-1").await;

    let subjects = answer.statement.subjects();
    assert_eq!(subjects.len(), 1);
    assert_eq!(subjects[0].digest, Digest::of(&document));
    assert_eq!(subjects[0].name.as_deref(), Some("document.json"));
    assert_eq!(answer.statement.predicate_type(), Receipt::TYPE);
    assert_eq!(answer.receipt.signed_by.unwrap().label, "release");
    let stranger = SigningKey::generate().unwrap();
    place.verified(&answer.bundle, stranger.public_key()).expect_err("another key");
    let kept = place.archive.get(Digest::of(&answer.bundle), 1 << 20).await.unwrap();
    assert_eq!(kept, answer.bundle, "what the supplier has is what the archive keeps");
}

#[tokio::test(flavor = "multi_thread")]
async fn supplier_whose_stream_is_full_keeps_nobody_else_waiting() {
    let place = Place::busy(&["acme", "other"], 1).await;
    let document = sbom("widget", "1.0", "left@1.0");
    place.broker.set_room("ATTESTRY_INGEST_ACME", 256).await;

    let refused = place.bus.drop_document(&id("acme"), Digest::of(&document), &document).await;
    assert!(matches!(refused, Err(BusError::Full { .. })), "{refused:?}");
    place.submit("other", "s-1", &document).await;
    let answer = place.answer("other", "s-1").await;
    assert_eq!(answer.receipt.decision.result, DecisionResult::Accepted);

    place.broker.set_room("ATTESTRY_INGEST_ACME", 1 << 20).await;
    place.submit("acme", "s-1", &document).await;
    let answer = place.answer("acme", "s-1").await;
    assert_eq!(answer.receipt.decision.result, DecisionResult::Accepted);
    assert!(place.bus.receipt(&id("acme"), &named("s-2")).await.unwrap().is_none());
}

fn at(place: &Place, second: i64) -> Context {
    Context::new(&place.bus, Timestamp::from_second(second).unwrap())
}

/// Documents of a class in the archive.
async fn stored(place: &Place, class: Class) -> usize {
    let entries = place.archive.entries().try_filter(|it| std::future::ready(it.class == class));
    entries.map(Result::unwrap).count().await
}
