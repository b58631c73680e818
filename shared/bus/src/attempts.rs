//! How often an event failed, remembered by the broker's disk and not by a process.

use async_nats::jetstream::message::PublishMessage;
use events::subject;
use serde::{Deserialize, Serialize};

use crate::{Bus, BusError, Delivery, streams::ATTEMPTS};

/// Failures of one event at one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Attempts that failed, crashes included; outages of the world around are none.
    pub failed: u32,
    /// What the last one said.
    pub reason: String,
}

impl Bus {
    /// What is remembered about this delivery's event.
    pub async fn attempts(&self, worker: &str, delivery: &Delivery) -> Result<Attempts, BusError> {
        let subject = attempts_subject(worker, delivery);
        let Some(seen) = self.last_on(ATTEMPTS, &subject).await? else {
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
        let subject = attempts_subject(worker, delivery);
        let message = PublishMessage::build();
        self.store("remember an attempt", subject, message, payload.into()).await.map(drop)
    }
}

fn attempts_subject(worker: &str, delivery: &Delivery) -> String {
    format!("{}.attempts.{}.{}", subject::ROOT, subject::token(worker), delivery.position())
}
