//! No process died by itself or grew without bound.

use super::Invariant;
use crate::fleet::Fleet;

/// Most memory that a process may ever hold, in MiB: a build for developers, with room.
const MEMORY_LIMIT: u64 = 600;
const KIB_PER_MIB: u64 = 1024;

/// Processes that ended although nobody made them.
pub(super) fn deaths(fleet: &Fleet) -> Invariant {
    let numbers = format!(
        "{} refused to start while the archive was away or the policy broken",
        fleet.refused_starts
    );
    Invariant { name: "no process ended by itself", numbers, broken: fleet.deaths.clone() }
}

/// The peak of every kind of process.
pub(super) fn memory(fleet: &Fleet, broker_peak: u64) -> Invariant {
    let services = fleet.peaks.iter().map(|(name, peak)| (*name, *peak));
    let peaks: Vec<(&str, u64)> = services
        .chain([("broker", broker_peak)])
        .map(|(name, kib)| (name, kib / KIB_PER_MIB))
        .collect();
    let too_much = |(name, mib): &(&str, u64)| {
        (*mib > MEMORY_LIMIT).then(|| format!("{name} held {mib} MiB, more than {MEMORY_LIMIT}"))
    };
    let broken = peaks.iter().filter_map(too_much).collect();
    let numbers: Vec<String> =
        peaks.iter().map(|(name, mib)| format!("{name} {mib} MiB")).collect();
    Invariant { name: "memory bounded", numbers: numbers.join(", "), broken }
}
