//! What a run says of itself: a table for people, JSON for machines.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::invariants::Invariant;

/// Most breaches of one invariant that are printed.
const PRINTED: usize = 10;

/// What was done, and what held.
pub(crate) struct Report {
    /// The seed.
    pub(crate) seed: u64,
    /// Builds submitted.
    pub(crate) builds: usize,
    /// Replicas of each service.
    pub(crate) replicas: usize,
    /// From the first submit to the last verdict.
    pub(crate) took: Duration,
    /// Faults by kind.
    pub(crate) faults: BTreeMap<String, usize>,
    /// Files that power failures took.
    pub(crate) files_lost: usize,
    /// Deliveries beyond the first of each event, as far as the broker remembers.
    pub(crate) redeliveries: u64,
    /// Every promise.
    pub(crate) invariants: Vec<Invariant>,
}

impl Report {
    /// Whether every promise held.
    pub(crate) fn holds(&self) -> bool {
        self.invariants.iter().all(|it| it.broken.is_empty())
    }

    /// Builds per second.
    fn rate(&self) -> f64 {
        self.builds as f64 / self.took.as_secs_f64()
    }

    /// Kills of services and broker.
    fn kills(&self) -> usize {
        let kills = self.faults.iter().filter(|(kind, _)| kind.starts_with("kill "));
        kills.map(|(_, count)| count).sum()
    }

    /// For people.
    pub(crate) fn print(&self) {
        println!("\nFaults");
        for (kind, count) in &self.faults {
            println!("  {count:>5}  {kind}");
        }
        println!(
            "\n{} builds in {:.1} s ({:.1}/s), {} kills, {} redeliveries, {} unsynced files lost",
            self.builds,
            self.took.as_secs_f64(),
            self.rate(),
            self.kills(),
            self.redeliveries,
            self.files_lost,
        );
        println!("\nInvariants");
        for Invariant { name, numbers, broken } in &self.invariants {
            let mark = if broken.is_empty() { "holds " } else { "BROKEN" };
            println!("  {mark}  {name}: {numbers}");
            for breach in broken.iter().take(PRINTED) {
                println!("            {breach}");
            }
            if broken.len() > PRINTED {
                println!("            and {} more", broken.len() - PRINTED);
            }
        }
    }

    /// For machines.
    pub(crate) fn json(&self) -> Value {
        let invariant = |Invariant { name, numbers, broken }: &Invariant| json!({ "name": name, "holds": broken.is_empty(), "numbers": numbers, "broken": broken });
        json!({
            "seed": self.seed,
            "builds": self.builds,
            "replicas": self.replicas,
            "kills": self.kills(),
            "seconds": self.took.as_secs_f64(),
            "builds_per_second": self.rate(),
            "faults": self.faults,
            "files_lost": self.files_lost,
            "redeliveries": self.redeliveries,
            "holds": self.holds(),
            "invariants": self.invariants.iter().map(invariant).collect::<Vec<_>>(),
        })
    }
}
