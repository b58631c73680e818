//! Key files as people bring them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use attestation::{KeyError, PublicKey, SigningKey, Trust, TrustedKey, verify_bundle};

const MANAGED_KEY: &str = include_str!("../fixtures/conformance/managed-key-happy-path/key.pub");

#[test]
fn signing_key_survives_its_pem_file() {
    let (statement, key, keys) = common::signer();
    let again = SigningKey::from_pem(&key.to_pem()).unwrap();

    assert_eq!(again.public_key(), key.public_key());
    assert!(verify_bundle(&again.sign_statement(&statement).unwrap(), &keys).is_ok());
}

#[test]
fn pem_is_written_with_line_feeds_and_read_with_either_line_end() {
    let (_, key, _) = common::signer();
    let (private, public) = (key.to_pem(), key.public_key().to_pem());

    assert!(!private.contains('\r') && !public.contains('\r'));
    assert!(private.ends_with("-----END PRIVATE KEY-----\n"), "{public}");
    let crlf = |pem: &str| pem.replace('\n', "\r\n");
    assert_eq!(SigningKey::from_pem(&crlf(&private)).unwrap().to_pem(), private);
    assert_eq!(PublicKey::from_pem(&crlf(&public)).unwrap().to_pem(), public);
}

#[test]
fn hint_is_the_one_other_producers_write() {
    let key = PublicKey::from_pem(MANAGED_KEY).unwrap();

    let bundle: serde_json::Value = serde_json::from_str(include_str!(
        "../fixtures/conformance/managed-key-happy-path/bundle.sigstore.json"
    ))
    .unwrap();
    assert_eq!(key.hint(), bundle["verificationMaterial"]["publicKey"]["hint"]);
    assert_eq!(key.to_pem(), MANAGED_KEY);
    assert_eq!(key.fingerprint().len(), 64);
}

#[test]
fn debug_shows_which_key_it_is_and_nothing_secret() {
    let (_, key, _) = common::signer();
    let shown = format!("{key:?}");

    assert_eq!(
        shown,
        format!("SigningKey {{ public: PublicKey({}), .. }}", key.public_key().fingerprint())
    );
    for line in key.to_pem().lines() {
        assert!(!shown.contains(line));
    }
}

#[test]
fn every_generated_key_is_another_one() {
    let key = || SigningKey::generate().unwrap().public_key().hint();

    assert_ne!(key(), key());
}

#[test]
fn files_that_are_no_keys_are_refused() {
    let huge = "x".repeat(1 << 20);
    let twice = format!("{MANAGED_KEY}{MANAGED_KEY}");
    let broken = MANAGED_KEY.replace("MFkw", "M!kw");
    for text in
        ["", "garbage", &huge, &twice, &broken, "-----BEGIN PUBLIC KEY-----\n", "\u{0}\u{1}"]
    {
        assert!(matches!(PublicKey::from_pem(text), Err(KeyError::NotPem(_))), "{text:.40}");
        assert!(matches!(SigningKey::from_pem(text), Err(KeyError::NotPem(_))), "{text:.40}");
    }
    let empty = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    assert!(matches!(PublicKey::from_pem(empty), Err(KeyError::UnsupportedPublicKey(_))));
    let empty = empty.replace("PUBLIC", "PRIVATE");
    assert!(matches!(SigningKey::from_pem(&empty), Err(KeyError::UnsupportedPrivateKey(_))));
}

#[test]
fn key_of_the_wrong_half_is_refused_without_repeating_it() {
    let (_, key, _) = common::signer();

    let error = PublicKey::from_pem(&key.to_pem()).unwrap_err();
    assert_eq!(error, KeyError::WrongBlock { found: "PRIVATE KEY".into(), expected: "PUBLIC KEY" });
    let error = SigningKey::from_pem(MANAGED_KEY).unwrap_err();
    assert_eq!(error, KeyError::WrongBlock { found: "PUBLIC KEY".into(), expected: "PRIVATE KEY" });
}

#[test]
fn same_key_is_not_trusted_twice() {
    let key = PublicKey::from_pem(MANAGED_KEY).unwrap();
    let trusted = |label: &str, development| TrustedKey {
        development,
        ..TrustedKey::new(label, key.clone())
    };
    let mut keys = Trust::new();
    keys.add(trusted("laptop", true)).unwrap();

    let error = keys.add(trusted("release", false)).unwrap_err();

    assert_eq!(error.to_string(), "`release` is the same key as `laptop`: list it once");
}
