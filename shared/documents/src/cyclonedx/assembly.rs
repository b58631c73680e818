//! Which components an SBOM has, how they are called, and what depends on what.

use std::borrow::Cow;
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};

use hashbrown::{HashMap, HashSet};
use purl::Purl;

use super::licence::Licence;
use super::{SbomInput, edges, merge};
use crate::inventory::{Inventory, Package, Source};

/// The project, its artifacts and its components, ordered and named.
///
/// Nodes are numbered: [`PROJECT`], then the artifacts, then the components.
pub(super) struct Assembly<'a> {
    /// Ordered by place, so that the order in which they come changes nothing.
    pub(super) inventories: Vec<&'a Inventory>,
    pub(super) project: Project<'a>,
    /// Sorted by name.
    pub(super) artifacts: Vec<Artifact<'a>>,
    /// Each as the inventories have it, at least one; sorted by purl.
    pub(super) components: Vec<Vec<Found<'a>>>,
    /// `bom-ref` of each node.
    pub(super) refs: Vec<Cow<'a, str>>,
    /// The nodes that each node depends on, ascending, each once.
    pub(super) edges: Vec<Vec<usize>>,
    /// The node of the project or artifact that each inventory is about.
    pub(super) owners: Vec<usize>,
    /// What the texts that inventories give as licences mean.
    pub(super) licences: HashMap<&'a str, Option<Licence<'a>>>,
}

/// A package as one inventory has it.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) package: &'a Package,
}

/// What the SBOM is about.
pub(super) struct Project<'a> {
    pub(super) version: Option<&'a str>,
    pub(super) purl: Option<String>,
    /// The root package that it is.
    pub(super) package: Option<Found<'a>>,
}

/// A file that the build made.
pub(super) struct Artifact<'a> {
    pub(super) name: &'a str,
    /// Absent where only an inventory names the artifact.
    pub(super) sha256: Option<String>,
    /// The package that the file is, where something in it says so.
    pub(super) package: Option<Found<'a>>,
}

/// The project's node.
pub(super) const PROJECT: usize = 0;

/// Position of an inventory, and of a package in it.
type At = (usize, usize);

impl<'a> Assembly<'a> {
    pub(super) fn take(input: &SbomInput<'a>) -> Self {
        let mut inventories: Vec<_> = input.inventories.iter().collect();
        inventories.sort_by_key(|it| (&it.artifact, &it.path));
        let found = |(inventory, package): At| {
            let inventory: &Inventory = inventories[inventory];
            Found { inventory, package: &inventory.packages[package] }
        };
        let mut artifacts = artifacts(input, &inventories);
        let owners = owners(&artifacts, &inventories);
        let subjects = subjects(input.project, &inventories, &owners, artifacts.len());
        for (artifact, subject) in artifacts.iter_mut().zip(&subjects[1..]) {
            artifact.package = subject.map(found);
        }
        let project = Project::new(input, subjects[PROJECT].map(found));
        let mut refs = names_of_first_nodes(input.project, &project, &artifacts);
        let mut nodes: Vec<Vec<usize>> =
            inventories.iter().map(|it| vec![PROJECT; it.packages.len()]).collect();
        for (owner, subject) in subjects.iter().enumerate() {
            if let &Some((inventory, package)) = subject {
                nodes[inventory][package] = owner;
            }
        }
        let groups = groups(&inventories, &subjects.into_iter().flatten().collect());
        let mut components = Vec::with_capacity(groups.len());
        for group in groups {
            for &(inventory, package) in &group {
                nodes[inventory][package] = refs.len() + components.len();
            }
            components.push(group.into_iter().map(found).collect::<Vec<_>>());
        }
        name_components(&mut refs, &components);
        let edges = edges::of(&inventories, &nodes, &owners, refs.len());
        let licences = licences(&inventories);
        Self { inventories, project, artifacts, components, refs, edges, owners, licences }
    }

    /// Number of the first component's node.
    pub(super) fn first_component(&self) -> usize {
        1 + self.artifacts.len()
    }
}

impl<'a> Project<'a> {
    fn new(input: &SbomInput<'a>, package: Option<Found<'a>>) -> Self {
        let said = package.and_then(|found| found.package.version.as_deref());
        let version = input.version.or(said);
        let purl = match package {
            Some(found) => found.package.purl.parse::<Purl>().ok(),
            None => Purl::new("generic", input.project).checked().ok(),
        };
        let purl = purl.map(|purl| match version {
            Some(version) => purl.with_version(version).canonical(),
            None => purl.canonical(),
        });
        Self { version, purl, package }
    }
}

