//! Lockfiles of every ecosystem, read into one graph of packages.

use std::collections::{BTreeSet, HashMap, HashSet};

mod beside;
mod borrowed;
mod cargo;
pub(crate) mod catalog;
mod composer;
mod deps_json;
pub(crate) mod error;
mod gemfile;
mod go_mod;
mod gradle;
mod graph;
pub(crate) mod json_file;
mod maven;
mod npm;
mod nuget;
mod pdm;
mod pep508;
mod pipenv;
mod pnpm;
mod poetry;
mod pylock;
pub(crate) mod python;
mod python_project;
mod requirements;
pub(crate) mod source;
pub(crate) mod text;
pub(crate) mod toml_file;
mod uv;
mod xml_file;
mod yaml_file;
mod yarn;

pub use beside::File;
pub use error::{LockfileError, Position, Problem};

use crate::inventory::{
    Distribution, Ecosystem, Hash, HashAlgorithm, Inventory, Note, Package, Scope, Source,
};
use beside::{Beside, Files};
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

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Every format that can be read; a new one is its file and one line here.
const FORMATS: [&Format; 17] = [
    &cargo::FORMAT,
    &uv::FORMAT,
    &poetry::FORMAT,
    &pdm::FORMAT,
    &pipenv::FORMAT,
    &pylock::FORMAT,
    &npm::FORMAT,
    &pnpm::FORMAT,
    &yarn::FORMAT,
    &go_mod::FORMAT,
    &gemfile::FORMAT,
    &composer::FORMAT,
    &nuget::FORMAT,
    &deps_json::FORMAT,
    &gradle::FORMAT,
    &maven::FORMAT,
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
    /// Names of files that say more about its packages, wherever in the project they lie.
    companions: &'static [&'static str],
    ecosystem: Ecosystem,
    /// The command that writes a sound file again.
    relock: &'static str,
    read: fn(&str, &Beside<'_>) -> Result<Contents, Fault>,
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

/// Whether the file at `path` has the very name that a tool gives its lockfile, or the usual one of a
/// list of requirements: what a search of a project's folders takes, as far as it is [`wanted`].
/// [`parse`] reads more than that: `web.package-lock.json`, and any `.txt` as requirements.
pub fn is_known(path: &str) -> bool {
    let name = file_name(path);
    let is_lock = FORMATS.into_iter().any(|format| format.is_lock && format.is_named(name));
    is_lock || requirements::is_usual_path(path)
}

/// Those of a project's files that [`parse_all`] reads or looks into, in their order:
/// - every lockfile;
/// - lists of requirements, except where a lockfile of a Python tool lies in the same folder, for it
///   says the same and more; a list in a folder `requirements` belongs to the folder above;
/// - companions of a lockfile's format, wherever they lie, if there is such a lockfile.
pub fn wanted<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    let (mut locks, mut locked) = (HashSet::new(), HashSet::new());
    for path in paths {
        let Some(format) = format_of(path) else { continue };
        locks.insert(format.file_names[0]);
        let is_lock = format.is_lock && format.is_named(file_name(path));
        if format.ecosystem == Ecosystem::PyPi && is_lock {
            locked.insert(folder(path));
        }
    }
    let is_wanted = |path: &&'a str| match format_of(path) {
        Some(format) if format.file_names == requirements::FORMAT.file_names => {
            !requirements::folders(path).any(|folder| locked.contains(folder))
        }
        Some(_) => true,
        None => {
            let name = file_name(path);
            let mut formats = FORMATS.into_iter().filter(|it| it.companions.contains(&name));
            formats.any(|format| locks.contains(format.file_names[0]))
        }
    };
    paths.iter().copied().filter(is_wanted).collect()
}

/// Files that lists of requirements among `files` include, by whatever name, and that are read as parts of
/// them: paths below the project, of files that are among `files` and of others.
pub fn included(files: &[File<'_>]) -> BTreeSet<String> {
    let by_path: HashMap<&str, &File<'_>> = files.iter().map(|file| (file.path, file)).collect();
    let is_list = |file: &&File<'_>| {
        let format = format_of(file.path);
        format.is_some_and(|it| it.file_names == requirements::FORMAT.file_names)
    };
    let mut pending: Vec<_> = files.iter().filter(is_list).collect();
    let mut included = BTreeSet::new();
    while let Some(File { path, bytes }) = pending.pop() {
        let text = text::decode(bytes).unwrap_or_default();
        for path in requirements::included(path, text) {
            if !included.contains(&path) {
                pending.extend(by_path.get(&*path));
                included.insert(path);
            }
        }
    }
    included
}

/// The usual name of every format that [`parse`] reads.
pub fn known_names() -> impl Iterator<Item = &'static str> {
    FORMATS.into_iter().map(|format| format.file_names[0])
}

