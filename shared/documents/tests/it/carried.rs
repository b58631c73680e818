//! Documents within attestations.

use base64::{Engine, engine::general_purpose::STANDARD};
use documents::{CarriedError, Kind, bom, carried, detect, vex};
use serde_json::{Value, json};

const BOM: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","name":"left","version":"1"}]}"#;

fn statement(predicate_type: &str, predicate: &Value) -> String {
    let subject = json!([{ "name": "image", "digest": { "sha256": "ab".repeat(32) } }]);
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subject,
        "predicateType": predicate_type,
        "predicate": predicate,
    })
    .to_string()
}

fn envelope(statement: &str) -> Value {
    json!({
        "payloadType": "application/vnd.in-toto+json",
        "payload": STANDARD.encode(statement),
        "signatures": [{ "sig": "AAAA" }],
    })
}

fn bundle(statement: &str) -> String {
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": "x" } },
        "dsseEnvelope": envelope(statement),
    })
    .to_string()
}

#[test]
fn document_is_read_in_whatever_carries_it() {
    let document: Value = serde_json::from_str(BOM).unwrap();
    let wrapped = json!({ "Data": document, "Timestamp": "2026-01-01T00:00:00Z" });
    for (predicate_type, predicate) in [
        ("https://cyclonedx.org/bom", &document),
        ("https://cyclonedx.org/bom/v1.6", &document),
        ("https://cyclonedx.org/bom", &json!(BOM)),
        ("https://cyclonedx.org/bom", &wrapped),
    ] {
        let statement = statement(predicate_type, predicate);
        for (carrier, kind) in [
            (statement.clone(), Kind::InToto),
            (envelope(&statement).to_string(), Kind::Dsse),
            (bundle(&statement), Kind::SigstoreBundle),
        ] {
            assert_eq!(detect(carrier.as_bytes()), kind);
            let read = bom::read(carrier.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(read, bom::read(BOM.as_bytes()).unwrap(), "{carrier}");
        }
    }
    assert_eq!(carried(BOM.as_bytes()), Ok(BOM.as_bytes().into()), "nothing carries it");
}

#[test]
fn vex_is_carried_too() {
    let document = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://x.example/1", "author": "us",
        "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": [{ "vulnerability": { "name": "CVE-2026-1" }, "products": [{ "@id": "pkg:npm/left@1" }], "status": "fixed" }],
    });
    let carrier = bundle(&statement("https://openvex.dev/ns/v0.2.0", &document));
    assert_eq!(vex::read(carrier.as_bytes()).unwrap().statements.len(), 1);
}

#[test]
fn attestation_without_document_is_refused_with_its_reason() {
    let code = |carrier: &str| carried(carrier.as_bytes()).expect_err(carrier).code();
    let provenance = statement("https://slsa.dev/provenance/v1", &json!({}));
    assert_eq!(code(&provenance), "attestation-predicate");
    assert_eq!(code(&bundle(&provenance)), "attestation-predicate");
    let file = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "messageSignature": { "signature": "AAAA" },
    });
    assert_eq!(code(&file.to_string()), "attestation-without-document");
    let mut broken = envelope("{}");
    assert_eq!(code(&broken.to_string()), "attestation-unreadable");
    broken["payload"] = json!("***");
    assert_eq!(code(&broken.to_string()), "attestation-unreadable");
    let twice = BOM.replacen('{', "{\"bomFormat\":\"CycloneDX\",", 1);
    let twice = statement("https://cyclonedx.org/bom", &json!(twice));
    assert_eq!(bom::read(twice.as_bytes()).expect_err("refused").code(), "duplicate-key");
    let two = statement("https://cyclonedx.org/bom", &json!({})).replacen(
        "\"predicate\":",
        "\"predicate\":{},\"predicate\":",
        1,
    );
    assert!(matches!(carried(two.as_bytes()), Err(CarriedError::Unreadable(_))), "{two}");
}

#[test]
fn attestation_within_an_attestation_is_none_that_is_read() {
    let inner: Value =
        serde_json::from_str(&statement("https://cyclonedx.org/bom", &json!({}))).unwrap();
    let outer = statement("https://cyclonedx.org/bom", &inner);
    assert_eq!(bom::read(outer.as_bytes()).expect_err("refused").code(), "not-sbom");
}
