//! `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
//!
//! Since version 2, `packages` lists every folder that npm fills; before, `dependencies` was a tree.
//! One version in several folders is one package; an edge goes where Node would find the name from
//! any of its folders. What is not there (an optional peer, say) is no fault.

mod folders;
mod integrity;
mod nested;
mod raw;

use std::collections::BTreeMap;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::source::without_credentials;
use super::{Beside, Distribution, Ecosystem, Format, Package, Scope, json_file, text};
use crate::inventory::Source;
use folders::Folders;
use raw::{Names, RawFolder, RawLock};

pub(super) const FORMAT: Format = Format {
    file_names: &["package-lock.json", "npm-shrinkwrap.json"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::Npm,
    relock: "run `npm install --package-lock-only` and commit the result",
    read,
};

const VERSIONS: std::ops::RangeInclusive<i64> = 1..=3;
const REGISTRY: &str = "https://registry.npmjs.org";

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let lock: RawLock = json_file::read(text)?;
    let version = lock.lockfile_version.unwrap_or(*VERSIONS.start());
    if !VERSIONS.contains(&version) {
        return Err(Problem::UnsupportedVersion { version }.anywhere());
    }
    let contents = match (&lock.packages, &lock.dependencies) {
        (Some(packages), _) => flat(&lock, packages),
        (None, Some(_)) => nested::read(&lock),
        // A project without dependencies has neither.
        (None, None) if lock.lockfile_version.is_some() => nested::read(&lock),
        (None, None) => {
            let owner = "the file".to_owned();
            Err(Problem::MissingField { owner, field: "packages" })
        }
    };
    contents.map_err(Problem::anywhere)
}

fn flat(lock: &RawLock, packages: &BTreeMap<String, RawFolder>) -> Result<Contents, Problem> {
    let mut catalog = Catalog::default();
    let mut folders = Folders::new();
    let workspace = packages.get("").is_some_and(|root| root.workspaces.is_some());
    for (path, raw) in packages.iter().filter(|(_, raw)| !raw.link) {
        let package = package_of(lock, path, raw, workspace)?;
        let folder = folders.add(Folders::ROOT, path)?;
        folders.put(folder, catalog.add(package)?);
    }
    for (path, raw) in packages.iter().filter(|(_, raw)| raw.link) {
        let target = raw.resolved().unwrap_or_default();
        let package = match folders.find(target).and_then(|folder| folders.package(folder)) {
            Some(package) => package,
            None => {
                let source = Source::Local { path: Some(target.to_owned()) };
                catalog.add(package(name_of(path, raw), raw.version.as_deref(), source)?)?
            }
        };
        let folder = folders.add(Folders::ROOT, path)?;
        folders.put(folder, package);
    }
    for (path, raw) in packages.iter().filter(|(_, raw)| !raw.link) {
        let Some(folder) = folders.find(path) else { continue };
        for names in raw.asked() {
            depend(&mut catalog, &folders, folder, names)?;
        }
    }
    Ok(Contents {
        packages: catalog.into_packages(),
        notes: Vec::new(),
        edges_known: true,
        direct_known: true,
        complete: true,
    })
}

fn package_of(
    lock: &RawLock,
    path: &str,
    raw: &RawFolder,
    workspace: bool,
) -> Result<Package, Problem> {
    let is_installed = path.contains("node_modules/");
    if path.is_empty() {
        let name = raw.name.as_deref().or(lock.name.as_deref()).unwrap_or(".");
        let version = raw.version.as_deref().or(lock.version.as_deref());
        let root = package(name, version, Source::Local { path: None })?;
        return Ok(Package { root: true, ..root });
    }
    let name = name_of(path, raw);
    let source = match raw.resolved() {
        _ if !is_installed => Source::Local { path: Some(path.to_owned()) },
        resolved => source_of(name, resolved)?,
    };
    Ok(Package {
        distributions: distributions_of(&source, raw.resolved(), raw.integrity.as_deref())?,
        scope: scope_of(raw.dev, raw.optional || raw.dev_optional),
        root: workspace && !is_installed && !path.starts_with("../"),
        ..package(name, raw.version.as_deref(), source)?
    })
}

/// The name that npm leaves out where the folder has it.
fn name_of<'a>(path: &'a str, raw: &'a RawFolder) -> &'a str {
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

fn package(name: &str, version: Option<&str>, source: Source) -> Result<Package, Problem> {
    text::word("name", name)?;
    let purl = source.purl("npm", name, version, is_npm)?;
    Package::new(name.to_owned(), version, purl, source)
}

/// Yarn's address is the same registry.
fn is_npm(registry: &str) -> bool {
    matches!(registry.trim_end_matches('/'), REGISTRY | "https://registry.yarnpkg.com")
}

fn source_of(name: &str, resolved: Option<&str>) -> Result<Source, Problem> {
    let Some(resolved) = resolved else {
        return Ok(Source::Registry { url: REGISTRY.to_owned() });
    };
    text::location("resolved", resolved)?;
    if let Some(path) = resolved.strip_prefix("file:") {
        return Ok(Source::Local { path: Some(path.to_owned()) });
    }
    if let Some(reference) = resolved.strip_prefix("git+") {
        return Ok(Source::git(reference));
    }
    if resolved.starts_with("git:") || resolved.starts_with("github:") {
        return Ok(Source::git(resolved));
    }
    // Registries keep archives at `NAME/-/FILE`.
    let url = without_credentials(resolved);
    let registry = url.split_once(&format!("/{name}/-/")).map(|(registry, _)| registry.to_owned());
    let escaped = || url.split_once("/-/").filter(|(before, _)| before.contains("%2"));
    Ok(match registry {
        Some(url) => Source::Registry { url },
        None => match escaped().and_then(|(before, _)| before.rsplit_once('/')) {
            Some((registry, _)) => Source::Registry { url: registry.to_owned() },
            None => Source::Archive { url },
        },
    })
}

fn distributions_of(
    source: &Source,
    resolved: Option<&str>,
    integrity: Option<&str>,
) -> Result<Vec<Distribution>, Problem> {
    let is_file = !matches!(source, Source::Git { .. });
    let location = resolved.filter(|_| is_file).map(without_credentials);
    let hash = integrity.map(integrity::strongest).transpose()?.flatten();
    let known = location.is_some() || hash.is_some();
    Ok(known.then_some(Distribution { location, hash }).into_iter().collect())
}

fn scope_of(dev: bool, optional: bool) -> Scope {
    match (dev, optional) {
        (true, _) => Scope::Dev,
        (false, true) => Scope::Optional,
        (false, false) => Scope::Required,
    }
}

/// Joins the package in `folder` to those that Node finds by these names from there.
fn depend(
    catalog: &mut Catalog,
    folders: &Folders<'_>,
    folder: usize,
    names: &Names,
) -> Result<(), Problem> {
    let Some(from) = folders.package(folder) else { return Ok(()) };
    for to in names.keys().filter_map(|name| folders.resolve(folder, name)) {
        catalog.depend(from, to)?;
    }
    Ok(())
}
