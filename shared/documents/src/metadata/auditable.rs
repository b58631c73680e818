//! The list of crates that cargo-auditable puts into binaries, unpacked (its `audit-data` schema).

use serde::Deserialize;

use super::error::Fault;
use crate::inventory::{Package, Scope, Source};
use crate::lockfile::catalog::{Catalog, Contents};
use crate::lockfile::{MAX_PACKAGES, Problem, json_file, text};

const CRATES_IO: &str = "https://github.com/rust-lang/crates.io-index";

#[derive(Deserialize)]
struct RawAudit {
    packages: Vec<RawCrate>,
}

#[derive(Deserialize)]
struct RawCrate {
    name: String,
    version: String,
    source: String,
    /// Whether it is in the binary, or only helped to build it.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    dependencies: Vec<usize>,
    #[serde(default)]
    root: bool,
}

pub(super) fn read(text: &str) -> Result<Contents, Fault> {
    let audit: RawAudit = json_file::read(text).map_err(|fault| Fault::placed(fault, text))?;
    let crates = audit.packages;
    if crates.len() > MAX_PACKAGES {
        return Err(Problem::TooManyPackages { packages: crates.len() }.into());
    }
    let mut catalog = Catalog::default();
    // Two of one name and version, such as two commits of a repository, become one package.
    let places = crates.iter().map(|raw| catalog.add(package(raw)?));
    let places = places.collect::<Result<Vec<_>, Problem>>()?;
    for (raw, &from) in crates.iter().zip(&places) {
        for &dependency in &raw.dependencies {
            let Some(&to) = places.get(dependency) else {
                let (package, dependency) = (raw.name.clone(), format!("package {dependency}"));
                return Err(Problem::DanglingDependency { package, dependency }.into());
            };
            catalog.depend(from, to)?;
        }
    }
    Ok(Contents {
        packages: catalog.into_packages(),
        notes: Vec::new(),
        edges_known: true,
        direct_known: crates.iter().any(|raw| raw.root),
        complete: true,
    })
}

fn package(raw: &RawCrate) -> Result<Package, Problem> {
    text::word("name", &raw.name)?;
    text::word("version", &raw.version)?;
    // Of others, only the kind of source is told, not which.
    let source = match raw.source.as_str() {
        "crates.io" => Source::Registry { url: CRATES_IO.to_owned() },
        "registry" => Source::Registry { url: "registry".to_owned() },
        _ => Source::Local { path: None },
    };
    let purl = source.purl("cargo", &raw.name, Some(&raw.version), |url| url == CRATES_IO)?;
    let scope = match raw.kind.as_deref() {
        Some("build") => Scope::Dev,
        _ => Scope::Required,
    };
    let package = Package::new(raw.name.clone(), Some(&raw.version), purl, source)?;
    Ok(Package { scope, root: raw.root, ..package })
}
