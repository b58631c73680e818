//! Judging documents by the official JSON schemas of their formats, offline; XML and tag-value in
//! their JSON form.

mod error;
mod format;
pub(crate) mod json;
pub(crate) mod validator;

use std::fmt;

use serde_json::Value;

use crate::{spdx, xml};
use json::Form;

pub use crate::xml::XmlError;
pub use error::SchemaError;
pub use format::{CycloneDxVersion, Format, SpdxVersion};
pub use json::{JsonError, MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_WEIGHT};

/// Most violations that are reported of one document.
pub const MAX_VIOLATIONS: usize = 20;

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
    let (document, version, weight) = read_unjudged(bytes)?;
    judge(&document, version, weight).map(|()| version)
}

/// Reads a document that says it is CycloneDX of version 1.2 or later, valid or not; its weight
/// comes along.
pub(crate) fn read_unjudged(bytes: &[u8]) -> Result<(Value, CycloneDxVersion, usize), SchemaError> {
    match read_form(bytes, CycloneDxVersion::V1_2) {
        Ok((document, Format::CycloneDx(version), weight)) => Ok((document, version, weight)),
        Ok((_, Format::Spdx(_), _)) | Err(SchemaError::UnsupportedSpdx { .. }) => {
            Err(SchemaError::Spdx)
        }
        Err(SchemaError::NotSbom) => Err(SchemaError::NotCycloneDx),
        Err(error) => Err(error),
    }
}

/// Reads an SBOM in its JSON form, valid or not, in the format that it says it has: CycloneDX of version
/// `oldest` or later, or SPDX; its weight comes along.
pub(crate) fn read_form(
    bytes: &[u8],
    oldest: CycloneDxVersion,
) -> Result<(Value, Format, usize), SchemaError> {
    let (document, weight) = match json::form(bytes)? {
        Form::Xml(text) => {
            let (document, version, weight) = xml::read(text, oldest)?;
            return Ok((document, version.into(), weight));
        }
        Form::Json(text) if spdx::begins_tag_value(text) => spdx::of_tag_value(text)?,
        Form::Json(text) => json::parse(text)?,
    };
    let format = format(&document, oldest)?;
    Ok((document, format, weight))
}

/// The format that `document` says it has: CycloneDX of version `oldest` or later, or SPDX.
pub(crate) fn format(document: &Value, oldest: CycloneDxVersion) -> Result<Format, SchemaError> {
    if is_cyclonedx(document) {
        CycloneDxVersion::of(document, oldest).map(Format::CycloneDx)
    } else if is_spdx(document) {
        SpdxVersion::of(document).map(Format::Spdx)
    } else {
        Err(SchemaError::NotSbom)
    }
}

fn is_cyclonedx(document: &Value) -> bool {
    json::text(document, "bomFormat") == Some("CycloneDX")
}

fn is_spdx(document: &Value) -> bool {
    let context = json::text(document, "@context");
    document.get("spdxVersion").is_some()
        || context.is_some_and(|it| it.starts_with(spdx::CONTEXT_OF_3))
}

/// Refuses `document`, of which `weight` is the weight, where it breaks the schema of `format`.
pub(crate) fn judge(
    document: &Value,
    format: impl Into<Format>,
    weight: usize,
) -> Result<(), SchemaError> {
    let format = format.into();
    let violations = violations(document, format, weight)?;
    match violations.is_empty() {
        true => Ok(()),
        false => Err(SchemaError::Invalid { format, violations }),
    }
}

/// The first places where `document` breaks the schema of `format`.
pub(crate) fn violations(
    document: &Value,
    format: impl Into<Format>,
    weight: usize,
) -> Result<Vec<Violation>, SchemaError> {
    let format = format.into();
    let validator = match format {
        Format::CycloneDx(version) => validator::cyclonedx(version),
        Format::Spdx(_) => validator::spdx_2_3(),
    };
    let validator = validator.map_err(|message| SchemaError::BrokenSchema { format, message })?;
    Ok(validator.violations(document, weight))
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
