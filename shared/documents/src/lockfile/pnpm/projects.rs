//! The projects of a `pnpm-lock.yaml`, and what they ask for.

use std::collections::HashMap;

use super::raw::{Chosen, RawImporter};
use super::{File, Nodes};
use crate::inventory::{Package, Scope};
use crate::lockfile::borrowed::{Entries, Text};
use crate::lockfile::error::{Fault, Problem};
use crate::lockfile::npm::manifest::{Manifest, local};
use crate::lockfile::npm::packages::package;
use crate::lockfile::npm::reach::Reach;
use crate::lockfile::{Beside, Note};

/// The projects of one document, which are its first nodes.
pub(super) struct Projects<'r, 'a> {
    projects: Vec<Project<'r, 'a>>,
    by_folder: HashMap<String, usize>,
}

struct Project<'r, 'a> {
    folder: String,
    raw: &'r RawImporter<'a>,
    manifest: Option<Manifest<'a>>,
    line_of: &'r str,
    /// Its package, where its name is known.
    package: Option<usize>,
}

impl<'r, 'a> Projects<'r, 'a> {
    pub(super) fn new(
        raw: &'r Entries<'a, RawImporter<'a>>,
        beside: &Beside<'a>,
        notes: &mut Vec<Note>,
    ) -> Self {
        let mut found = Self { projects: Vec::new(), by_folder: HashMap::new() };
        for (key, raw) in raw.iter() {
            let folder = joined("", key);
            let manifest = Manifest::beside(beside, &folder, notes);
            found.by_folder.insert(folder.clone(), found.projects.len());
            if let Some(published) = &raw.publish_directory {
                let published = joined(&folder, published);
                found.by_folder.entry(published).or_insert(found.projects.len());
            }
            found.projects.push(Project { folder, raw, manifest, line_of: key, package: None });
        }
        found
    }

    /// Adds the projects whose names are known, from their manifests or from links to them.
    pub(super) fn add(&mut self, file: &mut File<'a>) -> Result<(), Fault> {
        let mut names: HashMap<usize, &Text<'a>> = HashMap::new();
        for project in &self.projects {
            for (_, _, name, reference) in project.asked() {
                let target =
                    reference.strip_prefix("link:").map(|path| joined(&project.folder, path));
                if let Some(&to) = target.and_then(|folder| self.by_folder.get(&folder)) {
                    names.entry(to).or_insert(name);
                }
            }
        }
        for (at, project) in self.projects.iter_mut().enumerate() {
            let root = project.manifest.as_ref().and_then(|it| it.root(&project.folder));
            let root =
                root.or_else(|| Some(package(names.get(&at)?, None, local(&project.folder))));
            let root = root.transpose().map_err(|problem| file.at(project.line_of, problem))?;
            let Some(root) = root else { continue };
            let root = Package { root: true, line: file.line(project.line_of), ..root };
            let added = file.catalog.add(root);
            project.package = Some(added.map_err(|problem| file.at(project.line_of, problem))?);
        }
        Ok(())
    }

    pub(super) fn nodes(&self) -> Vec<Option<usize>> {
        self.projects.iter().map(|project| project.package).collect()
    }

    /// Joins the projects to what they ask for.
    pub(super) fn ask(
        &self,
        file: &mut File<'a>,
        reach: &mut Reach,
        nodes: &Nodes<'_>,
    ) -> Result<(), Fault> {
        for project in &self.projects {
            for (scope, group, name, reference) in project.asked() {
                let to = match reference.strip_prefix("link:") {
                    Some(path) => self.linked(file, &joined(&project.folder, path), name)?,
                    None => {
                        let node = file.find(nodes, project.line_of, name, reference)?;
                        reach.start(scope, node);
                        nodes.packages[node]
                    }
                };
                let Some(to) = to else { continue };
                file.direct.push(to);
                file.groups.extend(group.map(|group| (to, group)));
                if let Some(from) = project.package {
                    file.catalog.depend(from, to).map_err(|problem| file.at(name, problem))?;
                }
            }
        }
        Ok(())
    }

    /// The package in a folder that a project links to: another project, or something else.
    fn linked(
        &self,
        file: &mut File<'a>,
        folder: &str,
        name: &Text<'a>,
    ) -> Result<Option<usize>, Fault> {
        if let Some(&project) = self.by_folder.get(folder) {
            return Ok(self.projects[project].package);
        }
        let linked =
            package(name, None, local(folder)).map(|it| Package { line: file.line(name), ..it });
        let added = linked.and_then(|linked| file.catalog.add(linked));
        added.map(Some).map_err(|problem: Problem| file.at(name, problem))
    }
}

impl<'r, 'a> Project<'r, 'a> {
    /// Everything asked for, with the reason and the name of the group.
    fn asked(
        &self,
    ) -> impl Iterator<Item = (Scope, Option<&'static str>, &'r Text<'a>, &'r str)> + use<'r, 'a>
    {
        let raw = self.raw;
        let groups: [(Scope, Option<&'static str>, &'r Chosen<'a>); 5] = [
            (Scope::Required, None, &raw.dependencies),
            (Scope::Dev, Some("dev"), &raw.dev_dependencies),
            (Scope::Optional, Some("optional"), &raw.optional_dependencies),
            (Scope::Dev, Some("config"), &raw.config_dependencies),
            (Scope::Dev, Some("packageManager"), &raw.package_manager_dependencies),
        ];
        groups.into_iter().flat_map(|(scope, group, chosen)| {
            let chosen = chosen.iter().filter_map(|(name, it)| Some((name, it.only()?)));
            chosen.map(move |(name, reference)| (scope, group, name, reference))
        })
    }
}

/// `path` as seen from `folder`, in its shortest form; a step out of the project stays.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
