//! What a sweep may not take.

use events::{
    BuildCompleted, BuildKind, DecisionResult, Digest, Ended, VerdictResult, stage_stream,
};
use jiff::Timestamp;

use super::{
    Place,
    world::{Dice, Fate, World, build, of, policy, supplier},
};

fn needed(world: &World, digest: Digest, cutoff: Timestamp) -> bool {
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    place.view().needed(digest, cutoff).expect("answers")
}

#[test]
fn build_lives_until_its_verdict_is_older_than_the_cutoff() {
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Answered(VerdictResult::Passed));
    // An event is made a second before its stream stores it, and the mapper's comes after.
    let signed_at = world.now() - jiff::SignedDuration::from_secs(2);
    let later = signed_at + jiff::SignedDuration::from_micros(1);
    let statement = of("run-1", "policy-gate-statement");
    for digest in [
        of("run-1", "lock"),
        of("run-1", "sbom"),
        of("run-1", "report"),
        policy(),
        statement,
        Digest::of(statement.as_bytes()),
    ] {
        assert!(needed(&world, digest, signed_at), "{digest}");
        assert!(!needed(&world, digest, later), "{digest}");
    }
    assert!(!needed(&world, Digest::of(b"nobody's"), Timestamp::MIN));
}

#[test]
fn build_that_has_not_ended_lives_however_old() {
    for (fate, lives) in [(Fate::Stuck, true), (Fate::Quarantined, true), (Fate::Dropped, false)] {
        let mut world = World::default();
        world.live("run-1", BuildKind::Pr, fate);
        assert_eq!(needed(&world, of("run-1", "lock"), Timestamp::MAX), lives, "{fate:?}");
    }
}

#[test]
fn replay_wakes_a_dropped_build() {
    let mut world = World::default();
    let build = world.submit("run-1", BuildKind::Pr);
    let position = world.last(&stage_stream::<BuildCompleted>());
    let entry = world.set_aside("generator", &position);
    world.end(&entry, Ended::Dropped);
    assert!(!needed(&world, of("run-1", "lock"), Timestamp::MAX));

    world.publish(&build);

    assert!(needed(&world, of("run-1", "lock"), Timestamp::MAX));
}

#[test]
fn newest_release_that_passed_lives_however_old() {
    let (passed, failed) = (VerdictResult::Passed, VerdictResult::Failed);
    let mut world = World::default();
    world.live("old", BuildKind::Release, Fate::Answered(passed));
    world.live("newest", BuildKind::Release, Fate::Answered(passed));
    world.live("failed", BuildKind::Release, Fate::Answered(failed));
    world.live("pr", BuildKind::Pr, Fate::Answered(passed));
    // Judged long ago, and stored only now.
    let late = build("late", BuildKind::Release, Timestamp::UNIX_EPOCH);
    world.publish(&late);
    world.answer_at(&late, passed, Timestamp::UNIX_EPOCH);

    for seed in 1..=5 {
        let place = Place::new();
        let _registry = place.recorded(&world.read(&mut Dice(seed)));
        let view = place.view();
        for (run, lives) in
            [("old", false), ("newest", true), ("failed", false), ("pr", false), ("late", false)]
        {
            let needed = view.needed(of(run, "sbom"), Timestamp::MAX).expect("answers");
            assert_eq!(needed, lives, "{run}");
        }
        // What several builds share lives as long as one of them.
        assert!(view.needed(policy(), Timestamp::MAX).expect("answers"));
    }
}

#[test]
fn builds_of_a_digest_are_named_newest_first() {
    let mut world = World::default();
    let first = world.submit("run-1", BuildKind::Pr);
    let second = world.submit("run-2", BuildKind::Pr);
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());

    let builds = place.view().builds_of(super::world::artifact()).expect("answers");

    assert_eq!(builds, [second.id, first.id]);
    assert!(place.view().builds_of(Digest::of(b"x")).expect("answers").is_empty());
}

#[test]
fn submission_lives_until_its_receipt_is_older_than_the_cutoff() {
    for result in [DecisionResult::Accepted, DecisionResult::Rejected] {
        let (mut world, sbom) = (World::default(), Digest::of(b"sbom"));
        world.supply(&supplier("acme"), "s-1", sbom, result);
        let signed_at = world.now() - jiff::SignedDuration::from_secs(2);
        let later = signed_at + jiff::SignedDuration::from_micros(1);
        let receipt = of("s-1", "receipt");
        let bundle = Digest::of(receipt.as_bytes());
        for digest in [sbom, of("s-1", "signature"), receipt, bundle, policy()] {
            assert!(needed(&world, digest, signed_at), "{digest}");
            assert!(!needed(&world, digest, later), "{digest}");
        }
    }
}

#[test]
fn document_submitted_again_lives_on() {
    let (mut world, sbom) = (World::default(), Digest::of(b"sbom"));
    world.supply(&supplier("acme"), "s-1", sbom, DecisionResult::Accepted);
    let between = world.now();
    assert!(!needed(&world, sbom, between));

    world.supply(&supplier("acme"), "s-2", sbom, DecisionResult::Accepted);

    assert!(needed(&world, sbom, between));
    assert!(!needed(&world, of("s-1", "receipt"), between));
}

#[test]
fn what_awaits_the_mapper_lives_no_longer_than_anything_else() {
    let (mut world, sbom) = (World::default(), Digest::of(b"sbom"));
    let submitted = world.drop_document(&supplier("acme"), "s-1", sbom);
    assert!(needed(&world, sbom, Timestamp::MAX), "undecided");

    world.decide(&submitted, DecisionResult::Accepted);

    assert!(needed(&world, sbom, world.now()));
    assert!(!needed(&world, sbom, world.now() + jiff::SignedDuration::from_micros(1)));
}

#[test]
fn claim_on_a_decision_goes_with_its_receipt() {
    let mut world = World::default();
    let sbom = Digest::of(b"sbom");
    let submitted = world.supply(&supplier("acme"), "s-1", sbom, DecisionResult::Accepted);
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());

    let claims = place.view().claims_on(of("s-1", "receipt")).expect("answers");

    assert_eq!(claims, [format!("receipts/{}", submitted.id)]);
}
