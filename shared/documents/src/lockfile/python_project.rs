//! What the `pyproject.toml` beside a lockfile says of the project: its name, and what it asks for.

mod tables;

use std::collections::HashMap;

use toml::Table;

use super::catalog::Catalog;
use super::error::Problem;
use super::python::{self, normalized};
use super::{Beside, Note, Package, Scope, Source, text, toml_file};

/// A Python project.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Project {
    /// Absent where the project is no package.
    name: Option<String>,
    /// Absent where it is computed when the package is built.
    version: Option<String>,
    licence: Option<String>,
    supplier: Option<String>,
    asks: Vec<Ask>,
}

/// A dependency that a project names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ask {
    /// Normalised.
    pub(super) name: String,
    pub(super) scope: Scope,
    /// The group or extra that has it.
    pub(super) group: Option<String>,
}

impl Project {
    /// The project in `folder`, relative to the lockfile; nothing where there is none, with a note
    /// where it cannot be read.
    pub(super) fn beside(beside: &Beside<'_>, folder: &str, notes: &mut Vec<Note>) -> Option<Self> {
        let path = match folder {
            "" | "." => "pyproject.toml".to_owned(),
            folder => format!("{folder}/pyproject.toml"),
        };
        let text = beside.text(&path)?;
        match toml_file::read::<Table>(text) {
            Ok(document) => Some(tables::project(&document)),
            Err(fault) => {
                notes.push(fault.note(&path, text));
                None
            }
        }
    }

    /// The project of a `Pipfile`, which has no name.
    pub(super) fn of_pipfile(document: &Table) -> Self {
        Self { asks: tables::pipfile(document), ..Self::default() }
    }

    /// Tells `package`, which is the project, what its own file says.
    pub(super) fn describe(&self, package: &mut Package) {
        package.licence.clone_from(&self.licence);
        package.supplier.clone_from(&self.supplier);
    }

    /// Adds the project to the packages as their root, if it is one and not there, and joins it to
    /// what it asks for.
    pub(super) fn join(&self, catalog: &mut Catalog, notes: &mut Vec<Note>) {
        if let Err(problem) = self.try_join(catalog) {
            // The lockfile is whole; only what the project adds to it is too much.
            let message = format!("the project file is read in part: {problem}");
            notes.push(Note { line: 1, message });
        }
    }

    fn try_join(&self, catalog: &mut Catalog) -> Result<(), Problem> {
        let root = match (catalog.root(), &self.name) {
            (Some(root), _) => Some(root),
            (None, Some(name)) => {
                let source = Source::Local { path: Some(".".to_owned()) };
                let package = python::package(name, self.version.as_deref(), source)?;
                Some(catalog.add(Package { root: true, ..package })?)
            }
            (None, None) => None,
        };
        if let Some(root) = root {
            self.describe(catalog.package_mut(root));
        }
        for Ask { name, group, .. } in &self.asks {
            catalog.ask_for(root, name, group.as_deref())?;
        }
        Ok(())
    }

    /// Why the project has the packages of its groups and extras, by their names.
    pub(super) fn group_scopes(&self) -> HashMap<&str, Scope> {
        let mut scopes = HashMap::new();
        for Ask { scope, group, .. } in &self.asks {
            if let Some(group) = group {
                let known = scopes.entry(group.as_str()).or_insert(*scope);
                *known = (*known).min(*scope);
            }
        }
        scopes
    }

    /// What the project asks for by name, and why.
    pub(super) fn asks(&self) -> impl Iterator<Item = (Scope, &str)> {
        self.asks.iter().map(|ask| (ask.scope, ask.name.as_str()))
    }
}

/// `name` as the name of a group, if it is fit to be told.
fn group(name: &str) -> Option<String> {
    text::said(name)
}

/// The name that packages go by, if it is one.
fn name(name: &str) -> Option<String> {
    python::check_name(name).is_ok().then(|| normalized(name).into_owned())
}
