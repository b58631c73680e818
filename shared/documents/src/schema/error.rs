//! Why a document is not read as an SBOM.

use super::{CycloneDxVersion, Format, JsonError, Violation, XmlError, listed};

/// Why a document is not a valid SBOM, or not one of the format that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// Not JSON that can be judged; what it says of bytes and keys holds for tag-value too.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Not XML that can be judged.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Text that begins as SPDX tag-value, but does not go on as it.
    #[error("line {line} of the tag-value {problem}; correct it, or the tool that wrote it")]
    SpdxSyntax {
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// An attestation without a document.
    #[error(transparent)]
    Carried(#[from] crate::CarriedError),
    /// JSON, but something else.
    #[error("`bomFormat` is not \"CycloneDX\"; is this another kind of document?")]
    NotCycloneDx,
    /// SPDX where only CycloneDX can be taken.
    #[error(
        "the document is SPDX, not CycloneDX, whose `bomFormat` this needs; \
         convert the document to CycloneDX"
    )]
    Spdx,
    /// JSON, but neither CycloneDX nor SPDX.
    #[error(
        "`bomFormat` is not \"CycloneDX\", and there is no `spdxVersion`; \
         is this another kind of document?"
    )]
    NotSbom,
    /// A version of CycloneDX without a JSON schema here.
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
    /// A version of SPDX that is not read.
    #[error(
        "the version of SPDX is {found}, which is not SPDX-2.2 or SPDX-2.3; \
         write the document as SPDX 2.3"
    )]
    UnsupportedSpdx {
        /// What stands there, shortened.
        found: String,
    },
    /// The schema is violated.
    #[error(
        "not valid {format}: {}; correct the document or the tool that wrote it",
        listed(violations)
    )]
    Invalid {
        /// The format whose schema was applied.
        format: Format,
        /// The first violations, [`MAX_VIOLATIONS`](super::MAX_VIOLATIONS) at most; in a very large
        /// document only one. Places in tag-value are those of the same document as JSON.
        violations: Vec<Violation>,
    },
    /// A schema that is part of this program is broken.
    #[error("the built-in schema of {format} cannot be used: {message}; report a bug")]
    BrokenSchema {
        /// The schema's format.
        format: Format,
        /// What is wrong with it.
        message: String,
    },
}

impl SchemaError {
    /// The kind of refusal in a word, such as `unsupported-version`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::SpdxSyntax { .. } => "spdx-syntax",
            Self::Xml(error) => error.code(),
            Self::Carried(error) => error.code(),
            Self::NotCycloneDx | Self::Spdx => "not-cyclonedx",
            Self::NotSbom => "not-sbom",
            Self::UnsupportedVersion { .. } | Self::UnsupportedSpdx { .. } => "unsupported-version",
            Self::Invalid { .. } => "schema",
            Self::BrokenSchema { .. } => "broken-schema",
        }
    }
}