/// Whether [`parse`] reads a file of this name.
pub fn is_readable(path: &str) -> bool {
    format_of(path).is_some()
}

/// Whether the file at `path` says more about the packages of some lockfile, such as `Cargo.toml`:
/// [`parse_all`] makes use of it where it lies with one.
pub fn is_companion(path: &str) -> bool {
    let name = file_name(path);
    FORMATS.into_iter().any(|format| format.companions.contains(&name))
}

/// Reads the lockfile at `path` with nothing beside it; see [`parse_all`].
///
/// # Errors
/// The first fault found, with its place and its remedy; a file is read wholly or not at all.
pub fn parse(path: &str, bytes: &[u8]) -> Result<Inventory, LockfileError> {
    match format_of(path) {
        Some(format) => parse_with(format, &File { path, bytes }, &Files::new(&[])),
        None => Err(LockfileError::new(path, None, Problem::UnknownFormat, "")),
    }
}

/// Reads the lockfile at `path`, one of `files`, with what the others say about it. Returns also what
/// it includes and cannot be read with it.
///
/// # Errors
/// As [`parse`].
pub fn parse_one(
    path: &str,
    files: &[File<'_>],
) -> Result<(Inventory, Vec<LockfileError>), LockfileError> {
    match (format_of(path), files.iter().find(|file| file.path == path)) {
        (Some(format), Some(file)) => {
            let at_hand = Files::new(files);
            let inventory = parse_with(format, file, &at_hand)?;
            Ok((inventory, lacking(&at_hand)))
        }
        _ => Err(LockfileError::new(path, None, Problem::UnknownFormat, "")),
    }
}

/// Reads every lockfile of `files`, whose last segment of the path decides the format; the file
/// system is not touched.
///
/// The name may be the tool's own, or end with it after a dot (`hotpass.uv.lock`); any `.txt` is
/// read as requirements. Files that are no lockfiles are looked into where a format knows them as
/// its companions, and otherwise passed over, as is what is not [`wanted`], and a list of requirements
/// that another one includes. One that cannot be read does not keep others from it.
///
/// Returns what could be read, in the order of `files`; and for every other lockfile its first fault
/// with its place and remedy, and so for what a list includes and cannot be read with it.
pub fn parse_all(files: &[File<'_>]) -> (Vec<Inventory>, Vec<LockfileError>) {
    let at_hand = Files::new(files);
    let paths: Vec<_> = files.iter().map(|file| file.path).collect();
    let wanted: HashSet<_> = wanted(&paths).into_iter().collect();
    let (mut read, mut failed) = (Vec::new(), Vec::new());
    for file in files.iter().filter(|file| wanted.contains(file.path)) {
        if at_hand.is_taken(file.path) {
            continue;
        }
        match format_of(file.path).map(|format| parse_with(format, file, &at_hand)) {
            Some(Ok(inventory)) => read.push(inventory),
            Some(Err(error)) => failed.push(error),
            None => {}
        }
        failed.extend(lacking(&at_hand));
    }
    // What was read before another file took it in.
    read.retain(|inventory| !at_hand.is_taken(&inventory.path));
    failed.retain(|error| !at_hand.is_taken(&error.path));
    (read, failed)
}

fn lacking(files: &Files<'_>) -> Vec<LockfileError> {
    let lacking = files.take_lacking().into_iter();
    lacking.map(|(path, at, problem)| LockfileError::new(&path, Some(at), problem, "")).collect()
}

fn parse_with(
    format: &Format,
    file: &File<'_>,
    files: &Files<'_>,
) -> Result<Inventory, LockfileError> {
    // Some editors of Windows begin a file with it.
    let skipped = if file.bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let bytes = &file.bytes[skipped..];
    let fail = |fault: Fault| {
        let position = fault.offset.map(|offset| Position::of(bytes, offset));
        LockfileError::new(file.path, position, fault.problem, format.relock)
    };
    let text = text::decode(bytes).map_err(fail)?;
    let contents = (format.read)(text, &Beside::new(files, file.path)).map_err(fail)?;
    Ok(Inventory {
        path: file.path.to_owned(),
        format: format.file_names[0].into(),
        artifact: None,
        ecosystem: format.ecosystem,
        packages: contents.packages,
        notes: contents.notes,
        edges_known: contents.edges_known,
        direct_known: contents.direct_known,
        complete: contents.complete,
    })
}

fn format_of(path: &str) -> Option<&'static Format> {
    let name = file_name(path);
    let named = FORMATS.into_iter().find(|format| format.is_named(name) && format.is_lock);
    let named = named.or_else(|| FORMATS.into_iter().find(|format| format.is_end_of(name)));
    named.or_else(|| FORMATS.into_iter().find(|format| format.is_named(name)))
}

fn folder(path: &str) -> &str {
    path.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder)
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
