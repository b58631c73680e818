//! How often an event failed, remembered by the broker's disk and not by a process.

use async_nats::jetstream::message::PublishMessage;
use events::{ATTEMPTS_STREAM, Attempts};

use crate::{Bus, BusError, Delivery};

impl Bus {
    /// What is remembered about this delivery's event.
    pub async fn attempts(&self, worker: &str, delivery: &Delivery) -> Result<Attempts, BusError> {
        let subject = Attempts::subject(worker, delivery.position());
        let Some(seen) = self.last_on(ATTEMPTS_STREAM, &subject).await? else {
            return Ok(Attempts::default());
        };
        // An unreadable record must not make an event immortal: it counts as nothing remembered.
        Ok(serde_json::from_slice(&seen.payload).unwrap_or_default())
    }

    /// Remembers `attempts` in place of what was remembered before.
    pub async fn remember_attempts(
        &self,
        worker: &str,
        delivery: &Delivery,
        attempts: &Attempts,
    ) -> Result<(), BusError> {
        let payload = serde_json::to_vec(attempts).map_err(|error| BusError::Refused {
            action: "encode attempts",
            reason: error.to_string(),
        })?;
        let subject = Attempts::subject(worker, delivery.position());
        let message = PublishMessage::build();
        self.store("remember an attempt", subject, message, payload.into()).await.map(drop)
    }
}
