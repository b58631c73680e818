//! Whatever arrives, in whatever order, however often: the same state.

mod court;
mod lifecycle;
mod looked_for;
mod newer;
mod placed;
mod relations;
mod replay;
mod scenario;
mod touched;
mod upgraded;
mod versions;

use std::path::PathBuf;

use events::BacklogMapped;
use tempfile::TempDir;

use super::{register::dump, *};
use crate::{
    config::Config,
    testing::{
        JINJA, JINJA_FIXED, TORCH, acme, day, event, full_index, index, now, project, says, sbom,
        supplier,
    },
};

struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("temporary"))
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("below/backlog.db")
    }

    fn open(&self) -> Store {
        Store::open(&self.path()).expect("opens")
    }

    fn dump(&self) -> String {
        dump(&Reader::open(&self.path()).expect("opens"), &Config::default()).expect("dumps")
    }

    fn reader(&self) -> Reader {
        Reader::open(&self.path()).expect("opens")
    }
}

fn vex(number: u128, document: VexDocument) -> Arrival {
    Arrival { event: event(number), time: document.time, content: Content::Vex(document) }
}

fn advisories(number: u128, time: Timestamp) -> Arrival {
    Arrival { event: event(number), time, content: Content::Advisories }
}

fn refused(number: u128, time: Timestamp, supplier: &str, rule: &str) -> Arrival {
    let (supplier, rule) = (supplier.parse().expect("valid"), Some(Label::of(rule)));
    let content = Content::Refused(Refusal { supplier, document: None, rule });
    Arrival { event: event(number), time, content }
}

fn record(store: &Store, arrival: &Arrival) -> BacklogMapped {
    store.record(arrival, Some(&full_index()), now()).expect("records")
}

/// A supplier's product that is fixed, a VEX document, our own build, a refusal.
fn story() -> Vec<Arrival> {
    let widget = supplier("acme", "widget");
    vec![
        sbom(1, day(1), &widget, &[JINJA, TORCH]),
        vex(2, says(acme(), day(2), "not_affected", &["CVE-2024-7804"], TORCH)),
        sbom(3, day(3), &widget, &[JINJA_FIXED, TORCH]),
        sbom(4, day(2), &project("hotpass"), &[JINJA]),
        refused(5, day(4), "acme", "SUP-003"),
    ]
}

fn permutations(items: &[Arrival]) -> Vec<Vec<Arrival>> {
    let Some((last, others)) = items.split_last() else { return vec![vec![]] };
    let mut all = Vec::new();
    for shorter in permutations(others) {
        for place in 0..=shorter.len() {
            let mut longer = shorter.clone();
            longer.insert(place, last.clone());
            all.push(longer);
        }
    }
    all
}

#[test]
fn order_of_events_makes_no_difference() {
    let expected = {
        let (place, index) = (Place::new(), full_index());
        let store = place.open();
        for arrival in story() {
            store.record(&arrival, Some(&index), now()).expect("records");
        }
        place.dump()
    };
    let index = full_index();
    let orders = permutations(&story());
    assert_eq!(orders.len(), 120);
    // One in seven meets every event in every place, and takes a second.
    for order in orders.into_iter().step_by(7) {
        let place = Place::new();
        let store = place.open();
        let events: Vec<_> = order.iter().map(|it| it.event.as_u128()).collect();
        let first: Vec<_> = order
            .iter()
            .map(|it| store.record(it, Some(&index), now()).expect("records"))
            .collect();
        assert_eq!(place.dump(), expected, "{events:?}");
        let again: Vec<_> = order
            .iter()
            .map(|it| store.record(it, Some(&index), now()).expect("records"))
            .collect();
        assert_eq!(first, again, "{events:?}");
        assert_eq!(place.dump(), expected, "{events:?}, again");
    }
}

#[test]
fn answer_counts_findings_and_names_what_moved() {
    let place = Place::new();
    let store = place.open();
    let answers: Vec<_> = story().iter().map(|it| record(&store, it)).collect();
    let told: Vec<_> = answers
        .iter()
        .map(|it| (it.findings, it.suppressed, it.opened.len(), it.closed.len()))
        .collect();
    assert_eq!(told, [(5, 0, 2, 0), (0, 1, 0, 0), (2, 1, 0, 1), (2, 0, 1, 0), (0, 0, 0, 0)]);
    assert!(answers[0].opened.contains(&answers[2].closed[0]));
    assert_eq!(answers[0].advisories, Some(full_index().digest()));
}

