//! The decision on one document, step by step: format, schema, signature, trust policy.

use std::sync::Arc;

use attestation::{
    Artifact, TrustRoot, VerifyError,
    predicate::receipt::{ReadDocument, ReceiptFinding, VerifiedKey},
    verify_artifact,
};
use bytes::Bytes;
use documents::{
    Kind,
    bom::{self, Bom, BomError},
    detect,
    schema::Violation,
    vex::{self, VexError},
};
use events::{Digest, DocumentKind, Text};
use jiff::Timestamp;
use policy::{Evaluator, Finding, Report, SandboxError};
use serde::Serialize;

use crate::passport::{Mode, Passport};

#[cfg(test)]
mod tests;

/// Most findings that a receipt lists.
const MAX_FINDINGS: usize = 100;
/// Most violations of a schema that a receipt lists.
const MAX_VIOLATIONS: usize = 20;
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
}

/// What was found out.
#[derive(Default)]
pub(crate) struct Examined {
    pub(crate) kind: Option<DocumentKind>,
    pub(crate) read: Option<ReadDocument>,
    /// What an SBOM is about: the purl of its subject, else its name.
    pub(crate) product: Option<String>,
    /// The name of its subject with its group, without a version.
    pub(crate) about: Option<String>,
    /// When it was made, where it says.
    pub(crate) made_at: Option<Timestamp>,
    pub(crate) findings: Vec<ReceiptFinding>,
    pub(crate) finding_count: u64,
    pub(crate) signed_by: Option<VerifiedKey>,
    pub(crate) policy: Option<Digest>,
}

/// A document that could be read.
struct Contents {
    kind: DocumentKind,
    format: &'static str,
    spec_version: Option<&'static str>,
    timestamp: Option<Timestamp>,
    /// Absent for OpenVEX and CSAF.
    bom: Option<Bom>,
    statements: usize,
}

/// Goes through all steps; the first that leaves nothing to go on with is the last.
///
/// # Errors
/// The machine cannot judge now.
pub(crate) fn examine(
    submission: &Submission,
    policy: &Evaluator,
) -> Result<Examined, SandboxError> {
    let contents = match read(&submission.document) {
        Ok(contents) => contents,
        Err(findings) => return Ok(Examined::default().with(findings, 0)),
    };
    let examined = Examined {
        kind: Some(contents.kind),
        read: Some(ReadDocument {
            format: contents.format.to_owned(),
            spec_version: contents.spec_version.map(str::to_owned),
            entries: contents.entries() as u64,
        }),
        product: contents.product(),
        about: contents.about(),
        made_at: contents.timestamp,
        ..Examined::default()
    };
    let Some(passport) = &submission.passport else {
        return Ok(match contents.kind {
            DocumentKind::Vex => examined,
            DocumentKind::Sbom => {
                let reason = "an SBOM comes from a build or from a supplier";
                let remedy = "submit it with `attestry supplier submit`";
                examined.with(vec![finding("not-vex", WHOLE, reason, remedy)], 0)
            }
        });
    };
    let signature = Signature::of(submission, passport);
    let input = Input {
        schema: "attestry.supplier-input/v1",
        time: submission.now,
        supplier: Supplier::of(passport),
        document: Document::of(&contents, &submission.document),
        signature: &signature.told,
    };
    let report = match serde_json::to_string(&input) {
        Ok(input) => policy.supplier(&input)?,
        Err(error) => Report::unjudged(policy.digest(), error.to_string()),
    };
    let (findings, omitted) = findings(report, passport.mode);
    let examined =
        Examined { signed_by: signature.verified, policy: Some(policy.digest()), ..examined };
    Ok(examined.with(findings, omitted))
}

impl Examined {
    fn with(mut self, mut findings: Vec<ReceiptFinding>, omitted: u64) -> Self {
        self.finding_count = findings.len() as u64 + omitted;
        findings.truncate(MAX_FINDINGS);
        self.findings = findings;
        self
    }
}

impl Contents {
    fn product(&self) -> Option<String> {
        let subject = self.bom.as_ref()?.subject.as_ref()?;
        Some(subject.purl.clone().unwrap_or_else(|| subject.name.clone()))
    }

    fn about(&self) -> Option<String> {
        let subject = self.bom.as_ref()?.subject.as_ref()?;
        // As the backlog calls the product.
        let name = match subject.group.as_deref().filter(|group| !group.is_empty()) {
            Some(group) => format!("{group}/{}", subject.name),
            None => subject.name.clone(),
        };
        (!name.trim().is_empty()).then_some(name)
    }

