//! The life of an entry, as a truth table.

use std::sync::Arc;

use advisories::{Ecosystem, Severity};
use events::Sender;

use super::*;
use crate::{
    finding::find,
    testing::{
        JINJA, JINJA_FIXED, TORCH, acme, day, event, full_index, inventory, now, operator, project,
        says, supplier,
    },
};

const BOTH: [&str; 2] = ["CVE-2019-10906", "CVE-2020-28493"];

/// What happens, one step a day.
enum Happens {
    Document(&'static [&'static str]),
    Says(Sender, &'static str, &'static [&'static str], &'static str),
}
use Happens::{Document, Says};

fn moment() -> Moment {
    Moment { terms: Terms::default(), now: now() }
}

/// What is said; an inventory still has the package if it is not the empty one.
fn world<'a>(vex: &'a [VexDocument], waivers: &'a [Waiver]) -> World<'a> {
    World { vex, waivers, has: &|it, _| it != inventory("widget", &[]).id() }
}

fn observed(number: u128, time: Timestamp, purls: &[&str]) -> Observation {
    let inventory = inventory("widget", purls);
    Observation {
        time,
        document: Digest::of(format!("document {number}").as_bytes()),
        event: event(number),
        inventory: inventory.id(),
        found: Arc::new(find(&inventory.components, &full_index())),
        facts: inventory.facts,
    }
}

fn after(slot: &Slot, steps: Vec<Happens>) -> State {
    let (mut observations, mut vex) = (Vec::new(), Vec::new());
    for (number, step) in (1..).zip(steps) {
        let time = day(number);
        match step {
            Document(purls) => {
                observations.push(observed(number.cast_unsigned().into(), time, purls))
            }
            Says(from, status, ids, product) => vex.push(says(from, time, status, ids, product)),
        }
    }
    let state = unfold(slot, &observations, &world(&vex, &[]), &moment());
    observations.reverse();
    vex.reverse();
    let again = unfold(slot, &observations, &world(&vex, &[]), &moment());
    assert_eq!(again, state, "order makes a difference");
    state
}

fn jinja(state: &State) -> &Entry {
    let action = Action { ecosystem: Ecosystem::PyPi, package: "jinja2".to_owned(), lock: None };
    &state.entries[&action]
}

/// Through which states jinja2's entry went, with the days.
fn trail(steps: Vec<Happens>) -> String {
    let state = after(&supplier("acme", "widget"), steps);
    let steps = jinja(&state).history.iter().map(|change| {
        let days = (change.time.as_second() - day(0).as_second()) / 86_400;
        format!("{}@{days}", change.to.as_str())
    });
    steps.collect::<Vec<_>>().join(" ")
}

const V: &[&str] = &[JINJA];
const F: &[&str] = &[JINJA_FIXED];

/// The supplier says that neither vulnerability matters.
fn no() -> Happens {
    Says(acme(), "not_affected", &BOTH, JINJA)
}

/// The supplier says that both do.
fn yes() -> Happens {
    Says(acme(), "affected", &BOTH, JINJA)
}

#[test]
fn entry_lives_as_documents_and_statements_come() {
    for (name, steps, expected) in [
        ("found", vec![Document(V)], "open@1"),
        ("found again", vec![Document(V), Document(V)], "open@1"),
        ("fixed", vec![Document(V), Document(F)], "open@1 fixed@2"),
        ("component removed", vec![Document(V), Document(&[])], "open@1 fixed@2"),
        ("returned", vec![Document(V), Document(F), Document(V)], "open@1 fixed@2 reopened@3"),
        ("vex in", vec![Document(V), no()], "open@1 suppressed@2"),
        ("vex again", vec![Document(V), no(), no()], "open@1 suppressed@2"),
        ("vex out", vec![Document(V), no(), yes()], "open@1 suppressed@2 reopened@3"),
        ("vex first", vec![no(), Document(V)], "suppressed@2"),
        ("vex first, then out", vec![no(), Document(V), yes()], "suppressed@2 open@3"),
        ("suppressed, fixed", vec![Document(V), no(), Document(F)], "open@1 suppressed@2 fixed@3"),
        (
            "fixed, suppressed, returned",
            vec![Document(V), Document(F), no(), Document(V)],
            "open@1 fixed@2 suppressed@4",
        ),
    ] {
        assert_eq!(trail(steps), expected, "{name}");
    }
}

