//! From what a lockfile says each package asks for, to edges, scopes and direct dependencies.

mod conditions;

use hashbrown::HashMap;

use super::error::{Fault, Problem};
use super::{Package, Scope};

/// Packages and what they ask for, before scopes are known.
///
/// The first `packages.len()` nodes are the packages themselves, in order.
pub(super) struct Graph {
    pub(super) packages: Vec<Package>,
    pub(super) nodes: Vec<Node>,
    /// What is installed to begin with, and why.
    pub(super) starts: Vec<(Scope, usize)>,
}

/// Something that can be asked for: a package, one of its extras or groups, or the workspace.
#[derive(Default)]
pub(super) struct Node {
    /// The package it belongs to; absent for the workspace.
    pub(super) package: Option<usize>,
    /// Name of the group or extra of the project that it is.
    pub(super) group: Option<String>,
    pub(super) dependencies: Vec<Edge>,
}

/// What a node asks for.
pub(super) struct Edge {
    /// The node that is asked for.
    pub(super) to: usize,
    /// When it is, as the file writes it; otherwise always.
    pub(super) condition: Option<Box<str>>,
}

impl Node {
    /// A node of `package`.
    pub(super) fn of(package: usize) -> Self {
        Self { package: Some(package), ..Self::default() }
    }

    /// Asks for the node `to`, always.
    pub(super) fn ask(&mut self, to: usize) {
        self.ask_if(to, None);
    }

    /// Asks for the node `to` where the condition holds.
    pub(super) fn ask_if(&mut self, to: usize, condition: Option<&str>) {
        self.dependencies.push(Edge { to, condition: condition.map(Box::from) });
    }
}

impl Graph {
    /// The packages with edges, scopes, directness, groups and conditions filled in, in linear time.
    pub(super) fn into_packages(mut self) -> Vec<Package> {
        self.assign_scopes();
        self.mark_direct();
        let starts: Vec<usize> = self.starts.iter().map(|(_, node)| *node).collect();
        conditions::assign(&mut self.packages, &self.nodes, &starts);
        self.collect_edges();
        self.packages
    }

    /// Strongest scope first, so that a node is visited once and keeps what it got.
    fn assign_scopes(&mut self) {
        let mut seen = vec![false; self.nodes.len()];
        let mut scopes = vec![None; self.packages.len()];
        for scope in [Scope::Required, Scope::Optional, Scope::Dev] {
            let starts = self.starts.iter().filter(|(of, _)| *of == scope);
            let mut pending: Vec<usize> = starts.map(|(_, node)| *node).collect();
            while let Some(node) = pending.pop() {
                if std::mem::replace(&mut seen[node], true) {
                    continue;
                }
                if let Some(package) = self.nodes[node].package {
                    scopes[package].get_or_insert(scope);
                }
                pending.extend(self.nodes[node].dependencies.iter().map(|edge| edge.to));
            }
        }
        for (package, scope) in self.packages.iter_mut().zip(scopes) {
            package.scope = scope.unwrap_or(Scope::Required);
        }
    }

    fn mark_direct(&mut self) {
        for (_, start) in &self.starts {
            let Node { package: asking, group, dependencies } = &self.nodes[*start];
            for edge in dependencies {
                let Some(asked) = self.nodes[edge.to].package else { continue };
                let package = &mut self.packages[asked];
                package.direct |= !package.root;
                // An extra asks for its own package, too, which is in no group by that.
                if Some(asked) != *asking {
                    package.groups.extend(group.clone());
                }
            }
        }
        for package in &mut self.packages {
            package.groups.sort_unstable();
            package.groups.dedup();
        }
    }

    fn collect_edges(&mut self) {
        for node in &self.nodes {
            let Some(owner) = node.package else { continue };
            let targets = node.dependencies.iter().filter_map(|edge| self.nodes[edge.to].package);
            // An extra asks for its own package, which is no edge.
            let targets = targets.filter(|&target| target != owner);
            self.packages[owner].dependencies.extend(targets);
        }
        for package in &mut self.packages {
            package.dependencies.sort_unstable();
            package.dependencies.dedup();
        }
    }
}

/// Name, version and source: what tells one package of a lockfile from another.
#[derive(Debug)]
pub(super) struct Id {
    pub(super) name: String,
    pub(super) version: Option<String>,
    /// The source as the lockfile writes it; empty for a local one that it does not name.
    pub(super) source: String,
    /// Where the package stands in the file, in bytes.
    pub(super) offset: usize,
}

impl Id {
    fn key(&self) -> Key<'_> {
        (&self.name, self.version.as_deref(), Some(&self.source))
    }

    /// `name version`, for messages.
    pub(super) fn label(&self) -> String {
        label(&self.name, self.version.as_deref())
    }
}

/// `name version`, for messages.
pub(super) fn label(name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    }
}

/// Finds packages by as much of their id as a dependency states.
pub(super) struct Index<'a> {
    ids: &'a [Id],
    named: HashMap<&'a str, Match>,
    /// Every part of an id that a dependency may state, of packages that share their name.
    found: HashMap<Key<'a>, Match>,
}

type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>);

/// How many packages fit a key.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Match {
    None,
    One(usize),
    Many,
}

impl<'a> Index<'a> {
    /// Index of `ids`, whose positions are the packages' own.
    pub(super) fn new(ids: &'a [Id]) -> Result<Self, Fault> {
        let mut named = HashMap::with_capacity(ids.len());
        for (package, id) in ids.iter().enumerate() {
            let of_name = named.entry(&*id.name).or_insert(Match::One(package));
            if *of_name != Match::One(package) {
                *of_name = Match::Many;
            }
        }
        let shared = |(_, id): &(usize, &Id)| named[&*id.name] == Match::Many;
        let mut found = HashMap::new();
        for (package, id) in ids.iter().enumerate().filter(shared) {
            let (name, version, source) = id.key();
            if found.insert((name, version, source), Match::One(package)).is_some() {
                return Err(Problem::DuplicatePackage { package: id.label() }.at(id.offset));
            }
        }
        for (package, id) in ids.iter().enumerate().filter(shared) {
            let (name, version, source) = id.key();
            for key in [(name, version, None), (name, None, source), (name, None, None)] {
                let others = found.entry(key).or_insert(Match::One(package));
                if *others != Match::One(package) {
                    *others = Match::Many;
                }
            }
        }
        Ok(Self { ids, named, found })
    }

    /// The package that has what is stated of its name, version and source.
    pub(super) fn find(&self, name: &str, version: Option<&str>, source: Option<&str>) -> Match {
        match self.named.get(name) {
            Some(&Match::One(package)) => {
                let (_, its_version, its_source) = self.ids[package].key();
                let fits = |stated: Option<&str>, its| stated.is_none() || stated == its;
                match fits(version, its_version) && fits(source, its_source) {
                    true => Match::One(package),
                    false => Match::None,
                }
            }
            Some(Match::Many) => {
                self.found.get(&(name, version, source)).copied().unwrap_or(Match::None)
            }
            _ => Match::None,
        }
    }

    /// As [`find`](Self::find), with the fault to report where not exactly one package fits.
    pub(super) fn only(
        &self,
        asking: &Id,
        (name, version, source): Key<'_>,
        offset: usize,
    ) -> Result<usize, Fault> {
        let matched = self.find(name, version, source);
        if let Match::One(found) = matched {
            return Ok(found);
        }
        let (package, dependency) = (asking.label(), label(name, version));
        let problem = match matched {
            Match::Many => Problem::AmbiguousDependency { package, dependency },
            _ => Problem::DanglingDependency { package, dependency },
        };
        Err(problem.at(offset))
    }
}
