//! What source trees and artifacts on this machine say of their packages.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use artifacts::Limits;
pub(crate) use artifacts::Tree;
use bytes::Bytes;
use documents::{
    inventory::ArtifactContents,
    lockfile::{self, File},
};

use crate::failure::Failure;

/// The lockfiles below `source` and what says more about them; without those that nobody wants.
pub(crate) fn tree(source: &Path) -> Result<Tree, Failure> {
    let at_source = |why: String| Failure::Input(format!("{}: {why}", source.display()));
    if !source.is_dir() {
        let remedy = "is no directory; give the one that holds uv.lock or Cargo.lock";
        return Err(at_source(remedy.to_owned()));
    }
    let tree = artifacts::scan_tree(source, &Limits::default());
    let Tree { files, missing } = tree.map_err(|error| at_source(error.to_string()))?;
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut wanted: BTreeSet<String> =
        lockfile::wanted(&paths).into_iter().map(str::to_owned).collect();
    let lists = files.iter().filter(|(path, _)| wanted.contains(path));
    let lists: Vec<File<'_>> = lists.map(|(path, bytes)| File { path, bytes }).collect();
    wanted.append(&mut lockfile::included(&lists));
    let files = files.into_iter().filter(|(path, _)| wanted.contains(path)).collect();
    Ok(Tree { files, missing })
}

/// `files`, which lie in `folder`, and those below it that they include.
pub(crate) fn with_included(folder: &Path, files: Vec<(String, Bytes)>) -> Tree {
    artifacts::with_included(folder, files, &Limits::default())
}

/// What the artifact at `path` holds; absent if it is of no kind that can be looked into.
pub(crate) fn artifact(path: &Path) -> Result<Option<ArtifactContents>, Failure> {
    let contents = artifacts::scan_file(path, &Limits::default());
    contents.map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}

/// The names of lockfiles that are looked for.
pub(crate) fn lockfile_names() -> String {
    lockfile::known_names().collect::<Vec<_>>().join(", ")
}

/// The folder that `file` lies in.
pub(crate) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
