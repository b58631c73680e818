//! Who may open a registry, and which.

use events::BuildKind;

use super::{
    Place, dump,
    world::{Fate, World},
};
use crate::{Registry, RegistryError, View};

#[test]
fn second_writer_is_refused_until_the_first_is_gone() {
    let place = Place::new();
    let first = place.registry();

    let refused = Registry::open(&place.path()).err().expect("refused");
    assert!(matches!(refused, RegistryError::InUse(_)), "{refused}");

    drop(first);
    place.registry();
}

#[test]
fn empty_file_becomes_a_registry_and_opening_again_changes_nothing() {
    let place = Place::new();
    std::fs::write(place.path(), b"").expect("writes");
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Replayed);
    let before = dump(&place.recorded(&world.in_order()));

    assert_eq!(dump(&place.registry()), before);
}

#[test]
fn newer_registry_is_refused_by_name() {
    let place = Place::new();
    let registry = place.registry();
    let sql = "INSERT INTO schema_version (version) VALUES (99)";
    registry.connection.execute(sql, []).expect("writes");
    drop(registry);

    for refused in [
        Registry::open(&place.path()).err().expect("refused"),
        View::open(&place.path()).err().expect("refused"),
    ] {
        let text = refused.to_string();
        assert!(text.contains("schema version 99, this release knows up to 4"), "{text}");
        assert!(text.contains("registry.db"), "{text}");
    }
}

#[test]
fn what_is_no_registry_is_refused() {
    let place = Place::new();
    let missing = View::open(&place.path()).err().expect("refused");
    assert!(matches!(missing, RegistryError::Missing(_)), "{missing}");

    std::fs::write(place.path(), b"").expect("writes");
    let unmade = View::open(&place.path()).err().expect("refused");
    assert!(matches!(unmade, RegistryError::Older { found: 0, .. }), "{unmade}");

    std::fs::write(place.path(), b"this is a text and no database at all").expect("writes");
    let text = Registry::open(&place.path()).err().expect("refused");
    assert!(matches!(text, RegistryError::Database(_)), "{text}");

    let nowhere = place.path().join("no/such/directory");
    let refused = Registry::open(&nowhere).err().expect("refused");
    assert!(matches!(refused, RegistryError::File { .. }), "{refused}");
}

#[test]
fn views_read_while_the_writer_writes_and_after_it_left() {
    let place = Place::new();
    let mut registry = place.registry();
    let views: Vec<View> = (0..4).map(|_| place.view()).collect();
    let mut world = World::default();
    world.submit("run-1", BuildKind::Pr);
    registry.record(&world.in_order()).expect("records");

    for view in &views {
        assert_eq!(view.progress().expect("answers")["ATTESTRY_BUILD_COMPLETED"], 1);
    }
    let (sequence, stored_at) =
        registry.position("ATTESTRY_BUILD_COMPLETED").expect("answers").expect("some");
    assert_eq!((sequence, stored_at), (1, world.now()));
    assert_eq!(registry.position("ATTESTRY_QUARANTINE").expect("answers"), None);
    drop((registry, views));
    assert_eq!(place.view().progress().expect("answers").len(), 1);
}

#[test]
fn every_table_of_facts_is_in_the_dump() {
    let registry = Registry::scratch().expect("opens");
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table'";
    let mut statement = registry.connection.prepare(sql).expect("prepares");
    let names = statement.query_map([], |row| row.get::<_, String>(0)).expect("answers");
    let not_dumped: Vec<String> = names
        .map(|it| it.expect("a name"))
        .filter(|it| !crate::dump::TABLES.iter().any(|(table, _)| table == it))
        .collect();
    assert_eq!(not_dumped, ["schema_version", "pending", "planned_segment"]);
}
