//! The decision on a submission, with everything that follows from it.

use archive::{Class, Entry};
use attestation::{
    Predicate, Receipt, Statement, Subject,
    predicate::receipt::{ReadDocument, ReceiptFinding, ReceiptStep, Step, VerifiedKey},
};
use bytes::Bytes;
use events::{
    Accepted, Content, Decision, DecisionResult, Digest, Document, DocumentKind, DocumentSubmitted,
    Envelope, EvidenceReady, Grade, Input, Label, Producer, Role, StatementRef, Text, Uri,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use worker::HandleError;

use crate::{
    examine::{self, Examined, Steps},
    passport::Passport,
};

/// What is claimed for a submission, and what all the rest follows from.
#[derive(Serialize, Deserialize)]
pub(crate) struct Decided {
    decision: Decision,
    /// The receipt statement, as JSON.
    receipt: String,
    /// How the document is written, when it could be read.
    #[serde(default)]
    media_type: Option<Label>,
    /// What an SBOM is about.
    #[serde(default)]
    product: Option<Text<1024>>,
    /// When the document says that it was made.
    #[serde(default)]
    made_at: Option<Timestamp>,
    /// Whether a signature over the document was verified.
    #[serde(default)]
    signed: bool,
    /// Identity of what was submitted: a name that is used again is no second decision's.
    content: Digest,
}

impl Decided {
    /// Nobody knows the sender.
    pub(crate) fn on_stranger(
        event: &Envelope<DocumentSubmitted>,
        now: Timestamp,
    ) -> Result<Self, HandleError> {
        let reason = format!("{} has no passport here", event.data.from);
        let remedy = "ask the operator to add it: `attestry supplier add`";
        let finding =
            examine::finding(Step::Sender, "supplier-unknown", "supplier", &reason, remedy);
        Self::new(event, None, Parts::only(finding, Steps::stranger()), now)
    }

    /// The document could not be put together.
    pub(crate) fn on_upload(
        event: &Envelope<DocumentSubmitted>,
        passport: Option<&Passport>,
        rule: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<Self, HandleError> {
        let reason = reason.rsplit_once("; ").map_or(reason, |(reason, _)| reason);
        let remedy = "upload every chunk, then publish the manifest under another name";
        let finding = examine::finding(Step::Upload, rule, "manifest", reason, remedy);
        Self::new(event, passport, Parts::only(finding, Steps::not_uploaded()), now)
    }

    /// The document was read as far as possible.
    pub(crate) fn on_document(
        event: &Envelope<DocumentSubmitted>,
        passport: Option<&Passport>,
        examined: Examined,
        now: Timestamp,
    ) -> Result<Self, HandleError> {
        let parts = Parts {
            product: examined.product(),
            media_type: examined.media_type,
            steps: examined.steps,
            findings: examined.findings,
            finding_count: examined.finding_count,
            kind: examined.kind,
            read: examined.read,
            about: examined.about,
            signed_by: examined.signed_by,
            policy: examined.policy,
        };
        Self::new(event, passport, parts, now)
    }

    fn new(
        event: &Envelope<DocumentSubmitted>,
        passport: Option<&Passport>,
        parts: Parts,
        now: Timestamp,
    ) -> Result<Self, HandleError> {
        let submitted = &event.data;
        let rejecting = parts.findings.iter().find(|it| it.rejects);
        let document = input(submitted).map(|it| it.digest);
        let made_at = parts.read.as_ref().and_then(|it| it.timestamp);
        let decision = Decision {
            from: submitted.from.clone(),
            submission: submitted.submission.clone(),
            document,
            result: match rejecting {
                None => DecisionResult::Accepted,
                Some(_) => DecisionResult::Rejected,
            },
            kind: parts.kind,
            rule: rejecting.map(|it| it.rule.clone()),
            ingested_at: now,
            policy: parts.policy,
            product: parts.about,
            format: parts.read.as_ref().map(format_name),
            made_at,
            signer: parts.signed_by.as_ref().map(|it| Label::of(&it.label)),
            grade: parts.read.as_ref().and_then(grade),
        };
        let signed = parts.signed_by.is_some();
        let receipt = Receipt {
            decision: decision.clone(),
            received_at: event.time,
            steps: parts.steps,
            findings: parts.findings,
            finding_count: parts.finding_count,
            document: parts.read,
            signed_by: parts.signed_by,
            passport: passport.map(|it| it.digest),
        };
        let subject = Subject {
            name: input(submitted).map(|it| it.path.to_string()),
            uri: None,
            // Without a document the receipt is about the submission itself.
            digest: document.unwrap_or_else(|| Digest::of(event.id.as_bytes())),
        };
        let receipt = Statement::new(&[subject], &receipt)
            .map_err(|error| HandleError::permanent("statement-unfit", error))?;
        let receipt = String::from_utf8_lossy(receipt.as_bytes()).into_owned();
        let (product, content) = (parts.product, identity(&submitted.content));
        let media_type = parts.media_type.map(Label::of);
        Ok(Self { decision, receipt, media_type, product, made_at, signed, content })
    }

    /// Refuses to answer for other content: the guard on a submission's name is gone with its stream's
    /// age limit, the decision is not.
    pub(crate) fn check_is_about(&self, submitted: &DocumentSubmitted) -> Result<(), HandleError> {
        if self.content == identity(&submitted.content) {
            return Ok(());
        }
        let detail = format!(
            "submission {} was decided before, about other content; submit this under another name",
            submitted.submission
        );
        Err(HandleError::permanent("submission-name-taken", detail))
    }

    /// The rule that rejected it, as metrics name it.
    pub(crate) fn rule(&self) -> Option<&str> {
        self.decision.rule.as_ref().map(|it| it.as_str())
    }

    /// As metrics name it.
    pub(crate) fn outcome(&self) -> &'static str {
        self.decision.result.as_str()
    }

    /// Whether the document's own bytes are kept: those of what is accepted.
    pub(crate) fn keeps_document(&self) -> bool {
        self.decision.result == DecisionResult::Accepted
    }

    /// What has to be in the archive before the event may be published.
    pub(crate) fn entries(
        &self,
        event_time: Timestamp,
        document: Option<Bytes>,
        bundle: Option<Bytes>,
    ) -> Vec<Entry> {
        let entry = |class, media_type: &str, bytes| Entry {
            class,
            media_type: media_type.to_owned(),
            event_time,
            bytes,
        };
        let class = match self.decision.kind {
            Some(DocumentKind::Vex) => Class::Vex,
            _ => Class::Sbom,
        };
        let receipt = Bytes::copy_from_slice(self.receipt.as_bytes());
        let mut entries = vec![entry(Class::Statement, "application/vnd.in-toto+json", receipt)];
        entries.extend(document.map(|bytes| entry(class, self.media_type(), bytes)));
        entries.extend(bundle.map(|bytes| entry(Class::Bundle, BUNDLE, bytes)));
        entries
    }

    /// What is put on record, if it was accepted.
    pub(crate) fn accepted(&self) -> Option<Accepted> {
        let Decision { from, document, kind, ingested_at, .. } = &self.decision;
        Some(Accepted {
            from: from.clone(),
            document: (*document).filter(|_| self.keeps_document())?,
            kind: (*kind)?,
            product: self.product.clone(),
            made_at: self.made_at,
            accepted_at: *ingested_at,
            signed: self.signed,
        })
    }

    pub(crate) fn into_event(
        self,
        event: &Envelope<DocumentSubmitted>,
    ) -> Result<EvidenceReady, HandleError> {
        let bundle_name = format!("receipts/{}.sigstore.json", event.data.submission);
        let statement = StatementRef {
            digest: Digest::of(self.receipt.as_bytes()),
            predicate_type: Uri::of(Receipt::TYPE),
            bundle_name: bundle_name.parse().map_err(HandleError::transient)?,
        };
        Ok(EvidenceReady {
            producer: Producer::SupplierIngest,
            project: event.scope.clone(),
            documents: self.documents(&event.data),
            statements: vec![statement],
            verdict: None,
            decision: Some(self.decision),
        })
    }

    /// What is kept of an accepted submission, under the names that its sender gave.
    fn documents(&self, submitted: &DocumentSubmitted) -> Vec<Document> {
        let Content::Named(manifest) = &submitted.content else { return vec![] };
        if !self.keeps_document() {
            return vec![];
        }
        let document = |role, input: &Input, media_type: &str| Document {
            role,
            name: input.path.clone(),
            digest: input.digest,
            size: input.size,
            media_type: Label::of(media_type),
        };
        let role = match self.decision.kind {
            Some(DocumentKind::Vex) => Role::Vex,
            _ => Role::Sbom,
        };
        let bundle = manifest.bundle.as_ref().map(|it| document(Role::Signature, it, BUNDLE));
        let document = document(role, &manifest.document, self.media_type());
        std::iter::once(document).chain(bundle).collect()
    }

    fn media_type(&self) -> &str {
        // Claims of earlier releases do not say.
        self.media_type.as_ref().map_or("application/json", Label::as_str)
    }
}

/// The bytes that were submitted, whatever their files are called.
fn identity(content: &Content) -> Digest {
    match content {
        Content::Unreadable { reason } => Digest::of(reason.as_str().as_bytes()),
        Content::Named(manifest) => {
            let bundle = manifest.bundle.as_ref().map(|it| it.digest.to_string());
            let text = format!("{} {}", manifest.document.digest, bundle.unwrap_or_default());
            Digest::of(text.as_bytes())
        }
    }
}

/// What a decision is made of.
struct Parts {
    steps: Vec<ReceiptStep>,
    findings: Vec<ReceiptFinding>,
    finding_count: u64,
    kind: Option<DocumentKind>,
    read: Option<ReadDocument>,
    media_type: Option<&'static str>,
    product: Option<Text<1024>>,
    about: Option<Label>,
    signed_by: Option<VerifiedKey>,
    policy: Option<Digest>,
}

impl Parts {
    /// Nothing is known but what speaks against it.
    fn only(finding: ReceiptFinding, steps: Steps) -> Self {
        let findings = vec![finding];
        Self {
            steps: steps.told(&findings),
            findings,
            finding_count: 1,
            kind: None,
            read: None,
            media_type: None,
            product: None,
            about: None,
            signed_by: None,
            policy: None,
        }
    }
}

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Format and version in one.
fn format_name(read: &ReadDocument) -> Label {
    match &read.spec_version {
        Some(version) => Label::of(&format!("{} {version}", read.format)),
        None => Label::of(&read.format),
    }
}

/// The letter of its score.
fn grade(read: &ReadDocument) -> Option<Grade> {
    Grade::of(read.grade.as_ref()?.grade.chars().next()?)
}

fn input(submitted: &DocumentSubmitted) -> Option<&Input> {
    match &submitted.content {
        Content::Named(manifest) => Some(&manifest.document),
        Content::Unreadable { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use attestation::predicate::receipt::ReadGrade;
    use events::{Priority, Sender};

    use super::*;

    fn submitted(reason: &str) -> Envelope<DocumentSubmitted> {
        let from = Sender::Supplier("acme".parse().expect("valid"));
        let content = Content::Unreadable { reason: Label::of(reason) };
        let submission = "widget".parse().expect("valid");
        let data = DocumentSubmitted { from, submission, content };
        let (source, scope) = (Label::of("/x"), data.from.scope());
        Envelope::root(source, Timestamp::UNIX_EPOCH, Priority::Background, scope, data)
    }

    #[test]
    fn decision_tells_what_was_read_and_who_signed() {
        let signed_by = VerifiedKey { label: "acme release".to_owned(), hint: "h".to_owned() };
        let (standard, made) = ("ntia".to_owned(), Timestamp::UNIX_EPOCH);
        let examined = Examined {
            read: Some(ReadDocument {
                format: "cyclonedx".to_owned(),
                spec_version: Some("1.6".to_owned()),
                entries: 1,
                product: Some(Text::of("pkg:generic/widget@1.0")),
                timestamp: Some(made),
                grade: Some(ReadGrade { standard, score: 85, grade: "B".to_owned() }),
            }),
            about: Some(Label::of("widget")),
            signed_by: Some(signed_by),
            ..Examined::default()
        };
        let (event, now) = (submitted("first"), "2026-01-01T00:00:00Z".parse().expect("valid"));
        let decided = Decided::on_document(&event, None, examined, now).expect("decides");
        let Decision { product, format, made_at, signer, grade, .. } = &decided.decision;
        let texts = [product, format, signer].map(|it| it.as_ref().map(|it| it.as_str()));
        assert_eq!(texts, [Some("widget"), Some("cyclonedx 1.6"), Some("acme release")]);
        assert_eq!((*made_at, *grade), (Some(made), Some(Grade::B)));
        assert_eq!(decided.product.as_ref().map(Text::as_str), Some("pkg:generic/widget@1.0"));
        let nothing = Decided::on_document(&event, None, Examined::default(), now);
        let Decision { signer, grade, .. } = nothing.expect("decides").decision;
        assert_eq!((signer, grade), (None, None));
    }

    #[test]
    fn decision_is_not_lent_to_other_content_of_the_same_name() {
        let (first, other) = (submitted("first"), submitted("other"));
        assert_eq!(first.id, other.id, "the name alone makes the event");
        let decided = Decided::on_stranger(&first, Timestamp::UNIX_EPOCH).expect("decides");

        assert_eq!(decided.check_is_about(&first.data), Ok(()));
        let refused = decided.check_is_about(&other.data).expect_err("refused");
        assert!(matches!(refused, HandleError::Permanent { code: "submission-name-taken", .. }));
    }
}
