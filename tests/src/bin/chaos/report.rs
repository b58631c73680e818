//! What a run says of itself: a table for people, JSON for machines.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    drops::{Drop, Flaw},
    invariants::Invariant,
    work::Work,
};

/// Most breaches of one invariant that are printed.
const PRINTED: usize = 10;

/// What was done, and what held.
pub(crate) struct Report {
    /// The seed.
    pub(crate) seed: u64,
    /// Builds submitted.
    pub(crate) builds: usize,
    /// Documents dropped.
    pub(crate) drops: Drops,
    /// Replicas of each service.
    pub(crate) replicas: usize,
    /// From the first submit to the last answer.
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

/// What suppliers dropped.
pub(crate) struct Drops {
    /// How often in all.
    submitted: usize,
    /// Broken ones by the rule that must refuse them.
    broken: BTreeMap<&'static str, usize>,
    /// How many were submitted twice.
    twice: usize,
    /// How many have several chunks.
    large: usize,
}

impl Drops {
    /// What is in `work`.
    pub(crate) fn of(work: &Work) -> Self {
        let mut broken = BTreeMap::new();
        for rule in work.drops.iter().filter_map(|it| it.flaw).map(Flaw::rule) {
            *broken.entry(rule).or_default() += 1;
        }
        let count = |is: fn(&&Drop) -> bool| work.drops.iter().filter(is).count();
        Self {
            submitted: work.drops.len(),
            broken,
            twice: count(|it| it.times > 1),
            large: count(|it| it.is_large()),
        }
    }

    fn broken(&self) -> usize {
        self.broken.values().sum()
    }
}

impl Report {
    /// Whether every promise held.
    pub(crate) fn holds(&self) -> bool {
        self.invariants.iter().all(|it| it.broken.is_empty())
    }

    /// `count` per second.
    fn rate(&self, count: usize) -> f64 {
        count as f64 / self.took.as_secs_f64()
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
        self.print_drops();
        println!(
            "\n{} builds and {} drops in {:.1} s ({:.1}/s), {} kills, {} redeliveries, {} unsynced files lost",
            self.builds,
            self.drops.submitted,
            self.took.as_secs_f64(),
            self.rate(self.builds + self.drops.submitted),
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

    fn print_drops(&self) {
        println!("\nDrops");
        let Drops { submitted, broken, twice, large } = &self.drops;
        println!("  {submitted:>5}  submitted, {twice} of them twice; {large} of several chunks");
        println!("  {:>5}  broken", self.drops.broken());
        for (rule, count) in broken {
            println!("  {count:>5}    to be refused by {rule}");
        }
    }

    /// For machines.
    pub(crate) fn json(&self) -> Value {
        let invariant = |Invariant { name, numbers, broken }: &Invariant| json!({ "name": name, "holds": broken.is_empty(), "numbers": numbers, "broken": broken });
        let Drops { submitted, broken, twice, large } = &self.drops;
        json!({
            "seed": self.seed,
            "builds": self.builds,
            "drops": {
                "submitted": submitted,
                "submitted_twice": twice,
                "large": large,
                "broken": self.drops.broken(),
                "broken_by_rule": broken,
            },
            "replicas": self.replicas,
            "kills": self.kills(),
            "seconds": self.took.as_secs_f64(),
            "builds_per_second": self.rate(self.builds),
            "drops_per_second": self.rate(*submitted),
            "faults": self.faults,
            "files_lost": self.files_lost,
            "redeliveries": self.redeliveries,
            "holds": self.holds(),
            "invariants": self.invariants.iter().map(invariant).collect::<Vec<_>>(),
        })
    }
}
