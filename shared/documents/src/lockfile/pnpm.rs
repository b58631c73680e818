//! `pnpm-lock.yaml`, versions 5 to 9, with the document about pnpm's own environment before it.
//!
//! A package may be there several times, with other peers each: it is one package. Names of projects
//! stand in their `package.json`, or where other projects link to them.

mod key;
mod projects;
mod raw;

use std::collections::HashMap;

use super::borrowed::{Text, offset_of};
use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::npm::manifest::FILE_NAME;
use super::npm::packages::{
    conditions, distributions_of, package, source_of, with_groups, with_scopes,
};
use super::npm::reach::Reach;
use super::source::without_credentials;
use super::text::Lines;
use super::{Beside, Ecosystem, Format, Note, Package, Scope, yaml_file};
use crate::inventory::Source;
use key::{Key, without_peers};
use projects::Projects;
use raw::{Chosen, RawLock, RawPackage};

pub(super) const FORMAT: Format = Format {
    file_names: &["pnpm-lock.yaml"],
    pattern: None,
    is_lock: true,
    companions: &[FILE_NAME],
    ecosystem: Ecosystem::Npm,
    relock: "run `pnpm install --lockfile-only` and commit the result",
    read,
};

const VERSIONS: std::ops::RangeInclusive<u32> = 5..=9;

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let mut documents: Vec<RawLock<'_>> = yaml_file::read(text)?;
    if documents.is_empty() {
        let owner = "the file".to_owned();
        return Err(Problem::MissingField { owner, field: "lockfileVersion" }.anywhere());
    }
    let mut file = File {
        text,
        lines: Lines::of(text),
        catalog: Catalog::default(),
        notes: Vec::new(),
        direct: Vec::new(),
        groups: Vec::new(),
        scopes: Vec::new(),
    };
    for document in &mut documents {
        file.take(document, beside)?;
    }
    let packages = with_groups(file.catalog.into_packages(), &file.groups);
    let mut packages = with_scopes(packages, file.scopes.into_iter());
    for at in file.direct {
        packages[at].direct = !packages[at].root;
    }
    Ok(Contents {
        packages,
        notes: file.notes,
        edges_known: true,
        direct_known: true,
        complete: true,
    })
}

/// The file as far as it is read.
struct File<'a> {
    text: &'a str,
    lines: Lines<'a>,
    catalog: Catalog,
    notes: Vec<Note>,
    /// Packages that a project asks for.
    direct: Vec<usize>,
    groups: Vec<(usize, &'static str)>,
    /// The scopes by which packages are reached, in this or that form.
    scopes: Vec<(usize, Scope)>,
}

impl<'a> File<'a> {
    fn take(&mut self, lock: &mut RawLock<'a>, beside: &Beside<'a>) -> Result<(), Fault> {
        let major = major_of(lock)?;
        let projects = lock.projects();
        let mut projects = Projects::new(&projects, beside, &mut self.notes);
        projects.add(self)?;
        let mut nodes = Nodes { packages: projects.nodes(), by_key: HashMap::new(), major };
        let mut by_key = HashMap::new();
        for (key, raw) in lock.packages.iter() {
            let package = package_of(key, raw, major).map_err(|problem| self.at(key, problem))?;
            let package = Package { line: self.line(key), ..package };
            let at = self.catalog.add(package).map_err(|problem| self.at(key, problem))?;
            by_key.insert(&**key, at);
        }
        let forms = lock.snapshots.as_ref().unwrap_or(&lock.packages);
        for (key, _) in forms.iter() {
            let found = by_key.get(&**key).or_else(|| by_key.get(without_peers(key)));
            let Some(&at) = found else {
                let (package, dependency) = (key.to_string(), without_peers(key).to_owned());
                return Err(self.at(key, Problem::DanglingDependency { package, dependency }));
            };
            nodes.by_key.insert(key, nodes.packages.len());
            nodes.packages.push(Some(at));
        }
        let mut reach = Reach::new(nodes.packages.len());
        for (key, raw) in forms.iter() {
            let from = nodes.by_key[&**key];
            self.need(&mut reach, &nodes, from, (key, &raw.dependencies, false))?;
            self.need(&mut reach, &nodes, from, (key, &raw.optional_dependencies, true))?;
        }
        projects.ask(self, &mut reach, &nodes)?;
        let scopes = nodes.packages.iter().zip(reach.scopes());
        self.scopes.extend(scopes.filter_map(|(package, scope)| Some(((*package)?, scope))));
        for (patched, _) in lock.patched_dependencies.iter() {
            let message = format!("{} is patched", patched.escape_debug());
            self.notes.push(Note { line: self.line(patched).unwrap_or(1), message });
        }
        Ok(())
    }

