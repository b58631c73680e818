//! `go.work`: which modules are built together, and what stands in for others in all of them.

use std::collections::HashMap;

use super::syntax::{self, Module};
use crate::lockfile::beside::Beside;

/// Most folders between a module and its workspace.
const MAX_DEPTH: usize = 16;
/// Most modules of a workspace that are looked at.
const MAX_MEMBERS: usize = 1_000;

/// The workspace that a module is built in.
pub(super) struct Workspace {
    /// The workspace's folder, seen from the module's: empty, or with `/` at its end.
    folder: String,
    file: Module,
    /// Folders by the path of the module in them.
    members: HashMap<String, String>,
}

impl Workspace {
    /// The workspace of the module `path`: that of the nearest `go.work` above it, if it is a member.
    pub(super) fn of(path: &str, beside: &Beside<'_>) -> Option<Self> {
        let folders = (0..MAX_DEPTH).map(|depth| "../".repeat(depth));
        let mut found = folders.filter_map(|it| Some((beside.text(&format!("{it}go.work"))?, it)));
        let (text, folder) = found.next()?;
        let file = syntax::read(text).ok()?;
        let mut members = HashMap::new();
        for used in file.uses.iter().take(MAX_MEMBERS) {
            let member = beside.text(&format!("{folder}{used}/go.mod"));
            if let Some(member) = member.and_then(syntax::module_path) {
                members.insert(member, used.clone());
            }
        }
        members.contains_key(path).then_some(Self { folder, file, members })
    }

    /// The folder of a module that is a member too.
    pub(super) fn member(&self, path: &str) -> Option<String> {
        let folder = self.members.get(path)?;
        Some(self.seen(folder))
    }

    /// What stands in for a module, and its version; a folder where there is none.
    pub(super) fn replacement(
        &self,
        path: &str,
        version: &str,
    ) -> Option<(String, Option<String>)> {
        let replacement = self.file.replacement(path, version)?;
        Some(match &replacement.version {
            Some(version) => (replacement.path.clone(), Some(version.clone())),
            None => (self.seen(&replacement.path), None),
        })
    }

    /// A folder that is written as seen from the workspace, as seen from the module.
    fn seen(&self, folder: &str) -> String {
        match folder.starts_with('/') {
            true => folder.to_owned(),
            false => format!("{}{}", self.folder, folder.trim_start_matches("./")),
        }
    }
}
