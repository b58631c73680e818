//! SBOMs that others wrote, CycloneDX or SPDX: judged, then read as far as Attestry uses them.

mod checks;
mod cycle;
mod cyclonedx;
mod dependencies;
mod deviations;
mod names;
mod problems;
mod reported;
mod via;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::schema::{Format, SchemaError as BomError};
use cyclonedx::one_by_one;
pub(crate) use dependencies::Dependencies;
pub use deviations::DEVIATIONS;
pub(crate) use names::Names;
pub(crate) use problems::Problems;
pub use problems::{MAX_PROBLEMS_PER_CODE, Problem};
pub use reported::{Rating, Reported};
pub use via::Via;
pub(crate) use via::of as via;

use crate::schema::{self, CycloneDxVersion, json};
use crate::score;
use crate::spdx;
use crate::vex::Statement;

/// Longest purl, CPE, bom-ref or namespace that is read, in bytes: ten times the longest we have seen.
pub const MAX_PURL_BYTES: usize = 2048;
/// Most places of one component that are read.
pub const MAX_LOCATIONS: usize = 4;

/// What an SBOM says.
#[derive(Debug, Clone, PartialEq)]
pub struct Bom {
    /// The specification it follows.
    pub format: Format,
    /// `serialNumber`: `urn:uuid:…`. Of SPDX `documentNamespace`.
    pub serial: Option<String>,
    /// `version` of this document; 1 where it does not say, as SPDX never does.
    pub bom_version: u64,
    /// `metadata.timestamp`. Of SPDX `creationInfo.created`.
    pub timestamp: Option<Timestamp>,
    /// `metadata.component`: what the document describes. Of SPDX the package that the document
    /// DESCRIBES, if it is one.
    pub subject: Option<Component>,
    /// `metadata.supplier.name`. Of SPDX the supplier of the subject, else the first organization
    /// that created the document.
    pub supplier: Option<String>,
    /// Every component in document order, an assembly before its parts; the parts of the subject
    /// are among them, the subject is not. Of SPDX every package, and files that the document
    /// DESCRIBES if it describes no package.
    pub components: Vec<Component>,
    /// What brings each of [`Bom::components`] in, on a shortest way from the subject.
    pub via: Vec<Via>,
    /// How many `dependsOn` entries there are. Of SPDX how many relationships say that one element
    /// needs another.
    pub edges: usize,
    /// What is suspicious, [`MAX_PROBLEMS_PER_CODE`] of each kind at most.
    pub problems: Vec<Problem>,
    /// How many problems of each code there are, those not listed included.
    pub problem_counts: BTreeMap<&'static str, usize>,
    /// What `vulnerabilities` with an analysis say (VEX). Products named by a bare bom-ref are
    /// components of this document only.
    pub statements: Vec<Statement>,
    /// What `vulnerabilities` say that components of the document have: those without an analysis, and
    /// those whose analysis does not take it back. SPDX has none.
    pub reported: Vec<Reported>,
}

/// One component of a [`Bom`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Name within the document, for its references (SPDX: `SPDXID`); none if longer than
    /// [`MAX_PURL_BYTES`].
    pub bom_ref: Option<String>,
    /// Name.
    pub name: String,
    /// Namespace, where the name has one apart; SPDX has none.
    pub group: Option<String>,
    /// Version.
    pub version: Option<String>,
    /// Package URL as it stands there, canonical or not; none if longer than [`MAX_PURL_BYTES`].
    pub purl: Option<String>,
    /// CPE as it stands there; none if longer than [`MAX_PURL_BYTES`]. Of SPDX the first of 2.3, else
    /// of 2.2.
    pub cpe: Option<String>,
    /// `type`, such as `library`; for SPDX the word of CycloneDX for its `primaryPackagePurpose`.
    pub kind: String,
    /// `scope`; none where it does not say, and of SPDX, which is `required` (CycloneDX, `scope`).
    pub scope: Option<Scope>,
    /// `evidence.occurrences[].location`: [`MAX_LOCATIONS`] at most, lockfiles and manifests first. None
    /// of SPDX, and none that is longer than [`MAX_PURL_BYTES`].
    pub locations: Vec<String>,
}

