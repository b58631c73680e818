//! Build information in Go binaries, as `debug.BuildInfo` writes it as text: the toolchain (`go`),
//! the program (`path`, `mod`) and the modules in it (`dep`, each with what replaces it in a line
//! `=>` of its own).
//!
//! The text in a binary lacks the line of the toolchain; put `go\tgo1.22.1` before it.

use super::error::Fault;
use super::words;
use crate::inventory::{Package, Source};
use crate::lockfile::catalog::{Catalog, Contents};
use crate::lockfile::{MAX_PACKAGES, Problem, text};

const PROXY: &str = "https://proxy.golang.org";
/// The name that the Go vulnerability database uses for the standard library.
const STANDARD_LIBRARY: &str = "stdlib";

/// A module on a line `mod` or `dep`, and what replaces it.
struct Module<'a> {
    line: usize,
    is_main: bool,
    path: &'a str,
    version: &'a str,
    replacement: Option<(&'a str, &'a str)>,
}

pub(super) fn read(text: &str) -> Result<Contents, Fault> {
    let mut modules: Vec<Module<'_>> = Vec::new();
    let mut catalog = Catalog::default();
    let mut program = None;
    let mut toolchain = None;
    for (at, line) in text.lines().enumerate() {
        let mut parts = line.trim_start_matches('\t').trim_end().split('\t');
        let (key, path) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let version = parts.next().unwrap_or_default();
        match key {
            "go" => once(&mut toolchain, (at + 1, path), "go")?,
            "path" => once(&mut program, (at + 1, path), "path")?,
            "mod" | "dep" if modules.len() > MAX_PACKAGES => {
                return Err(Problem::TooManyPackages { packages: modules.len() }.into());
            }
            "mod" | "dep" => {
                let is_main = key == "mod";
                modules.push(Module { line: at + 1, is_main, path, version, replacement: None });
            }
            "=>" => {
                let replaced = modules.last_mut().filter(|module| module.replacement.is_none());
                let replaced =
                    replaced.ok_or_else(|| Fault::syntax(at + 1, "a replacement of no module"))?;
                replaced.replacement = Some((path, version));
            }
            // Settings; more may come.
            _ => {}
        }
    }
    if toolchain.is_none() && program.is_none() && modules.is_empty() {
        return Err(Fault::missing("the build information", "path"));
    }
    add_program(&mut catalog, program, &modules)?;
    for module in modules.iter().filter(|module| !module.is_main) {
        module
            .package()
            .and_then(|package| catalog.add(Package { line: Some(module.line), ..package }))
            .map_err(|problem| Fault::from(problem).on(module.line))?;
    }
    if let Some((line, version)) = toolchain {
        let package = standard_library(version).map_err(|problem| Fault::from(problem).on(line))?;
        catalog.add(Package { line: Some(line), ..package })?;
    }
    catalog.mark_unasked_as_direct();
    let packages = catalog.into_packages();
    Ok(Contents {
        packages,
        notes: Vec::new(),
        edges_known: false,
        direct_known: false,
        complete: true,
    })
}

/// The main module; of a program that was built without one, the package that it was built from.
fn add_program(
    catalog: &mut Catalog,
    program: Option<(usize, &str)>,
    modules: &[Module<'_>],
) -> Result<(), Fault> {
    let mut mains = modules.iter().filter(|module| module.is_main);
    let (line, path, version) = match (mains.next(), mains.next(), program) {
        (Some(_), Some(second), _) => {
            return Err(Fault::syntax(second.line, "`mod` is there twice"));
        }
        (Some(main), None, _) => (main.line, main.path, main.version),
        // `go build a.go` names no module.
        (None, _, Some((line, path))) if path != "command-line-arguments" => (line, path, ""),
        _ => return Ok(()),
    };
    let package = package(path, version, Source::Local { path: None });
    let root = package.map(|package| Package { root: true, line: Some(line), ..package });
    root.and_then(|root| catalog.add(root)).map_err(|problem| Fault::from(problem).on(line))?;
    Ok(())
}

impl Module<'_> {
    fn package(&self) -> Result<Package, Problem> {
        let registry = Source::Registry { url: PROXY.to_owned() };
        match self.replacement {
            // Code in a folder has no version of its own; the required one is what it stands for.
            Some((folder, version)) if version_of(version).is_none() => {
                let source = Source::Local { path: Some(folder.to_owned()) };
                package(self.path, self.version, source)
            }
            Some((path, version)) => package(path, version, registry),
            None => package(self.path, self.version, registry),
        }
    }
}

fn package(path: &str, version: &str, source: Source) -> Result<Package, Problem> {
    text::word("module", path)?;
    let version = version_of(version);
    let purl = source.purl("golang", path, version, |_| true)?;
    Package::new(path.to_owned(), version, purl, source)
}

/// The version unless it is `(devel)`, which stands for none.
fn version_of(version: &str) -> Option<&str> {
    let digits = version.strip_prefix('v')?;
    digits.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
}

/// The standard library of a toolchain such as `go1.22.1 X:boringcrypto`; development versions have
/// no number.
fn standard_library(toolchain: &str) -> Result<Package, Problem> {
    let release = toolchain.split_whitespace().next().and_then(|it| it.strip_prefix("go"));
    let version = release.filter(|it| it.starts_with(|c: char| c.is_ascii_digit()));
    let purl = words::purl("golang", None, STANDARD_LIBRARY, version, &[])?;
    let source = Source::Registry { url: "https://go.dev/dl".to_owned() };
    Package::new(STANDARD_LIBRARY.to_owned(), version, purl, source)
}

fn once<T>(value: &mut Option<(usize, T)>, found: (usize, T), key: &str) -> Result<(), Fault> {
    match value.replace(found) {
        Some(_) => {
            let line = value.as_ref().map_or(1, |(line, _)| *line);
            Err(Fault::syntax(line, format!("`{key}` is there twice")))
        }
        None => Ok(()),
    }
}
