//! Why a document is not read as VEX.

use crate::CarriedError;
use crate::schema::{JsonError, SchemaError, Violation, listed};

/// Why a document is not read as VEX.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VexError {
    /// Not JSON that can be judged.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// An attestation without a document.
    #[error(transparent)]
    Carried(#[from] CarriedError),
    /// CycloneDX, but not sound.
    #[error(transparent)]
    CycloneDx(#[from] SchemaError),
    /// Another kind of document.
    #[error(
        "`@context` is no OpenVEX namespace, `bomFormat` is not \"CycloneDX\", and there is no \
         `/document/csaf_version`; is this another kind of document?"
    )]
    NotVex,
    /// A version of OpenVEX that is not known.
    #[error("`@context` is {found:?}, which is not OpenVEX 0.0.1 or 0.2.0; convert the document")]
    UnsupportedVersion {
        /// What stands there, shortened.
        found: String,
    },
    /// A version of CSAF that is not known.
    #[error("`/document/csaf_version` is {found:?}, which is not 2.0; convert the document")]
    UnsupportedCsaf {
        /// What stands there, shortened.
        found: String,
    },
    /// CSAF of a profile that says nothing of products' status (CSAF 2.0, section 4).
    #[error(
        "`/document/category` is {found:?}; send csaf_vex, or csaf_security_advisory, which say \
         whether products are affected"
    )]
    OtherProfile {
        /// What stands there, shortened.
        found: String,
    },
    /// CSAF that is not released yet.
    #[error("`/document/tracking/status` is draft; send the document when it is interim or final")]
    Draft,
    /// The schema of OpenVEX or CSAF is violated.
    #[error(
        "not valid {format}: {}; correct the document or the tool that wrote it",
        listed(violations)
    )]
    Invalid {
        /// The format and its version.
        format: &'static str,
        /// The first violations.
        violations: Vec<Violation>,
    },
    /// CSAF that contradicts itself, or refers to what it does not define: mandatory tests of the
    /// standard (6.1) fail.
    #[error(
        "CSAF that fails mandatory tests: {}; correct the document or the tool that wrote it",
        listed(violations)
    )]
    Unsound {
        /// The first violations.
        violations: Vec<Violation>,
    },
    /// CycloneDX that says nothing about any vulnerability.
    #[error(
        "`vulnerabilities` has no entry with an `id` and `analysis.state`; \
         this says nothing that a VEX says"
    )]
    NoStatements,
    /// CSAF that says nothing about any product.
    #[error(
        "`vulnerabilities` has no entry with `cve` or `ids` and a `product_status` but recommended; \
         this says nothing that a VEX says"
    )]
    NoStatus,
    /// A schema that is part of this program is broken.
    #[error("the built-in schema of {format} cannot be used: {message}; report a bug")]
    BrokenSchema {
        /// The format and its version.
        format: &'static str,
        /// What is wrong with it.
        message: String,
    },
}

impl VexError {
    /// The kind of refusal in a word, such as `not-vex`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::Carried(error) => error.code(),
            Self::CycloneDx(error) => error.code(),
            Self::NotVex | Self::OtherProfile { .. } => "not-vex",
            Self::UnsupportedVersion { .. } | Self::UnsupportedCsaf { .. } => "unsupported-version",
            Self::Draft => "draft",
            Self::Invalid { .. } => "schema",
            Self::Unsound { .. } => "unsound",
            Self::NoStatements | Self::NoStatus => "no-statements",
            Self::BrokenSchema { .. } => "broken-schema",
        }
    }
}
