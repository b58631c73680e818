//! Statements and predicates: ours, those of other producers, and hostile ones.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use attestation::{
    Predicate, Provenance, Reference, Statement, StatementError, Subject, VerificationSummary,
    statement::MAX_STATEMENT_BYTES,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::Digest;
use serde_json::{Value, json};

fn parse(bytes: &[u8]) -> Result<Statement, StatementError> {
    Statement::parse(bytes, MAX_STATEMENT_BYTES)
}

fn parse_value(value: &Value) -> Result<Statement, StatementError> {
    parse(value.to_string().as_bytes())
}

/// The statement inside an envelope of another producer; its signature is not the matter here.
fn payload(envelope: &Value) -> Vec<u8> {
    STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap()
}

fn bundle_payload(bundle: &str) -> Vec<u8> {
    payload(&serde_json::from_str::<Value>(bundle).unwrap()["dsseEnvelope"])
}

fn minimal() -> Value {
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": "a", "digest": { "sha256": Digest::of(b"a").hex() } }],
        "predicateType": "https://example.com/claim/v1",
        "predicate": {},
    })
}

fn survives<P: Predicate + PartialEq + std::fmt::Debug>(predicate: &P) {
    let statement = Statement::new(&[common::subject()], predicate).unwrap();
    let again = parse(statement.as_bytes()).unwrap();

    assert_eq!(again, statement);
    assert_eq!(again.subjects(), [common::subject()]);
    assert_eq!(again.predicate_type(), P::TYPE);
    assert_eq!(&again.predicate::<P>().unwrap(), predicate);
    assert_eq!(
        Statement::new(&[common::subject()], predicate).unwrap().as_bytes(),
        statement.as_bytes()
    );
}

#[test]
fn every_predicate_survives_a_round_trip_and_equal_claims_have_equal_bytes() {
    survives(&common::provenance());
    survives(&common::verification_summary());
    survives(&common::reference());
}

#[test]
fn statement_is_written_as_the_specification_spells_it() {
    let statement = Statement::new(&[common::subject()], &common::verification_summary()).unwrap();

    let written: Value = serde_json::from_slice(statement.as_bytes()).unwrap();
    assert_eq!(
        written,
        json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{
                "name": "hotpass-1.0.0-py3-none-any.whl",
                "uri": "pkg:pypi/hotpass@1.0.0",
                "digest": { "sha256": common::subject().digest.hex() },
            }],
            "predicateType": "https://slsa.dev/verification_summary/v1",
            "predicate": {
                "verifier": { "id": "https://attestry.dev/policy-gate", "version": { "attestry": "0.1.0" } },
                "timeVerified": "2026-11-20T10:02:00Z",
                "resourceUri": "pkg:pypi/hotpass@1.0.0",
                "policy": {
                    "uri": "https://attestry.dev/policy/release",
                    "digest": { "sha256": Digest::of(b"policy").hex() },
                },
                "inputAttestations": [{ "digest": { "sha256": Digest::of(b"bundle").hex() } }],
                "verificationResult": "PASSED",
                "verifiedLevels": ["SLSA_BUILD_LEVEL_1"],
                "slsaVersion": "1.1",
            },
        })
    );
}

#[test]
fn provenance_of_github_actions_is_read() {
    let statement = parse(&bundle_payload(include_str!(
        "../fixtures/conformance/happy-path-intoto-in-dsse-v3/bundle.sigstore.json"
    )))
    .unwrap();
    let provenance = statement.predicate::<Provenance>().unwrap();

    assert_eq!(statement.subjects()[0].name.as_deref(), Some("a.txt"));
    let source = &provenance.build_definition.resolved_dependencies[0];
    assert_eq!(source.digest["gitCommit"], "ebff8dfbd609b7b22237c7719ce07f2dc7934f5f");
    assert_eq!(
        provenance.run_details.metadata.unwrap().invocation_id.as_deref(),
        Some("https://github.com/loosebazooka/aa-test/actions/runs/11941425487/attempts/1")
    );
}

#[test]
fn provenance_predicate_of_sigstore_python_loses_nothing_on_the_way_through() {
    let text = include_str!("../fixtures/sigstore-python-slsa_predicate_v1_0.json");
    let provenance: Provenance = serde_json::from_str(text).unwrap();

    assert_eq!(
        serde_json::to_value(provenance).unwrap(),
        serde_json::from_str::<Value>(text).unwrap()
    );
}

#[test]
fn null_predicate_of_pypi_counts_as_empty() {
    let statement =
        parse(&bundle_payload(include_str!("../fixtures/rfc8785-0.1.2-py3-none-any.whl.sigstore")));

    assert_eq!(
        statement.unwrap().predicate_type(),
        "https://docs.pypi.org/attestations/publish/v1"
    );
}

#[test]
fn summary_of_macaron_is_a_statement_and_its_policy_lacks_what_slsa_requires() {
    let envelope = include_str!("../fixtures/vsa-micronaut-core-4.5.3.intoto.jsonl");
    let statement = parse(&payload(&serde_json::from_str(envelope).unwrap())).unwrap();

    assert_eq!(statement.subjects().len(), 3);
    let error = statement.predicate::<VerificationSummary>().unwrap_err().to_string();
    assert!(error.contains("predicate.policy") && error.contains("missing field `uri`"), "{error}");
}

