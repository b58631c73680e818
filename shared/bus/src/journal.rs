//! Reading every stream from where a reader left off, for whoever keeps the books.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{
    self,
    consumer::{DeliverPolicy, pull::OrderedConfig},
};
use events::{
    ATTEMPTS_STREAM, AdvisoriesUpdated, BacklogMapped, BuildCompleted, DocumentSubmitted, Event,
    EvidenceReady, EvidenceResigned, EvidenceSigned, Position, Priority, QUARANTINE_STREAM, Record,
    VerdictRequested, stage_stream,
};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use tokio::{sync::mpsc, task::JoinSet};
use tracing::warn;

use crate::{
    Bus, BusError,
    watch::{first_values, stored_at},
};

/// Records that wait between the broker and the reader.
const ROOM: usize = 256;
/// Bytes that one stream may have on their way; more than one message takes.
const BYTES_ON_THEIR_WAY: i64 = 8 * 1024 * 1024;
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The last record that a reader has of a stream: its number, and when it was stored.
pub type Mark = (u64, Timestamp);

/// How far one worker has settled events of one priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The stream.
    pub stream: String,
    /// The worker.
    pub worker: String,
    /// The priority.
    pub priority: Priority,
    /// Every event up to this number was acknowledged.
    pub floor: u64,
}

/// Every record of every stream, as they are stored; in the order of its stream, each.
pub struct Journal {
    records: mpsc::Receiver<Result<Record, BusError>>,
    _tails: JoinSet<()>,
}

impl Journal {
    /// Waits for the next record, and takes up to `max` that are there. Cancel safe.
    ///
    /// An error is for good: the streams are not those that the reader knows.
    pub async fn next(&mut self, max: usize) -> Result<Vec<Record>, BusError> {
        let mut records = Vec::new();
        self.records.recv_many(&mut records, max).await;
        records.into_iter().collect()
    }
}

impl Bus {
    /// Reads every stream behind what the reader has of it, for as long as the journal lives.
    pub fn journal(&self, known: &BTreeMap<String, Mark>) -> Journal {
        let (sender, records) = mpsc::channel(ROOM);
        let mut tails = JoinSet::new();
        for stream in journaled_streams() {
            let last = known.get(&stream).copied();
            let tail = Tail { bus: self.clone(), stream, last, sender: sender.clone() };
            tails.spawn(tail.run());
        }
        Journal { records, _tails: tails }
    }

    /// Reads the stream of events of type `E` from its beginning, for as long as the journal lives.
    pub fn stage_journal<E: Event>(&self) -> Journal {
        let (sender, records) = mpsc::channel(ROOM);
        let mut tails = JoinSet::new();
        let stream = stage_stream::<E>();
        tails.spawn(Tail { bus: self.clone(), stream, last: None, sender }.run());
        Journal { records, _tails: tails }
    }

    /// Number of the last message of each stream that a journal reads, of those that hold some.
    pub async fn last_sequences(&self) -> Result<BTreeMap<String, u64>, BusError> {
        let mut last = BTreeMap::new();
        for name in journaled_streams() {
            let stream = self.jetstream.get_stream(&name).await;
            let stream =
                stream.map_err(|error| BusError::from_client("look at a stream", &error))?;
            let state = &stream.cached_info().state;
            if state.messages > 0 {
                last.insert(name, state.last_sequence);
            }
        }
        Ok(last)
    }

    /// How far each worker has settled what lies in the stages' streams.
    pub async fn settled(&self) -> Result<Vec<Settled>, BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("look at consumers", error)
        };
        let mut settled = Vec::new();
        for name in stage_streams() {
            let stream = self.jetstream.get_stream_no_info(&name).await;
            let stream = stream.map_err(|error| failed(&error))?;
            let mut consumers = stream.consumers();
            while let Some(info) = consumers.try_next().await.map_err(|error| failed(&error))? {
                settled.extend(settled_by(&name, &info));
            }
        }
        Ok(settled)
    }
}

fn settled_by(stream: &str, info: &jetstream::consumer::Info) -> Option<Settled> {
    let (worker, priority) = info.config.durable_name.as_deref()?.rsplit_once('-')?;
    let priority = Priority::ALL.into_iter().find(|it| it.as_str() == priority)?;
    let floor = match info.num_ack_pending {
        0 => info.delivered.stream_sequence,
        _ => info.ack_floor.stream_sequence,
    };
    Some(Settled { stream: stream.to_owned(), worker: worker.to_owned(), priority, floor })
}

