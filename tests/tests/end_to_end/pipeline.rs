//! The three services of a verdict over a real broker and a real archive.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail their test")]

use std::{fs, time::Duration};

use archive::{Archive, Class, Entry};
use attestation::{
    Predicate, Provenance, SigningKey, Statement, Subject, VerificationSummary,
    predicate::verification_summary::{Policy, VerificationResult, Verifier},
};
use bus::Bus;
use e2e_tests::{Broker, Workers, build, eventually, quarantined, seconds};
use events::{
    BuildCompleted, BuildKind, Digest, Envelope, Event, EvidenceReady, EvidenceSigned, Input,
    Label, Priority, Producer, Role, StatementRef, Uri, VerdictResult,
};
use generator::Generator;
use jiff::Timestamp;
use policy::Report;
use policy_gate::{GateArgs, PolicyGate};
use signer::{Signer, SigningIdentity};
use tempfile::TempDir;
use worker::Handler;

pub(super) const LOCK: &str =
    include_str!("../../../shared/documents/fixtures/lockfiles/hotpass.uv.lock");

/// A broker, an archive, a key, and the services that a test starts on them.
pub(super) struct Pipeline {
    pub(super) broker: Broker,
    pub(super) bus: Bus,
    pub(super) archive: Archive,
    pub(super) directory: TempDir,
    pub(super) workers: Workers,
}

impl Pipeline {
    pub(super) async fn start() -> Self {
        let broker = Broker::start().await;
        let bus = broker.bus().await;
        let directory = tempfile::tempdir().unwrap();
        let archive = Archive::open(directory.path().join("archive").to_str().unwrap()).unwrap();
        Self { broker, bus, archive, directory, workers: Workers::default() }
    }

    pub(super) fn key(&self) -> SigningKey {
        signer::load_or_make(&self.directory.path().join("key.pem")).unwrap()
    }

    pub(super) fn gate(&self) -> PolicyGate {
        let public = self.directory.path().join("trusted.pub");
        fs::write(&public, self.key().public_key().to_pem()).unwrap();
        let args =
            GateArgs { trusted_key: vec![public], policy_timeout: 30, ..GateArgs::default() };
        PolicyGate::new(self.archive.clone(), args.load().unwrap())
    }

    pub(super) fn signer(&self) -> Signer {
        Signer::new(self.archive.clone(), SigningIdentity::of_key(self.key()), 1)
    }

    pub(super) async fn run<H: Handler>(&mut self, handler: H) {
        self.workers.run(&self.broker, handler).await;
    }

    pub(super) async fn run_all(&mut self) {
        self.run(Generator::new(self.archive.clone())).await;
        self.run(self.signer()).await;
        self.run(self.gate()).await;
    }

    /// Publishes a build with the lockfile `lock`, uploaded first.
    pub(super) async fn submit(&self, run: &str, lock: &str) -> Envelope<BuildCompleted> {
        self.submit_with(run, &[("uv.lock", lock)], &[]).await
    }

    /// As [`Self::submit`], to be released.
    pub(super) async fn submit_release(&self, run: &str, lock: &str) -> Envelope<BuildCompleted> {
        let (mut event, bytes) = (build(run), lock.to_owned().into());
        event.data.kind = BuildKind::Release;
        let digest = Digest::of(lock.as_bytes());
        let chunks = self.bus.upload(&event.scope, digest, &bytes).await.unwrap();
        let path = "uv.lock".parse().unwrap();
        let input = Input { path, digest, size: lock.len() as u64, chunks };
        event.data.inputs = vec![input].try_into().unwrap();
        let Envelope { time, scope, data, .. } = event;
        let event = Envelope::root(Label::of("/ci"), time, Priority::Release, scope, data);
        self.bus.publish(&event, None).await.unwrap();
        event
    }

    /// Publishes a build with these inputs and these SBOMs of its own, uploaded first.
    async fn submit_with(
        &self,
        run: &str,
        inputs: &[(&str, &str)],
        sboms: &[(&str, &str)],
    ) -> Envelope<BuildCompleted> {
        let event = build(run);
        let mut uploaded = Vec::new();
        for (path, text) in inputs.iter().chain(sboms) {
            let digest = Digest::of(text.as_bytes());
            let bytes = (*text).to_owned().into();
            let chunks = self.bus.upload(&event.scope, digest, &bytes).await.unwrap();
            let path = path.parse().unwrap();
            uploaded.push(Input { path, digest, size: text.len() as u64, chunks });
        }
        let sboms = uploaded.split_off(inputs.len()).try_into().unwrap();
        let data = BuildCompleted { inputs: uploaded.try_into().unwrap(), sboms, ..event.data };
        let event = Envelope::root(Label::of("/ci"), event.time, event.priority, event.scope, data);
        self.bus.publish(&event, Some(TRACEPARENT)).await.unwrap();
        event
    }

