//! One delivery of one event to one worker.

use std::{sync::Arc, time::Duration};

use async_nats::{Client, HeaderMap, Subject, jetstream};
use bytes::Bytes;
use events::{DecodeError, Envelope, Event, Position, quarantine::TRACEPARENT};
use jiff::Timestamp;

use crate::{
    BusError,
    keepalive::{Held, Keepalive},
    watch::stored_at,
};

/// How often an acknowledgement is repeated before the delivery is left to come back.
const SETTLE_TRIES: u32 = 3;

/// An event to handle. Comes back after the ack wait unless it is settled; while it is in hand, the
/// broker is told that work goes on.
pub struct Delivery {
    client: Client,
    reply: Subject,
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
    position: Position,
    delivered: u64,
    stored_at: Timestamp,
    _held: Held,
}

impl Delivery {
    pub(crate) fn new(
        client: &Client,
        keepalive: &Arc<Keepalive>,
        message: jetstream::Message,
    ) -> Result<Self, String> {
        let info = message.info().map_err(|error| error.to_string())?;
        let position = Position { stream: info.stream.to_owned(), sequence: info.stream_sequence };
        let delivered = info.delivered.max(1).unsigned_abs();
        let stored_at = stored_at(info.published.unix_timestamp_nanos());
        let stored_at = stored_at.map_err(|error| error.to_string())?;
        let reply = message.reply.clone().ok_or("delivery without a reply subject")?;
        Ok(Self {
            client: client.clone(),
            _held: keepalive.hold(reply.clone()),
            reply,
            subject: message.subject.to_string(),
            headers: message.headers.clone().unwrap_or_default(),
            payload: message.payload.clone(),
            position,
            delivered,
            stored_at,
        })
    }

    /// Decodes the event and checks that it belongs on the subject it came on.
    pub fn decode<E: Event>(&self) -> Result<Envelope<E>, DecodeError> {
        events::decode(&self.subject, &self.payload)
    }

    /// Subject it came on.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Its bytes.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The W3C trace context it came with.
    pub fn traceparent(&self) -> Option<&str> {
        self.headers.get(TRACEPARENT).map(|value| value.as_str())
    }

    /// Whether the broker delivered it before. A broker that was killed may forget that it did.
    pub fn is_redelivery(&self) -> bool {
        self.delivered > 1
    }

    /// Where the stored message lies, whatever is in it.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// When the stream stored it.
    pub fn stored_at(&self) -> Timestamp {
        self.stored_at
    }

    /// The event was handled: never deliver it again.
    pub async fn acknowledge(&self) -> Result<(), BusError> {
        self.settle("acknowledge a delivery", "+ACK".into()).await
    }

    /// The event was not handled: deliver it again after `delay`.
    pub async fn retry_after(&self, delay: Duration) -> Result<(), BusError> {
        let nak = format!("-NAK {{\"delay\":{}}}", delay.as_nanos());
        self.settle("give a delivery back", nak.into()).await
    }

    /// The event cannot be handled: never deliver it again. The reason reaches the broker's advisory.
    pub(crate) async fn terminate(&self, reason: &str) -> Result<(), BusError> {
        self.settle("terminate a delivery", format!("+TERM {reason}").into()).await
    }

    /// A request, because the plain acknowledgement reports success with the broker down.
    async fn settle(&self, action: &'static str, payload: Bytes) -> Result<(), BusError> {
        let mut last = String::new();
        for _ in 0..SETTLE_TRIES {
            let request = async_nats::Request::new()
                .payload(payload.clone())
                .timeout(Some(Duration::from_secs(2)));
            match self.client.send_request(self.reply.clone(), request).await {
                Ok(_) => return Ok(()),
                Err(error) => last = error.to_string(),
            }
        }
        Err(BusError::Away { action, reason: last })
    }
}
