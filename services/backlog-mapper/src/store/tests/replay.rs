//! A document that comes again, by another event.

use super::*;
use crate::testing::operator;

/// What `arrival` brings, once more.
pub(super) fn again(arrival: &Arrival, number: u128, time: Timestamp) -> Arrival {
    let mut again = Arrival { event: event(number), time, ..arrival.clone() };
    if let Content::Vex(document) = &mut again.content {
        document.time = time;
    }
    again
}

/// What is there after `arrivals`, the same in whatever order they come.
pub(super) fn after(arrivals: &[Arrival]) -> (Place, Vec<BacklogMapped>) {
    let tell = |order: &[Arrival]| {
        let place = Place::new();
        let store = place.open();
        let answers = order.iter().map(|it| record(&store, it)).collect();
        (place, answers)
    };
    let (place, answers) = tell(arrivals);
    for order in permutations(arrivals) {
        let events: Vec<_> = order.iter().map(|it| it.event.as_u128()).collect();
        assert_eq!(tell(&order).0.dump(), place.dump(), "{events:?}");
    }
    (place, answers)
}

/// How many findings count now.
pub(super) fn open_findings(place: &Place) -> u64 {
    let counts = place.reader().counts().expect("reads");
    counts.into_iter().filter(|((_, state), _)| state == "open").map(|(_, count)| count).sum()
}

#[test]
fn suppliers_old_document_does_not_become_the_newest() {
    let widget = supplier("acme", "widget");
    let vulnerable = sbom(1, day(1), &widget, &[JINJA]);
    let fixed = sbom(2, day(2), &widget, &[JINJA_FIXED]);
    let (place, answers) = after(&[vulnerable.clone(), fixed, again(&vulnerable, 3, day(3))]);
    assert_eq!((answers[2].findings, &answers[2].opened), (2, &vec![]), "it is told about itself");
    assert_eq!(open_findings(&place), 0);

    let old = sbom(1, day(1), &widget, &[JINJA_FIXED]);
    let newer = sbom(2, day(2), &widget, &[JINJA]);
    let (place, answers) = after(&[old.clone(), newer, again(&old, 3, day(3))]);
    assert_eq!(answers[2].closed, [], "nor does it close anything");
    assert_eq!(open_findings(&place), 2);
}

#[test]
fn build_that_is_made_again_is_the_newest() {
    let ours = project("hotpass");
    let vulnerable = sbom(1, day(1), &ours, &[JINJA]);
    let fixed = sbom(2, day(2), &ours, &[JINJA_FIXED]);
    let (place, answers) = after(&[vulnerable.clone(), fixed, again(&vulnerable, 3, day(3))]);
    assert_eq!((answers[2].findings, &answers[2].opened), (2, &answers[0].opened));
    assert_eq!(open_findings(&place), 2);
}

#[test]
fn old_statement_that_is_sent_again_does_not_get_the_last_word() {
    for from in [acme(), operator("acme"), operator("operator")] {
        let says = |number, at, status| {
            vex(number, says(from.clone(), day(at), status, &["CVE-2024-7804"], TORCH))
        };
        let harmless = says(2, 2, "not_affected");
        let (place, _) = after(&[
            sbom(1, day(1), &supplier("acme", "widget"), &[TORCH]),
            harmless.clone(),
            says(3, 3, "affected"),
            again(&harmless, 4, day(4)),
        ]);
        assert_eq!(open_findings(&place), 3, "{from}");
    }
}
