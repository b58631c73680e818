//! `Pipfile.lock`: what is installed always, for development, and in further categories.
//!
//! The file says neither which package needs which nor what the `Pipfile` asks for.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::pep508::Requirement;
use super::python::{self, PYPI};
use super::source::without_credentials;
use super::{Beside, Ecosystem, Format, Package, Scope, json_file, text};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["Pipfile.lock"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::PyPi,
    relock: "run `pipenv lock` again and commit the result",
    read,
};

#[derive(Deserialize)]
struct RawLock {
    #[serde(rename = "_meta")]
    meta: Option<RawMeta>,
    /// Packages by category and name.
    #[serde(flatten)]
    categories: BTreeMap<String, BTreeMap<String, RawPackage>>,
}

#[derive(Deserialize)]
struct RawMeta {
    #[serde(default)]
    sources: Vec<RawIndex>,
}

#[derive(Deserialize)]
struct RawIndex {
    name: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct RawPackage {
    /// `==` and the version.
    version: Option<String>,
    #[serde(default)]
    hashes: Vec<String>,
    index: Option<String>,
    git: Option<String>,
    r#ref: Option<String>,
    /// URL of an archive.
    file: Option<String>,
    path: Option<String>,
}

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let lock: RawLock = json_file::read(text)?;
    let Some(meta) = &lock.meta else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "_meta" };
        return Err(problem.anywhere());
    };
    let indexes = Indexes::new(&meta.sources)?;
    let mut catalog = Catalog::default();
    for (category, packages) in &lock.categories {
        // Any category but these two is installed by its name only.
        let scope = match category.as_str() {
            "default" => Scope::Required,
            "develop" => Scope::Dev,
            _ => Scope::Optional,
        };
        for (name, raw) in packages {
            let package = package_of(name, raw, scope, &indexes);
            package.and_then(|package| catalog.add(package)).map_err(Problem::anywhere)?;
        }
    }
    Ok(Contents {
        packages: catalog.into_packages(),
        notes: Vec::new(),
        edges_known: false,
        direct_known: false,
        complete: true,
    })
}

/// The package indexes of a file.
struct Indexes<'a> {
    named: HashMap<&'a str, &'a str>,
    first: &'a str,
}

impl<'a> Indexes<'a> {
    fn new(sources: &'a [RawIndex]) -> Result<Self, Fault> {
        let mut named = HashMap::new();
        let mut first = None;
        for RawIndex { name, url } in sources {
            let Some(url) = url.as_deref() else { continue };
            text::location("_meta.sources", url).map_err(Problem::anywhere)?;
            first.get_or_insert(url);
            named.extend(name.as_deref().map(|name| (name, url)));
        }
        Ok(Self { named, first: first.unwrap_or(PYPI) })
    }

    /// The index of this name, otherwise the first: Pipenv asks no other unless told to.
    fn url(&self, name: Option<&str>) -> String {
        let named = name.and_then(|name| self.named.get(name).copied());
        without_credentials(named.unwrap_or(self.first))
    }
}

fn package_of(
    name: &str,
    raw: &RawPackage,
    scope: Scope,
    indexes: &Indexes<'_>,
) -> Result<Package, Problem> {
    let specifier = raw.version.as_deref().filter(|specifier| *specifier != "*");
    let specified = specifier.map(|specifier| format!("{name}{specifier}"));
    let version = match &specified {
        Some(text) => match Requirement::parse(text) {
            Some(requirement) => requirement.version,
            None => return Err(text::invalid("version", text, "`==` and a version")),
        },
        None => None,
    };
    let hashes = raw.hashes.iter().map(|hash| python::distribution(None, Some(hash)));
    Ok(Package {
        distributions: hashes.collect::<Result<_, _>>()?,
        scope,
        root: raw.path.as_deref().is_some_and(python::is_project_folder),
        ..python::package(name, version, source_of(raw, indexes)?)?
    })
}

fn source_of(raw: &RawPackage, indexes: &Indexes<'_>) -> Result<Source, Problem> {
    for place in [&raw.git, &raw.file].into_iter().flatten() {
        text::location("source", place)?;
    }
    Ok(match (&raw.git, &raw.file, &raw.path) {
        (Some(url), ..) => {
            let commit = raw.r#ref.clone();
            commit.iter().try_for_each(|it| text::word("ref", it))?;
            Source::Git { url: without_credentials(url), commit }
        }
        (None, Some(url), _) => Source::Archive { url: without_credentials(url) },
        (None, None, Some(path)) => Source::Local { path: Some(path.clone()) },
        (None, None, None) => Source::Registry { url: indexes.url(raw.index.as_deref()) },
    })
}
