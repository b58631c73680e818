//! Lives of entries by chance, with faults and deaths by chance: one ticket each, told once, where it should be.

use std::collections::BTreeMap;

use fastrand::Rng;
use private_github::{Fault, Operation};
use tickets::{Desired, Wanted};

use crate::place::{Place, note, wanted};

/// Those that answer; what is silent costs time, and is the same to who hears nothing.
const FAULTS: [Fault; 8] = [
    Fault::Status(500),
    Fault::Status(503),
    Fault::RetryAfter(429, 30),
    Fault::Secondary,
    Fault::Spent(900),
    Fault::AnswerLost,
    Fault::AnswerLost,
    Fault::Cut,
];
const OPERATIONS: [Operation; 5] =
    [Operation::List, Operation::Create, Operation::Edit, Operation::Comment, Operation::Comments];
const SEEDS: u64 = 40;
const ROUNDS: usize = 12;

/// The entry moves: to another state, or to other words.
fn move_on(entry: &mut Wanted, round: usize, rng: &mut Rng) {
    if rng.bool() {
        entry.body = format!("{} is as in round {round}.", entry.entry);
        return;
    }
    let states = [Desired::Open, Desired::Done, Desired::NotPlanned];
    let others: Vec<_> = states.into_iter().filter(|it| *it != entry.state).collect();
    entry.state = others[rng.usize(..others.len())];
    entry.change = note(&format!("{} {:?} in round {round}", entry.entry, entry.state));
}

async fn live(seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut place = Place::new();
    place.server.set_lag(rng.u32(..2));
    let mut entries = ["a", "b", "c", "d"].map(wanted);
    let mut was_open = BTreeMap::new();
    for round in 0..ROUNDS {
        for entry in &mut entries {
            if round > 0 && rng.u8(..3) == 0 {
                move_on(entry, round, &mut rng);
            }
            *was_open.entry(entry.entry.clone()).or_insert(false) |= entry.state.is_open();
        }
        if rng.u8(..3) > 0 {
            let operation = OPERATIONS[rng.usize(..OPERATIONS.len())];
            place.server.fail(operation, FAULTS[rng.usize(..FAULTS.len())], rng.u32(1..3));
        }
        let dies = (rng.u8(..3) == 0).then(|| rng.u32(..8));
        place.book.die_after(dies);
        let ended = place.try_run(&entries).await;
        place.book.die_after(None);
        if ended.is_err() || rng.u8(..4) == 0 {
            place.restart();
        }
    }
    place.settle(&entries).await;
    let issues = place.ours();
    for entry in &entries {
        let marker = entry.key.marker();
        let ours: Vec<_> = issues.iter().filter(|it| it.body.contains(&marker)).collect();
        // What was closed before it could be asked for has none.
        let expected =
            if entry.state.is_open() { 1..=1 } else { 0..=usize::from(was_open[&entry.entry]) };
        assert!(expected.contains(&ours.len()), "seed {seed}, {expected:?}: {ours:#?}");
        let [issue] = ours[..] else { continue };
        assert_eq!(issue.open, entry.state.is_open(), "seed {seed}: {issue:#?}");
        if issue.open {
            assert!(issue.body.starts_with(&entry.body), "seed {seed}: {issue:#?}");
        }
    }
    let mut told: Vec<String> = place.server.comments().into_iter().map(|it| it.body).collect();
    told.sort();
    let count = told.len();
    told.dedup();
    assert_eq!(told.len(), count, "seed {seed}: something was told twice: {told:#?}");
}

#[tokio::test]
async fn whatever_happens_each_entry_has_one_ticket_where_it_should_be() {
    for seed in 0..SEEDS {
        live(seed).await;
    }
}
