//! Version 1 of the format: packages within packages, as they lie in `node_modules`.
//!
//! What the project itself asks for stands in `package.json` only.

use super::folders::Folders;
use super::raw::{RawLock, RawNested};
use super::{distributions_of, package, scope_of, source_of};
use crate::lockfile::catalog::{Catalog, Contents};
use crate::lockfile::error::Problem;
use crate::lockfile::{Package, Source};

pub(super) fn read(lock: &RawLock) -> Result<Contents, Problem> {
    let mut tree = Tree { catalog: Catalog::default(), folders: Folders::new(), asking: vec![] };
    if let Some(name) = &lock.name {
        let root = package(name, lock.version.as_deref(), Source::Local { path: None })?;
        tree.catalog.add(Package { root: true, ..root })?;
    }
    tree.take(Folders::ROOT, lock.dependencies.iter().flatten())?;
    let Tree { mut catalog, folders, asking } = tree;
    for (folder, raw) in asking {
        let Some(from) = folders.package(folder) else { continue };
        for to in raw.requires().filter_map(|name| folders.resolve(folder, name)) {
            catalog.depend(from, to)?;
        }
    }
    catalog.mark_unasked_as_direct();
    Ok(Contents {
        packages: catalog.into_packages(),
        notes: Vec::new(),
        edges_known: true,
        direct_known: false,
        complete: true,
    })
}

struct Tree<'a> {
    catalog: Catalog,
    folders: Folders<'a>,
    /// Each package's folder.
    asking: Vec<(usize, &'a RawNested)>,
}

impl<'a> Tree<'a> {
    /// Takes in what lies in the `node_modules` of a folder. JSON is nested a hundred deep at most,
    /// and so is this.
    fn take(
        &mut self,
        folder: usize,
        dependencies: impl Iterator<Item = (&'a String, &'a RawNested)>,
    ) -> Result<(), Problem> {
        let mut modules = None;
        for (name, raw) in dependencies {
            let modules = match modules {
                Some(modules) => modules,
                None => *modules.insert(self.folders.add(folder, "node_modules")?),
            };
            let inner = self.folders.add(modules, name)?;
            let at = self.catalog.add(package_of(name, raw)?)?;
            self.folders.put(inner, at);
            self.asking.push((inner, raw));
            self.take(inner, raw.dependencies.iter())?;
        }
        Ok(())
    }
}

fn package_of(name: &str, raw: &RawNested) -> Result<Package, Problem> {
    let Some(version) = raw.version.as_deref() else {
        let owner = name.chars().take(80).collect();
        return Err(Problem::MissingField { owner, field: "version" });
    };
    let (name, version, resolved) = match version.strip_prefix("npm:") {
        Some(alias) => {
            let (name, version) = alias.rsplit_once('@').unwrap_or((alias, ""));
            (name, Some(version), raw.resolved())
        }
        // A URL or folder stands there instead, and nobody tells the version.
        None if version.contains([':', '/']) => (name, None, Some(version)),
        None => (name, Some(version), raw.resolved()),
    };
    let source = source_of(name, resolved)?;
    Ok(Package {
        distributions: distributions_of(&source, resolved, raw.integrity.as_deref())?,
        scope: scope_of(raw.dev, raw.optional),
        ..package(name, version, source)?
    })
}
