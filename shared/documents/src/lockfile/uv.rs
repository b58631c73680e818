//! `uv.lock`, version 1 in any revision.

mod asked;
mod raw;

use super::borrowed::Text;
use super::catalog::{Contents, MAX_EDGES};
use super::error::{Fault, Problem};
use super::graph::{Edge, Graph, Id, Index, Node};
use super::python::{check_name, is_project_folder, is_pypi, normalized};
use super::python_project::Project;
use super::source::without_credentials;
use super::text::Lines;
use super::toml_file::{Table, Tables};
use super::{Beside, Distribution, Ecosystem, Format, Note, Package, Scope, text};
use crate::both::halves;
use crate::inventory::Source;
use asked::{Asked, Needed};
use hashbrown::{HashMap, HashSet};
use raw::{RawFile, RawLock, RawManifest, RawPackage, RawRequirement, RawSource};

pub(super) const FORMAT: Format = Format {
    file_names: &["uv.lock"],
    pattern: None,
    is_lock: true,
    companions: &["pyproject.toml"],
    ecosystem: Ecosystem::PyPi,
    relock: "run `uv lock` again and commit the result",
    read,
};

const VERSION: i64 = 1;

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let (lock, tables) = Tables::read::<RawLock>(text, "package")?;
    let Some(version) = &lock.version else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "version" };
        return Err(problem.anywhere());
    };
    if *version.get_ref() != VERSION {
        let problem = Problem::UnsupportedVersion { version: *version.get_ref() };
        return Err(problem.at(tables.offset_of(version)));
    }
    let members: HashSet<_> =
        lock.manifest.members.iter().map(|name| normalized(name).into_owned()).collect();
    let count = tables.count();
    let mut file = File {
        lines: Lines::of(text),
        ids: Vec::with_capacity(count),
        packages: Vec::with_capacity(count),
        asked: Vec::with_capacity(count),
        ..File::default()
    };
    tables.each(|table| Read::of(table, &members), |read| file.take(read, beside))?;
    let File { ids, packages, asked, forks, notes, .. } = file;
    let graph = GraphBuilder::new(&asked, &ids)?.build(packages, &lock.manifest)?;
    let mut contents = Contents { notes, ..Contents::from(graph) };
    for (package, markers) in forks {
        let conditions = &mut contents.packages[package].conditions;
        if conditions.is_empty() {
            *conditions = markers;
            conditions.sort_unstable();
        }
    }
    Ok(contents)
}

/// What the tables read so far have said.
#[derive(Default)]
struct File<'a> {
    lines: Lines<'a>,
    ids: Vec<Id>,
    packages: Vec<Package>,
    asked: Vec<Asked<'a>>,
    /// The environments of packages that are there for some only.
    forks: Vec<(usize, Vec<String>)>,
    notes: Vec<Note>,
    edges: usize,
}

/// What is kept of a table.
struct Read<'a> {
    id: Id,
    package: Package,
    /// Where it lies, if it is the project or a member of its workspace.
    folder: Option<Text<'a>>,
    /// The environments that it is there for; all if there are none.
    markers: Vec<String>,
    asked: Asked<'a>,
}

impl<'a> Read<'a> {
    fn of(table: Table<RawPackage<'a>>, members: &HashSet<String>) -> Result<Self, Fault> {
        let Table { value: raw, offset, base } = table;
        let made = package_of(&raw, offset, members);
        let (id, package) = made.map_err(|problem| problem.at(offset))?;
        let markers = raw.resolution_markers.iter().filter_map(|marker| text::said(marker));
        let markers = markers.collect();
        let further = [raw.optional_dependencies, raw.dev_dependencies];
        let asked = Asked::of(further, raw.dependencies, base, &id)?;
        let folder = raw.source.and_then(RawSource::into_folder);
        Ok(Self { id, package, folder, markers, asked })
    }
}

