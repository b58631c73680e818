//! CycloneDX: the SBOM of a build, written from its lockfiles and artifacts.

mod assembly;
mod iri;
mod wire;

use events::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::inventory::{Inventory, Missing};
use assembly::Assembly;

/// Version of the specification to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecVersion {
    /// CycloneDX 1.6, ECMA-424 first edition.
    #[default]
    V1_6,
    /// CycloneDX 1.7, ECMA-424 second edition.
    V1_7,
}

/// What an SBOM is written from.
#[derive(Debug, Clone, Copy)]
pub struct SbomInput<'a> {
    /// Name of what was built.
    pub project: &'a str,
    /// Its version; otherwise the lockfile's root package tells it.
    pub version: Option<&'a str>,
    /// Identity of this SBOM: another for each content.
    pub serial: Uuid,
    /// When the SBOM is made.
    pub timestamp: Timestamp,
    /// What the build made: file name and digest.
    pub artifacts: &'a [(String, Digest)],
    /// Every lockfile the build used, and what was found in its artifacts.
    pub inventories: &'a [Inventory],
    /// What should have been among them and could not be read.
    pub missing: &'a [Missing],
    /// Version of CycloneDX to write.
    pub spec_version: SpecVersion,
    /// Version of Attestry.
    pub tool_version: &'a str,
}

/// Writes the SBOM as one line of JSON; the same input gives the same bytes.
///
/// How a lockfile is told in CycloneDX:
/// - `metadata.component` is the project. A root package that is the only one, or the only one with
///   the project's name, is not listed again: it is the project. Other roots are components that
///   the project depends on.
/// - The same package of several lockfiles is one component, with the strongest scope and the edges
///   of each. Its `bom-ref` is its purl, with `#2` and so on where different files share a purl.
/// - `scope`: what is always installed is `required`, what only an extra installs is `optional`,
///   what only development needs is `excluded` and marked `attestry:dependency:group` = `dev`.
/// - `hashes` are of one thing, so a component has them only if its lockfile admits exactly one
///   file. Files with a known place are `externalReferences` of type `distribution` with their own
///   hashes, however many there are.
/// - `compositions`: a lockfile is closed, so the edges of everything in it are `complete`, if its
///   format has them; otherwise they are `unknown`, as is what is inside the artifacts, and
///   everything where there is no lockfile.
/// - Packages that are only local carry `attestry:package:source` = `local`: their purl names no
///   package of a public registry.
pub fn write(input: &SbomInput<'_>) -> Vec<u8> {
    let assembly = Assembly::take(input);
    let mut json = serde_json::to_vec(&wire::Bom::new(input, &assembly))
        // Only maps with odd keys, or a writer that fails, could fail: here are neither.
        .unwrap_or_default();
    json.push(b'\n');
    json
}