    fn entries(&self) -> usize {
        match (&self.bom, self.kind) {
            (Some(bom), DocumentKind::Sbom) => bom.components.len(),
            _ => self.statements,
        }
    }
}

fn read(document: &[u8]) -> Result<Contents, Vec<ReceiptFinding>> {
    match detect(document) {
        kind @ (Kind::OpenVex | Kind::Csaf) => {
            let read = vex::read(document).map_err(|error| refused_vex(&error))?;
            Ok(Contents {
                kind: DocumentKind::Vex,
                format: read.format.as_str(),
                // Receipts have never told that of OpenVEX.
                spec_version: read.format.version().filter(|_| kind == Kind::Csaf),
                timestamp: read.timestamp,
                bom: None,
                statements: read.statements.len(),
            })
        }
        Kind::Spdx | Kind::InToto | Kind::SigstoreBundle => {
            let reason = "is of a format that is not taken yet";
            let remedy = "send CycloneDX 1.4 to 1.7 in JSON, OpenVEX 0.2.0, or CSAF 2.0";
            Err(vec![finding("unknown-format", WHOLE, reason, remedy)])
        }
        // The reader knows best what is wrong with anything else.
        _ => {
            let bom = bom::read(document).map_err(|error| refused_bom(&error))?;
            let is_vex = bom.components.is_empty() && !bom.statements.is_empty();
            Ok(Contents {
                kind: if is_vex { DocumentKind::Vex } else { DocumentKind::Sbom },
                format: "cyclonedx",
                spec_version: Some(bom.version.as_str()),
                timestamp: bom.timestamp,
                statements: bom.statements.len(),
                bom: Some(bom),
            })
        }
    }
}

fn refused_bom(error: &BomError) -> Vec<ReceiptFinding> {
    match error {
        BomError::Invalid { version, violations } => {
            let remedy =
                format!("make the document valid by the official schema of CycloneDX {version}");
            violated(error.code(), violations, &remedy)
        }
        _ => vec![said(error.code(), &error.to_string())],
    }
}

fn refused_vex(error: &VexError) -> Vec<ReceiptFinding> {
    match error {
        VexError::Invalid { format, violations } => {
            let remedy = format!("make the document valid by the schema of {format}");
            violated(error.code(), violations, &remedy)
        }
        VexError::Unsound { violations } => {
            let each = violations.iter().map(|it| (it, parted(&it.message)));
            each.map(|(it, (reason, remedy))| {
                finding(error.code(), or_whole(&it.pointer), reason, remedy)
            })
            .collect()
        }
        _ => vec![said(error.code(), &error.to_string())],
    }
}

fn violated(code: &str, violations: &[Violation], remedy: &str) -> Vec<ReceiptFinding> {
    let shown = violations.iter().take(MAX_VIOLATIONS);
    shown.map(|it| finding(code, or_whole(&it.pointer), &it.message, remedy)).collect()
}

/// A message of the form `what is wrong; what to do about it`.
fn said(code: &str, message: &str) -> ReceiptFinding {
    let (reason, remedy) = parted(message);
    finding(code, WHOLE, reason, remedy)
}

fn parted(message: &str) -> (&str, &str) {
    let parted = message.rsplit_once("; ");
    parted.unwrap_or((message, "mend the document and submit it again"))
}

pub(crate) fn finding(rule: &str, field: &str, reason: &str, remedy: &str) -> ReceiptFinding {
    ReceiptFinding {
        rule: Text::of(rule),
        rejects: true,
        field: Text::of(field),
        reason: Text::of(reason),
        remedy: Text::of(remedy),
    }
}

fn or_whole(pointer: &str) -> &str {
    if pointer.is_empty() { WHOLE } else { pointer }
}

/// What the policy said, rejections first, each as heavy as the rule says.
fn findings(report: Report, mode: Mode) -> (Vec<ReceiptFinding>, u64) {
    let rejects = mode == Mode::Enforce;
    let from = |rejects: bool| {
        move |it: Finding| {
            let field = it.field.or(it.component).unwrap_or_else(|| WHOLE.to_owned());
            ReceiptFinding { rejects, ..finding(&it.id, &field, &it.message, &it.remedy) }
        }
    };
    // A policy that could not be asked rejects, whatever the mode.
    let errors = report.errors.into_iter().map(|reason| {
        let remedy = "tell the operator: the trust policy could not judge this document";
        finding("policy-failed", WHOLE, &reason, remedy)
    });
    let violations = report.violations.into_iter().map(from(rejects));
    let warnings = report.warnings.into_iter().map(from(false));
    (errors.chain(violations).chain(warnings).collect(), report.omitted)
}

/// What came of checking the signature.
struct Signature {
    told: SignatureInput,
    verified: Option<VerifiedKey>,
}

