//! What can go wrong between us and the broker.

use async_nats::jetstream::{
    self, ErrorCode,
    context::{CreateStreamError, CreateStreamErrorKind, PublishErrorKind},
};

/// A request to the broker did not succeed. Nothing here is the fault of an event.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The broker does not answer: worth retrying for as long as it takes.
    #[error("the broker did not answer while we tried to {action}: {reason}")]
    Away {
        /// What we tried to do.
        action: &'static str,
        /// What the client library says.
        reason: String,
    },
    /// A stream or the broker's store is full: worth retrying once space is made.
    #[error(
        "the broker has no room while we tried to {action}: {reason}; raise the stream's max_bytes or the server's max_file_store, whichever it is"
    )]
    Full {
        /// What we tried to do.
        action: &'static str,
        /// What the broker says.
        reason: String,
    },
    /// A write to a stream failed, and nats-server drops everything for it until it restarts: worth
    /// retrying for as long as it takes.
    #[error(
        "stream {stream} takes nothing while we tried to {action}, although the broker answers: its disk was full. Free the disk, then restart nats-server: 2.14 does not recover by itself. Nothing that was acknowledged is lost"
    )]
    Blocked {
        /// What we tried to do.
        action: &'static str,
        /// The stream.
        stream: String,
    },
    /// The broker answered no: its configuration or our permissions must change first.
    #[error("the broker refused to {action}: {reason}")]
    Refused {
        /// What we tried to do.
        action: &'static str,
        /// What the broker says.
        reason: String,
    },
    /// The broker is too old.
    #[error(
        "nats-server {found} at {url} is too old: it silently ignores settings that Attestry relies on; run 2.12.0 or newer (2.14.6 is tested)"
    )]
    OldServer {
        /// Its address.
        url: String,
        /// Its version.
        found: String,
    },
    /// A message does not fit into the broker's `max_payload`.
    #[error(
        "a message of {bytes} bytes is larger than the broker takes; raise max_payload to 1MB or send less"
    )]
    TooLarge {
        /// Size of the message.
        bytes: usize,
    },
}

impl BusError {
    /// Whether waiting mends it: the broker is away, full or blocked.
    pub fn is_outage(&self) -> bool {
        matches!(self, Self::Away { .. } | Self::Full { .. } | Self::Blocked { .. })
    }

    pub(crate) fn from_publish(
        action: &'static str,
        bytes: usize,
        error: &jetstream::context::PublishError,
    ) -> Self {
        let reason = error_chain(error);
        match error.kind() {
            PublishErrorKind::MaxPayloadExceeded => Self::TooLarge { bytes },
            _ => match api_error(error) {
                Some(api) => Self::from_api(action, &api, reason),
                None => Self::Away { action, reason },
            },
        }
    }

    /// Reads the broker's own error code, where there is one.
    pub(crate) fn from_api(action: &'static str, error: &jetstream::Error, reason: String) -> Self {
        match error.error_code() {
            ErrorCode::STREAM_STORE_FAILED
            | ErrorCode::INSUFFICIENT_RESOURCES
            | ErrorCode::STORAGE_RESOURCES_EXCEEDED => Self::Full { action, reason },
            _ if error.code() >= 500 => Self::Away { action, reason },
            _ => Self::Refused { action, reason },
        }
    }

    /// Classifies an error of the client library, by the broker's answer if it carries one.
    pub(crate) fn from_client(
        action: &'static str,
        error: &(dyn std::error::Error + 'static),
    ) -> Self {
        let reason = error_chain(error);
        match api_error(error) {
            Some(api) => Self::from_api(action, &api, reason),
            None => Self::Away { action, reason },
        }
    }
}

/// The broker's own error, in the chain of causes or, as the client library has it, in a kind.
pub(crate) fn api_error(error: &(dyn std::error::Error + 'static)) -> Option<jetstream::Error> {
    std::iter::successors(Some(error), |error| error.source()).find_map(|error| {
        match error.downcast_ref().map(CreateStreamError::kind) {
            Some(CreateStreamErrorKind::JetStream(api)) => Some(api),
            _ => error.downcast_ref::<jetstream::Error>().cloned(),
        }
    })
}

/// The error and its causes on one line.
fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
