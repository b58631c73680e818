//! The cases of sigstore-conformance, each by path and by digest, and a bundle of npm's registry.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;

use attestation::{
    Artifact, PublicKey, SubjectRule, Trust, TrustRoot, TrustedKey, VerifyError, verify::Part,
    verify_artifact, verify_bundle,
};
use common::sigstore::{cases, trusting};
use events::Digest;

#[test]
fn every_case_is_judged_as_expected_by_path_and_by_digest() {
    let cases = cases();
    assert_eq!(cases.len(), 70);
    for case in &cases {
        let digest = Digest::of(&case.artifact);
        let by_digest = Artifact::digests(Some(digest), None).unwrap();
        for artifact in [Artifact::of(&case.artifact), by_digest] {
            let result = verify_artifact(&case.bundle, &artifact, &case.trust);
            assert_eq!(result.is_ok(), case.passes, "{}: {result:?}", case.name);
        }
    }
}

#[test]
fn each_refusal_names_the_check_that_failed() {
    let refusal = |name: &str| {
        let case = cases().into_iter().find(|it| it.name == name).expect(name);
        verify_artifact(&case.bundle, &Artifact::of(&case.artifact), &case.trust).unwrap_err()
    };
    use VerifyError as E;
    assert!(matches!(refusal("bundle-malformed-json_fail"), E::NotABundle(_)));
    assert!(matches!(refusal("bundle-unknown-version_fail"), E::UnsupportedMediaType { .. }));
    assert!(matches!(refusal("dsse-invalid-sig_fail"), E::WrongSignature { .. }));
    assert!(matches!(refusal("dsse-mismatch-envelope_fail"), E::TransparencyLog(_)));
    assert!(matches!(refusal("invalid-ct-key_fail"), E::CertificateLog(_)));
    assert!(matches!(refusal("invalid-inclusion-proof_fail"), E::TransparencyLog(_)));
    assert!(matches!(refusal("managed-key-wrong-key_fail"), E::UnknownKey { .. }));
    assert!(matches!(refusal("rekor2-no-timestamp_fail"), E::Time(_)));
    assert!(matches!(refusal("set-invalid-signature_fail"), E::TransparencyLog(_)));
}

#[test]
fn good_bundle_of_somebody_else_is_refused_with_what_each_rule_wants() {
    let case = cases().into_iter().find(|it| it.name == "happy-path-v0.3").unwrap();
    let root = Arc::new(TrustRoot::public_good().unwrap());
    let issuer = "https://token.actions.githubusercontent.com";
    let identity = "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main";
    let exact = |text: &str| SubjectRule::Exact(text.to_owned());
    let pattern = |text: &str| SubjectRule::pattern(text).unwrap();
    let verify = |issuer: &str, subject: SubjectRule| {
        let trust = trusting(issuer, subject, Arc::clone(&root));
        verify_artifact(&case.bundle, &Artifact::of(&case.artifact), &trust)
    };
    verify(issuer, exact(identity)).unwrap();
    verify(issuer, pattern(r"https://github\.com/sigstore-conformance/.*")).unwrap();
    for (issuer, subject) in [
        // Look-alikes: another case, an ending, a prefix, a part, another issuer, a letter of another script.
        (issuer, exact(&identity.to_uppercase())),
        (issuer, exact(&format!("{identity}/"))),
        (issuer, exact(&identity[..identity.len() - 1])),
        (issuer, exact(&identity.replace("github.com", "githu\u{184}.com"))),
        (issuer, pattern(r"https://github\.com/sigstore-conformance/")),
        (issuer, pattern("refs/heads/main")),
        (issuer, pattern(r"https://evil\.example/.*|https://github\.com/acme/.*")),
        ("https://token.actions.githubusercontent.com/", exact(identity)),
        ("https://token.actions.githubusercontent.com.evil.example", exact(identity)),
    ] {
        let refusal = verify(issuer, subject).unwrap_err();
        assert!(matches!(refusal, VerifyError::UntrustedIdentity { .. }), "{refusal}");
        let said = refusal.to_string();
        assert!(said.contains("`identity`: the i") && said.contains("must"), "{said}");
    }
}

