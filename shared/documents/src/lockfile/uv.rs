//! `uv.lock`, version 1 in any revision.

mod raw;

use std::collections::{HashMap, HashSet};

use toml::Spanned;

use super::catalog::Contents;
use super::error::{Fault, Problem};
use super::graph::{Graph, Id, Index, Node};
use super::python::{check_name, is_pypi, normalized};
use super::source::without_credentials;
use super::{
    Beside, Distribution, Ecosystem, Format, MAX_PACKAGES, Package, Scope, text, toml_file,
};
use crate::inventory::Source;
use raw::{RawDependency, RawFile, RawLock, RawManifest, RawPackage};

pub(super) const FORMAT: Format = Format {
    file_names: &["uv.lock"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::PyPi,
    relock: "run `uv lock` again and commit the result",
    read,
};

const VERSION: i64 = 1;

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let lock: RawLock = toml_file::read(text)?;
    let Some(version) = lock.version else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "version" };
        return Err(problem.anywhere());
    };
    if *version.get_ref() != VERSION {
        let problem = Problem::UnsupportedVersion { version: *version.get_ref() };
        return Err(problem.at(version.span().start));
    }
    if lock.package.len() > MAX_PACKAGES {
        return Err(Problem::TooManyPackages { packages: lock.package.len() }.anywhere());
    }
    let members: HashSet<_> = lock.manifest.members.iter().map(|name| normalized(name)).collect();
    let mut ids = Vec::with_capacity(lock.package.len());
    let mut packages = Vec::with_capacity(lock.package.len());
    for package in &lock.package {
        let offset = package.span().start;
        let (id, package) = package_of(package.get_ref(), offset, &members)
            .map_err(|problem| problem.at(offset))?;
        ids.push(id);
        packages.push(package);
    }
    GraphBuilder::new(&lock.package, &ids)?.build(packages, &lock.manifest).map(Contents::from)
}

fn package_of(
    raw: &RawPackage,
    offset: usize,
    members: &HashSet<String>,
) -> Result<(Id, Package), Problem> {
    let missing = |owner: &str, field| Problem::MissingField { owner: owner.to_owned(), field };
    let name = raw.name.as_deref().ok_or_else(|| missing("a package", "name"))?;
    check_name(name)?;
    let name = normalized(name);
    let raw_source = raw.source.as_ref().ok_or_else(|| missing(&name, "source"))?;
    let (source_key, source) = raw_source.read()?;
    let local = matches!(source, Source::Local { .. });
    match raw.version.as_deref() {
        Some(version) => text::word("version", version)?,
        // Only a package that is built here may compute its version when it is built.
        None if local => {}
        None => return Err(missing(&name, "version")),
    }
    let own = raw_source.is_project_folder() || (local && members.contains(&name));
    let package = Package {
        purl: source.purl("pypi", &name, raw.version.as_deref(), is_pypi)?,
        name: name.clone(),
        version: raw.version.clone(),
        distributions: distributions_of(raw, &source)?,
        source,
        scope: Scope::Required,
        root: own,
        direct: false,
        dependencies: Vec::new(),
        line: None,
        licence: None,
        supplier: None,
        groups: Vec::new(),
        conditions: Vec::new(),
    };
    Ok((Id { name, version: raw.version.clone(), source: source_key, offset }, package))
}

fn distributions_of(raw: &RawPackage, source: &Source) -> Result<Vec<Distribution>, Problem> {
    let archive = match source {
        Source::Archive { url } => Some(url),
        _ => None,
    };
    let mut distributions = Vec::with_capacity(raw.wheels.len() + 1);
    for file in raw.sdist.iter().chain(&raw.wheels) {
        let RawFile { url, path, filename, hash } = file;
        let location = url.as_ref().or(path.as_ref()).or(archive).or(filename.as_ref());
        if let Some(location) = location {
            text::location("url", location)?;
        }
        let location = location.map(|location| without_credentials(location));
        let hash = hash.as_deref().map(|hash| text::hash("hash", hash)).transpose()?;
        if location.is_some() || hash.is_some() {
            distributions.push(Distribution { location, hash });
        }
    }
    distributions.sort_unstable();
    distributions.dedup();
    Ok(distributions)
}

/// Lays a node for each package, extra and group, and joins them.
struct GraphBuilder<'a> {
    raw: &'a [Spanned<RawPackage>],
    ids: &'a [Id],
    index: Index<'a>,
    /// The node of each package's extra, both normalised.
    extras: HashMap<(usize, String), usize>,
    nodes: Vec<Node>,
}

