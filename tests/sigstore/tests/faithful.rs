//! Sigstore's own client signs with the instance, and what it made verifies.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use attestation::{
    Artifact, IdentityRule, SubjectRule, Trust, TrustRoot, signer::Identity, verify_artifact,
};
use private_sigstore::{Claims, PrivateSigstore, Service};
use sigstore_sign::{
    SigningContext, SigningServices, oidc::IdentityToken, trust_root::SigningConfig,
};

const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":"a172cedcae47474b615c54d510a5d84a8dea3032e958587430b413538be3f333"}}],"predicateType":"https://example.com/predicate/v1","predicate":{}}"#;
const APP: &[u8] = b"app";

fn workflow() -> Claims {
    Claims {
        sub: "repo:acme/app:ref:refs/heads/main".into(),
        workflow: Some("acme/app/.github/workflows/release.yml@refs/heads/main".into()),
        repository: Some("acme/app".into()),
        reference: Some("refs/heads/main".into()),
        event_name: Some("push".into()),
        ..Claims::default()
    }
}

fn trusting(sigstore: &PrivateSigstore, identity: &str) -> Trust {
    let subject = SubjectRule::Exact(identity.to_owned());
    let rule = IdentityRule::new("signer", sigstore.issuer(), subject).unwrap();
    let root = TrustRoot::from_json(sigstore.trusted_root().unwrap().as_bytes()).unwrap();
    let mut trust = Trust::new();
    trust.add_identity(rule);
    trust.set_root(Arc::new(root));
    trust
}

#[tokio::test]
async fn bundles_of_sigstores_client_verify_whatever_the_log() {
    let sigstore = PrivateSigstore::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    for (version, claims, identity) in [
        (
            1,
            Claims { sub: "1".into(), email: Some("a@acme.example".into()), ..Claims::default() },
            "a@acme.example",
        ),
        (
            2,
            workflow(),
            "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main",
        ),
    ] {
        let config = SigningConfig::from_json(&sigstore.signing_config(version).unwrap()).unwrap();
        let services = SigningServices::from_signing_config(&config).unwrap();
        let token = IdentityToken::from_jwt(&sigstore.token(claims).unwrap()).unwrap();
        let signer = SigningContext::new(services).signer(token);
        let trust = trusting(&sigstore, identity);
        let file = signer.sign(APP).await.unwrap().to_json().unwrap();
        let statement = signer.sign_raw_statement(STATEMENT.as_bytes()).await.unwrap();
        for bundle in [file, statement.to_json().unwrap()] {
            let signed = verify_artifact(bundle.as_bytes(), &Artifact::of(APP), &trust).unwrap();
            assert!(signed.evidence.logged && signed.evidence.proven_time().is_some());
            let Identity::Certificate(certificate) = &signed.signer.identity else { panic!() };
            assert_eq!(certificate.identity, identity);
        }
        let refused = trusting(&sigstore, "somebody@else.example");
        assert!(
            verify_artifact(statement.to_json().unwrap().as_bytes(), &Artifact::of(APP), &refused)
                .is_err()
        );
    }
    assert_eq!((sigstore.entries(), sigstore.requests(Service::Fulcio)), (4, 4));
}
