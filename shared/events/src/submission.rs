//! What comes in from outside the builds: suppliers' documents and the operator's own.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use uuid::Uuid;

use crate::{Digest, Envelope, Event, Input, Label, Priority, Producer, Scope, text::Token};

/// Name of a supplier, of its passport and of its subjects: 1 to 64 of `a-z 0-9 -`, no hyphen first.
pub type SupplierId = Token<true>;

/// What tells one submission of a sender from its others, chosen by the sender: 1 to 64 of
/// `A-Z a-z 0-9 - _`.
pub type SubmissionId = Token<false>;

/// Scope of what an operator says about everything, whatever the project or supplier.
pub const OPERATOR: &str = "operator";

/// Somebody dropped a document and wants to know what becomes of it: `document.submitted`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DocumentSubmitted {
    /// Who.
    pub from: Sender,
    /// Which of the sender's submissions; the same one again is the same event.
    pub submission: SubmissionId,
    /// What.
    pub content: Content,
}

/// Who submitted a document; a supplier's subject proves it, the broker's permissions an operator.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// A supplier, through its own door.
    Supplier(SupplierId),
    /// An operator, about this project or supplier, or about everything ([`OPERATOR`]).
    Operator(Scope),
}

/// What a submission's manifest says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// The document, and the bundle that signs it.
    Named(Manifest),
    /// The manifest cannot be read.
    Unreadable {
        /// Which field, what is wrong, and the remedy.
        reason: Label,
    },
}

/// Names what was uploaded in chunks before it. The message on `ingest.<supplier>.manifest.<submission>`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// The document.
    pub document: Input,
    /// The Sigstore bundle over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Input>,
}

/// What was decided about a submission; travels with the evidence of its receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Who submitted.
    pub from: Sender,
    /// Which of the sender's submissions.
    pub submission: SubmissionId,
    /// The document, as far as its digest is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Digest>,
    /// The answer.
    pub result: DecisionResult,
    /// What it is, as far as it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<DocumentKind>,
    /// The rule that weighed most against it, when rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Label>,
    /// Ingestion timestamp: when it was decided.
    pub ingested_at: Timestamp,
    /// Digest of the policy bundle that judged, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
    /// Name of the product that it is about, without a version, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Label>,
    /// Format and its version, such as `cyclonedx 1.6`, as far as it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Label>,
    /// When it was made, where it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// Whose signature over it was verified: the label in the passport; absent if nobody's was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Label>,
    /// How much it tells of what the standards ask for, if it is an SBOM that was graded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
}

/// How much an SBOM tells of what a standard asks for, the best first; there is no `E`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub enum Grade {
    /// 90 of 100 or more.
    A,
    /// 80 or more.
    B,
    /// 70 or more.
    C,
    /// 60 or more.
    D,
    /// Less.
    F,
}

/// Whether a document may be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DecisionResult {
    /// It is kept and used.
    Accepted,
    /// It is not; the receipt says why.
    Rejected,
}

/// What a document is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// What a product consists of.
    Sbom,
    /// Which vulnerabilities matter to it.
    Vex,
}

impl DocumentSubmitted {
    /// Id of the event, and correlation of all that follows, of this submission.
    pub fn id_of(from: &Sender, submission: &SubmissionId) -> Uuid {
        let content = Content::Unreadable { reason: Label::of("") };
        let (from, submission) = (from.clone(), submission.clone());
        let data = Self { from, submission, content };
        let (source, scope) = (Label::of(""), data.from.scope());
        Envelope::root(source, Timestamp::UNIX_EPOCH, Priority::Background, scope, data).id
    }
}

impl Sender {
    /// The scope of the sender's events.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Supplier(supplier) => Scope::of(supplier.as_str()),
            Self::Operator(scope) => scope.clone(),
        }
    }
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Supplier(supplier) => write!(f, "supplier {supplier}"),
            Self::Operator(scope) => write!(f, "operator, about {scope}"),
        }
    }
}

impl DecisionResult {
    /// As it is written, in metrics too.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
        }
    }
}

impl Grade {
    /// Every grade, the best first.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::F];

    /// The grade that is written so.
    pub fn of(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str().starts_with(letter))
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::F => "F",
        }
    }
}

impl DocumentKind {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sbom => "sbom",
            Self::Vex => "vex",
        }
    }
}

impl Event for DocumentSubmitted {
    const NOUN: &'static str = "document";
    const VERB: &'static str = "submitted";

    fn natural_key(&self) -> String {
        // A supplier called like a project is still another sender.
        match &self.from {
            Sender::Supplier(supplier) => format!("supplier\0{supplier}\0{}", self.submission),
            Sender::Operator(scope) => format!("operator\0{scope}\0{}", self.submission),
        }
    }

    fn producer(&self) -> Option<Producer> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    fn submitted(from: Sender) -> Envelope<DocumentSubmitted> {
        let content = Content::Unreadable { reason: Label::of("no") };
        let data = DocumentSubmitted { submission: "s-1".parse().expect("valid"), content, from };
        let (source, at) = (Label::of("/x"), Timestamp::UNIX_EPOCH);
        Envelope::root(source, at, Priority::Background, data.from.scope(), data)
    }

    #[test]
    fn id_is_known_before_the_manifest_is() {
        let event = submitted(Sender::Supplier("acme".parse().expect("valid")));
        assert_eq!(DocumentSubmitted::id_of(&event.data.from, &event.data.submission), event.id);
    }

    #[test]
    fn supplier_and_operator_of_one_name_are_two_senders() {
        let supplier = submitted(Sender::Supplier("acme".parse().expect("valid")));
        let operator = submitted(Sender::Operator("acme".parse().expect("valid")));
        assert_ne!(supplier.id, operator.id);
        assert_eq!(supplier.scope, operator.scope);
    }

    #[test]
    fn grades_are_the_letters_of_a_score() {
        for (letter, grade) in "ABCDF".chars().zip(Grade::ALL) {
            assert_eq!(Grade::of(letter), Some(grade));
            assert_eq!(serde_json::to_value(grade).expect("encodes"), letter.to_string());
        }
        for none in ['E', 'a', '-', ' '] {
            assert_eq!(Grade::of(none), None, "{none}");
        }
        assert!(Grade::A < Grade::F, "the best comes first");
    }

    #[test]
    fn decision_of_an_older_release_is_read() {
        let old = r#"{"from":{"supplier":"acme"},"submission":"s-1","result":"accepted","ingested_at":"2026-01-01T00:00:00Z"}"#;
        let decision: Decision = serde_json::from_str(old).expect("reads");
        assert_eq!((decision.grade, &decision.signer, &decision.product), (None, &None, &None));
        assert_eq!(serde_json::to_string(&decision).expect("encodes"), old);
    }

    #[test]
    fn supplier_ids_are_subjects_tokens_and_file_names() {
        for good in ["acme", "a", "acme-2"] {
            assert!(good.parse::<SupplierId>().is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", "Acme", "a.b", "a*", "a/b", "..", "ä", long.as_str()] {
            assert!(bad.parse::<SupplierId>().is_err(), "{bad}");
        }
    }
}