    pub(super) async fn signed(
        &self,
        build: &Envelope<BuildCompleted>,
        by: Producer,
    ) -> EvidenceSigned {
        let waited = self.bus.wait_for::<EvidenceSigned>(&build.scope, Some(by), build.id);
        let answer = tokio::time::timeout(seconds(30), waited).await.expect("within 30 s");
        answer.unwrap().expect("not quarantined").data
    }

    pub(super) async fn report(&self, verdict: &EvidenceSigned) -> Report {
        let digest = verdict.verdict.as_ref().unwrap().report;
        serde_json::from_slice(&self.archive.get(digest, 1 << 20).await.unwrap()).unwrap()
    }

    async fn publish<E: Event>(&self, build: &Envelope<BuildCompleted>, data: E) -> Envelope<E> {
        let event = build.caused(Label::of("/test"), Timestamp::UNIX_EPOCH, data);
        self.bus.publish(&event, None).await.unwrap();
        event
    }
}

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test(flavor = "multi_thread")]
async fn build_gets_a_signed_verdict_and_every_document_is_in_the_archive() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run_all().await;

    let build = pipeline.submit("run-1", LOCK).await;

    let verdict = pipeline.signed(&build, Producer::PolicyGate).await;
    let report = pipeline.report(&verdict).await;
    assert_eq!(verdict.verdict.as_ref().unwrap().result, VerdictResult::Passed, "{report:?}");
    let evidence = pipeline.signed(&build, Producer::Generator).await;
    for document in evidence.documents.iter().chain(&verdict.documents) {
        let bytes = pipeline.archive.get(document.digest, 1 << 26).await.unwrap();
        assert_eq!(bytes.len() as u64, document.size, "{}", document.name);
    }
    let sbom = evidence.documents.iter().find(|it| it.role == Role::Sbom).unwrap();
    let sbom = pipeline.archive.get(sbom.digest, 1 << 26).await.unwrap();
    let sbom: serde_json::Value = serde_json::from_slice(&sbom).unwrap();
    let packages = LOCK.matches("[[package]]").count();
    // The project itself is the root component.
    assert_eq!(sbom["components"].as_array().unwrap().len(), packages - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn same_build_makes_the_same_evidence_bytes() {
    let mut digests = Vec::new();
    for _ in 0..2 {
        let mut pipeline = Pipeline::start().await;
        pipeline.run_all().await;
        let build = pipeline.submit("run-1", LOCK).await;
        let evidence = pipeline.signed(&build, Producer::Generator).await;
        digests.push(evidence.documents);
    }
    assert_eq!(digests[0], digests[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn trace_of_the_build_goes_through_every_stage() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run_all().await;
    let build = pipeline.submit("run-1", LOCK).await;
    pipeline.signed(&build, Producer::PolicyGate).await;

    let raw = pipeline.broker.raw().await;
    for stream in ["ATTESTRY_EVIDENCE_READY", "ATTESTRY_EVIDENCE_SIGNED"] {
        let stream = raw.get_stream(stream).await.unwrap();
        for sequence in 1..=2 {
            let message = stream.get_raw_message(sequence).await.unwrap();
            let trace = message.headers.get("traceparent").unwrap().as_str();
            assert!(trace.contains("0af7651916cd43dd8448eb211c80319c"), "{trace}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_signers_that_sign_at_once_store_one_bundle() {
    let mut pipeline = Pipeline::start().await;
    let build = build("run-1");
    let statement = statement_of(&build);
    let ready = ready(&pipeline, &build, Producer::Generator, &statement, Provenance::TYPE).await;
    let context = worker::Context::new(&pipeline.bus, Timestamp::UNIX_EPOCH);
    let (first, second) = (pipeline.signer(), pipeline.signer());
    let event = pipeline.publish(&build, ready).await;

    let (first, second) =
        tokio::join!(first.handle(&event, &context), second.handle(&event, &context));

    assert_eq!(first.unwrap(), second.unwrap());
    // And the worker, that comes third, finds theirs.
    pipeline.run(pipeline.signer()).await;
    let signed = pipeline.signed(&build, Producer::Generator).await;
    let claim = format!("signatures/{}", Digest::of(statement.as_bytes()).hex());
    let claims = pipeline.archive.claims_below(&claim).await.unwrap();
    let claimed: Vec<Digest> = claims.iter().map(|bundle| Digest::of(bundle)).collect();
    assert_eq!(claimed, [signed.bundles[0].bundle]);
}

#[tokio::test(flavor = "multi_thread")]
async fn signer_refuses_what_the_producer_may_not_have_signed() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run(pipeline.signer()).await;
    let build = build("run-1");
    let verdict = summary_of(&build);
    // The generator asks for a verdict, openly and under another name.
    let openly =
        ready(&pipeline, &build, Producer::Generator, &verdict, VerificationSummary::TYPE).await;
    pipeline.publish(&build, openly).await;
    let other = self::build("run-2");
    let disguised = ready(&pipeline, &other, Producer::Generator, &verdict, Provenance::TYPE).await;
    pipeline.publish(&other, disguised).await;

    eventually(seconds(10), "both are in quarantine", async || {
        quarantined(&pipeline.bus).await.len() == 2
    })
    .await;

    for entry in quarantined(&pipeline.bus).await {
        assert_eq!((entry.worker.as_str(), entry.reason.as_str()), ("signer", "signer-refused"));
        assert!(entry.detail.contains("generator"), "{}", entry.detail);
    }
    assert_eq!(pipeline.archive.claims_below("bundles").await.unwrap(), Vec::<bytes::Bytes>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn signature_over_another_builds_evidence_fails_the_build() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run(Generator::new(pipeline.archive.clone())).await;
    pipeline.run(pipeline.signer()).await;
    let good = pipeline.submit("run-1", LOCK).await;
    let bad =
        pipeline.submit("run-2", &LOCK.replace("name = \"pandas\"", "name = \"pandaz\"")).await;
    let genuine = pipeline.signed(&good, Producer::Generator).await;
    let mut swapped = pipeline.signed(&bad, Producer::Generator).await;
    // The bundles are genuine, but they are about the other build's documents.
    swapped.bundles.clone_from(&genuine.bundles);
    let forged = bad.caused(Label::of("/test"), Timestamp::UNIX_EPOCH, swapped);
    let context = worker::Context::new(&pipeline.bus, Timestamp::UNIX_EPOCH);

    let judged = pipeline.gate().handle(&forged, &context).await.unwrap();

    let verdict = judged[0].verdict.clone().unwrap();
    assert_eq!(verdict.result, VerdictResult::Failed);
    let report = pipeline.archive.get(verdict.report, 1 << 20).await.unwrap();
    let report: Report = serde_json::from_slice(&report).unwrap();
    let rules: Vec<&str> = report.violations.iter().map(|it| it.id.as_str()).collect();
    // Neither the provenance nor the reference to the SBOM counts.
    let missing = rules.iter().filter(|rule| **rule == "SIG-001").count();
    assert_eq!((missing, rules.contains(&"SIG-002")), (2, true), "{rules:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn second_judgement_of_one_event_is_the_first() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run(Generator::new(pipeline.archive.clone())).await;
    pipeline.run(pipeline.signer()).await;
    let build = pipeline.submit("run-1", LOCK).await;
    let signed = pipeline.signed(&build, Producer::Generator).await;
    let event = build.caused(Label::of("/test"), Timestamp::UNIX_EPOCH, signed);
    let at = |second| worker::Context::new(&pipeline.bus, Timestamp::from_second(second).unwrap());

    let first = pipeline.gate().handle(&event, &at(1_000)).await.unwrap();
    let second = pipeline.gate().handle(&event, &at(2_000)).await.unwrap();

    assert_eq!(first, second, "the time of a VSA is the time of the first judgement");
}

#[tokio::test(flavor = "multi_thread")]
async fn lockfile_that_cannot_be_read_is_quarantined_with_its_line() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run(Generator::new(pipeline.archive.clone())).await;
    let build = pipeline.submit("run-1", &LOCK[..5_000]).await;

    let waited =
        pipeline.bus.wait_for::<EvidenceSigned>(&build.scope, Some(Producer::PolicyGate), build.id);
    let entry = tokio::time::timeout(Duration::from_secs(10), waited).await.unwrap().unwrap();

    let entry = events::Quarantined::read(&entry.unwrap_err());
    assert_eq!(entry.reason, "lockfile-unreadable");
    assert!(entry.detail.starts_with("uv.lock:"), "{}", entry.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn lockfile_that_cannot_be_read_beside_one_that_can_fails_the_build() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run_all().await;
    let inputs = [("uv.lock", LOCK), ("web/uv.lock", "version = 1\n<<<<<<< HEAD\n")];

    let build = pipeline.submit_with("run-1", &inputs, &[]).await;

    let verdict = pipeline.signed(&build, Producer::PolicyGate).await;
    let report = pipeline.report(&verdict).await;
    assert_eq!(verdict.verdict.unwrap().result, VerdictResult::Failed);
    let [denied] = report.violations.as_slice() else { panic!("{}", report.text()) };
    assert_eq!(denied.id, "SBOM-010");
    assert!(denied.message.starts_with("web/uv.lock:2: an unresolved"), "{}", denied.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn sboms_of_the_builds_own_are_kept_compared_and_judged() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run_all().await;
    let other = r#"{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [
        {"type": "library", "name": "stranger", "purl": "pkg:npm/stranger@1"}]}"#;
    let lock = [("uv.lock", LOCK)];

    let build = pipeline.submit_with("run-1", &lock, &[("syft.json", other)]).await;
    let verdict = pipeline.signed(&build, Producer::PolicyGate).await;
    let report = pipeline.report(&verdict).await;
    assert_eq!(report.result, VerdictResult::Passed, "{}", report.text());
    let warned = report.warnings.iter().find(|it| it.id == "SBOM-012").expect("a warning");
    assert!(warned.message.contains("pkg:npm/stranger"), "{}", warned.message);
    let evidence = pipeline.signed(&build, Producer::Generator).await;
    let kept = evidence.documents.iter().find(|it| it.role == Role::SuppliedSbom).unwrap();
    assert_eq!(pipeline.archive.get(kept.digest, 1 << 20).await.unwrap(), other.as_bytes());

    let build = pipeline.submit_with("run-2", &lock, &[("syft.json", "{}")]).await;
    let verdict = pipeline.signed(&build, Producer::PolicyGate).await;
    let report = pipeline.report(&verdict).await;
    let [denied] = report.violations.as_slice() else { panic!("{}", report.text()) };
    assert_eq!(denied.id, "SBOM-011");
    assert!(denied.message.contains("CycloneDX"), "{}", denied.message);
}

fn subjects(build: &Envelope<BuildCompleted>) -> Vec<Subject> {
    let subject = |it: &events::Artifact| Subject { name: None, uri: None, digest: it.digest };
    build.data.artifacts.iter().map(subject).collect()
}

fn statement_of(build: &Envelope<BuildCompleted>) -> Statement {
    use attestation::predicate::provenance::{BuildDefinition, Builder, RunDetails};
    let provenance = Provenance {
        build_definition: BuildDefinition {
            build_type: "urn:test".to_owned(),
            external_parameters: Default::default(),
            internal_parameters: Default::default(),
            resolved_dependencies: vec![],
        },
        run_details: RunDetails {
            builder: Builder {
                id: "urn:ci".to_owned(),
                version: Default::default(),
                builder_dependencies: vec![],
            },
            metadata: None,
            byproducts: vec![],
        },
    };
    Statement::new(&subjects(build), &provenance).unwrap()
}

fn summary_of(build: &Envelope<BuildCompleted>) -> Statement {
    let summary = VerificationSummary {
        verifier: Verifier { id: "urn:test".to_owned(), version: Default::default() },
        time_verified: Timestamp::UNIX_EPOCH,
        resource_uri: "urn:test".to_owned(),
        policy: Policy { uri: "urn:test".to_owned(), digest: Digest::of(b"policy") },
        input_attestations: vec![],
        verification_result: VerificationResult::Passed,
        verified_levels: vec![],
        dependency_levels: Default::default(),
        slsa_version: None,
    };
    Statement::new(&subjects(build), &summary).unwrap()
}

/// An `evidence.ready` with one statement, which is in the archive, announced as `predicate_type`.
async fn ready(
    pipeline: &Pipeline,
    build: &Envelope<BuildCompleted>,
    producer: Producer,
    statement: &Statement,
    predicate_type: &str,
) -> EvidenceReady {
    let bytes = statement.as_bytes().to_vec().into();
    let media_type = "application/vnd.in-toto+json".to_owned();
    let entry = Entry { class: Class::Statement, media_type, event_time: build.time, bytes };
    let digest = pipeline.archive.put(&[entry], build.time).await.unwrap()[0];
    EvidenceReady {
        producer,
        project: build.data.project.clone(),
        documents: vec![],
        statements: vec![StatementRef {
            digest,
            predicate_type: Uri::of(predicate_type),
            bundle_name: "bundles/test.sigstore.json".parse().unwrap(),
        }],
        verdict: None,
        decision: None,
    }
}
