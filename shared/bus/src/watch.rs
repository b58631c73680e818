//! Looking for one message: the last on a subject, or the first to come.

use std::{collections::BTreeMap, time::Duration};

use async_nats::{
    HeaderMap,
    jetstream::{message::StreamMessage, stream::DirectGetErrorKind},
};
use events::{
    Envelope, Event, InvalidPosition, Position, Producer, QUARANTINE_STREAM, Record, Scope,
    stage_stream, subject,
};
use futures::StreamExt;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{Bus, BusError};

/// How often a watch looks into the stream itself, in case it missed the moment while reconnecting.
const LOOK_EVERY: Duration = Duration::from_secs(3);

impl Bus {
    /// The event that `producer` published in this correlation, if it did.
    pub async fn find<E: Event>(
        &self,
        scope: &Scope,
        producer: Option<Producer>,
        correlation: Uuid,
    ) -> Result<Option<Envelope<E>>, BusError> {
        let found = self.find_latest::<E>(scope, producer, correlation).await?;
        Ok(found.map(|(_, event)| event))
    }

    /// The latest of the events that `producer` published in this correlation, behind its number.
    pub async fn find_latest<E: Event>(
        &self,
        scope: &Scope,
        producer: Option<Producer>,
        correlation: Uuid,
    ) -> Result<Option<(u64, Envelope<E>)>, BusError> {
        let filter = event_filter::<E>(scope, producer, correlation);
        let seen = self.last_on(&stage_stream::<E>(), &filter).await?;
        Ok(seen.and_then(|seen| {
            Some((seen.sequence, events::decode(&seen.subject, &seen.payload).ok()?))
        }))
    }

    /// What became of a correlation so far: the event that `producer` published, or else its last
    /// entry in quarantine.
    pub async fn outcome<E: Event>(
        &self,
        scope: &Scope,
        producer: Option<Producer>,
        correlation: Uuid,
    ) -> Result<Option<Result<Envelope<E>, Record>>, BusError> {
        if let Some(event) = self.find::<E>(scope, producer, correlation).await? {
            return Ok(Some(Ok(event)));
        }
        let entry = self.last_on(QUARANTINE_STREAM, &quarantine_filter(correlation)).await?;
        Ok(entry.map(Err))
    }

    /// Waits until `producer` has published its event in this correlation, or the correlation has
    /// an entry in quarantine, whichever is there first.
    pub async fn wait_for<E: Event>(
        &self,
        scope: &Scope,
        producer: Option<Producer>,
        correlation: Uuid,
    ) -> Result<Result<Envelope<E>, Record>, BusError> {
        let event = event_filter::<E>(scope, producer, correlation);
        let quarantine = quarantine_filter(correlation);
        let subscribe = async |filter: &str| {
            let subscribed = self.client.subscribe(filter.to_owned()).await;
            subscribed.map_err(|error| BusError::from_client("subscribe", &error))
        };
        let mut events = subscribe(&event).await?;
        let mut quarantined = subscribe(&quarantine).await?;
        loop {
            // Looked up after subscribing, so nothing falls between.
            match self.outcome::<E>(scope, producer, correlation).await {
                Ok(Some(outcome)) => return Ok(outcome),
                // Whoever waits, waits for a broker that is away too.
                Ok(None) | Err(BusError::Away { .. }) => {}
                Err(error) => return Err(error),
            }
            tokio::select! {
                _ = events.next() => {}
                _ = quarantined.next() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// The last message of `stream` on `filter`, which may hold wildcards.
    pub(crate) async fn last_on(
        &self,
        name: &str,
        filter: &str,
    ) -> Result<Option<Record>, BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("look into a stream", error)
        };
        let stream =
            self.jetstream.get_stream_no_info(name).await.map_err(|error| failed(&error))?;
        match stream.direct_get_last_for_subject(filter).await {
            Ok(message) => record(name, message).map(Some),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    /// The message at `<stream>-<sequence>`.
    pub(crate) async fn at_position(&self, position: &str) -> Result<Record, BusError> {
        let refused =
            |reason| BusError::Refused { action: "look for the bytes of an event", reason };
        let Position { stream, sequence } =
            position.parse().map_err(|error: InvalidPosition| refused(error.to_string()))?;
        match self.next_on(&stream, ">", sequence).await? {
            Some(record) if record.sequence == sequence => Ok(record),
            _ => Err(refused(format!("{stream} no longer keeps message {sequence}"))),
        }
    }

    /// The first message of `stream` on `filter` at `sequence` or later.
    pub(crate) async fn next_on(
        &self,
        name: &str,
        filter: &str,
        sequence: u64,
    ) -> Result<Option<Record>, BusError> {
        let failed = |error: &(dyn std::error::Error + 'static)| {
            BusError::from_client("look into a stream", error)
        };
        let stream =
            self.jetstream.get_stream_no_info(name).await.map_err(|error| failed(&error))?;
        let next = stream.direct_get_builder().sequence(sequence).next_by_subject(filter);
        match next.send().await {
            Ok(message) => record(name, message).map(Some),
            Err(error) if error.kind() == DirectGetErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }
}

fn record(stream: &str, message: StreamMessage) -> Result<Record, BusError> {
    Ok(Record {
        stream: stream.to_owned(),
        sequence: message.sequence,
        subject: message.subject.to_string(),
        stored_at: stored_at(message.time.unix_timestamp_nanos())?,
        headers: first_values(&message.headers),
        payload: message.payload.into(),
    })
}

/// When a stream stored a message, from nanoseconds since 1970.
pub(crate) fn stored_at(nanoseconds: i128) -> Result<Timestamp, BusError> {
    Timestamp::from_nanosecond(nanoseconds).map_err(|error| BusError::Refused {
        action: "read a stored message",
        reason: error.to_string(),
    })
}

pub(crate) fn first_values(headers: &HeaderMap) -> BTreeMap<String, String> {
    let first = |(name, values): (&async_nats::HeaderName, &Vec<async_nats::HeaderValue>)| {
        Some((name.to_string(), values.first()?.as_str().to_owned()))
    };
    headers.iter().filter_map(first).collect()
}

fn event_filter<E: Event>(scope: &Scope, producer: Option<Producer>, correlation: Uuid) -> String {
    let stage = subject::stage::<E>();
    let scope = subject::token(scope.as_str());
    match producer {
        Some(producer) => format!("{stage}.*.{scope}.{}.{correlation}", producer.as_str()),
        None => format!("{stage}.*.{scope}.{correlation}"),
    }
}

/// Everything of a correlation that lies in quarantine.
pub(crate) fn quarantine_filter(correlation: Uuid) -> String {
    format!("{}.quarantine.*.*.*.{correlation}.*", subject::ROOT)
}
