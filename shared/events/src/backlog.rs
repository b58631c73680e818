//! What follows from known vulnerabilities.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Digest, Event, Label, Producer};

/// A new advisory index is in place: `advisories.updated`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AdvisoriesUpdated {
    /// Digest of the index.
    pub index: Digest,
    /// Advisories in it.
    pub records: u64,
    /// When it was put in place; the same index may come back after another one.
    pub saved_at: Timestamp,
}

/// The backlog holds what an event said: `backlog.mapped`. One for each event that the mapper
/// handles, whether anything changed or not, so that nothing can be swallowed unseen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BacklogMapped {
    /// The document that was mapped, when the event brought one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Digest>,
    /// Digest of the advisory index that was asked, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advisories: Option<Digest>,
    /// Findings of the document that are not suppressed.
    pub findings: u64,
    /// Findings of the document that a VEX statement suppresses.
    pub suppressed: u64,
    /// Backlog entries that were opened or reopened; the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened: Vec<Label>,
    /// Backlog entries that were closed; the first hundred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Label>,
}

impl Event for AdvisoriesUpdated {
    const NOUN: &'static str = "advisories";
    const VERB: &'static str = "updated";

    fn natural_key(&self) -> String {
        format!("{} {}", self.index, self.saved_at)
    }

    fn producer(&self) -> Option<Producer> {
        None
    }
}

impl Event for BacklogMapped {
    const NOUN: &'static str = "backlog";
    const VERB: &'static str = "mapped";

    fn natural_key(&self) -> String {
        // Of each correlation one event reaches the mapper.
        "mapped".to_owned()
    }

    fn producer(&self) -> Option<Producer> {
        None
    }
}
