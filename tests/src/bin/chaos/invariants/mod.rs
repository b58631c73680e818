//! What must hold after everything that went wrong.

mod archive;
mod backlog;
mod events;
mod processes;
mod quarantine;
mod receipts;
mod registry;
mod standing;
mod steps;
mod verdicts;

use std::collections::BTreeSet;

use ::events::Digest;
use advisories::Index;
use attestation::Trust;
use bus::Settled;

pub(crate) use self::events::{DropStory, Stories, Story};
use crate::{area::Area, fleet::Fleet, steps::Hits, streams::Streams, work::Work};

/// A promise, what was counted, and what broke it.
pub(crate) struct Invariant {
    /// The promise.
    pub(crate) name: &'static str,
    /// What was counted.
    pub(crate) numbers: String,
    /// Each breach, with ids.
    pub(crate) broken: Vec<String>,
}

/// What must be one for each submission, and what must not be at all.
pub(crate) struct Headline {
    /// Subjects of submissions on which a receipt lies.
    pub(crate) receipts: usize,
    /// Rows of suppliers' documents in the registry beyond one for each document and sender.
    pub(crate) duplicates: usize,
    /// Documents in the archive that no event names.
    pub(crate) orphans: usize,
}

/// What was counted, and what is wrong with it.
type Counted = (String, Vec<String>);

impl Invariant {
    /// What cannot be asked cannot be relied on.
    fn of(name: &'static str, counted: anyhow::Result<Counted>) -> Self {
        let unasked = |error: anyhow::Error| ("not known".to_owned(), vec![format!("{error:#}")]);
        let (numbers, broken) = counted.unwrap_or_else(unasked);
        Self { name, numbers, broken }
    }
}

/// What is left of a run, to be judged.
pub(crate) struct Remains<'a> {
    /// Where it took place.
    pub(crate) area: &'a Area,
    /// What was submitted.
    pub(crate) work: &'a Work,
    /// Who is trusted to sign.
    pub(crate) keys: &'a Trust,
    /// The advisories that the backlog mapper had.
    pub(crate) advisories: &'a Index,
    /// Every policy that the gate may have judged by.
    pub(crate) policies: BTreeSet<Digest>,
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
    /// Kills at steps of a submission.
    pub(crate) hits: &'a Hits,
    /// How many there had to be of each.
    pub(crate) kills_per_step: usize,
}

/// Judges everything.
pub(crate) async fn check(remains: &Remains<'_>) -> anyhow::Result<(Vec<Invariant>, Headline)> {
    let (events, stories) = events::check(remains.work, remains.streams);
    let steps =
        (remains.kills_per_step > 0).then(|| steps::check(remains.hits, remains.kills_per_step));
    let (documents, orphans) = archive::documents(remains, &stories)?;
    let duplicates = registry::duplicates(remains)?;
    let headline = Headline { receipts: receipts::count(remains), duplicates, orphans };
    let promises = vec![
        events,
        verdicts::check(remains, &stories.builds),
        receipts::check(remains, &stories),
        quarantine::check(remains.streams),
        documents,
        archive::claims(remains, &stories)?,
        standing::check(remains, &stories)?,
        backlog::entries(remains, &stories),
        backlog::order(remains, &stories),
        registry::accounts(remains),
        registry::rebuilt(remains, &stories).await,
        processes::deaths(remains.fleet),
        processes::memory(remains.fleet, remains.broker_peak),
    ];
    Ok((steps.into_iter().chain(promises).collect(), headline))
}
