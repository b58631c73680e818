//! Where builds and drops without an answer were last seen, and who had them.

use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
};

use async_nats::jetstream::Context;
use events::Record;
use uuid::Uuid;

use crate::streams::{LaneState, Streams, matches};

/// Most that are named.
const NAMED: usize = 10;

/// A text about everything of `names` that did not end.
pub(crate) async fn of(
    jetstream: &Context,
    names: &HashMap<Uuid, String>,
    ended: &HashSet<Uuid>,
) -> anyhow::Result<String> {
    let streams = Streams::read(jetstream).await?;
    let missing = names.iter().filter(|(id, _)| !ended.contains(id));
    let (mut submitted, waiting): (Vec<_>, Vec<_>) =
        missing.partition(|(id, _)| last_seen(&streams, **id).is_some());
    submitted.sort();
    let mut text = format!(
        "{} ended, {} are under way, {} were not submitted yet",
        ended.len(),
        submitted.len(),
        waiting.len()
    );
    for (id, name) in submitted.into_iter().take(NAMED) {
        let Some(record) = last_seen(&streams, *id) else { continue };
        // Writing to a String cannot fail.
        write!(text, "\n  {name} ({id}): last seen as {}", record.position()).unwrap_or_default();
        for lane in streams.lanes.iter().filter(|it| it.takes(record)) {
            write!(text, "; {}", lane.says_of(record)).unwrap_or_default();
        }
        for (worker, position, attempts) in &streams.attempts {
            if *position == record.position() && attempts.failed > 0 {
                let (failed, reason) = (attempts.failed, &attempts.reason);
                write!(text, "; {failed} attempts failed at {worker}: {reason}")
                    .unwrap_or_default();
            }
        }
    }
    for lane in streams.lanes.iter().filter(|it| it.waiting + it.in_hand > 0) {
        let LaneState { name, waiting, in_hand, floor, .. } = lane;
        write!(text, "\n  {name}: {waiting} wait, {in_hand} in hand, settled up to {floor}")
            .unwrap_or_default();
    }
    Ok(text)
}

/// The last event of a build or drop.
fn last_seen(streams: &Streams, correlation: Uuid) -> Option<&Record> {
    let correlation = correlation.to_string();
    let of_it = |it: &&Record| it.subject.ends_with(&correlation);
    let records = streams.stages.values().flatten().filter(of_it);
    records.max_by_key(|it| it.stored_at)
}

impl LaneState {
    fn takes(&self, record: &Record) -> bool {
        self.stream == record.stream && self.filters.iter().any(|it| matches(it, &record.subject))
    }

    fn says_of(&self, record: &Record) -> String {
        let name = &self.name;
        match record.sequence <= self.settled_up_to() {
            true => format!("{name} acknowledged it, and nothing followed"),
            false => format!("{name} has not acknowledged it"),
        }
    }

    /// With nothing in hand the broker may leave the floor behind what was acknowledged.
    fn settled_up_to(&self) -> u64 {
        if self.in_hand == 0 { self.floor.max(self.delivered) } else { self.floor }
    }
}
