//! What a new advisory index touches: what has a package of which it says something else, and nothing else.

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use serde_json::json;

use super::*;

/// An index with a record for each of these packages, kept in `directory`.
fn known(directory: &Path, packages: &[&str]) -> Index {
    let sources = tempfile::tempdir().expect("temporary");
    for package in packages {
        let record = json!({
            "id": format!("PYSEC-2026-{package}"), "modified": "2026-01-01T00:00:00Z",
            "affected": [{
                "package": { "ecosystem": "PyPI", "name": package },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2" }] }],
            }],
        });
        let file = sources.path().join(format!("{package}.json"));
        fs::write(file, record.to_string()).expect("writes");
    }
    let (index, _) = Index::build(&[sources.path().to_owned()]).expect("builds");
    index.save(directory).expect("saves");
    index
}

/// What a record of another package costs, where many projects have something else.
#[derive(Debug)]
struct Cost {
    rows_changed: u64,
    /// Instructions of SQLite: several for each row that is looked at.
    instructions: u64,
    opened: usize,
}

fn cost(projects: u32) -> Cost {
    let place = Place::new();
    let advisories = place.0.path().join("advisories");
    let store = place.open().with_advisories(&advisories);
    let before = known(&advisories, &["other"]);
    for number in 0..projects {
        let slot = project(&format!("project-{number}"));
        let purls = [format!("pkg:pypi/own-{number}@1"), "pkg:pypi/other@1".to_owned()];
        let purls: Vec<&str> = purls.iter().map(String::as_str).collect();
        store
            .record(&sbom(number.into(), day(1), &slot, &purls), Some(&before), day(1))
            .expect("records");
    }
    let after = known(&advisories, &["other", "own-3"]);
    let instructions = count_instructions(&store);
    let changes = || store.connection.lock().expect("free").total_changes();
    let rows = changes();
    let arrival = Arrival { event: event(u128::MAX), time: day(2), content: Content::Advisories };
    let answer = store.record(&arrival, Some(&after), day(2)).expect("records");
    Cost {
        rows_changed: changes() - rows,
        instructions: instructions.load(Relaxed),
        opened: answer.opened.len(),
    }
}

fn count_instructions(store: &Store) -> Arc<AtomicU64> {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    let each = move || {
        counted.fetch_add(1, Relaxed);
        false
    };
    let mut connection = store.connection.lock().expect("free");
    connection.progress_handler(1, Some(each)).expect("counts");
    count
}

#[test]
fn new_record_costs_nothing_for_what_it_is_not_about() {
    let (few, many) = (cost(5), cost(200));
    assert_eq!((few.opened, many.opened), (1, 1));
    assert_eq!(many.rows_changed, few.rows_changed);
    assert!(few.instructions > 100, "{few:?}");
    // Where a row lies in its tree costs some; to look at each of the others would be 195 at least.
    assert!(many.instructions < few.instructions + 100, "{many:?} {few:?}");
}

#[test]
fn what_is_outdated_is_looked_up_in_an_index() {
    let place = Place::new();
    let store = place.open();
    let connection = store.connection.lock().expect("free");
    for sql in [
        "UPDATE inventory SET stale = 1 WHERE id IN (SELECT inventory FROM package_in WHERE package = $1)",
        read::STALE,
    ] {
        let explained = format!("EXPLAIN QUERY PLAN {sql}");
        let mut statement = connection.prepare(&explained).expect("prepares");
        let count = statement.parameter_count();
        let rows = statement
            .query_map(rusqlite::params_from_iter(vec!["x"; count]), |row| row.get::<_, String>(3))
            .expect("explains");
        let plan: Vec<String> = rows.map(|row| row.expect("reads")).collect();
        let scans =
            plan.iter().filter(|it| it.starts_with("SCAN") && !it.contains("inventory_stale"));
        assert_eq!(scans.count(), 0, "{sql}: {plan:?}");
    }
}
