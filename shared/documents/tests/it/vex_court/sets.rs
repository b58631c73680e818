//! Any set of documents: what order they come in, and how often, changes nothing.

use documents::vex::{Authority, Court, Source, Status};
use jiff::SignedDuration;
use proptest::prelude::*;

use super::{ASKED, AUTHORITIES, FORMATS, STATUSES, Told, day, days, ruling, told};

/// A document, and its sender's authority.
#[derive(Clone, Debug)]
struct Sent {
    format: usize,
    status: Status,
    said: i64,
    version: u64,
    authority: Authority,
}

fn sent() -> impl Strategy<Value = Sent> {
    // Some are of the future, many of one day.
    let said = prop_oneof![Just(90_i64), 80..ASKED + 5];
    let what = (0..FORMATS.len(), 0..STATUSES.len(), said, 1..4_u64);
    (what, 0..AUTHORITIES.len()).prop_map(|((format, status, said, version), authority)| Sent {
        format,
        status: STATUSES[status],
        said,
        version,
        authority: AUTHORITIES[authority],
    })
}

/// Places in a set, each at least once.
fn order(count: usize) -> impl Strategy<Value = Vec<usize>> {
    let again = prop::collection::vec(0..count, 0..4);
    again.prop_flat_map(move |again| {
        Just((0..count).chain(again).collect::<Vec<usize>>()).prop_shuffle()
    })
}

fn sets() -> impl Strategy<Value = (Vec<Sent>, Vec<usize>, Vec<usize>)> {
    prop::collection::vec(sent(), 1..7).prop_flat_map(|set| {
        let count = set.len();
        (Just(set), order(count), order(count))
    })
}

/// What is ruled after the documents came in this order, each an hour after the other.
fn after(all: &[(Told, Source)], order: &[usize]) -> String {
    let mut court = Court::default();
    for (hour, &which) in (0..).zip(order) {
        let (document, source) = &all[which];
        let accepted = day(ASKED) + SignedDuration::from_hours(hour);
        document.tell(&mut court, Source { accepted, ..source.clone() });
    }
    told(&ruling(&court, day(ASKED + 20)))
}

proptest! {
    #[test]
    fn order_and_repetition_change_no_ruling((set, one, other) in sets(), valid_for in 1..40_i64) {
        let all: Vec<(Told, Source)> = set
            .iter()
            .map(|it| {
                let document = Told::of(&FORMATS[it.format](it.status, day(it.said), it.version));
                let source = document.source(it.authority, day(ASKED));
                let valid_for = (it.authority == Authority::Supplier).then(|| days(valid_for));
                (document, Source { valid_for, ..source })
            })
            .collect();
        prop_assert_eq!(after(&all, &one), after(&all, &other));
    }
}
