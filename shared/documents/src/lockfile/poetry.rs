//! `poetry.lock`, versions 1 and 2.
//!
//! The file does not say what the project itself is and asks for: `pyproject.toml` does. Dependencies are
//! names with ranges, so an edge goes to every locked package of the name; what a marker or an extra
//! leaves out is not locked, and no fault.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
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
    file_names: &["poetry.lock"],
    pattern: None,
    is_lock: true,
    companions: &["pyproject.toml"],
    ecosystem: Ecosystem::PyPi,
    relock: "run `poetry lock` again and commit the result",
    read,
};

/// The group of what is installed always.
const MAIN: &str = "main";
const VERSIONS: std::ops::RangeInclusive<i64> = 1..=2;

#[derive(Deserialize)]
struct RawLock {
    metadata: Option<RawMetadata>,
}

#[derive(Deserialize)]
struct RawMetadata {
    #[serde(rename = "lock-version")]
    lock_version: Option<Spanned<String>>,
    /// Files by name of the package, until 1.1.
    #[serde(default)]
    files: BTreeMap<String, Vec<RawFile>>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: Option<String>,
    version: Option<String>,
    #[serde(default)]
    optional: bool,
    /// `main` or `dev`, until 1.4.
    category: Option<String>,
    /// The groups that bring it, since 2.0.
    groups: Option<Vec<String>>,
    markers: Option<RawMarkers>,
    #[serde(default)]
    dependencies: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    files: Vec<RawFile>,
    source: Option<RawSource>,
}

/// Where the package is installed, since 2.0.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawMarkers {
    /// In whatever group.
    All(String),
    ByGroup(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct RawFile {
    file: Option<String>,
    url: Option<String>,
    hash: Option<String>,
}

#[derive(Deserialize)]
struct RawSource {
    r#type: Option<String>,
    url: Option<String>,
    resolved_reference: Option<String>,
}

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let (lock, tables) = Tables::read::<RawLock>(text, "package")?;
    let Some(metadata) = lock.metadata else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "metadata" };
        return Err(problem.anywhere());
    };
    toml_file::check_major(metadata.lock_version.as_ref(), &tables, VERSIONS)?;
    let lines = Lines::of(text);
    let mut catalog = Catalog::default();
    let mut asked = Vec::new();
    let mut states_scopes = false;
    let take = |table: Table<RawPackage>| {
        let fault = |problem: Problem| problem.at(table.offset);
        states_scopes |= table.value.groups.is_some() || table.value.category.is_some();
        let package = package_of(&table.value).map_err(fault)?;
        let line = Some(lines.line(table.offset));
        let place = catalog.add(Package { line, ..package }).map_err(fault)?;
        asked.push((table.offset, place, table.value.dependencies));
        Ok(())
    };
    tables.each(Ok, take)?;
    add_files(&mut catalog, &metadata.files).map_err(Problem::anywhere)?;
    for (offset, from, names) in asked {
        for name in names.keys() {
            let asked = catalog.depend_on_named(from, &normalized(name), None);
            asked.map_err(|problem| problem.at(offset))?;
        }
    }
    let mut notes = Vec::new();
    let project = Project::beside(beside, "", &mut notes);
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

/// Adds files that stand apart from their packages; those of several versions of one name are not
/// told from each other, so nobody gets them.
fn add_files(catalog: &mut Catalog, files: &BTreeMap<String, Vec<RawFile>>) -> Result<(), Problem> {
    for (name, files) in files {
        if let Some(package) = catalog.only(&normalized(name)) {
            let files = files.iter().map(distribution_of).collect::<Result<Vec<_>, _>>()?;
            catalog.package_mut(package).distributions.extend(files);
        }
    }
    Ok(())
}

fn package_of(raw: &RawPackage) -> Result<Package, Problem> {
    let missing = |owner: &str, field| Problem::MissingField { owner: owner.to_owned(), field };
    let name = raw.name.as_deref().ok_or_else(|| missing("a package", "name"))?;
    let version = raw.version.as_deref().ok_or_else(|| missing(name, "version"))?;
    let (source, root) = source_of(raw.source.as_ref())?;
    let groups = raw.groups.iter().flatten().filter(|group| *group != MAIN);
    Ok(Package {
        distributions: raw.files.iter().map(distribution_of).collect::<Result<_, _>>()?,
        scope: scope_of(raw),
        root,
        groups: groups.filter_map(|group| text::said(group)).collect(),
        conditions: conditions_of(raw),
        ..python::package(name, Some(version), source)?
    })
}

fn conditions_of(raw: &RawPackage) -> Vec<String> {
    let markers: Vec<_> = match (&raw.markers, &raw.groups) {
        (Some(RawMarkers::All(marker)), _) => vec![marker],
        // A group without a marker has the package always.
        (Some(RawMarkers::ByGroup(markers)), Some(groups))
            if groups.iter().all(|group| markers.contains_key(group)) =>
        {
            markers.values().collect()
        }
        _ => Vec::new(),
    };
    markers.into_iter().filter_map(|marker| text::said(marker)).collect()
}

fn distribution_of(raw: &RawFile) -> Result<Distribution, Problem> {
    python::distribution(raw.url.as_deref().or(raw.file.as_deref()), raw.hash.as_deref())
}

fn scope_of(raw: &RawPackage) -> Scope {
    let is_main = match (&raw.groups, &raw.category) {
        (Some(groups), _) => groups.iter().any(|group| group == MAIN),
        (None, Some(category)) => category == MAIN,
        (None, None) => true,
    };
    match (is_main, raw.optional) {
        (true, false) => Scope::Required,
        (true, true) => Scope::Optional,
        (false, _) => Scope::Dev,
    }
}

/// The source, and whether it is the project's own folder.
fn source_of(raw: Option<&RawSource>) -> Result<(Source, bool), Problem> {
    let Some(RawSource { r#type, url, resolved_reference }) = raw else {
        return Ok((Source::Registry { url: PYPI.to_owned() }, false));
    };
    let url = url.as_deref().unwrap_or_default();
    text::location("source.url", url)?;
    let source = match r#type.as_deref() {
        // Poetry calls any index but PyPI legacy.
        Some("legacy") | None => Source::Registry { url: without_credentials(url) },
        Some("git") => {
            let commit = resolved_reference.clone();
            commit.iter().try_for_each(|it| text::word("resolved_reference", it))?;
            Source::Git { url: without_credentials(url), commit }
        }
        Some("url") => Source::Archive { url: without_credentials(url) },
        Some("directory" | "file") => Source::Local { path: Some(url.to_owned()) },
        Some(other) => {
            return Err(text::invalid("source.type", other, "legacy, git, url, directory or file"));
        }
    };
    let root = matches!(r#type.as_deref(), Some("directory")) && python::is_project_folder(url);
    Ok((source, root))
}