impl<'a> GraphBuilder<'a> {
    fn new(raw: &'a [Spanned<RawPackage>], ids: &'a [Id]) -> Result<Self, Fault> {
        let index = Index::new(ids)?;
        let nodes: Vec<_> =
            (0..raw.len()).map(|at| Node { package: Some(at), dependencies: vec![] }).collect();
        Ok(Self { raw, ids, index, extras: HashMap::new(), nodes })
    }

    fn build(mut self, packages: Vec<Package>, manifest: &RawManifest) -> Result<Graph, Fault> {
        let raw = self.raw;
        // Extras first: a dependency may ask for one of a package further down.
        for (package, raw) in raw.iter().enumerate() {
            for extra in raw.get_ref().optional_dependencies.keys() {
                let node = self.add(Some(package));
                self.nodes[node].dependencies.push(package);
                self.extras.insert((package, normalized(extra)), node);
            }
        }
        let mut starts = Vec::new();
        for (package, raw) in raw.iter().enumerate() {
            let raw = raw.get_ref();
            self.join(package, package, &raw.dependencies)?;
            let root = packages[package].root;
            if root {
                starts.push((Scope::Required, package));
            }
            for (extra, dependencies) in &raw.optional_dependencies {
                let node = self.extras[&(package, normalized(extra))];
                self.join(node, package, dependencies)?;
                if root {
                    starts.push((Scope::Optional, node));
                }
            }
            for dependencies in raw.dev_dependencies.values() {
                let node = self.add(Some(package));
                self.join(node, package, dependencies)?;
                if root {
                    starts.push((Scope::Dev, node));
                }
            }
        }
        starts.extend(self.workspace_starts(manifest));
        Ok(Graph { packages, nodes: self.nodes, starts })
    }

    fn add(&mut self, package: Option<usize>) -> usize {
        self.nodes.push(Node { package, dependencies: Vec::new() });
        self.nodes.len() - 1
    }

    /// Joins `node`, which belongs to `package`, to everything that `dependencies` name.
    fn join(
        &mut self,
        node: usize,
        package: usize,
        dependencies: &[Spanned<RawDependency>],
    ) -> Result<(), Fault> {
        for dependency in dependencies {
            let offset = dependency.span().start;
            let asking = &self.ids[package];
            let RawDependency { name, version, source, extra } = dependency.get_ref();
            let Some(name) = name else {
                let owner = format!("a dependency of `{}`", asking.label());
                return Err(Problem::MissingField { owner, field: "name" }.at(offset));
            };
            let name = normalized(name);
            let source = source.as_ref().map(|source| source.read().map(|(key, _)| key));
            let source = source.transpose().map_err(|problem| problem.at(offset))?;
            let key = (&*name, version.as_deref(), source.as_deref());
            let target = self.index.only(asking, key, offset)?;
            self.nodes[node].dependencies.push(target);
            // An extra that brings no packages is not in the file.
            let extras =
                extra.iter().filter_map(|extra| self.extras.get(&(target, normalized(extra))));
            self.nodes[node].dependencies.extend(extras);
        }
        Ok(())
    }

    /// What the workspace asks for without a package of its own: a script's requirements, and the
    /// dependency groups of a `pyproject.toml` without a project. Named without versions, so every
    /// fork of a name is meant.
    fn workspace_starts(&mut self, manifest: &RawManifest) -> Vec<(Scope, usize)> {
        let groups = manifest.dependency_groups.values().flatten();
        let asked = [
            (Scope::Required, manifest.requirements.iter().collect::<Vec<_>>()),
            (Scope::Dev, groups.collect()),
        ];
        let mut starts = Vec::new();
        for (scope, requirements) in asked {
            let mut wanted: HashMap<String, HashSet<String>> = HashMap::new();
            for requirement in requirements {
                let extras = requirement.extras.iter().map(|extra| normalized(extra));
                wanted.entry(normalized(&requirement.name)).or_default().extend(extras);
            }
            let node = self.add(None);
            for (package, id) in self.ids.iter().enumerate() {
                let Some(wanted) = wanted.get(&id.name) else { continue };
                let extras = self.raw[package].get_ref().optional_dependencies.keys();
                let extras = extras.map(|extra| normalized(extra));
                let extras = extras.filter(|extra| wanted.contains(extra));
                let extras = extras.filter_map(|extra| self.extras.get(&(package, extra)));
                self.nodes[node].dependencies.push(package);
                self.nodes[node].dependencies.extend(extras);
            }
            starts.push((scope, node));
        }
        starts
    }
}
