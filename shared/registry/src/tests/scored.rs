//! How suppliers do.

use events::{
    Decision,
    DecisionResult::{self, Accepted, Rejected},
    Digest, Grade, Label, SupplierId,
};

use super::{
    Place, at,
    world::{World, decision, of, supplier},
};
use crate::{
    Scorecard,
    scorecard::{MAX_LISTED, PAGE},
};

/// One document of acme about `product`, decided at a second.
struct Sent<'a> {
    document: &'a str,
    product: &'a str,
    result: DecisionResult,
    rule: &'a str,
    grade: Grade,
    second: i64,
    made: Option<i64>,
}

fn send(world: &mut World, name: &str, sent: &Sent<'_>) {
    let acme = supplier("acme");
    let submitted = world.drop_document(&acme, name, of("widget", sent.document));
    let told = decision(&submitted, sent.result, at(sent.second));
    let rule = (sent.result == Rejected).then(|| Label::of(sent.rule));
    let (product, grade) = (Some(Label::of(sent.product)), Some(sent.grade));
    let made_at = sent.made.map(at);
    world.receipt(&submitted, Decision { rule, product, grade, made_at, ..told });
}

fn card(place: &Place, since: Option<i64>) -> Scorecard {
    let acme = "acme".parse().expect("valid");
    place.view().scorecard(&acme, since.map(at)).expect("answers").expect("known")
}

const WIDGET: Sent<'static> = Sent {
    document: "1",
    product: "widget",
    result: Accepted,
    rule: "",
    grade: Grade::C,
    second: 10,
    made: None,
};

#[test]
fn scorecard_tells_counts_reasons_grades_and_freshness() {
    let mut world = World::default();
    send(&mut world, "s-1", &WIDGET);
    send(&mut world, "s-2", &Sent { document: "2", grade: Grade::A, second: 20, ..WIDGET });
    // Again what is there; an old one that comes late; one that is dated in the future.
    send(&mut world, "s-3", &Sent { document: "2", grade: Grade::A, second: 30, ..WIDGET });
    send(&mut world, "s-4", &Sent { document: "3", second: 40, made: Some(5), ..WIDGET });
    let gadget = Sent { product: "gadget", second: 15, ..WIDGET };
    send(&mut world, "s-5", &Sent { document: "4", made: Some(1000), ..gadget });
    let bad = Sent { result: Rejected, rule: "SUP-003", grade: Grade::F, second: 50, ..WIDGET };
    for (name, rule) in [("s-6", "schema"), ("s-7", "SUP-003"), ("s-8", "SUP-003")] {
        send(&mut world, name, &Sent { document: name, rule, ..bad });
    }
    world.drop_document(&supplier("acme"), "s-9", Digest::of(b"on its way"));
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());

    let told = card(&place, None);
    let summary = &told.summary;
    assert_eq!((summary.documents, summary.accepted, summary.rejected), (8, 5, 3));
    assert_eq!((summary.unanswered, summary.newest_sbom), (1, Some(at(40))));
    assert_eq!(summary.last_grade.as_deref(), Some("F"));
    let rules: Vec<_> = told.rejections.iter().map(|it| (it.rule.as_str(), it.documents)).collect();
    assert_eq!(rules, [("SUP-003", 2), ("schema", 1)]);
    let grades: Vec<_> = told.grades.iter().map(|it| it.grade.as_str()).collect();
    assert_eq!(grades, ["F", "F", "F", "C", "A", "A", "C", "C"], "the newest first");
    assert_eq!((told.grades[4].ingested_at, told.grades[4].result.as_str()), (at(30), "accepted"));
    let products: Vec<_> = told
        .products
        .iter()
        .map(|it| (it.parsed.product.as_deref(), it.document, it.ingested_at, it.documents))
        .collect();
    let widget = (Some("widget"), of("widget", "2"), at(20), 3);
    assert_eq!(products, [(Some("gadget"), of("widget", "4"), at(15), 1), widget]);
    assert_eq!(told.more, 0);

    let lately = card(&place, Some(50));
    assert_eq!((lately.summary.documents, lately.summary.accepted), (3, 0));
    assert_eq!((lately.grades.len(), lately.products.len()), (3, 2));
    assert_eq!(lately.summary.newest_sbom, Some(at(40)), "how fresh it is does not depend on it");
}

#[test]
fn lists_are_bounded_and_say_what_they_leave_out() {
    let mut world = World::default();
    let count = MAX_LISTED + 5;
    for number in 0..count {
        let (name, product) = (format!("s-{number}"), format!("product {number}"));
        let second = 10 + number as i64;
        send(&mut world, &name, &Sent { document: &name, product: &product, second, ..WIDGET });
    }
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());

    let told = card(&place, None);

    assert_eq!((told.grades.len(), told.products.len(), told.more), (MAX_LISTED, MAX_LISTED, 10));
    assert_eq!(told.products[0].ingested_at, at(10), "the stalest first");
    assert_eq!(told.grades[0].ingested_at, at(10 + count as i64 - 1), "the newest first");
    let answer = serde_json::to_vec(&told).expect("encodes");
    assert_eq!(serde_json::from_slice::<Scorecard>(&answer).expect("decodes"), told);
    assert!(answer.len() < 200_000, "{}", answer.len());
}

#[test]
fn suppliers_come_in_pages_and_nobody_else_among_them() {
    let mut world = World::default();
    let operator = events::Sender::Operator("a-project".parse().expect("valid"));
    world.supply(&operator, "s-1", Digest::of(b"vex"), Accepted);
    let name = |number: usize| format!("supplier-{number:04}");
    for number in 0..PAGE + 3 {
        world.supply(&supplier(&name(number)), "s-1", Digest::of(b"sbom"), Accepted);
    }
    let place = Place::new();
    let _registry = place.recorded(&world.in_order());

    let page = |after: Option<&str>| {
        let after: Option<SupplierId> = after.map(|it| it.parse().expect("valid"));
        let page = place.view().suppliers(after.as_ref(), None).expect("answers");
        page.into_iter().map(|it| it.supplier).collect::<Vec<_>>()
    };
    assert_eq!(page(None), (0..PAGE).map(name).collect::<Vec<_>>());
    assert_eq!(page(Some(&name(PAGE - 1))), (PAGE..PAGE + 3).map(name).collect::<Vec<_>>());
    assert!(page(Some("supplier-9999")).is_empty());
    let nobody = "a-project".parse().expect("valid");
    assert_eq!(place.view().scorecard(&nobody, None).expect("answers"), None);
    assert_eq!(place.view().newest_sboms(2).expect("answers").len(), 2);
}
