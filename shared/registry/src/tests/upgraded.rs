//! A registry that an older release made.

use events::{
    BuildCompleted, BuildKind, Decision,
    DecisionResult::{Accepted, Rejected},
    VerdictResult, stage_stream,
};

use super::{
    Place, dump,
    world::{Fate, World, build, decision, of, supplier},
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

/// What the release before the scorecard would have had in its place.
fn downgrade_to_3(registry: &Registry) {
    let mut sql = "
        DROP INDEX decision_by_sender;
        DROP INDEX supplier_document_by_ingestion;
        DROP INDEX submission_by_sender;
        DELETE FROM schema_version WHERE version >= 4;"
        .to_owned();
    for table in ["decision", "supplier_document"] {
        for column in ["product", "format", "made_at", "signer", "grade"] {
            sql.push_str(&format!("ALTER TABLE {table} DROP COLUMN {column};"));
        }
    }
    registry.connection.execute_batch(&sql).expect("downgrades");
}

#[test]
fn registry_from_before_the_scorecard_becomes_what_this_one_would_have_made() {
    let (mut world, acme) = (World::default(), supplier("acme"));
    for (number, result) in [(1, Accepted), (2, Rejected)] {
        let document = of("widget", &number.to_string());
        let submitted = world.drop_document(&acme, &format!("s-{number}"), document);
        let told = decision(&submitted, result, world.now());
        // As that release decided.
        let (product, format, made_at, signer, grade) = (None, None, None, None, None);
        world.receipt(&submitted, Decision { product, format, made_at, signer, grade, ..told });
    }
    let place = Place::new();
    let registry = place.recorded(&world.in_order());
    let expected = dump(&registry);
    downgrade_to_3(&registry);
    drop(registry);

    assert_eq!(dump(&place.registry()), expected);
    let acme = "acme".parse().expect("valid");
    let card = place.view().scorecard(&acme, None).expect("answers").expect("known");
    assert_eq!((card.summary.accepted, card.summary.rejected), (1, 1));
    assert_eq!((card.grades, card.products.len()), (vec![], 1));
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
