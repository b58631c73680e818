//! Streams that take nothing although the broker answers.
//!
//! After a write has failed, as on a full disk, nats-server 2.14 drops every message for the stream
//! without an answer until it restarts, also when there is room again. It tells clients nothing: the
//! stream's state looks well, and what is refused without being written is refused as ever.

use std::{collections::BTreeSet, pin::pin, time::Duration};

use async_nats::{
    HeaderMap, Request,
    header::NATS_EXPECTED_LAST_SEQUENCE,
    jetstream::{
        ErrorCode,
        context::PublishError,
        publish::PublishAck,
        stream::{self, StorageType},
    },
};
use bytes::Bytes;
use events::subject;
use futures::{FutureExt, TryStreamExt};
use serde::Deserialize;
use tracing::warn;

use crate::{Bus, BusError, connection::ANSWER_TIMEOUT, error::api_error};

/// Where the first to meet a blocked stream tells everybody. In memory: writing there needs no disk,
/// and the restart that unblocks a stream also forgets that it was blocked.
const BLOCKED: &str = "ATTESTRY_BLOCKED";
const PROBE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long the answer to a publish is listened for: until after the probe.
pub(crate) const PATIENCE: Duration = Duration::from_secs(4);

type Answer = Result<PublishAck, PublishError>;

impl Bus {
    /// Waits for the answer to what was published on `subject` over connection number `connection`.
    ///
    /// A stream takes what one connection sends in order. If it answers a probe, but not the message
    /// before it, then it has dropped that message.
    pub(crate) async fn answer(
        &self,
        action: &'static str,
        subject: &str,
        connection: u64,
        answer: impl Future<Output = Answer>,
    ) -> Result<Answer, BusError> {
        let mut answer = pin!(answer);
        if let Ok(answer) = tokio::time::timeout(ANSWER_TIMEOUT, &mut answer).await {
            return Ok(answer);
        }
        let probed = self.probe(subject).await;
        if let Some(answer) = answer.now_or_never() {
            return Ok(answer);
        }
        match probed {
            Some(stream) if self.connection() == connection => {
                if let Err(error) = self.tell_blocked(&stream).await {
                    warn!(stream, %error, "Failed to tell others that a stream is blocked");
                }
                Err(BusError::Blocked { action, stream })
            }
            _ => {
                let seconds = ANSWER_TIMEOUT.as_secs();
                Err(BusError::Away { action, reason: format!("no answer within {seconds} s") })
            }
        }
    }

    /// The connection's number, which grows with each reconnect.
    pub fn connection(&self) -> u64 {
        self.connected.borrow().0
    }

    /// Streams that were found blocked, each with the number of its last message then: one that has
    /// gone on since is not blocked.
    pub(crate) async fn found_blocked(&self) -> Result<BTreeSet<(String, u64)>, BusError> {
        const ACTION: &str = "look for blocked streams";
        let found = self.jetstream.get_stream_no_info(BLOCKED).await;
        let found = found.map_err(|error| BusError::from_client(ACTION, &error))?;
        let subjects = match found.info_with_subjects(">").await {
            Ok(subjects) => subjects,
            Err(error) => {
                let missing = ErrorCode::STREAM_NOT_FOUND;
                return match api_error(&error) {
                    Some(api) if api.error_code() == missing => Ok(BTreeSet::new()),
                    _ => Err(BusError::from_client(ACTION, &error)),
                };
            }
        };
        let subjects: Vec<_> =
            subjects.try_collect().await.map_err(|error| BusError::from_client(ACTION, &error))?;
        let read = |(subject, _): &(String, usize)| {
            let (stream, last) = subject.strip_prefix(&blocked_subject(""))?.split_once('.')?;
            Some((stream.to_owned(), last.parse().ok()?))
        };
        Ok(subjects.iter().filter_map(read).collect())
    }

    /// The stream that takes what is published on `subject`, if it answers. Nothing is stored.
    async fn probe(&self, subject: &str) -> Option<String> {
        #[derive(Deserialize)]
        struct Refusal {
            stream: String,
        }

        let mut headers = HeaderMap::new();
        // No stream gets as far, so none stores this.
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, i64::MAX.to_string().as_str());
        let request = Request::new().headers(headers).timeout(Some(PROBE_TIMEOUT));
        let answer = self.client.send_request(subject.to_owned(), request).await.ok()?;
        serde_json::from_slice(&answer.payload).ok().map(|Refusal { stream }| stream)
    }

    async fn tell_blocked(&self, stream: &str) -> Result<(), async_nats::Error> {
        let blocked = self.jetstream.get_stream(stream).await?;
        let last = blocked.cached_info().state.last_sequence;
        let config = stream::Config {
            name: BLOCKED.to_owned(),
            subjects: vec![blocked_subject(">")],
            storage: StorageType::Memory,
            max_messages_per_subject: 1,
            max_messages: 1000,
            max_bytes: 1024 * 1024,
            ..Default::default()
        };
        self.jetstream.get_or_create_stream(config).await?;
        let told = blocked_subject(&format!("{stream}.{last}"));
        self.jetstream.publish(told, Bytes::new()).await?.await?;
        Ok(())
    }
}

/// Where `<stream>.<number of its last message>` is told.
fn blocked_subject(rest: &str) -> String {
    format!("{}.blocked.{rest}", subject::ROOT)
}
