//! `package.json`: what a project says of itself, where its lockfile does not.

use std::collections::HashSet;

use serde::Deserialize;

use super::packages;
use crate::inventory::{Package, Scope, Source};
use crate::lockfile::borrowed::{Entries, Text, Texts};
use crate::lockfile::error::Problem;
use crate::lockfile::{Beside, Note, json_file, text};

pub(in crate::lockfile) const FILE_NAME: &str = "package.json";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(in crate::lockfile) struct Manifest<'a> {
    #[serde(borrow)]
    pub(in crate::lockfile) name: Texts<'a>,
    pub(in crate::lockfile) version: Texts<'a>,
    license: Texts<'a>,
    author: Texts<'a>,
    pub(in crate::lockfile) workspaces: Texts<'a>,
    pub(in crate::lockfile) dependencies: Entries<'a, Texts<'a>>,
    pub(in crate::lockfile) dev_dependencies: Entries<'a, Texts<'a>>,
    pub(in crate::lockfile) optional_dependencies: Entries<'a, Texts<'a>>,
}

impl<'a> Manifest<'a> {
    /// The manifest in `folder`, seen from the lockfile; a broken one is noted and passed over.
    pub(in crate::lockfile) fn beside(
        beside: &Beside<'a>,
        folder: &str,
        notes: &mut Vec<Note>,
    ) -> Option<Self> {
        let path =
            if folder.is_empty() { FILE_NAME.to_owned() } else { format!("{folder}/{FILE_NAME}") };
        match json_file::read(beside.text(&path)?) {
            Ok(manifest) => Some(manifest),
            Err(fault) => {
                let path = path.escape_debug();
                let message = format!("{path} is passed over: {}; mend it", fault.problem);
                notes.push(Note { line: 1, message });
                None
            }
        }
    }

    /// The package that the manifest describes, which lies in `folder`.
    pub(in crate::lockfile) fn root(&self, folder: &str) -> Option<Result<Package, Problem>> {
        let name = text::own_word("name", self.name.only())?;
        let version = text::own_word("version", self.version.only());
        Some(
            packages::package(name, version, local(folder))
                .map(|root| self.complete(Package { root: true, ..root })),
        )
    }

    /// `root` with the licence and author of the manifest, where it has none.
    pub(in crate::lockfile) fn complete(&self, root: Package) -> Package {
        let licence = root.licence.clone().or_else(|| packages::one_line(&self.license));
        let supplier = root.supplier.clone().or_else(|| packages::one_line(&self.author));
        Package { licence, supplier, ..root }
    }

    /// What is asked for, with the reason and the name of the group; what is optional as well as
    /// required is optional, as npm has it.
    pub(in crate::lockfile) fn asked(
        &self,
    ) -> impl Iterator<Item = (Scope, Option<&'static str>, &Text<'a>, &Texts<'a>)> {
        let optional: HashSet<&str> =
            self.optional_dependencies.iter().map(|(name, _)| &**name).collect();
        let required = self.dependencies.iter();
        let required = required.filter(move |(name, _)| !optional.contains(&**name));
        let required = required.map(|(name, range)| (Scope::Required, None, name, range));
        let others = [
            (Scope::Optional, "optional", &self.optional_dependencies),
            (Scope::Dev, "dev", &self.dev_dependencies),
        ];
        required.chain(others.into_iter().flat_map(|(scope, group, names)| {
            names.iter().map(move |(name, range)| (scope, Some(group), name, range))
        }))
    }
}

/// The folder of a project; the lockfile's own is named by nothing.
pub(in crate::lockfile) fn local(folder: &str) -> Source {
    Source::Local { path: (!matches!(folder, "" | ".")).then(|| folder.to_owned()) }
}
