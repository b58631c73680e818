//! Events that could not be handled: kept with the reason, until somebody replays or drops them.

use std::collections::BTreeMap;

use async_nats::{HeaderMap, jetstream::message::PublishMessage};
use bytes::Bytes;
use events::{
    Ended, QUARANTINE_STREAM, Quarantined, Record,
    quarantine::{REPLAY_OF, TRACEPARENT, reason_of},
    subject,
};
use futures::StreamExt;
use jiff::Timestamp;

use crate::{Bus, BusError, Delivery};

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
        let entry = Quarantined {
            id: 0,
            reason: rejection.code.clone(),
            detail: rejection.detail.clone(),
            worker: worker.to_owned(),
            attempts: rejection.attempts,
            time: delivery.stored_at(),
            subject: delivery.subject().to_owned(),
            position: delivery.position().to_string(),
            traceparent: delivery.traceparent().map(str::to_owned),
            bytes: delivery.payload().len(),
        };
        let subject = entry.entry_subject();
        let message = PublishMessage::build()
            .headers(header_map(entry.headers()))
            .expected_last_subject_sequence(0);
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
    ) -> Result<Vec<(Quarantined, Record)>, BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("look into the quarantine", error)
        };
        let stream =
            self.jetstream.get_stream(QUARANTINE_STREAM).await.map_err(|error| failed(&error))?;
        let state = &stream.cached_info().state;
        let (mut sequence, last) = (state.first_sequence, state.last_sequence);
        if let Some(id) = filter.id {
            sequence = id;
        }
        let mut entries = Vec::new();
        while state.messages > 0 && sequence <= last {
            let next = self.next_on(QUARANTINE_STREAM, &entries_filter(">"), sequence).await?;
            let Some(record) = next else { break };
            sequence = record.sequence + 1;
            let entry = Quarantined::read(&record);
            if filter.id.is_some_and(|id| id != entry.id) {
                break;
            }
            let matches = filter.reason.as_ref().is_none_or(|reason| *reason == entry.reason)
                && filter.since.is_none_or(|since| entry.time >= since);
            if matches {
                entries.push((entry, record));
            }
        }
        Ok(entries)
    }

    /// Puts an entry's event back on its subject under a new message id, then removes the entry.
    ///
    /// The event keeps its own id. Dying between the two replays it twice, which is harmless.
    pub async fn replay(&self, entry: &Quarantined, record: &Record) -> Result<(), BusError> {
        let mut headers = HeaderMap::new();
        headers.insert(REPLAY_OF, entry.id.to_string().as_str());
        if let Some(traceparent) = &entry.traceparent {
            headers.insert(TRACEPARENT, traceparent.as_str());
        }
        let message = PublishMessage::build().headers(headers);
        let subject = entry.subject.clone();
        let payload = match record.payload.len() < entry.bytes {
            true => self.at_position(&entry.position).await?.payload,
            false => record.payload.clone(),
        };
        self.store("replay an event", subject, message, payload.into()).await?;
        self.end(entry, Ended::Replayed).await
    }

    /// Removes an entry for good.
    pub async fn drop_quarantined(&self, entry: &Quarantined) -> Result<(), BusError> {
        self.end(entry, Ended::Dropped).await
    }

    /// Says for good how an entry ended, then removes it: whoever keeps the books sees both, or the
    /// entry is still there.
    async fn end(&self, entry: &Quarantined, ended: Ended) -> Result<(), BusError> {
        let message = PublishMessage::build()
            .headers(header_map(entry.ended_headers(ended)))
            .expected_last_subject_sequence(0);
        let action = "say how a quarantine entry ended";
        self.store(action, entry.ended_subject(), message, Bytes::new()).await?;
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("remove a quarantine entry", error)
        };
        let stream = self.jetstream.get_stream_no_info(QUARANTINE_STREAM).await;
        let stream = stream.map_err(|error| failed(&error))?;
        stream.delete_message(entry.id).await.map(drop).map_err(|error| failed(&error))
    }

    /// How many entries of `worker` lie in quarantine, by reason code.
    pub async fn quarantine_depth(&self, worker: &str) -> Result<BTreeMap<String, u64>, BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("count the quarantine", error)
        };
        let stream = self
            .jetstream
            .get_stream_no_info(QUARANTINE_STREAM)
            .await
            .map_err(|error| failed(&error))?;
        let filter = entries_filter(&format!("{}.>", subject::token(worker)));
        let mut subjects =
            stream.info_with_subjects(filter).await.map_err(|error| failed(&error))?;
        let mut depth = BTreeMap::new();
        while let Some(next) = subjects.next().await {
            let (subject, count) = next.map_err(|error| failed(&error))?;
            *depth.entry(reason_of(&subject).to_owned()).or_default() += count as u64;
        }
        Ok(depth)
    }
}

/// Entries whose subject goes on like this.
fn entries_filter(rest: &str) -> String {
    format!("{}.quarantine.{rest}", subject::ROOT)
}

fn header_map(headers: BTreeMap<&'static str, String>) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in &headers {
        map.insert(*name, value.as_str());
    }
    map
}
