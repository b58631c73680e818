//! Answers whoever waits for a verdict: which builds an artifact belongs to, and documents by digest.

use archive::Archive;
use bus::{Bus, Query};
use bytes::Bytes;
use events::{Artifact, Digest, EvidenceSigned, Scope};
use futures::StreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::{error, warn};
use uuid::Uuid;
use worker::HandleError;

use crate::promoted::Promoted;

/// Topic of [`DocumentQuery`].
pub const DOCUMENT: &str = "document";
/// Topic of [`Digest`] questions that [`Judged`] answers.
pub const JUDGED: &str = "judged";
/// Topic of the question what is promoted, which a list of [`Promoted`] answers.
pub const PROMOTED: &str = "promoted";
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
    /// The story that the verdict belongs to: the build's, or one that a request began.
    pub correlation: Uuid,
    /// When the build was submitted, or judged again.
    pub time: Timestamp,
    /// The build's story, where this one began with a request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<Uuid>,
    /// What the build made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// The evidence that was judged, so that it can be judged again; never part of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceSigned>,
}

/// Notes under each artifact's digest that a build with it was judged.
pub(crate) async fn index(archive: &Archive, judged: &Judged) -> Result<(), HandleError> {
    // A struct of texts always encodes.
    let value = Bytes::from(serde_json::to_vec(judged).unwrap_or_default());
    let claims = judged.artifacts.iter().map(|artifact| {
        let (name, value) = (name_of(artifact.digest, judged.correlation), &value);
        async move { archive.claim(&name, value.clone()).await }
    });
    futures::future::try_join_all(claims).await?;
    Ok(())
}

/// What is noted of the build `story` under this artifact's digest.
pub(crate) async fn noted(
    archive: &Archive,
    artifact: Digest,
    story: Uuid,
) -> Result<Option<Judged>, HandleError> {
    let held = archive.claimed(&name_of(artifact, story)).await?;
    Ok(held.and_then(|it| serde_json::from_slice(&it).ok()))
}

fn name_of(artifact: Digest, story: Uuid) -> String {
    format!("judged/{}/{story}", artifact.hex())
}

/// Answers questions for as long as it is polled.
pub async fn answer(bus: &Bus, archive: &Archive) {
    loop {
        let listening =
            futures::try_join!(bus.queries(DOCUMENT), bus.queries(JUDGED), bus.queries(PROMOTED));
        let (documents, judged, promoted) = match listening {
            Ok(listening) => listening,
            Err(error) => {
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
        let promoted = promoted.for_each_concurrent(8, async |query| {
            let answer = promoted_after(archive, query.question()).await;
            reply(query, answer).await;
        });
        futures::join!(documents, judged, promoted);
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
    let read = claims.iter().filter_map(|claim| serde_json::from_slice::<Judged>(claim).ok());
    let judged: Vec<Judged> = read.map(|it| Judged { evidence: None, ..it }).collect();
    serde_json::to_vec(&judged).unwrap_or_default().into()
}

/// A JSON list of [`Promoted`], of the projects that follow the one that the question names.
async fn promoted_after(archive: &Archive, question: &[u8]) -> Bytes {
    let last = String::from_utf8_lossy(question);
    match Promoted::all(archive).await {
        Ok(promoted) => {
            let mut room = ANSWER_BYTES;
            let following = promoted.iter().filter(|it| it.project.as_str() > &*last);
            let texts = following.map(|it| serde_json::to_string(it).unwrap_or_default());
            // The first whatever its size: an empty list would mean that nothing follows.
            let listed = texts.enumerate().take_while(|(number, text)| {
                room = room.saturating_sub(text.len());
                *number == 0 || room > 0
            });
            let listed: Vec<String> = listed.map(|(_, text)| text).collect();
            format!("[{}]", listed.join(",")).into()
        }
        Err(error) => {
            error!(?error, "Failed to look up what is promoted");
            Bytes::new()
        }
    }
}
