//! Signatures over documents that lie elsewhere.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use attestation::{
    Artifact, PublicKey, Reference, SigningKey, Statement, Subject, Trust, TrustedKey, VerifyError,
    predicate::reference::{Attester, ReferencedDocument},
    verify::Part,
    verify_artifact,
};
use events::Digest;

const SBOM: &[u8] = b"{\"bomFormat\":\"CycloneDX\"}";

fn trusting(key: PublicKey) -> Trust {
    let mut keys = Trust::new();
    keys.add(TrustedKey::new("acme", key)).unwrap();
    keys
}

/// A bundle over a statement about `subject` that refers to `reference`.
fn signed(subject: &[u8], reference: &[u8]) -> (Vec<u8>, Trust) {
    let document = ReferencedDocument {
        name: None,
        digest: Digest::of(reference),
        download_location: "sbom.json".into(),
        media_type: "application/vnd.cyclonedx+json".into(),
    };
    let claim = Reference {
        attester: Attester { id: "https://acme.example".into() },
        references: vec![document],
    };
    let subject = Subject { name: None, uri: None, digest: Digest::of(subject) };
    let key = SigningKey::generate().unwrap();
    let bundle = key.sign_statement(&Statement::new(&[subject], &claim).unwrap()).unwrap();
    (bundle, trusting(key.public_key().clone()))
}

#[test]
fn file_that_another_tool_signed_is_verified_byte_for_byte() {
    let bundle =
        include_bytes!("../fixtures/conformance/managed-key-happy-path/bundle.sigstore.json");
    let key =
        PublicKey::from_pem(include_str!("../fixtures/conformance/managed-key-happy-path/key.pub"))
            .unwrap();
    let file = include_bytes!("../fixtures/conformance/a.txt");
    let keys = trusting(key);

    let signed = verify_artifact(bundle, &Artifact::of(file), &keys).expect("verified");
    assert_eq!((signed.predicate_type, signed.part), (None, Part::File));
    let digest = Artifact::digests(Some(Digest::of(file)), None).unwrap();
    assert!(verify_artifact(bundle, &digest, &keys).is_ok());
    let mut other = file.to_vec();
    other[0] ^= 1;
    let refused = verify_artifact(bundle, &Artifact::of(&other), &keys);
    assert_eq!(refused, Err(VerifyError::WrongSignature { label: "acme".into() }));
}

#[test]
fn file_that_we_signed_is_verified() {
    let key = SigningKey::generate().unwrap();
    let bundle = key.sign_file(SBOM).unwrap();
    let signed = verify_artifact(&bundle, &Artifact::of(SBOM), &trusting(key.public_key().clone()));
    assert_eq!(signed.expect("verified").signer.label, "acme");
}

#[test]
fn statement_covers_its_subjects_and_what_it_refers_to() {
    for (subject, reference) in [(SBOM, &b"other"[..]), (b"app", SBOM)] {
        let (bundle, keys) = signed(subject, reference);
        let signed = verify_artifact(&bundle, &Artifact::of(SBOM), &keys).expect("covered");
        assert!(signed.predicate_type.is_some_and(|it| it.ends_with("/reference/v0.1")));
    }
}

#[test]
fn good_signature_over_another_document_is_refused() {
    let (bundle, keys) = signed(b"app", b"other");
    let refused = verify_artifact(&bundle, &Artifact::of(SBOM), &keys);
    let document = Digest::of(SBOM).to_string();
    assert_eq!(refused, Err(VerifyError::OtherDocument { label: "acme".into(), document }));
}

#[test]
fn strangers_signature_is_refused() {
    let (bundle, _) = signed(SBOM, SBOM);
    let stranger = SigningKey::generate().unwrap();
    let refused =
        verify_artifact(&bundle, &Artifact::of(SBOM), &trusting(stranger.public_key().clone()));
    assert!(matches!(refused, Err(VerifyError::UnknownKey { .. })), "{refused:?}");
}
