//! What became of a document that somebody submitted: the signed answer to its sender.

use events::{Decision, Digest, Text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Predicate;

/// The claim that the subject, a submitted document, was decided upon (`urn:attestry:receipt:v1`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Who submitted what, and the answer.
    pub decision: Decision,
    /// When the submission arrived.
    pub received_at: Timestamp,
    /// What speaks against the document, weightiest first. One of an accepted document is a warning.
    pub findings: Vec<ReceiptFinding>,
    /// How many findings there are; the receipt lists the first.
    pub finding_count: u64,
    /// What the document says of itself, as far as it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<ReadDocument>,
    /// The key whose signature over the document was verified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<VerifiedKey>,
    /// Digest of the passport that the document was judged by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passport: Option<Digest>,
}

impl Predicate for Receipt {
    const TYPE: &'static str = "urn:attestry:receipt:v1";
}

/// One rule's objection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptFinding {
    /// The rule: a check's code such as `duplicate-key`, or a policy's id such as `SUP-003`.
    pub rule: Text<256>,
    /// Whether it rejects the document; otherwise it warns.
    pub rejects: bool,
    /// Where: a JSON pointer into the document, or a part of the submission.
    pub field: Text<1024>,
    /// What is wrong.
    pub reason: Text<1024>,
    /// What to do about it.
    pub remedy: Text<1024>,
}

/// What a document says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadDocument {
    /// Its format, for example `cyclonedx`.
    pub format: String,
    /// Version of the format, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_version: Option<String>,
    /// Components, or VEX statements.
    pub entries: u64,
}

/// A key that signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifiedKey {
    /// Its label in the passport.
    pub label: String,
    /// Its hint in bundles.
    pub hint: String,
}
