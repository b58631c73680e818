//! Answers whoever asks what is known about a digest, and whether anything was lost.

use std::{path::Path, time::Duration};

use bus::{Bus, BusError, Query};
use bytes::Bytes;
pub use events::Answer;
use events::{Digest, SignedQuery, SubmissionId, SupplierId};
use futures::{Stream, StreamExt};
use jiff::Timestamp;
use registry::{Explanation, Reconciliation, RegistryError, View};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::task::spawn_blocking;
use tracing::warn;
use uuid::Uuid;

use crate::reconciler::Reconciler;

/// Topic of [`ExplainQuery`].
pub const EXPLAIN: &str = "explain";
/// Topic of the question what entered and what ended; nothing is asked with it.
pub const RECONCILE: &str = "reconcile";
/// Topic of [`ScorecardQuery`]; the answer is a [`registry::Scorecard`], or nothing.
pub const SCORECARD: &str = "scorecard";
/// Topic of [`SuppliersQuery`]; the answer is a list of [`registry::Summary`].
pub const SUPPLIERS: &str = "suppliers";
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

/// Asks how one supplier does.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScorecardQuery {
    /// Which.
    pub supplier: SupplierId,
    /// Only what was decided then or later.
    pub since: Option<Timestamp>,
}

/// Asks how suppliers do, a page at a time: one shorter than [`registry::scorecard::PAGE`] is the last.
#[derive(Debug, Serialize, Deserialize)]
pub struct SuppliersQuery {
    /// Those after this one.
    pub after: Option<SupplierId>,
    /// Only what was decided then or later.
    pub since: Option<Timestamp>,
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
            let (one, all) = (bus.queries(SCORECARD).await?, bus.queries(SUPPLIERS).await?);
            let signed = bus.queries(SignedQuery::TOPIC).await?;
            Ok::<_, BusError>((explain, reconcile, signed, one, all))
        };
        let (explain, reconcile, signed, one, all) = match listening.await {
            Ok(listening) => listening,
            Err(error) => {
                warn!(%error, "Failed to listen for queries; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        tokio::pin!(reconcile);
        let looking = futures::future::join4(
            look(explain, registry, reconciler, explained),
            look(signed, registry, reconciler, |registry, question| {
                known(registry, question, |view, query: SignedQuery| view.signed(&query))
            }),
            look(one, registry, reconciler, |registry, question| {
                known(registry, question, |view, query: ScorecardQuery| {
                    view.scorecard(&query.supplier, query.since)
                })
            }),
            look(all, registry, reconciler, |registry, question| {
                known(registry, question, |view, query: SuppliersQuery| {
                    view.suppliers(query.after.as_ref(), query.since)
                })
            }),
        );
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
        futures::join!(looking, reconciling);
    }
}

/// Answers `queries` from the registry, once it has what the streams hold: whoever just got an answer
/// asks for its story.
async fn look(
    queries: impl Stream<Item = Query>,
    registry: &Path,
    reconciler: &Reconciler,
    told: fn(&Path, &[u8]) -> Bytes,
) {
    tokio::pin!(queries);
    while let Some(query) = queries.next().await {
        reconciler.catch_up().await;
        let (path, question) = (registry.to_owned(), query.question().clone());
        reply(query, off_thread(move || told(&path, &question)).await).await;
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

/// What `find` finds, given the question as it was meant.
fn known<Q: DeserializeOwned, A: Serialize>(
    registry: &Path,
    question: &[u8],
    find: impl FnOnce(&View, Q) -> Result<A, RegistryError>,
) -> Bytes {
    let found =
        serde_json::from_slice(question).map_err(|error| error.to_string()).and_then(|query| {
            let found = View::open(registry).and_then(|view| find(&view, query));
            found.map_err(|error| error.to_string())
        });
    encode(&match found {
        Ok(found) => Answer::Known(found),
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
