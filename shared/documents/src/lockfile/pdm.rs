//! `pdm.lock`, versions up to 4.
//!
//! A package and the same package with extras are two entries, and one package here. The file does
//! not say what the project itself asks for: `pyproject.toml` does.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::pep508::Requirement;
use super::python::{self, PYPI, normalized};
use super::source::without_credentials;
use super::{Beside, Ecosystem, Format, Package, Scope, text, toml_file};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["pdm.lock"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::PyPi,
    relock: "run `pdm lock` again and commit the result",
    read,
};

const VERSIONS: std::ops::RangeInclusive<i64> = 1..=4;

#[derive(Deserialize)]
struct RawLock {
    #[serde(default)]
    package: Vec<Spanned<RawPackage>>,
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

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let lock: RawLock = toml_file::read(text)?;
    let Some(metadata) = lock.metadata else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "metadata" };
        return Err(problem.anywhere());
    };
    toml_file::check_major(metadata.lock_version.as_ref(), VERSIONS)?;
    let mut catalog = Catalog::default();
    let mut places = Vec::with_capacity(lock.package.len());
    for raw in &lock.package {
        let package = package_of(raw.get_ref(), &metadata.files);
        let place = package.and_then(|package| catalog.add(package));
        places.push(place.map_err(|problem| problem.at(raw.span().start))?);
    }
    for (raw, &from) in lock.package.iter().zip(&places) {
        for dependency in &raw.get_ref().dependencies {
            depend(&mut catalog, from, dependency)
                .map_err(|problem| problem.at(raw.span().start))?;
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

fn package_of(
    raw: &RawPackage,
    files: &BTreeMap<String, Vec<RawFile>>,
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
    let is_default = |groups: &Vec<String>| groups.iter().any(|group| group == "default");
    Ok(Package {
        distributions: files.collect::<Result<_, _>>()?,
        // The file does not tell extras and groups for development apart: extras weigh more.
        scope: match raw.groups.as_ref().is_none_or(is_default) {
            true => Scope::Required,
            false => Scope::Optional,
        },
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
