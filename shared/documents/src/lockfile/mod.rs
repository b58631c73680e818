//! Lockfiles of every ecosystem, read into one graph of packages.

mod cargo;
mod error;
mod graph;
mod source;
mod text;
mod toml_file;
mod uv;

pub use error::{LockfileError, Position, Problem};
pub use source::Source;

use error::Fault;
use graph::Graph;

/// Largest lockfile that is read, in bytes: a hundred times the largest we have seen.
pub const MAX_LOCKFILE_BYTES: usize = 64 * 1024 * 1024;
/// Most packages one lockfile may hold.
pub const MAX_PACKAGES: usize = 200_000;
/// Longest name or version in a lockfile, in bytes: CycloneDX admits no longer version.
pub const MAX_WORD_BYTES: usize = 1024;
/// Longest URL or path in a lockfile, in bytes.
pub const MAX_LOCATION_BYTES: usize = 16 * 1024;

/// Every format that can be read; a new one is its file and one line here.
const FORMATS: [&Format; 2] = [&cargo::FORMAT, &uv::FORMAT];

/// How one kind of lockfile is recognised, read and mended.
struct Format {
    file_name: &'static str,
    ecosystem: Ecosystem,
    /// The command that writes a sound file again.
    relock: &'static str,
    read: fn(&str) -> Result<Graph, Fault>,
}

/// Whether the file name in `path` is one that [`parse`] can read.
pub fn is_known(path: &str) -> bool {
    format_of(path).is_some()
}

/// Reads the lockfile at `path`, whose last segment decides the format; the file system is not touched.
///
/// # Errors
/// The first fault found, with its place and its remedy; a file is read wholly or not at all.
pub fn parse(path: &str, bytes: &[u8]) -> Result<Lockfile, LockfileError> {
    let Some(format) = format_of(path) else {
        return Err(LockfileError::new(path, None, Problem::UnknownFormat, ""));
    };
    let fail = |fault: Fault| {
        let position = fault.offset.map(|offset| Position::of(bytes, offset));
        LockfileError::new(path, position, fault.problem, format.relock)
    };
    let text = text::decode(bytes).map_err(fail)?;
    let graph = (format.read)(text).map_err(fail)?;
    Ok(Lockfile {
        path: path.to_owned(),
        format: format.file_name,
        ecosystem: format.ecosystem,
        packages: graph.into_packages(),
    })
}

fn format_of(path: &str) -> Option<&'static Format> {
    let file_name = path.rsplit(['/', '\\']).next()?;
    FORMATS.into_iter().find(|format| format.file_name == file_name)
}

/// What a lockfile says a project is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockfile {
    /// Where the file lies, as it was given to [`parse`].
    pub path: String,
    /// Name of the format: the file name it goes by, such as `uv.lock`.
    pub format: &'static str,
    /// The registry and version rules its packages follow.
    pub ecosystem: Ecosystem,
    /// Every package, in the order of the file.
    pub packages: Vec<Package>,
}

/// A family of packages with one registry and one version order, named as in OSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ecosystem {
    /// Rust crates.
    CratesIo,
    /// Python distributions.
    PyPi,
}

impl Ecosystem {
    /// The name that OSV records use, such as `crates.io` (OSV schema, `affected[].package.ecosystem`).
    pub fn osv_name(self) -> &'static str {
        match self {
            Self::CratesIo => "crates.io",
            Self::PyPi => "PyPI",
        }
    }
}

/// One locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Name, normalised as its ecosystem asks (PEP 503 for PyPI).
    pub name: String,
    /// Locked version; absent where it is computed when the package is built.
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
    /// Indexes into [`Lockfile::packages`] of what it may need, all extras and groups included;
    /// ascending, each once.
    pub dependencies: Vec<usize>,
}

/// Why a project has a package: the strongest of the reasons found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Installed always. Also given where the lockfile does not say (`Cargo.lock` never does) and
    /// to packages that no root reaches: to leave one out is the unsafe guess.
    Required,
    /// Installed only with an extra of the project.
    Optional,
    /// Installed only to work on the project.
    Dev,
}

/// One file that may be installed for a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Distribution {
    /// URL or relative path, without credentials; absent where the lockfile leaves it to the registry.
    pub location: Option<String>,
    /// Digest of the file; absent where the registry gave none.
    pub hash: Option<Hash>,
}

/// A digest as the lockfile gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash {
    /// The function used.
    pub algorithm: HashAlgorithm,
    /// Lower-case hex digits, as many as the function yields.
    pub hex: String,
}

/// Hash functions that lockfiles use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
