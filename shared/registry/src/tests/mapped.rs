//! Submissions and the mapper's work: everything that entered is at exactly one place.

use events::{
    BacklogMapped, BuildKind,
    DecisionResult::{Accepted, Rejected},
    Digest, DocumentSubmitted, Ended, EvidenceSigned, VerdictResult, stage_stream,
};

use super::{
    Place,
    accounting::all_settled,
    at,
    world::{Fate, World, decided, decision, of, signed, supplier},
};
use crate::{Reconciliation, Settled, SubmissionAccount};

fn reconciled(world: &World, settled: &[Settled]) -> Reconciliation {
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    place.view().reconcile(settled).expect("reconciles")
}

fn registered(world: &World) -> usize {
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());
    place.view().supplier_documents(None).expect("answers").len()
}

#[test]
fn every_submission_is_at_one_place() {
    let (mut world, acme) = (World::default(), supplier("acme"));
    world.supply(&acme, "accepted", of("a", "sbom"), Accepted);
    world.supply(&acme, "rejected", of("b", "sbom"), Rejected);
    world.drop_document(&acme, "waits", of("c", "sbom"));
    for (name, ended) in [("quarantined", None), ("dropped", Some(Ended::Dropped))] {
        world.drop_document(&acme, name, of(name, "sbom"));
        let position = world.last(&stage_stream::<DocumentSubmitted>());
        let entry = world.set_aside("supplier-ingest", &position);
        if let Some(ended) = ended {
            world.end(&entry, ended);
        }
    }
    let account = reconciled(&world, &[]);
    let expected = SubmissionAccount {
        entered: 5,
        accepted: 1,
        rejected: 1,
        quarantined: 1,
        dropped: 1,
        in_progress: 1,
        unaccounted: 0,
    };
    assert_eq!((account.submissions, account.unaccounted_events), (expected, 0));

    let forgotten = reconciled(&world, &all_settled(&world));

    assert_eq!((forgotten.submissions.unaccounted, forgotten.unaccounted_events), (1, 1));
    assert_eq!(
        forgotten.unaccounted[0].last_seen,
        "acknowledged by supplier-ingest at ATTESTRY_DOCUMENT_SUBMITTED-3; no evidence.ready followed"
    );
}

#[test]
fn event_that_the_mapper_swallowed_is_named_wherever_it_came_from() {
    let swallowed = "acknowledged by backlog-mapper at ATTESTRY_EVIDENCE_SIGNED-";
    let mut build = World::default();
    build.live("run-1", BuildKind::Pr, Fate::Answered(VerdictResult::Passed));
    build.streams.remove(&stage_stream::<BacklogMapped>());
    let mut document = World::default();
    let submitted = document.drop_document(&supplier("acme"), "s-1", Digest::of(b"sbom"));
    document.decide(&submitted, Accepted);
    let mut update = World::default();
    update.update(Digest::of(b"index"));
    for (world, stage, expected) in [
        (build, 5, format!("{swallowed}2; no backlog.mapped followed")),
        (document, 5, format!("{swallowed}1; no backlog.mapped followed")),
        (
            update,
            6,
            "acknowledged by backlog-mapper at ATTESTRY_ADVISORIES_UPDATED-1; no backlog.mapped followed"
                .to_owned(),
        ),
    ] {
        assert_eq!(reconciled(&world, &[]).unaccounted_events, 0, "{expected}");
        let account = reconciled(&world, &all_settled(&world));
        assert_eq!(account.unaccounted_events, 1, "{expected}");
        assert_eq!(account.unaccounted[0].last_seen, expected);
        assert_eq!(account.stages[stage].unaccounted, 1, "{expected}");
        // Whoever was answered was answered.
        assert_eq!((account.builds.unaccounted, account.submissions.unaccounted), (0, 0));
    }
}

#[test]
fn worker_that_never_came_is_named_and_what_waits_for_it_is_not_lost() {
    let mut world = World::default();
    for run in ["run-1", "run-2"] {
        world.live(run, BuildKind::Pr, Fate::Answered(VerdictResult::Passed));
    }
    world.streams.remove(&stage_stream::<BacklogMapped>());
    let without: Vec<Settled> =
        all_settled(&world).into_iter().filter(|it| it.worker != "backlog-mapper").collect();

    let account = reconciled(&world, &without);

    assert_eq!((account.unaccounted_events, account.stages[5].in_progress), (0, 2));
    assert_eq!(account.builds.passed, 2);
    let [absent] = account.absent.as_slice() else { panic!("{:?}", account.absent) };
    assert_eq!((absent.worker.as_str(), absent.waiting), ("backlog-mapper", 2));
    assert_eq!(absent.stream, stage_stream::<EvidenceSigned>());
    assert_eq!(absent.oldest, at(5));
    // A mapper that came and acknowledged nothing yet is there.
    let slow = all_settled(&world).into_iter().map(|it| Settled { floor: 0, ..it });
    let account = reconciled(&world, &slow.collect::<Vec<_>>());
    assert_eq!((account.absent.len(), account.stages[5].in_progress), (0, 2));
}

#[test]
fn entry_of_a_worker_that_only_delivers_leaves_the_accounts_as_they_are() {
    let (mut world, acme) = (World::default(), supplier("acme"));
    world.supply(&acme, "s-1", Digest::of(b"sbom"), Accepted);
    let submitted = world.drop_document(&acme, "s-2", Digest::of(b"other"));
    world.decide(&submitted, Accepted);
    let position = world.last(&stage_stream::<EvidenceSigned>());
    let before = reconciled(&world, &[]);
    world.set_aside("supplier-ingest", &position);

    let after = reconciled(&world, &[]);

    assert_eq!(after.stages, before.stages);
    assert_eq!((after.submissions, after.unaccounted_events), (before.submissions, 0));
}

#[test]
fn decision_about_another_submission_is_a_conflict_and_registers_nothing() {
    let (mut world, acme) = (World::default(), supplier("acme"));
    let mine = world.drop_document(&acme, "s-1", Digest::of(b"mine"));
    let other = world.drop_document(&supplier("globex"), "s-1", Digest::of(b"other"));
    world.receipt(&mine, decision(&other, Accepted, at(5)));

    let account = reconciled(&world, &[]);

    assert!(account.conflicts > 0);
    assert_eq!((account.submissions.accepted, registered(&world)), (0, 0));
    assert_eq!(account.submissions.in_progress, 2);
}

#[test]
fn accepted_document_without_a_digest_is_a_conflict() {
    let (mut world, acme) = (World::default(), supplier("acme"));
    let submitted = world.drop_document(&acme, "s-1", Digest::of(b"sbom"));
    let nothing = events::Decision { document: None, ..decision(&submitted, Accepted, at(5)) };
    world.receipt(&submitted, nothing);

    let account = reconciled(&world, &[]);

    assert_eq!((account.conflicts, account.submissions.accepted), (1, 1));
    assert_eq!(registered(&world), 0);
}

#[test]
fn decision_of_a_producer_that_decides_nothing_is_not_believed() {
    let (mut world, acme) = (World::default(), supplier("acme"));
    let submitted = world.drop_document(&acme, "s-1", Digest::of(b"sbom"));
    let mut evidence = decided(decision(&submitted, Accepted, at(5)));
    evidence.producer = events::Producer::Generator;
    let ready = world.caused(&submitted, "generator", evidence);
    world.caused(&ready, "signer", signed(&ready.data));

    assert_eq!(registered(&world), 0);
    assert_eq!(reconciled(&world, &[]).submissions.in_progress, 1);
}
