//! The story that `explain` tells, now and as of then.

use events::{BuildCompleted, BuildKind, Digest, Ended, VerdictResult, stage_stream};

use super::{
    Place,
    world::{Dice, Fate, World, artifact, of, policy},
};
use crate::{
    Explanation,
    story::{Found, State},
};

fn explained(world: &World, digest: Digest) -> Explanation {
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    place.view().explain(digest, None).expect("explains")
}

#[test]
fn story_names_everything_from_submission_to_signed_verdict() {
    let mut world = World::default();
    world.live("run-1", BuildKind::Release, Fate::Replayed);
    let story = explained(&world, artifact());

    assert_eq!(story.found_as, [Found::Artifact { name: "dist/hotpass.whl".to_owned() }]);
    let [build] = story.builds.as_slice() else { panic!("{story:?}") };
    assert_eq!(build.state, State::Passed);
    let submitted = build.submitted.as_ref().expect("submitted");
    assert_eq!((submitted.project.as_str(), submitted.kind.as_str()), ("acme/hotpass", "release"));
    assert_eq!(submitted.source.as_ref().expect("a source").commit, Some("a".repeat(40)));
    let events: Vec<_> = build
        .events
        .iter()
        .map(|it| (it.event_type.as_str(), it.producer.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        events,
        [
            ("build.completed", ""),
            ("evidence.ready", "generator"),
            ("evidence.signed", "generator"),
            ("evidence.ready", "policy-gate"),
            ("evidence.signed", "policy-gate"),
            ("backlog.mapped", ""),
        ]
    );
    let mapped = build.mapped.as_ref().expect("mapped");
    assert_eq!((mapped.findings, mapped.suppressed), (2, 1));
    assert_eq!(
        (mapped.opened.join(" "), mapped.closed.join(" ")),
        ("B-1 B-2".into(), "B-0".into())
    );
    for pair in build.events.windows(2) {
        assert_eq!(pair[1].cause, Some(pair[0].id));
    }
    let replay = &build.events[0].repeats[0];
    assert_eq!((replay.replay_of, replay.same, replay.position.sequence), (Some(1), true, 2));
    assert_eq!(build.inputs[0].digest, of("run-1", "lock"));
    assert_eq!(build.documents.len(), 3);
    let signer = |it: &crate::story::Statement| it.bundle.as_ref().and_then(|it| it.signer.clone());
    assert!(build.statements.iter().all(|it| signer(it).as_deref() == Some("sha256:key")));
    let verdict = build.verdict.as_ref().expect("a verdict");
    assert_eq!((verdict.result, verdict.policy), (VerdictResult::Passed, policy()));
    assert!(verdict.signed_at > Some(verdict.time));
    assert_eq!(verdict.bundle, build.statements[1].bundle.as_ref().map(|it| it.digest));
    let entry = &build.quarantine[0];
    assert_eq!(entry.ended.as_ref().map(|it| it.how), Some(Ended::Replayed));
    let attempt = &build.attempts[0];
    assert_eq!((attempt.failed_max, attempt.reason.as_str()), (1, "attempt 1 failed"));

    let json = serde_json::to_string(&story).expect("encodes");
    assert_eq!(serde_json::from_str::<Explanation>(&json).expect("decodes"), story);
}

#[test]
fn every_digest_of_a_build_leads_to_it() {
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Answered(VerdictResult::Failed));
    let statement = of("run-1", "generator-statement");
    for (digest, kind) in [
        (artifact(), "artifact"),
        (of("run-1", "lock"), "input"),
        (of("run-1", "sbom"), "document"),
        (of("run-1", "report"), "document"),
        (policy(), "document"),
        (statement, "statement"),
        (Digest::of(statement.as_bytes()), "bundle"),
    ] {
        let story = explained(&world, digest);
        assert_eq!(story.builds.len(), 1, "{kind}");
        assert_eq!(story.builds[0].state, State::Failed);
        let found = serde_json::to_value(&story.found_as[0]).expect("encodes");
        assert_eq!(found["as"], kind);
    }
    let unknown = explained(&world, Digest::of(b"nobody"));
    assert!(unknown.builds.is_empty() && unknown.found_as.is_empty());
}