#[test]
fn claims_of_the_workload_must_be_these_very_ones() {
    let case = cases().into_iter().find(|it| it.name == "happy-path-intoto-in-dsse-v3").unwrap();
    let root = Arc::new(TrustRoot::public_good().unwrap());
    let with = |name: &str, value: &str| {
        let rule = common::sigstore::beacon().with_claim(name, value).unwrap();
        let mut trust = Trust::new();
        trust.add_identity(rule);
        trust.set_root(Arc::clone(&root));
        verify_bundle(&case.bundle, &trust)
    };
    let verified = with("ref", "refs/heads/main").unwrap();
    let repository =
        "https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon";
    assert!(with("repository", repository).is_ok());
    assert!(verified.evidence.logged && verified.evidence.proven_time().is_some());
    let refusal = with("ref", "refs/heads/evil").unwrap_err().to_string();
    assert!(refusal.contains("the claim `ref` must be `refs/heads/evil`"), "{refusal}");
    assert!(common::sigstore::beacon().with_claim("repo", "x").is_err(), "no such claim");
}

#[test]
fn provenance_of_npm_is_verified_offline_by_its_sha512() {
    let bundle = include_bytes!("../fixtures/npm-provenance.sigstore.json");
    let sha512 = "76176ffa33808b54602c7c35de5c6e9a4deb96066dba6533f50ac234f4f1f4c6b3527515dc17c06fbe2860030f410eee69ea20079bd3a2c6f3dcf3b329b10751";
    let subject = SubjectRule::pattern(r"https://github\.com/sigstore/sigstore-js/.*").unwrap();
    let root = Arc::new(TrustRoot::public_good().unwrap());
    let trust = trusting("https://token.actions.githubusercontent.com", subject, root);

    let signed = verify_artifact(bundle, &Artifact::digests(None, Some(sha512)).unwrap(), &trust);
    let signed = signed.unwrap();
    assert_eq!(signed.part, Part::Subject);
    assert_eq!(signed.predicate_type.as_deref(), Some("https://slsa.dev/provenance/v0.2"));
    assert!(signed.statement.is_none(), "a statement v0.1 is no statement of ours");
    assert!(matches!(verify_bundle(bundle, &trust), Err(VerifyError::Statement(_))));

    let other = "0".repeat(128);
    let refusal = verify_artifact(bundle, &Artifact::digests(None, Some(&other)).unwrap(), &trust);
    assert!(matches!(refusal, Err(VerifyError::OtherDocument { .. })), "{refusal:?}");
}

#[test]
fn what_is_required_must_stand_beside_the_signature() {
    let (statement, key, mut trust) = common::signer();
    let bundle = key.sign_statement(&statement).unwrap();
    trust.require(attestation::trust::Required { log: true, time: false });
    assert_eq!(verify_bundle(&bundle, &trust).unwrap_err(), VerifyError::NotLogged);
    trust.require(attestation::trust::Required { log: false, time: true });
    assert_eq!(verify_bundle(&bundle, &trust).unwrap_err(), VerifyError::NoProvenTime);

    // Evidence beside a key counts where there is a root to check it, and is refused where there is none.
    let case = cases().into_iter().find(|it| it.name == "managed-key-happy-path").unwrap();
    let artifact = Artifact::of(&case.artifact);
    let mut trust = case.trust.clone();
    trust.require(attestation::trust::Required { log: true, time: true });
    assert!(verify_artifact(&case.bundle, &artifact, &trust).unwrap().evidence.logged);
    let key = include_str!("../fixtures/conformance/managed-key-happy-path/key.pub");
    let mut rootless = Trust::new();
    rootless.add(TrustedKey::new("managed", PublicKey::from_pem(key).unwrap())).unwrap();
    let unproven = verify_artifact(&case.bundle, &artifact, &rootless).unwrap();
    assert!(!unproven.evidence.logged);
    rootless.require(attestation::trust::Required { log: true, time: false });
    let refusal = verify_artifact(&case.bundle, &artifact, &rootless).unwrap_err();
    assert!(matches!(refusal, VerifyError::NoTrustedRoot { .. }), "{refusal}");
}