    /// Joins a package to what was chosen for the names it asks for.
    fn need(
        &mut self,
        reach: &mut Reach,
        nodes: &Nodes<'_>,
        from: usize,
        (key, chosen, optional): (&str, &Chosen<'a>, bool),
    ) -> Result<(), Fault> {
        for (name, reference) in chosen.iter() {
            let Some(reference) = reference.only() else { continue };
            if reference.starts_with("link:") {
                continue;
            }
            let to = self.find(nodes, key, name, reference)?;
            reach.need(from, to, optional);
            if let (Some(from), Some(to)) = (nodes.packages[from], nodes.packages[to]) {
                self.catalog.depend(from, to).map_err(|problem| self.at(name, problem))?;
            }
        }
        Ok(())
    }

    /// The node that was chosen for a name: by its version, or by its key.
    fn find(
        &self,
        nodes: &Nodes<'_>,
        asking: &str,
        name: &Text<'a>,
        reference: &str,
    ) -> Result<usize, Fault> {
        let by = |key: &str| nodes.by_key.get(key).copied();
        let found = by(&match nodes.major {
            ..=5 => format!("/{}/{reference}", &**name),
            6 => format!("/{}@{reference}", &**name),
            _ => format!("{}@{reference}", &**name),
        });
        let found = found.or_else(|| by(reference));
        found.ok_or_else(|| {
            let package = asking.chars().take(200).collect();
            let dependency = format!("{}@{reference}", &**name).chars().take(200).collect();
            self.at(name, Problem::DanglingDependency { package, dependency })
        })
    }

    /// `problem`, found at a key.
    fn at(&self, key: &str, problem: Problem) -> Fault {
        Fault { offset: offset_of(self.text, key), problem }
    }

    fn line(&self, key: &str) -> Option<usize> {
        offset_of(self.text, key).map(|offset| self.lines.line(offset))
    }
}

/// What can be reached: the projects, and then each package in each of its forms.
struct Nodes<'a> {
    /// The package of a node; absent for a project without a name.
    packages: Vec<Option<usize>>,
    by_key: HashMap<&'a str, usize>,
    /// Of the format's version, which decides how keys are written.
    major: u32,
}

fn major_of(lock: &RawLock<'_>) -> Result<u32, Fault> {
    let Some(version) = &lock.lockfile_version else {
        let owner = "the file".to_owned();
        return Err(Problem::MissingField { owner, field: "lockfileVersion" }.anywhere());
    };
    let major = version.split('.').next().and_then(|major| major.parse().ok());
    match major {
        Some(major) if VERSIONS.contains(&major) => Ok(major),
        Some(major) => Err(Problem::UnsupportedVersion { version: i64::from(major) }.anywhere()),
        None => {
            let expected = "a version such as '9.0'";
            Err(super::text::invalid("lockfileVersion", version, expected).anywhere())
        }
    }
}

fn package_of(key: &str, raw: &RawPackage<'_>, major: u32) -> Result<Package, Problem> {
    let read = Key::read(key, major);
    let Some(name) = raw.name.as_deref().or(read.name) else {
        let owner = key.chars().take(200).collect();
        return Err(Problem::MissingField { owner, field: "name" });
    };
    let version = raw.version.as_deref().or_else(|| read.version());
    let resolution = &raw.resolution;
    let tarball = resolution.tarball.as_deref();
    let source = match (&resolution.repo, &resolution.directory) {
        (Some(repository), _) => Source::Git {
            url: without_credentials(repository.trim_start_matches("git+")),
            commit: resolution.commit.as_deref().map(str::to_owned),
        },
        (None, Some(folder)) => Source::Local { path: Some(folder.to_string()) },
        (None, None) => match (read.host, tarball) {
            (Some(host), None) => Source::Registry { url: format!("https://{host}") },
            _ => source_of(name, tarball)?,
        },
    };
    Ok(Package {
        distributions: distributions_of(&source, tarball, resolution.integrity.as_deref())?,
        conditions: conditions(&raw.os, &raw.cpu, &raw.libc)?,
        ..package(name, version, source)?
    })
}