#[test]
fn statement_counts_for_what_it_is_about_and_who_may_say_it() {
    const OPEN: &str = "open@1";
    const SUPPRESSED: &str = "open@1 suppressed@2";
    let no = "not_affected";
    let evil = || Sender::Supplier("evil".parse().expect("valid"));
    let aliases = &["GHSA-462w-v97r-4m45", "pysec-2021-66"];
    for (name, said, expected) in [
        ("fixed", Says(acme(), "fixed", &BOTH, JINJA), SUPPRESSED),
        ("under investigation", Says(acme(), "under_investigation", &BOTH, JINJA), OPEN),
        ("one of two", Says(acme(), no, &["CVE-2019-10906"], JINJA), OPEN),
        ("by aliases", Says(acme(), no, aliases, JINJA), SUPPRESSED),
        ("the product in any version", Says(acme(), no, &BOTH, "pkg:generic/widget"), SUPPRESSED),
        ("the product in another", Says(acme(), no, &BOTH, "pkg:generic/widget@2.0"), OPEN),
        ("another product", Says(acme(), no, &BOTH, "pkg:generic/gadget"), OPEN),
        ("another version", Says(acme(), no, &BOTH, "pkg:pypi/jinja2@2.9"), OPEN),
        ("another supplier", Says(evil(), no, &BOTH, JINJA), OPEN),
        ("operator, everything", Says(operator("operator"), no, &BOTH, JINJA), SUPPRESSED),
        ("operator, this scope", Says(operator("acme"), no, &BOTH, JINJA), SUPPRESSED),
        ("operator, another scope", Says(operator("hotpass"), no, &BOTH, JINJA), OPEN),
    ] {
        assert_eq!(trail(vec![Document(V), said]), expected, "{name}");
    }
    let operator_first =
        vec![Document(V), Says(operator("acme"), "affected", &BOTH, JINJA), self::no()];
    assert_eq!(trail(operator_first), OPEN, "an operator's word counts more");
}

#[test]
fn one_entry_takes_the_version_that_ends_all_that_can_be_ended() {
    let state = after(&project("hotpass"), vec![Document(&[JINJA, TORCH])]);
    let titles: Vec<String> =
        state.entries.values().map(|it| it.title(&project("hotpass"))).collect();
    assert_eq!(titles, ["Bump jinja2 to ≥ 2.11.3 in hotpass", "Bump torch to ≥ 2.2.0 in hotpass"]);
    let torch = state.entries.values().last().expect("two");
    assert_eq!((torch.vulnerabilities(), torch.severity()), (3, Severity::Critical));
    let asked = jinja(&state).title(&supplier("acme", "widget"));
    assert_eq!(asked, "Ask acme for widget with jinja2 ≥ 2.11.3");
}

#[test]
fn what_has_no_fix_is_to_be_replaced() {
    let state = after(&project("hotpass"), vec![Document(&["pkg:pypi/torch@2.3.0"])]);
    let entry = state.entries.values().next().expect("one");
    let title = entry.title(&project("hotpass"));
    assert_eq!(title, "Replace or mitigate torch in hotpass: no fixed version known");
}

#[test]
fn two_versions_of_a_package_are_one_entry() {
    let state = after(&project("x"), vec![Document(&[JINJA, "pkg:pypi/jinja2@2.10.1"])]);
    assert_eq!(state.findings.len(), 3);
    assert_eq!((state.entries.len(), jinja(&state).vulnerabilities()), (1, 2));
}

#[test]
fn first_sight_stays_when_an_entry_returns() {
    let steps = vec![Document(&[JINJA]), Document(&[]), Document(&[JINJA])];
    let state = after(&project("x"), steps);
    assert_eq!(jinja(&state).first_seen, day(1));
    assert_eq!(jinja(&state).evidence.event, event(3));
}

#[test]
fn operator_cannot_mean_a_reference_within_some_document() {
    // The bom-ref of the component is its purl: as a reference it would fit, too.
    let document = says(operator("operator"), day(2), "not_affected", &BOTH, "jinja-ref");
    let mut observation = observed(1, day(1), &[JINJA]);
    let mut found = (*observation.found).clone();
    found.iter_mut().for_each(|it| it.component.bom_ref = Some("jinja-ref".to_owned()));
    observation.found = Arc::new(found);
    let open = |from: Sender| {
        let vex = [VexDocument { from, ..document.clone() }];
        let judged =
            judge_now(&supplier("acme", "widget"), &observation, &world(&vex, &[]), &moment());
        judged.iter().filter(|it| it.is_open()).count()
    };
    assert_eq!((open(operator("operator")), open(acme())), (2, 0));
}

#[test]
fn sbom_that_says_it_is_not_affected_is_heard_about_itself_only() {
    let slot = supplier("acme", "widget");
    let own = says(acme(), day(1), "not_affected", &BOTH, JINJA).statements;
    let mut with_own = observed(1, day(1), &[JINJA]);
    with_own.facts.statements = own;
    let state = unfold(&slot, &[with_own.clone()], &world(&[], &[]), &moment());
    assert_eq!(jinja(&state).status, Status::Suppressed);
    let next = observed(2, day(2), &[JINJA]);
    let state = unfold(&slot, &[with_own, next], &world(&[], &[]), &moment());
    assert_eq!(jinja(&state).status, Status::Open);
}
