//! Lockfiles of every ecosystem, read into one graph of packages.

mod cargo;
mod catalog;
mod error;
mod go_mod;
mod graph;
mod json_file;
mod npm;
mod pdm;
mod pep508;
mod pipenv;
mod poetry;
mod pylock;
mod python;
mod requirements;
mod source;
mod text;
mod toml_file;
mod uv;

pub use error::{LockfileError, Position, Problem};
pub use source::Source;

use catalog::Contents;
use error::Fault;

/// Largest lockfile that is read, in bytes: a hundred times the largest we have seen.
pub const MAX_LOCKFILE_BYTES: usize = 64 * 1024 * 1024;
/// Most packages one lockfile may hold.
pub const MAX_PACKAGES: usize = 200_000;
/// Longest name or version in a lockfile, in bytes: CycloneDX admits no longer version.
pub const MAX_WORD_BYTES: usize = 1024;
/// Longest URL or path in a lockfile, in bytes.
pub const MAX_LOCATION_BYTES: usize = 16 * 1024;

/// Every format that can be read; a new one is its file and one line here.
const FORMATS: [&Format; 9] = [
    &cargo::FORMAT,
    &uv::FORMAT,
    &poetry::FORMAT,
    &pdm::FORMAT,
    &pipenv::FORMAT,
    &pylock::FORMAT,
    &npm::FORMAT,
    &go_mod::FORMAT,
    // The last, for it takes any `.txt`.
    &requirements::FORMAT,
];

/// How one kind of lockfile is recognised, read and mended.
struct Format {
    /// The names that tools give it, the usual one first.
    file_names: &'static [&'static str],
    /// Beginning and end of other names that it may have.
    pattern: Option<(&'static str, &'static str)>,
    /// Whether the name promises exact versions of everything, so that a search may take the file.
    is_lock: bool,
    ecosystem: Ecosystem,
    /// The command that writes a sound file again.
    relock: &'static str,
    read: fn(&str) -> Result<Contents, Fault>,
}

impl Format {
    fn is_named(&self, file_name: &str) -> bool {
        let fits = |(start, end): (&str, &str)| {
            file_name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end))
        };
        self.file_names.contains(&file_name) || self.pattern.is_some_and(fits)
    }

    /// Whether the name is one of this format's with something before it: `web.package-lock.json`.
    fn is_end_of(&self, file_name: &str) -> bool {
        let mut before = self.file_names.iter().filter_map(|name| file_name.strip_suffix(name));
        before.any(|before| before.ends_with('.'))
    }
}

/// Whether the file at `path` has the very name that a tool gives its lockfile: what a search of a
/// project's folders takes. [`parse`] reads more than that: `web.package-lock.json`, and lists of
/// requirements, which need not lock anything.
pub fn is_known(path: &str) -> bool {
    let name = file_name(path);
    FORMATS.into_iter().any(|format| format.is_lock && format.is_named(name))
}

/// The usual name of every format that [`parse`] reads.
pub fn known_names() -> impl Iterator<Item = &'static str> {
    FORMATS.into_iter().map(|format| format.file_names[0])
}

/// Reads the lockfile at `path`, whose last segment decides the format; the file system is not touched.
///
/// The name may be the tool's own, or end with it after a dot (`hotpass.uv.lock`); any `.txt` is
/// read as requirements.
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
    let contents = (format.read)(text).map_err(fail)?;
    Ok(Lockfile {
        path: path.to_owned(),
        format: format.file_names[0],
        ecosystem: format.ecosystem,
        packages: contents.packages,
        notes: contents.notes,
        edges_known: contents.edges_known,
        direct_known: contents.direct_known,
    })
}

fn format_of(path: &str) -> Option<&'static Format> {
    let name = file_name(path);
    let named = FORMATS.into_iter().find(|format| format.is_named(name) && format.is_lock);
    let named = named.or_else(|| FORMATS.into_iter().find(|format| format.is_end_of(name)));
    named.or_else(|| FORMATS.into_iter().find(|format| format.is_named(name)))
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
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
    /// Every package, in the order of the file; what is in JSON objects, by key.
    pub packages: Vec<Package>,
    /// What the file says that no package can tell, such as another file that it includes.
    pub notes: Vec<Note>,
    /// Whether the format says which package needs which; otherwise edges are missing.
    pub edges_known: bool,
    /// Whether the format says what the project itself asks for; otherwise [`Package::direct`] is
    /// set only where nothing else asks for a package.
    pub direct_known: bool,
}

/// A remark on one line of a lockfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Line, from 1.
    pub line: usize,
    /// What stands there, and what to do about it; one line of text.
    pub message: String,
}

/// A family of packages with one registry and one version order, named as in OSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ecosystem {
    /// Rust crates.
    CratesIo,
    /// Go modules.
    Go,
    /// JavaScript packages.
    Npm,
    /// Python distributions.
    PyPi,
}

impl Ecosystem {
    /// The name that OSV records use, such as `crates.io` (OSV schema, `affected[].package.ecosystem`).
    pub fn osv_name(self) -> &'static str {
        match self {
            Self::CratesIo => "crates.io",
            Self::Go => "Go",
            Self::Npm => "npm",
            Self::PyPi => "PyPI",
        }
    }
}

/// One locked package.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    /// Installed only with an extra of the project, or only where it can be (npm).
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
