//! What became of a document that somebody submitted: the signed answer to its sender.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Decision, Digest, Text};

/// The claim that the subject, a submitted document, was decided upon (`urn:attestry:receipt:v1`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Who submitted what, and the answer.
    pub decision: Decision,
    /// When the submission arrived.
    pub received_at: Timestamp,
    /// What was checked, in this order, up to where there was nothing left to go on with. Receipts of earlier
    /// releases have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<ReceiptStep>,
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

/// One step of the decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptStep {
    /// Which.
    pub step: Step,
    /// What came of it.
    pub result: StepResult,
    /// What was found.
    pub detail: Text<1024>,
}

/// Steps of a decision, in their order.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Whether somebody knows the sender: its passport.
    Sender,
    /// Whether the manifest can be read, and every chunk is there.
    Upload,
    /// Encoding, size, depth, and each key once.
    Bytes,
    /// Whether it is of a format and version that can be read.
    Format,
    /// The official schema of that version.
    Schema,
    /// Who signed, by the passport.
    Signature,
    /// Whether it was this document that was signed, and is about a product of the sender's.
    Binding,
    /// The rule set `supplier`.
    Policy,
    /// How much an SBOM tells.
    Grade,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepResult {
    /// Nothing speaks against the document.
    Passed,
    /// Something does, but does not reject it.
    Warned,
    /// Something rejects it.
    Failed,
    /// A step before it left nothing to look at, or it does not concern such a document.
    NotReached,
}

impl Step {
    /// All, in their order.
    pub const ALL: [Self; 9] = [
        Self::Sender,
        Self::Upload,
        Self::Bytes,
        Self::Format,
        Self::Schema,
        Self::Signature,
        Self::Binding,
        Self::Policy,
        Self::Grade,
    ];

    /// As receipts write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Upload => "upload",
            Self::Bytes => "bytes",
            Self::Format => "format",
            Self::Schema => "schema",
            Self::Signature => "signature",
            Self::Binding => "binding",
            Self::Policy => "policy",
            Self::Grade => "grade",
        }
    }
}

/// One rule's objection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptFinding {
    /// The step that found it; receipts of earlier releases do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReadDocument {
    /// Its format, for example `cyclonedx`.
    pub format: String,
    /// Version of the format, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_version: Option<String>,
    /// Components, or VEX statements.
    pub entries: u64,
    /// What an SBOM is about: the purl of its subject, else its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Text<1024>>,
    /// When it says that it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// How much an SBOM tells, by the standard of the passport.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<ReadGrade>,
}

/// How much an SBOM tells of what a standard asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReadGrade {
    /// The standard: `cisa`, `ntia` or `bsi`.
    pub standard: String,
    /// From 0 to 100.
    pub score: u8,
    /// `A` to `F`.
    pub grade: String,
}

/// A key that signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct VerifiedKey {
    /// Its label in the passport.
    pub label: String,
    /// Its hint in bundles.
    pub hint: String,
}
