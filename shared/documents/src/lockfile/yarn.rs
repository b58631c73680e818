//! `yarn.lock` of Yarn 1, which has a syntax of its own, and of Yarn 2 and later, which is YAML.
//!
//! Its entries are named by what was asked for, such as `name@^1.0.0`; so an edge goes to the entry
//! that has what the package asks for among its names. What the project asks for stands in the
//! `package.json` files of its workspace; later versions list it too, but not what is for developers.

mod berry;
mod classic;

use std::borrow::Cow;
use std::collections::HashMap;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::npm::manifest::{FILE_NAME, Manifest};
use super::npm::members::Members;
use super::npm::packages::{with_groups, with_scopes};
use super::npm::reach::Reach;
use super::{Beside, Ecosystem, Format, Note, Package, Scope};

pub(super) const FORMAT: Format = Format {
    file_names: &["yarn.lock"],
    pattern: None,
    is_lock: true,
    companions: &[FILE_NAME],
    ecosystem: Ecosystem::Npm,
    relock: "run `yarn install` and commit the result",
    read,
};

/// An entry of either syntax.
struct Entry<'a> {
    offset: Option<usize>,
    package: Package,
    /// What was asked for: `name@range`.
    descriptors: Vec<Cow<'a, str>>,
    needed: Vec<Needed<'a>>,
    /// The folder, if it is a member of the workspace.
    workspace: Option<String>,
}

/// Something that an entry asks for.
struct Needed<'a> {
    name: Cow<'a, str>,
    range: Cow<'a, str>,
    optional: bool,
    offset: Option<usize>,
}

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let mut notes = Vec::new();
    let is_yaml = text.starts_with("__metadata:") || text.contains("\n__metadata:");
    let entries = if is_yaml { berry::read(text, &mut notes)? } else { classic::read(text)? };
    let index = Index::new(&entries)?;
    let roots = if is_yaml {
        let folders = entries
            .iter()
            .enumerate()
            .filter_map(|(at, it)| Some((it.workspace.clone()?, Some(at))));
        let roots = folders.map(|(folder, entry)| {
            let manifest = Manifest::beside(beside, &folder, &mut notes);
            Root { manifest, folder, entry, package: None }
        });
        roots.collect()
    } else {
        projects(beside, &mut notes)
    };
    let mut graph =
        Graph { entries: &entries, index, roots, catalog: Catalog::default(), nodes: Vec::new() };
    graph.add()?;
    graph.finish(notes)
}

/// The manifests of the project and of the members of its workspace, for Yarn 1 lists neither.
fn projects<'a>(beside: &Beside<'a>, notes: &mut Vec<Note>) -> Vec<Root<'a>> {
    let Some(manifest) = Manifest::beside(beside, "", notes) else { return Vec::new() };
    let members = Members::new(&manifest.workspaces);
    let folders =
        beside.folders_with(FILE_NAME).into_iter().filter(|folder| members.contain(folder));
    let folders: Vec<&str> = folders.collect();
    let mut roots =
        vec![Root { manifest: Some(manifest), folder: String::new(), entry: None, package: None }];
    for folder in folders {
        let manifest = Manifest::beside(beside, folder, notes);
        roots.push(Root { manifest, folder: folder.to_owned(), entry: None, package: None });
    }
    roots
}

/// The project, or a member of its workspace.
struct Root<'a> {
    manifest: Option<Manifest<'a>>,
    folder: String,
    entry: Option<usize>,
    package: Option<usize>,
}

/// Finds entries by what was asked for.
struct Index<'e> {
    by_descriptor: HashMap<&'e str, usize>,
    by_name: HashMap<&'e str, Vec<usize>>,
}

