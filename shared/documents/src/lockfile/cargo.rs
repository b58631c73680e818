//! `Cargo.lock`, versions 1 to 4 (Cargo's `src/cargo/core/resolver/encode.rs` is the definition).
//!
//! The file does not say which dependencies are for development, for building or optional, so all
//! count as required. Packages without a source are the workspace's own.

use std::collections::HashMap;

use serde::Deserialize;
use toml::Spanned;

use super::catalog::Contents;
use super::error::{Fault, Problem};
use super::graph::{Graph, Id, Index, Match, Node};
use super::source::without_credentials;
use super::{
    Beside, Distribution, Ecosystem, Format, MAX_PACKAGES, Package, Scope, text, toml_file,
};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["Cargo.lock"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::CratesIo,
    relock: "run `cargo generate-lockfile` and commit the result",
    read,
};

const VERSIONS: std::ops::RangeInclusive<i64> = 1..=4;

#[derive(Deserialize)]
struct RawLock {
    version: Option<Spanned<i64>>,
    /// The root package's own table, until 2017.
    root: Option<Spanned<RawPackage>>,
    #[serde(default)]
    package: Vec<Spanned<RawPackage>>,
    /// Checksums in version 1, under `checksum NAME VERSION (SOURCE)`.
    #[serde(default)]
    metadata: HashMap<String, toml::Value>,
}

#[derive(Deserialize)]
struct RawPackage {
    name: Option<String>,
    version: Option<String>,
    source: Option<String>,
    checksum: Option<String>,
    /// Each `NAME`, `NAME VERSION` or `NAME VERSION (SOURCE)`, as short as is unambiguous.
    #[serde(default)]
    dependencies: Vec<Spanned<String>>,
    /// What stands in for this package, by `[replace]` in `Cargo.toml`.
    replace: Option<Spanned<String>>,
}

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let lock: RawLock = toml_file::read(text)?;
    if let Some(version) = lock.version
        && !VERSIONS.contains(version.get_ref())
    {
        let problem = Problem::UnsupportedVersion { version: *version.get_ref() };
        return Err(problem.at(version.span().start));
    }
    let raw: Vec<_> = lock.root.into_iter().chain(lock.package).collect();
    if raw.is_empty() {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "package" };
        return Err(problem.anywhere());
    }
    if raw.len() > MAX_PACKAGES {
        return Err(Problem::TooManyPackages { packages: raw.len() }.anywhere());
    }
    let mut ids = Vec::with_capacity(raw.len());
    let mut packages = Vec::with_capacity(raw.len());
    for package in &raw {
        let offset = package.span().start;
        let (id, package) = package_of(package.get_ref(), offset, &lock.metadata)
            .map_err(|problem| problem.at(offset))?;
        ids.push(id);
        packages.push(package);
    }
    let nodes = nodes_of(&raw, &ids)?;
    let roots = (0..packages.len()).filter(|&package| packages[package].root);
    let starts = roots.map(|package| (Scope::Required, package)).collect();
    Ok(Graph { packages, nodes, starts }.into())
}

fn package_of(
    raw: &RawPackage,
    offset: usize,
    metadata: &HashMap<String, toml::Value>,
) -> Result<(Id, Package), Problem> {
    let missing = |owner: &str, field| Problem::MissingField { owner: owner.to_owned(), field };
    let name = raw.name.as_deref().ok_or_else(|| missing("a package", "name"))?;
    text::word("name", name)?;
    let version = raw.version.as_deref().ok_or_else(|| missing(name, "version"))?;
    text::word("version", version)?;
    if let Some(source) = &raw.source {
        text::location("source", source)?;
    }
    let source = source_of(raw.source.as_deref())?;
    let checksum = match (&raw.checksum, &raw.source) {
        (Some(checksum), _) => Some(checksum.as_str()),
        (None, Some(source)) => metadata
            .get(&format!("checksum {name} {version} ({source})"))
            .and_then(toml::Value::as_str)
            .filter(|checksum| *checksum != "<none>"),
        (None, None) => None,
    };
    let hash = checksum.map(|hex| text::hash("checksum", &format!("sha256:{hex}"))).transpose()?;
    let package = Package {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        purl: source.purl("cargo", name, Some(version), is_crates_io)?,
        root: matches!(source, Source::Local { .. }),
        source,
        distributions: hash
            .map(|hash| Distribution { location: None, hash: Some(hash) })
            .into_iter()
            .collect(),
        scope: Scope::Required,
        direct: false,
        dependencies: Vec::new(),
        line: None,
        licence: None,
        supplier: None,
        groups: Vec::new(),
        conditions: Vec::new(),
    };
    let id = Id {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        source: raw.source.as_deref().map(unpinned).unwrap_or_default().to_owned(),
        offset,
    };
    Ok((id, package))
}

fn source_of(source: Option<&str>) -> Result<Source, Problem> {
    let Some(text) = source else {
        return Ok(Source::Local { path: None });
    };
    match text.split_once('+') {
        Some(("registry" | "sparse", url)) => {
            Ok(Source::Registry { url: without_credentials(url) })
        }
        Some(("git", reference)) => Ok(Source::git(reference)),
        Some(("path" | "directory" | "local-registry", path)) => {
            Ok(Source::Local { path: Some(without_credentials(path)) })
        }
        _ => Err(text::invalid("source", text, "a source such as registry+https://…")),
    }
}

fn is_crates_io(registry: &str) -> bool {
    matches!(
        registry.trim_end_matches('/'),
        "https://github.com/rust-lang/crates.io-index" | "https://index.crates.io"
    )
}

fn nodes_of(raw: &[Spanned<RawPackage>], ids: &[Id]) -> Result<Vec<Node>, Fault> {
    let index = Index::new(ids)?;
    let node = |(package, raw): (usize, &Spanned<RawPackage>)| {
        let RawPackage { dependencies, replace, .. } = raw.get_ref();
        let dependencies = dependencies.iter().chain(replace);
        let dependencies = dependencies.map(|named| find(&index, &ids[package], named));
        Ok(Node {
            package: Some(package),
            dependencies: dependencies.collect::<Result<_, Fault>>()?,
        })
    };
    raw.iter().enumerate().map(node).collect()
}

fn find(index: &Index<'_>, asking: &Id, named: &Spanned<String>) -> Result<usize, Fault> {
    let mut parts = named.get_ref().splitn(3, ' ');
    let name = parts.next().unwrap_or_default();
    let version = parts.next();
    let source = parts.next().map(|part| unpinned(part.trim_matches(['(', ')'])));
    // Cargo writes no source both where none is needed and where the package is the workspace's.
    match index.find(name, version, source) {
        Match::Many if source.is_none() => match index.find(name, version, Some("")) {
            Match::One(local) => Ok(local),
            _ => index.only(asking, (name, version, source), named.span().start),
        },
        _ => index.only(asking, (name, version, source), named.span().start),
    }
}

/// A source without the commit, which dependencies leave out.
fn unpinned(source: &str) -> &str {
    source.split('#').next().unwrap_or(source)
}
