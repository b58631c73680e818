//! What a document says of itself, or why nobody can tell.

use attestation::predicate::receipt::{ReadDocument, ReadGrade, ReceiptFinding, Step};
use documents::{
    Kind,
    bom::{self, Bom, BomError},
    detect,
    schema::Violation,
    score::{self, Score},
    vex::{self, Format, VexError},
};
use events::{Digest, DocumentKind, Label, Text};
use jiff::Timestamp;

use super::{WHOLE, finding, standard};
use crate::passport::Passport;

/// Most violations of a schema that a receipt lists.
const MAX_VIOLATIONS: usize = 20;

/// A document that could be read.
pub(crate) struct Contents {
    pub(crate) kind: DocumentKind,
    pub(crate) digest: Digest,
    pub(super) size: usize,
    pub(super) format: &'static str,
    pub(super) media_type: &'static str,
    pub(super) spec_version: Option<&'static str>,
    pub(crate) timestamp: Option<Timestamp>,
    /// Absent for OpenVEX and CSAF.
    pub(super) bom: Option<Bom>,
    pub(super) statements: usize,
    score: Option<score::Report>,
}

/// A document that could not be read.
pub(crate) struct Unread {
    /// Where reading ended.
    pub(super) step: Step,
    pub(super) findings: Vec<ReceiptFinding>,
}

impl Contents {
    /// What it is about: the purl of its subject, else its name.
    pub(crate) fn product(&self) -> Option<&str> {
        let subject = self.bom.as_ref()?.subject.as_ref()?;
        Some(subject.purl.as_deref().unwrap_or(&subject.name))
    }

    /// What it is called, with its group, as the backlog calls the product.
    pub(super) fn about(&self) -> Option<Label> {
        let subject = self.bom.as_ref()?.subject.as_ref()?;
        let name = match subject.group.as_deref().filter(|group| !group.is_empty()) {
            Some(group) => format!("{group}/{}", subject.name),
            None => subject.name.clone(),
        };
        (!name.trim().is_empty()).then(|| Label::of(&name))
    }

    pub(super) fn entries(&self) -> usize {
        match (&self.bom, self.kind) {
            (Some(bom), DocumentKind::Sbom) => bom.components.len(),
            _ => self.statements,
        }
    }

    /// Its score by the standard of `passport`; none if such documents have none.
    pub(super) fn score(&self, passport: Option<&Passport>) -> Option<&Score> {
        let wanted = standard(passport);
        let report = self.score.as_ref().filter(|_| self.kind == DocumentKind::Sbom)?;
        report.scores.iter().find(|it| it.standard == wanted)
    }

    /// As receipts tell it.
    pub(super) fn told(&self, passport: Option<&Passport>) -> ReadDocument {
        ReadDocument {
            format: self.format.to_owned(),
            spec_version: self.spec_version.map(str::to_owned),
            entries: self.entries() as u64,
            product: self.product().map(Text::of),
            timestamp: self.timestamp,
            grade: self.score(passport).map(|it| ReadGrade {
                standard: it.standard.as_str().to_owned(),
                score: it.score,
                grade: it.grade.to_string(),
            }),
        }
    }
}

/// Reads `document`, whatever it is.
///
/// # Errors
/// Each reason with its place and its remedy.
pub(crate) fn read(document: &[u8]) -> Result<Contents, Unread> {
    let (digest, size) = (Digest::of(document), document.len());
    let carried = documents::carried(document);
    let inner = carried.map_err(|error| Unread::because(error.code(), &error.to_string()))?;
    match detect(&inner) {
        Kind::OpenVex | Kind::Csaf => {
            let read = vex::read(&inner).map_err(|error| refused_vex(&error))?;
            // Receipts have never told that of OpenVEX.
            let spec_version = read.format.version().filter(|_| read.format == Format::Csaf2_0);
            Ok(Contents {
                kind: DocumentKind::Vex,
                digest,
                size,
                media_type: media_type(document, read.format.as_str()),
                format: read.format.as_str(),
                spec_version,
                timestamp: read.timestamp,
                bom: None,
                statements: read.statements.len(),
                score: None,
            })
        }
        Kind::InToto | Kind::Dsse | Kind::SigstoreBundle => {
            let reason = "is an attestation within an attestation";
            let remedy = "send the attestation whose predicate is the document";
            Err(Unread::only(Step::Format, "unknown-format", reason, remedy))
        }
        // The reader knows best what is wrong with anything else.
        _ => {
            let read = bom::read_and_score(&inner);
            let (bom, score) = read.map_err(|error| refused_bom(&error))?;
            let is_vex = bom.components.is_empty() && !bom.statements.is_empty();
            Ok(Contents {
                kind: if is_vex { DocumentKind::Vex } else { DocumentKind::Sbom },
                digest,
                size,
                media_type: media_type(document, bom.format.name()),
                format: bom.format.name(),
                spec_version: Some(bom.format.spec_version()),
                timestamp: bom.timestamp,
                statements: bom.statements.len(),
                bom: Some(bom),
                score,
            })
        }
    }
}

