//! What VEX does to findings: in whatever order documents come, however often, and as time passes.

use std::collections::BTreeMap;

use events::Sender;
use serde_json::{Value, json};

use super::{
    replay::{after, again, open_findings},
    *,
};
use crate::{
    testing::{accepted, operator},
    vex::Terms,
};

const MONTH: Terms = Terms { supplier_days: Some(30) };
const CVE: &str = "CVE-2024-7804";

fn torch(number: u128, at: i64) -> Arrival {
    sbom(number, day(at), &supplier("acme", "widget"), &[TORCH])
}

/// A version of an OpenVEX document about torch.
fn openvex(name: &str, version: u64, said: i64, status: &str) -> Value {
    let mut statement = json!({
        "vulnerability": { "name": CVE }, "products": [{ "@id": TORCH }], "status": status,
    });
    match status {
        "not_affected" => statement["justification"] = json!("component_not_present"),
        "affected" => statement["action_statement"] = json!("update"),
        _ => {}
    }
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": format!("https://example.org/{name}"),
        "author": "A", "timestamp": day(said).to_string(), "version": version,
        "statements": [statement],
    })
}

fn sent(number: u128, from: Sender, at: i64, document: &Value) -> Arrival {
    vex(number, accepted(from, day(at), document.to_string().as_bytes()))
}

/// The arrivals with their times given to them in another order.
fn in_time(order: &[Arrival]) -> Vec<Arrival> {
    let at = |(minute, arrival): (i64, &Arrival)| {
        let time = day(85) + jiff::SignedDuration::from_mins(minute);
        again(arrival, arrival.event.as_u128(), time)
    };
    (0..).zip(order).map(at).collect()
}

/// The findings of the widget, and what is said of them.
fn findings(place: &Place) -> String {
    let of = read::findings(&place.reader().connection, &supplier("acme", "widget"));
    serde_json::to_string_pretty(&of.expect("reads")).expect("encodes")
}

fn told(place: &Place, id: &str) -> (String, Vec<String>) {
    let of = read::findings(&place.reader().connection, &supplier("acme", "widget"));
    let found = of.expect("reads").into_iter().find(|it| it.found.vulnerability.id == id);
    let found = found.expect("found");
    let suppressed = found.suppressed.as_ref().map_or(String::new(), ToString::to_string);
    (suppressed, found.heard.iter().map(ToString::to_string).collect())
}

