//! `Pipfile.lock`: what is installed always, for development, and in further categories.
//!
//! The file does not say which package needs which; what the project asks for, the `Pipfile` does.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::pep508::Requirement;
use super::python::{self, PYPI};
use super::python_project::Project;
use super::source::without_credentials;
use super::text::Lines;
use super::{Beside, Ecosystem, Format, Note, Package, Scope, json_file, text, toml_file};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["Pipfile.lock"],
    pattern: None,
    is_lock: true,
    companions: &["Pipfile"],
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
    markers: Option<String>,
    index: Option<String>,
    git: Option<String>,
    r#ref: Option<String>,
    /// URL of an archive.
    file: Option<String>,
    path: Option<String>,
}

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let lock: RawLock = json_file::read(text)?;
    let Some(meta) = &lock.meta else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "_meta" };
        return Err(problem.anywhere());
    };
    let indexes = Indexes::new(&meta.sources)?;
    let (lines, places) = (Lines::of(text), places_of(text));
    let mut catalog = Catalog::default();
    for (category, packages) in &lock.categories {
        // Any category but these two is installed by its name only.
        let scope = match category.as_str() {
            "default" => Scope::Required,
            "develop" => Scope::Dev,
            _ => Scope::Optional,
        };
        for (name, raw) in packages {
            let place = places.get(&(category.as_str(), name.as_str())).copied();
            let fault = |problem| Fault { offset: place, problem };
            let package = package_of(name, raw, scope, &indexes).map_err(fault)?;
            let line = place.map(|place| lines.line(place));
            catalog.add(Package { line, ..package }).map_err(fault)?;
        }
    }
    let mut notes = Vec::new();
    let pipfile = pipfile_beside(beside, &mut notes);
    if let Some(project) = &pipfile {
        project.join(&mut catalog, &mut notes);
    }
    Ok(Contents {
        packages: catalog.into_packages(),
        notes,
        edges_known: false,
        direct_known: pipfile.is_some(),
        complete: true,
    })
}

/// Where each package of each category begins in the file, which is known to be JSON.
fn places_of(text: &str) -> HashMap<(&str, &str), usize> {
    #[derive(Deserialize)]
    struct Raw<'a>(#[serde(borrow)] BTreeMap<&'a str, BTreeMap<&'a str, &'a RawValue>>);
    // A name with escapes cannot be borrowed: such a file is told without lines.
    let Ok(Raw(categories)) = serde_json::from_str(text.trim_start_matches('\u{feff}')) else {
        return HashMap::new();
    };
    let packages = categories.into_iter().flat_map(|(category, packages)| {
        packages.into_iter().map(move |(name, raw)| ((category, name), raw))
    });
    // The values are parts of the text, so their places in it are those of their first bytes.
    packages.map(|(key, raw)| (key, raw.get().as_ptr() as usize - text.as_ptr() as usize)).collect()
}

fn pipfile_beside(beside: &Beside<'_>, notes: &mut Vec<Note>) -> Option<Project> {
    let text = beside.text("Pipfile")?;
    match toml_file::read(text) {
        Ok(document) => Some(Project::of_pipfile(&document)),
        Err(fault) => {
            notes.push(fault.note("Pipfile", text));
            None
        }
    }
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
        conditions: raw.markers.as_deref().and_then(text::said).into_iter().collect(),
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
