//! What relying on a supplier risks: the table of `docs/backlog.md`, row by row.

use serde_json::json;

use super::{placed::index_with, replay::after, *};
use crate::{
    edits::Edits,
    export::{Form, Table, render},
    register::Register,
    relation::{Delivery, REFUSALS_MAX},
    risk::{RiskRow, Treatment},
    routing::Routing,
};

/// What a store says at `at` that was told `arrivals`.
fn register_of(arrivals: &[Arrival], at: Timestamp) -> Register {
    let (place, index) = (Place::new(), full_index());
    let store = place.open();
    for arrival in arrivals {
        store.record(arrival, Some(&index), at).expect("records");
    }
    place.reader().register(&Config::default(), None, at).expect("reads")
}

/// Risks of relying on suppliers.
fn of_suppliers(register: &Register) -> Vec<&RiskRow> {
    register.risks.iter().filter(|it| it.id.starts_with("RS-")).collect()
}

/// The one such risk in short, or nothing.
fn told(register: &Register) -> String {
    let risks = of_suppliers(register);
    assert!(risks.len() < 2, "{risks:?}");
    let line = |it: &RiskRow| {
        assert_eq!(it.exposure, it.impact * it.likelihood);
        format!("{}×{} {}: {}", it.impact, it.likelihood, it.status.as_str(), it.description)
    };
    risks.first().map(|it| line(it)).unwrap_or_default()
}

/// So many refusals by a rule, from a day on.
fn refusals(count: u128, at: i64, rule: &str) -> Vec<Arrival> {
    (0..count).map(|it| refused(1_000 + it, day(at), "acme", rule)).collect()
}

fn fails(what: &str) -> String {
    format!("Supplier acme may fail us: {what}.")
}

