//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
//!
//! Since version 2, `packages` lists every folder that npm fills; before, `dependencies` was a tree.
//! One version in several folders is one package; an edge goes where Node would find the name from
//! any of its folders. What is not there (an optional peer, say) is no fault.

mod folders;
mod integrity;
pub(super) mod manifest;
pub(super) mod members;
mod nested;
pub(super) mod packages;
mod raw;
pub(super) mod reach;

use super::borrowed::{Text, offset_of};
use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::text::Lines;
use super::{Beside, Ecosystem, Format, Note, Package, Scope, json_file, text};
use crate::both::in_order;
use crate::inventory::Source;
use folders::Folders;
use manifest::{Manifest, local};
use members::Members;
use packages::{conditions, distributions_of, one_line, package, source_of, with_groups};
use raw::{RawFolder, RawLock};

pub(super) const FORMAT: Format = Format {
    file_names: &["package-lock.json", "npm-shrinkwrap.json"],
    pattern: None,
    is_lock: true,
    companions: &[manifest::FILE_NAME],
    ecosystem: Ecosystem::Npm,
    relock: "run `npm install --package-lock-only` and commit the result",
    read,
};

/// Packages are made in pieces of so many: few enough to be gone soon, more than a thread costs.
const FOLDERS_OF_PIECE: usize = 128;

const VERSIONS: std::ops::RangeInclusive<i64> = 1..=3;

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let mut lock: RawLock<'_> = json_file::read(text)?;
    let version = lock.lockfile_version.unwrap_or(*VERSIONS.start());
    if !VERSIONS.contains(&version) {
        return Err(Problem::UnsupportedVersion { version }.anywhere());
    }
    let mut notes = Vec::new();
    let manifest = Manifest::beside(beside, "", &mut notes);
    let file = File { text, lines: Lines::of(text), manifest, notes };
    match (lock.packages.take(), &lock.dependencies) {
        (Some(packages), _) => {
            let mut packages: Vec<_> = packages.iter().collect();
            packages.sort_by(|(a, _), (b, _)| a.cmp(b));
            flat(&lock, &packages, file)
        }
        (None, Some(_)) => nested::read(&lock, file),
        // A project without dependencies has neither.
        (None, None) if lock.lockfile_version.is_some() => nested::read(&lock, file),
        (None, None) => {
            let owner = "the file".to_owned();
            Err(Problem::MissingField { owner, field: "packages" }.anywhere())
        }
    }
}

/// The file that is read, and what lies beside it.
struct File<'a> {
    text: &'a str,
    lines: Lines<'a>,
    manifest: Option<Manifest<'a>>,
    notes: Vec<Note>,
}

impl File<'_> {
    /// `problem`, found at the key of an object.
    fn at(&self, key: &str, problem: Problem) -> Fault {
        Fault { offset: offset_of(self.text, key), problem }
    }

    /// The line of a key; absent where the key was written with escapes.
    fn line(&self, key: &str) -> Option<usize> {
        offset_of(self.text, key).map(|offset| self.lines.line(offset))
    }
}

type Entry<'a> = (Text<'a>, Box<RawFolder<'a>>);

fn flat(lock: &RawLock<'_>, entries: &[&Entry<'_>], file: File<'_>) -> Result<Contents, Fault> {
    let mut catalog = Catalog::with_capacity(entries.len());
    let mut folders = Folders::new();
    let root = entries.first().filter(|(path, _)| path.is_empty()).map(|(_, root)| root);
    let workspaces = root.and_then(|root| root.workspaces.as_ref());
    let members = workspaces.map(Members::new).unwrap_or_default();
    let (links, installed): (Vec<_>, Vec<_>) =
        entries.iter().copied().partition(|(_, raw)| raw.link);
    let package_of = |(path, raw): &&Entry<'_>| {
        let package = package_of(lock, path, raw, &members, file.manifest.as_ref())?;
        Ok(Package { line: file.line(path), ..package })
    };
    let pieces: Vec<_> = installed.chunks(FOLDERS_OF_PIECE).collect();
    let make = |at: usize| pieces[at].iter().map(package_of).collect();
    let mut paths = installed.iter().map(|(path, _)| path);
    let mut filled = Vec::with_capacity(installed.len());
    in_order(pieces.len(), make, |piece: Vec<_>| {
        for (package, path) in piece.into_iter().zip(&mut paths) {
            let added = package.and_then(|it| catalog.add(it));
            let added = added.and_then(|at| Ok((folders.add(Folders::ROOT, path)?, at)));
            let (folder, at) = added.map_err(|problem| file.at(path, problem))?;
            folders.put(folder, at);
            filled.push(folder);
        }
        Ok(())
    })?;
    for (path, raw) in links {
        let put = link(&mut catalog, &mut folders, path, raw, file.line(path));
        put.map_err(|problem| file.at(path, problem))?;
    }
    let mut groups = Vec::new();
    for ((path, raw), folder) in installed.into_iter().zip(filled) {
        let joined = join(&mut catalog, &folders, folder, raw, &mut groups);
        joined.map_err(|problem| file.at(path, problem))?;
    }
    if root.is_none() {
        catalog.mark_unasked_as_direct();
    }
    Ok(Contents {
        packages: with_groups(catalog.into_packages(), &groups),
        notes: file.notes,
        edges_known: true,
        direct_known: root.is_some(),
        complete: true,
    })
}

