//! Bundles: what is signed verifies, and whatever was changed is refused by the check it fails.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use attestation::{
    SigningKey, Statement, StatementError, Trust, TrustedKey, VerifyError, signer::Evidence,
    verify::MAX_BUNDLE_BYTES, verify_bundle,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// A bundle as JSON to tamper with, and the keys that verify it.
fn signed() -> (Value, Statement, Trust) {
    let (statement, key, keys) = common::signer();
    let bundle = serde_json::from_slice(&key.sign_statement(&statement).unwrap()).unwrap();
    (bundle, statement, keys)
}

fn refusal(bundle: &Value, keys: &Trust) -> VerifyError {
    verify_bundle(bundle.to_string().as_bytes(), keys).unwrap_err()
}

fn wrong_signature() -> VerifyError {
    VerifyError::WrongSignature { label: "sample".into() }
}

#[test]
fn what_was_signed_verifies_and_says_who_signed() {
    let (statement, key, keys) = common::signer();
    let verified = verify_bundle(&key.sign_statement(&statement).unwrap(), &keys).unwrap();

    assert_eq!(verified.statement, statement);
    assert_eq!(verified.signer.name(), key.public_key().hint());
    assert_eq!(verified.signer.label, "sample");
    assert!(verified.signer.development);
    assert_eq!(verified.evidence, Evidence::default());
}

#[test]
fn bundle_is_written_as_version_0_3_with_a_key_hint() {
    let (statement, key, _) = common::signer();
    let bundle: Value = serde_json::from_slice(&key.sign_statement(&statement).unwrap()).unwrap();

    let signature = bundle["dsseEnvelope"]["signatures"][0]["sig"].clone();
    assert_eq!(
        bundle,
        json!({
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": { "publicKey": { "hint": key.public_key().hint() } },
            "dsseEnvelope": {
                "payload": STANDARD.encode(statement.as_bytes()),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{ "sig": signature }],
            },
        })
    );
}

#[test]
fn changed_payload_is_refused() {
    let (mut bundle, statement, keys) = signed();
    let text = String::from_utf8(statement.as_bytes().to_vec()).unwrap();
    let changed = text.replace("refs/heads/main", "refs/heads/evil");
    assert_ne!(changed, text);
    bundle["dsseEnvelope"]["payload"] = STANDARD.encode(changed).into();

    assert_eq!(refusal(&bundle, &keys), wrong_signature());
}

#[test]
fn payload_of_another_signed_statement_is_refused() {
    let (_, key, keys) = common::signer();
    let bundle = |statement: Statement| -> Value {
        serde_json::from_slice(&key.sign_statement(&statement).unwrap()).unwrap()
    };
    let mut mixed = bundle(Statement::new(&[common::subject()], &common::reference()).unwrap());
    let verdict =
        bundle(Statement::new(&[common::subject()], &common::verification_summary()).unwrap());
    mixed["dsseEnvelope"]["payload"] = verdict["dsseEnvelope"]["payload"].clone();

    assert_eq!(refusal(&mixed, &keys), wrong_signature());
}

#[test]
fn changed_signature_is_refused() {
    let (bundle, _, keys) = signed();
    for signature in
        [&b""[..], &[0x30, 0x00], &[0; 64], &[0x30, 0x06, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00]]
    {
        let mut bundle = bundle.clone();
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = STANDARD.encode(signature).into();
        assert_eq!(refusal(&bundle, &keys), wrong_signature(), "{signature:?}");
    }
}

#[test]
fn unknown_hint_is_refused_by_name() {
    let (mut bundle, _, keys) = signed();
    bundle["verificationMaterial"]["publicKey"]["hint"] = "c29tZWJvZHk=".into();

    let error = refusal(&bundle, &keys);

    assert_eq!(error, VerifyError::UnknownKey { hint: "c29tZWJvZHk=".into() });
    assert!(error.to_string().contains("add the signer's public key"), "{error}");
}

#[test]
fn hint_of_another_trusted_key_does_not_help() {
    let (mut bundle, _, mut keys) = signed();
    let other = SigningKey::generate().unwrap();
    keys.add(TrustedKey::new("other", other.public_key().clone())).unwrap();
    bundle["verificationMaterial"]["publicKey"]["hint"] = other.public_key().hint().into();

    assert_eq!(refusal(&bundle, &keys), VerifyError::WrongSignature { label: "other".into() });
}

#[test]
fn signature_of_an_untrusted_key_is_refused_under_a_trusted_hint() {
    let (bundle, statement, keys) = signed();
    let forger = SigningKey::generate().unwrap();
    let mut forged: Value =
        serde_json::from_slice(&forger.sign_statement(&statement).unwrap()).unwrap();
    forged["verificationMaterial"] = bundle["verificationMaterial"].clone();

    assert_eq!(refusal(&forged, &keys), wrong_signature());
}

#[test]
fn other_payload_types_are_refused() {
    let (mut bundle, _, keys) = signed();
    bundle["dsseEnvelope"]["payloadType"] = "text/plain".into();

    assert_eq!(
        refusal(&bundle, &keys),
        VerifyError::WrongPayloadType { found: "text/plain".into() }
    );
}