impl Signature {
    fn of(submission: &Submission, passport: &Passport) -> Self {
        let mut told =
            SignatureInput { present: submission.bundle.is_some(), ..Default::default() };
        let Some(bundle) = &submission.bundle else { return Self { told, verified: None } };
        let document = Artifact::of(&submission.document);
        match verify_artifact(
            bundle,
            &document,
            &passport.trust_at(submission.now, &submission.root),
        ) {
            Ok(signed) => {
                told.verified = true;
                told.covers_document = true;
                let signer = signed.signer;
                told.key = Some(signer.name().to_owned());
                told.label = Some(signer.label.clone());
                told.development_key = signer.development;
                told.predicate_type = signed.predicate_type;
                let hint = signer.name().to_owned();
                let verified = VerifiedKey { label: signer.label, hint };
                Self { told, verified: Some(verified) }
            }
            Err(error) => {
                told.verified = matches!(error, VerifyError::OtherDocument { .. });
                told.reason = Some(error.to_string());
                Self { told, verified: None }
            }
        }
    }
}

/// The document that the rule set `supplier` judges; see docs/policy.md.
#[derive(Serialize)]
struct Input<'a> {
    schema: &'static str,
    time: Timestamp,
    supplier: Supplier<'a>,
    document: Document<'a>,
    signature: &'a SignatureInput,
}

#[derive(Serialize)]
struct Supplier<'a> {
    id: &'a str,
    name: &'a str,
    namespaces: &'a [String],
    products: &'a [String],
    formats: &'a [String],
    spec_versions: &'a [String],
    max_age_days: u32,
    require_signature: bool,
    mode: Mode,
    vex: bool,
    tolerates: &'a [String],
}

#[derive(Serialize)]
struct Document<'a> {
    digest: Digest,
    size: usize,
    kind: DocumentKind,
    format: &'a str,
    spec_version: Option<&'a str>,
    serial: Option<&'a str>,
    timestamp: Option<Timestamp>,
    subject: Option<Component<'a>>,
    declared_supplier: Option<&'a str>,
    components: Vec<Component<'a>>,
    statements: usize,
    problems: Vec<Problem<'a>>,
    problem_count: usize,
}

#[derive(Serialize)]
struct Component<'a> {
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    bom_ref: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    // To Rego's functions on text, null is an error, and what is not there is not asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<&'a str>,
}

#[derive(Serialize)]
struct Problem<'a> {
    code: &'a str,
    pointer: &'a str,
    message: &'a str,
}

#[derive(Default, Serialize)]
struct SignatureInput {
    present: bool,
    verified: bool,
    key: Option<String>,
    label: Option<String>,
    development_key: bool,
    covers_document: bool,
    predicate_type: Option<String>,
    reason: Option<String>,
}

impl<'a> Supplier<'a> {
    fn of(passport: &'a Passport) -> Self {
        Self {
            id: passport.id.as_str(),
            name: passport.name.as_str(),
            namespaces: &passport.namespaces,
            products: &passport.products,
            formats: &passport.formats,
            spec_versions: &passport.spec_versions,
            max_age_days: passport.max_age_days,
            require_signature: true,
            mode: passport.mode,
            vex: passport.vex,
            tolerates: &passport.tolerates,
        }
    }
}

impl<'a> Document<'a> {
    fn of(contents: &'a Contents, bytes: &[u8]) -> Self {
        let bom = contents.bom.as_ref();
        let problems = bom.map(|it| it.problems.as_slice()).unwrap_or_default();
        Self {
            digest: Digest::of(bytes),
            size: bytes.len(),
            kind: contents.kind,
            format: contents.format,
            spec_version: contents.spec_version,
            serial: bom.and_then(|it| it.serial.as_deref()),
            timestamp: contents.timestamp,
            subject: bom.and_then(|it| it.subject.as_ref()).map(Component::of),
            declared_supplier: bom.and_then(|it| it.supplier.as_deref()),
            components: bom
                .map(|it| it.components.iter().map(Component::of).collect())
                .unwrap_or_default(),
            statements: contents.statements,
            problems: problems
                .iter()
                .map(|it| Problem { code: it.code, pointer: &it.pointer, message: &it.message })
                .collect(),
            problem_count: bom.map_or(0, |it| it.problem_counts.values().sum()),
        }
    }
}

impl<'a> Component<'a> {
    fn of(component: &'a bom::Component) -> Self {
        Self {
            bom_ref: component.bom_ref.as_deref(),
            name: &component.name,
            version: component.version.as_deref(),
            purl: component.purl.as_deref(),
        }
    }
}
