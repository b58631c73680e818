//! How often an event failed at a worker.

use serde::{Deserialize, Serialize};

use crate::{Position, Record, subject};

/// Failures of one event at one worker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempts {
    /// Attempts that failed, crashes included; outages of the world around are none.
    pub failed: u32,
    /// What the last one said.
    pub reason: String,
}

impl Attempts {
    /// Where failures of the event at `position` are remembered for `worker`.
    pub fn subject(worker: &str, position: &Position) -> String {
        format!("{}.attempts.{}.{position}", subject::ROOT, subject::token(worker))
    }

    /// Reads a record of the attempts' stream: the worker, where the event lies, its failures.
    pub fn read(record: &Record) -> Option<(String, Position, Self)> {
        let rest = record.subject.strip_prefix(subject::ROOT)?.strip_prefix(".attempts.")?;
        let (worker, position) = rest.split_once('.')?;
        let attempts = serde_json::from_slice(&record.payload).ok()?;
        Some((worker.to_owned(), position.parse().ok()?, attempts))
    }
}
