//! Answers whoever asks what is known about a digest, and whether anything was lost.

use std::{path::Path, time::Duration};

use bus::{Bus, BusError, Query};
use bytes::Bytes;
pub use events::Answer;
use events::{Digest, SignedEvidence, SignedQuery, SubmissionId};
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
        let listening = async {
            let explain = bus.queries(EXPLAIN).await?;
            let reconcile = bus.queries(RECONCILE).await?;
            Ok::<_, BusError>((explain, reconcile, bus.queries(SignedQuery::TOPIC).await?))
        };
        let (explain, reconcile, signed) = match listening.await {
            Ok(listening) => listening,
            Err(error) => {
                warn!(%error, "Failed to listen for queries; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        tokio::pin!(explain, reconcile, signed);
        let explaining = async {
            while let Some(query) = explain.next().await {
                // Whoever just got a verdict asks for its story.
                reconciler.catch_up().await;
                let (path, question) = (registry.to_owned(), query.question().clone());
                reply(query, off_thread(move || explained(&path, &question)).await).await;
            }
        };
        let listing = async {
            while let Some(query) = signed.next().await {
                reconciler.catch_up().await;
                let (path, question) = (registry.to_owned(), query.question().clone());
                reply(query, off_thread(move || signed_by(&path, &question)).await).await;
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
        futures::join!(explaining, listing, reconciling);
    }
}

async fn reply(query: Query, answer: Bytes) {
    if let Err(error) = query.answer(answer).await {
        warn!(%error, "Failed to answer a query");
    }
}

async fn off_thread(told: impl FnOnce() -> Bytes + Send + 'static) -> Bytes {
    let told = spawn_blocking(told).await;
    told.unwrap_or_else(|error| encode(&failed(&error.to_string())))
}

fn signed_by(registry: &Path, question: &[u8]) -> Bytes {
    let found = serde_json::from_slice::<SignedQuery>(question)
        .map_err(|error| error.to_string())
        .and_then(|query| {
            let signed = View::open(registry).and_then(|view| view.signed(&query));
            signed.map_err(|error| error.to_string())
        });
    encode(&match found {
        Ok(page) => Answer::<Vec<SignedEvidence>>::Known(page),
        Err(why) => Answer::Error(why),
    })
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