impl<'e> Index<'e> {
    fn new(entries: &'e [Entry<'_>]) -> Result<Self, Fault> {
        let mut by_descriptor = HashMap::new();
        let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, entry) in entries.iter().enumerate() {
            for descriptor in &entry.descriptors {
                if by_descriptor.insert(&**descriptor, at).is_some_and(|other| other != at) {
                    let package = descriptor.chars().take(200).collect();
                    return Err(Fault {
                        offset: entry.offset,
                        problem: Problem::DuplicatePackage { package },
                    });
                }
                let named = by_name.entry(split(descriptor).0).or_default();
                if named.last() != Some(&at) {
                    named.push(at);
                }
            }
        }
        Ok(Self { by_descriptor, by_name })
    }

    /// Whether an entry has this very name and range.
    fn has(&self, name: &str, range: &str) -> bool {
        self.by_descriptor.contains_key(format!("{name}@{range}").as_str())
    }

    /// The entries that a name and a range may mean: one, but where `resolutions` replaced the range,
    /// every entry of the name.
    fn find(&self, name: &str, range: &str) -> &[usize] {
        let by = |descriptor: String| self.by_descriptor.get(descriptor.as_str());
        let found = by(format!("{name}@{range}"));
        let found = found.or_else(|| by(format!("{name}@npm:{range}")));
        match found {
            Some(found) => std::slice::from_ref(found),
            None => self.by_name.get(name).map_or(&[], Vec::as_slice),
        }
    }
}

struct Graph<'e, 'a> {
    entries: &'e [Entry<'a>],
    index: Index<'e>,
    roots: Vec<Root<'a>>,
    catalog: Catalog,
    /// The package of each entry.
    nodes: Vec<usize>,
}