/// Those that the build made, and those that only an inventory names.
fn artifacts<'a>(input: &SbomInput<'a>, inventories: &[&'a Inventory]) -> Vec<Artifact<'a>> {
    let mut digests: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for name in inventories.iter().filter_map(|it| it.artifact.as_deref()) {
        digests.entry(name).or_default();
    }
    for (name, digest) in input.artifacts {
        digests.entry(name).or_default().insert(digest.hex());
    }
    let mut artifacts = Vec::new();
    for (name, digests) in digests {
        if digests.is_empty() {
            artifacts.push(Artifact { name, sha256: None, package: None });
        }
        let known = digests.into_iter();
        artifacts.extend(known.map(|hex| Artifact { name, sha256: Some(hex), package: None }));
    }
    artifacts
}

fn owners(artifacts: &[Artifact<'_>], inventories: &[&Inventory]) -> Vec<usize> {
    let owner = |inventory: &&Inventory| match inventory.artifact.as_deref() {
        Some(name) => 1 + artifacts.partition_point(|artifact| artifact.name < name),
        None => PROJECT,
    };
    inventories.iter().map(owner).collect()
}

/// The root package that the project is, and the one that each artifact is.
fn subjects(
    project: &str,
    inventories: &[&Inventory],
    owners: &[usize],
    artifacts: usize,
) -> Vec<Option<At>> {
    let mut roots: Vec<Vec<At>> = vec![Vec::new(); 1 + artifacts];
    for (at, package) in all(inventories) {
        if package.root {
            roots[owners[at.0]].push(at);
        }
    }
    // A project may be named with its owner: acme/hotpass.
    let last = project.rsplit('/').next().unwrap_or(project);
    let is_named = |&&(inventory, package): &&At| {
        let name = &inventories[inventory].packages[package].name;
        name.eq_ignore_ascii_case(project) || name.eq_ignore_ascii_case(last)
    };
    let subject = |(owner, roots): (usize, Vec<At>)| {
        if let [only] = roots[..] {
            return Some(only);
        }
        let mut named = roots.iter().filter(is_named).filter(|_| owner == PROJECT);
        match (named.next(), named.next()) {
            (Some(at), None) => Some(*at),
            _ => None,
        }
    };
    roots.into_iter().enumerate().map(subject).collect()
}

fn all<'a>(inventories: &[&'a Inventory]) -> impl Iterator<Item = (At, &'a Package)> {
    inventories.iter().enumerate().flat_map(|(inventory, it)| {
        it.packages.iter().enumerate().map(move |(package, it)| ((inventory, package), it))
    })
}

/// Packages that are one component, sorted by purl; without `subjects`, which are none.
fn groups(inventories: &[&Inventory], subjects: &HashSet<At>) -> Vec<Vec<At>> {
    let rest = all(inventories).filter(|(at, _)| !subjects.contains(at));
    let mut rest: Vec<_> = rest
        .map(|(at, package)| (package.purl.as_str(), place(inventories[at.0], package), at))
        .collect();
    // Lockfiles are sorted mostly, which this one makes use of.
    rest.sort();
    let of_one_purl_and_place = rest.chunk_by(|one, other| (one.0, &one.1) == (other.0, &other.1));
    let mut groups = Vec::with_capacity(rest.len());
    for members in of_one_purl_and_place {
        if let [(.., at)] = members {
            groups.push(vec![*at]);
            continue;
        }
        let package = |(inventory, package): At| &inventories[inventory].packages[package];
        let members = members.iter().map(|&(.., at)| (package(at), at)).collect();
        groups.extend(merge::clusters(members));
    }
    groups
}

/// Where a package that is only local lies: others of its name elsewhere are others.
fn place(inventory: &Inventory, package: &Package) -> Option<String> {
    let Source::Local { path } = &package.source else { return None };
    let path = match path {
        Some(path) => path,
        // A project lies where its lockfile does.
        None if package.root => "",
        None => return Some(format!("{}!", inventory.path)),
    };
    let mut parts: Vec<_> = inventory.path.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn names_of_first_nodes<'a>(
    name: &str,
    project: &Project<'_>,
    artifacts: &[Artifact<'_>],
) -> Vec<Cow<'a, str>> {
    let project = match &project.purl {
        Some(purl) => readable(purl).into_owned(),
        None => format!("project:{name}"),
    };
    let artifacts = artifacts.iter().map(|artifact| match &artifact.sha256 {
        Some(hex) => format!("artifact:{}@sha256:{hex}", artifact.name),
        None => format!("artifact:{}", artifact.name),
    });
    [project].into_iter().chain(artifacts).map(Cow::Owned).collect()
}

/// Each component by its purl, escapes undone; the second of the same purl as `#2`, if nothing else is named so.
fn name_components<'a>(refs: &mut Vec<Cow<'a, str>>, components: &[Vec<Found<'a>>]) {
    let names = || components.iter().map(|found| readable(&found[0].package.purl)).collect();
    let names: LazyCell<HashSet<Cow<'_, str>>, _> = LazyCell::new(names);
    let mut taken: HashSet<Cow<'a, str>> = refs.iter().cloned().collect();
    let (mut last, mut number) = ("", 1);
    for found in components {
        let purl = found[0].package.purl.as_str();
        if purl != last {
            (last, number) = (purl, 1);
        }
        let plain = readable(purl);
        let mut name = match number {
            1 => plain.clone(),
            _ => format!("{plain}#{number}").into(),
        };
        while taken.contains(&name) || (number > 1 && names.contains(&name)) {
            number += 1;
            name = format!("{plain}#{number}").into();
        }
        number += 1;
        taken.insert(name.clone());
        refs.push(name);
    }
}

/// A purl as a `bom-ref`, which is no URL: other tools refuse references with these escapes.
fn readable(purl: &str) -> Cow<'_, str> {
    match purl.contains('%') {
        true => Cow::Owned(purl.replace("%40", "@").replace("%2F", "/").replace("%3A", ":")),
        false => Cow::Borrowed(purl),
    }
}

fn licences<'a>(inventories: &[&'a Inventory]) -> HashMap<&'a str, Option<Licence<'a>>> {
    let mut licences = HashMap::new();
    for text in all(inventories).filter_map(|(_, package)| package.licence.as_deref()) {
        licences.entry(text).or_insert_with(|| Licence::read(text));
    }
    licences
}