/// How the bytes are written, whatever they carry.
fn media_type(document: &[u8], format: &str) -> &'static str {
    match (detect(document), format) {
        (Kind::SigstoreBundle, _) => "application/vnd.dev.sigstore.bundle.v0.3+json",
        (Kind::Dsse, _) => "application/vnd.dsse.envelope.v1+json",
        (Kind::InToto, _) => "application/vnd.in-toto+json",
        (_, "openvex") => "application/vnd.openvex+json",
        // The standard names no media type of its own.
        (_, "csaf") => "application/json",
        (_, "spdx") if documents::spdx::is_tag_value(document) => "text/spdx",
        (_, "spdx") => "application/spdx+json",
        _ if document.trim_ascii_start().first() == Some(&b'<') => "application/vnd.cyclonedx+xml",
        _ => "application/vnd.cyclonedx+json",
    }
}

impl Unread {
    fn only(step: Step, code: &str, reason: &str, remedy: &str) -> Self {
        Self { step, findings: vec![finding(step, code, WHOLE, reason, remedy)] }
    }

    fn because(code: &str, message: &str) -> Self {
        let (reason, remedy) = parted(message);
        Self::only(step_of(code), code, reason, remedy)
    }

    /// Each with its own remedy.
    fn unsound(code: &str, violations: &[Violation]) -> Self {
        let findings = violations.iter().map(|it| {
            let (reason, remedy) = parted(&it.message);
            finding(Step::Schema, code, &it.pointer, reason, remedy)
        });
        Self { step: Step::Schema, findings: findings.collect() }
    }

    fn violating(code: &str, violations: &[Violation], remedy: &str) -> Self {
        let shown = violations.iter().take(MAX_VIOLATIONS);
        let findings = shown.map(|it| {
            let place = if it.pointer.is_empty() { WHOLE } else { &it.pointer };
            finding(Step::Schema, code, place, &it.message, remedy)
        });
        Self { step: Step::Schema, findings: findings.collect() }
    }
}

/// A message of the form `what is wrong; what to do about it`.
fn parted(message: &str) -> (&str, &str) {
    message.rsplit_once("; ").unwrap_or((message, "mend the document and submit it again"))
}

/// Where documents of that fault are told apart from others.
fn step_of(code: &str) -> Step {
    match code {
        "unknown-format"
        | "not-sbom"
        | "not-cyclonedx"
        | "not-vex"
        | "unsupported-version"
        | "xml"
        | "html"
        | "compressed"
        | "attestation-unreadable"
        | "attestation-without-document"
        | "attestation-predicate"
        | "draft" => Step::Format,
        "schema" | "unsound" | "no-statements" | "broken-schema" => Step::Schema,
        _ => Step::Bytes,
    }
}

fn refused_bom(error: &BomError) -> Unread {
    match error {
        BomError::Invalid { format, violations } => {
            let remedy = format!("make the document valid by the official schema of {format}");
            Unread::violating(error.code(), violations, &remedy)
        }
        _ => Unread::because(error.code(), &error.to_string()),
    }
}

fn refused_vex(error: &VexError) -> Unread {
    match error {
        VexError::Invalid { format, violations } => {
            let remedy = format!("make the document valid by the schema of {format}");
            Unread::violating(error.code(), violations, &remedy)
        }
        VexError::Unsound { violations } => Unread::unsound(error.code(), violations),
        _ => Unread::because(error.code(), &error.to_string()),
    }
}
