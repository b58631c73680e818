//! `*.deps.json`: what a built .NET application is made of.
//!
//! Besides packages it names the projects of the solution, assemblies without a package, and the
//! runtime where the application brings its own.

use std::collections::{BTreeSet, HashMap};

use serde::Deserialize;

use super::borrowed::{Entries, Text, offset_of};
use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::nuget::{gallery, package, sha512};
use super::text::Lines;
use super::{Beside, Distribution, Ecosystem, Format, Package, json_file, text};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["deps.json"],
    pattern: Some(("", ".deps.json")),
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::NuGet,
    relock: "run `dotnet publish` again",
    read,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawApplication<'a> {
    #[serde(borrow)]
    runtime_target: Option<RawRuntime<'a>>,
    /// Libraries and what they need, for each framework and platform.
    #[serde(default)]
    targets: Entries<'a, Entries<'a, RawTarget<'a>>>,
    /// By `NAME/VERSION`.
    libraries: Option<Entries<'a, RawLibrary<'a>>>,
}

/// Old versions write the name alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawRuntime<'a> {
    Named {
        #[serde(borrow)]
        name: Text<'a>,
    },
    Name(#[serde(borrow)] Text<'a>),
}

#[derive(Deserialize)]
struct RawTarget<'a> {
    #[serde(borrow, default)]
    dependencies: Entries<'a, Text<'a>>,
}

#[derive(Deserialize)]
struct RawLibrary<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    /// `sha512-` and the digest of the package without its signature, in Base64.
    sha512: Option<Text<'a>>,
}

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let application: RawApplication<'_> = json_file::read(text)?;
    let Some(libraries) = &application.libraries else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "libraries" };
        return Err(problem.anywhere());
    };
    let lines = Lines::of(text);
    let mut catalog = Catalog::default();
    let (mut places, mut projects) = (HashMap::new(), BTreeSet::new());
    for (key, raw) in libraries.iter() {
        let offset = offset_of(text, key);
        let fault = |problem| Fault { offset, problem };
        let package = library(key, raw).map_err(fault)?;
        let is_project = raw.r#type.as_deref() == Some("project");
        let line = offset.map(|offset| lines.line(offset));
        let at = catalog.add(Package { line, ..package }).map_err(fault)?;
        places.insert(key.to_lowercase(), at);
        if is_project {
            projects.insert(at);
        }
    }
    let target = chosen(&application);
    for (key, raw) in target.into_iter().flat_map(Entries::iter) {
        let fault = |problem| Fault { offset: offset_of(text, key), problem };
        let Some(&from) = places.get(&key.to_lowercase()) else { continue };
        for (name, version) in raw.dependencies.iter() {
            let asked = format!("{}/{}", &**name, &**version).to_lowercase();
            if let Some(&to) = places.get(&asked) {
                catalog.depend(from, to).map_err(fault)?;
            }
        }
    }
    Ok(contents(catalog, &projects, target.is_some()))
}

/// The target that the application runs on, or the only one.
fn chosen<'a, 'b>(application: &'b RawApplication<'a>) -> Option<&'b Entries<'a, RawTarget<'a>>> {
    match (&application.runtime_target, &application.targets.0[..]) {
        (Some(RawRuntime::Named { name } | RawRuntime::Name(name)), _) => {
            application.targets.get(name)
        }
        (None, [(_, only)]) => Some(only),
        (None, _) => None,
    }
}

fn library(key: &str, raw: &RawLibrary<'_>) -> Result<Package, Problem> {
    let expected = "a name and a version, as in NAME/1.0.0";
    let (name, version) =
        key.split_once('/').ok_or_else(|| text::invalid("libraries", key, expected))?;
    let missing =
        || Problem::MissingField { owner: name.chars().take(80).collect(), field: "type" };
    let (name, source) = match raw.r#type.as_deref().ok_or_else(missing)? {
        "package" => (name, gallery()),
        // It is packed under its name without this.
        "runtimepack" => (name.strip_prefix("runtimepack.").unwrap_or(name), gallery()),
        // A project of the solution, or an assembly that came from nowhere in particular.
        _ => (name, Source::Local { path: None }),
    };
    let digest = raw.sha512.as_deref().filter(|digest| !digest.is_empty());
    let digest = digest.map(|digest| digest.strip_prefix("sha512-").unwrap_or(digest));
    let hash = digest.map(|digest| sha512("sha512", digest)).transpose()?;
    Ok(Package {
        distributions: hash.map(Distribution::of).into_iter().collect(),
        ..package(name, Some(version), source)?
    })
}

fn contents(catalog: Catalog, projects: &BTreeSet<usize>, edges_known: bool) -> Contents {
    let mut packages = catalog.into_packages();
    let asked: BTreeSet<usize> =
        packages.iter().flat_map(|package| package.dependencies.iter().copied()).collect();
    // The application is the project that no other asks for.
    let roots: Vec<usize> = projects.difference(&asked).copied().collect();
    for &root in roots.iter().filter(|_| edges_known) {
        packages[root].root = true;
        packages[root].direct = false;
        for to in packages[root].dependencies.clone() {
            packages[to].direct = true;
        }
    }
    Contents {
        packages,
        notes: Vec::new(),
        edges_known,
        direct_known: edges_known && !roots.is_empty(),
        complete: true,
    }
}
