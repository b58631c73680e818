//! The eleven ways in which a drop is broken, and the rule that must refuse each.

use attestation::{Reference, SigningKey, Statement, Subject, predicate::reference::Attester};
use bytes::Bytes;
use events::{CHUNK_BYTES, Digest};

use super::sbom::Sbom;

/// What is wrong with a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// No bundle came with it.
    Unsigned,
    /// A key signed it that is in no passport.
    StrangersKey,
    /// The supplier signed a statement, about another document.
    OtherDocumentSigned,
    /// It was changed after it was signed.
    Tampered,
    /// Its second half is missing.
    NotJson,
    /// A key is there twice.
    DuplicateKey,
    /// A component is of a type that CycloneDX does not know.
    SchemaViolated,
    /// Two components depend on each other.
    DependencyCycle,
    /// A chunk that its manifest counts never came.
    MissingChunk,
    /// Its manifest says another digest.
    WrongDigest,
    /// Its manifest is none.
    ManifestUnreadable,
}

impl Flaw {
    /// All of them.
    pub(crate) const ALL: [Self; 11] = [
        Self::Unsigned,
        Self::StrangersKey,
        Self::OtherDocumentSigned,
        Self::Tampered,
        Self::NotJson,
        Self::DuplicateKey,
        Self::SchemaViolated,
        Self::DependencyCycle,
        Self::MissingChunk,
        Self::WrongDigest,
        Self::ManifestUnreadable,
    ];

    /// The rule that must refuse it.
    pub(crate) fn rule(self) -> &'static str {
        match self {
            Self::Unsigned => "SUP-002",
            Self::StrangersKey | Self::Tampered => "SUP-003",
            Self::OtherDocumentSigned => "SUP-004",
            Self::NotJson => "not-json",
            Self::DuplicateKey => "duplicate-key",
            Self::SchemaViolated => "schema",
            Self::DependencyCycle => "SUP-014",
            Self::MissingChunk => "upload-missing-chunk",
            Self::WrongDigest => "upload-wrong-digest",
            Self::ManifestUnreadable => "manifest-unreadable",
        }
    }

    /// The document with this flaw, where the flaw is one of the document.
    pub(super) fn spoil(self, sbom: Sbom) -> Bytes {
        match self {
            Self::NotJson => {
                let whole = sbom.bytes();
                whole.slice(..whole.len() / 2)
            }
            Self::DuplicateKey => sbom.with_key_twice(),
            Self::SchemaViolated => sbom.with_unknown_type().bytes(),
            Self::DependencyCycle => sbom.with_cycle().bytes(),
            Self::MissingChunk => sbom.padded(2 * CHUNK_BYTES).bytes(),
            _ => sbom.bytes(),
        }
    }
}

/// A bundle around a statement about a document that nobody has.
pub(super) fn sign_another(key: &SigningKey) -> anyhow::Result<Vec<u8>> {
    let digest = Digest::of(b"another document");
    let subject = Subject { name: Some("another.cdx.json".to_owned()), uri: None, digest };
    let attester = Attester { id: "urn:chaos".to_owned() };
    let statement = Statement::new(&[subject], &Reference { attester, references: vec![] })?;
    Ok(key.sign_statement(&statement)?)
}
