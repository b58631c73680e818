//! Which of a product's documents is the newest.
//!
//! A build is as new as it is made. A supplier's document is as new as it says: who sends an old one
//! late, or again under another digest, does not bring it back.

use std::collections::BTreeMap;

use events::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    slot::{Slot, SlotKind},
    timeline::Observation,
};

/// How new a document is among those of its product; the highest is the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    made: Timestamp,
    version: u64,
    time: Timestamp,
    document: Digest,
    event: Uuid,
}

/// The rank of each of `observations`, which are all that is known about `slot`: a function of the set,
/// in whatever order they came.
///
/// Of a serial number the higher version is newer (CycloneDX, `version`), whatever its date; of
/// different ones that with the later timestamp. A document without one, or with one later than its
/// ingestion, is of the time when it was ingested: nobody stays newest by a date in the future.
pub(crate) fn ranks(slot: &Slot, observations: &[Observation]) -> Vec<Rank> {
    let mut ranks: Vec<Rank> = observations.iter().map(|it| rank(slot, it)).collect();
    if slot.kind == SlotKind::Supplier {
        for of_serial in by_serial(observations).values_mut() {
            of_serial.sort_by_key(|at| ranks[*at].version);
            raise(&mut ranks, of_serial);
        }
    }
    ranks
}

fn rank(slot: &Slot, observation: &Observation) -> Rank {
    let Observation { time, document, event, facts, .. } = observation;
    let (made, version) = match slot.kind {
        SlotKind::Project => (*time, 0),
        SlotKind::Supplier => {
            (facts.timestamp.map_or(*time, |it| it.min(*time)), facts.bom_version)
        }
    };
    Rank { made, version, time: *time, document: *document, event: *event }
}

/// Where the documents of each serial number are.
fn by_serial(observations: &[Observation]) -> BTreeMap<String, Vec<usize>> {
    let mut places: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, observation) in observations.iter().enumerate() {
        if let Some(serial) = &observation.facts.serial {
            places.entry(serial.to_ascii_lowercase()).or_default().push(at);
        }
    }
    places
}

/// Makes each of `places`, which are in the order of their versions, as new as the newest of a lower
/// version, so that the version decides between the two.
fn raise(ranks: &mut [Rank], places: &[usize]) {
    let (mut lower, mut same): (Option<Timestamp>, Option<(u64, Timestamp)>) = (None, None);
    for at in places {
        let Rank { made, version, .. } = ranks[*at];
        let newest = match same {
            Some((of, newest)) if of == version => newest.max(made),
            before => {
                lower = lower.max(before.map(|(_, newest)| newest));
                made
            }
        };
        same = Some((version, newest));
        ranks[*at].made = lower.map_or(made, |it| it.max(made));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        inventory::Facts,
        testing::{day, event, project, supplier},
    };

    /// A document by its number, ingested on a day, of a serial number and version, made on a day.
    fn document(
        number: u128,
        ingested: i64,
        serial: Option<&str>,
        version: u64,
        made: Option<i64>,
    ) -> Observation {
        let facts = Facts {
            serial: serial.map(str::to_owned),
            bom_version: version,
            timestamp: made.map(day),
            ..Facts::default()
        };
        let digest = Digest::of(format!("document {number}").as_bytes());
        let (time, event, found) = (day(ingested), event(number), Arc::default());
        Observation { time, document: digest, event, inventory: digest, facts, found }
    }

    /// The numbers of the documents, the newest first, the same in whatever order they are given.
    fn newest_first(slot: &Slot, observations: &[Observation]) -> Vec<u128> {
        let of = |observations: &[Observation]| {
            let mut ranked: Vec<_> =
                ranks(slot, observations).into_iter().zip(observations).collect();
            ranked.sort_by(|(a, _), (b, _)| b.cmp(a));
            ranked.iter().map(|(_, it)| it.event.as_u128()).collect::<Vec<_>>()
        };
        let expected = of(observations);
        let mut turned = observations.to_vec();
        for _ in 0..observations.len() {
            turned.rotate_left(1);
            assert_eq!(of(&turned), expected);
            let backwards: Vec<_> = turned.iter().rev().cloned().collect();
            assert_eq!(of(&backwards), expected);
        }
        expected
    }

    #[test]
    fn version_decides_within_a_serial_number_and_time_between_two() {
        let (acme, one, other) =
            (supplier("acme", "widget"), Some("urn:uuid:1"), Some("urn:uuid:2"));
        let later_version_came_first =
            [document(1, 1, one, 2, Some(1)), document(2, 2, one, 1, Some(1))];
        assert_eq!(newest_first(&acme, &later_version_came_first), [1, 2]);
        let higher_version_is_dated_earlier =
            [document(1, 5, Some("URN:UUID:1"), 2, Some(1)), document(2, 6, one, 1, Some(3))];
        assert_eq!(newest_first(&acme, &higher_version_is_dated_earlier), [1, 2]);
        let other_serial = [document(1, 1, one, 7, Some(1)), document(2, 2, other, 1, Some(0))];
        assert_eq!(newest_first(&acme, &other_serial), [1, 2]);
        let same_version = [document(1, 5, one, 1, Some(3)), document(2, 6, one, 1, Some(2))];
        assert_eq!(newest_first(&acme, &same_version), [1, 2]);
        // By pairs they would go in a circle.
        let circle = [
            document(1, 5, one, 2, Some(1)),
            document(2, 5, other, 1, Some(2)),
            document(3, 5, one, 1, Some(3)),
        ];
        assert_eq!(newest_first(&acme, &circle), [1, 3, 2]);
    }

    #[test]
    fn ingestion_decides_where_a_document_does_not_say_or_says_what_cannot_be() {
        let acme = supplier("acme", "widget");
        let undated = [document(1, 1, None, 1, None), document(2, 2, None, 1, None)];
        assert_eq!(newest_first(&acme, &undated), [2, 1]);
        let from_the_future =
            [document(1, 1, None, 1, Some(1000)), document(2, 2, None, 1, Some(2))];
        assert_eq!(newest_first(&acme, &from_the_future), [2, 1]);
        let same_time = [document(1, 1, None, 1, Some(0)), document(2, 2, None, 1, Some(0))];
        assert_eq!(newest_first(&acme, &same_time), [2, 1]);
    }

    #[test]
    fn build_is_as_new_as_it_is_made() {
        let builds =
            [document(1, 1, Some("urn:uuid:1"), 9, Some(9)), document(2, 2, None, 1, None)];
        assert_eq!(newest_first(&project("hotpass"), &builds), [2, 1]);
    }
}
