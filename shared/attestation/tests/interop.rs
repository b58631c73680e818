//! OpenSSL and Sigstore's own types agree with us about keys, signatures and bundles.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::{fs, path::Path, process::Command};

use attestation::{KeyError, PublicKey, SigningKey, Trust, TrustedKey, verify_bundle};
use sigstore_types::{Bundle, bundle::SignatureContent, dsse::DsseEnvelope};

/// Runs `openssl` in `dir` and returns what it prints.
fn openssl(dir: &Path, arguments: &[&str]) -> String {
    let output = Command::new("openssl")
        .args(arguments)
        .current_dir(dir)
        .output()
        .expect("the `openssl` command is needed by this test: install the package `openssl`");
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "openssl {arguments:?}: {stdout}{stderr}");
    stdout.into_owned()
}

/// A key file that openssl makes with `arguments`.
fn openssl_key(arguments: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    openssl(dir.path(), &[arguments, &["-out", "key.pem"]].concat());
    fs::read_to_string(dir.path().join("key.pem")).unwrap()
}

const GENPKEY_P256: [&str; 5] =
    ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// The envelope in a bundle of ours, as Sigstore's types read it.
fn envelope(bundle: &[u8]) -> DsseEnvelope {
    match Bundle::from_json(str::from_utf8(bundle).unwrap()).unwrap().content {
        SignatureContent::DsseEnvelope(envelope) => envelope,
        other => panic!("no envelope: {other:?}"),
    }
}

#[test]
fn openssl_verifies_what_we_sign() {
    let (statement, key, _) = common::signer();
    let envelope = envelope(&key.sign_statement(&statement).unwrap());
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("key.pub"), key.public_key().to_pem()).unwrap();
    fs::write(dir.path().join("signature.der"), envelope.signature.sig.as_bytes()).unwrap();
    fs::write(dir.path().join("pae"), envelope.pae()).unwrap();

    let said = openssl(
        dir.path(),
        &["dgst", "-sha256", "-verify", "key.pub", "-signature", "signature.der", "pae"],
    );

    assert_eq!(said, "Verified OK\n");
}

#[test]
fn key_made_by_openssl_signs() {
    let key = SigningKey::from_pem(&openssl_key(&GENPKEY_P256)).unwrap();
    let mut keys = Trust::new();
    keys.add(TrustedKey::new("openssl", key.public_key().clone())).unwrap();
    let (statement, ..) = common::signer();

    let verified = verify_bundle(&key.sign_statement(&statement).unwrap(), &keys).unwrap();

    assert!(!verified.signer.development);
}

#[test]
fn openssl_reads_the_keys_we_write_and_derives_the_same_public_key() {
    let (_, key, _) = common::signer();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("key.pem"), key.to_pem()).unwrap();

    assert_eq!(
        openssl(dir.path(), &["pkey", "-in", "key.pem", "-pubout"]),
        key.public_key().to_pem()
    );
}

#[test]
fn sec1_key_is_refused_with_the_command_that_converts_it() {
    let dir = tempfile::tempdir().unwrap();
    // With its parameters block, as openssl writes it unless told otherwise.
    openssl(dir.path(), &["ecparam", "-name", "prime256v1", "-genkey", "-out", "KEY"]);
    let sec1 = fs::read_to_string(dir.path().join("KEY")).unwrap();
    assert!(sec1.contains("BEGIN EC PARAMETERS") && sec1.contains("BEGIN EC PRIVATE KEY"));

    let error = SigningKey::from_pem(&sec1).unwrap_err();

    assert_eq!(error, KeyError::Sec1);
    follow(dir.path(), &error);
}

#[test]
fn encrypted_key_is_refused_with_the_command_that_decrypts_it() {
    let encrypted =
        openssl_key(&[&GENPKEY_P256[..], &["-aes256", "-pass", "pass:secret"]].concat());
    assert!(encrypted.contains("BEGIN ENCRYPTED PRIVATE KEY"));

    let error = SigningKey::from_pem(&encrypted).unwrap_err();

    assert_eq!(error, KeyError::Encrypted);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("KEY"), encrypted).unwrap();
    follow(dir.path(), &error);
}

