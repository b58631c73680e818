//! Judging documents by the official CycloneDX JSON schemas, offline; XML in its JSON form.

pub(crate) mod json;
pub(crate) mod validator;

use std::fmt;

use serde_json::Value;

pub use crate::xml::XmlError;
pub use json::{JsonError, MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_WEIGHT};

use crate::xml;
use json::Form;

/// Most violations that are reported of one document.
pub const MAX_VIOLATIONS: usize = 20;

/// Version of CycloneDX that a document says it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say all there is to say")]
pub enum CycloneDxVersion {
    V1_2,
    V1_3,
    V1_4,
    V1_5,
    V1_6,
    V1_7,
}

/// Why a document is not valid CycloneDX.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// Not JSON that can be judged, nor XML.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not XML that can be judged.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// JSON, but something else.
    #[error("`bomFormat` is not \"CycloneDX\"; is this another kind of document?")]
    NotCycloneDx,
    /// A version without a JSON schema here.
    #[error(
        "`specVersion` is {}, which is not one of {oldest} to 1.7; convert the document",
        found.escape_debug()
    )]
    UnsupportedVersion {
        /// What stands there, shortened.
        found: String,
        /// The oldest version that is read.
        oldest: CycloneDxVersion,
    },
    /// The schema is violated.
    #[error(
        "not valid CycloneDX {version}: {}; correct the document or the tool that wrote it",
        listed(violations)
    )]
    Invalid {
        /// The version whose schema was applied.
        version: CycloneDxVersion,
        /// The first violations, [`MAX_VIOLATIONS`] at most; in a very large document only one.
        violations: Vec<Violation>,
    },
    /// A schema that is part of this program is broken.
    #[error("the built-in schema of CycloneDX {version} cannot be used: {message}; report a bug")]
    BrokenSchema {
        /// The schema's version.
        version: CycloneDxVersion,
        /// What is wrong with it.
        message: String,
    },
}

impl SchemaError {
    /// The kind of refusal in a word, such as `unsupported-version`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::Xml(error) => error.code(),
            Self::NotCycloneDx => "not-cyclonedx",
            Self::UnsupportedVersion { .. } => "unsupported-version",
            Self::Invalid { .. } => "schema",
            Self::BrokenSchema { .. } => "broken-schema",
        }
    }
}

/// One place that breaks a rule of the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The place, as a JSON Pointer (RFC 6901); empty for the document itself.
    pub pointer: String,
    /// The rule and how it is broken, shortened.
    pub message: String,
}

/// Checks a CycloneDX document in JSON or XML against the official JSON schema of the version it names,
/// formats included, and returns that version. A byte-order mark is passed over. The places of violations
/// are those of the JSON form.
///
/// # Errors
/// [`SchemaError::Invalid`] with up to [`MAX_VIOLATIONS`] violations; the others where the document
/// could not be judged.
pub fn validate_cyclonedx(bytes: &[u8]) -> Result<CycloneDxVersion, SchemaError> {
    read_cyclonedx(bytes, CycloneDxVersion::V1_2).map(|(_, version)| version)
}

/// Reads a document as [`validate_cyclonedx`] judges it, of version `oldest` or later.
pub(crate) fn read_cyclonedx(
    bytes: &[u8],
    oldest: CycloneDxVersion,
) -> Result<(Value, CycloneDxVersion), SchemaError> {
    let (document, version, weight) = read_unjudged(bytes, oldest)?;
    let violations = violations(&document, version, weight)?;
    match violations.is_empty() {
        true => Ok((document, version)),
        false => Err(SchemaError::Invalid { version, violations }),
    }
}

/// Reads a document that says it is CycloneDX of version `oldest` or later, valid or not; its weight
/// comes along.
pub(crate) fn read_unjudged(
    bytes: &[u8],
    oldest: CycloneDxVersion,
) -> Result<(Value, CycloneDxVersion, usize), SchemaError> {
    let (document, weight) = match json::form(bytes)? {
        Form::Json(text) => json::read_text(text)?,
        Form::Xml(text) => return xml::read(text, oldest),
    };
    if json::text(&document, "bomFormat") != Some("CycloneDX") {
        return Err(SchemaError::NotCycloneDx);
    }
    let version = CycloneDxVersion::of(&document, oldest)?;
    Ok((document, version, weight))
}

/// The first places where `document` breaks the schema of `version`.
pub(crate) fn violations(
    document: &Value,
    version: CycloneDxVersion,
    weight: usize,
) -> Result<Vec<Violation>, SchemaError> {
    let broken = |message| SchemaError::BrokenSchema { version, message };
    let validator = validator::cyclonedx(version).map_err(broken)?;
    Ok(validator.violations(document, weight))
}

impl CycloneDxVersion {
    const ALL: [Self; 6] = [Self::V1_2, Self::V1_3, Self::V1_4, Self::V1_5, Self::V1_6, Self::V1_7];

    /// The version as `specVersion` writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
            Self::V1_4 => "1.4",
            Self::V1_5 => "1.5",
            Self::V1_6 => "1.6",
            Self::V1_7 => "1.7",
        }
    }

    fn of(document: &Value, oldest: Self) -> Result<Self, SchemaError> {
        Self::named(json::text(document, "specVersion").unwrap_or("missing"), oldest)
    }

    /// The version by its name, if it is `oldest` or later.
    pub(crate) fn named(named: &str, oldest: Self) -> Result<Self, SchemaError> {
        let known = Self::ALL.into_iter().find(|version| version.as_str() == named);
        known.filter(|&version| version >= oldest).ok_or_else(|| SchemaError::UnsupportedVersion {
            found: named.chars().take(80).collect(),
            oldest,
        })
    }
}

impl fmt::Display for CycloneDxVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{}: {}", pointer.escape_debug(), self.message)
    }
}

/// The violations in one line of text.
pub(crate) fn listed(violations: &[Violation]) -> String {
    violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; ")
}
