//! CycloneDX: the SBOM of a build, written from its lockfiles and artifacts.

mod assembly;
mod bsi;
mod completeness;
mod component;
mod edges;
mod iri;
mod json;
mod licence;
mod merge;
mod metadata;
mod party;
mod text;
mod wire;

use std::io;

use events::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::inventory::{Inventory, Missing};
use assembly::Assembly;
pub use party::Party;

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
#[derive(Debug, Clone, Copy, Default)]
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
    /// Who answers for this SBOM; absent, it says that the tool is its only author.
    pub author: Option<Party<'a>>,
    /// Who supplies the project, and with it its first-party packages.
    pub supplier: Option<Party<'a>>,
    /// Version of CycloneDX to write.
    pub spec_version: SpecVersion,
    /// Version of Attestry.
    pub tool_version: &'a str,
}

/// Writes the SBOM as one line of JSON; the same input gives the same bytes, in whatever order the
/// inventories come.
///
/// How inventories are told in CycloneDX (`docs/sbom.md` says it at length):
/// - `metadata.component` is the project, its parts are the artifacts. A root package that is the
///   only one, or the only one with the project's name, is not listed again: it is the project. The
///   only root package found in an artifact is that artifact. Other roots are components.
/// - What was found in an artifact is what the artifact depends on, not the project.
/// - The same package of several inventories is one component, with the strongest scope, and the
///   files, places and edges of each. Its `bom-ref` is its purl, readably. Packages that share a purl and
///   cannot be the same, for their digests contradict or they are local to other folders, stay
///   apart as `#2` and so on.
/// - `scope`: what is always installed is `required`, what only an extra installs is `optional`,
///   what only development needs is `excluded`.
/// - `hashes` are of one thing, so a component has them only if there is exactly one file. Files
///   with a known place are `externalReferences` of type `distribution` with their own hashes.
/// - `compositions` say of each edge and part list whether it is whole; nothing is guessed.
/// - Packages that are only local carry `attestry:package:source` = `local`: their purl names no
///   package of a public registry.
pub fn write(input: &SbomInput<'_>) -> Vec<u8> {
    let packages: usize = input.inventories.iter().map(|it| it.packages.len()).sum();
    // Growing would copy what is there; memory that is never written to costs nothing.
    let mut json = Vec::with_capacity(text::BYTES_OF_COMPONENT * (1 + packages));
    // Memory takes whatever is written.
    drop(write_to(input, &mut json));
    json
}

/// As [`write()`], piece by piece, so that the whole is never in memory.
///
/// # Errors
/// What `out` fails with.
pub fn write_to(input: &SbomInput<'_>, out: &mut impl io::Write) -> io::Result<()> {
    text::write(input, &Assembly::take(input), out)
}
