//! How much of what the standards ask for an SBOM tells: CISA, NTIA and BSI TR-03183-2.

mod bsi;
mod finding;
mod rules;
mod standards;
mod view;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bill::{Bill, Part, shortened};
use crate::schema::{CycloneDxVersion, SchemaError, Violation};
use finding::Finding;
use rules::{Judge, Rule};
use view::View;

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
    let parts = bill.parts();
    let view = View::of(bill, &parts, violations);
    let is_software = |part: &&Part<'_>| {
        let kind = part.text("type").unwrap_or_default();
        part.is_subject || !["file", "data", "cryptographic-asset"].contains(&kind)
    };
    let software: Vec<&Part<'_>> = parts.iter().filter(is_software).collect();
    // Somebody who lists nothing but files means them.
    let listed = match software.iter().any(|part| !part.is_subject) {
        true => software,
        false => parts.iter().collect(),
    };
    let standards = Standard::ALL;
    Report {
        spec_version: bill.version.as_str(),
        components: listed.len(),
        left_out: parts.len() - listed.len(),
        scores: standards.map(|standard| judge(standard, &view, &listed)).into(),
    }
}

fn judge(standard: Standard, view: &View<'_>, parts: &[&Part<'_>]) -> Score {
    let (title, rules) = match standard {
        Standard::Cisa => ("CISA minimum elements 2026", standards::CISA),
        Standard::Ntia => ("NTIA minimum elements 2021", standards::NTIA),
        Standard::Bsi => ("BSI TR-03183-2 2.1.0", bsi::RULES),
    };
    let elements: Vec<_> = rules.iter().map(|rule| Element::judge(rule, view, parts)).collect();
    let required: Vec<_> = elements.iter().filter(|it| it.level == Level::Required).collect();
    let met = required.iter().all(|it| it.present == it.of && it.of > 0);
    // In millionths, so that no sum of rounded shares makes a hundred.
    let share = |it: &&Element| (it.present * 1_000_000).checked_div(it.of).unwrap_or(0);
    let mean = required.iter().map(share).sum::<usize>().checked_div(required.len()).unwrap_or(0);
    let score = if met { 100 } else { u8::try_from(mean / 10_000).unwrap_or(99).min(99) };
    let grade = match score {
        90.. => 'A',
        80.. => 'B',
        70.. => 'C',
        60.. => 'D',
        _ => 'F',
    };
    Score { standard, title, score, grade, met, elements }
}

impl Element {
    fn judge(rule: &Rule, view: &View<'_>, parts: &[&Part<'_>]) -> Self {
        let Rule { id, name, level, why, remedy, .. } = *rule;
        let mut element = Self {
            id,
            name,
            level,
            of: 0,
            present: 0,
            declared_unknown: 0,
            invalid: 0,
            absent: 0,
            why,
            remedy,
            lacking: Vec::new(),
        };
        match rule.judge {
            Judge::Document(pointer, judge) => element.count(judge(view), pointer, None),
            Judge::Component(judge) => {
                for part in parts {
                    element.count(judge(view, part), &part.pointer, Some(part));
                }
            }
        }
        element
    }

    fn count(&mut self, finding: Finding, pointer: &str, part: Option<&Part<'_>>) {
        self.of += 1;
        let (count, finding, detail) = match finding {
            Finding::Present => {
                self.present += 1;
                return;
            }
            Finding::DeclaredUnknown => (&mut self.declared_unknown, "unknown", None),
            Finding::Invalid(detail) => (&mut self.invalid, "invalid", Some(detail)),
            Finding::Absent => (&mut self.absent, "absent", None),
        };
        *count += 1;
        if self.lacking.len() < MAX_LACKING {
            let named = |key| part.and_then(|it| it.text(key)).map(shortened);
            self.lacking.push(Lacking {
                pointer: pointer.to_owned(),
                bom_ref: named("bom-ref"),
                name: named("name"),
                finding,
                detail: detail.map(|it| shortened(&it)),
            });
        }
    }
}