impl<'a> File<'a> {
    fn take(&mut self, read: Read<'a>, beside: &Beside<'_>) -> Result<(), Fault> {
        let Read { id, mut package, folder, markers, asked } = read;
        package.line = Some(self.lines.line(id.offset));
        if package.root {
            let folder = folder.as_deref().unwrap_or_default();
            if let Some(project) = Project::beside(beside, folder, &mut self.notes) {
                project.describe(&mut package);
            }
        }
        self.edges += asked.count();
        if self.edges > MAX_EDGES {
            return Err(Problem::TooManyEdges { limit: MAX_EDGES }.at(id.offset));
        }
        if !markers.is_empty() {
            self.forks.push((self.packages.len(), markers));
        }
        self.ids.push(id);
        self.packages.push(package);
        self.asked.push(asked);
        Ok(())
    }
}

fn package_of(
    raw: &RawPackage<'_>,
    offset: usize,
    members: &HashSet<String>,
) -> Result<(Id, Package), Problem> {
    let missing = |owner: &str, field| Problem::MissingField { owner: owner.to_owned(), field };
    let name = raw.name.as_deref().ok_or_else(|| missing("a package", "name"))?;
    check_name(name)?;
    let name = normalized(name).into_owned();
    let raw_source = raw.source.as_ref().ok_or_else(|| missing(&name, "source"))?;
    let (source_key, source) = raw_source.read()?;
    let local = matches!(source, Source::Local { .. });
    let version = raw.version.as_deref();
    // Only a package that is built here may compute its version when it is built.
    if version.is_none() && !local {
        return Err(missing(&name, "version"));
    }
    let own = raw_source.folder().is_some_and(is_project_folder);
    let distributions = distributions_of(raw, &source)?;
    let purl = source.purl("pypi", &name, version, is_pypi)?;
    let package = Package {
        root: own || (local && members.contains(&name)),
        distributions,
        ..Package::new(name.clone(), version, purl, source)?
    };
    Ok((Id { name, version: version.map(str::to_owned), source: source_key, offset }, package))
}

fn distributions_of(raw: &RawPackage<'_>, source: &Source) -> Result<Vec<Distribution>, Problem> {
    let archive = match source {
        Source::Archive { url } => Some(url.as_str()),
        _ => None,
    };
    let mut distributions = Vec::with_capacity(raw.wheels.len() + 1);
    for file in raw.sdist.iter().chain(&raw.wheels) {
        let RawFile { url, path, filename, hash } = file;
        let location = url.as_deref().or(path.as_deref()).or(archive).or(filename.as_deref());
        if let Some(location) = location {
            text::location("url", location)?;
        }
        let location = location.map(without_credentials);
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
    asked: &'a [Asked<'a>],
    ids: &'a [Id],
    index: Index<'a>,
    /// Every package of a name, for what names no version.
    named: HashMap<&'a str, Vec<usize>>,
    /// The node of each package's extra, both normalised.
    extras: HashMap<(usize, String), usize>,
    nodes: Vec<Node>,
    starts: Vec<(Scope, usize)>,
    /// Edges from the workspace, of which one line may bring many.
    edges: usize,
}

