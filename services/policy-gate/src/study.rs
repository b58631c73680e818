//! What is found out about an SBOM once, so that rules need not.

use std::collections::BTreeMap;

use advisories::Index as Advisories;
use events::Digest;
use jiff::Timestamp;
use serde_json::value::RawValue;

use crate::{
    difference::{Difference, Packages},
    index::Index,
    known::Known,
    quality::{self, Quality},
    vulnerabilities::{Light, Vulnerabilities},
};

/// An SBOM, looked through.
pub(crate) struct Study {
    pub(crate) sbom: Box<RawValue>,
    pub(crate) digest: Digest,
    pub(crate) index: Index,
    pub(crate) quality: Option<BTreeMap<&'static str, Quality>>,
    pub(crate) difference: Option<Difference>,
    pub(crate) vulnerabilities: Vulnerabilities,
}

/// What an SBOM is studied with.
pub(crate) struct With<'a> {
    pub(crate) known: &'a Known,
    pub(crate) advisories: Option<&'a Advisories>,
    /// What the build made.
    pub(crate) artifacts: &'a [Digest],
    /// Whether somebody wants to know how good it is.
    pub(crate) quality: bool,
    /// As of when.
    pub(crate) now: Timestamp,
}

impl Study {
    /// # Errors
    /// Why the document cannot be judged.
    pub(crate) fn of(sbom: &[u8], with: &With<'_>) -> Result<Self, String> {
        let raw = json("SBOM", sbom)?;
        let strange = |error: serde_json::Error| format!("the SBOM is no CycloneDX: {error}");
        let index = Index::of(sbom).map_err(strange)?;
        let digest = Digest::of(sbom);
        let before = with.known.previous.as_ref().map(|(_, before)| Packages::of(before));
        let before = before
            .transpose()
            .map_err(|error| format!("the SBOM of the build before is no CycloneDX: {error}"))?;
        let difference = match &before {
            Some(before) => Some(Packages::of(sbom).map_err(strange)?.since(before)),
            None => None,
        };
        let digests: Vec<Digest> = with.artifacts.iter().copied().chain([digest]).collect();
        let court = &with.known.court;
        let light = Light { court, before: before.as_ref(), digests: &digests, now: with.now };
        let vulnerabilities = match with.advisories {
            Some(index) => Vulnerabilities::find(index, sbom, &light)
                .map_err(|error| format!("the SBOM cannot be matched with advisories: {error}"))?,
            None => Vulnerabilities::default(),
        };
        let quality = with.quality.then(|| quality::of(sbom)).transpose();
        let quality = quality.map_err(|error| format!("the SBOM cannot be scored: {error}"))?;
        Ok(Self { sbom: raw, digest, index, quality, difference, vulnerabilities })
    }
}

/// The document as it is, if it is JSON at all.
///
/// # Errors
/// What it is instead.
pub(crate) fn json(what: &str, bytes: &[u8]) -> Result<Box<RawValue>, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("the {what} is not JSON: {error}"))
}