/// What it is about, what came in, the day of the register, and the risk.
type Row = (&'static str, Vec<Arrival>, i64, String);

/// A document of a product that has nothing.
fn sound() -> Arrival {
    sbom(1, day(1), &supplier("acme", "widget"), &[])
}

fn with(one: &Arrival, others: Vec<Arrival>) -> Vec<Arrival> {
    [vec![one.clone()], others].concat()
}

fn overdue_rows() -> [Row; 6] {
    let widget = supplier("acme", "widget");
    let not_rated = vec![sbom(1, day(1), &widget, &[JINJA])];
    let products = ["gadget", "gizmo", "sprocket", "wheel", "widget"];
    let five = (1..)
        .zip(products)
        .map(|(number, product)| sbom(number, day(1), &supplier("acme", product), &[JINJA]));
    let ours = vec![sbom(1, day(1), &project("acme"), &[TORCH])];
    let risk =
        |weight: &str, are: &str| format!("{weight} Open: {}", fails(&format!("{are} overdue")));
    [
        ("nothing to say", vec![sound()], 2, String::new()),
        ("due, but not overdue", not_rated.clone(), 91, String::new()),
        ("overdue", not_rated, 92, risk("3×3", "1 backlog entry is")),
        (
            "critical",
            vec![sbom(1, day(1), &widget, &[TORCH])],
            9,
            risk("5×3", "1 backlog entry is"),
        ),
        ("five of them", five.collect(), 92, risk("3×4", "5 backlog entries are")),
        ("ours are no supplier's", ours, 99, String::new()),
    ]
}

fn refused_rows() -> [Row; 11] {
    let statement = vex(9, says(acme(), day(4), "affected", &["CVE-1"], TORCH));
    let two = [refusals(2, 3, "schema"), vec![refused(8, day(2), "acme", "SUP-008")]];
    let risk = |weight: &str, were: &str| {
        format!("{weight} Open: {}", fails(&format!("{were} refused, and none accepted since")))
    };
    let mitigated = "3×1 Mitigated: Supplier acme: nothing is overdue, refused or out of date.";
    let one = "1 submission was";
    [
        ("VEX alone", vec![statement.clone()], 500, String::new()),
        ("refused", refusals(1, 3, "schema"), 4, risk("3×2", one)),
        ("not theirs", refusals(1, 3, "SUP-003"), 4, risk("4×2", one)),
        ("malware", refusals(1, 3, "SUP-025"), 4, risk("5×2", one)),
        ("five times", refusals(5, 3, "schema"), 4, risk("3×3", "5 submissions were")),
        ("twenty times", refusals(20, 3, "schema"), 4, risk("3×4", "20 submissions were")),
        ("the worst rule", two.concat(), 4, risk("4×2", "3 submissions were")),
        ("accepted before", with(&sound(), refusals(1, 3, "schema")), 4, risk("3×2", one)),
        ("accepted since", with(&sound(), refusals(1, 0, "SUP-003")), 4, mitigated.to_owned()),
        ("VEX since", with(&statement, refusals(1, 3, "SUP-003")), 5, mitigated.to_owned()),
        (
            "two things at once",
            with(&sbom(1, day(1), &supplier("acme", "widget"), &[TORCH]), refusals(1, 3, "schema")),
            9,
            risk("5×4", "1 backlog entry is overdue; 1 submission was"),
        ),
    ]
}

fn old_rows() -> [Row; 5] {
    let renewed = |product| sbom(2, day(100), &supplier("acme", product), &[]);
    let risk = |weight: &str| format!("{weight} Open: {}", fails("1 SBOM is older than 180 days"));
    [
        ("last day", vec![sound()], 181, String::new()),
        ("old", vec![sound()], 182, risk("3×2")),
        ("twice as old", vec![sound()], 362, risk("3×3")),
        ("renewed", with(&sound(), vec![renewed("widget")]), 182, String::new()),
        ("another product", with(&sound(), vec![renewed("gadget")]), 182, risk("3×2")),
    ]
}

#[test]
fn every_row_of_the_table_is_derived_as_it_is_written() {
    let rows = overdue_rows().into_iter().chain(refused_rows()).chain(old_rows());
    for (name, arrivals, at, expected) in rows {
        assert_eq!(told(&register_of(&arrivals, day(at))), expected, "{name}");
        let twice = [arrivals.clone(), arrivals].concat();
        assert_eq!(told(&register_of(&twice, day(at))), expected, "{name}, delivered twice");
    }
}

#[test]
fn what_is_overdue_and_exploited_is_as_likely_as_can_be() {
    let kev = json!({
        "catalogVersion": "1", "dateReleased": "2026-02-10T00:00:00Z",
        "vulnerabilities": [{
            "cveID": "CVE-2019-10906", "dateAdded": "2026-02-10", "dueDate": "2026-03-01",
            "knownRansomwareCampaignUse": "Unknown",
        }],
    });
    let place = Place::new();
    let store = place.open();
    record(&store, &sbom(1, day(1), &supplier("acme", "widget"), &[JINJA]));
    let known = index_with("kev.json", &kev.to_string());
    let shown = |index, at| {
        told(&place.reader().register(&Config::default(), index, day(at)).expect("reads"))
    };
    assert_eq!(shown(Some(&known), 11), "");
    assert!(shown(Some(&known), 12).starts_with("3×5 Open"), "three days after it was known");
    assert_eq!(shown(None, 12), "");
}

#[test]
fn risk_says_whom_it_is_about_and_what_ends_it() {
    let arrivals = [
        vec![
            sbom(1, day(1), &supplier("acme", "widget"), &[TORCH]),
            sbom(2, day(2), &supplier("acme", "gadget"), &[]),
        ],
        refusals(2, 3, "SUP-003"),
        vec![refused(5, day(4), "acme", "schema")],
    ];
    let (place, index) = (Place::new(), full_index());
    let store = place.open();
    for arrival in arrivals.concat() {
        store.record(&arrival, Some(&index), day(4)).expect("records");
    }
    let mut config = Config::default();
    let routes = "[[route]]\nproduct = 'widget'\nowner = 'Hardware'\n[[route]]\nsupplier = 'acme'\nowner = 'Procurement'\n";
    config.routing = crate::config::parse::<Routing>(Path::new("r"), routes).expect("valid");

    let register = place.reader().register(&config, None, day(183)).expect("reads");

    let [risk] = of_suppliers(&register)[..] else { panic!("{:?}", register.risks) };
    assert_eq!((risk.impact, risk.likelihood, risk.owner.as_str()), (5, 4, "Procurement"));
    assert_eq!(risk.surface, "2 products of supplier acme: gadget, widget.");
    let entry = &register.entries[0].id;
    assert_eq!(
        risk.mitigation,
        format!(
            "Overdue: {entry}; first due 2026-02-10. Refused: SUP-003 (2), schema (1), last on 2026-02-06. New SBOM due: gadget by 2026-08-03, widget by 2026-08-02."
        )
    );
    assert_eq!(register.last_updated.map(|it| it.to_string()).as_deref(), Some("2026-02-06"));
}

#[test]
fn risk_stays_once_it_was_told_and_is_told_as_it_was() {
    let (place, index) = (Place::new(), full_index());
    let store = place.open();
    let widget = supplier("acme", "widget");
    let remember = |at: i64| {
        let register = place.reader().register(&Config::default(), None, day(at)).expect("reads");
        store.remember(&register, day(at)).expect("remembers");
        register
    };
    store.record(&sbom(1, day(1), &widget, &[TORCH]), Some(&index), day(1)).expect("records");
    let before = remember(8);
    assert_eq!(of_suppliers(&before), Vec::<&RiskRow>::new());
    assert_eq!(before.turns.map(|it| it.to_string()).as_deref(), Some("2026-02-11T00:00:00Z"));
    let open = remember(9);
    assert_eq!(open.turns.map(|it| it.to_string()).as_deref(), Some("2026-08-03T00:00:00Z"));
    store.record(&sbom(2, day(10), &widget, &[]), Some(&index), day(10)).expect("records");
    let mended = remember(10);
    let (open, mended) = (of_suppliers(&open)[0], of_suppliers(&mended)[0]);
    assert_eq!((open.status, open.exposure), (Treatment::Open, 15));
    assert_eq!((mended.status, mended.exposure), (Treatment::Mitigated, 3));
    assert_eq!(mended.id, open.id);
    assert_eq!(mended.mitigation, "Nothing is to be done.");
    let then =
        |at: i64| told(&place.reader().register_as_of(day(at)).expect("reads").expect("known"));
    assert_eq!(then(8), "");
    assert!(then(9).starts_with("5×3 Open"), "{}", then(9));
    assert!(then(11).starts_with("3×1 Mitigated"), "{}", then(11));
}

#[test]
fn order_and_repetition_make_no_difference() {
    let widget = supplier("acme", "widget");
    let arrivals = [
        refused(1, day(1), "acme", "SUP-002"),
        sbom(2, day(2), &widget, &[JINJA]),
        vex(3, says(acme(), day(3), "affected", &["CVE-1"], TORCH)),
        refused(4, day(4), "acme", "schema"),
    ];
    let (place, _) = after(&arrivals);
    let expected = place.dump();
    assert!(expected.contains("1 submission was refused"), "{expected}");
    let store = place.open();
    arrivals.iter().for_each(|it| drop(record(&store, it)));
    assert_eq!(place.dump(), expected);
    let again = [sbom(2, day(2), &widget, &[JINJA]), refused(4, day(4), "acme", "schema")];
    again.iter().for_each(|it| drop(record(&store, it)));
    assert_eq!(place.dump(), expected);
}

#[test]
fn what_people_say_counts_for_suppliers_too() {
    let place = Place::new();
    let store = place.open();
    record(&store, &refused(1, day(1), "acme", "SUP-003"));
    let mut config = Config::default();
    let derived = place.reader().register(&config, None, day(2)).expect("reads");
    let id = &derived.risks[0].id;
    let edit = format!("[[risk]]\nid = '{id}'\nlikelihood = 1\nmitigation = 'They were told'\n");
    config.risks = crate::config::parse::<Edits>(Path::new("r"), &edit).expect("valid");
    let register = place.reader().register(&config, None, day(2)).expect("reads");
    let [risk] = register.risks.as_slice() else { panic!("{:?}", register.risks) };
    assert_eq!((risk.exposure, risk.mitigation.as_str()), (4, "They were told"));
    assert_eq!(risk.edited.len(), 2);
    assert_eq!(config.risks.lost(&register.risks), []);
}

#[test]
fn every_form_has_the_risks_of_suppliers() {
    let product = "=cmd|'/C calc'!A0 <img src=x>";
    let register = register_of(&[sbom(1, day(1), &supplier("acme", product), &[])], day(200));
    let id = &of_suppliers(&register)[0].id;
    for (form, escaped) in [
        (Form::Json, "=cmd|'/C calc'!A0 <img src=x>"),
        (Form::Csv, "\"1 product of supplier acme: =cmd"),
        (Form::Markdown, "&lt;img src=x&gt;"),
    ] {
        let text = render(&register, Table::Risk, form);
        assert!(text.contains(id.as_str()) && text.contains(escaped), "{text}");
    }
}

#[test]
fn refusals_are_counted_up_to_a_bound() {
    let place = Place::new();
    let store = place.open();
    let connection = store.connection.lock().expect("free");
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) INSERT INTO refusal (event, supplier, time, rule) SELECT CAST(i AS BLOB), 'acme', i, 'schema' FROM n";
    connection.execute(sql, params![Number(REFUSALS_MAX + 7)]).expect("inserts");
    let sql = "INSERT INTO supplier (id, name) VALUES ('RS-1', 'acme')";
    connection.execute(sql, []).expect("inserts");
    drop(connection);
    let register = place.reader().register(&Config::default(), None, day(1)).expect("reads");
    let told = told(&register);
    assert!(told.contains("at least 1000 submissions were refused"), "{told}");
}

