//! One step of a supply chain, as somebody carried it out: in-toto link v0.3.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Predicate;
use crate::resource::{ResourceDescriptor, list_or_null};

/// The claim that the step made the subjects of the materials
/// (`https://in-toto.io/attestation/link/v0.3`). The subjects are what older links call products.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Name of the step.
    pub name: String,
    /// The command that ran, word by word; empty if none is told.
    #[serde(default, deserialize_with = "list_or_null")]
    pub command: Vec<String>,
    /// What went in.
    #[serde(default, deserialize_with = "list_or_null")]
    pub materials: Vec<ResourceDescriptor>,
    /// What else came out, such as the exit code.
    #[serde(default)]
    pub byproducts: BTreeMap<String, Value>,
    /// What it ran in.
    #[serde(default)]
    pub environment: BTreeMap<String, Value>,
}

impl Predicate for Link {
    const TYPE: &'static str = "https://in-toto.io/attestation/link/v0.3";
}
