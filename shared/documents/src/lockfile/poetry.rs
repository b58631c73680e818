//! `poetry.lock`, versions 1 and 2.
//!
//! The file does not say what the project itself asks for: `pyproject.toml` does. Dependencies are
//! names with ranges, so an edge goes to every locked package of the name; what a marker or an extra
//! leaves out is not locked, and no fault.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::python::{self, PYPI, normalized};
use super::source::without_credentials;
use super::{Beside, Distribution, Ecosystem, Format, Package, Scope, text, toml_file};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["poetry.lock"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::PyPi,
    relock: "run `poetry lock` again and commit the result",
    read,
};

const VERSIONS: std::ops::RangeInclusive<i64> = 1..=2;

#[derive(Deserialize)]
struct RawLock {
    #[serde(default)]
    package: Vec<Spanned<RawPackage>>,
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
    #[serde(default)]
    dependencies: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    files: Vec<RawFile>,
    source: Option<RawSource>,
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

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let lock: RawLock = toml_file::read(text)?;
    let Some(metadata) = lock.metadata else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "metadata" };
        return Err(problem.anywhere());
    };
    toml_file::check_major(metadata.lock_version.as_ref(), VERSIONS)?;
    let mut files = files_by_name(&lock.package, metadata.files);
    let mut catalog = Catalog::default();
    let mut places = Vec::with_capacity(lock.package.len());
    for raw in &lock.package {
        let package = package_of(raw.get_ref(), &mut files);
        let place = package.and_then(|package| catalog.add(package));
        places.push(place.map_err(|problem| problem.at(raw.span().start))?);
    }
    for (raw, &from) in lock.package.iter().zip(&places) {
        for name in raw.get_ref().dependencies.keys() {
            let asked = catalog.depend_on_named(from, &normalized(name), None);
            asked.map_err(|problem| problem.at(raw.span().start))?;
        }
    }
    catalog.mark_unasked_as_direct();
    Ok(Contents {
        packages: catalog.into_packages(),
        notes: Vec::new(),
        edges_known: true,
        direct_known: false,
        complete: true,
    })
}

/// Files that stand apart from their packages; those of several versions of one name are not told
/// from each other, so nobody gets them.
fn files_by_name(
    packages: &[Spanned<RawPackage>],
    files: BTreeMap<String, Vec<RawFile>>,
) -> HashMap<String, Vec<RawFile>> {
    let mut named: HashMap<String, usize> = HashMap::new();
    for name in packages.iter().filter_map(|package| package.get_ref().name.as_deref()) {
        *named.entry(normalized(name)).or_default() += 1;
    }
    let files = files.into_iter().map(|(name, files)| (normalized(&name), files));
    files.filter(|(name, _)| named.get(name) == Some(&1)).collect()
}

fn package_of(
    raw: &RawPackage,
    files: &mut HashMap<String, Vec<RawFile>>,
) -> Result<Package, Problem> {
    let missing = |owner: &str, field| Problem::MissingField { owner: owner.to_owned(), field };
    let name = raw.name.as_deref().ok_or_else(|| missing("a package", "name"))?;
    let version = raw.version.as_deref().ok_or_else(|| missing(name, "version"))?;
    let (source, root) = source_of(raw.source.as_ref())?;
    let package = python::package(name, Some(version), source)?;
    let elsewhere = files.remove(&package.name).unwrap_or_default();
    let files = raw.files.iter().chain(&elsewhere);
    Ok(Package {
        distributions: files.map(distribution_of).collect::<Result<_, _>>()?,
        scope: scope_of(raw),
        root,
        ..package
    })
}

fn distribution_of(raw: &RawFile) -> Result<Distribution, Problem> {
    python::distribution(raw.url.as_deref().or(raw.file.as_deref()), raw.hash.as_deref())
}

fn scope_of(raw: &RawPackage) -> Scope {
    let is_main = match (&raw.groups, &raw.category) {
        (Some(groups), _) => groups.iter().any(|group| group == "main"),
        (None, Some(category)) => category == "main",
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
