//! What must hold after everything that went wrong.

mod archive;
mod events;
mod processes;
mod quarantine;
mod registry;
mod verdicts;

use attestation::KeySet;
use bus::Settled;

pub(crate) use self::events::Story;
use crate::{area::Area, builds::Build, fleet::Fleet, streams::Streams};

/// A promise, what was counted, and what broke it.
pub(crate) struct Invariant {
    /// The promise.
    pub(crate) name: &'static str,
    /// What was counted.
    pub(crate) numbers: String,
    /// Each breach, with ids.
    pub(crate) broken: Vec<String>,
}

/// What is left of a run, to be judged.
pub(crate) struct Remains<'a> {
    /// Where it took place.
    pub(crate) area: &'a Area,
    /// What was submitted.
    pub(crate) builds: &'a [Build],
    /// Who is trusted to sign.
    pub(crate) keys: &'a KeySet,
    /// What the broker holds.
    pub(crate) streams: &'a Streams,
    /// How far every worker settled what lay in the streams, before it stopped.
    pub(crate) settled: &'a [Settled],
    /// What the registrar did not record in time.
    pub(crate) behind: &'a [String],
    /// The services, stopped.
    pub(crate) fleet: &'a Fleet,
    /// Most memory that the broker held, in KiB.
    pub(crate) broker_peak: u64,
}

/// Judges everything.
pub(crate) async fn check(remains: &Remains<'_>) -> anyhow::Result<Vec<Invariant>> {
    let (events, stories) = events::check(remains.builds, remains.streams);
    Ok(vec![
        events,
        verdicts::check(remains, &stories),
        quarantine::check(remains.streams),
        archive::documents(remains, &stories)?,
        archive::claims(remains, &stories)?,
        registry::accounts(remains),
        registry::rebuilt(remains).await,
        processes::deaths(remains.fleet),
        processes::memory(remains.fleet, remains.broker_peak),
    ])
}