#[test]
fn build_is_found_by_its_id_and_by_its_events() {
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Replayed);
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    let view = place.view();
    let build = view.explain(artifact(), None).expect("explains").builds.remove(0);

    for id in build.events.iter().map(|it| it.id) {
        assert_eq!(view.explain_id(id, None).expect("explains").builds, vec![build.clone()]);
    }
    let unknown = view.explain_id(uuid::Uuid::nil(), None).expect("explains");
    assert!(unknown.builds.is_empty());
}

#[test]
fn as_of_shows_what_was_known_then_and_nothing_later() {
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Replayed);
    let records = world.in_order();
    let (place, mut dice) = (Place::new(), Dice(11));
    // Whatever the order in which the streams were read.
    let _registry = place.recorded(&world.read(&mut dice));
    let view = place.view();
    let mut states = Vec::new();
    for known in 0..=records.len() {
        let then = super::at(known as i64);
        let past = Place::new();
        let _registry = past.recorded(&records[..known]);
        let expected = past.view().explain(artifact(), None).expect("explains");
        let found = view.explain(artifact(), Some(then)).expect("explains");
        assert_eq!(found.builds, expected.builds, "after {known} messages");
        assert_eq!(found.found_as, expected.found_as);
        states.extend(found.builds.first().map(|it| it.state));
    }
    states.dedup();
    let expected = [State::InProgress, State::Quarantined, State::InProgress, State::Passed];
    assert_eq!(states, expected);
}

#[test]
fn message_that_contradicts_its_event_is_told_apart_from_one_that_repeats_it() {
    let mut world = World::default();
    let mut build = world.submit("run-1", BuildKind::Pr);
    world.publish(&build);
    build.data.version = Some(events::Label::of("6.6.6"));
    world.publish(&build);
    let story = explained(&world, artifact());

    let same: Vec<bool> = story.builds[0].events[0].repeats.iter().map(|it| it.same).collect();
    assert_eq!(same, [true, false]);
}

#[test]
fn states_of_builds_that_ended_otherwise() {
    for (fate, state) in [
        (Fate::Quarantined, State::Quarantined),
        (Fate::Dropped, State::Dropped),
        (Fate::Stuck, State::InProgress),
        (Fate::Answered(VerdictResult::Failed), State::Failed),
    ] {
        let mut world = World::default();
        world.live("run-1", BuildKind::Pr, fate);
        assert_eq!(explained(&world, artifact()).builds[0].state, state, "{fate:?}");
    }
}

#[test]
fn artifact_of_a_thousand_builds_shows_the_newest_and_counts_the_others() {
    let mut world = World::default();
    for number in 0..1000 {
        world.submit(&format!("run-{number}"), BuildKind::Pr);
    }
    let story = explained(&world, artifact());

    assert_eq!((story.builds.len(), story.more_builds), (20, 980));
    assert_eq!(story.found_as.len(), 1);
    let runs = story.builds.iter().map(|it| it.submitted.as_ref().expect("submitted").run.clone());
    let expected: Vec<String> = (980..1000).rev().map(|it| format!("run-{it}")).collect();
    assert_eq!(runs.collect::<Vec<_>>(), expected);
}

#[test]
fn attempt_that_was_taken_back_is_still_told() {
    let mut world = World::default();
    world.submit("run-1", BuildKind::Pr);
    let position = world.last(&stage_stream::<BuildCompleted>());
    world.fail("generator", &position, 2);
    world.fail("generator", &position, 1);
    world.fail("signer", &position, 0);
    let build = explained(&world, artifact()).builds.remove(0);

    let [attempt] = build.attempts.as_slice() else { panic!("{:?}", build.attempts) };
    assert_eq!((attempt.failed, attempt.failed_max), (1, 2));
    assert_eq!(attempt.time, world.now() - jiff::SignedDuration::from_secs(1));
}
