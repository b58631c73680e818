//! Everything that entered is at exactly one place, however its streams were read.

use std::collections::BTreeMap;

use events::{
    AdvisoriesUpdated, BuildCompleted, BuildKind, DocumentSubmitted, Ended, EvidenceReady,
    EvidenceSigned, Priority, Producer, Record, VerdictResult, stage_stream, subject,
};

use super::{
    Place, dump,
    world::{Dice, FATES, Fate, World, eventful, ready, signed},
};
use crate::{BuildAccount, Reconciliation, Settled, StageAccount};

/// Floors at the end of every stream: each worker acknowledged everything.
pub(super) fn all_settled(world: &World) -> Vec<Settled> {
    let lanes = [
        (stage_stream::<BuildCompleted>(), "generator"),
        (stage_stream::<EvidenceReady>(), "signer"),
        (stage_stream::<EvidenceSigned>(), "policy-gate"),
        (stage_stream::<DocumentSubmitted>(), "supplier-ingest"),
        (stage_stream::<EvidenceSigned>(), "backlog-mapper"),
        (stage_stream::<AdvisoriesUpdated>(), "backlog-mapper"),
    ];
    let mut settled = Vec::new();
    for (stream, worker) in lanes {
        let floor = world.streams.get(&stream).and_then(|it| it.last()).map_or(0, |it| it.sequence);
        for priority in Priority::ALL {
            let (stream, worker) = (stream.clone(), worker.to_owned());
            settled.push(Settled { stream, worker, priority, floor });
        }
    }
    settled
}

fn reconciled(records: &[Record], settled: &[Settled]) -> Reconciliation {
    let place = Place::new();
    let _registry = place.recorded(records);
    place.view().reconcile(settled).expect("reconciles")
}

#[test]
fn any_order_of_the_streams_gives_the_same_account() {
    for seed in 1..=4 {
        let mut dice = Dice(seed);
        let world = eventful(30, &mut dice);
        let settled = all_settled(&world);
        let unfinished = |records: &[Record]| {
            let text = dump(&Place::new().recorded(records));
            let rows = text.lines().filter(|it| it.contains("\"table\":\"unfinished\""));
            rows.map(str::to_owned).collect::<Vec<_>>()
        };
        let in_order = world.in_order();
        let expected = (reconciled(&in_order, &settled), unfinished(&in_order));
        assert!(expected.0.unaccounted_events > 0, "nothing to tell apart");
        for _ in 0..6 {
            let records = world.read(&mut dice);
            assert_eq!((reconciled(&records, &settled), unfinished(&records)), expected);
        }
    }
}

#[test]
fn every_build_and_message_is_at_one_place() {
    let mut world = World::default();
    for (number, fate) in FATES.into_iter().enumerate() {
        world.live(&format!("run-{number}"), BuildKind::Pr, fate);
    }
    let account = reconciled(&world.in_order(), &[]);

    let builds = BuildAccount {
        entered: 6,
        passed: 2,
        failed: 1,
        quarantined: 1,
        dropped: 1,
        in_progress: 1,
        unaccounted: 0,
    };
    assert_eq!(account.builds, builds);
    let generator = StageAccount {
        name: "build.completed → generator".to_owned(),
        entered: 6,
        followed: 3,
        quarantined: 1,
        dropped: 1,
        in_progress: 1,
        unaccounted: 0,
    };
    assert_eq!(account.stages[0], generator);
    let stages: Vec<_> =
        account.stages.iter().map(|it| (it.name.as_str(), it.entered, it.followed)).collect();
    assert_eq!(
        stages[1..],
        [
            ("evidence.ready → signer", 6, 6),
            ("evidence.signed → policy-gate", 3, 3),
            ("verdict.requested → policy-gate", 0, 0),
            ("document.submitted → supplier-ingest", 0, 0),
            ("evidence.signed → backlog-mapper", 3, 3),
            ("advisories.updated → backlog-mapper", 0, 0),
        ]
    );
    assert_eq!(account.unaccounted_events, 0);
    assert_eq!(account.oldest_in_progress, Some(world.now()));
}