#[test]
fn other_media_types_are_refused() {
    let (mut bundle, _, keys) = signed();
    bundle["mediaType"] = "application/json".into();
    assert_eq!(
        refusal(&bundle, &keys),
        VerifyError::UnsupportedMediaType { found: "application/json".into() }
    );

    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.4".into();
    assert!(matches!(refusal(&bundle, &keys), VerifyError::UnsupportedMediaType { .. }));
}

#[test]
fn bundle_with_no_or_several_signatures_is_refused() {
    let (bundle, _, keys) = signed();
    let signature = &bundle["dsseEnvelope"]["signatures"][0];
    for found in [0, 2, 3] {
        let mut bundle = bundle.clone();
        bundle["dsseEnvelope"]["signatures"] = vec![signature.clone(); found].into();
        assert_eq!(refusal(&bundle, &keys), VerifyError::WrongSignatureCount { found });
    }
}

#[test]
fn keyless_bundle_is_refused_as_such() {
    let (mut bundle, _, keys) = signed();
    let keyless = verify_bundle(
        include_bytes!("../fixtures/conformance/happy-path-intoto-in-dsse-v3/bundle.sigstore.json"),
        &keys,
    );
    assert_eq!(keyless, Err(VerifyError::SignedWithCertificate));

    bundle["verificationMaterial"]["certificate"] = json!({ "rawBytes": "" });
    assert!(
        matches!(refusal(&bundle, &keys), VerifyError::NotABundle(_)),
        "a key and a certificate"
    );
    bundle["verificationMaterial"] = json!({});
    assert_eq!(refusal(&bundle, &keys), VerifyError::NoKeyHint);
}

#[test]
fn signature_over_a_file_is_no_statement() {
    let (mut bundle, _, keys) = signed();
    let file = verify_bundle(
        include_bytes!("../fixtures/conformance/managed-key-happy-path/bundle.sigstore.json"),
        &keys,
    );
    assert_eq!(file, Err(VerifyError::NoStatement));

    bundle["messageSignature"] = json!({ "signature": "" });
    assert_eq!(refusal(&bundle, &keys), VerifyError::NoContent);
}

#[test]
fn bytes_that_are_no_bundle_are_refused() {
    let (bundle, _, keys) = signed();
    let text = bundle.to_string();
    let twin = text.replacen(r#""payload":"#, r#""payload":"e30=","payload":"#, 1);
    let unpadded = text.replacen(r#""sig":""#, r#""sig":"="#, 1);
    for bytes in
        ["", "{}", "[]", "null", &twin, &unpadded, &text[..text.len() - 1], &text.repeat(2)]
    {
        let error = verify_bundle(bytes.as_bytes(), &keys).unwrap_err();
        assert!(matches!(error, VerifyError::NotABundle(_)), "{bytes:.60}: {error:?}");
    }
    let twin = verify_bundle(twin.as_bytes(), &keys).unwrap_err().to_string();
    assert!(twin.contains("duplicate key `payload`"), "{twin}");

    let huge = vec![b' '; MAX_BUNDLE_BYTES + 1];
    assert_eq!(verify_bundle(&huge, &keys), Err(VerifyError::TooLarge { bytes: huge.len() }));
}

/// Signs any payload, as a careless client with a trusted key could.
fn sign_unchecked(key: &SigningKey, payload: &[u8]) -> Value {
    let pkcs8 = pem::parse(key.to_pem()).unwrap().into_contents();
    let pair = sigstore_crypto::KeyPair::from_pkcs8_der(&pkcs8).unwrap();
    let signature =
        pair.sign(&sigstore_types::pae("application/vnd.in-toto+json", payload)).unwrap();
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": key.public_key().hint() }, "tlogEntries": [] },
        "dsseEnvelope": {
            "payload": STANDARD.encode(payload),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{ "sig": signature.to_base64(), "keyid": "whatever" }],
        },
    })
}

#[test]
fn right_signature_does_not_excuse_a_wrong_statement() {
    let (statement, key, keys) = common::signer();
    assert!(
        verify_bundle(sign_unchecked(&key, statement.as_bytes()).to_string().as_bytes(), &keys)
            .is_ok()
    );

    let old = sign_unchecked(&key, include_bytes!("../fixtures/statement-v0.1.json"));
    let found = "https://in-toto.io/Statement/v0.1".into();
    assert_eq!(refusal(&old, &keys), VerifyError::Statement(StatementError::WrongType { found }));
    let nonsense = refusal(&sign_unchecked(&key, b"nonsense"), &keys);
    assert!(
        matches!(nonsense, VerifyError::Statement(StatementError::Malformed(_))),
        "{nonsense:?}"
    );
}

#[test]
fn no_single_changed_byte_yields_another_statement() {
    let (statement, key, keys) = common::signer();
    let bundle = key.sign_statement(&statement).unwrap();
    let mut accepted = 0;
    for position in 0..bundle.len() {
        for change in [0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80] {
            let mut mutant = bundle.clone();
            mutant[position] ^= change;
            if let Ok(verified) = verify_bundle(&mutant, &keys) {
                assert_eq!(
                    verified.statement.as_bytes(),
                    statement.as_bytes(),
                    "byte {position} ^ {change:#x}"
                );
                accepted += 1;
            }
        }
    }
    // None, as every byte is either in a required field or JSON's own; a rise means that a field went unread.
    assert_eq!(accepted, 0);
}
