//! Events that could not be handled, and what became of them, as their stream keeps both.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Position, Record, subject};

/// Which token of an entry's subject names the reason.
const REASON_TOKEN: usize = 4;
/// Header of the W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// Header of a replayed event: the quarantine entry that it was.
pub const REPLAY_OF: &str = "Attestry-Replay-Of";
const REASON: &str = "Attestry-Reason";
const DETAIL: &str = "Attestry-Detail";
const WORKER: &str = "Attestry-Worker";
const ATTEMPTS: &str = "Attestry-Attempts";
const SUBJECT: &str = "Attestry-Subject";
const POSITION: &str = "Attestry-Position";
const BYTES: &str = "Attestry-Bytes";
const ENTRY: &str = "Attestry-Entry";
const ENDED: &str = "Attestry-Ended";
const TIME: &str = "Attestry-Time";

/// An entry in quarantine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// How an entry left the quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// Its event was handed to the worker again.
    Replayed,
    /// Somebody decided that its event is not to be handled.
    Dropped,
}

impl Ended {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::Dropped => "dropped",
        }
    }
}

impl Quarantined {
    /// Reads an entry; what a header does not say stays empty.
    pub fn read(record: &Record) -> Self {
        let text = |name: &str| record.header(name).to_owned();
        Self {
            // What became of an entry repeats the entry, with its number.
            id: record.header(ENTRY).parse().unwrap_or(record.sequence),
            reason: text(REASON),
            detail: text(DETAIL),
            worker: text(WORKER),
            attempts: record.header(ATTEMPTS).parse().unwrap_or_default(),
            time: record.header(TIME).parse().unwrap_or(record.stored_at),
            subject: text(SUBJECT),
            position: text(POSITION),
            traceparent: Some(text(TRACEPARENT)).filter(|it| !it.is_empty()),
            bytes: record.header(BYTES).parse().unwrap_or(record.payload.len()),
        }
    }

    /// Reads what became of an entry; none if the record is an entry itself.
    pub fn read_ended(record: &Record) -> Option<(Self, Ended)> {
        let ended = match record.header(ENDED) {
            "replayed" => Ended::Replayed,
            "dropped" => Ended::Dropped,
            _ => return None,
        };
        Some((Self::read(record), ended))
    }

    /// Headers of the entry's message.
    pub fn headers(&self) -> BTreeMap<&'static str, String> {
        let mut headers = BTreeMap::from([
            (REASON, one_line(&self.reason, 64)),
            (DETAIL, one_line(&self.detail, 4096)),
            (WORKER, self.worker.clone()),
            (ATTEMPTS, self.attempts.to_string()),
            (SUBJECT, one_line(&self.subject, 4096)),
            (POSITION, self.position.clone()),
            (BYTES, self.bytes.to_string()),
        ]);
        headers.extend(self.traceparent.clone().map(|it| (TRACEPARENT, it)));
        headers
    }

    /// Headers of the message that says how the entry ended.
    pub fn ended_headers(&self, ended: Ended) -> BTreeMap<&'static str, String> {
        let mut headers = self.headers();
        headers.insert(ENTRY, self.id.to_string());
        headers.insert(TIME, self.time.to_string());
        headers.insert(ENDED, ended.as_str().to_owned());
        headers
    }

    /// `attestry.v1.quarantine.<worker>.<reason>.<scope>.<correlation>.<position>`: found by the
    /// correlation that the event's subject ends in, whatever its bytes are.
    pub fn entry_subject(&self) -> String {
        let tokens: Vec<&str> = self.subject.split('.').collect();
        let scope = tokens.get(5).copied().filter(|it| !it.is_empty()).unwrap_or("-");
        let correlation = tokens.last().copied().filter(|it| !it.is_empty()).unwrap_or("-");
        let (worker, reason) = (subject::token(&self.worker), subject::token(&self.reason));
        let position = &self.position;
        format!("{}.quarantine.{worker}.{reason}.{scope}.{correlation}.{position}", subject::ROOT)
    }

    /// `attestry.v1.quarantine-ended.<position>.<entry>`: where it is said once how the entry ended.
    pub fn ended_subject(&self) -> String {
        format!("{}.quarantine-ended.{}.{}", subject::ROOT, self.position, self.id)
    }

    /// The correlation that the event's subject ends in, where it is one.
    pub fn correlation(&self) -> Option<Uuid> {
        self.subject.rsplit('.').next()?.parse().ok()
    }

    /// Where the event lies.
    pub fn event_position(&self) -> Option<Position> {
        self.position.parse().ok()
    }
}

/// The reason code that an entry's subject names.
pub fn reason_of(entry_subject: &str) -> &str {
    entry_subject.split('.').nth(REASON_TOKEN).unwrap_or("unknown")
}

/// Header values end at a line break.
fn one_line(text: &str, max: usize) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Quarantined {
        Quarantined {
            id: 7,
            reason: "lockfile-unreadable".to_owned(),
            detail: "line 3:\nno version".to_owned(),
            worker: "generator".to_owned(),
            attempts: 1,
            time: Timestamp::UNIX_EPOCH,
            subject: format!("attestry.v1.build.completed.pr.acme.{}", Uuid::nil()),
            position: "ATTESTRY_BUILD_COMPLETED-3".to_owned(),
            traceparent: Some("00-1-2-01".to_owned()),
            bytes: 2,
        }
    }

    fn record(sequence: u64, headers: BTreeMap<&'static str, String>) -> Record {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Record {
            stream: QUARANTINE.to_owned(),
            sequence,
            subject: entry().entry_subject(),
            stored_at: Timestamp::UNIX_EPOCH,
            headers,
            payload: b"{}".to_vec(),
        }
    }

    const QUARANTINE: &str = crate::QUARANTINE_STREAM;

    #[test]
    fn entry_reads_as_it_was_written_on_one_line() {
        let read = Quarantined::read(&record(7, entry().headers()));

        let detail = "line 3: no version".to_owned();
        assert_eq!(read, Quarantined { detail, ..entry() });
        assert_eq!(Quarantined::read_ended(&record(7, entry().headers())), None);
    }

    #[test]
    fn what_became_of_an_entry_names_the_entry_and_not_its_own_message() {
        let said = record(12, entry().ended_headers(Ended::Dropped));
        let (read, ended) = Quarantined::read_ended(&said).expect("an end");

        assert_eq!((read.id, ended), (7, Ended::Dropped));
        assert_eq!(read.correlation(), Some(Uuid::nil()));
        assert_eq!(read.event_position().map(|it| it.sequence), Some(3));
        assert_eq!(reason_of(&read.entry_subject()), "lockfile-unreadable");
    }
}
