//! Events that could not be handled: kept with the reason, until somebody replays or drops them.

use std::collections::BTreeMap;

use async_nats::{HeaderMap, jetstream::message::PublishMessage};
use bytes::Bytes;
use events::subject;
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Bus, BusError, Delivery, Seen, publish::TRACEPARENT, streams::QUARANTINE};

/// Which token of an entry's subject names the reason.
const REASON_TOKEN: usize = 4;
const REASON: &str = "Attestry-Reason";
const DETAIL: &str = "Attestry-Detail";
const WORKER: &str = "Attestry-Worker";
const ATTEMPTS: &str = "Attestry-Attempts";
const SUBJECT: &str = "Attestry-Subject";
const POSITION: &str = "Attestry-Position";
const BYTES: &str = "Attestry-Bytes";
/// Set on a replayed event: the quarantine entry that it was.
const REPLAY_OF: &str = "Attestry-Replay-Of";

/// Why a worker gave up on an event.
#[derive(Clone, Debug)]
pub struct Rejection {
    /// Stable code, for selection and metrics, for example `event-not-json`.
    pub code: String,
    /// What is wrong, where, and how to mend it.
    pub detail: String,
    /// Attempts that failed, this one included.
    pub attempts: u32,
}

/// An entry in quarantine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Quarantined {
    /// Number of the entry.
    pub id: u64,
    /// Stable reason code.
    pub reason: String,
    /// What is wrong, where, and how to mend it.
    pub detail: String,
    /// The worker that gave up.
    pub worker: String,
    /// Attempts that failed.
    pub attempts: u32,
    /// When it came here.
    pub time: Timestamp,
    /// Subject of the event.
    pub subject: String,
    /// Stream and sequence of the event.
    pub position: String,
    /// W3C trace context of the event, for finding its trace.
    pub traceparent: Option<String>,
    /// Size of the event in bytes.
    pub bytes: usize,
}

/// Which entries are meant; all of them by default.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFilter {
    /// Only this entry.
    pub id: Option<u64>,
    /// Only entries with this reason code.
    pub reason: Option<String>,
    /// Only entries that came at this time or later.
    pub since: Option<Timestamp>,
}

impl Bus {
    /// Sets a delivery aside with the reason, then ends it. The entry is stored first, and once:
    /// whatever dies here, the event is in at least one of the two places.
    pub async fn quarantine(
        &self,
        worker: &str,
        delivery: &Delivery,
        rejection: &Rejection,
    ) -> Result<(), BusError> {
        let mut headers = HeaderMap::new();
        headers.insert(REASON, one_line(&rejection.code, 64).as_str());
        headers.insert(DETAIL, one_line(&rejection.detail, 4096).as_str());
        headers.insert(WORKER, worker);
        headers.insert(ATTEMPTS, rejection.attempts.to_string().as_str());
        headers.insert(SUBJECT, one_line(delivery.subject(), 4096).as_str());
        headers.insert(POSITION, delivery.position().as_str());
        headers.insert(BYTES, delivery.payload().len().to_string().as_str());
        if let Some(traceparent) = delivery.traceparent() {
            headers.insert(TRACEPARENT, traceparent);
        }
        let subject = entry_subject(worker, &rejection.code, delivery);
        let message = PublishMessage::build().headers(headers).expected_last_subject_sequence(0);
        let store = async |payload| {
            self.store("quarantine an event", subject.clone(), message.clone(), payload).await
        };
        match store(delivery.payload().clone()).await {
            // With our headers it is too large: its bytes stay where they are, see `replay`.
            Err(BusError::TooLarge { .. }) => store(Bytes::new()).await?,
            stored => stored?,
        };
        delivery.terminate(&rejection.code).await
    }

