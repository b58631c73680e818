//! Answers whoever asks what is known about a digest, and whether anything was lost.

use std::{path::Path, time::Duration};

use bus::{Bus, Query};
use bytes::Bytes;
use events::{Digest, SubmissionId};
use futures::StreamExt;
use jiff::Timestamp;
use registry::{Explanation, Reconciliation, View};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;
use tracing::warn;
use uuid::Uuid;

use crate::reconciler::Reconciler;

/// Topic of [`ExplainQuery`].
pub const EXPLAIN: &str = "explain";
/// Topic of the question what entered and what ended; nothing is asked with it.
pub const RECONCILE: &str = "reconcile";
/// The broker takes no more; an explanation is cut to fewer stories until it fits.
const ANSWER_BYTES_MAX: usize = 900 * 1024;

/// Asks for a story.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExplainQuery {
    /// Whose story.
    pub of: Subject,
    /// Only what was known then.
    pub as_of: Option<Timestamp>,
}

/// What a story is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// An artifact, a lockfile, a document, a statement or a bundle.
    Digest(Digest),
    /// A build, a submission, or one of their events.
    Id(Uuid),
    /// What a sender calls its submission.
    Submission(SubmissionId),
}

/// Answer to any question here.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// What is known.
    Known(T),
    /// It could not be found out.
    Error(String),
}

/// What entered, what ended, and how far the registry is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reconciled {
    /// What entered and what ended.
    #[serde(flatten)]
    pub reconciliation: Reconciliation,
    /// Messages that streams hold and the registry does not; above 0 the rest is of before.
    pub behind: u64,
}

/// Answers questions for as long as it is polled.
pub(crate) async fn answer(bus: &Bus, registry: &Path, reconciler: &Reconciler) {
    loop {
        let (explain, reconcile) = match (bus.queries(EXPLAIN).await, bus.queries(RECONCILE).await)
        {
            (Ok(explain), Ok(reconcile)) => (explain, reconcile),
            (Err(error), _) | (_, Err(error)) => {
                warn!(%error, "Failed to listen for queries; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        tokio::pin!(explain, reconcile);
        let explaining = async {
            while let Some(query) = explain.next().await {
                // Whoever just got a verdict asks for its story.
                reconciler.catch_up().await;
                let (path, question) = (registry.to_owned(), query.question().clone());
                let told = spawn_blocking(move || explained(&path, &question)).await;
                let told = told.unwrap_or_else(|error| encode(&failed(&error.to_string())));
                reply(query, told).await;
            }
        };
        // Beside the other, because it may wait for the registry to catch up.
        let reconciling = async {
            while let Some(query) = reconcile.next().await {
                let reconciled = match reconciler.reconcile().await {
                    Ok(reconciled) => Answer::Known(reconciled),
                    Err(why) => Answer::Error(why),
                };
                reply(query, encode(&reconciled)).await;
            }
        };
        futures::join!(explaining, reconciling);
    }
}

async fn reply(query: Query, answer: Bytes) {
    if let Err(error) = query.answer(answer).await {
        warn!(%error, "Failed to answer a query");
    }
}

fn explained(registry: &Path, question: &[u8]) -> Bytes {
    let found = || {
        let ExplainQuery { of, as_of } =
            serde_json::from_slice(question).map_err(|error| error.to_string())?;
        let explained = View::open(registry).and_then(|view| match of {
            Subject::Digest(digest) => view.explain(digest, as_of),
            Subject::Id(id) => view.explain_id(id, as_of),
            Subject::Submission(name) => view.explain_submission(&name, as_of),
        });
        explained.map_err(|error| error.to_string())
    };
    let mut explanation = match found() {
        Ok(explanation) => explanation,
        Err(why) => return encode(&failed(&why)),
    };
    loop {
        let answer = encode(&Answer::Known(&explanation));
        if answer.len() <= ANSWER_BYTES_MAX || !explanation.shorten() {
            return answer;
        }
    }
}

fn failed(why: &str) -> Answer<Explanation> {
    Answer::Error(why.to_owned())
}

fn encode(answer: &impl Serialize) -> Bytes {
    // Maps with text keys always encode.
    serde_json::to_vec(answer).unwrap_or_default().into()
}