/// What a component is needed for (CycloneDX, `components[].scope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To run.
    Required,
    /// To run in some installations.
    Optional,
    /// For tests and other purposes than to run.
    Excluded,
}

/// Reads CycloneDX 1.2 to 1.7 in JSON or XML, or SPDX 2.2 and 2.3 in JSON or tag-value, or the one that an
/// attestation carries. A byte-order mark is passed over.
///
/// # Errors
/// [`BomError`]: the document is too large, not sound, of another format or version, or breaks the
/// schema other than by one of the [`DEVIATIONS`]. Those, and what is sound but suspicious, are no
/// error, but in [`Bom::problems`].
pub fn read(bytes: &[u8]) -> Result<Bom, BomError> {
    let bytes = crate::carried(bytes)?;
    match one_by_one::read(&bytes, CycloneDxVersion::V1_2) {
        Some(bom) => Ok(bom),
        None => read_with_document(&bytes, CycloneDxVersion::V1_2).map(|(bom, _)| bom),
    }
}

/// Reads a document that [`read`] has taken before, at less cost where it is CycloneDX in JSON: then it is not held against its schema again, and what is suspicious in it is not looked for
/// again, so that `problems` is empty and `edges` is 0. Components that were taken for the same may be
/// there twice.
///
/// # Errors
/// As [`read`], as far as they show.
pub fn read_again(bytes: &[u8]) -> Result<Bom, BomError> {
    let document = crate::carried(bytes)?;
    let Some((document, version)) = cyclonedx::skim(&document) else { return read(bytes) };
    let bom = cyclonedx::read_again(&document, version)?;
    // Without the rest of it, many things look suspicious.
    Ok(Bom { problems: Vec::new(), problem_counts: BTreeMap::new(), ..bom })
}

/// Reads a document as [`read`] does, and scores it by every standard, if it is CycloneDX.
///
/// # Errors
/// As [`read`].
pub fn read_and_score(bytes: &[u8]) -> Result<(Bom, Option<score::Report>), BomError> {
    let bytes = crate::carried(bytes)?;
    if let Some((bom, report)) = one_by_one::read_and_score(&bytes, CycloneDxVersion::V1_2) {
        return Ok((bom, Some(report)));
    }
    read_whole(&bytes)
}

/// As [`read_and_score`], with all of the document in memory at once.
pub(crate) fn read_whole(bytes: &[u8]) -> Result<(Bom, Option<score::Report>), BomError> {
    let (bom, document) = read_with_document(bytes, CycloneDxVersion::V1_2)?;
    let report = match bom.format {
        Format::CycloneDx(version) => Some(score::of_valid(document, version)),
        Format::Spdx(_) => None,
    };
    Ok((bom, report))
}

/// Reads a document, if it is CycloneDX of version `oldest` or later, and hands out its JSON too.
pub(crate) fn read_with_document(
    bytes: &[u8],
    oldest: CycloneDxVersion,
) -> Result<(Bom, Value), BomError> {
    let (mut document, format, weight) = schema::read_form(bytes, oldest)?;
    let mut problems = Problems::default();
    judge_tolerantly(&mut document, format, weight, &mut problems)?;
    let bom = match format {
        Format::CycloneDx(version) => cyclonedx::read(&document, version, problems)?,
        Format::Spdx(version) => spdx::read(&document, version, problems),
    };
    Ok((bom, document))
}

/// Refuses a document that breaks its schema in any other way than [`DEVIATIONS`], which are mended.
fn judge_tolerantly(
    document: &mut Value,
    format: Format,
    weight: usize,
    problems: &mut Problems,
) -> Result<(), BomError> {
    match schema::judge(document, format, weight) {
        Err(BomError::Invalid { .. }) if deviations::mend(document, problems) => {
            schema::judge(document, format, weight)
        }
        judged => judged,
    }
}

/// The time under `key` of `object`; `pointer` is its place.
pub(crate) fn timestamp(
    object: &Value,
    key: &str,
    pointer: &str,
    problems: &mut Problems,
) -> Option<Timestamp> {
    let text = json::text(object, key)?;
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