    /// Entries in quarantine, oldest first, with the bytes of each event; without them where the
    /// event is as large as the broker takes.
    pub async fn quarantined(
        &self,
        filter: &QuarantineFilter,
    ) -> Result<Vec<(Quarantined, Seen)>, BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("look into the quarantine", error)
        };
        let stream = self.jetstream.get_stream(QUARANTINE).await.map_err(|error| failed(&error))?;
        let state = &stream.cached_info().state;
        let (mut sequence, last) = (state.first_sequence, state.last_sequence);
        if let Some(id) = filter.id {
            sequence = id;
        }
        let mut entries = Vec::new();
        while state.messages > 0 && sequence <= last {
            let Some(seen) = self.next_on(QUARANTINE, ">", sequence).await? else { break };
            sequence = seen.sequence + 1;
            let entry = Quarantined::from(&seen);
            if filter.id.is_some_and(|id| id != entry.id) {
                break;
            }
            let matches = filter.reason.as_ref().is_none_or(|reason| *reason == entry.reason)
                && filter.since.is_none_or(|since| entry.time >= since);
            if matches {
                entries.push((entry, seen));
            }
        }
        Ok(entries)
    }

    /// Puts an entry's event back on its subject under a new message id, then removes the entry.
    ///
    /// The event keeps its own id. Dying between the two replays it twice, which is harmless.
    pub async fn replay(&self, entry: &Quarantined, seen: &Seen) -> Result<(), BusError> {
        let mut headers = HeaderMap::new();
        headers.insert(REPLAY_OF, entry.id.to_string().as_str());
        if let Some(traceparent) = &entry.traceparent {
            headers.insert(TRACEPARENT, traceparent.as_str());
        }
        let message = PublishMessage::build().headers(headers);
        let subject = entry.subject.clone();
        let payload = match seen.payload.len() < entry.bytes {
            true => self.at_position(&entry.position).await?.payload,
            false => seen.payload.clone(),
        };
        self.store("replay an event", subject, message, payload).await?;
        self.drop_quarantined(entry).await
    }

    /// Removes an entry for good.
    pub async fn drop_quarantined(&self, entry: &Quarantined) -> Result<(), BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("remove a quarantine entry", error)
        };
        let stream =
            self.jetstream.get_stream_no_info(QUARANTINE).await.map_err(|error| failed(&error))?;
        stream.delete_message(entry.id).await.map(drop).map_err(|error| failed(&error))
    }

    /// How many entries of `worker` lie in quarantine, by reason code.
    pub async fn quarantine_depth(&self, worker: &str) -> Result<BTreeMap<String, u64>, BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("count the quarantine", error)
        };
        let stream =
            self.jetstream.get_stream_no_info(QUARANTINE).await.map_err(|error| failed(&error))?;
        let filter = format!("{}.quarantine.{}.>", subject::ROOT, subject::token(worker));
        let mut subjects =
            stream.info_with_subjects(filter).await.map_err(|error| failed(&error))?;
        let mut depth = BTreeMap::new();
        while let Some(next) = subjects.next().await {
            let (subject, count) = next.map_err(|error| failed(&error))?;
            let reason = subject.split('.').nth(REASON_TOKEN).unwrap_or("unknown");
            *depth.entry(reason.to_owned()).or_default() += count as u64;
        }
        Ok(depth)
    }
}

impl From<&Seen> for Quarantined {
    fn from(seen: &Seen) -> Self {
        let header = |name: &str| {
            seen.headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default()
        };
        Self {
            id: seen.sequence,
            reason: header(REASON),
            detail: header(DETAIL),
            worker: header(WORKER),
            attempts: header(ATTEMPTS).parse().unwrap_or_default(),
            time: seen.stored_at,
            subject: header(SUBJECT),
            position: header(POSITION),
            traceparent: Some(header(TRACEPARENT)).filter(|it| !it.is_empty()),
            bytes: header(BYTES).parse().unwrap_or(seen.payload.len()),
        }
    }
}

/// `attestry.v1.quarantine.<worker>.<reason>.<scope>.<correlation>.<stream>-<sequence>`: found by the
/// correlation that the event's subject ends in, whatever its bytes are.
fn entry_subject(worker: &str, reason: &str, delivery: &Delivery) -> String {
    let tokens: Vec<&str> = delivery.subject().split('.').collect();
    let scope = tokens.get(5).copied().filter(|it| !it.is_empty()).unwrap_or("-");
    let correlation = tokens.last().copied().filter(|it| !it.is_empty()).unwrap_or("-");
    let (worker, reason) = (subject::token(worker), subject::token(reason));
    let position = delivery.position();
    format!("{}.quarantine.{worker}.{reason}.{scope}.{correlation}.{position}", subject::ROOT)
}

/// Header values end at a line break.
fn one_line(text: &str, max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect()
}
