//! What a verifier decided about an artifact: SLSA Verification Summary Attestation (VSA) v1.

use std::collections::BTreeMap;

use events::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Predicate;
use crate::resource::{list_or_null, sha256_set};

/// The claim that `verifier` judged the subjects, as `resource_uri`, by `policy`
/// (SLSA v1.1, `https://slsa.dev/verification_summary/v1`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationSummary {
    /// Who judged.
    pub verifier: Verifier,
    /// When.
    pub time_verified: Timestamp,
    /// What the artifact was judged as, so that a verdict for one use cannot be shown for another.
    pub resource_uri: String,
    /// By which rules.
    pub policy: Policy,
    /// All evidence the judgement rests on, or empty when the verifier does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list_or_null")]
    pub input_attestations: Vec<InputAttestation>,
    /// The verdict.
    pub verification_result: VerificationResult,
    /// Highest level reached per SLSA track, `FAILED`, or the verifier's own words (none may begin with `SLSA_`).
    pub verified_levels: Vec<String>,
    /// Number of transitive dependencies at each level.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dependency_levels: BTreeMap<String, u64>,
    /// Version of SLSA the levels are of, `<MAJOR>.<MINOR>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slsa_version: Option<String>,
}

impl Predicate for VerificationSummary {
    const TYPE: &'static str = "https://slsa.dev/verification_summary/v1";
}

/// The verifier; to be believed only together with the key that signed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verifier {
    /// URI of the verifier.
    pub id: String,
    /// Versions of its components, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<String, String>,
}

/// The rules, by name and by content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// URI of the policy.
    pub uri: String,
    /// Digest of the policy as it was when it was applied.
    #[serde(with = "sha256_set")]
    pub digest: Digest,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputAttestation {
    /// Where it can be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digest of the attestation as stored.
    #[serde(with = "sha256_set")]
    pub digest: Digest,
}

/// The verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VerificationResult {
    /// The artifact met the policy.
    Passed,
    /// The artifact did not meet the policy.
    Failed,
}
