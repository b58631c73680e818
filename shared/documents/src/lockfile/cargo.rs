//! `Cargo.lock`, versions 1 to 4 (Cargo's `src/cargo/core/resolver/encode.rs` is the definition).
//!
//! The file does not say which dependencies are for development or optional: each package's
//! `Cargo.toml` does, and without it all count as required. Packages without a source are the
//! workspace's own.

mod features;
mod manifest;
mod members;

use std::collections::HashMap;

use serde::Deserialize;
use toml::Spanned;

use super::catalog::{Contents, MAX_EDGES};
use super::error::{Fault, Problem};
use super::graph::{Graph, Id, Index, Match, Node};
use super::source::without_credentials;
use super::text::Lines;
use super::toml_file::{Table, Tables};
use super::{Beside, Distribution, Ecosystem, Format, Package, text};
use crate::inventory::Source;
use members::Members;

pub(super) const FORMAT: Format = Format {
    file_names: &["Cargo.lock"],
    pattern: None,
    is_lock: true,
    companions: &["Cargo.toml"],
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

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let (lock, tables) = Tables::read::<RawLock>(text, "package")?;
    if let Some(version) = &lock.version
        && !VERSIONS.contains(version.get_ref())
    {
        let problem = Problem::UnsupportedVersion { version: *version.get_ref() };
        return Err(problem.at(tables.offset_of(version)));
    }
    let mut file = File { lines: Lines::of(text), ..File::default() };
    if let Some(root) = lock.root {
        let offset = tables.offset_of(&root);
        let root = root.into_inner();
        let (id, package) =
            package_of(&root, offset, &lock.metadata).map_err(|problem| problem.at(offset))?;
        file.take(id, package, asked_by(root, |_| offset))?;
    }
    let make = |table: Table<RawPackage>| {
        let Table { value, offset, base } = table;
        let made = package_of(&value, offset, &lock.metadata);
        let (id, package) = made.map_err(|problem| problem.at(offset))?;
        Ok((id, package, asked_by(value, |named| base + named.span().start)))
    };
    tables.each(make, |(id, package, asked)| file.take(id, package, asked))?;
    if file.packages.is_empty() {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "package" };
        return Err(problem.anywhere());
    }
    file.contents(beside)
}

/// What the tables read so far have said.
#[derive(Default)]
struct File<'a> {
    lines: Lines<'a>,
    ids: Vec<Id>,
    packages: Vec<Package>,
    /// What each package asks for, and where that stands.
    asked: Vec<Vec<Asked>>,
    edges: usize,
}

impl File<'_> {
    fn take(&mut self, id: Id, package: Package, asked: Vec<Asked>) -> Result<(), Fault> {
        let offset = id.offset;
        self.edges += asked.len();
        if self.edges > MAX_EDGES {
            return Err(Problem::TooManyEdges { limit: MAX_EDGES }.at(offset));
        }
        self.ids.push(id);
        self.packages.push(Package { line: Some(self.lines.line(offset)), ..package });
        self.asked.push(asked);
        Ok(())
    }

    fn contents(mut self, beside: &Beside<'_>) -> Result<Contents, Fault> {
        let index = Index::new(&self.ids)?;
        let mut nodes = Vec::with_capacity(self.ids.len());
        for (package, asked) in self.asked.iter().enumerate() {
            let mut node = Node::of(package);
            for (offset, named) in asked {
                node.ask(find(&index, &self.ids[package], named, *offset)?);
            }
            nodes.push(node);
        }
        let mut members = Members::beside(beside);
        let starts = members.join(&mut self.packages, &mut nodes);
        let graph = Graph { packages: self.packages, nodes, starts };
        Ok(Contents { notes: members.notes, ..Contents::from(graph) })
    }
}

/// A package as another one names it, and where that stands.
type Asked = (usize, String);

fn asked_by(raw: RawPackage, offset_of: impl Fn(&Spanned<String>) -> usize) -> Vec<Asked> {
    let named = raw.dependencies.into_iter().chain(raw.replace);
    named.map(|it| (offset_of(&it), it.into_inner())).collect()
}

/// The package that a table is; `metadata` has the checksums that stand apart.
fn package_of(
    raw: &RawPackage,
    offset: usize,
    metadata: &HashMap<String, toml::Value>,
) -> Result<(Id, Package), Problem> {
    let missing = |owner: &str, field| Problem::MissingField { owner: owner.to_owned(), field };
    let name = raw.name.as_deref().ok_or_else(|| missing("a package", "name"))?;
    text::word("name", name)?;
    let version = raw.version.as_deref().ok_or_else(|| missing(name, "version"))?;
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
    let purl = source.purl("cargo", name, Some(version), is_crates_io)?;
    let package = Package {
        root: matches!(source, Source::Local { .. }),
        distributions: hash
            .map(|hash| Distribution { location: None, hash: Some(hash) })
            .into_iter()
            .collect(),
        ..Package::new(name.to_owned(), Some(version), purl, source)?
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

fn find(index: &Index<'_>, asking: &Id, named: &str, offset: usize) -> Result<usize, Fault> {
    let mut parts = named.splitn(3, ' ');
    let name = parts.next().unwrap_or_default();
    let version = parts.next();
    let source = parts.next().map(|part| unpinned(part.trim_matches(['(', ')'])));
    // Cargo writes no source both where none is needed and where the package is the workspace's.
    match index.find(name, version, source) {
        Match::Many if source.is_none() => match index.find(name, version, Some("")) {
            Match::One(local) => Ok(local),
            _ => index.only(asking, (name, version, source), offset),
        },
        _ => index.only(asking, (name, version, source), offset),
    }
}

/// A source without the commit, which dependencies leave out.
fn unpinned(source: &str) -> &str {
    source.split('#').next().unwrap_or(source)
}
