//! A store that an older release made.

use super::*;

/// What the first release would have had in its place.
const DOWNGRADE: &str = "
    DROP INDEX component_by_short_name;
    DROP INDEX component_by_cpe;
    UPDATE component SET purl = COALESCE(written, purl);
    ALTER TABLE component DROP COLUMN written;
    ALTER TABLE component DROP COLUMN cpe;
    ALTER TABLE component DROP COLUMN short_name;
    CREATE INDEX component_by_name ON component (name);
    ALTER TABLE slot DROP COLUMN current;
    ALTER TABLE vex DROP COLUMN edition;
    ALTER TABLE vex DROP COLUMN said;
    DROP INDEX inventory_stale;
    ALTER TABLE inventory DROP COLUMN stale;
    ALTER TABLE inventory ADD COLUMN matched_by BYTEA;
    CREATE INDEX inventory_by_index ON inventory (matched_by, id);
    DROP TABLE package_in;
    DROP TABLE waiver;
    DROP TABLE version;
    DROP TABLE ending;
    DROP TABLE terms;
    DROP TABLE about;
    DROP TABLE ticket;
    DROP TABLE ticket_cursor;
    DROP TABLE supplier;
    DROP TABLE refusal;
    DROP INDEX vex_by_sender;
    DROP TABLE places;
    ALTER TABLE document DROP COLUMN places;
    CREATE TABLE entry_before (
        id TEXT PRIMARY KEY,
        slot BYTEA NOT NULL,
        ecosystem TEXT NOT NULL,
        package TEXT NOT NULL,
        body TEXT NOT NULL,
        UNIQUE (slot, ecosystem, package)
    );
    INSERT INTO entry_before SELECT id, slot, ecosystem, package, body FROM entry;
    DROP TABLE entry;
    ALTER TABLE entry_before RENAME TO entry;
    DELETE FROM schema_version WHERE version >= 2;";

#[test]
fn store_of_the_first_release_becomes_what_this_one_would_have_made() {
    let place = Place::new();
    let store = place.open();
    let odd = sbom(6, day(6), &supplier("globex", "gadget"), &["pkg:PyPI/Jinja2@2.10", TORCH]);
    let answers: Vec<_> = story().iter().chain([&odd]).map(|it| record(&store, it)).collect();
    let (dump, found) = (place.dump(), place.reader().search("Jinja2", &Config::default(), None));
    let found = found.expect("searches");
    assert_eq!(found.products.len(), 4);
    store.connection.lock().expect("free").execute_batch(DOWNGRADE).expect("downgrades");
    drop(store);

    let upgraded = place.open();

    let search =
        |term: &str| place.reader().search(term, &Config::default(), None).expect("searches");
    assert_eq!(search("Jinja2"), found);
    assert_eq!(search("pkg:pypi/jinja2"), search("pkg:PyPI/JINJA2"));
    assert_eq!(search("pkg:pypi/jinja2").products, found.products);
    let again: Vec<_> = story().iter().chain([&odd]).map(|it| record(&upgraded, it)).collect();
    assert_eq!(again, answers, "what was answered stays answered");
    let refused = Arrival { event: event(7), time: day(7), content: Content::Nothing(None) };
    for arrival in story() {
        if let Content::Refused(refusal) = &arrival.content {
            upgraded.note_refusal(arrival.event, arrival.time, refusal).expect("notes");
        }
    }
    let derived = record(&upgraded, &refused);
    assert_eq!((derived.opened, derived.closed), (vec![], vec![]));
    assert_eq!(place.dump(), dump);
}

#[test]
fn store_that_kept_no_refusals_has_suppliers_and_asks_the_stream_for_the_rest() {
    let place = Place::new();
    let store = place.open();
    let says = vex(
        7,
        says(Sender::Supplier("umbra".parse().expect("valid")), day(2), "fixed", &["CVE-1"], TORCH),
    );
    story().iter().chain([&says]).for_each(|it| drop(record(&store, it)));
    store.set_refilled().expect("sets");
    let dump = place.dump();
    let suppliers = || {
        let sql = "SELECT name || ' ' || id FROM supplier ORDER BY name";
        let connection = place.reader().connection;
        let mut statement = connection.prepare(sql).expect("prepares");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("queries");
        rows.collect::<Result<Vec<_>, _>>().expect("reads")
    };
    let known = suppliers();
    assert_eq!(known.len(), 2, "{known:?}");
    let before = "DROP TABLE supplier; DROP TABLE refusal; DROP INDEX vex_by_sender;
        DELETE FROM schema_version WHERE version >= 7;";
    store.connection.lock().expect("free").execute_batch(before).expect("downgrades");
    drop(store);

    let upgraded = place.open();

    assert_eq!(suppliers(), known, "and their ids are those that they would have had");
    assert!(!upgraded.is_refilled().expect("reads"));
    assert_ne!(place.dump(), dump);
    for arrival in story() {
        if let Content::Refused(refusal) = &arrival.content {
            assert_eq!(
                upgraded.note_refusal(arrival.event, arrival.time, refusal).ok(),
                Some(true)
            );
            assert_eq!(
                upgraded.note_refusal(arrival.event, arrival.time, refusal).ok(),
                Some(false)
            );
        }
    }
    assert_eq!(place.dump(), dump);
}

#[test]
fn store_of_a_newer_release_is_refused() {
    let place = Place::new();
    let store = place.open();
    let sql = "INSERT INTO schema_version (version) VALUES (1000)";
    store.connection.lock().expect("free").execute(sql, []).expect("inserts");
    drop(store);
    let refused = Store::open(&place.path()).err().expect("refused");
    assert!(matches!(refused, StoreError::Newer { found: 1000, .. }), "{refused}");
}
