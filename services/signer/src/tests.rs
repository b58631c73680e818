//! The signer against a private Sigstore: what it signs verifies, and what is away is waited for.

use std::{path::Path, sync::Arc};

use attestation::{
    IdentityRule, Predicate, Provenance, Receipt, Reference, SigningKey, Statement, Subject,
    SubjectRule, Trust, TrustRoot, TrustedKey, VerificationSummary, Verified, VerifyError,
    predicate::reference::Attester, verify_bundle,
};
use events::{Digest, Producer};
use jiff::{SignedDuration, Timestamp};
use private_sigstore::{Claims, Fault, PrivateSigstore, Service};
use serde_json::Value;
use tempfile::TempDir;
use worker::HandleError;

use super::{SignError, SigningArgs, SigningIdentity, allowed};
use crate::services::{Services, Verifier};

const IDENTITY: &str = "signer@acme.example";

struct Lab {
    sigstore: PrivateSigstore,
    dir: TempDir,
}

impl Lab {
    async fn start() -> Self {
        let sigstore = PrivateSigstore::start("127.0.0.1:0".parse().expect("valid")).await;
        let lab = Self { sigstore: sigstore.expect("starts"), dir: TempDir::new().expect("made") };
        lab.sigstore.write_files(lab.dir.path(), claims()).expect("written");
        lab
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn keyless(&self, config: &str) -> SigningIdentity {
        let args = SigningArgs {
            keyless: true,
            identity_token_file: Some(self.path("token")),
            signing_config: Some(self.path(config)),
            trusted_root: Some(self.path("trusted_root.json")),
            ..SigningArgs::default()
        };
        args.load().expect("loads")
    }

    fn trust(&self) -> Trust {
        let root = TrustRoot::from_json(self.sigstore.trusted_root().expect("made").as_bytes());
        let subject = SubjectRule::Exact(IDENTITY.to_owned());
        let rule = IdentityRule::new("signer", self.sigstore.issuer(), subject);
        let mut trust = Trust::new();
        trust.add_identity(rule.expect("complete"));
        trust.set_root(Arc::new(root.expect("reads")));
        trust
    }

    fn verify(&self, bundle: &[u8]) -> Result<Verified, VerifyError> {
        verify_bundle(bundle, &self.trust())
    }
}

fn claims() -> Claims {
    Claims { sub: "7".to_owned(), email: Some(IDENTITY.to_owned()), ..Claims::default() }
}

fn statement(about: &[u8]) -> Statement {
    let attester = Attester { id: "https://acme.example/ci".to_owned() };
    let claim = Reference { attester, references: vec![] };
    let subject = Subject { name: None, uri: None, digest: Digest::of(about) };
    Statement::new(&[subject], &claim).expect("sound")
}

#[allow(clippy::disallowed_methods, reason = "certificates are valid now")]
fn now() -> Timestamp {
    Timestamp::now()
}

async fn sign(identity: &SigningIdentity, statement: &Statement) -> Result<Vec<u8>, SignError> {
    identity.sign_at(now(), statement).await
}

fn is_away(result: Result<Vec<u8>, SignError>, service: &str) -> String {
    match result {
        Err(SignError::Away { service: away, detail }) if away == service => detail,
        other => panic!("{service} is not what is away: {other:?}"),
    }
}

#[tokio::test]
async fn many_statements_are_signed_with_one_certificate_and_all_verify() {
    let lab = Lab::start().await;
    for config in ["signing_config_v1.json", "signing_config.json"] {
        let identity = lab.keyless(config);
        for about in [b"a", b"b", b"c"] {
            let statement = statement(about);
            let verified = lab.verify(&sign(&identity, &statement).await.expect("signed"));
            let verified = verified.expect("verifies");
            assert_eq!(verified.statement, statement);
            assert_eq!(verified.signer.name(), IDENTITY);
            assert!(verified.evidence.logged && verified.evidence.proven_time().is_some());
        }
    }
    assert_eq!(lab.sigstore.requests(Service::Fulcio), 2, "one certificate for each identity");
    assert_eq!(lab.sigstore.entries(), 6);
}

#[tokio::test]
async fn certificate_that_ends_soon_is_replaced() {
    let lab = Lab::start().await;
    let identity = lab.keyless("signing_config.json");
    let first = identity.session(now()).await.expect("a certificate");
    let later = now() + SignedDuration::from_secs(8 * 60);
    assert!(Arc::ptr_eq(&first, &identity.session(later).await.expect("the same")));
    // The token has ended by then: the certificate is asked for in vain, and the identity says why.
    let much_later = now() + SignedDuration::from_secs(9 * 60 + 30);
    let refused = identity.session(much_later).await.map(|_| Vec::new());
    assert!(is_away(refused, "oidc").contains("the identity token ended at"));
}

#[tokio::test]
async fn what_is_away_is_named_and_signing_goes_on_when_it_is_back() {
    let lab = Lab::start().await;
    let statement = statement(b"app");
    for (service, name) in
        [(Service::Fulcio, "fulcio"), (Service::Rekor, "rekor"), (Service::Tsa, "tsa")]
    {
        let identity = lab.keyless("signing_config.json");
        for fault in [Fault::Status(503), Fault::Status(429), Fault::AnswerLost] {
            lab.sigstore.set_fault(service, Some(fault));
            is_away(sign(&identity, &statement).await, name);
        }
        lab.sigstore.set_fault(service, None);
        let bundle = sign(&identity, &statement).await.expect("signed");
        assert_eq!(lab.verify(&bundle).expect("verifies").statement, statement);
    }
    // One for each that was signed, and the one whose answer was lost.
    assert_eq!(lab.sigstore.entries(), 4, "what could not be stamped is not logged");
    lab.sigstore.set_fault(Service::Rekor, Some(Fault::Status(400)));
    let refused = sign(&lab.keyless("signing_config.json"), &statement).await.expect_err("refused");
    assert!(matches!(refused, SignError::Refused { service: "rekor", .. }), "{refused:?}");
    assert!(matches!(HandleError::from(refused), HandleError::Transient { .. }));
}

#[tokio::test]
async fn instance_that_nobody_runs_is_away() {
    let lab = Lab::start().await;
    let identity = lab.keyless("signing_config.json");
    let Lab { sigstore, dir: _dir } = lab;
    drop(sigstore);
    let detail = is_away(sign(&identity, &statement(b"app")).await, "fulcio");
    assert!(detail.contains("HTTP error"), "{detail}");
}

#[tokio::test]
async fn those_who_waited_for_a_certificate_in_vain_do_not_ask_again() {
    let lab = Lab::start().await;
    let identity = lab.keyless("signing_config.json");
    lab.sigstore.set_fault(Service::Fulcio, Some(Fault::Status(503)));
    let all = (0..8).map(|_| identity.session(now()));
    let all = futures::future::join_all(all).await;
    assert!(all.iter().all(Result::is_err));
    assert_eq!(lab.sigstore.requests(Service::Fulcio), 1);
    lab.sigstore.set_fault(Service::Fulcio, None);
    assert!(identity.session(now()).await.is_ok());
}

#[tokio::test]
async fn token_that_was_renewed_is_read_again_and_never_told() {
    let lab = Lab::start().await;
    let identity = lab.keyless("signing_config.json");
    let statement = statement(b"app");
    let expired = lab.sigstore.token(Claims { exp: 1, ..claims() }).expect("made");
    for (token, why) in [
        (expired.as_str(), "the identity token ended at 1970"),
        ("not.a.token", "holds no identity token"),
        ("", "holds no identity token"),
    ] {
        std::fs::write(lab.path("token"), token).expect("written");
        assert!(is_away(sign(&identity, &statement).await, "oidc").contains(why), "{why}");
    }
    std::fs::remove_file(lab.path("token")).expect("removed");
    is_away(sign(&identity, &statement).await, "oidc");
    // Another issuer's: only the authority can tell.
    let stranger = Lab::start().await.sigstore.token(claims()).expect("made");
    std::fs::write(lab.path("token"), &stranger).expect("written");
    let detail = is_away(sign(&identity, &statement).await, "fulcio");
    assert!(detail.contains("not of this issuer") && detail.contains("`sigstore`"), "{detail}");
    let secret = stranger.rsplit('.').next().expect("three parts");
    assert!(!detail.contains(secret), "{detail}");

    std::fs::write(lab.path("token"), lab.sigstore.token(claims()).expect("made"))
        .expect("written");
    sign(&identity, &statement).await.expect("signed");
}

#[tokio::test]
async fn what_would_not_verify_is_not_given_out() {
    let lab = Lab::start().await;
    let other = Lab::start().await;
    let args = SigningArgs {
        keyless: true,
        identity_token_file: Some(lab.path("token")),
        signing_config: Some(lab.path("signing_config.json")),
        trusted_root: Some(other.path("trusted_root.json")),
        ..SigningArgs::default()
    };
    let detail = is_away(sign(&args.load().expect("loads"), &statement(b"app")).await, "sigstore");
    assert!(detail.contains("are not of one instance"), "{detail}");
}

#[tokio::test]
async fn entry_that_the_log_has_already_is_found() {
    let lab = Lab::start().await;
    for config in ["signing_config_v1.json", "signing_config.json"] {
        let identity = lab.keyless(config);
        let session = identity.session(now()).await.expect("a certificate");
        let (envelope, hash) = session.envelope(&statement(b"app")).expect("signed");
        let text = std::fs::read_to_string(lab.path(config)).expect("there");
        let services = Services::keyless(&text).expect("complete");
        let before = lab.sigstore.entries();
        let mut entries = Vec::new();
        for _ in 0..2 {
            let verifier: Verifier<'_> = session.verifier();
            let beside = services.beside(&envelope, &hash, verifier).await;
            entries.push(beside.unwrap_or_else(|_| panic!("logged")).entry.expect("an entry"));
        }
        assert_eq!(entries[0], entries[1]);
        assert_eq!(lab.sigstore.entries(), before + 1);
    }
}

fn key_file(dir: &Path) -> std::path::PathBuf {
    let path = dir.join("signer.pem");
    super::load_or_make(&path).expect("made");
    path
}

#[tokio::test]
async fn key_is_logged_and_stamped_where_services_are_configured() {
    let lab = Lab::start().await;
    let path = key_file(lab.dir.path());
    let key = super::KeyArgs { signing_key: Some(path.clone()), ..super::KeyArgs::default() };
    let args = SigningArgs {
        key,
        signing_config: Some(lab.path("signing_config.json")),
        trusted_root: Some(lab.path("trusted_root.json")),
        ..SigningArgs::default()
    };
    let bundle = sign(&args.load().expect("loads"), &statement(b"app")).await.expect("signed");
    let public = SigningKey::from_pem(&std::fs::read_to_string(&path).expect("there"));
    let mut trust = Trust::new();
    trust.add(TrustedKey::new("key", public.expect("reads").public_key().clone())).expect("new");
    let alone = verify_bundle(&bundle, &trust).expect("verifies");
    assert_eq!(alone.evidence.proven_time(), None, "nothing is believed without a root");
    let root = TrustRoot::from_json(lab.sigstore.trusted_root().expect("made").as_bytes());
    trust.set_root(Arc::new(root.expect("reads")));
    let evidence = verify_bundle(&bundle, &trust).expect("verifies").evidence;
    assert!(evidence.logged && evidence.proven_time().is_some());

    let v1 = SigningArgs { signing_config: Some(lab.path("signing_config_v1.json")), ..args };
    let stamped = sign(&v1.load().expect("loads"), &statement(b"app")).await.expect("signed");
    let evidence = verify_bundle(&stamped, &trust).expect("verifies").evidence;
    assert!(!evidence.logged && evidence.proven_time().is_some(), "version 1 takes no keys");
}

#[test]
fn wrong_configuration_is_named() {
    let dir = TempDir::new().expect("made");
    let write = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let refusal = |args: SigningArgs| args.load().err().expect("refused").to_string();
    assert!(refusal(SigningArgs::default()).contains("--keyless"));
    let keyless = SigningArgs { keyless: true, ..SigningArgs::default() };
    let broken = Some(write("config.json", "{}"));
    let said = refusal(SigningArgs { signing_config: broken, ..keyless.clone() });
    assert!(said.contains("config.json: not a Sigstore signing config"), "{said}");
    let empty = r#"{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":[],"rekorTlogUrls":[],"rekorTlogConfig":{"selector":"ANY"},"tsaUrls":[],"tsaConfig":{"selector":"ANY"}}"#;
    let empty = Some(write("empty.json", empty));
    let said = refusal(SigningArgs { signing_config: empty.clone(), ..keyless.clone() });
    assert!(said.contains("no certificate authority"), "{said}");
    let key =
        super::KeyArgs { signing_key: Some(key_file(dir.path())), ..super::KeyArgs::default() };
    let said = refusal(SigningArgs { key, signing_config: empty, ..SigningArgs::default() });
    assert!(said.contains("no Rekor v2 log and no timestamp authority"), "{said}");
    let root = Some(write("root.json", "[]"));
    let said = refusal(SigningArgs { trusted_root: root, ..keyless.clone() });
    assert!(said.contains("root.json: not a Sigstore trusted root"), "{said}");
    assert!(keyless.load().is_ok(), "the public good instance, without asking it");
}

#[test]
fn producer_gets_only_its_own_predicate_types() {
    let types =
        [Provenance::TYPE, Reference::TYPE, VerificationSummary::TYPE, Receipt::TYPE, "urn:other"];
    let granted = |producer| types.map(|it| allowed(producer, it).is_ok());

    assert_eq!(granted(Producer::Generator), [true, true, false, false, false]);
    assert_eq!(granted(Producer::PolicyGate), [false, false, true, false, false]);
    assert_eq!(granted(Producer::SupplierIngest), [false, false, false, true, false]);
}

#[tokio::test]
async fn evidence_of_another_bundle_is_no_evidence() {
    let lab = Lab::start().await;
    for config in ["signing_config_v1.json", "signing_config.json"] {
        let identity = lab.keyless(config);
        let mut bundles = Vec::new();
        for about in [b"a", b"b"] {
            let bundle = sign(&identity, &statement(about)).await.expect("signed");
            bundles.push(serde_json::from_slice::<Value>(&bundle).expect("JSON"));
        }
        for field in ["tlogEntries", "timestampVerificationData", "certificate"] {
            let mut mixed = bundles[0].clone();
            let pointer = format!("/verificationMaterial/{field}");
            *mixed.pointer_mut(&pointer).expect("there") =
                bundles[1].pointer(&pointer).expect("there").clone();
            let mixed = lab.verify(mixed.to_string().as_bytes());
            // One certificate signs both.
            assert_eq!(mixed.is_ok(), field == "certificate", "{field}: {mixed:?}");
        }
        let mut mixed = bundles[0].clone();
        mixed["dsseEnvelope"] = bundles[1]["dsseEnvelope"].clone();
        assert!(lab.verify(mixed.to_string().as_bytes()).is_err());

        // Signed by the log, over a tree that does not hold the entry.
        let proof = "/verificationMaterial/tlogEntries/0/inclusionProof";
        let mut mixed = bundles[0].clone();
        for field in ["checkpoint", "rootHash", "treeSize"] {
            let pointer = format!("{proof}/{field}");
            *mixed.pointer_mut(&pointer).expect("there") =
                bundles[1].pointer(&pointer).expect("there").clone();
        }
        let refused = lab.verify(mixed.to_string().as_bytes()).expect_err("refused");
        assert!(matches!(refused, VerifyError::TransparencyLog(_)), "{refused}");
    }
}

#[tokio::test]
async fn authorities_count_only_within_their_time() {
    let lab = Lab::start().await;
    let bundle = sign(&lab.keyless("signing_config.json"), &statement(b"a")).await.expect("signed");
    let root = lab.sigstore.trusted_root().expect("made");
    let over =
        serde_json::json!({ "start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z" });
    let early = serde_json::json!({ "start": "2999-01-01T00:00:00Z" });
    let verify = |pointer: &str, validity: &Value| {
        let mut root: Value = serde_json::from_str(&root).expect("JSON");
        *root.pointer_mut(pointer).expect("there") = validity.clone();
        let root = TrustRoot::from_json(root.to_string().as_bytes()).expect("reads");
        let mut trust = lab.trust();
        trust.set_root(Arc::new(root));
        verify_bundle(&bundle, &trust)
    };
    for validity in [&over, &early] {
        let refused = |pointer| verify(pointer, validity).expect_err("refused");
        let authority = refused("/certificateAuthorities/0/validFor");
        assert!(matches!(authority, VerifyError::Certificate(_)), "{authority}");
        let log = refused("/ctlogs/0/publicKey/validFor");
        assert!(matches!(log, VerifyError::CertificateLog(_)), "{log}");
        let time = refused("/timestampAuthorities/0/validFor");
        assert!(matches!(time, VerifyError::Time(_)), "{time}");
    }
    assert!(verify("/tlogs/1/publicKey/validFor", &early).is_err());
    assert!(verify("/tlogs/0/publicKey/validFor", &over).is_ok(), "the other log did not sign");
}