#[test]
fn event_that_was_acknowledged_and_forgotten_is_named() {
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Answered(VerdictResult::Passed));
    let forgotten = world.submit("run-2", BuildKind::Release);
    let settled = |priority, floor| {
        let stream = stage_stream::<BuildCompleted>();
        [Settled { stream, worker: "generator".to_owned(), priority, floor }]
    };

    for not_yet in [settled(Priority::Release, 1), settled(Priority::Pr, 9)] {
        let account = reconciled(&world.in_order(), &not_yet);
        assert_eq!((account.unaccounted_events, account.builds.in_progress), (0, 1));
    }
    let account = reconciled(&world.in_order(), &settled(Priority::Release, 2));

    assert_eq!((account.unaccounted_events, account.builds.unaccounted), (1, 1));
    assert_eq!(account.stages[0].unaccounted, 1);
    let [message] = account.unaccounted.as_slice() else { panic!("{:?}", account.unaccounted) };
    assert_eq!(message.event, Some(forgotten.id));
    assert_eq!(message.scope, "acme/hotpass");
    assert_eq!(
        message.last_seen,
        "acknowledged by generator at ATTESTRY_BUILD_COMPLETED-2; no evidence.ready followed"
    );
}

#[test]
fn loss_at_each_stage_is_found_there() {
    for (lost, stage, worker) in
        [(0, 0, "generator"), (1, 1, "signer"), (2, 2, "policy-gate"), (3, 1, "signer")]
    {
        let mut world = World::default();
        let build = world.submit("run-1", BuildKind::Pr);
        if lost > 0 {
            let made = world.caused(&build, "generator", ready("run-1", Producer::Generator, None));
            if lost > 1 {
                let evidence = world.caused(&made, "signer", signed(&made.data));
                if lost > 2 {
                    let judged = ready("run-1", Producer::PolicyGate, None);
                    world.caused(&evidence, "policy-gate", judged);
                }
            }
        }
        let account = reconciled(&world.in_order(), &all_settled(&world));
        assert_eq!(account.unaccounted_events, 1, "{worker}");
        assert_eq!(account.stages[stage].unaccounted, 1, "{worker}");
        assert!(account.unaccounted[0].last_seen.contains(worker), "{:?}", account.unaccounted);
        assert_eq!(account.builds.unaccounted, 1, "{worker}");
    }
}

#[test]
fn signed_answer_without_a_verdict_leaves_its_build_unaccounted() {
    let mut world = World::default();
    let build = world.submit("run-1", BuildKind::Pr);
    let made = world.caused(&build, "generator", ready("run-1", Producer::Generator, None));
    let evidence = world.caused(&made, "signer", signed(&made.data));
    let judged = world.caused(&evidence, "policy-gate", ready("run-1", Producer::PolicyGate, None));
    world.caused(&judged, "signer", signed(&judged.data));

    let account = reconciled(&world.in_order(), &all_settled(&world));

    assert_eq!(account.builds.unaccounted, 1);
    // And the mapper had it, and forgot it.
    assert_eq!(account.unaccounted_events, 1);
    assert_eq!(account.stages[5].unaccounted, 1);
}

#[test]
fn hole_in_a_stage_stream_is_a_loss_and_one_elsewhere_is_none() {
    let mut world = World::default();
    for run in 1..=6 {
        world.live(&format!("run-{run}"), BuildKind::Pr, Fate::Dropped);
    }
    let lost = |it: &Record| match it.stream.as_str() {
        "ATTESTRY_BUILD_COMPLETED" => matches!(it.sequence, 1 | 3 | 4),
        _ => it.sequence == 2,
    };
    let kept: Vec<Record> = world.in_order().into_iter().filter(|it| !lost(it)).collect();

    let account = reconciled(&kept, &all_settled(&world));

    // What lay before the first record was over before the books began.
    assert_eq!((account.missing, account.unaccounted_events), (2, 2));
    let gaps: Vec<_> = account.gaps.iter().map(|it| (it.first, it.last)).collect();
    assert_eq!(gaps, [(3, 4)]);
}