#[test]
fn document_is_of_the_time_that_it_says_but_not_of_a_later_one() {
    for (said, made) in [(Some(1), day(1)), (Some(9), day(5)), (None, day(5))] {
        let place = Place::new();
        let store = place.open();
        let mut arrival = sbom(1, day(5), &supplier("acme", "widget"), &[]);
        if let Content::Sboms(sboms) = &mut arrival.content {
            sboms[0].inventory.facts.timestamp = said.map(day);
        }
        record(&store, &arrival);
        let relations = crate::store::relations::all(&place.reader().connection).expect("reads");
        let expected = Delivery { product: "widget".to_owned(), made };
        assert_eq!(relations[0].deliveries, [expected], "{said:?}");
    }
}

#[test]
fn only_what_a_supplier_is_to_blame_for_is_a_refusal() {
    use events::{Decision, DecisionResult};
    let decided = |from: Sender, result, rule: Option<&str>| {
        let decision = Decision {
            from,
            submission: "s-1".parse().expect("valid"),
            document: None,
            result,
            kind: None,
            rule: rule.map(Label::of),
            ingested_at: day(1),
            policy: None,
            product: None,
            format: None,
            made_at: None,
            signer: None,
            grade: None,
        };
        Refusal::of(&decision).is_some()
    };
    let (accepted, rejected) = (DecisionResult::Accepted, DecisionResult::Rejected);
    let operator = || Sender::Operator("acme".parse().expect("valid"));
    assert!(decided(acme(), rejected, Some("SUP-003")));
    assert!(decided(acme(), rejected, None), "a release that told no rule");
    assert!(!decided(acme(), accepted, None));
    assert!(!decided(operator(), rejected, Some("SUP-003")));
    assert!(!decided(acme(), rejected, Some("supplier-unknown")), "nobody made up is a supplier");
    assert!(!decided(acme(), rejected, Some("policy-failed")), "that was our own failure");
}
