//! Answers whoever waits for a verdict: which builds an artifact belongs to, and documents by digest.

use archive::Archive;
use bus::{Bus, Query};
use bytes::Bytes;
use events::{Digest, Envelope, EvidenceSigned, Scope};
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};
use uuid::Uuid;
use worker::HandleError;

/// Topic of [`DocumentQuery`].
pub const DOCUMENT: &str = "document";
/// Topic of [`Digest`] questions that [`Judged`] answers.
pub const JUDGED: &str = "judged";
/// Most bytes of one answer; the rest is asked for with an offset.
const ANSWER_BYTES: usize = 512 * 1024;
/// Largest document that is read for an answer.
const DOCUMENT_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Asks for a part of a document.
#[derive(Debug, Serialize, Deserialize)]
pub struct DocumentQuery {
    /// Which document.
    pub digest: Digest,
    /// From which byte on.
    pub offset: usize,
}

/// First line of the answer to a [`DocumentQuery`], as JSON; the bytes follow the line break.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentAnswer {
    /// The document has this many bytes in all.
    Size(usize),
    /// It cannot be had.
    Error(String),
}

/// A build that an artifact belongs to and that was judged.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// Whose build.
    pub scope: Scope,
    /// Which build.
    pub correlation: Uuid,
    /// When the build was submitted.
    pub time: Timestamp,
}

/// Notes under each artifact's digest that a build with it was judged.
pub(crate) async fn index(
    archive: &Archive,
    event: &Envelope<EvidenceSigned>,
    artifacts: &[Digest],
) -> Result<(), HandleError> {
    let judged =
        Judged { scope: event.scope.clone(), correlation: event.correlation, time: event.time };
    // A struct of texts always encodes.
    let value = Bytes::from(serde_json::to_vec(&judged).unwrap_or_default());
    let claims = artifacts.iter().map(|artifact| {
        let (name, value) = (format!("judged/{}/{}", artifact.hex(), event.correlation), &value);
        async move { archive.claim(&name, value.clone()).await }
    });
    futures::future::try_join_all(claims).await?;
    Ok(())
}

/// Answers questions for as long as it is polled.
pub async fn answer(bus: &Bus, archive: &Archive) {
    loop {
        let (documents, judged) = match (bus.queries(DOCUMENT).await, bus.queries(JUDGED).await) {
            (Ok(documents), Ok(judged)) => (documents, judged),
            (Err(error), _) | (_, Err(error)) => {
                warn!(%error, "Failed to listen for queries; trying again");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                continue;
            }
        };
        let documents = documents.for_each_concurrent(8, async |query| {
            let answer = document(archive, query.question()).await;
            reply(query, answer).await;
        });
        let judged = judged.for_each_concurrent(8, async |query| {
            let answer = judged_with(archive, query.question()).await;
            reply(query, answer).await;
        });
        futures::join!(documents, judged);
    }
}

async fn reply(query: Query, answer: Bytes) {
    if let Err(error) = query.answer(answer).await {
        warn!(%error, "Failed to answer a query");
    }
}

async fn document(archive: &Archive, question: &[u8]) -> Bytes {
    let found = async {
        let query: DocumentQuery =
            serde_json::from_slice(question).map_err(|error| error.to_string())?;
        let bytes = archive.get(query.digest, DOCUMENT_BYTES_MAX).await;
        let bytes = bytes.map_err(|error| error.to_string())?;
        let start = query.offset.min(bytes.len());
        let part = bytes.slice(start..bytes.len().min(start + ANSWER_BYTES));
        Ok::<_, String>((DocumentAnswer::Size(bytes.len()), part))
    };
    let (head, part) = found.await.unwrap_or_else(|why| (DocumentAnswer::Error(why), Bytes::new()));
    // An enum of a number or a text always encodes.
    let mut answer = serde_json::to_vec(&head).unwrap_or_default();
    answer.push(b'\n');
    answer.extend_from_slice(&part);
    answer.into()
}

/// A JSON list of [`Judged`].
async fn judged_with(archive: &Archive, question: &[u8]) -> Bytes {
    let text = String::from_utf8_lossy(question);
    let Ok(digest) = text.parse::<Digest>() else { return Bytes::from_static(b"[]") };
    let claims = match archive.claims_below(&format!("judged/{}", digest.hex())).await {
        Ok(claims) => claims,
        Err(error) => {
            error!(%error, "Failed to look up judgements");
            return Bytes::new();
        }
    };
    let judged: Vec<Judged> =
        claims.iter().filter_map(|claim| serde_json::from_slice(claim).ok()).collect();
    serde_json::to_vec(&judged).unwrap_or_default().into()
}
