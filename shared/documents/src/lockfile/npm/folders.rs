//! The folders that npm fills, and how Node finds a package from one of them.

use std::collections::HashMap;

use hashbrown::DefaultHashBuilder;

use crate::lockfile::error::Problem;

/// Most folders of one file, those on the way included.
const MAX_FOLDERS: usize = 2_000_000;
/// Deepest folder, in segments of its path: some eighty packages within one another.
const MAX_DEPTH: usize = 256;

/// A tree of folders with packages in some of them.
pub(super) struct Folders<'a> {
    nodes: Vec<Node>,
    children: HashMap<(usize, &'a str), usize, DefaultHashBuilder>,
}

#[derive(Default)]
struct Node {
    parent: Option<usize>,
    depth: usize,
    package: Option<usize>,
    /// Its `node_modules`.
    modules: Option<usize>,
}

impl<'a> Folders<'a> {
    /// The folder of the lockfile.
    pub(super) const ROOT: usize = 0;

    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()], children: HashMap::default() }
    }

    /// The folder at `path` below `from`, made where it is not there.
    pub(super) fn add(&mut self, from: usize, path: &'a str) -> Result<usize, Problem> {
        let mut folder = from;
        for segment in segments(path) {
            if let Some(&child) = self.children.get(&(folder, segment)) {
                folder = child;
                continue;
            }
            let (child, depth) = (self.nodes.len(), self.nodes[folder].depth + 1);
            if child == MAX_FOLDERS {
                return Err(Problem::TooManyValues { limit: MAX_FOLDERS });
            }
            if depth > MAX_DEPTH {
                return Err(Problem::TooLong { field: "path", bytes: depth, limit: MAX_DEPTH });
            }
            self.nodes.push(Node { parent: Some(folder), depth, ..Node::default() });
            if segment == "node_modules" {
                self.nodes[folder].modules = Some(child);
            }
            self.children.insert((folder, segment), child);
            folder = child;
        }
        Ok(folder)
    }

    /// Puts a package into a folder.
    pub(super) fn put(&mut self, folder: usize, package: usize) {
        self.nodes[folder].package = Some(package);
    }

    /// The folder at `path`, where there is one.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.below(Self::ROOT, path)
    }

    /// The package in a folder.
    pub(super) fn package(&self, folder: usize) -> Option<usize> {
        self.nodes[folder].package
    }

    /// The package that Node finds by its name from `folder`: in the nearest `node_modules` upwards.
    pub(super) fn resolve(&self, folder: usize, name: &str) -> Option<usize> {
        let mut next = Some(folder);
        while let Some(folder) = next {
            let node = &self.nodes[folder];
            let found = node.modules.and_then(|modules| self.below(modules, name));
            if let Some(package) = found.and_then(|folder| self.nodes[folder].package) {
                return Some(package);
            }
            next = node.parent;
        }
        None
    }

    fn below(&self, from: usize, path: &str) -> Option<usize> {
        segments(path)
            .try_fold(from, |folder, segment| self.children.get(&(folder, segment)).copied())
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|segment| !matches!(*segment, "" | "."))
}
