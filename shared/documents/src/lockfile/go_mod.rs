//! `go.mod`: since Go 1.17, every module of a build with its selected version.
//!
//! `go.sum` is no lockfile: it has digests of versions that lost the selection too.

mod syntax;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::{Beside, Ecosystem, Format, Note, Package, text};
use crate::inventory::Source;
use syntax::{Module, Replacement, Requirement};

pub(super) const FORMAT: Format = Format {
    file_names: &["go.mod"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::Go,
    relock: "run `go mod tidy` and commit the result",
    read,
};

const PROXY: &str = "https://proxy.golang.org";
/// The first version of the language whose `go.mod` names indirect dependencies.
const COMPLETE_SINCE: (u32, u32) = (1, 17);

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let module = syntax::read(text)?;
    let Some((offset, path)) = &module.path else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "module" };
        return Err(problem.anywhere());
    };
    let mut catalog = Catalog::default();
    let root = package(path, None, Source::Local { path: None });
    let root = root.and_then(|root| catalog.add(Package { root: true, ..root }));
    let root = root.map_err(|problem| problem.at(*offset))?;
    for requirement in &module.requirements {
        take(&mut catalog, root, &module, requirement)
            .map_err(|problem| problem.at(requirement.offset))?;
    }
    let is_complete = module.language.is_some_and(|language| language >= COMPLETE_SINCE);
    let note = Note {
        line: 1,
        message: "before Go 1.17, indirect dependencies are not named; run `go mod tidy -go=1.17`"
            .to_owned(),
    };
    Ok(Contents {
        packages: catalog.into_packages(),
        notes: (!is_complete).then_some(note).into_iter().collect(),
        edges_known: false,
        direct_known: true,
        complete: is_complete,
    })
}

fn take(
    catalog: &mut Catalog,
    root: usize,
    module: &Module,
    requirement: &Requirement,
) -> Result<(), Problem> {
    let Requirement { path, version, .. } = requirement;
    let registry = Source::Registry { url: PROXY.to_owned() };
    let package = match module.replacement(path, version) {
        // Code in a folder has no version of its own; the required one is what it stands for.
        Some(Replacement { path: folder, version: None }) => {
            let source = Source::Local { path: Some(folder.clone()) };
            package(path, Some(version), source)?
        }
        Some(Replacement { path, version }) => package(path, version.as_deref(), registry)?,
        None => package(path, Some(version), registry)?,
    };
    let at = catalog.add(package)?;
    if requirement.indirect { Ok(()) } else { catalog.depend(root, at) }
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
