//! Nothing is proven by kills that did not happen where they should.

use super::Invariant;
use crate::steps::{Hits, Step, Victim};

/// Every victim died at every step, `times` at least.
pub(super) fn check(hits: &Hits, times: usize) -> Invariant {
    let mut broken = Vec::new();
    for step in Step::ALL {
        for victim in Victim::ALL {
            let count = hits.get(&(step, victim)).copied().unwrap_or_default();
            if count < times {
                broken.push(format!("{victim} died {count} times of {times} at: {step}"));
            }
        }
    }
    let kills: usize = hits.values().sum();
    let numbers = format!("{kills} kills, at each of {} steps {times} of each", Step::ALL.len());
    Invariant { name: "supplier-ingest and broker died at every step", numbers, broken }
}