/// Does what `error` advises, and the key is accepted.
fn follow(dir: &Path, error: &KeyError) {
    let command = "openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW_KEY";
    assert!(error.to_string().contains(&format!("`{command}`")), "{error}");
    let mut arguments: Vec<_> = command.split(' ').skip(1).collect();
    // Ignored for a key that is not encrypted.
    arguments.extend(["-passin", "pass:secret"]);
    openssl(dir, &arguments);
    SigningKey::from_pem(&fs::read_to_string(dir.join("NEW_KEY")).unwrap()).unwrap();
}

#[test]
fn old_encrypted_key_is_refused_as_encrypted() {
    let dir = tempfile::tempdir().unwrap();
    openssl(dir.path(), &["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "plain"]);
    openssl(
        dir.path(),
        &["ec", "-in", "plain", "-aes128", "-passout", "pass:secret", "-out", "KEY"],
    );

    let error =
        SigningKey::from_pem(&fs::read_to_string(dir.path().join("KEY")).unwrap()).unwrap_err();

    assert_eq!(error, KeyError::Encrypted);
    follow(dir.path(), &error);
}

#[test]
fn other_private_keys_are_refused() {
    for arguments in [
        &["genpkey", "-algorithm", "ed25519"][..],
        &[&GENPKEY_P256[..4], &["ec_paramgen_curve:P-384"]].concat(),
    ] {
        let error = SigningKey::from_pem(&openssl_key(arguments)).unwrap_err();
        assert!(matches!(error, KeyError::UnsupportedPrivateKey(_)), "{error:?}");
        assert!(error.to_string().contains("openssl genpkey"), "{error}");
    }
}

#[test]
fn signatures_by_p384_ed25519_and_rsa_are_verified() {
    let (statement, ..) = common::signer();
    let pae = sigstore_types::pae("application/vnd.in-toto+json", statement.as_bytes());
    let p384 = [&GENPKEY_P256[..4], &["ec_paramgen_curve:P-384"]].concat();
    let rsa = ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let (ed25519, one_go): (&[&str], &[&str]) =
        (&["genpkey", "-algorithm", "ed25519"], &["-rawin"]);
    let hashed = |hash| vec!["-rawin", "-digest", hash];
    for (arguments, how) in
        [(&p384[..], hashed("sha384")), (&rsa, hashed("sha256")), (ed25519, one_go.to_vec())]
    {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("key.pem"), openssl_key(arguments)).unwrap();
        fs::write(dir.path().join("pae"), &pae).unwrap();
        let sign = ["pkeyutl", "-sign", "-inkey", "key.pem", "-in", "pae", "-out", "signature"];
        openssl(dir.path(), &[&sign[..], &how].concat());
        let key = PublicKey::from_pem(&openssl(dir.path(), &["pkey", "-in", "key.pem", "-pubout"]))
            .unwrap();
        let signature = fs::read(dir.path().join("signature")).unwrap();

        let (mut bundle, mut keys) = (bundle_of(&statement, &key, &signature), Trust::new());
        keys.add(TrustedKey::new("foreign", key)).unwrap();

        assert!(verify_bundle(bundle.to_string().as_bytes(), &keys).is_ok(), "{arguments:?}");
        bundle["dsseEnvelope"]["payload"] = "e30=".into();
        assert!(verify_bundle(bundle.to_string().as_bytes(), &keys).is_err(), "{arguments:?}");
    }
}

fn bundle_of(
    statement: &attestation::Statement,
    key: &PublicKey,
    signature: &[u8],
) -> serde_json::Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    serde_json::json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": { "publicKey": { "hint": key.hint() } },
        "dsseEnvelope": {
            "payload": STANDARD.encode(statement.as_bytes()),
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{ "sig": STANDARD.encode(signature) }],
        },
    })
}
