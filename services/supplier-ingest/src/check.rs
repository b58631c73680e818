//! What would be decided about a document now, with nobody deciding it: for whoever is about to send it.

use std::sync::Arc;

use advisories::Index;
use attestation::{
    TrustRoot,
    predicate::receipt::{ReadDocument, ReceiptFinding, ReceiptStep, VerifiedKey},
};
use bytes::Bytes;
use events::{Digest, DocumentKind};
use jiff::Timestamp;
use policy::{Evaluator, SandboxError};
use serde::Serialize;

use crate::{
    Passport,
    examine::{self, Submission},
};

/// By what a document is checked.
pub struct CheckedBy<'a> {
    /// Who would send it, and what it may send.
    pub passport: Arc<Passport>,
    /// Behind the certificates of the supplier's identities.
    pub root: Arc<TrustRoot>,
    /// With the rule set `supplier`.
    pub policy: &'a Evaluator,
    /// What is known of packages, if anything.
    pub advisories: Option<Index>,
    /// When it would be decided.
    pub now: Timestamp,
}

/// The decision as it would be, but for what was accepted before.
#[derive(Debug, Serialize)]
pub struct Checked {
    /// Whether it would be accepted.
    pub accepted: bool,
    /// Digest of the document.
    pub digest: Digest,
    /// What it is, if it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<DocumentKind>,
    /// What it says of itself, as far as it could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<ReadDocument>,
    /// Whose signature over it was verified.
    #[serde(rename = "signedBy", skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<VerifiedKey>,
    /// As the receipt would have them.
    pub steps: Vec<ReceiptStep>,
    /// As the receipt would have them.
    pub findings: Vec<ReceiptFinding>,
    /// How many findings there are.
    #[serde(rename = "findingCount")]
    pub finding_count: u64,
}

/// Checks `document` with the `bundle` that signs it.
///
/// # Errors
/// The machine cannot judge now.
pub fn check(
    document: Bytes,
    bundle: Option<Bytes>,
    by: CheckedBy<'_>,
) -> Result<Checked, SandboxError> {
    let contents = examine::read(&document);
    let digest = Digest::of(&document);
    let CheckedBy { passport, root, policy, advisories, now } = by;
    let submission = Submission {
        document,
        bundle,
        passport: Some(passport),
        now,
        root,
        advisories,
        standing: None,
    };
    let examined = examine::examine(&submission, contents, policy)?;
    Ok(Checked {
        accepted: !examined.findings.iter().any(|it| it.rejects),
        digest,
        kind: examined.kind,
        document: examined.read,
        signed_by: examined.signed_by,
        steps: examined.steps,
        findings: examined.findings,
        finding_count: examined.finding_count,
    })
}