/// Puts the package that a link leads to where the link is.
fn link<'a>(
    catalog: &mut Catalog,
    folders: &mut Folders<'a>,
    path: &'a str,
    raw: &'a RawFolder<'_>,
    line: Option<usize>,
) -> Result<(), Problem> {
    let target = raw.resolved.only().unwrap_or_default();
    let package = match folders.find(target).and_then(|folder| folders.package(folder)) {
        Some(package) => package,
        None => {
            let source = Source::Local { path: Some(target.to_owned()) };
            let linked = package(name_of(path, raw), raw.version.as_deref(), source)?;
            catalog.add(Package { line, ..linked })?
        }
    };
    let folder = folders.add(Folders::ROOT, path)?;
    folders.put(folder, package);
    Ok(())
}

fn package_of(
    lock: &RawLock<'_>,
    path: &str,
    raw: &RawFolder<'_>,
    members: &Members<'_>,
    manifest: Option<&Manifest<'_>>,
) -> Result<Package, Problem> {
    let licence = one_line(&raw.license);
    if path.is_empty() {
        let own = text::own_word;
        let name = own("name", raw.name.as_deref().or(lock.name.as_deref()));
        let name = name.or_else(|| own("name", manifest?.name.only()));
        let version = own("version", raw.version.as_deref().or(lock.version.as_deref()));
        let version = version.or_else(|| own("version", manifest?.version.only()));
        let root = package(name.unwrap_or("."), version, local(""))?;
        let root = Package { root: true, licence, ..root };
        return Ok(manifest.map(|it| it.complete(root.clone())).unwrap_or(root));
    }
    let name = name_of(path, raw);
    let (name, version, resolved) = identity(name, raw.version.as_deref(), raw.resolved.only());
    let is_installed = path.contains("node_modules/");
    let name = if is_installed { name } else { text::own_word("name", Some(name)).unwrap_or(".") };
    let source = if is_installed { source_of(name, resolved)? } else { local(path) };
    Ok(Package {
        distributions: distributions_of(&source, resolved, raw.integrity.as_deref())?,
        scope: scope_of(raw.dev, raw.optional || raw.dev_optional),
        root: !is_installed && members.contain(path),
        licence,
        conditions: conditions(&raw.os, &raw.cpu, &raw.libc)?,
        ..package(name, version, source)?
    })
}

/// The name that npm leaves out where the folder has it.
fn name_of<'a>(path: &'a str, raw: &'a RawFolder<'_>) -> &'a str {
    if let Some(name) = &raw.name {
        return name;
    }
    if let Some((_, name)) = path.rsplit_once("node_modules/") {
        return name;
    }
    let scope = path.rsplit('/').nth(1).filter(|scope| scope.starts_with('@'));
    let folder = path.rsplit('/').next().unwrap_or(path);
    match scope {
        Some(scope) => &path[path.len() - folder.len() - 1 - scope.len()..],
        None => folder,
    }
}

/// Name, version and place, where an alias or a place may stand for the version.
fn identity<'a>(
    name: &'a str,
    version: Option<&'a str>,
    resolved: Option<&'a str>,
) -> (&'a str, Option<&'a str>, Option<&'a str>) {
    let Some(written) = version else { return (name, None, resolved) };
    match written.strip_prefix("npm:") {
        Some(alias) => match alias.rsplit_once('@').filter(|(name, _)| !name.is_empty()) {
            Some((name, version)) => (name, Some(version), resolved),
            None => (alias, None, resolved),
        },
        // A URL or folder stands there instead, and nobody tells the version.
        None if written.contains([':', '/']) => (name, None, Some(written)),
        None => (name, Some(written), resolved),
    }
}

fn scope_of(dev: bool, optional: bool) -> Scope {
    match (dev, optional) {
        (true, _) => Scope::Dev,
        (false, true) => Scope::Optional,
        (false, false) => Scope::Required,
    }
}

/// Joins the package in a folder to those that Node finds by the names it asks for.
fn join(
    catalog: &mut Catalog,
    folders: &Folders<'_>,
    folder: usize,
    raw: &RawFolder<'_>,
    groups: &mut Vec<(usize, &'static str)>,
) -> Result<(), Problem> {
    let Some(from) = folders.package(folder) else { return Ok(()) };
    let asked = [
        (&raw.dependencies, None),
        (&raw.dev_dependencies, Some("dev")),
        (&raw.optional_dependencies, Some("optional")),
        (&raw.peer_dependencies, Some("peer")),
    ];
    for (names, group) in asked {
        for (name, _) in names.iter() {
            let Some(to) = folders.resolve(folder, name) else { continue };
            catalog.depend(from, to)?;
            groups.extend(group.filter(|_| catalog.is_root(from)).map(|group| (to, group)));
        }
    }
    Ok(())
}
