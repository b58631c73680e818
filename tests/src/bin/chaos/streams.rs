//! What lies in the streams, read without the library under test.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context as _;
use async_nats::{
    ConnectOptions,
    jetstream::{self, Context, stream::DirectGetErrorKind},
};
use events::{
    ATTEMPTS_STREAM, AdvisoriesUpdated, Attempts, BacklogMapped, BuildCompleted, DocumentSubmitted,
    EvidenceReady, EvidenceSigned, Position, QUARANTINE_STREAM, Quarantined, Record, stage_stream,
};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

/// Messages that are asked for at once.
const AT_ONCE: usize = 32;

/// Signed receipts.
pub(crate) const RECEIPTS_STREAM: &str = "ATTESTRY_RECEIPTS";
/// What the name of a supplier's stream begins with.
const INGEST_PREFIX: &str = "ATTESTRY_INGEST_";

/// Everything that the streams hold, and how far its handlers are.
pub(crate) struct Streams {
    /// The stage streams by name, each in order.
    pub(crate) stages: BTreeMap<String, Vec<Record>>,
    /// Receipts that were laid out.
    pub(crate) receipts: Vec<Record>,
    /// Entries in quarantine.
    pub(crate) quarantine: Vec<Quarantined>,
    /// Failures that are remembered: worker, event, count and reason.
    pub(crate) attempts: Vec<(String, Position, Attempts)>,
    /// Every lane of every worker.
    pub(crate) lanes: Vec<LaneState>,
}

/// How far a worker is in one lane.
pub(crate) struct LaneState {
    /// `<worker>-<priority>`.
    pub(crate) name: String,
    /// The stream it reads.
    pub(crate) stream: String,
    /// The subjects it reads there.
    pub(crate) filters: Vec<String>,
    /// Everything up to here is acknowledged.
    pub(crate) floor: u64,
    /// Events that nobody was given yet.
    pub(crate) waiting: u64,
    /// Events that somebody was given and has not settled.
    pub(crate) in_hand: u64,
    /// Last event that somebody was given.
    pub(crate) delivered: u64,
    /// Deliveries so far.
    pub(crate) deliveries: u64,
    /// Events on the lane's subjects, as far as the stream was read.
    pub(crate) events: u64,
}

/// A connection of our own.
pub(crate) async fn connect(url: &str) -> anyhow::Result<Context> {
    let options = ConnectOptions::new().reconnect_delay_callback(|_| Duration::from_millis(100));
    let client = options.connect(url).await.with_context(|| format!("cannot connect to {url}"))?;
    Ok(jetstream::new(client))
}

impl Streams {
    /// Reads everything.
    pub(crate) async fn read(jetstream: &Context) -> anyhow::Result<Self> {
        let mut stages = BTreeMap::new();
        for name in stage_names() {
            stages.insert(name.clone(), records(jetstream, &name).await?);
        }
        let quarantine = records(jetstream, QUARANTINE_STREAM).await?;
        let entries = quarantine.iter().filter(|it| Quarantined::read_ended(it).is_none());
        let attempts = records(jetstream, ATTEMPTS_STREAM).await?;
        Ok(Self {
            quarantine: entries.map(Quarantined::read).collect(),
            attempts: attempts.iter().filter_map(Attempts::read).collect(),
            receipts: records(jetstream, RECEIPTS_STREAM).await?,
            lanes: lanes(jetstream, &stages).await?,
            stages,
        })
    }

    /// Deliveries of events beyond the first of each.
    pub(crate) fn redeliveries(&self) -> u64 {
        let lanes = self.lanes.iter().filter(|it| self.stages.contains_key(&it.stream));
        lanes.map(|it| it.deliveries.saturating_sub(it.events)).sum()
    }
}

/// Names of the stage streams in the order in which they are passed.
fn stage_names() -> [String; 6] {
    [
        stage_stream::<BuildCompleted>(),
        stage_stream::<DocumentSubmitted>(),
        stage_stream::<AdvisoriesUpdated>(),
        stage_stream::<EvidenceReady>(),
        stage_stream::<EvidenceSigned>(),
        stage_stream::<BacklogMapped>(),
    ]
}

