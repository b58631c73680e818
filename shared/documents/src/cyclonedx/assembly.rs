//! Which components an SBOM has, how they are called, and what depends on what.

use std::collections::{BTreeMap, HashSet};

use purl::Purl;

use super::SbomInput;
use crate::inventory::{Distribution, Inventory, Package, Scope, Source};

/// The project and its components, ordered and named.
pub(super) struct Assembly<'a> {
    pub(super) project: Project<'a>,
    /// Sorted by purl.
    pub(super) components: Vec<Component<'a>>,
    /// `bom-ref` of each node of `edges`.
    pub(super) refs: Vec<String>,
    /// The project first, then each component: the nodes it depends on, ascending, each once.
    pub(super) edges: Vec<Vec<usize>>,
}

/// What the SBOM is about.
pub(super) struct Project<'a> {
    pub(super) version: Option<&'a str>,
    pub(super) purl: Option<String>,
}

/// A package, as one or several lockfiles have it.
pub(super) struct Component<'a> {
    pub(super) package: &'a Package,
    pub(super) scope: Scope,
    /// Paths of the lockfiles that have it.
    pub(super) lockfiles: Vec<&'a str>,
}

/// The project's node.
const PROJECT: usize = 0;

/// Packages that agree in this are the same: a purl, its files, and for local ones the place.
type Key<'a> = (&'a str, &'a [Distribution], Option<(&'a str, Option<&'a str>)>);

impl<'a> Assembly<'a> {
    pub(super) fn take(input: &SbomInput<'a>) -> Self {
        let subject = subject(input.project, input.inventories);
        let project =
            Project::new(input, subject.map(|(file, at)| &input.inventories[file].packages[at]));
        let mut nodes: Vec<Vec<usize>> = input
            .inventories
            .iter()
            .map(|lockfile| vec![PROJECT; lockfile.packages.len()])
            .collect();
        let mut refs =
            vec![project.purl.clone().unwrap_or_else(|| format!("project:{}", input.project))];
        let mut components = Vec::new();
        let mut namesakes = 0;
        for ((purl, ..), found) in group(input.inventories, subject) {
            components.push(Component::new(input.inventories, &found));
            for (file, at) in found {
                nodes[file][at] = refs.len();
            }
            namesakes = match components.len().checked_sub(2) {
                Some(before) if components[before].package.purl == purl => namesakes + 1,
                _ => usize::from(refs[PROJECT] == purl),
            };
            refs.push(match namesakes {
                0 => purl.to_owned(),
                others => format!("{purl}#{}", others + 1),
            });
        }
        let edges = edges(input.inventories, &nodes, refs.len());
        Self { project, components, refs, edges }
    }
}

impl<'a> Project<'a> {
    fn new(input: &SbomInput<'a>, subject: Option<&'a Package>) -> Self {
        let version = input.version.or(subject.and_then(|package| package.version.as_deref()));
        let purl = match subject {
            Some(package) => package.purl.parse::<Purl>().ok(),
            None => Purl::new("generic", input.project).checked().ok(),
        };
        let purl = purl.map(|purl| match version {
            Some(version) => purl.with_version(version).to_string(),
            None => purl.to_string(),
        });
        Self { version, purl }
    }
}

impl<'a> Component<'a> {
    fn new(lockfiles: &'a [Inventory], found: &[(usize, usize)]) -> Self {
        let packages = found.iter().map(|&(file, at)| &lockfiles[file].packages[at]);
        let scope = packages.map(|package| package.scope).min().unwrap_or(Scope::Required);
        let mut paths: Vec<_> =
            found.iter().map(|&(file, _)| lockfiles[file].path.as_str()).collect();
        paths.sort_unstable();
        paths.dedup();
        let (file, at) = found[0];
        Self { package: &lockfiles[file].packages[at], scope, lockfiles: paths }
    }
}

/// The root package that is the project itself, by lockfile and position.
fn subject(project: &str, lockfiles: &[Inventory]) -> Option<(usize, usize)> {
    let roots: Vec<_> = all(lockfiles).filter(|(_, package)| package.root).collect();
    if let [(only, _)] = roots[..] {
        return Some(only);
    }
    let mut named = roots.iter().filter(|(_, package)| package.name.eq_ignore_ascii_case(project));
    match (named.next(), named.next()) {
        (Some((at, _)), None) => Some(*at),
        _ => None,
    }
}

fn all(lockfiles: &[Inventory]) -> impl Iterator<Item = ((usize, usize), &Package)> {
    lockfiles.iter().enumerate().flat_map(|(file, lockfile)| {
        let packages = lockfile.packages.iter().enumerate();
        packages.map(move |(at, package)| ((file, at), package))
    })
}

fn group<'a>(
    lockfiles: &'a [Inventory],
    subject: Option<(usize, usize)>,
) -> BTreeMap<Key<'a>, Vec<(usize, usize)>> {
    let mut groups: BTreeMap<Key<'a>, Vec<_>> = BTreeMap::new();
    for (at, package) in all(lockfiles) {
        if Some(at) == subject {
            continue;
        }
        let place = match &package.source {
            Source::Local { path } => Some((lockfiles[at.0].path.as_str(), path.as_deref())),
            _ => None,
        };
        groups.entry((&package.purl, &package.distributions, place)).or_default().push(at);
    }
    groups
}

fn edges(lockfiles: &[Inventory], nodes: &[Vec<usize>], count: usize) -> Vec<Vec<usize>> {
    let mut edges = vec![Vec::new(); count];
    for (lockfile, nodes) in lockfiles.iter().zip(nodes) {
        let mut asked_by_root: HashSet<usize> = HashSet::new();
        for (package, &node) in lockfile.packages.iter().zip(nodes) {
            edges[node].extend(package.dependencies.iter().map(|&to| nodes[to]));
            if package.root {
                asked_by_root.extend(&package.dependencies);
            }
        }
        // The project has its other roots, and what the workspace asks for without a package.
        for (at, package) in lockfile.packages.iter().enumerate() {
            if package.root || (package.direct && !asked_by_root.contains(&at)) {
                edges[PROJECT].push(nodes[at]);
            }
        }
    }
    for (node, targets) in edges.iter_mut().enumerate() {
        targets.sort_unstable();
        targets.dedup();
        targets.retain(|&target| target != node);
    }
    edges
}