#[test]
fn ids_are_the_scope_and_as_many_digits_as_it_takes() {
    let place = Place::new();
    let store = place.open();
    let mut ids = Vec::new();
    for (number, scope) in (1..).zip(["hotpass", "IAmJonoBo/Hotpass", "日本", "-"]) {
        let answer = record(&store, &sbom(number, day(1), &project(scope), &[JINJA]));
        ids.push(answer.opened[0].to_string());
    }
    let prefixes: Vec<_> = ids.iter().map(|id| id.rsplit_once('-').expect("two").0).collect();
    assert_eq!(prefixes, ["HOTPASS", "IAMJONOBO-HOTPASS", "SCOPE", "SCOPE"]);
    assert!(ids.iter().all(|id| id.len() - id.rfind('-').expect("one") == 7), "{ids:?}");
    let register = place.reader().register(&Config::default(), None, now()).expect("reads");
    assert!(register.risks.iter().all(|risk| risk.id.len() == 6), "{:?}", register.risks);
    let typed = ids[0].to_lowercase();
    let shown =
        place.reader().entry(&typed, &Config::default(), None).expect("reads").expect("known");
    assert_eq!(shown.id, ids[0]);
}

#[test]
fn id_that_is_taken_gets_more_digits_and_keeps_them() {
    let place = Place::new();
    let store = place.open();
    let slot = project("x");
    let action = crate::entry::Action {
        ecosystem: advisories::Ecosystem::PyPi,
        package: "jinja2".into(),
        lock: None,
    };
    let hex = crate::entry::fingerprint(&slot, &action).hex();
    let other = Hash(Digest::of(b"another slot"));
    let connection = store.connection.lock().expect("free");
    let body = "{}";
    let sql = "INSERT INTO entry (id, slot, ecosystem, package, lock, body) VALUES ($1, $2, 'npm', 'y', '', $3)";
    connection.execute(sql, params![format!("X-{}", &hex[..6]), other, body]).expect("inserts");
    drop(connection);
    let answer = record(&store, &sbom(1, day(1), &slot, &[JINJA]));
    assert_eq!(answer.opened[0].as_str(), format!("X-{}", &hex[..7]));
    record(&store, &sbom(2, day(2), &slot, &[]));
    let back = record(&store, &sbom(3, day(3), &slot, &[JINJA]));
    assert_eq!(back.opened, answer.opened);
}

#[test]
fn new_index_is_held_against_everything_that_is_there() {
    let place = Place::new();
    let store = place.open();
    let first = sbom(1, day(1), &project("hotpass"), &[JINJA, TORCH]);
    let unknown = store.record(&first, None, now()).expect("records");
    assert_eq!((unknown.findings, unknown.advisories), (0, None));
    let some =
        store.record(&advisories(2, day(2)), Some(&index(&["PYSEC"])), now()).expect("records");
    assert_eq!(some.opened.len(), 1);
    // Any event notices that the index has changed, not only the one that says so.
    let refused = Arrival { event: event(3), time: day(3), content: Content::Nothing(None) };
    let more = store.record(&refused, Some(&full_index()), now()).expect("records");
    assert_eq!((more.opened.len(), more.closed.len()), (1, 0));
    let fewer =
        store.record(&advisories(4, day(4)), Some(&index(&["GHSA"])), now()).expect("records");
    assert_eq!(fewer.closed, some.opened);
    let closed = place.reader().entry(fewer.closed[0].as_str(), &Config::default(), None);
    let closed = closed.expect("reads").expect("known");
    let why = &closed.closed().expect("closed").why;
    assert_eq!((why.as_str(), closed.since), ("no advisory names it any more", day(4)));
    let back = store.record(&advisories(5, day(5)), Some(&full_index()), now()).expect("records");
    assert_eq!(back.opened, some.opened);
}

#[test]
fn store_whose_index_is_away_waits_and_closes_nothing() {
    let place = Place::new();
    let known = sbom(1, day(1), &project("x"), &[JINJA]);
    let first = record(&place.open(), &known);
    let before = place.dump();
    let restarted = place.open();
    assert_eq!(restarted.record(&known, None, now()).expect("known"), first);
    let next = sbom(2, day(2), &project("x"), &[]);
    for arrival in [&next, &advisories(3, day(3))] {
        let refused = restarted.record(arrival, None, now()).expect_err("refused");
        assert!(matches!(refused, StoreError::NoIndex(_)), "{refused}");
        assert!(refused.to_string().contains("`attestry advisories sync`"), "{refused}");
    }
    assert_eq!(place.dump(), before);
    assert_eq!(record(&restarted, &next).closed, first.opened);
}

#[test]
fn document_that_was_never_looked_up_is_with_the_next_event() {
    let place = Place::new();
    let store = place.open();
    let blind =
        store.record(&sbom(1, day(1), &project("x"), &[JINJA]), None, now()).expect("records");
    assert_eq!(blind.findings, 0);
    let connection = store.connection.lock().expect("free");
    let sql = "INSERT INTO derived_by (advisories) VALUES ($1)";
    connection.execute(sql, params![Hash(full_index().digest())]).expect("inserts");
    drop(connection);
    let seen = record(&store, &advisories(2, day(2)));
    assert_eq!(seen.opened.len(), 1);
    assert_eq!(record(&store, &advisories(3, day(3))).opened, []);
}

