//! Storing an event, once.

use async_nats::{
    HeaderMap,
    jetstream::{context::PublishErrorKind, message::PublishMessage},
};
use bytes::Bytes;
use events::{Envelope, Event, quarantine::TRACEPARENT};

use crate::{Bus, BusError, room::PATIENCE};

/// What became of a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is stored now.
    Stored,
    /// It was stored before: an earlier run of the same work got here first.
    AlreadyThere,
}

impl Bus {
    /// Stores `event` on its own subject unless that subject has one already, and waits until the
    /// stream has it.
    ///
    /// The guard on the subject lasts as long as the stream keeps the event; the broker's window
    /// for message ids is only ten minutes.
    pub async fn publish<E: Event>(
        &self,
        event: &Envelope<E>,
        traceparent: Option<&str>,
    ) -> Result<Published, BusError> {
        let payload = encode(event)?;
        let mut headers = HeaderMap::new();
        if let Some(traceparent) = traceparent {
            headers.insert(TRACEPARENT, traceparent);
        }
        let message = PublishMessage::build()
            .headers(headers)
            .message_id(event.id.to_string())
            .expected_last_subject_sequence(0);
        self.store("publish an event", event.subject(), message, payload).await
    }

    /// Stores `event` behind the `last` one on its subject, unless another one got there first.
    pub async fn publish_after<E: Event>(
        &self,
        event: &Envelope<E>,
        last: u64,
    ) -> Result<Published, BusError> {
        let payload = encode(event)?;
        let message = PublishMessage::build()
            .message_id(event.id.to_string())
            .expected_last_subject_sequence(last);
        self.store("publish an event", event.subject(), message, payload).await
    }

    /// Stores `event` once more, under a message id of its own, so that it is handled again.
    pub async fn publish_again<E: Event>(&self, event: &Envelope<E>) -> Result<(), BusError> {
        let payload = encode(event)?;
        let message = PublishMessage::build();
        self.store("publish an event again", event.subject(), message, payload).await.map(drop)
    }

    /// Publishes and waits for the stream's answer.
    pub(crate) async fn store(
        &self,
        action: &'static str,
        subject: String,
        message: PublishMessage,
        payload: Bytes,
    ) -> Result<Published, BusError> {
        let bytes = payload.len();
        let connection = self.connection();
        let mut patient = self.jetstream.clone();
        patient.set_timeout(PATIENCE);
        let answer = match patient.send_publish(subject.clone(), message.payload(payload)).await {
            Ok(answer) => self.answer(action, &subject, connection, answer.into_future()).await?,
            Err(error) => Err(error),
        };
        match answer {
            Ok(stored) if stored.duplicate => Ok(Published::AlreadyThere),
            Ok(_) => Ok(Published::Stored),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => {
                Ok(Published::AlreadyThere)
            }
            Err(error) => Err(BusError::from_publish(action, bytes, &error)),
        }
    }
}

fn encode<E: Event>(event: &Envelope<E>) -> Result<Bytes, BusError> {
    let bytes = serde_json::to_vec(event).map_err(|error| BusError::Refused {
        action: "encode an event",
        reason: error.to_string(),
    })?;
    Ok(bytes.into())
}