/// Names of the suppliers' streams.
async fn door_names(jetstream: &Context) -> anyhow::Result<Vec<String>> {
    let names: Vec<String> = jetstream.stream_names().try_collect().await?;
    Ok(names.into_iter().filter(|it| it.starts_with(INGEST_PREFIX)).collect())
}

/// Whether every worker has settled every event; an error while the broker is away.
pub(crate) async fn all_settled(jetstream: &Context) -> anyhow::Result<bool> {
    let lanes = lanes(jetstream, &BTreeMap::new()).await?;
    Ok(!lanes.is_empty() && lanes.iter().all(|it| it.waiting == 0 && it.in_hand == 0))
}

async fn lanes(
    jetstream: &Context,
    stages: &BTreeMap<String, Vec<Record>>,
) -> anyhow::Result<Vec<LaneState>> {
    let mut lanes = Vec::new();
    for name in stage_names().into_iter().chain(door_names(jetstream).await?) {
        let stream = jetstream.get_stream(&name).await?;
        let mut consumers = stream.consumers();
        while let Some(info) = consumers.try_next().await? {
            // Whoever reads without a durable, as the registrar does, has no lane.
            if info.config.durable_name.is_none() {
                continue;
            }
            let mut filters = info.config.filter_subjects;
            filters.extend(Some(info.config.filter_subject).filter(|it| !it.is_empty()));
            let records = stages.get(&name).map_or(&[][..], Vec::as_slice);
            let is_meant = |it: &&Record| filters.iter().any(|filter| matches(filter, &it.subject));
            let events = records.iter().filter(is_meant).count();
            lanes.push(LaneState {
                name: info.name,
                stream: name.clone(),
                filters,
                floor: info.ack_floor.stream_sequence,
                waiting: info.num_pending,
                in_hand: info.num_ack_pending as u64,
                delivered: info.delivered.stream_sequence,
                deliveries: info.delivered.consumer_sequence,
                events: events as u64,
            });
        }
    }
    Ok(lanes)
}

/// Whether a subject is one that the filter means.
pub(crate) fn matches(filter: &str, subject: &str) -> bool {
    let mut tokens = subject.split('.');
    for wanted in filter.split('.') {
        match (wanted, tokens.next()) {
            (">", Some(_)) => return true,
            ("*", Some(_)) => {}
            (wanted, Some(token)) if wanted == token => {}
            _ => return false,
        }
    }
    tokens.next().is_none()
}

async fn records(jetstream: &Context, name: &str) -> anyhow::Result<Vec<Record>> {
    let stream = jetstream.get_stream(name).await.with_context(|| format!("no stream {name}"))?;
    let state = &stream.cached_info().state;
    let sequences = state.first_sequence.max(1)..=state.last_sequence;
    let read =
        stream::iter(sequences).map(async |sequence| match stream.direct_get(sequence).await {
            Ok(message) => Ok(Some(Record {
                stream: name.to_owned(),
                sequence,
                subject: message.subject.to_string(),
                stored_at: Timestamp::from_nanosecond(message.time.unix_timestamp_nanos())?,
                headers: message.headers.iter().filter_map(first_value).collect(),
                payload: message.payload.into(),
            })),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(error).with_context(|| format!("cannot read message {sequence} of {name}"))
            }
        });
    let read = read.buffered(AT_ONCE).try_filter_map(async |it: Option<Record>| Ok(it));
    read.try_collect().await
}

fn first_value(
    (name, values): (&async_nats::HeaderName, &Vec<async_nats::HeaderValue>),
) -> Option<(String, String)> {
    Some((name.to_string(), values.first()?.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_mean_what_the_broker_means() {
        for (filter, subject, meant) in [
            ("a.*.c.>", "a.b.c.d", true),
            ("a.*.c.>", "a.b.c.d.e", true),
            ("a.*.c.>", "a.b.c", false),
            ("a.*.c", "a.b.c.d", false),
            ("a.*.c", "a.b.x", false),
        ] {
            assert_eq!(matches(filter, subject), meant, "{filter} {subject}");
        }
    }
}