#[test]
fn what_a_database_does_not_take_is_the_documents_own_fault() {
    let store = Place::new().open();
    let connection = store.connection.lock().expect("free");
    let of = |sql: &str| StoreError::from(connection.execute_batch(sql).expect_err("refused"));
    let large = of("INSERT INTO derived_by (advisories) VALUES (zeroblob(2000000000))");
    assert!(matches!(large.of_content(), StoreError::TooLarge(_)));
    let twice = of("INSERT INTO refilled (done) VALUES (2), (2)");
    assert!(matches!(twice.of_content(), StoreError::TooLarge(_)));
    let away = of("SELECT * FROM nowhere");
    assert!(matches!(away.of_content(), StoreError::Database(_)));
}

#[test]
fn what_a_kill_leaves_is_everything_that_was_answered() {
    let place = Place::new();
    let store = place.open();
    let answers: Vec<_> = story().iter().map(|it| record(&store, it)).collect();
    // The files as they are while the store is open: what a SIGKILL leaves.
    let left = Place::new();
    std::fs::create_dir_all(left.path().parent().expect("one")).expect("makes");
    for suffix in ["", "-wal"] {
        let of = |path: PathBuf| PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(of(place.path()), of(left.path())).expect("copies");
    }
    let restarted = left.open();
    assert_eq!(left.dump(), place.dump());
    let again: Vec<_> = story().iter().map(|it| record(&restarted, it)).collect();
    assert_eq!(again, answers);
    assert_eq!(left.dump(), place.dump());
}

#[test]
fn second_writer_is_refused_until_the_first_has_gone() {
    let place = Place::new();
    let store = place.open();
    let refused = Store::open(&place.path()).err().expect("refused");
    assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
    drop(store);
    place.open();
}

#[test]
fn suppliers_products_are_told_with_what_is_open_and_without() {
    let place = Place::new();
    let store = place.open();
    story().iter().for_each(|it| drop(record(&store, it)));
    record(&store, &sbom(6, day(3), &supplier("globex", "gadget"), &[]));
    let told = |of: Option<&str>| {
        let of = of.map(|it| it.parse().expect("valid"));
        let findings = place.reader().supplier_findings(of.as_ref()).expect("reads");
        let line = |it: &ProductFindings| {
            let open = it.open.iter().map(|(severity, count)| format!("{count} {severity}"));
            let open = open.collect::<Vec<_>>().join(" ");
            format!("{}/{}: {open}, {}", it.supplier, it.product, it.suppressed)
        };
        findings.iter().map(line).collect::<Vec<_>>()
    };
    assert_eq!(told(None), ["acme/widget: 2 high, 1", "globex/gadget: , 0"]);
    assert_eq!(told(Some("globex")), ["globex/gadget: , 0"]);
    assert!(told(Some("hotpass")).is_empty(), "a project is no supplier");
}

#[test]
fn search_tells_where_something_is_and_was() {
    let place = Place::new();
    let store = place.open();
    story().iter().for_each(|it| drop(record(&store, it)));
    let search = |term: &str| {
        let hits = place.reader().search(term, &Config::default(), None).expect("searches");
        let products: Vec<_> = hits
            .products
            .iter()
            .map(|it| (it.slot.scope.to_string(), it.current, it.documents))
            .collect();
        (products, hits.findings.len(), hits.entries.len())
    };
    let of = |scope: &str, current, documents| (scope.to_owned(), current, documents);
    let vulnerable = vec![of("hotpass", true, 1), of("acme", false, 1)];
    let everywhere = vec![of("hotpass", true, 1), of("acme", true, 1), of("acme", false, 1)];
    assert_eq!(search("pkg:pypi/jinja2"), (everywhere, 2, 2));
    assert_eq!(search(JINJA), (vulnerable, 2, 2));
    assert_eq!(search("torch"), (vec![of("acme", true, 2)], 3, 1));
    assert_eq!(search("TORCH").0.len(), 1);
    for spelled in ["pkg:PyPI/Jinja2", "PKG:pypi/JINJA2@2.10"] {
        assert_eq!(search(spelled), search(&spelled.to_lowercase()), "{spelled}");
        assert_ne!(search(spelled).0, vec![]);
    }
    assert_eq!(search("cve-2019-10906"), (vec![], 1, 2));
    assert_eq!(search("PYSEC-2021-66"), (vec![], 1, 2));
    assert_eq!(search("Hotpass").0.len(), 1, "a project by its name");
    let document = Digest::of(b"document 3").to_string();
    assert_eq!(search(&document).0, vec![of("acme", true, 1)]);
    for nothing in
        ["pkg:pypi/jinja", "tor", "%", "_", "CVE-1", "pkg:", "'", &Digest::of(b"").to_string()]
    {
        assert_eq!(search(nothing), (vec![], 0, 0), "{nothing}");
    }
}
