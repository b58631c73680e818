//! Signed evidence: in-toto statements, their predicates, and the Sigstore bundles that carry them.
//!
//! ```
//! # use attestation::*;
//! # use attestation::predicate::reference::{Attester, ReferencedDocument};
//! # use events::Digest;
//! let sbom = ReferencedDocument {
//!     name: None,
//!     digest: Digest::of(b"{}"),
//!     download_location: "sbom/app-sbom.json".into(),
//!     media_type: "application/vnd.cyclonedx+json".into(),
//! };
//! let claim = Reference { attester: Attester { id: "https://example.com/ci".into() }, references: vec![sbom] };
//! let app = Subject { name: Some("app".into()), uri: None, digest: Digest::of(b"app") };
//! let statement = Statement::new(&[app], &claim)?;
//!
//! let key = SigningKey::generate()?;
//! let bundle = key.sign_statement(&statement)?;
//!
//! let mut trust = Trust::new();
//! trust.add(TrustedKey::new("ci", key.public_key().clone()))?;
//! let verified = verify_bundle(&bundle, &trust)?;
//! assert_eq!(verified.statement.predicate::<Reference>()?, claim);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Statement`] is its bytes: what was parsed is what gets signed, and what a signature was checked over is what
//! gets parsed. Nothing is re-serialised between the two. Third-party cryptography stays behind this interface.

mod artifact;
mod base64_bytes;
mod bundle;
mod dsse;
mod json;
pub mod key;
mod key_file;
pub mod link_file;
pub mod predicate;
mod public_key;
mod refusal;
pub mod resource;
pub mod signer;
pub mod statement;
pub mod trust;
pub mod verify;

pub use key::SigningKey;
pub use key_file::KeyError;
pub use predicate::{Link, Predicate, Provenance, Receipt, Reference, VerificationSummary};
pub use public_key::PublicKey;
pub use resource::ResourceDescriptor;
pub use signer::Signer;
pub use statement::{Statement, StatementError, Subject};
pub use trust::{IdentityRule, SubjectRule, Trust, TrustRoot, TrustedKey};
pub use verify::{Artifact, SignedArtifact, Verified, VerifyError, verify_artifact, verify_bundle};
