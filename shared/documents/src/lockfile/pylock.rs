//! `pylock.toml`, version 1 (PEP 751).
//!
//! `packages.dependencies` is optional, so edges are known only of a file that has some.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::python::{self, PYPI, normalized};
use super::python_project::Project;
use super::source::without_credentials;
use super::text::Lines;
use super::toml_file::{self, Table, Tables};
use super::{Beside, Distribution, Ecosystem, Format, Package, Scope, text};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["pylock.toml"],
    pattern: Some(("pylock.", ".toml")),
    is_lock: true,
    companions: &["pyproject.toml"],
    ecosystem: Ecosystem::PyPi,
    relock: "write it again with the tool that `created-by` names, and commit the result",
    read,
};

const VERSIONS: std::ops::RangeInclusive<i64> = 1..=1;

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawLock {
    lock_version: Option<Spanned<String>>,
    /// Groups that are installed unless told otherwise.
    #[serde(default)]
    default_groups: Vec<String>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: Option<String>,
    version: Option<String>,
    marker: Option<String>,
    dependencies: Option<Vec<Spanned<RawDependency>>>,
    index: Option<String>,
    vcs: Option<RawVcs>,
    directory: Option<RawFile>,
    archive: Option<RawFile>,
    sdist: Option<RawFile>,
    #[serde(default)]
    wheels: Vec<RawFile>,
}

#[derive(Deserialize)]
struct RawDependency {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct RawVcs {
    r#type: Option<String>,
    url: Option<String>,
    path: Option<String>,
    commit_id: Option<String>,
}

#[derive(Deserialize)]
struct RawFile {
    name: Option<String>,
    url: Option<String>,
    path: Option<String>,
    /// Digests by name of the hash function.
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let (lock, tables) = Tables::read::<RawLock>(text, "packages")?;
    if lock.lock_version.is_none() {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "lock-version" };
        return Err(problem.anywhere());
    }
    toml_file::check_major(lock.lock_version.as_ref(), &tables, VERSIONS)?;
    let lines = Lines::of(text);
    let mut catalog = Catalog::default();
    let mut asked = Vec::new();
    let take = |table: Table<RawPackage>| {
        let fault = |problem: Problem| problem.at(table.offset);
        let package = package_of(&table.value, &lock.default_groups).map_err(fault)?;
        let line = Some(lines.line(table.offset));
        let place = catalog.add(Package { line, ..package }).map_err(fault)?;
        let name = table.value.name.unwrap_or_default();
        asked.extend(table.value.dependencies.map(|it| (table.base, place, name, it)));
        Ok(())
    };
    tables.each(Ok, take)?;
    for (base, from, asking, dependencies) in &asked {
        for dependency in dependencies {
            depend(&mut catalog, *from, dependency.get_ref(), asking)
                .map_err(|problem| problem.at(base + dependency.span().start))?;
        }
    }
    let mut notes = Vec::new();
    let project = Project::beside(beside, "", &mut notes);
    if let Some(project) = &project {
        project.join(&mut catalog, &mut notes);
    }
    Ok(Contents {
        packages: catalog.into_packages(),
        notes,
        edges_known: !asked.is_empty(),
        direct_known: project.is_some(),
        complete: true,
    })
}

fn package_of(raw: &RawPackage, default_groups: &[String]) -> Result<Package, Problem> {
    let Some(name) = raw.name.as_deref() else {
        return Err(Problem::MissingField { owner: "a package".to_owned(), field: "name" });
    };
    let files = raw.archive.iter().chain(&raw.sdist).chain(&raw.wheels);
    let directory = raw.directory.as_ref().and_then(|it| it.path.as_deref());
    Ok(Package {
        distributions: files.map(distribution_of).collect::<Result<_, _>>()?,
        scope: raw.marker.as_deref().map_or(Scope::Required, |it| scope_of(it, default_groups)),
        root: directory.is_some_and(python::is_project_folder),
        conditions: raw.marker.as_deref().and_then(text::said).into_iter().collect(),
        ..python::package(name, raw.version.as_deref(), source_of(raw)?)?
    })
}

fn source_of(raw: &RawPackage) -> Result<Source, Problem> {
    let place = |url: &Option<String>, path: &Option<String>| -> Result<_, Problem> {
        let place = url.as_deref().or(path.as_deref()).unwrap_or_default();
        text::location("source", place)?;
        Ok(without_credentials(place))
    };
    if let Some(RawVcs { r#type, url, path, commit_id }) = &raw.vcs {
        let url = place(url, path)?;
        commit_id.iter().try_for_each(|it| text::word("commit-id", it))?;
        return Ok(match r#type.as_deref() {
            Some("git") => Source::Git { url, commit: commit_id.clone() },
            _ => Source::Archive { url },
        });
    }
    if let Some(directory) = &raw.directory {
        return Ok(Source::Local { path: directory.path.clone() });
    }
    if let Some(RawFile { url, path, .. }) = &raw.archive {
        let place = place(url, path)?;
        return Ok(match url {
            Some(_) => Source::Archive { url: place },
            None => Source::Local { path: Some(place) },
        });
    }
    let index = raw.index.as_deref().unwrap_or(PYPI);
    text::location("index", index)?;
    Ok(Source::Registry { url: without_credentials(index) })
}

/// A file, with the strongest of its digests; unknown hash functions are passed over.
fn distribution_of(raw: &RawFile) -> Result<Distribution, Problem> {
    let location = [&raw.url, &raw.path, &raw.name].into_iter().flatten().next();
    let known = raw.hashes.iter().filter(|(name, _)| text::hash_algorithm(name).is_some());
    let hashes = known.map(|(name, hex)| text::hash("hashes", &format!("{name}:{hex}")));
    let strongest = hashes.collect::<Result<Vec<_>, _>>()?.into_iter().max();
    let file = python::distribution(location.map(String::as_str), None)?;
    Ok(Distribution { hash: strongest, ..file })
}

/// Why a package with this marker is installed.
///
/// A part of an `or` that names no extra and no group may hold by itself: then the package counts as
/// required, for to leave it out is the unsafe guess.
fn scope_of(marker: &str, default_groups: &[String]) -> Scope {
    let scope_of_part = |part: &str| {
        let group = part.split(" in dependency_groups").next().filter(|&before| before != part);
        let is_default = |group: &str| {
            let name = group.trim_end_matches(['"', '\'']).rsplit(['"', '\'']).next();
            default_groups.iter().any(|default| Some(default.as_str()) == name)
        };
        match group {
            _ if part.contains(" not in ") => Scope::Required,
            _ if part.contains(" in extras") => Scope::Optional,
            Some(group) if !is_default(group) => Scope::Dev,
            _ => Scope::Required,
        }
    };
    marker.split(" or ").map(scope_of_part).min().unwrap_or(Scope::Required)
}

fn depend(
    catalog: &mut Catalog,
    from: usize,
    asked: &RawDependency,
    asking: &str,
) -> Result<(), Problem> {
    let package = asking.to_owned();
    let Some(name) = asked.name.as_deref() else {
        let owner = format!("a dependency of `{package}`");
        return Err(Problem::MissingField { owner, field: "name" });
    };
    if catalog.depend_on_named(from, &normalized(name), asked.version.as_deref())? {
        return Ok(());
    }
    Err(Problem::DanglingDependency { package, dependency: name.to_owned() })
}
