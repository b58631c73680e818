//! What one file says a project is made of: packages, where they come from, and what needs what.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

mod contents;

pub use contents::{ArtifactContents, ContentsError};

/// What one file says a project, or an artifact, is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Where the file lies: below the project, or in an artifact as `app.whl!/METADATA`.
    pub path: String,
    /// Name of the format: the file name it goes by, such as `uv.lock`.
    pub format: Cow<'static, str>,
    /// Name of the artifact that the file was found in; otherwise it belongs to the project itself.
    pub artifact: Option<String>,
    /// The registry and version rules its packages follow.
    pub ecosystem: Ecosystem,
    /// Every package, in the order of the file; what is in JSON objects, by key.
    pub packages: Vec<Package>,
    /// What the file says that no package can tell, such as another file that it includes.
    pub notes: Vec<Note>,
    /// Whether the format says which package needs which; otherwise edges are missing.
    pub edges_known: bool,
    /// Whether the format says what the project itself asks for; otherwise [`Package::direct`] is
    /// set only where nothing else asks for a package.
    pub direct_known: bool,
    /// Whether the file names everything there is; a list of requirements or a `pom.xml` does not.
    pub complete: bool,
}

/// Something that an SBOM should have told and cannot: a file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// The file, as [`Inventory::path`].
    pub path: String,
    /// Line from 1, where known.
    pub line: Option<usize>,
    /// Why, and what to do about it; one line of text.
    pub reason: String,
}

/// A remark on one line of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// Line, from 1.
    pub line: usize,
    /// What stands there, and what to do about it; one line of text.
    pub message: String,
}

/// A family of packages with one registry and one version order, named as in OSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ecosystem {
    /// Packages of Alpine Linux.
    Alpine,
    /// Rust crates.
    CratesIo,
    /// Packages of Debian and what descends from it.
    Debian,
    /// Go modules.
    Go,
    /// Java archives.
    Maven,
    /// JavaScript packages.
    Npm,
    /// .NET packages.
    NuGet,
    /// PHP packages.
    Packagist,
    /// Python distributions.
    PyPi,
    /// Packages of Red Hat and other users of rpm.
    Rpm,
    /// Ruby gems.
    RubyGems,
}

impl Ecosystem {
    /// The name that OSV records use, such as `crates.io` (OSV schema, `affected[].package.ecosystem`).
    pub fn osv_name(self) -> &'static str {
        match self {
            Self::Alpine => "Alpine",
            Self::CratesIo => "crates.io",
            Self::Debian => "Debian",
            Self::Go => "Go",
            Self::Maven => "Maven",
            Self::Npm => "npm",
            Self::NuGet => "NuGet",
            Self::Packagist => "Packagist",
            Self::PyPi => "PyPI",
            Self::Rpm => "Red Hat",
            Self::RubyGems => "RubyGems",
        }
    }
}

/// One locked package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Name, normalised as its ecosystem asks (PEP 503 for PyPI); with its scope for npm, the module
    /// path for Go.
    pub name: String,
    /// Locked version as the file writes it (`v1.2.3` for Go); absent where it is computed when the
    /// package is built, and where the file leaves it open.
    pub version: Option<String>,
    /// Canonical package URL.
    pub purl: String,
    /// Where the package comes from.
    pub source: Source,
    /// The files the lockfile admits for this package (an sdist, wheels, a crate archive), sorted.
    pub distributions: Vec<Distribution>,
    /// Why the project has it.
    pub scope: Scope,
    /// Whether this is the project itself, or a member of its workspace.
    pub root: bool,
    /// Whether a root, or the workspace itself, asks for it by name.
    pub direct: bool,
    /// Indexes into [`Inventory::packages`] of what it may need, all extras and groups included;
    /// ascending, each once.
    pub dependencies: Vec<usize>,
    /// Line of [`Inventory::path`] it stands on, from 1; absent in files without lines.
    pub line: Option<usize>,
    /// Licence as the file writes it, an SPDX expression or any text; absent where it says nothing.
    pub licence: Option<String>,
    /// Who made it, as the file writes it: an author or vendor.
    pub supplier: Option<String>,
    /// The project's dependency groups and extras that ask for it by name, such as `dev`; sorted.
    pub groups: Vec<String>,
    /// When it is installed, in the words of its ecosystem, such as `sys_platform == 'win32'` or
    /// `os: darwin`: any one of these suffices, and none means always. Sorted.
    pub conditions: Vec<String>,
}

/// Where a package comes from; URLs are without credentials.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// A package registry.
    Registry {
        /// Its index.
        url: String,
    },
    /// A commit of a Git repository.
    Git {
        /// The repository.
        url: String,
        /// The commit, where the lockfile pins one.
        commit: Option<String>,
    },
    /// A single archive.
    Archive {
        /// The archive's URL.
        url: String,
    },
    /// A folder or file beside the lockfile; the package need not exist anywhere else.
    Local {
        /// Path relative to the lockfile, where it says.
        path: Option<String>,
    },
}

/// Why a project has a package: the strongest of the reasons found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Installed always. Also given where the lockfile does not say (`Cargo.lock` never does) and
    /// to packages that no root reaches: to leave one out is the unsafe guess.
    Required,
    /// Installed only with an extra of the project, or only where it can be (npm).
    Optional,
    /// Installed only to work on the project.
    Dev,
}

/// One file that may be installed for a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// URL or relative path, without credentials; absent where the lockfile leaves it to the registry.
    pub location: Option<String>,
    /// Digest of the file; absent where the registry gave none.
    pub hash: Option<Hash>,
}

/// A digest as the lockfile gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hash {
    /// The function used.
    pub algorithm: HashAlgorithm,
    /// Lower-case hex digits, as many as the function yields.
    pub hex: String,
}

/// Hash functions that lockfiles use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say all there is to say")]
pub enum HashAlgorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
    Blake2b512,
}
