//! Workers that wait for something else than the broker, told to whoever waits for them.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::{
    ErrorCode,
    stream::{self, StorageType},
};
use events::subject;
use futures::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Bus, BusError, error::api_error};

/// In memory: who restarts the broker restarts what is told here.
const PAUSED: &str = "ATTESTRY_PAUSED";
/// A worker tells it with every try, at least every fifteen seconds; one that died tells nothing.
const TOLD_FOR: Duration = Duration::from_secs(60);

/// Why a worker waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What is away, such as `fulcio`.
    pub dependency: String,
    /// What it says, and the remedy.
    pub detail: String,
    /// When the worker tried last.
    pub tried_at: Timestamp,
}

impl Bus {
    /// Tells that `worker` waits.
    pub async fn tell_pause(&self, worker: &str, pause: &Pause) -> Result<(), BusError> {
        const ACTION: &str = "tell that a worker waits";
        let config = stream::Config {
            name: PAUSED.to_owned(),
            subjects: vec![paused_subject(">")],
            storage: StorageType::Memory,
            max_messages_per_subject: 1,
            max_bytes: 1024 * 1024,
            max_age: TOLD_FOR,
            allow_direct: true,
            ..Default::default()
        };
        let refused = |reason: String| BusError::Refused { action: ACTION, reason };
        let payload = serde_json::to_vec(pause).map_err(|error| refused(error.to_string()))?;
        let stream = self.jetstream.get_or_create_stream(config).await;
        stream.map_err(|error| BusError::from_client(ACTION, &error))?;
        let told = self.jetstream.publish(paused_subject(worker), payload.into()).await;
        let told = told.map_err(|error| BusError::from_client(ACTION, &error))?;
        told.await.map(drop).map_err(|error| BusError::from_client(ACTION, &error))
    }

    /// Tells that `worker` waits no longer.
    pub async fn tell_resumed(&self, worker: &str) -> Result<(), BusError> {
        const ACTION: &str = "tell that a worker goes on";
        let stream = self.jetstream.get_stream_no_info(PAUSED).await;
        let stream = stream.map_err(|error| BusError::from_client(ACTION, &error))?;
        let purged = stream.purge().filter(paused_subject(worker)).await;
        purged.map(drop).map_err(|error| BusError::from_client(ACTION, &error))
    }

    /// Every worker that waits now.
    pub async fn pauses(&self) -> Result<BTreeMap<String, Pause>, BusError> {
        const ACTION: &str = "look for workers that wait";
        let stream = self.jetstream.get_stream_no_info(PAUSED).await;
        let stream = stream.map_err(|error| BusError::from_client(ACTION, &error))?;
        let subjects = match stream.info_with_subjects(">").await {
            Ok(subjects) => subjects,
            Err(error) => {
                let missing = ErrorCode::STREAM_NOT_FOUND;
                return match api_error(&error) {
                    Some(api) if api.error_code() == missing => Ok(BTreeMap::new()),
                    _ => Err(BusError::from_client(ACTION, &error)),
                };
            }
        };
        let subjects: Vec<(String, usize)> =
            subjects.try_collect().await.map_err(|error| BusError::from_client(ACTION, &error))?;
        let mut pauses = BTreeMap::new();
        for (subject, _) in subjects {
            let Some(worker) = subject.strip_prefix(&paused_subject("")) else { continue };
            // It may have gone on since.
            let Some(told) = self.last_on(PAUSED, &subject).await? else { continue };
            if let Ok(pause) = serde_json::from_slice(&told.payload) {
                pauses.insert(worker.to_owned(), pause);
            }
        }
        Ok(pauses)
    }
}

fn paused_subject(rest: &str) -> String {
    format!("{}.paused.{rest}", subject::ROOT)
}
