//! Documents about an artifact that are signed by digest, not embedded: in-toto reference v0.1.

use events::Digest;
use serde::{Deserialize, Serialize};

use super::Predicate;
use crate::resource::sha256_set;

/// The claim that documents, such as an SBOM, describe all subjects together
/// (`https://in-toto.io/attestation/reference/v0.1`).
///
/// Signing a digest instead of a megabyte makes signing and verifying ten times cheaper and more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// Who provides the documents.
    pub attester: Attester,
    /// The documents.
    pub references: Vec<ReferencedDocument>,
}

impl Predicate for Reference {
    const TYPE: &'static str = "https://in-toto.io/attestation/reference/v0.1";
}

/// The system that provides the documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attester {
    /// URI of the system.
    pub id: String,
}

/// A `ResourceDescriptor` with the fields that this predicate requires, pinned by digest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferencedDocument {
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Digest of the document.
    #[serde(with = "sha256_set")]
    pub digest: Digest,
    /// Where the document can be had; the digest, not the location, says which one it is.
    pub download_location: String,
    /// Media type, `application/octet-stream` when unknown.
    pub media_type: String,
}
