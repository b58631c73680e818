//! `pdm.lock`, versions up to 4.
//!
//! A package and the same package with extras are two entries, and one package here. The file does
//! not say what the project itself asks for: `pyproject.toml` does.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use toml::Spanned;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::pep508::Requirement;
use super::python::{self, PYPI, normalized};
use super::python_project::Project;
use super::source::without_credentials;
use super::text::Lines;
use super::toml_file::{self, Table, Tables};
use super::{Beside, Ecosystem, Format, Package, Scope, text};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["pdm.lock"],
    pattern: None,
    is_lock: true,
    companions: &["pyproject.toml"],
    ecosystem: Ecosystem::PyPi,
    relock: "run `pdm lock` again and commit the result",
    read,
};

/// The group of what is installed always.
const DEFAULT: &str = "default";
const VERSIONS: std::ops::RangeInclusive<i64> = 1..=4;

#[derive(Deserialize)]
struct RawLock {
    metadata: Option<RawMetadata>,
}

#[derive(Deserialize)]
struct RawMetadata {
    lock_version: Option<Spanned<String>>,
    /// Files by `NAME VERSION`, until 4.2.
    #[serde(default)]
    files: BTreeMap<String, Vec<RawFile>>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: Option<String>,
    version: Option<String>,
    /// The groups that bring it, since 4.4; `default` is what is always installed.
    groups: Option<Vec<String>>,
    marker: Option<String>,
    /// Requirements by PEP 508.
    #[serde(default)]
    dependencies: Vec<String>,
    #[serde(default)]
    files: Vec<RawFile>,
    git: Option<String>,
    revision: Option<String>,
    url: Option<String>,
    path: Option<String>,
}

#[derive(Deserialize)]
struct RawFile {
    file: Option<String>,
    url: Option<String>,
    hash: Option<String>,
}

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let (lock, tables) = Tables::read::<RawLock>(text, "package")?;
    let Some(metadata) = lock.metadata else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "metadata" };
        return Err(problem.anywhere());
    };
    toml_file::check_major(metadata.lock_version.as_ref(), &tables, VERSIONS)?;
    let mut notes = Vec::new();
    let project = Project::beside(beside, "", &mut notes);
    let scopes = project.as_ref().map(Project::group_scopes).unwrap_or_default();
    let lines = Lines::of(text);
    let mut catalog = Catalog::default();
    let mut asked = Vec::new();
    let mut states_scopes = false;
    let take = |table: Table<RawPackage>| {
        let fault = |problem: Problem| problem.at(table.offset);
        states_scopes |= table.value.groups.is_some();
        let package = package_of(&table.value, &metadata.files, &scopes).map_err(fault)?;
        let line = Some(lines.line(table.offset));
        let place = catalog.add(Package { line, ..package }).map_err(fault)?;
        asked.push((table.offset, place, table.value.dependencies));
        Ok(())
    };
    tables.each(Ok, take)?;
    for (offset, from, dependencies) in asked {
        for dependency in &dependencies {
            depend(&mut catalog, from, dependency).map_err(|problem| problem.at(offset))?;
        }
    }
    match &project {
        Some(project) => {
            catalog.clear_groups();
            if !states_scopes {
                catalog.assign_scopes(project.asks());
            }
            project.join(&mut catalog, &mut notes);
        }
        None => catalog.mark_unasked_as_direct(),
    }
    Ok(Contents {
        packages: catalog.into_packages(),
        notes,
        edges_known: true,
        direct_known: project.is_some(),
        complete: true,
    })
}

fn package_of(
    raw: &RawPackage,
    files: &BTreeMap<String, Vec<RawFile>>,
    scopes: &HashMap<&str, Scope>,
) -> Result<Package, Problem> {
    let missing = |owner: &str, field| Problem::MissingField { owner: owner.to_owned(), field };
    let name = raw.name.as_deref().ok_or_else(|| missing("a package", "name"))?;
    let source = source_of(raw)?;
    let version = match (raw.version.as_deref(), &source) {
        // Only a package that is built here may compute its version when it is built.
        (None, Source::Local { .. }) => None,
        (None, _) => return Err(missing(name, "version")),
        (version, _) => version,
    };
    let elsewhere = files.get(&format!("{name} {}", version.unwrap_or_default()));
    let files = raw.files.iter().chain(elsewhere.into_iter().flatten());
    let files = files.map(|raw| {
        python::distribution(raw.url.as_deref().or(raw.file.as_deref()), raw.hash.as_deref())
    });
    // Without the project file, extras are not told from groups for development: they weigh more.
    let scope_of = |group: &String| match group.as_str() {
        DEFAULT => Scope::Required,
        group => scopes.get(group).copied().unwrap_or(Scope::Optional),
    };
    let groups = raw.groups.iter().flatten();
    Ok(Package {
        distributions: files.collect::<Result<_, _>>()?,
        scope: groups.clone().map(scope_of).min().unwrap_or(Scope::Required),
        groups: groups.filter(|it| *it != DEFAULT).filter_map(|it| text::said(it)).collect(),
        conditions: raw.marker.as_deref().and_then(text::said).into_iter().collect(),
        root: raw.path.as_deref().is_some_and(python::is_project_folder),
        ..python::package(name, version, source)?
    })
}

fn source_of(raw: &RawPackage) -> Result<Source, Problem> {
    for place in [&raw.git, &raw.url].into_iter().flatten() {
        text::location("source", place)?;
    }
    Ok(match (&raw.git, &raw.url, &raw.path) {
        (Some(url), ..) => {
            let commit = raw.revision.clone();
            commit.iter().try_for_each(|it| text::word("revision", it))?;
            Source::Git { url: without_credentials(url), commit }
        }
        (None, Some(url), _) => Source::Archive { url: without_credentials(url) },
        (None, None, Some(path)) => Source::Local { path: Some(path.clone()) },
        (None, None, None) => Source::Registry { url: PYPI.to_owned() },
    })
}

/// Joins a package to what it asks for; what a marker leaves out is not locked, and no fault.
fn depend(catalog: &mut Catalog, from: usize, dependency: &str) -> Result<(), Problem> {
    let Some(asked) = Requirement::parse(dependency) else {
        // A bare address, as of an editable, names no package.
        if dependency.contains("://") {
            return Ok(());
        }
        return Err(text::invalid("dependencies", dependency, "a requirement by PEP 508"));
    };
    catalog.depend_on_named(from, &normalized(asked.name), asked.version).map(drop)
}
