//! Stories of documents that were submitted, and of advisories.

use events::{DecisionResult, Digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attempt, Document, Entry, Event, State, Statement};

/// One submission of a document, from there to the answer and what followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submission {
    /// Its id, which every event of it carries.
    pub correlation: Uuid,
    /// What was submitted; none while only consequences are known.
    #[serde(flatten)]
    pub submitted: Option<SubmittedDocument>,
    /// How far it came.
    pub state: State,
    /// What was decided; without `signed_at` it is no answer yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The submission that brought the document into the registry of suppliers' documents: this
    /// one, or an earlier one of the same sender; none if it never came there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered_by: Option<Uuid>,
    /// What the mapper found in the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped: Option<Mapped>,
    /// Its events, each after the one that caused it.
    pub events: Vec<Event>,
    /// The document and what else the decision rests on.
    pub documents: Vec<Document>,
    /// The receipt's statement, and who signed it.
    pub statements: Vec<Statement>,
    /// What failed at least once.
    pub attempts: Vec<Attempt>,
    /// What was set aside.
    pub quarantine: Vec<Entry>,
    /// How many entries the lists above leave out, all together.
    pub more: u64,
}

/// What somebody submitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubmittedDocument {
    /// `supplier` or `operator`.
    pub sender: String,
    /// The supplier, or whom the operator speaks about.
    pub scope: String,
    /// What tells this submission of the sender from its others.
    pub submission: String,
    /// The document's name, as the sender says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Digest>,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The Sigstore bundle that came with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Digest>,
    /// Why the manifest cannot be read, if it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
}

/// What was decided about a submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Whether the document may be relied on.
    pub result: DecisionResult,
    /// `sbom` or `vex`, as far as it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The rule that weighed most against it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Digest of the policy that judged, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
    /// When it was decided: the ingestion timestamp.
    pub ingested_at: Timestamp,
    /// When the receipt was signed; before that it answers nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// Digest of the bundle that signs the receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Digest>,
    /// What the document says of itself, who signed it and how good it is.
    #[serde(flatten)]
    pub parsed: Parsed,
}

/// What was read of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parsed {
    /// Name of the product that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Format and version, such as `cyclonedx 1.6`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// When it says that it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// Whose signature over it was verified; none if nobody's was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The grade of an SBOM, `A` to `F`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<String>,
}

/// What the mapper found, and what the backlog has from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mapped {
    /// The document that was mapped, when the event brought one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Digest>,
    /// Digest of the advisory index that was asked, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<Digest>,
    /// Findings that count.
    pub findings: u64,
    /// Findings that a VEX statement suppresses.
    pub suppressed: u64,
    /// Entries of the backlog that were opened or reopened.
    pub opened: Vec<String>,
    /// Entries that were closed.
    pub closed: Vec<String>,
    /// When.
    pub time: Timestamp,
}

/// A new advisory index, and what followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// Its id, which every event of it carries.
    pub correlation: Uuid,
    /// Digest of the index; none while only consequences are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<Digest>,
    /// Advisories in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<u64>,
    /// How far it came.
    pub state: State,
    /// What the mapper found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped: Option<Mapped>,
    /// Its events, each after the one that caused it.
    pub events: Vec<Event>,
    /// What failed at least once.
    pub attempts: Vec<Attempt>,
    /// What was set aside.
    pub quarantine: Vec<Entry>,
    /// How many entries the lists above leave out, all together.
    pub more: u64,
}

/// A row of the registry of suppliers' documents: what was accepted, once per sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupplierDocument {
    /// `supplier` or `operator`.
    pub sender: String,
    /// The supplier, or whom the operator speaks about.
    pub scope: String,
    /// The document.
    pub digest: Digest,
    /// `sbom` or `vex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The sender's name for the submission that brought it first.
    pub submission: String,
    /// That submission's id.
    pub correlation: Uuid,
    /// Digest of the bundle that signs its receipt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Digest>,
    /// Digest of the policy that accepted it, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
    /// When it was ingested first.
    pub ingested_at: Timestamp,
    /// What the document says of itself, who signed it and how good it is.
    #[serde(flatten)]
    pub parsed: Parsed,
}
