//! One message as a stream stored it: what is left of an event when nobody interprets it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Event;

/// A stored message. What a stream once stored never changes, so a record is a fact for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The stream that stored it.
    pub stream: String,
    /// Its number there.
    pub sequence: u64,
    /// Subject it lies on.
    pub subject: String,
    /// When the stream stored it: from then on it could be known.
    pub stored_at: Timestamp,
    /// Its headers, the first value of each.
    pub headers: BTreeMap<String, String>,
    /// Its bytes, an event or whatever somebody sent.
    pub payload: Vec<u8>,
}

/// Where a message lies, written `<stream>-<sequence>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position {
    /// The stream.
    pub stream: String,
    /// The number there.
    pub sequence: u64,
}

/// The text does not say where a message lies.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no position; write it as <stream>-<sequence>")]
pub struct InvalidPosition(String);

/// Name of the stream that keeps events of type `E`.
pub fn stage_stream<E: Event>() -> String {
    format!("ATTESTRY_{}_{}", E::NOUN, E::VERB).to_uppercase()
}

/// Name of the stream that keeps what could not be handled, and what became of it.
pub const QUARANTINE_STREAM: &str = "ATTESTRY_QUARANTINE";
/// Name of the stream that keeps how often an event failed at a worker: the last word per event.
pub const ATTEMPTS_STREAM: &str = "ATTESTRY_ATTEMPTS";

impl Record {
    /// Where it lies.
    pub fn position(&self) -> Position {
        Position { stream: self.stream.clone(), sequence: self.sequence }
    }

    /// The header `name`; empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.stream, self.sequence)
    }
}

impl std::str::FromStr for Position {
    type Err = InvalidPosition;

    fn from_str(text: &str) -> Result<Self, InvalidPosition> {
        match text.rsplit_once('-').map(|(stream, sequence)| (stream, sequence.parse())) {
            Some((stream, Ok(sequence))) if !stream.is_empty() => {
                Ok(Self { stream: stream.to_owned(), sequence })
            }
            _ => Err(InvalidPosition(text.chars().take(200).collect())),
        }
    }
}

impl TryFrom<String> for Position {
    type Error = InvalidPosition;

    fn try_from(text: String) -> Result<Self, InvalidPosition> {
        text.parse()
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.to_string()
    }
}