impl<'e> Graph<'e, '_> {
    /// Adds the packages of all entries, and first the projects that have no entry.
    fn add(&mut self) -> Result<(), Fault> {
        let mut manifests = HashMap::new();
        for root in &mut self.roots {
            let package = root.manifest.as_ref().and_then(|it| it.root(&root.folder)).transpose();
            let package = package.map_err(Problem::anywhere)?;
            match (root.entry, package) {
                (Some(entry), package) => drop(manifests.insert(entry, package)),
                (None, Some(package)) => {
                    root.package = Some(self.catalog.add(package).map_err(Problem::anywhere)?);
                }
                (None, None) => {}
            }
        }
        for (at, entry) in self.entries.iter().enumerate() {
            let described = manifests.remove(&at).flatten();
            let described = described.filter(|package| package.name == entry.package.name);
            let package = match described {
                Some(package) => Package { line: entry.package.line, ..package },
                None => entry.package.clone(),
            };
            let added = self.catalog.add(package);
            self.nodes.push(added.map_err(|problem| Fault { offset: entry.offset, problem })?);
        }
        for root in &mut self.roots {
            root.package = root.package.or_else(|| Some(self.nodes[root.entry?]));
        }
        Ok(())
    }

    fn finish(mut self, mut notes: Vec<Note>) -> Result<Contents, Fault> {
        let mut reach = Reach::new(self.entries.len());
        let mut asked = Asked::default();
        let roots = std::mem::take(&mut self.roots);
        let members =
            roots.iter().filter_map(|it| Some((it.manifest.as_ref()?.name.only()?, it.package?)));
        let members: HashMap<&str, usize> = members.collect();
        for (at, entry) in self.entries.iter().enumerate() {
            for needed in &entry.needed {
                self.need(at, needed, &members, &mut reach)?;
            }
        }
        for root in &roots {
            let missing = self.ask(root, &members, &mut reach, &mut asked);
            for name in missing.map_err(Problem::anywhere)? {
                let name = name.chars().take(200).collect::<String>();
                let message =
                    format!("{FILE_NAME} asks for {name:?}, which is not here; run `yarn install`");
                notes.push(Note { line: 1, message });
            }
        }
        let direct_known = !roots.is_empty();
        if !direct_known {
            self.catalog.mark_unasked_as_direct();
        }
        let packages = with_groups(self.catalog.into_packages(), &asked.groups);
        let mut packages = with_scopes(packages, self.nodes.into_iter().zip(reach.scopes()));
        for at in asked.direct {
            packages[at].direct = !packages[at].root;
        }
        Ok(Contents { packages, notes, edges_known: true, direct_known, complete: true })
    }

    /// Joins an entry to one of the packages that it asks for.
    fn need(
        &mut self,
        from: usize,
        needed: &Needed<'_>,
        members: &HashMap<&str, usize>,
        reach: &mut Reach,
    ) -> Result<(), Fault> {
        let fault = |problem| Fault { offset: needed.offset, problem };
        let found = self.index.find(&needed.name, &needed.range);
        for &to in found {
            self.catalog.depend(self.nodes[from], self.nodes[to]).map_err(fault)?;
            if self.entries[from].workspace.is_none() {
                reach.need(from, to, needed.optional);
            }
        }
        if !found.is_empty() || needed.optional {
            return Ok(());
        }
        if let Some(&member) = members.get(&*needed.name) {
            return self.catalog.depend(self.nodes[from], member).map_err(fault);
        }
        let descriptor = format!("{}@{}", needed.name, needed.range);
        let package = self.entries[from].package.name.clone();
        let dependency = descriptor.chars().take(200).collect();
        Err(fault(Problem::DanglingDependency { package, dependency }))
    }

    /// Joins a project to what it asks for; returns what is not in the lockfile.
    fn ask<'r>(
        &mut self,
        root: &'r Root<'_>,
        members: &HashMap<&str, usize>,
        reach: &mut Reach,
        asked: &mut Asked,
    ) -> Result<Vec<&'r str>, Problem> {
        let mut missing = Vec::new();
        let entry = root.entry.map(|at| &self.entries[at]);
        let mut known = HashMap::new();
        for (scope, group, name, range) in root.manifest.iter().flat_map(Manifest::asked) {
            if entry.is_some() {
                known.entry(&**name).or_insert((scope, group));
                continue;
            }
            let range = range.only().unwrap_or_default();
            let mut found = self.index.find(name, range).to_vec();
            if members.contains_key(&**name) {
                // A member is meant where the range fits no entry.
                found.retain(|_| self.index.has(name, range));
            }
            let packages = found.iter().map(|&to| self.nodes[to]);
            let packages: Vec<usize> = packages
                .chain(found.is_empty().then(|| members.get(&**name).copied()).flatten())
                .collect();
            if packages.is_empty() && scope != Scope::Optional {
                missing.push(&**name);
            }
            found.iter().for_each(|&to| reach.start(scope, to));
            for to in packages {
                asked.take(to, group);
                root.package.map(|from| self.catalog.depend(from, to)).transpose()?;
            }
        }
        for needed in entry.iter().flat_map(|entry| &entry.needed) {
            let weakest = if needed.optional { Scope::Optional } else { Scope::Required };
            let (scope, group) = known.get(&*needed.name).copied().unwrap_or((weakest, None));
            for &to in self.index.find(&needed.name, &needed.range) {
                reach.start(scope, to);
                asked.take(self.nodes[to], group);
            }
        }
        Ok(missing)
    }
}

/// What the projects ask for.
#[derive(Default)]
struct Asked {
    direct: Vec<usize>,
    groups: Vec<(usize, &'static str)>,
}

impl Asked {
    fn take(&mut self, to: usize, group: Option<&'static str>) {
        self.direct.push(to);
        self.groups.extend(group.map(|group| (to, group)));
    }
}

/// Name and range of a descriptor; the at sign of a scope is part of the name.
fn split(descriptor: &str) -> (&str, &str) {
    let at = descriptor.char_indices().skip(1).find(|(_, it)| *it == '@');
    at.map_or((descriptor, ""), |(at, _)| (&descriptor[..at], &descriptor[at + 1..]))
}

/// The package that a range such as `npm:other@^1.0.0` means instead.
fn alias(range: &str) -> Option<&str> {
    let (name, _) = split(range.strip_prefix("npm:")?);
    let is_range = name.starts_with(|it: char| it.is_ascii_digit() || "^~<>=*vx ".contains(it));
    (!is_range && !name.is_empty()).then_some(name)
}
