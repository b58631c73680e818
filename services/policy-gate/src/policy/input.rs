//! The document that policies see as `input`, version 1.

use events::{BuildCompleted, BuildKind, Digest};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

/// Everything that is known about a build when it is judged: `attestry.policy-input/v1`.
///
/// Documents are passed on as they were read, so that rules judge what was signed.
#[derive(Debug, Serialize)]
#[serde(tag = "schema", rename = "attestry.policy-input/v1")]
pub struct Input<'a> {
    /// When it is judged; policies have no other clock.
    pub time: Timestamp,
    /// What the build is for, and so how strict rules are.
    pub environment: BuildKind,
    /// The project that was built.
    pub project: &'a str,
    /// What CI said of the build.
    pub build: &'a BuildCompleted,
    /// The CycloneDX SBOM, or null when there is none.
    pub sbom: Option<&'a RawValue>,
    /// Digest of the SBOM's bytes.
    pub sbom_digest: Option<Digest>,
    /// The in-toto statement with SLSA provenance, or null when there is none.
    pub provenance: Option<&'a RawValue>,
    /// Signatures over this build's statements, as checked before judging: a signature over any
    /// other document must not be listed.
    pub signatures: Vec<Signature<'a>>,
    /// What the operator decided.
    pub config: Config,
}

/// One checked signature over an in-toto statement.
#[derive(Debug, Serialize)]
pub struct Signature<'a> {
    /// Predicate type of the statement.
    pub predicate_type: &'a str,
    /// Digest of the statement's bytes.
    pub statement: Digest,
    /// Whether signature and identity were verified against the trust root.
    pub verified: bool,
    /// Hint at the key or identity that signed, for people.
    pub key: Option<&'a str>,
    /// Whether it is the key of a developer's machine, which proves nothing.
    pub development_key: bool,
}

/// Choices of the operator that rules respect.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Config {
    /// Turns the refusal of development keys into a warning.
    pub allow_development_key: bool,
}
