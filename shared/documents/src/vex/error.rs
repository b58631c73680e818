//! Why a document is not read as VEX.

use crate::schema::{JsonError, SchemaError, Violation, listed};

/// Why a document is not read as VEX.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VexError {
    /// Not JSON that can be judged.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// CycloneDX, but not sound.
    #[error(transparent)]
    CycloneDx(#[from] SchemaError),
    /// Another kind of document.
    #[error(
        "`@context` is no OpenVEX namespace, and `bomFormat` is not \"CycloneDX\"; \
         is this another kind of document?"
    )]
    NotVex,
    /// A version of OpenVEX that is not known.
    #[error("`@context` is {found:?}, which is not OpenVEX 0.0.1 or 0.2.0; convert the document")]
    UnsupportedVersion {
        /// What stands there, shortened.
        found: String,
    },
    /// The schema of OpenVEX is violated.
    #[error(
        "not valid OpenVEX: {}; correct the document or the tool that wrote it",
        listed(violations)
    )]
    Invalid {
        /// The first violations.
        violations: Vec<Violation>,
    },
    /// CycloneDX that says nothing about any vulnerability.
    #[error(
        "`vulnerabilities` has no entry with an `id` and `analysis.state`; \
         this says nothing that a VEX says"
    )]
    NoStatements,
    /// A schema that is part of this program is broken.
    #[error("the built-in schema of OpenVEX cannot be used: {message}; report a bug")]
    BrokenSchema {
        /// What is wrong with it.
        message: String,
    },
}

impl VexError {
    /// The kind of refusal in a word, such as `not-vex`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::CycloneDx(error) => error.code(),
            Self::NotVex => "not-vex",
            Self::UnsupportedVersion { .. } => "unsupported-version",
            Self::Invalid { .. } => "schema",
            Self::NoStatements => "no-statements",
            Self::BrokenSchema { .. } => "broken-schema",
        }
    }
}
