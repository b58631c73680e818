//! What a compromised key signed is signed again, once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

use std::fs;

use attestation::{SigningKey, Trust, TrustedKey, verify_bundle};
use e2e_tests::{eventually, seconds};
use events::{BuildCompleted, Digest, Envelope, EvidenceResigned, Label, Producer, SignedQuery};
use jiff::Timestamp;
use registrar::{Registrar, RegistrarArgs};
use registry::{View, journal};
use signer::{ResignError, Resigned, Signer, SigningIdentity};
use worker::Health;

use crate::pipeline::{LOCK, Pipeline};

async fn start() -> Pipeline {
    let mut pipeline = Pipeline::start().await;
    pipeline.run_all().await;
    let registrar = Registrar::new(
        pipeline.archive.clone(),
        RegistrarArgs { registry: registry(&pipeline), seal_after: 1, ..RegistrarArgs::default() },
    );
    let bus = pipeline.broker.bus().await;
    pipeline.workers.spawn(async move {
        registrar.run(std::future::pending(), &bus, &Health::default()).await.unwrap();
    });
    pipeline
}

fn registry(pipeline: &Pipeline) -> std::path::PathBuf {
    pipeline.directory.path().join("registry/registry.db")
}

fn fingerprint(key: &SigningKey) -> Label {
    Label::of(&Digest::of(&key.public_key().to_der()).hex())
}

fn of(signer: &Label) -> SignedQuery {
    SignedQuery { signer: signer.clone(), since: None, after: None }
}

/// What an operator does after a theft.
async fn resign(
    pipeline: &Pipeline,
    key: SigningKey,
    generation: u32,
    signer: &Label,
) -> Result<Resigned, ResignError> {
    let identity = SigningIdentity::of_key(key);
    let again = Signer::new(pipeline.archive.clone(), identity, generation);
    again.sign_again(&pipeline.bus, of(signer), Timestamp::now).await
}

async fn latest(
    pipeline: &Pipeline,
    build: &Envelope<BuildCompleted>,
    producer: Producer,
) -> Option<EvidenceResigned> {
    let found = pipeline.bus.find::<EvidenceResigned>(&build.scope, Some(producer), build.id).await;
    found.unwrap().map(|it| it.data)
}

async fn check(pipeline: &Pipeline, build: &Envelope<BuildCompleted>, key: &SigningKey) {
    let mut trust = Trust::new();
    trust.add(TrustedKey::new("new", key.public_key().clone())).unwrap();
    for producer in [Producer::Generator, Producer::PolicyGate] {
        let before = pipeline.signed(build, producer).await;
        let after = latest(pipeline, build, producer).await.expect("signed again");
        assert_eq!(after.bundles.len(), before.bundles.len());
        for old in &before.bundles {
            let same = after.bundles.iter().find(|it| it.name == old.name).unwrap();
            assert_eq!(same.statement, old.statement);
            let bytes = pipeline.archive.get(same.bundle, 1 << 20).await.unwrap();
            let statement = verify_bundle(&bytes, &trust).expect("verifies").statement;
            assert_eq!(Digest::of(statement.as_bytes()), old.statement);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stolen_key_signed_is_signed_again_once_and_the_books_know() {
    let pipeline = start().await;
    let mut builds = Vec::new();
    for run in ["run-1", "run-2", "run-3"] {
        let build = pipeline.submit(run, LOCK).await;
        pipeline.signed(&build, Producer::PolicyGate).await;
        builds.push(build);
    }
    let (stolen, fresh) = (fingerprint(&pipeline.key()), SigningKey::generate().unwrap());
    let pem = fresh.to_pem();
    let fresh = || SigningKey::from_pem(&pem).unwrap();

    let same = resign(&pipeline, pipeline.key(), 2, &stolen).await;
    assert!(matches!(same, Err(ResignError::SameKey(_))));
    let first = resign(&pipeline, fresh(), 1, &stolen).await;
    assert!(matches!(first, Err(ResignError::SameGeneration(1))));

    let resigned = resign(&pipeline, fresh(), 2, &stolen).await.unwrap();
    assert_eq!(resigned, Resigned { signed: 6, already: 0, gone: 0 });
    let repeated = resign(&pipeline, fresh(), 2, &stolen).await.unwrap();
    assert_eq!(repeated, Resigned { signed: 0, already: 6, gone: 0 });
    for build in &builds {
        check(&pipeline, build, &fresh()).await;
    }
    let unknown = resign(&pipeline, fresh(), 2, &Label::of("nobody")).await;
    assert_eq!(unknown.unwrap(), Resigned::default());

    let view = || View::open(&registry(&pipeline)).unwrap();
    eventually(seconds(20), "the registry knows the new signer", async || {
        view().signed(&of(&fingerprint(&fresh()))).unwrap().len() == 6
    })
    .await;
    let story = view().explain_id(builds[0].id, None).unwrap().builds.remove(0);
    let verdict = latest(&pipeline, &builds[0], Producer::PolicyGate).await.unwrap();
    assert_eq!(story.verdict.unwrap().bundle, Some(verdict.bundles[0].bundle));
    assert_eq!(story.events.last().unwrap().event_type, "evidence.resigned");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_theft_makes_a_third_generation_and_books_rebuild_alike() {
    let pipeline = start().await;
    let build = pipeline.submit("run-1", LOCK).await;
    pipeline.signed(&build, Producer::PolicyGate).await;
    let stolen = fingerprint(&pipeline.key());
    for generation in 2..=3 {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pem(&key.to_pem()).unwrap();
        let resigned = resign(&pipeline, again, generation, &stolen).await.unwrap();
        assert_eq!(resigned.signed, 2);
        check(&pipeline, &build, &key).await;
    }

    let view = || View::open(&registry(&pipeline)).unwrap();
    let dump = |view: View| view.dump(&mut std::io::sink()).unwrap();
    let path = pipeline.directory.path().join("rebuilt.db");
    eventually(seconds(20), "the archive alone gives the same registry", async || {
        let progress = view().progress().unwrap();
        if progress.get("ATTESTRY_EVIDENCE_RESIGNED") != Some(&4) {
            return false;
        }
        fs::remove_file(&path).unwrap_or_default();
        journal::rebuild(&pipeline.archive, &path).await.unwrap();
        dump(View::open(&path).unwrap()) == dump(view())
    })
    .await;
}
