//! Messages that strangers wrote.
//!
//! nats-server stores whatever a client calls headers and passes it on. The client library cannot read a
//! line without a colon, and closes the connection: one such message, delivered again and again, would
//! keep a worker from all others. So these messages are fetched in JSON, where headers are not ours to read.

use async_nats::jetstream::{self, ErrorCode};
use base64::{Engine, prelude::BASE64_STANDARD};
use events::Record;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Bus, BusError};

const ACTION: &str = "look into a supplier's stream";

#[derive(Deserialize)]
struct Answer {
    message: Option<Stored>,
    error: Option<jetstream::Error>,
}

#[derive(Deserialize)]
struct Stored {
    subject: String,
    seq: u64,
    time: Timestamp,
    /// Absent when there are no bytes.
    #[serde(default)]
    data: String,
}

impl Bus {
    /// The last message of `stream` on `subject`, without its headers.
    pub(crate) async fn last_of_stranger(
        &self,
        stream: &str,
        subject: &str,
    ) -> Result<Option<Record>, BusError> {
        self.get_raw(stream, json!({ "last_by_subj": subject })).await
    }

    /// The first message of `stream` on `filter` at `sequence` or later, without its headers.
    pub(crate) async fn next_of_stranger(
        &self,
        stream: &str,
        filter: &str,
        sequence: u64,
    ) -> Result<Option<Record>, BusError> {
        self.get_raw(stream, json!({ "seq": sequence, "next_by_subj": filter })).await
    }

    async fn get_raw(&self, stream: &str, question: Value) -> Result<Option<Record>, BusError> {
        let subject = format!("STREAM.MSG.GET.{stream}");
        let answer: Result<Answer, _> = self.jetstream.request(subject, &question).await;
        let answer = answer.map_err(|error| BusError::from_client(ACTION, &error))?;
        let garbled = |why: &dyn std::fmt::Display| BusError::Away {
            action: ACTION,
            reason: format!("the answer cannot be read: {why}"),
        };
        match (answer.message, answer.error) {
            (Some(stored), _) => Ok(Some(Record {
                stream: stream.to_owned(),
                sequence: stored.seq,
                subject: stored.subject,
                stored_at: stored.time,
                headers: Default::default(),
                payload: BASE64_STANDARD.decode(stored.data).map_err(|error| garbled(&error))?,
            })),
            (None, Some(error)) if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => Ok(None),
            (None, Some(error)) => Err(BusError::from_api(ACTION, &error, error.to_string())),
            (None, None) => Err(garbled(&"neither message nor error")),
        }
    }
}