#[test]
fn other_bytes_under_a_known_id_are_a_conflict() {
    let mut world = World::default();
    let mut build = world.submit("run-1", BuildKind::Pr);
    world.publish(&build);
    build.data.version = Some(events::Label::of("6.6.6"));
    world.publish(&build);
    let records = world.in_order();

    assert_eq!(reconciled(&records[..2], &[]).conflicts, 0);
    let account = reconciled(&records, &[]);
    assert_eq!((account.conflicts, account.builds.entered), (1, 1));
    let place = Place::new();
    let text = dump(&place.recorded(&records));
    assert!(text.contains("1.2.3") && !text.contains("6.6.6"), "the first word stands");
}

#[test]
fn entry_that_left_before_anybody_read_it_is_accounted_for() {
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Dropped);
    let mut records = world.in_order();
    records.retain(|it| it.stream != "ATTESTRY_QUARANTINE" || it.sequence == 2);

    let account = reconciled(&records, &all_settled(&world));

    assert_eq!((account.builds.dropped, account.unaccounted_events), (1, 0));
}

#[test]
fn end_that_claims_another_entrys_number_ends_nothing() {
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Quarantined);
    world.submit("run-2", BuildKind::Pr);
    let other = world.last(&stage_stream::<BuildCompleted>());
    let mut entry = world.clone().set_aside("generator", &other);
    entry.id = 1;
    world.end(&entry, Ended::Dropped);
    let expected = reconciled(&world.in_order(), &all_settled(&world));
    assert_eq!(expected.unaccounted_events, 1);

    for seed in 1..=5 {
        let records = world.read(&mut Dice(seed));
        assert_eq!(reconciled(&records, &all_settled(&world)), expected);
    }
}

#[test]
fn replay_that_never_arrived_is_named() {
    let mut world = World::default();
    world.submit("run-1", BuildKind::Pr);
    let position = world.last(&stage_stream::<BuildCompleted>());
    let entry = world.set_aside("generator", &position);
    world.end(&entry, Ended::Replayed);

    let account = reconciled(&world.in_order(), &[]);

    assert_eq!((account.unaccounted_events, account.builds.unaccounted), (1, 1));
    let last_seen = &account.unaccounted[0].last_seen;
    assert_eq!(last_seen, "replayed from quarantine entry 1; the replay never arrived");
}

#[test]
fn replay_in_hand_is_in_progress_and_one_that_fails_again_lies_in_quarantine() {
    let mut world = World::default();
    world.submit("run-1", BuildKind::Pr);
    let position = world.last(&stage_stream::<BuildCompleted>());
    let entry = world.set_aside("generator", &position);
    let again = world.put_back(&entry);
    // Between putting it back and ending the entry, the event is at two places and counts at one.
    assert_eq!(reconciled(&world.in_order(), &[]).builds.in_progress, 1);
    world.end(&entry, Ended::Replayed);
    assert_eq!(reconciled(&world.in_order(), &[]).builds.in_progress, 1);

    world.set_aside("generator", &again);

    let account = reconciled(&world.in_order(), &all_settled(&world));
    assert_eq!((account.builds.quarantined, account.unaccounted_events), (1, 0));
    assert_eq!((account.stages[0].entered, account.stages[0].quarantined), (1, 1));
}

#[test]
fn message_on_no_lane_is_unaccounted_at_once() {
    let mut world = World::default();
    let subject = format!("{}.build.completed.urgent.acme.x", subject::ROOT);
    world.store(&stage_stream::<BuildCompleted>(), &subject, BTreeMap::new(), b"{}");

    let account = reconciled(&world.in_order(), &[]);

    assert_eq!(account.unaccounted_events, 1);
    assert_eq!(
        account.unaccounted[0].last_seen,
        "stored at ATTESTRY_BUILD_COMPLETED-1; no lane of generator carries it"
    );
}
