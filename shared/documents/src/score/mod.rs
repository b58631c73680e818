//! How much of what the standards ask for an SBOM tells: CISA, NTIA and BSI TR-03183-2.

mod bsi;
mod finding;
mod rules;
mod scoring;
mod standards;
mod view;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bill::Bill;
use crate::schema::{CycloneDxVersion, SchemaError, Violation};

pub(crate) use scoring::Scoring;

/// Most places that are listed of one element; the others are only counted.
pub const MAX_LACKING: usize = 20;

/// A standard that says what an SBOM has to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standard {
    /// CISA, "Minimum Elements for a Software Bill of Materials", 2026.
    Cisa,
    /// NTIA, "The Minimum Elements For a Software Bill of Materials", 2021, "Data Fields".
    Ntia,
    /// BSI TR-03183-2 2.1.0, section 5.2.
    Bsi,
}

impl Standard {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::Cisa, Self::Ntia, Self::Bsi];

    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cisa => "cisa",
            Self::Ntia => "ntia",
            Self::Bsi => "bsi",
        }
    }
}

/// How good an SBOM is by each standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Version of CycloneDX that the document follows.
    pub spec_version: &'static str,
    /// Components that were looked at, the subject included.
    pub components: usize,
    /// Files, data and cryptographic assets, which are left out: the standards ask for software.
    pub left_out: usize,
    /// One score for each standard.
    pub scores: Vec<Score>,
}

/// How good an SBOM is by one standard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    /// The standard.
    pub standard: Standard,
    /// Its name and edition.
    pub title: &'static str,
    /// From 0 to 100, where 100 is only given if everything required is there: the mean over
    /// required elements of the share of components that have them.
    pub score: u8,
    /// `A` from 90, `B` from 80, `C` from 70, `D` from 60, `F` below.
    pub grade: char,
    /// Whether everything required is there, everywhere.
    pub met: bool,
    /// Each element in the order of the standard.
    pub elements: Vec<Element>,
}

/// One thing that a standard asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Element {
    /// Short name for programs, such as `component-hash`.
    pub id: &'static str,
    /// The standard's name for it.
    pub name: &'static str,
    /// How much it is asked for.
    pub level: Level,
    /// How often it could be there: 1 for what the document has, else the number of components.
    pub of: usize,
    /// How often it is there.
    pub present: usize,
    /// How often the document says that it is not known.
    pub declared_unknown: usize,
    /// How often something stands there that does not do.
    pub invalid: usize,
    /// How often nothing stands there.
    pub absent: usize,
    /// What it is good for.
    pub why: &'static str,
    /// What to do so that it is there.
    pub remedy: &'static str,
    /// Where it is not there, [`MAX_LACKING`] places at most.
    pub lacking: Vec<Lacking>,
}

/// How much a standard asks for an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It has to be there.
    Required,
    /// It has to be there if it exists, which the document alone cannot tell.
    Additional,
    /// It may be there.
    Optional,
}

/// A place where an element is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lacking {
    /// The component, or the document, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// The component's `bom-ref`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bom_ref: Option<String>,
    /// The component's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `absent`, `unknown` where the document says so, or `invalid`.
    pub finding: &'static str,
    /// What is wrong with what stands there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Scores a CycloneDX JSON document of version 1.2 to 1.7 by every standard.
///
/// The schema may be broken: that is an element too. Values that say nothing, such as
/// `NOASSERTION`, `unknown` or empty text, are not counted as present.
///
/// # Errors
/// [`SchemaError`] where the document is too large, not sound JSON, or not CycloneDX.
pub fn score(bytes: &[u8]) -> Result<Report, SchemaError> {
    let bill = Bill::read(bytes)?;
    let violations = bill.violations()?;
    Ok(of(&bill, violations))
}

/// Scores a document that keeps to the schema of its version.
pub(crate) fn of_valid(document: Value, version: CycloneDxVersion) -> Report {
    of(&Bill { document, version, weight: 0 }, vec![])
}

fn of(bill: &Bill, violations: Vec<Violation>) -> Report {
    let mut scoring = Scoring::of(bill, violations);
    bill.parts().iter().for_each(|part| scoring.add(part));
    scoring.report()
}
