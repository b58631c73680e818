//! The packages of a workspace: each lock entry without a source, with its `Cargo.toml`.

use std::collections::{HashMap, HashSet};

use toml::Table;

use super::super::graph::Node;
use super::super::{Beside, Note, Package, Scope, Source, toml_file};
use super::features::turned_on;
use super::manifest::{Ask, Kind, Manifest};

/// Most entries for one package that a manifest's purposes are taken from; with more, it is required.
const MAX_ASKS: usize = 64;

/// Every manifest in the folder of a `Cargo.lock` and below.
#[derive(Default)]
pub(super) struct Members {
    manifests: Vec<Manifest>,
    /// The folder of each, relative to the lockfile.
    folders: Vec<String>,
    /// Manifests that could not be read.
    pub(super) notes: Vec<Note>,
}

impl Members {
    pub(super) fn beside(beside: &Beside<'_>) -> Self {
        let mut members = Self::default();
        let mut documents = Vec::new();
        for (path, text) in beside.below("Cargo.toml") {
            match toml_file::read::<Table>(text) {
                Ok(document) => documents.push((path, document)),
                Err(fault) => members.notes.push(fault.note(path, text)),
            }
        }
        let workspaces: HashMap<&str, &Table> = documents
            .iter()
            .filter_map(|(path, it)| Some((folder(path), it.get("workspace")?.as_table()?)))
            .collect();
        for (path, document) in &documents {
            let mut above = std::iter::successors(Some(folder(path)), |it| parent(it));
            let workspace = above.find_map(|folder| workspaces.get(folder).copied());
            if let Some(manifest) = Manifest::of(document, workspace) {
                members.manifests.push(manifest);
                members.folders.push(folder(path).to_owned());
            }
        }
        members
    }

    /// Tells the roots among `packages` what their manifests say, and what they ask for apart by its
    /// purpose; returns what is installed to begin with, and why.
    pub(super) fn join(
        &mut self,
        packages: &mut [Package],
        nodes: &mut Vec<Node>,
    ) -> Vec<(Scope, usize)> {
        let mut at: HashMap<(&str, Option<&str>), usize> = HashMap::new();
        for (place, Manifest { name, version, .. }) in self.manifests.iter().enumerate() {
            at.entry((name, version.as_deref())).or_insert(place);
        }
        let turned_on = turned_on(&self.manifests);
        let mut starts = Vec::new();
        for root in (0..packages.len()).filter(|&it| packages[it].root).collect::<Vec<_>>() {
            starts.push((Scope::Required, root));
            let Package { name, version, .. } = &packages[root];
            let found = at.get(&(name, version.as_deref())).or_else(|| at.get(&(name, None)));
            let Some(&place) = found else { continue };
            let manifest = &self.manifests[place];
            starts.extend(tell_apart(root, manifest, &turned_on[place], packages, nodes));
            let package = &mut packages[root];
            package.licence.clone_from(&manifest.licence);
            package.supplier.clone_from(&manifest.supplier);
            package.source = Source::Local { path: Some(self.folders[place].clone()) };
        }
        starts
    }
}

/// Splits the node of `root` by the purposes that its manifest gives its dependencies; what the
/// manifest does not know stays required.
fn tell_apart(
    root: usize,
    manifest: &Manifest,
    turned_on: &HashSet<&str>,
    packages: &[Package],
    nodes: &mut Vec<Node>,
) -> Vec<(Scope, usize)> {
    let mut asks: HashMap<&str, Vec<&Ask>> = HashMap::new();
    for ask in &manifest.asks {
        asks.entry(&ask.package).or_default().push(ask);
    }
    let mut groups = [
        (Scope::Required, None),
        (Scope::Required, Some("build")),
        (Scope::Optional, None),
        (Scope::Dev, Some("dev")),
    ]
    .map(|(scope, group)| (scope, Node { group: group.map(str::to_owned), ..Node::of(root) }));
    for edge in std::mem::take(&mut nodes[root].dependencies) {
        let Some(asks) = asks.get(&*packages[edge.to].name) else {
            groups[0].1.ask(edge.to);
            continue;
        };
        for ask in asks.iter().take(MAX_ASKS) {
            let group = match ask.kind {
                Kind::Dev => 3,
                _ if ask.optional && !turned_on.contains(&*ask.key) => 2,
                Kind::Build => 1,
                Kind::Normal => 0,
            };
            groups[group].1.ask_if(edge.to, ask.target.as_deref());
        }
        if asks.len() > MAX_ASKS {
            groups[0].1.ask(edge.to);
        }
    }
    let [required, others @ ..] = groups;
    nodes[root] = required.1;
    let others = others.into_iter().filter(|(_, node)| !node.dependencies.is_empty());
    let starts = others.map(|(scope, node)| {
        nodes.push(node);
        (scope, nodes.len() - 1)
    });
    starts.collect()
}

fn folder(path: &str) -> &str {
    parent(path).unwrap_or_default()
}

/// The folder that has `path`; nothing above the top.
fn parent(path: &str) -> Option<&str> {
    if path.is_empty() {
        return None;
    }
    Some(path.rsplit_once('/').map_or("", |(folder, _)| folder))
}
