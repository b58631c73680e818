//! Signing again: the event, and the question what somebody signed, which comes before it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{BundleRef, Event, Label, Priority, Producer, Scope};

/// What a producer had signed is signed by somebody else now: `evidence.resigned`.
///
/// It stands beside `evidence.signed`, which stays as it was. A later generation stands on the same subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EvidenceResigned {
    /// Who made the evidence.
    pub producer: Producer,
    /// Which signing this is; the first was 1.
    pub generation: u32,
    /// Whose bundles these stand in for: a fingerprint of a key, or an identity.
    pub replaces: Label,
    /// One bundle for each that this signer made of the producer's statements, in the archive.
    pub bundles: Vec<BundleRef>,
}

impl Event for EvidenceResigned {
    const NOUN: &'static str = "evidence";
    const VERB: &'static str = "resigned";

    fn natural_key(&self) -> String {
        format!("{}\0{}", self.producer.as_str(), self.generation)
    }

    fn producer(&self) -> Option<Producer> {
        Some(self.producer)
    }
}

/// Asks the registrar what somebody signed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignedQuery {
    /// Fingerprint of a key, or an identity.
    pub signer: Label,
    /// Only what was signed then or later.
    pub since: Option<Timestamp>,
    /// The last one of the page before.
    pub after: Option<(Uuid, Producer)>,
}

impl SignedQuery {
    /// Topic of the question.
    pub const TOPIC: &'static str = "signed";
}

/// What somebody signed of one producer's statements in one story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignedEvidence {
    /// The story: a build or a submission.
    pub correlation: Uuid,
    /// Who made the evidence.
    pub producer: Producer,
    /// The event that told of the bundles first.
    pub event: Uuid,
    /// How urgent it was.
    pub priority: Priority,
    /// Whose it is.
    pub scope: Scope,
    /// When it was signed.
    pub time: Timestamp,
    /// The bundles.
    pub bundles: Vec<BundleRef>,
}

/// Answer to a question.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer<T> {
    /// What is known.
    Known(T),
    /// It could not be found out.
    Error(String),
}
