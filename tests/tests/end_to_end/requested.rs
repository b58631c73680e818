//! Verdicts that are asked for again, at the handler.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use events::{
    Envelope, EvidenceReady, Label, Listing, Priority, Producer, RequestReason, VerdictRequested,
    VerdictResult,
};
use jiff::Timestamp;
use policy_gate::{again::JudgedAgain, promoted::Promoted};
use uuid::Uuid;
use worker::{HandleError, Handler};

use crate::pipeline::{LOCK, Pipeline};

fn request(build: Uuid, data: VerdictRequested) -> Envelope<VerdictRequested> {
    let data = VerdictRequested { build, ..data };
    let scope = data.project.clone();
    Envelope::root(Label::of("/test"), Timestamp::UNIX_EPOCH, Priority::Pr, scope, data)
}

#[tokio::test(flavor = "multi_thread")]
async fn request_that_is_handled_twice_has_one_verdict_by_what_the_gate_noted() {
    let mut pipeline = Pipeline::start().await;
    pipeline.run_all().await;
    let build = pipeline.submit_release("run-1", LOCK).await;
    let passed = pipeline.signed(&build, Producer::PolicyGate).await.verdict.unwrap();
    assert_eq!((passed.result, passed.supersedes), (VerdictResult::Passed, None));
    let asked = VerdictRequested {
        project: build.scope.clone(),
        build: build.id,
        artifacts: build.data.artifacts.clone(),
        reason: RequestReason::Operator,
        key: Label::of("1"),
        environment: None,
    };
    let at = |second| worker::Context::new(&pipeline.bus, Timestamp::from_second(second).unwrap());
    let again = JudgedAgain(pipeline.gate());
    let handle = async |event: &Envelope<VerdictRequested>,
                        second|
           -> Result<Vec<EvidenceReady>, HandleError> {
        again.handle(event, &at(second)).await
    };

    let event = request(build.id, asked.clone());
    let first = handle(&event, 4_000_000_000).await.unwrap();
    let second = handle(&event, 4_000_000_001).await.unwrap();
    assert_eq!(first, second, "the time of a VSA is the time of the first judgement");
    let verdict = first[0].verdict.clone().unwrap();
    assert_eq!((verdict.result, verdict.supersedes), (VerdictResult::Passed, Some(build.id)));
    let promoted = Promoted::of(&pipeline.archive, &build.scope).await.unwrap().unwrap();
    assert_eq!((promoted.build, promoted.latest.story), (build.id, event.id));
    assert_eq!(promoted.before, None, "it is not compared with itself");

    // Another build, or another project's: nothing that the gate knows.
    let strange = request(Uuid::from_u128(7), asked.clone());
    let other = VerdictRequested { project: "other".parse().unwrap(), ..asked.clone() };
    let artifact =
        events::Artifact { digest: events::Digest::of(b"another"), ..asked.artifacts[0].clone() };
    let artifacts = Listing::try_from(vec![artifact]).unwrap();
    let unknown = VerdictRequested { artifacts, ..asked };
    for event in [strange, request(build.id, other), request(build.id, unknown)] {
        let refused = handle(&event, 4_000_000_002).await.unwrap_err();
        assert!(
            matches!(refused, HandleError::Permanent { code: "build-unknown", .. }),
            "{refused:?}"
        );
    }
}
