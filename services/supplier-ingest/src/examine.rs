//! The decision on one document, step by step: bytes, format, schema, signature, binding, policy, grade.

mod findings;
mod input;
mod reading;
mod signature;
mod steps;
mod suspicion;

use std::sync::Arc;

use advisories::Index;
use attestation::{
    TrustRoot,
    predicate::receipt::{ReadDocument, ReceiptFinding, ReceiptStep, Step, VerifiedKey},
};
use bytes::Bytes;
use documents::score::Standard;
use events::{Accepted, Digest, DocumentKind, Label, Text};
use jiff::Timestamp;
use policy::{Evaluator, Report, SandboxError};

use self::{input::Input, signature::Signature};
use crate::passport::Passport;
pub(crate) use findings::finding;
pub(crate) use reading::{Contents, Unread, read};
pub(crate) use steps::Steps;

#[cfg(test)]
mod tests;

/// Most findings that a receipt lists.
const MAX_FINDINGS: usize = 100;
const WHOLE: &str = "/";

/// A document to decide on.
pub(crate) struct Submission {
    pub(crate) document: Bytes,
    pub(crate) bundle: Option<Bytes>,
    /// The supplier's; an operator has none, and answers for what it adds.
    pub(crate) passport: Option<Arc<Passport>>,
    pub(crate) now: Timestamp,
    /// Behind the certificates of suppliers' identities.
    pub(crate) root: Arc<TrustRoot>,
    /// What is known of packages, where there is an index.
    pub(crate) advisories: Option<Index>,
    /// The SBOM of the same product that stands now.
    pub(crate) standing: Option<Accepted>,
}

/// What was found out.
#[derive(Default)]
pub(crate) struct Examined {
    pub(crate) kind: Option<DocumentKind>,
    pub(crate) read: Option<ReadDocument>,
    /// What an SBOM is called, as the backlog calls its product.
    pub(crate) about: Option<Label>,
    pub(crate) media_type: Option<&'static str>,
    pub(crate) steps: Vec<ReceiptStep>,
    pub(crate) findings: Vec<ReceiptFinding>,
    pub(crate) finding_count: u64,
    pub(crate) signed_by: Option<VerifiedKey>,
    pub(crate) policy: Option<Digest>,
}

/// Goes through all steps; the first that leaves nothing to go on with is the last.
///
/// # Errors
/// The machine cannot judge now.
pub(crate) fn examine(
    submission: &Submission,
    contents: Result<Contents, Unread>,
    policy: &Evaluator,
) -> Result<Examined, SandboxError> {
    let mut steps = Steps::arrived(&submission.document);
    let contents = match contents {
        Ok(contents) => contents,
        Err(unread) => {
            steps.unread(&unread);
            return Ok(Examined::default().with(unread.findings, 0, steps));
        }
    };
    steps.read(&contents);
    let examined = Examined {
        kind: Some(contents.kind),
        read: Some(contents.told(submission.passport.as_deref())),
        about: contents.about(),
        media_type: Some(contents.media_type),
        ..Examined::default()
    };
    let Some(passport) = &submission.passport else {
        return Ok(by_operator(examined, &contents, steps));
    };
    let signature = Signature::of(submission, passport);
    let input = Input::of(submission, passport, &contents, &signature);
    let report = match serde_json::to_string(&input) {
        Ok(input) => policy.supplier(&input)?,
        Err(error) => Report::unjudged(policy.digest(), error.to_string()),
    };
    drop(input);
    let (findings, omitted) = findings::of(report, passport.mode);
    steps.judged(&contents, &signature, passport, policy.digest(), &findings);
    let examined =
        Examined { signed_by: signature.verified, policy: Some(policy.digest()), ..examined };
    Ok(examined.with(findings, omitted, steps))
}

/// What an operator adds is signed by the broker's permissions, and judged by nobody.
fn by_operator(examined: Examined, contents: &Contents, steps: Steps) -> Examined {
    match contents.kind {
        DocumentKind::Vex => examined.with(vec![], 0, steps),
        DocumentKind::Sbom => {
            let reason = "an SBOM comes from a build or from a supplier";
            let remedy = "submit it with `attestry supplier submit`";
            let finding = finding(Step::Format, "not-vex", WHOLE, reason, remedy);
            examined.with(vec![finding], 0, steps)
        }
    }
}

impl Examined {
    fn with(mut self, mut findings: Vec<ReceiptFinding>, omitted: u64, steps: Steps) -> Self {
        self.finding_count = findings.len() as u64 + omitted;
        self.steps = steps.told(&findings);
        findings.truncate(MAX_FINDINGS);
        self.findings = findings;
        self
    }

    /// What an SBOM is about.
    pub(crate) fn product(&self) -> Option<Text<1024>> {
        self.read.as_ref()?.product.clone()
    }
}

/// The standard that is asked of `passport`'s SBOMs.
fn standard(passport: Option<&Passport>) -> Standard {
    passport.map_or(Standard::Ntia, |it| it.grade_by)
}
