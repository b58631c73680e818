//! Nothing was set aside, and nothing failed but by crashes.

use events::Quarantined;

use super::Invariant;
use crate::streams::Streams;

/// What a worker writes ahead of a second attempt, and finds when the first one died with it.
const CRASHED: &str = "the worker died while handling the event";

/// Entries in quarantine, and attempts that failed for another reason than a crash.
pub(super) fn check(streams: &Streams) -> Invariant {
    let entry = |it: &Quarantined| {
        let Quarantined { worker, reason, detail, position, .. } = it;
        format!("{worker} set {position} aside: {reason}: {detail}")
    };
    let mut broken: Vec<String> = streams.quarantine.iter().map(entry).collect();
    let mut crashes = 0;
    for (worker, position, attempts) in &streams.attempts {
        match attempts.reason.as_str() {
            _ if attempts.failed == 0 => {}
            CRASHED => crashes += attempts.failed,
            reason => broken.push(format!(
                "{worker} failed {} times at {position}, and not by a crash: {reason}",
                attempts.failed
            )),
        }
    }
    let numbers =
        format!("{} entries; {crashes} attempts spent, all by crashes", streams.quarantine.len());
    Invariant { name: "nothing quarantined, attempts only by crashes", numbers, broken }
}
