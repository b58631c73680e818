//! Whatever comes ends in a receipt that says what is wrong, and the next submission is heard.

use std::{fs, path::PathBuf};

use async_nats::jetstream::context::PublishErrorKind;
use bus::DoorLimits;
use bytes::Bytes;
use e2e_tests::Stream;
use events::{CHUNK_BYTES, DecisionResult, Digest, Input, Manifest, SubmissionId};
use serde_json::json;

use super::{
    backlog::{mapped, mapper},
    place::{Answer, Place, id, sbom, submission},
};

const HOSTILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/documents/fixtures/hostile");

#[tokio::test(flavor = "multi_thread")]
async fn upload_that_is_not_what_its_manifest_says_is_rejected_by_name() {
    let place = Place::busy(&["acme"], 1).await;
    let document = sbom("widget", "1.0", "left@1.0");
    let Manifest { document: honest, bundle } = place.uploaded("acme", &document).await;
    let absent = Input { digest: Digest::of(b"never uploaded"), ..honest.clone() };
    let size = CHUNK_BYTES as u64 + 1;
    let half = Input { digest: Digest::of(b"half"), size, chunks: 2, ..honest.clone() };
    inject_chunk(&place, half.digest, 0, vec![b'h'; CHUNK_BYTES]).await;
    let other = Input { digest: Digest::of(b"promised"), size: 8, ..honest.clone() };
    inject_chunk(&place, other.digest, 0, "supplied").await;
    let longer = Input { digest: Digest::of(b"longer"), size: 6, ..honest.clone() };
    inject_chunk(&place, longer.digest, 0, "longer than it should be").await;

    let documents = [
        ("absent", absent.clone(), "upload-missing-chunk"),
        ("half", half, "upload-missing-chunk"),
        ("other-bytes", other, "upload-wrong-digest"),
        ("longer", longer, "upload-wrong-digest"),
        ("too-many-chunks", Input { chunks: 2, ..honest.clone() }, "upload-bad-size"),
        ("no-chunks", Input { chunks: 0, ..honest.clone() }, "upload-bad-size"),
        ("absurd", Input { size: u64::MAX, chunks: u32::MAX, ..honest.clone() }, "upload-bad-size"),
        (
            "too-large",
            Input { size: (64 << 20) + 1, chunks: 129, ..honest.clone() },
            "upload-bad-size",
        ),
    ];
    for (submission, document, rule) in documents {
        let manifest = Manifest { document, bundle: bundle.clone() };
        drop_rejected(&place, submission, &manifest, rule).await;
    }
    let manifest = Manifest { document: honest.clone(), bundle: Some(absent) };
    drop_rejected(&place, "no-bundle", &manifest, "upload-missing-chunk").await;
    place.assert_nothing_in_quarantine().await;
    assert_is_heard(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn size_that_is_not_the_documents_is_rejected_within_the_same_chunks_too() {
    let place = Place::busy(&["acme"], 1).await;
    let Manifest { document, bundle } =
        place.uploaded("acme", &sbom("widget", "1.0", "left@1.0")).await;

    for (submission, size) in [("below", document.size - 1), ("above", document.size + 1)] {
        let document = Input { size, ..document.clone() };
        let manifest = Manifest { document, bundle: bundle.clone() };
        drop_rejected(&place, submission, &manifest, "upload-bad-size").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn manifest_that_cannot_be_read_is_rejected_and_never_a_path_to_write_to() {
    let place = Place::busy(&["acme"], 1).await;
    let document = sbom("widget", "1.0", "left@1.0");
    let manifest = place.uploaded("acme", &document).await;
    let path = |path: &str| {
        let mut manifest = serde_json::to_value(&manifest).unwrap();
        manifest["document"]["path"] = path.into();
        manifest.to_string()
    };
    let mut negative = serde_json::to_value(&manifest).unwrap();
    negative["document"]["size"] = (-1).into();
    let manifests = [
        ("parent", path("../../../etc/passwd")),
        ("absolute", path("/etc/passwd")),
        ("hidden-parent", path("a/../../b")),
        ("backslashes", path("..\\..\\b")),
        ("no-name", path("")),
        ("nul", path("a\0b")),
        ("line-break", path("a\nb")),
        ("long", path(&"a/".repeat(4_000))),
        ("text", "hello".to_owned()),
        ("nothing", String::new()),
        ("no-document", json!({ "bundle": null }).to_string()),
        ("negative", negative.to_string()),
        ("deep", format!("{}{}", "[".repeat(30_000), "]".repeat(30_000))),
        ("padded", format!("{}{}", " ".repeat(64 * 1024), path("a"))),
    ];
    for (submission, manifest) in manifests {
        place.drop_raw("acme", submission, manifest).await;
        let answer = place.answer("acme", submission).await;
        assert_rejected(&answer, "manifest-unreadable", submission);
        assert_eq!(answer.receipt.findings[0].field.as_str(), "manifest");
    }
    // A name that no receipt could have is answered under one that can be worked out.
    let name = "n".repeat(65);
    place.drop_raw("acme", &name, serde_json::to_vec(&manifest).unwrap()).await;
    let answer = place.answer("acme", SubmissionId::for_text(&name).as_str()).await;
    assert_rejected(&answer, "manifest-unreadable", "a long name");
    place.assert_nothing_in_quarantine().await;
    assert_is_heard(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn manifest_after_the_receipt_changes_nothing() {
    let place = Place::busy(&["acme"], 1).await;
    place.submit("acme", "s-1", &sbom("widget", "1.0", "left@1.0")).await;
    let first = place.answer("acme", "s-1").await;

    let other = place.uploaded("acme", &sbom("widget", "2.0", "left@1.0")).await;
    place.drop_raw("acme", "s-1", serde_json::to_vec(&other).unwrap()).await;
    // Manifests of one supplier are let in one after the other.
    assert_is_heard(&place).await;

    assert_eq!(place.answer("acme", "s-1").await.bundle, first.bundle);
    for stream in ["ATTESTRY_DOCUMENT_SUBMITTED", Stream::Evidence.name(), "ATTESTRY_RECEIPTS"] {
        let subjects = place.broker.subjects_of(stream).await;
        assert_eq!(subjects.values().copied().collect::<Vec<_>>(), [1, 1], "{stream}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn supplier_without_a_passport_learns_it_from_its_receipt() {
    let place = Place::busy(&[], 1).await;
    place.bus.open_door(&id("stranger"), &DoorLimits::default()).await.unwrap();
    place.submit("stranger", "s-1", &sbom("widget", "1.0", "left@1.0")).await;

    let answer = place.answer("stranger", "s-1").await;
    assert_rejected(&answer, "supplier-unknown", "a stranger");
    assert_eq!(answer.receipt.passport, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn message_that_nobody_would_look_at_is_refused_by_the_broker() {
    let place = Place::busy(&["acme"], 1).await;
    let raw = place.broker.raw().await;
    let subjects = [
        "ingest.acme.other",
        "ingest.acme.manifest",
        "ingest.acme.manifest.a.b",
        "ingest.acme.chunk.0",
        "ingest.acme.chunk.0.0.0",
        "ingest.nobody.manifest.s-1",
    ];
    for subject in subjects {
        let sent = raw.publish(subject, "lost?".into()).await.unwrap().await;
        let refused = sent.expect_err(subject);
        assert_eq!(refused.kind(), PublishErrorKind::StreamNotFound, "{subject}: {refused}");
    }
    let kept = place.broker.subjects_of("ATTESTRY_INGEST_ACME").await;
    assert!(kept.is_empty(), "{kept:?}");
    assert_is_heard(&place).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_document_ends_in_a_receipt_and_the_next_one_is_heard() {
    let mut place = Place::busy(&["acme"], 1).await;
    // What breaks the policy alone is accepted from this one, and the mapper has to cope with it.
    place.trust("lenient");
    let (mapper, _) = mapper(&place, "backlog.db");
    place.workers.run(&place.broker, mapper).await;
    let documents = hostile_documents();
    assert!(documents.len() > 40, "{}", documents.len());
    for supplier in ["acme", "lenient"] {
        place.bus.open_door(&id(supplier), &DoorLimits::default()).await.unwrap();
        for (name, document) in &documents {
            place.submit(supplier, name, document).await;
        }
    }

    let mut accepted = Vec::new();
    for (name, document) in &documents {
        let answer = place.answer("acme", name).await;
        assert_eq!(answer.receipt.decision.document, Some(Digest::of(document)), "{name}");
        let rule = answer.receipt.decision.rule.clone().unwrap();
        assert_rejected(&answer, rule.as_str(), name);
        if place.answer("lenient", name).await.receipt.decision.rule.is_none() {
            accepted.push(name.as_str());
            mapped(&place, "lenient", submission("lenient", name)).await;
        }
        let kept = place.archive.contains(Digest::of(document)).await.unwrap();
        assert_eq!(kept, accepted.contains(&name.as_str()), "{name}");
    }
    for (name, rule) in RULES {
        let findings = place.answer("acme", name).await.receipt.findings;
        assert!(findings.iter().any(|it| it.rejects && it.rule.as_str() == rule), "{findings:?}");
    }
    assert_eq!(accepted, SOUND_BUT_REFUSED);
    place.assert_nothing_in_quarantine().await;
    assert_is_heard(&place).await;
    mapped(&place, "acme", submission("acme", "afterwards")).await;
}

/// The fixtures, and what would be too large for one; their names may be submissions.
fn hostile_documents() -> Vec<(String, Bytes)> {
    let mut files: Vec<_> = fs::read_dir(HOSTILE).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    let fixture = |file: &PathBuf| {
        let name = file.file_name().unwrap().to_str().unwrap();
        (name.replace('.', "_"), fs::read(file).unwrap().into())
    };
    let deep = [vec![b'['; 1 << 20], vec![b']'; 1 << 20]].concat();
    let values = "0,".repeat(8 << 20);
    let wide = format!("{{\"bomFormat\":\"CycloneDX\",\"components\":[{values}0]}}");
    let made = [("deep".to_owned(), deep.into()), ("wide".to_owned(), wide.into())];
    files.iter().map(fixture).chain(made).collect()
}

/// Some of them, and what they are rejected for.
const RULES: [(&str, &str); 12] = [
    ("duplicate-key-escaped_json", "duplicate-key"),
    ("empty_json", "empty"),
    ("not-utf8_json", "not-utf8"),
    ("bom_zip", "compressed"),
    ("bom_xml", "xml-doctype"),
    ("spdx_json", "schema"),
    ("truncated_json", "not-json"),
    ("version-1_1_json", "unsupported-version"),
    ("cycle_json", "SUP-014"),
    ("dangling-references_json", "SUP-015"),
    ("deep", "too-deep"),
    ("wide", "too-many-values"),
];

/// Those with which only the policy finds fault.
const SOUND_BUT_REFUSED: [&str; 14] = [
    "analysis-without-id_json",
    "bom-1_2-utf8bom_json",
    "control-characters_json",
    "cycle_json",
    "dangling-references_json",
    "duplicate-bom-refs_json",
    "duplicated-bom-ref_json",
    "no-severity_json",
    "null-components_json",
    "purls_json",
    "self-dependency_json",
    "trivy-infinite-loop-bom_json",
    "unidentified_json",
    "version-one-fraction_json",
];

/// Drops `manifest`, and sees it rejected for `rule`.
async fn drop_rejected(place: &Place, submission: &str, manifest: &Manifest, rule: &str) {
    place.drop_raw("acme", submission, serde_json::to_vec(manifest).unwrap()).await;
    assert_rejected(&place.answer("acme", submission).await, rule, submission);
}

/// The answer is no, for `rule`, and says what to do about it.
fn assert_rejected(answer: &Answer, rule: &str, submission: &str) {
    let receipt = &answer.receipt;
    assert_eq!(receipt.decision.result, DecisionResult::Rejected, "{submission}: {receipt:?}");
    let found = receipt.decision.rule.as_ref().map(|it| it.as_str());
    assert_eq!(found, Some(rule), "{submission}: {:?}", receipt.findings);
    let first = &receipt.findings[0];
    assert_eq!(first.rule.as_str(), rule, "{submission}");
    assert!(
        !first.reason.as_str().is_empty() && !first.remedy.as_str().is_empty(),
        "{submission}: {first:?}"
    );
}

/// A good document is still accepted.
async fn assert_is_heard(place: &Place) {
    place.submit("acme", "afterwards", &sbom("widget", "9.0", "left@1.0")).await;
    let answer = place.answer("acme", "afterwards").await;
    let receipt = &answer.receipt;
    assert_eq!(receipt.decision.result, DecisionResult::Accepted, "{:?}", receipt.findings);
}

async fn inject_chunk(place: &Place, digest: Digest, index: u32, chunk: impl Into<Bytes>) {
    place.broker.inject(&format!("ingest.acme.chunk.{}.{index}", digest.hex()), chunk).await;
}
