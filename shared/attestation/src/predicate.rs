//! The kinds of claim that Attestry writes and reads.

pub mod link;
pub mod provenance;
pub mod receipt;
pub mod reference;
pub mod verification_summary;

use serde::{Serialize, de::DeserializeOwned};

pub use link::Link;
pub use provenance::Provenance;
pub use receipt::Receipt;
pub use reference::Reference;
pub use verification_summary::VerificationSummary;

/// A claim that knows its own kind, so that a statement cannot be mislabelled.
pub trait Predicate: Serialize + DeserializeOwned {
    /// The `predicateType` URI.
    const TYPE: &'static str;
}
