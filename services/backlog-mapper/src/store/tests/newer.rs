//! A newer version supersedes, whatever the order of arrival; history stays.

use super::*;

const SERIAL: &str = "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79";

/// An SBOM of acme's widget that says of itself which version it is, and when it was made.
fn version(number: u128, ingested: i64, version: u64, made: i64, purls: &[&str]) -> Arrival {
    let mut arrival = sbom(number, day(ingested), &supplier("acme", "widget"), purls);
    let Content::Sboms(sboms) = &mut arrival.content else { unreachable!("it is one") };
    let facts = &mut sboms[0].inventory.facts;
    facts.serial = Some(SERIAL.to_owned());
    facts.bom_version = version;
    facts.timestamp = Some(day(made));
    arrival
}

/// The purls of the current document, and how many documents search tells of.
fn current(place: &Place) -> (Vec<String>, usize) {
    let hits =
        place.reader().search("pkg:pypi/jinja2", &Config::default(), None).expect("searches");
    let now = hits.products.iter().filter(|it| it.current);
    let purls = now.filter_map(|it| it.component.as_ref()?.purl.clone()).collect();
    (purls, hits.products.iter().map(|it| it.documents as usize).sum())
}

fn open_findings(place: &Place) -> usize {
    let register = place.reader().register(&Config::default(), None, now()).expect("reads");
    register.entries.iter().filter(|it| it.status.is_open()).count()
}

#[test]
fn newer_version_is_current_in_whatever_order_the_two_come() {
    for (first, second) in [(1, 2), (2, 1)] {
        let place = Place::new();
        let store = place.open();
        for (number, of) in [(1, first), (2, second)] {
            let purls: &[&str] = if of == 1 { &[JINJA] } else { &["pkg:pypi/jinja2@2.11.3"] };
            record(&store, &version(number, 10 + number as i64, of, of as i64, purls));
        }
        let fixed = vec!["pkg:pypi/jinja2@2.11.3".to_owned()];
        assert_eq!(current(&place), (fixed, 2), "{first} first");
        assert_eq!(open_findings(&place), 0, "{first} first");
    }
}

#[test]
fn old_version_that_comes_late_is_told_about_itself_and_opens_nothing() {
    let place = Place::new();
    let store = place.open();
    record(&store, &version(1, 10, 2, 2, &[JINJA_FIXED]));
    let late = record(&store, &version(2, 11, 1, 1, &[JINJA]));
    assert_eq!((late.findings, late.opened, late.closed), (2, vec![], vec![]));
}

#[test]
fn same_document_twice_is_one_and_a_replay_of_the_old_one_stays_history() {
    let old = version(1, 10, 1, 1, &[JINJA]);
    let new = version(2, 11, 2, 2, &[JINJA_FIXED]);
    let again = |arrival: &Arrival, number, at| Arrival {
        event: event(number),
        time: day(at),
        ..arrival.clone()
    };
    let all = [
        old.clone(),
        new.clone(),
        again(&new, 3, 12),
        again(&old, 4, 13),
        version(5, 14, 1, 1, &[JINJA]),
    ];
    let mut dumps = BTreeSet::new();
    for order in permutations(&all).into_iter().step_by(7) {
        let place = Place::new();
        let store = place.open();
        order.iter().for_each(|it| drop(record(&store, it)));
        let fixed = vec!["pkg:pypi/jinja2@2.11.3".to_owned()];
        // Two documents of version 1 under different digests, and one of version 2.
        assert_eq!(current(&place), (fixed, 3));
        dumps.insert(place.dump());
    }
    assert_eq!(dumps.len(), 1);
}

#[test]
fn document_from_the_future_is_no_newer_than_its_ingestion() {
    let place = Place::new();
    let store = place.open();
    record(&store, &version(1, 10, 1, 10_000, &[JINJA]));
    let mut next = version(2, 11, 1, 11, &[JINJA_FIXED]);
    let Content::Sboms(sboms) = &mut next.content else { unreachable!("it is one") };
    sboms[0].inventory.facts.serial = None;
    record(&store, &next);
    assert_eq!(current(&place).0, ["pkg:pypi/jinja2@2.11.3"]);
}

#[test]
fn newest_version_and_what_is_said_of_it_are_one_state_in_whatever_order_they_come() {
    let cve = "CVE-2024-7804";
    // Only of the document that it is in: it must not outlive it.
    let mut old = version(1, 12, 1, 1, &[JINJA, TORCH]);
    let Content::Sboms(sboms) = &mut old.content else { unreachable!("it is one") };
    let within = says(acme(), day(1), "not_affected", &["CVE-2024-31580"], TORCH);
    sboms[0].inventory.facts.statements = within.statements;
    let all = [
        old,
        version(2, 10, 2, 2, &[JINJA_FIXED, TORCH]),
        vex(3, says(acme(), day(11), "affected", &[cve], TORCH)),
        vex(4, says(acme(), day(13), "not_affected", &[cve], TORCH)),
    ];
    let mut states = BTreeSet::new();
    for order in permutations(&all) {
        let place = Place::new();
        let store = place.open();
        order.iter().for_each(|it| drop(record(&store, it)));
        assert_eq!(current(&place).0, ["pkg:pypi/jinja2@2.11.3"]);
        let findings = read::findings(&place.reader().connection, &supplier("acme", "widget"));
        let suppressed = findings.expect("reads").into_iter().filter(|it| !it.is_open());
        let ids: Vec<_> = suppressed.map(|it| it.found.vulnerability.id).collect();
        assert_eq!(ids, [cve]);
        states.insert(place.dump());
    }
    assert_eq!(states.len(), 1);
}