fn stage_streams() -> [String; 8] {
    [
        stage_stream::<AdvisoriesUpdated>(),
        stage_stream::<BacklogMapped>(),
        stage_stream::<BuildCompleted>(),
        stage_stream::<DocumentSubmitted>(),
        stage_stream::<EvidenceReady>(),
        stage_stream::<EvidenceSigned>(),
        stage_stream::<EvidenceResigned>(),
        stage_stream::<VerdictRequested>(),
    ]
}

/// Names of the streams that a journal reads.
pub fn journaled_streams() -> Vec<String> {
    let others = [QUARANTINE_STREAM, ATTEMPTS_STREAM].map(str::to_owned);
    stage_streams().into_iter().chain(others).collect()
}

/// One stream, read to its end and then as it grows.
struct Tail {
    bus: Bus,
    stream: String,
    last: Option<Mark>,
    sender: mpsc::Sender<Result<Record, BusError>>,
}

impl Tail {
    async fn run(mut self) {
        loop {
            match self.read().await {
                Ok(()) => return,
                Err(error @ BusError::Refused { .. }) => {
                    // Whoever reads decides; nobody reading is an end too.
                    self.sender.send(Err(error)).await.ok();
                    return;
                }
                Err(error) => {
                    warn!(stream = self.stream, %error, "Failed to read a stream; trying again");
                    tokio::time::sleep(TRY_AGAIN_AFTER).await;
                    self.bus.until_connected().await;
                }
            }
        }
    }

    /// Reads until the connection is another one, or nobody listens any more.
    async fn read(&mut self) -> Result<(), BusError> {
        let mut connected = self.bus.connected.clone();
        connected.mark_unchanged();
        self.check().await?;
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("read a stream", error)
        };
        let stream = self.bus.jetstream.get_stream_no_info(&self.stream).await;
        let stream = stream.map_err(|error| failed(&error))?;
        let start_sequence = self.last.map_or(1, |(sequence, _)| sequence + 1);
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence },
            max_bytes: BYTES_ON_THEIR_WAY,
            ..Default::default()
        };
        let consumer = stream.create_consumer(config).await.map_err(|error| failed(&error))?;
        let mut messages = consumer.messages().await.map_err(|error| failed(&error))?;
        loop {
            let message = tokio::select! {
                message = messages.next() => message,
                // A broker that restarted has forgotten this consumer.
                _ = connected.changed() => None,
            };
            let Some(message) = message else {
                let reason = "the connection was lost".to_owned();
                return Err(BusError::Away { action: "read a stream", reason });
            };
            let record = self.record(&message.map_err(|error| failed(&error))?)?;
            // After a new start of the consumer, what we have may come again.
            if self.last.is_some_and(|(sequence, _)| record.sequence <= sequence) {
                continue;
            }
            self.last = Some((record.sequence, record.stored_at));
            if self.sender.send(Ok(record)).await.is_err() {
                return Ok(());
            }
        }
    }

    fn record(&self, message: &jetstream::Message) -> Result<Record, BusError> {
        let info = message.info().map_err(|error| BusError::Away {
            action: "read a stream",
            reason: error.to_string(),
        })?;
        Ok(Record {
            stream: self.stream.clone(),
            sequence: info.stream_sequence,
            subject: message.subject.to_string(),
            stored_at: stored_at(info.published.unix_timestamp_nanos())?,
            headers: message.headers.as_ref().map(first_values).unwrap_or_default(),
            payload: message.payload.to_vec(),
        })
    }

    /// Numbers that we know must still mean what they meant: a stream that was made anew, or that
    /// lost its end with the broker's disk, would hide new messages behind old numbers.
    async fn check(&self) -> Result<(), BusError> {
        let Some((sequence, time)) = self.last else { return Ok(()) };
        let refused = |found: String| {
            let position = Position { stream: self.stream.clone(), sequence };
            let reason = format!(
                "{position} was recorded as stored at {time}, but {found}: the stream was made anew or lost its end; see \"A stream that was lost\" in docs/operations.md"
            );
            BusError::Refused { action: "read a stream", reason }
        };
        let stream = self.bus.jetstream.get_stream(&self.stream).await;
        let stream = stream.map_err(|error| BusError::from_client("look at a stream", &error))?;
        let last = stream.cached_info().state.last_sequence;
        if last < sequence {
            return Err(refused(format!("the stream ends at {last}")));
        }
        match self.bus.next_on(&self.stream, ">", sequence).await? {
            // Readers may keep times in microseconds.
            Some(found)
                if found.sequence == sequence
                    && found.stored_at.as_microsecond() != time.as_microsecond() =>
            {
                Err(refused(format!("what lies there was stored at {}", found.stored_at)))
            }
            _ => Ok(()),
        }
    }
}