/// What is sent by whom, under which terms, and how many findings are open then.
fn sets() -> [(&'static str, Terms, Vec<Arrival>, u64); 5] {
    let evil = Sender::Supplier("evil".parse().expect("valid"));
    [
        (
            "a newer statement, an older one, and a newer one of who has no say",
            Terms::default(),
            vec![
                torch(1, 0),
                sent(2, acme(), 0, &openvex("a", 1, 10, "affected")),
                sent(3, acme(), 0, &openvex("b", 1, 11, "not_affected")),
                sent(4, evil, 0, &openvex("c", 1, 12, "affected")),
            ],
            2,
        ),
        (
            "three versions of one document",
            Terms::default(),
            vec![
                torch(1, 0),
                sent(2, acme(), 0, &openvex("a", 1, 10, "not_affected")),
                sent(3, acme(), 0, &openvex("a", 2, 9, "affected")),
                sent(4, acme(), 0, &openvex("a", 10, 8, "under_investigation")),
            ],
            3,
        ),
        (
            "an operator about the supplier and about everything, and the supplier last",
            Terms::default(),
            vec![
                torch(1, 0),
                sent(2, operator("acme"), 0, &openvex("a", 1, 5, "not_affected")),
                sent(3, operator("operator"), 0, &openvex("b", 1, 6, "affected")),
                sent(4, acme(), 0, &openvex("c", 1, 7, "affected")),
            ],
            2,
        ),
        (
            "two of one time",
            Terms::default(),
            vec![
                torch(1, 0),
                sent(2, acme(), 0, &openvex("a", 1, 5, "not_affected")),
                sent(3, acme(), 0, &openvex("b", 1, 5, "fixed")),
                sent(4, acme(), 0, &openvex("c", 1, 5, "affected")),
            ],
            3,
        ),
        (
            "what has ended, and what has not",
            MONTH,
            vec![
                torch(1, 0),
                sent(2, acme(), 0, &openvex("a", 1, 62, "not_affected")),
                sent(3, acme(), 0, &openvex("b", 1, 80, "not_affected")),
                sent(4, acme(), 0, &openvex("c", 1, 49, "affected")),
            ],
            2,
        ),
    ]
}

#[test]
fn order_of_arrival_changes_no_finding() {
    let index = full_index();
    for (name, terms, set, open) in sets() {
        let mut seen: BTreeMap<String, Vec<u128>> = BTreeMap::new();
        for order in permutations(&set) {
            let events: Vec<_> = order.iter().map(|it| it.event.as_u128()).collect();
            let place = Place::new();
            let store = place.open().with_terms(terms);
            for arrival in in_time(&order) {
                store.record(&arrival, Some(&index), now()).expect("records");
            }
            assert_eq!(open_findings(&place), open, "{name} {events:?}");
            seen.insert(findings(&place), events.clone());
            // Every document comes once more.
            for (number, arrival) in (10..).zip(set.iter().skip(1)) {
                let repeated = again(arrival, number, day(99));
                store.record(&repeated, Some(&index), now()).expect("records");
            }
            assert_eq!(open_findings(&place), open, "{name} {events:?}, again");
            seen.insert(findings(&place), vec![]);
        }
        assert_eq!(seen.len(), 1, "{name}: {:?}", seen.values());
    }
}

#[test]
fn what_has_ended_opens_its_finding_though_nothing_arrives() {
    let (place, index) = (Place::new(), full_index());
    let store = place.open().with_terms(MONTH);
    for arrival in [torch(1, 1), sent(2, acme(), 2, &openvex("a", 1, 2, "not_affected"))] {
        store.record(&arrival, Some(&index), day(2)).expect("records");
    }
    assert_eq!(open_findings(&place), 2);
    let (suppressed, _) = told(&place, CVE);
    assert_eq!(
        suppressed,
        "VEX of supplier acme: not_affected, component_not_present, until 2026-03-06"
    );

    for (now, due, open) in [(day(3), false, 2), (day(32), false, 2), (day(33), true, 3)] {
        assert_eq!(store.is_due(now).expect("answers"), due, "{now}");
        store.pass_time(Some(&index), now).expect("passes");
        assert_eq!(open_findings(&place), open, "{now}");
        assert!(!store.is_due(now).expect("answers"), "{now}");
    }
    let said = vec!["VEX of supplier acme: not_affected, expired after 2026-03-06".to_owned()];
    assert_eq!(told(&place, CVE), (String::new(), said));

    // Said again by a newer version, it counts again.
    let confirmed = sent(3, acme(), 40, &openvex("a", 2, 40, "not_affected"));
    store.record(&confirmed, Some(&index), day(40)).expect("records");
    assert_eq!((open_findings(&place), told(&place, CVE).1), (2, vec![]));
}

#[test]
fn entry_that_comes_back_with_time_says_whose_word_is_over() {
    let (place, index) = (Place::new(), full_index());
    let store = place.open().with_terms(MONTH);
    let widget = supplier("acme", "widget");
    let ids = ["CVE-2019-10906", "CVE-2020-28493"];
    let no = vex(2, says(acme(), day(2), "not_affected", &ids, JINJA));
    for arrival in [sbom(1, day(1), &widget, &[JINJA]), no] {
        store.record(&arrival, Some(&index), day(3)).expect("records");
    }
    assert_eq!(store.pass_time(Some(&index), day(50)).expect("passes"), (1, 0));
    let register = place.reader().register(&Config::default(), None, now()).expect("reads");
    let [entry] = register.entries.as_slice() else { panic!("{:?}", register.entries) };
    let trail: Vec<_> = entry.history.iter().map(|it| it.to.as_str()).collect();
    assert_eq!(trail, ["open", "suppressed", "reopened"]);
    let why = &entry.history[2].why;
    assert!(why.starts_with("suppressed no longer: VEX of supplier acme: not_affected"), "{why}");
    assert_eq!(entry.history[2].time.to_string(), "2026-03-07T00:00:00Z");
    assert_eq!(entry.heard.len(), 2);
}

#[test]
fn other_terms_are_held_against_what_is_there() {
    let (place, index) = (Place::new(), full_index());
    let arrivals = [torch(1, 1), sent(2, acme(), 2, &openvex("a", 1, 2, "not_affected"))];
    for (terms, due, open) in [
        (MONTH, true, 3),
        (MONTH, false, 3),
        (Terms::default(), true, 2),
        (Terms { supplier_days: Some(365) }, true, 2),
        (MONTH, true, 3),
    ] {
        let store = place.open().with_terms(terms);
        assert_eq!(store.is_due(now()).expect("answers"), due, "{terms}");
        store.pass_time(Some(&index), now()).expect("passes");
        for arrival in &arrivals {
            store.record(arrival, Some(&index), now()).expect("records");
        }
        assert_eq!(open_findings(&place), open, "{terms}");
    }
}

#[test]
fn time_that_passes_without_an_index_closes_nothing() {
    let (place, index) = (Place::new(), full_index());
    let store = place.open().with_terms(MONTH);
    for arrival in [torch(1, 1), sent(2, acme(), 2, &openvex("a", 1, 2, "not_affected"))] {
        store.record(&arrival, Some(&index), day(3)).expect("records");
    }
    let before = place.dump();
    assert!(matches!(store.pass_time(None, now()), Err(StoreError::NoIndex(_))));
    assert_eq!(place.dump(), before);
    assert!(store.is_due(now()).expect("answers"), "it is done once the index is back");
}

#[test]
fn contradiction_is_shown_with_both_sides() {
    let (place, _) = after(&[
        torch(1, 1),
        sent(2, acme(), 2, &openvex("a", 1, 2, "not_affected")),
        sent(3, operator("acme"), 3, &openvex("b", 1, 1, "affected")),
    ]);
    let said =
        ["VEX of operator: affected, counts", "VEX of supplier acme: not_affected, contradicts"];
    assert_eq!(told(&place, CVE), (String::new(), said.map(str::to_owned).to_vec()));
    let register = place.reader().register(&Config::default(), None, now()).expect("reads");
    let summary = &register.entries[0].summary;
    assert!(summary.contains("VEX contradicts itself about 1 finding."), "{summary}");

    let (place, _) = after(&[
        torch(1, 1),
        sent(2, acme(), 2, &openvex("a", 1, 2, "affected")),
        sent(3, operator("operator"), 3, &openvex("b", 1, 1, "not_affected")),
    ]);
    let (suppressed, heard) = told(&place, CVE);
    assert_eq!(suppressed, "VEX of operator: not_affected, component_not_present");
    assert_eq!(heard, ["VEX of supplier acme: affected, contradicts"]);
}

/// A supplier of torch itself says that it is harmless: in its own product that counts.
#[test]
fn suppliers_word_ends_at_its_own_products() {
    let ours = project("hotpass");
    // A project of the supplier's name is ours, too.
    let namesake = project("acme");
    for (slot, open) in [
        (supplier("acme", "widget"), 2),
        (supplier("acme", "gadget"), 2),
        (supplier("other", "widget"), 3),
        (ours, 3),
        (namesake, 3),
    ] {
        let (place, _) = after(&[
            sbom(1, day(1), &slot, &[TORCH]),
            sent(2, acme(), 2, &openvex("a", 1, 2, "not_affected")),
        ]);
        assert_eq!(open_findings(&place), open, "{} {}", slot.kind, slot.scope);
        let register = place.reader().register(&Config::default(), None, now()).expect("reads");
        let shown = place.reader().entry(&register.entries[0].id, &Config::default(), None);
        let heard = shown.expect("reads").expect("known").heard;
        let told: Vec<_> = heard.iter().map(|it| (it.id.as_str(), it.heard.to_string())).collect();
        let stranger = "VEX of supplier acme: not_affected, has no say in this product";
        match open {
            2 => assert_eq!(told, []),
            _ => assert_eq!(told, [(CVE, stranger.to_owned())]),
        }
    }
}

#[test]
fn store_of_the_release_before_is_read_and_judged_anew() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().parent().expect("one")).expect("makes");
    let old = Connection::open(place.path()).expect("opens");
    old.execute_batch(include_str!("../../../schema/0001.sql")).expect("makes");
    old.execute_batch("CREATE TABLE schema_version (version BIGINT PRIMARY KEY); INSERT INTO schema_version (version) VALUES (1)").expect("makes");
    let document =
        accepted(operator("acme"), day(2), openvex("a", 1, 2, "fixed").to_string().as_bytes());
    let sql =
        "INSERT INTO vex (event, document, sender, time, statements) VALUES ($1, $2, $3, $4, $5)";
    for (number, at) in [(7, 9), (8, 2)] {
        let (sender, said) = (open::json(&document.from), open::json(&document.statements));
        let row = params![Id(event(number)), Hash(document.digest), sender, Time(day(at)), said];
        old.execute(sql, row).expect("inserts");
    }
    drop(old);

    let store = place.open();
    assert!(store.is_due(now()).expect("answers"));
    record(&store, &torch(1, 1));
    let slots = [supplier("acme", "widget")].into();
    let kept = read::vex(&place.reader().connection, &slots).expect("reads");
    let [kept] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!((kept.time, &kept.edition), (day(2), &None), "the first time counts");
    assert_eq!(open_findings(&place), 2);
    let sql = "SELECT COUNT(*) FROM about WHERE vulnerability = 'cve-2024-7804'";
    let connection = place.reader().connection;
    assert_eq!(connection.query_row(sql, [], |row| row.get::<_, i64>(0)), Ok(1));
    // It comes again, and says now which version it is.
    record(&store, &vex(3, VexDocument { time: day(20), ..document.clone() }));
    let kept = read::vex(&place.reader().connection, &slots).expect("reads");
    assert_eq!(kept, [document]);
}
