//! Builds that are signed keyless by a private Sigstore, also while it is away.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use attestation::verify::read_without_verifying_unsafe;
use e2e_tests::{eventually, seconds};
use events::{Digest, Producer, VerdictResult};
use generator::Generator;
use policy_gate::{GateArgs, PolicyGate};
use private_sigstore::{Claims, Fault, PrivateSigstore, Service};
use signer::{Signer, SigningArgs};

use crate::pipeline::{LOCK, Pipeline};

const IDENTITY: &str = "signer@acme.example";
const SERVICES: [Service; 3] = [Service::Fulcio, Service::Rekor, Service::Tsa];

/// Seconds that Sigstore is away; more by `ATTESTRY_OUTAGE_SECONDS`.
fn outage() -> Duration {
    let asked = std::env::var("ATTESTRY_OUTAGE_SECONDS").ok().and_then(|it| it.parse().ok());
    seconds(asked.unwrap_or(3))
}

async fn start() -> (Pipeline, PrivateSigstore) {
    start_with("[require]\nlog = true\ntime = true\n", None).await
}

/// With more in the trust policy, and another policy.
async fn start_with(more: &str, policy: Option<PathBuf>) -> (Pipeline, PrivateSigstore) {
    let mut pipeline = Pipeline::start().await;
    let sigstore = PrivateSigstore::start("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let dir = pipeline.directory.path().join("sigstore");
    write_token(&sigstore, &dir);
    let issuer = sigstore.issuer();
    fs::write(
        dir.join("trust.toml"),
        format!(
            "trusted_root = \"trusted_root.json\"\n{more}\
             [[identities]]\nlabel = \"signer\"\nissuer = \"{issuer}\"\nidentity = \"{IDENTITY}\"\n"
        ),
    )
    .unwrap();
    fs::write(dir.join("standby.pub"), pipeline.key().public_key().to_pem()).unwrap();
    let gate = GateArgs {
        policy,
        trust: Some(dir.join("trust.toml")),
        policy_timeout: 30,
        ..GateArgs::default()
    };
    let signing = SigningArgs {
        keyless: true,
        identity_token_file: Some(dir.join("token")),
        signing_config: Some(dir.join("signing_config.json")),
        trusted_root: Some(dir.join("trusted_root.json")),
        ..SigningArgs::default()
    };
    let archive = pipeline.archive.clone();
    pipeline.run(Generator::new(archive.clone())).await;
    pipeline.run(Signer::new(archive.clone(), signing.load().unwrap(), 1)).await;
    pipeline.run(PolicyGate::new(archive, gate.load().unwrap())).await;
    (pipeline, sigstore)
}

/// A token lives for five minutes, and an outage may be longer.
fn write_token(sigstore: &PrivateSigstore, dir: &Path) {
    let claims = Claims { sub: "7".into(), email: Some(IDENTITY.to_owned()), ..Claims::default() };
    sigstore.write_files(dir, claims).unwrap();
}

fn pending() -> u64 {
    let text = String::from_utf8(worker::metrics::text().unwrap()).unwrap();
    let line = text.lines().find(|it| it.starts_with("attestry_signatures_pending "));
    line.and_then(|it| it.rsplit(' ').next()).unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn build_that_was_signed_keyless_passes_and_says_by_whom() {
    let (pipeline, sigstore) = start().await;
    let build = pipeline.submit("run-1", LOCK).await;

    let verdict = pipeline.signed(&build, Producer::PolicyGate).await;
    let report = pipeline.report(&verdict).await;
    assert_eq!(verdict.verdict.as_ref().unwrap().result, VerdictResult::Passed, "{report:?}");
    let evidence = pipeline.signed(&build, Producer::Generator).await;
    for bundle in evidence.bundles.iter().chain(&verdict.bundles) {
        assert_eq!(bundle.signer.as_ref().unwrap().as_str(), IDENTITY);
    }
    assert_eq!(sigstore.requests(Service::Fulcio), 1, "one certificate for three statements");
    assert_eq!(sigstore.entries(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_signed_waits_and_is_signed_once() {
    let (pipeline, sigstore) = start().await;
    for service in SERVICES {
        sigstore.set_fault(service, Some(Fault::Status(503)));
    }
    let mut builds = Vec::new();
    for run in 0..20 {
        builds.push(pipeline.submit(&format!("run-{run}"), LOCK).await);
    }
    let paused = async || pipeline.bus.pauses().await.unwrap().remove("signer");
    eventually(seconds(30), "the signer says what it waits for", async || {
        paused().await.is_some_and(|it| it.dependency == "fulcio" && it.detail.contains("503"))
    })
    .await;
    eventually(seconds(30), "the gauge tells how much waits", async || pending() >= 20).await;
    tokio::time::sleep(outage()).await;

    write_token(&sigstore, &pipeline.directory.path().join("sigstore"));
    for service in SERVICES {
        sigstore.set_fault(service, None);
    }
    let mut statements = BTreeSet::new();
    for build in &builds {
        let verdict = pipeline.signed(build, Producer::PolicyGate).await;
        assert_eq!(verdict.verdict.as_ref().unwrap().result, VerdictResult::Passed);
        let evidence = pipeline.signed(build, Producer::Generator).await;
        for signed in evidence.bundles.iter().chain(&verdict.bundles) {
            let claims = format!("signatures/{}", signed.statement.hex());
            let claims = pipeline.archive.claims_below(&claims).await.unwrap();
            let [bundle] = &claims[..] else { panic!("{} bundles of one statement", claims.len()) };
            assert_eq!(Digest::of(bundle), signed.bundle);
            let statement = read_without_verifying_unsafe(bundle).unwrap();
            assert_eq!(Digest::of(statement.as_bytes()), signed.statement);
            statements.insert(signed.statement);
        }
    }
    assert_eq!(statements.len(), 3 * builds.len());
    assert_eq!(sigstore.entries(), statements.len(), "each is in the log once");
    eventually(seconds(30), "nothing waits", async || pending() == 0 && paused().await.is_none())
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_stands_in_while_sigstore_is_away_and_policy_says_where_that_is_enough() {
    let policy = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../policy"), policy.path());
    let data = fs::read_to_string(policy.path().join("data.json")).unwrap();
    let strict = r#""logged_environments": ["release"]"#;
    fs::write(
        policy.path().join("data.json"),
        data.replace(r#""logged_environments": []"#, strict),
    )
    .unwrap();
    let trust = "[[keys]]\nlabel = \"standby\"\nfile = \"standby.pub\"\n";
    let (mut pipeline, sigstore) = start_with(trust, Some(policy.path().to_owned())).await;
    for service in SERVICES {
        sigstore.set_fault(service, Some(Fault::Status(503)));
    }
    let (pr, release) =
        (pipeline.submit("pr", LOCK).await, pipeline.submit_release("release", LOCK).await);
    let waits = async || pipeline.bus.pauses().await.unwrap().contains_key("signer");
    eventually(seconds(30), "the signer waits", waits).await;

    let standby = pipeline.signer();
    pipeline.run(standby).await;

    let passed = pipeline.signed(&pr, Producer::PolicyGate).await;
    let report = pipeline.report(&passed).await;
    assert_eq!(passed.verdict.as_ref().unwrap().result, VerdictResult::Passed, "{report:?}");
    assert!(report.warnings.iter().any(|it| it.id == "SIG-004"), "{report:?}");
    let failed = pipeline.signed(&release, Producer::PolicyGate).await;
    assert_eq!(failed.verdict.as_ref().unwrap().result, VerdictResult::Failed);
    let rules: BTreeSet<_> =
        pipeline.report(&failed).await.violations.into_iter().map(|it| it.id).collect();
    assert_eq!(rules, BTreeSet::from(["SIG-004".to_owned()]));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
