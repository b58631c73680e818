//! `go.mod`: since Go 1.17, every module of a build with its selected version.
//!
//! `go.sum` is no lockfile: it has digests of versions that lost the selection too. They are digests
//! of lists of files, which no tool could compare with an archive, so a package has none of them;
//! what is not in it is remarked upon. `go.work` says which modules are built from their folders.

mod syntax;
mod workspace;

use std::collections::HashSet;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::text::Lines;
use super::{Beside, Ecosystem, Format, Note, Package, text};
use crate::inventory::Source;
use syntax::{Module, Replacement, Requirement};
use workspace::Workspace;

pub(super) const FORMAT: Format = Format {
    file_names: &["go.mod"],
    pattern: None,
    is_lock: true,
    companions: &["go.sum", "go.work"],
    ecosystem: Ecosystem::Go,
    relock: "run `go mod tidy` and commit the result",
    read,
};

const PROXY: &str = "https://proxy.golang.org";
/// The first version of the language whose `go.mod` names indirect dependencies.
const COMPLETE_SINCE: (u32, u32) = (1, 17);

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    if let Some(offset) = text::conflict_marker(text) {
        return Err(Problem::MergeConflict.at(offset));
    }
    let module = syntax::read(text)?;
    let Some((offset, path)) = &module.path else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "module" };
        return Err(problem.anywhere());
    };
    let lines = Lines::of(text);
    let workspace = Workspace::of(path, beside);
    let mut catalog = Catalog::default();
    let root = package(path, None, Source::Local { path: None });
    let line = Some(lines.line(*offset));
    let root = root.and_then(|root| catalog.add(Package { root: true, line, ..root }));
    let root = root.map_err(|problem| problem.at(*offset))?;
    let tools = tool_modules(&module);
    for requirement in &module.requirements {
        let fault = |problem: Problem| problem.at(requirement.offset);
        let package = required(&module, workspace.as_ref(), requirement).map_err(fault)?;
        let is_tool = tools.contains(requirement.path.as_str());
        let at = catalog.add(Package {
            line: Some(lines.line(requirement.offset)),
            groups: is_tool.then(|| "tool".to_owned()).into_iter().collect(),
            ..package
        });
        let at = at.map_err(fault)?;
        if !requirement.indirect || is_tool {
            catalog.depend(root, at).map_err(fault)?;
        }
    }
    let is_complete = module.language.is_some_and(|language| language >= COMPLETE_SINCE);
    let packages = catalog.into_packages();
    let mut notes = Vec::new();
    if !is_complete {
        let message = "before Go 1.17, indirect dependencies are not named; run \
                       `go mod tidy -go=1.17`";
        notes.push(Note { line: 1, message: message.to_owned() });
    }
    if workspace.is_some() {
        let message = "built in the workspace of `go.work`, another of its modules may ask for \
                       higher versions than these";
        notes.push(Note { line: lines.line(*offset), message: message.to_owned() });
    }
    notes.extend(beside.text("go.sum").and_then(|sums| note_of_unpinned(&packages, sums)));
    Ok(Contents { packages, notes, edges_known: false, direct_known: true, complete: is_complete })
}

/// Paths of the required modules that have the packages of the project's tools: of several modules
/// that could have one, the longest.
fn tool_modules(module: &Module) -> HashSet<&str> {
    let paths: HashSet<&str> = module.requirements.iter().map(|it| it.path.as_str()).collect();
    let module_of = |tool: &'_ String| {
        let ends = tool.match_indices('/').map(|(at, _)| at).chain([tool.len()]);
        let mut candidates: Vec<usize> = ends.collect();
        candidates.reverse();
        candidates.into_iter().find_map(|end| paths.get(&tool[..end]).copied())
    };
    module.tools.iter().filter_map(module_of).collect()
}

/// The package that a requirement leads to, with what stands in for it.
fn required(
    module: &Module,
    workspace: Option<&Workspace>,
    requirement: &Requirement,
) -> Result<Package, Problem> {
    let Requirement { path, version, .. } = requirement;
    if let Some(folder) = workspace.and_then(|workspace| workspace.member(path)) {
        return package(path, Some(version), Source::Local { path: Some(folder) });
    }
    let replacement = workspace.and_then(|workspace| workspace.replacement(path, version));
    let replacement = replacement.or_else(|| {
        let Replacement { path, version } = module.replacement(path, version)?;
        Some((path.clone(), version.clone()))
    });
    let registry = Source::Registry { url: PROXY.to_owned() };
    match replacement {
        // Code in a folder has no version of its own; the required one is what it stands for.
        Some((folder, None)) => package(path, Some(version), Source::Local { path: Some(folder) }),
        Some((path, version)) => package(&path, version.as_deref(), registry),
        None => package(path, Some(version), registry),
    }
}

/// A remark on the modules of which `go.sum` says nothing.
fn note_of_unpinned(packages: &[Package], sums: &str) -> Option<Note> {
    let pinned: HashSet<(&str, &str)> = sums
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (path, version) = (words.next()?, words.next()?);
            Some((path, version.strip_suffix("/go.mod").unwrap_or(version)))
        })
        .collect();
    let from_registry = packages.iter().filter(|it| matches!(it.source, Source::Registry { .. }));
    let mut unpinned = from_registry.filter(|it| {
        it.version.as_deref().is_some_and(|version| !pinned.contains(&(it.name.as_str(), version)))
    });
    let first = unpinned.next()?;
    let (name, others) = (first.name.escape_debug(), unpinned.count());
    let message = format!(
        "{name} and {others} others are not in `go.sum`, so their content is not fixed; run \
         `go mod tidy`"
    );
    Some(Note { line: first.line.unwrap_or(1), message })
}

fn package(path: &str, version: Option<&str>, source: Source) -> Result<Package, Problem> {
    text::word("module", path)?;
    let is_version = |it: &&str| {
        it.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    // Until it is tidied, a file may name a branch instead.
    let version = version.filter(is_version);
    let purl = source.purl("golang", path, version, |_| true)?;
    Package::new(path.to_owned(), version, purl, source)
}
