//! What a run says of itself: a table for people, JSON for machines.

use std::{collections::BTreeMap, time::Duration};

use events::DocumentKind;
use serde_json::{Value, json};

use crate::{
    drops::{Drop, Flaw},
    invariants::{Headline, Invariant},
    steps::{Hits, Step, VICTIM, Victim},
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
    /// Kills at steps of a submission.
    pub(crate) hits: Hits,
    /// What submissions left behind.
    pub(crate) headline: Headline,
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
    /// How many have an uploader that dies between chunks.
    interrupted: usize,
    /// How many are VEX.
    vex: usize,
    /// How many bring what was submitted before its chunks were there.
    second_tries: usize,
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
            interrupted: count(|it| it.interruption.is_some()),
            vex: count(|it| it.flaw.is_none() && it.kind == DocumentKind::Vex),
            second_tries: count(|it| it.after.is_some()),
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
        self.print_steps();
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
        let Headline { receipts, duplicates, orphans } = self.headline;
        println!(
            "\n{} submissions: {receipts} receipts, {duplicates} duplicates in the registry, {orphans} orphans in the archive",
            self.drops.submitted
        );
    }

    fn print_drops(&self) {
        println!("\nDrops");
        let Drops { submitted, broken, twice, large, interrupted, vex, second_tries } = &self.drops;
        println!("  {submitted:>5}  submitted, {twice} of them twice; {vex} of them VEX");
        println!("  {large:>5}  of several chunks, {interrupted} uploaders die between them");
        println!("  {second_tries:>5}  were submitted too early before, under another name");
        println!("  {:>5}  broken", self.drops.broken());
        for (rule, count) in broken {
            println!("  {count:>5}    to be refused by {rule}");
        }
    }

    fn print_steps(&self) {
        if self.hits.is_empty() {
            return;
        }
        println!("\nKills at steps{:27}{:>15} {:>8}", "", Victim::Ingest, Victim::Broker);
        for step in Step::ALL {
            let [ingest, broker] = Victim::ALL.map(|victim| self.hit(step, victim));
            println!("  {:<39}{ingest:>15} {broker:>8}", step.to_string());
        }
    }

    fn hit(&self, step: Step, victim: Victim) -> usize {
        self.hits.get(&(step, victim)).copied().unwrap_or_default()
    }

    /// For machines.
    pub(crate) fn json(&self) -> Value {
        let invariant = |Invariant { name, numbers, broken }: &Invariant| json!({ "name": name, "holds": broken.is_empty(), "numbers": numbers, "broken": broken });
        let Drops { submitted, broken, twice, large, interrupted, vex, second_tries } = &self.drops;
        let steps: Vec<Value> = Step::ALL
            .iter()
            .map(|it| json!({ "step": it.to_string(), VICTIM: self.hit(*it, Victim::Ingest), "broker": self.hit(*it, Victim::Broker) }))
            .collect();
        json!({
            "seed": self.seed,
            "builds": self.builds,
            "drops": {
                "submitted": submitted,
                "submitted_twice": twice,
                "large": large,
                "interrupted": interrupted,
                "vex": vex,
                "second_tries": second_tries,
                "broken": self.drops.broken(),
                "broken_by_rule": broken,
            },
            "replicas": self.replicas,
            "kills": self.kills(),
            "seconds": self.took.as_secs_f64(),
            "builds_per_second": self.rate(self.builds),
            "drops_per_second": self.rate(*submitted),
            "faults": self.faults,
            "kills_at_steps": steps,
            "files_lost": self.files_lost,
            "redeliveries": self.redeliveries,
            "receipts": self.headline.receipts,
            "duplicates": self.headline.duplicates,
            "orphans": self.headline.orphans,
            "holds": self.holds(),
            "invariants": self.invariants.iter().map(invariant).collect::<Vec<_>>(),
        })
    }
}
