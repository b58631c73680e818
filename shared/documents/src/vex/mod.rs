//! VEX: what a supplier or an operator says about vulnerabilities, in OpenVEX, CycloneDX or CSAF.

mod court;
mod csaf;
pub(crate) mod cyclonedx;
mod edition;
mod error;
mod names;
mod openvex;
mod target;

use jiff::Timestamp;
use serde_json::Value;

pub use court::{Authority, Court, Opinion, Rule, Ruling, Source, Standing};
pub use edition::{Edition, Version};
pub use error::VexError;
pub use target::{Part, Target};

use crate::bom;
use crate::schema::{JsonError, json};

/// Most texts of one document that are copied to where they apply: what is written once may apply
/// to each of a million products.
const MAX_COPIES: usize = 200_000;
/// Most bytes of these copies.
const MAX_COPIED_BYTES: usize = 16 * 1024 * 1024;

/// A VEX document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its format.
    pub format: Format,
    /// OpenVEX `@id`; for CycloneDX its BOM-Link, or empty where it has no serial number; for CSAF
    /// `/document/tracking/id`.
    pub id: String,
    /// Who says it; for CycloneDX `metadata.supplier`, otherwise the first of `metadata.authors`; for
    /// CSAF the publisher's name.
    pub author: Option<String>,
    /// When it was said last; OpenVEX `last_updated`, where it is there.
    pub timestamp: Option<Timestamp>,
    /// Which version of which document this is, where it says so.
    pub edition: Option<Edition>,
    /// To whom it may be passed on: the label of the Traffic Light Protocol (CSAF 2.0, 3.1.6).
    pub tlp: Option<String>,
    /// What is said, in document order.
    pub statements: Vec<Statement>,
}

/// Formats of VEX.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// OpenVEX 0.0.1.
    OpenVex0_0_1,
    /// OpenVEX 0.2.0.
    OpenVex0_2_0,
    /// CycloneDX, 1.4 and later.
    CycloneDx,
    /// CSAF 2.0.
    Csaf2_0,
}

impl Format {
    /// The format in a word, as passports list it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenVex0_0_1 | Self::OpenVex0_2_0 => "openvex",
            Self::CycloneDx => "cyclonedx",
            Self::Csaf2_0 => "csaf",
        }
    }

    /// Its version, where there is one for all documents.
    pub fn version(self) -> Option<&'static str> {
        match self {
            Self::OpenVex0_0_1 => Some("0.0.1"),
            Self::OpenVex0_2_0 => Some("0.2.0"),
            Self::CycloneDx => None,
            Self::Csaf2_0 => Some("2.0"),
        }
    }

    /// Its name with its version, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenVex0_0_1 => "OpenVEX 0.0.1",
            Self::OpenVex0_2_0 => "OpenVEX 0.2.0",
            Self::CycloneDx => "CycloneDX",
            Self::Csaf2_0 => "CSAF 2.0",
        }
    }
}

/// What is said about one vulnerability in some products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Identifier of the vulnerability.
    pub vulnerability: String,
    /// Its other identifiers.
    pub aliases: Vec<String>,
    /// Whether the products are affected.
    pub status: Status,
    /// Why they are not, in the format's own word.
    pub justification: Option<String>,
    /// Impact, action or detail, as text.
    pub statement: Option<String>,
    /// What it is said of; a statement without products applies to nothing.
    pub products: Vec<Product>,
    /// When it was said; otherwise when the document was.
    pub timestamp: Option<Timestamp>,
}

/// Status of a vulnerability, in the words of OpenVEX. CycloneDX: `resolved` and
/// `resolved_with_pedigree` are fixed, `exploitable` is affected, `in_triage` is under
/// investigation, `false_positive` and `not_affected` are not affected. CSAF: `known_not_affected` is
/// not affected; `known_`, `first_` and `last_affected` are affected; `fixed` and `first_fixed` are
/// fixed; `recommended` is no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say all there is to say")]
pub enum Status {
    NotAffected,
    Affected,
    Fixed,
    UnderInvestigation,
}

impl Status {
    /// The status as OpenVEX writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Affected => "affected",
            Self::Fixed => "fixed",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// Whether it says that there is nothing to do.
    pub fn suppresses(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }

    /// How much care it asks for: what may be wrong without harm asks for the most.
    fn caution(self) -> u8 {
        match self {
            Self::NotAffected => 0,
            Self::Fixed => 1,
            Self::UnderInvestigation => 2,
            Self::Affected => 3,
        }
    }
}

/// What a statement is about. Each of its names is a purl, a bom-ref, a BOM-Link, a digest
/// (`sha256:…`), or something that nothing is compared with, such as a CPE.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    /// The first name.
    pub id: String,
    /// Other names of the same product.
    pub aliases: Vec<String>,
    /// Names of the only parts of the product it is about; none for all of it.
    pub subcomponents: Vec<String>,
    /// The only versions it is about (CycloneDX `affects[].versions`); ranges name none, since they
    /// cannot be judged without the rules of an ecosystem.
    pub versions: Option<Vec<String>>,
}

/// Reads a VEX document: OpenVEX 0.2.0 or 0.0.1, CycloneDX 1.4 to 1.7 with at least one
/// vulnerability that has an analysis, or CSAF 2.0 with at least one `product_status`; or an
/// attestation that carries one.
///
/// # Errors
/// [`VexError`]: the document is too large, not sound JSON, not VEX, or breaks its schema.
pub fn read(bytes: &[u8]) -> Result<Document, VexError> {
    let bytes = crate::carried(bytes)?;
    match crate::detect(&bytes) {
        crate::Kind::CycloneDx => {
            let (bom, document) = bom::read_with_document(&bytes, cyclonedx::FIRST)?;
            cyclonedx::document(bom, &document)
        }
        crate::Kind::Csaf => csaf::read(&bytes),
        _ => openvex::read(&bytes),
    }
}

/// Counts what is copied, before it is.
#[derive(Default)]
struct Copies {
    texts: usize,
    bytes: usize,
}

impl Copies {
    fn add<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) -> Result<(), JsonError> {
        for text in texts {
            self.texts += 1;
            self.bytes = self.bytes.saturating_add(text.len());
            if self.texts > MAX_COPIES || self.bytes > MAX_COPIED_BYTES {
                return Err(JsonError::TooManyCopies {
                    texts: MAX_COPIES,
                    bytes: MAX_COPIED_BYTES,
                });
            }
        }
        Ok(())
    }
}

fn owned(object: &Value, key: &str) -> Option<String> {
    json::text(object, key).map(str::to_owned)
}

fn time(object: &Value, key: &str) -> Option<Timestamp> {
    json::text(object, key)?.parse().ok()
}
