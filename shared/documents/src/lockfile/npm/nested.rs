//! Version 1 of the format: packages within packages, as they lie in `node_modules`.
//!
//! What the project itself asks for stands in `package.json` only.

use super::folders::Folders;
use super::raw::{RawLock, RawNested};
use super::{File, distributions_of, identity, local, package, scope_of, source_of, with_groups};
use crate::lockfile::borrowed::Text;
use crate::lockfile::catalog::{Catalog, Contents};
use crate::lockfile::error::{Fault, Problem};
use crate::lockfile::{Package, text};

pub(super) fn read(lock: &RawLock<'_>, file: File<'_>) -> Result<Contents, Fault> {
    let mut tree =
        Tree { file: &file, catalog: Catalog::default(), folders: Folders::new(), asking: vec![] };
    let root = root_of(lock, &file).transpose().map_err(Problem::anywhere)?;
    let root = root.map(|root| tree.catalog.add(root)).transpose().map_err(Problem::anywhere)?;
    let mut entries: Vec<_> = lock.dependencies.iter().flat_map(|it| it.iter()).collect();
    entries.sort_by(|(a, _), (b, _)| a.cmp(b));
    tree.take(Folders::ROOT, &entries)?;
    let Tree { mut catalog, folders, asking, .. } = tree;
    for (folder, key, raw) in asking {
        let Some(from) = folders.package(folder) else { continue };
        let found = raw.requires.iter().filter_map(|(name, _)| folders.resolve(folder, name));
        for to in found {
            catalog.depend(from, to).map_err(|problem| file.at(key, problem))?;
        }
    }
    let mut groups = Vec::new();
    if let (Some(manifest), Some(root)) = (&file.manifest, root) {
        for (_, group, name, _) in manifest.asked() {
            let Some(to) = folders.resolve(Folders::ROOT, name) else { continue };
            catalog.depend(root, to).map_err(Problem::anywhere)?;
            groups.extend(group.map(|group| (to, group)));
        }
    } else {
        catalog.mark_unasked_as_direct();
    }
    Ok(Contents {
        packages: with_groups(catalog.into_packages(), &groups),
        direct_known: file.manifest.is_some() && root.is_some(),
        notes: file.notes,
        edges_known: true,
        complete: true,
    })
}

fn root_of(lock: &RawLock<'_>, file: &File<'_>) -> Option<Result<Package, Problem>> {
    let manifest = file.manifest.as_ref();
    let Some(name) = text::own_word("name", lock.name.as_deref()) else {
        return manifest.and_then(|manifest| manifest.root(""));
    };
    let version = lock.version.as_deref().or_else(|| manifest.and_then(|it| it.version.only()));
    let version = text::own_word("version", version);
    let root = package(name, version, local("")).map(|root| Package { root: true, ..root });
    Some(root.map(|root| manifest.map(|it| it.complete(root.clone())).unwrap_or(root)))
}

struct Tree<'a> {
    file: &'a File<'a>,
    catalog: Catalog,
    folders: Folders<'a>,
    /// Each package's folder and key.
    asking: Vec<(usize, &'a str, &'a RawNested<'a>)>,
}

impl<'a> Tree<'a> {
    /// Takes in what lies in the `node_modules` of a folder. JSON is nested a hundred deep at most,
    /// and so is this.
    fn take(
        &mut self,
        folder: usize,
        entries: &[&'a (Text<'a>, RawNested<'a>)],
    ) -> Result<(), Fault> {
        for (name, raw) in entries {
            let file = self.file;
            let inner = self.put(folder, name, raw).map_err(|problem| file.at(name, problem))?;
            let mut within: Vec<_> = raw.dependencies.iter().collect();
            within.sort_by(|(a, _), (b, _)| a.cmp(b));
            self.take(inner, &within)?;
        }
        Ok(())
    }

    fn put(
        &mut self,
        folder: usize,
        name: &'a str,
        raw: &'a RawNested<'a>,
    ) -> Result<usize, Problem> {
        let modules = self.folders.add(folder, "node_modules")?;
        let inner = self.folders.add(modules, name)?;
        let package = Package { line: self.file.line(name), ..package_of(name, raw)? };
        let at = self.catalog.add(package)?;
        self.folders.put(inner, at);
        self.asking.push((inner, name, raw));
        Ok(inner)
    }
}

fn package_of(name: &str, raw: &RawNested<'_>) -> Result<Package, Problem> {
    let Some(version) = raw.version.as_deref() else {
        let owner = name.chars().take(80).collect();
        return Err(Problem::MissingField { owner, field: "version" });
    };
    let (name, version, resolved) = identity(name, Some(version), raw.resolved.only());
    let version = version.filter(|version| !version.is_empty());
    let source = source_of(name, resolved)?;
    Ok(Package {
        distributions: distributions_of(&source, resolved, raw.integrity.as_deref())?,
        scope: scope_of(raw.dev, raw.optional),
        ..package(name, version, source)?
    })
}
