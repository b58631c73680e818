//! CycloneDX documents that others wrote: judged, then read as far as Attestry uses them.

mod components;
mod cycle;
mod problems;
mod references;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

pub use crate::schema::SchemaError as BomError;
pub(crate) use problems::Problems;
pub use problems::{MAX_PROBLEMS_PER_CODE, Problem};

use crate::schema::{CycloneDxVersion, Violation, json, read_cyclonedx};
use crate::vex::{self, Statement};

/// Longest purl, CPE or bom-ref that is read, in bytes: ten times the longest we have seen.
pub const MAX_PURL_BYTES: usize = 2048;

/// What a CycloneDX document says.
#[derive(Debug, Clone, PartialEq)]
pub struct Bom {
    /// The specification it follows.
    pub version: CycloneDxVersion,
    /// `serialNumber`: `urn:uuid:…`.
    pub serial: Option<String>,
    /// `version` of this document; 1 where it does not say.
    pub bom_version: u64,
    /// `metadata.timestamp`.
    pub timestamp: Option<Timestamp>,
    /// `metadata.component`: what the document describes.
    pub subject: Option<Component>,
    /// `metadata.supplier.name`.
    pub supplier: Option<String>,
    /// Every component in document order, an assembly before its parts; the parts of the subject
    /// are among them, the subject is not.
    pub components: Vec<Component>,
    /// How many `dependsOn` entries there are.
    pub edges: usize,
    /// What is suspicious, [`MAX_PROBLEMS_PER_CODE`] of each kind at most.
    pub problems: Vec<Problem>,
    /// How many problems of each code there are, those not listed included.
    pub problem_counts: BTreeMap<&'static str, usize>,
    /// What `vulnerabilities` with an analysis say (VEX). Products named by a bare bom-ref are
    /// components of this document only.
    pub statements: Vec<Statement>,
}

/// One component of a [`Bom`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Name within the document, for its references; none if longer than [`MAX_PURL_BYTES`].
    pub bom_ref: Option<String>,
    /// Name.
    pub name: String,
    /// Namespace, where the name has one apart.
    pub group: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Package URL as it stands there, canonical or not; none if longer than [`MAX_PURL_BYTES`].
    pub purl: Option<String>,
    /// CPE as it stands there; none if longer than [`MAX_PURL_BYTES`].
    pub cpe: Option<String>,
    /// `type`, such as `library`.
    pub kind: String,
}

/// Reads a CycloneDX JSON document of version 1.4 to 1.7. A byte-order mark is passed over.
///
/// # Errors
/// [`BomError`]: the document is too large, not sound JSON, not CycloneDX, of another version, or
/// breaks the schema. What is sound but suspicious is not an error, but in [`Bom::problems`].
pub fn read(bytes: &[u8]) -> Result<Bom, BomError> {
    read_with_document(bytes).map(|(bom, _)| bom)
}

/// Reads a document, and hands out the JSON too.
pub(crate) fn read_with_document(bytes: &[u8]) -> Result<(Bom, Value), BomError> {
    let (document, version) = read_cyclonedx(bytes, CycloneDxVersion::V1_4)?;
    let bom_version = bom_version(&document).ok_or_else(|| BomError::Invalid {
        version,
        violations: vec![Violation {
            pointer: "/version".to_owned(),
            message: "is larger than any version of a document can be".to_owned(),
        }],
    })?;
    let mut problems = Problems::default();
    let metadata = document.get("metadata").unwrap_or(&Value::Null);
    let (subject, components) = components::read(&document, &mut problems);
    let edges = references::check(&document, &mut problems);
    let mut bom = Bom {
        version,
        serial: json::text(&document, "serialNumber").map(str::to_owned),
        bom_version,
        timestamp: timestamp(metadata, "/metadata/timestamp", &mut problems),
        subject,
        supplier: metadata.get("supplier").and_then(|it| non_empty(it, "name")),
        components,
        edges,
        problems: Vec::new(),
        problem_counts: BTreeMap::new(),
        statements: Vec::new(),
    };
    bom.statements = vex::cyclonedx::statements(&document, &bom, &mut problems)?;
    (bom.problems, bom.problem_counts) = problems.into_parts();
    Ok((bom, document))
}

/// `version`, which the schema lets be any whole number from 1, written as a fraction too.
fn bom_version(document: &Value) -> Option<u64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match document.get("version") {
        None => Some(1),
        Some(version) => version.as_u64().or_else(|| {
            let whole = version.as_f64().filter(|it| (1.0..=EXACT).contains(it))?;
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole by the schema, and small enough to be exact"
            )]
            Some(whole as u64)
        }),
    }
}

fn timestamp(metadata: &Value, pointer: &str, problems: &mut Problems) -> Option<Timestamp> {
    let text = json::text(metadata, "timestamp")?;
    let read = text.parse().ok();
    if read.is_none() {
        problems.add("unreadable-timestamp", pointer, format_args!("is no time that can be told"));
    }
    read
}

/// The text under `key`, if there is one that is not empty.
fn non_empty(object: &Value, key: &str) -> Option<String> {
    json::text(object, key).filter(|text| !text.is_empty()).map(str::to_owned)
}