impl<'a> GraphBuilder<'a> {
    fn new(asked: &'a [Asked<'a>], ids: &'a [Id]) -> Result<Self, Fault> {
        Ok(Self {
            asked,
            ids,
            index: Index::new(ids)?,
            named: HashMap::new(),
            extras: HashMap::new(),
            nodes: (0..ids.len()).map(Node::of).collect(),
            starts: Vec::new(),
            edges: 0,
        })
    }

    fn build(mut self, packages: Vec<Package>, manifest: &RawManifest) -> Result<Graph, Fault> {
        let asked = self.asked;
        // Extras first: a dependency may ask for one of a package further down.
        for (package, asked) in asked.iter().enumerate() {
            let root = packages[package].root;
            for extra in asked.extras.keys() {
                let node = self.add(Some(package), root.then_some(extra));
                self.nodes[node].ask(package);
                self.extras.insert((package, normalized(extra).into_owned()), node);
            }
        }
        let all: Vec<usize> = (0..asked.len()).collect();
        let edges = halves(&all, |some| {
            some.iter().map(|&package| self.edges_to(package, &asked[package].always)).collect()
        });
        for ((package, asked), edges) in asked.iter().enumerate().zip(edges) {
            self.nodes[package].dependencies = edges?;
            let root = packages[package].root;
            self.start(Scope::Required, package, root);
            for (extra, dependencies) in &asked.extras {
                let node = self.extras[&(package, normalized(extra).into_owned())];
                let edges = self.edges_to(package, dependencies)?;
                self.nodes[node].dependencies.extend(edges);
                self.start(Scope::Optional, node, root);
            }
            for (group, dependencies) in &asked.groups {
                let node = self.add(Some(package), root.then_some(group));
                self.nodes[node].dependencies = self.edges_to(package, dependencies)?;
                self.start(Scope::Dev, node, root);
            }
        }
        let asks = !manifest.requirements.is_empty() || !manifest.dependency_groups.is_empty();
        for (package, id) in self.ids.iter().enumerate().filter(|_| asks) {
            self.named.entry(id.name.as_str()).or_default().push(package);
        }
        self.join_workspace(Scope::Required, None, &manifest.requirements)?;
        for (group, requirements) in &manifest.dependency_groups {
            self.join_workspace(Scope::Dev, Some(group), requirements)?;
        }
        Ok(Graph { packages, nodes: self.nodes, starts: self.starts })
    }

    fn add(&mut self, package: Option<usize>, group: Option<&String>) -> usize {
        let group = group.and_then(|group| text::said(group));
        self.nodes.push(Node { package, group, dependencies: Vec::new() });
        self.nodes.len() - 1
    }

    fn start(&mut self, scope: Scope, node: usize, root: bool) {
        if root {
            self.starts.push((scope, node));
        }
    }

    /// Edges to everything that `needed` of `package` names.
    fn edges_to(&self, package: usize, needed: &[Needed<'_>]) -> Result<Vec<Edge>, Fault> {
        let mut edges = Vec::with_capacity(needed.len());
        for needed in needed {
            let stated = needed.stated();
            let version = stated.and_then(|it| it.version.as_deref());
            let source = stated.and_then(|it| it.source.as_deref());
            let key = (&*needed.name, version, source);
            let target = self.index.only(&self.ids[package], key, needed.offset)?;
            let marker = stated.and_then(|it| it.marker.as_deref());
            let condition = || marker.map(Box::from);
            edges.push(Edge { to: target, condition: condition() });
            // An extra that brings no packages is not in the file.
            for extra in stated.map_or(&[][..], |it| &it.extras) {
                if let Some(&extra) = self.extras.get(&(target, extra.clone())) {
                    edges.push(Edge { to: extra, condition: condition() });
                }
            }
        }
        Ok(edges)
    }

    /// What the workspace asks for without a package of its own: a script's requirements, and the
    /// dependency groups of a `pyproject.toml` without a project. Named without versions, so every
    /// fork of a name is meant.
    fn join_workspace(
        &mut self,
        scope: Scope,
        group: Option<&String>,
        requirements: &[RawRequirement],
    ) -> Result<(), Fault> {
        let node = self.add(None, group);
        for RawRequirement { name, extras, marker } in requirements {
            let name = normalized(name);
            let marker = marker.as_deref().and_then(text::said);
            let named = self.named.get(&*name).map_or(&[][..], Vec::as_slice);
            self.edges += named.len() * (1 + extras.len());
            if self.edges > MAX_EDGES {
                return Err(Problem::TooManyEdges { limit: MAX_EDGES }.anywhere());
            }
            for &package in named {
                self.nodes[node].ask_if(package, marker.as_deref());
                for extra in extras {
                    if let Some(&extra) =
                        self.extras.get(&(package, normalized(extra).into_owned()))
                    {
                        self.nodes[node].ask_if(extra, marker.as_deref());
                    }
                }
            }
        }
        self.starts.push((scope, node));
        Ok(())
    }
}