#[test]
fn statement_v0_1_is_refused() {
    let error = parse(include_bytes!("../fixtures/statement-v0.1.json")).unwrap_err();

    assert_eq!(
        error,
        StatementError::WrongType { found: "https://in-toto.io/Statement/v0.1".into() }
    );
}

#[test]
fn statement_without_subjects_is_neither_read_nor_written() {
    let mut absent = minimal();
    absent.as_object_mut().unwrap().remove("subject");
    let mut empty = minimal();
    empty["subject"] = json!([]);

    assert_eq!(parse_value(&absent), Err(StatementError::NoSubject));
    assert_eq!(parse_value(&empty), Err(StatementError::NoSubject));
    assert_eq!(Statement::new(&[], &common::reference()), Err(StatementError::NoSubject));
}

#[test]
fn subject_without_a_usable_sha256_is_refused_by_position() {
    let real = parse(include_bytes!("../fixtures/certify-vuln-v02.json"));
    assert!(matches!(real, Err(StatementError::SubjectDigest { index: 0, .. })), "{real:?}");

    let good = Digest::of(b"a").hex();
    for digest in [
        json!({ "sha512": "00" }),
        json!({ "sha256": good.to_uppercase() }),
        json!({ "sha256": &good[1..] }),
        json!({}),
    ] {
        let mut statement = minimal();
        statement["subject"].as_array_mut().unwrap().push(json!({ "name": "b", "digest": digest }));
        let error = parse_value(&statement);
        assert!(
            matches!(error, Err(StatementError::SubjectDigest { index: 1, .. })),
            "{digest}: {error:?}"
        );
    }
}

#[test]
fn duplicate_keys_are_refused_wherever_they_are() {
    let text = minimal().to_string();
    let digest = format!(r#""sha256":"{}""#, Digest::of(b"a").hex());
    for (once, twice) in [
        (
            r#""predicateType":"#,
            r#""predicateType":"https://slsa.dev/provenance/v1","predicateType":"#.to_owned(),
        ),
        (r#""predicate":{}"#, r#""predicate":{"a":{"b":1,"b":2}}"#.to_owned()),
        (&digest, format!("{digest},{digest}")),
    ] {
        let twin = text.replacen(once, &twice, 1);
        assert_ne!(twin, text);
        let error = parse(twin.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("duplicate key"), "{error}");
    }
}

#[test]
fn control_characters_in_what_is_shown_are_refused() {
    for (pointer, field) in
        [("/subject/0/name", "subject[0].name"), ("/predicateType", "predicateType")]
    {
        for text in ["\u{1b}[2Jfine", ""] {
            let mut statement = minimal();
            *statement.pointer_mut(pointer).unwrap() = text.into();
            assert_eq!(
                parse_value(&statement),
                Err(StatementError::UnprintableField { field: field.into() })
            );
        }
    }
    let subject = Subject { uri: Some("pkg:a\nb".into()), ..common::subject() };
    assert!(Statement::new(&[subject], &common::reference()).is_err());
}

#[test]
fn malformed_statements_are_refused_with_the_path_of_the_field() {
    let mut wrong = minimal();
    wrong["subject"][0]["digest"] = json!(["sha256"]);
    let error = parse_value(&wrong).unwrap_err().to_string();
    assert!(error.contains("subject[0].digest"), "{error}");

    let mut text = minimal();
    text["predicate"] = json!("text");
    assert!(matches!(parse_value(&text), Err(StatementError::Malformed(_))));
    for bytes in [&b""[..], b"null", b"[]", b"{", b"\xff\xfe", b"{}trailing"] {
        assert!(matches!(parse(bytes), Err(StatementError::Malformed(_))), "{bytes:?}");
    }
}

#[test]
fn statement_over_the_callers_limit_is_refused_before_it_is_parsed() {
    assert_eq!(
        Statement::parse(vec![b'['; 101], 100),
        Err(StatementError::TooLarge { bytes: 101, max_bytes: 100 })
    );
}

#[test]
fn claim_of_another_kind_is_refused() {
    let statement = Statement::new(&[common::subject()], &common::reference()).unwrap();

    assert_eq!(
        statement.predicate::<Provenance>(),
        Err(StatementError::WrongPredicateType {
            found: Reference::TYPE.into(),
            expected: Provenance::TYPE
        })
    );
}

#[test]
fn verdict_is_passed_or_failed_and_nothing_else() {
    let statement = Statement::new(&[common::subject()], &common::verification_summary()).unwrap();
    let text = String::from_utf8(statement.as_bytes().to_vec()).unwrap();

    let failed = parse(text.replace("PASSED", "FAILED").as_bytes()).unwrap();
    assert!(failed.predicate::<VerificationSummary>().is_ok());
    let other = parse(text.replace("PASSED", "passed").as_bytes()).unwrap();
    let error = other.predicate::<VerificationSummary>().unwrap_err().to_string();
    assert!(error.contains("predicate.verificationResult"), "{error}");
}
