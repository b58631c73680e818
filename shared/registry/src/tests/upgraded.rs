//! A registry that an older release made.

use events::{BuildCompleted, BuildKind, VerdictResult, stage_stream};

use super::{
    Place, dump,
    world::{Fate, World, build},
};
use crate::Registry;

/// What the first release would have had in its place.
fn downgrade(registry: &Registry) {
    let sql = "
        DROP TABLE submission;
        DROP TABLE decision;
        DROP TABLE supplier_document;
        DROP TABLE advisory_index;
        DROP TABLE mapping;
        DROP TABLE mapped_entry;
        DELETE FROM unfinished WHERE worker = 'backlog-mapper';
        DELETE FROM tally WHERE name = 'entered-evidence.signed-backlog-mapper';
        UPDATE tally SET name = 'entered-generator' WHERE name = 'entered-build.completed-generator';
        UPDATE tally SET name = 'entered-signer' WHERE name = 'entered-evidence.ready-signer';
        UPDATE tally SET name = 'entered-policy-gate'
            WHERE name = 'entered-evidence.signed-policy-gate';
        DROP INDEX bundle_by_signer;
        DELETE FROM schema_version WHERE version >= 2;";
    registry.connection.execute_batch(sql).expect("downgrades");
}

/// Messages of an installation that has no mapper yet.
fn before_the_mapper() -> World {
    let mut world = World::default();
    world.live("run-1", BuildKind::Release, Fate::Answered(VerdictResult::Passed));
    world.live("run-2", BuildKind::Pr, Fate::Answered(VerdictResult::Failed));
    world.live("run-3", BuildKind::Pr, Fate::Stuck);
    let answers = &world.streams[&stage_stream::<events::EvidenceSigned>()];
    let again = answers.last().expect("a verdict").clone();
    world.store(&again.stream, &again.subject, Default::default(), &again.payload);
    world.streams.remove(&stage_stream::<events::BacklogMapped>());
    world
}

#[test]
fn registry_of_the_first_release_becomes_what_this_one_would_have_made() {
    let place = Place::new();
    let registry = place.recorded(&before_the_mapper().in_order());
    let expected = dump(&registry);
    downgrade(&registry);
    drop(registry);

    assert_eq!(dump(&place.registry()), expected);
    assert!(expected.contains("entered-evidence.signed-backlog-mapper"));
}

#[test]
fn empty_registry_of_the_first_release_stays_empty() {
    let place = Place::new();
    let registry = place.registry();
    let expected = dump(&registry);
    downgrade(&registry);
    drop(registry);

    assert_eq!(dump(&place.registry()), expected);
}

#[test]
fn registry_goes_on_from_where_the_first_release_left_it() {
    let mut world = before_the_mapper();
    let (place, other) = (Place::new(), Place::new());
    let registry = place.recorded(&world.in_order());
    downgrade(&registry);
    drop(registry);
    let build = build("run-4", BuildKind::Pr, world.now());
    world.publish(&build);
    world.answer(&build, VerdictResult::Passed);
    assert_eq!(world.last(&stage_stream::<BuildCompleted>()).sequence, 4);

    let records = world.in_order();

    assert_eq!(dump(&place.recorded(&records)), dump(&other.recorded(&records)));
}
