//! `pom.xml` of Maven: what a project itself asks for.
//!
//! Parents, and imported lists of versions, are read where they lie beside; what only a repository
//! has is said to be absent, and so are the versions that it would tell. What dependencies need
//! themselves is not in any of these files.

mod effective;
mod lineage;
mod model;
mod properties;

use std::collections::HashMap;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::text::Lines;
use super::{Beside, Ecosystem, Format, MAX_PACKAGES, Note, Package, Scope, text};
use crate::inventory::Source;
use effective::{Key, Managed, Management};
use lineage::Lineage;
use model::{Dependency, Pom};
use properties::Properties;

pub(super) const FORMAT: Format = Format {
    file_names: &["pom.xml"],
    pattern: None,
    // It locks nothing, but nothing else of a Maven project tells more.
    is_lock: true,
    companions: &["pom.xml"],
    ecosystem: Ecosystem::Maven,
    relock: "run `mvn validate` and mend what it reports",
    read,
};

const CENTRAL: &str = "https://repo.maven.apache.org/maven2";
/// Packagings that make a plain archive.
const ARCHIVES: [&str; 5] = ["jar", "bundle", "ejb", "maven-archetype", "maven-plugin"];
/// Most dependencies without a version of which notes tell.
const MAX_NOTES: usize = 1_000;

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let lineage = Lineage::of(text, String::new(), beside)?;
    let poms = lineage.poms()?;
    let mut properties = effective::properties(&poms);
    let management = Management::of(&poms, &mut properties, beside)?;
    let lines = Lines::of(text);
    let (_, own) = &poms[0];
    let mut reading = Reading {
        lines: &lines,
        inherited: own.parent.map(|parent| parent.offset),
        managed: &management.managed,
        properties,
        catalog: Catalog::default(),
        notes: Vec::new(),
    };
    let root = reading.root(&poms).map_err(|problem| problem.at(own.offset()))?;
    let root = reading.catalog.add(root).map_err(|problem| problem.at(own.offset()))?;
    for (at, dependency) in reading.asked(&poms)? {
        let place = reading.place(at, dependency.offset);
        let edge = reading.take(&dependency, place).and_then(|taken| match taken {
            Some(to) => reading.catalog.depend(root, to),
            None => Ok(()),
        });
        edge.map_err(|problem| problem.at(place))?;
    }
    let is_whole = poms.last().is_none_or(|(_, last)| last.parent.is_none());
    reading.note_absent(&poms, &management);
    let mut notes = reading.notes;
    notes.sort_by(|a, b| (a.line, &a.message).cmp(&(b.line, &b.message)));
    notes.dedup();
    Ok(Contents {
        packages: reading.catalog.into_packages(),
        notes,
        edges_known: false,
        direct_known: is_whole,
        complete: false,
    })
}

struct Reading<'a> {
    lines: &'a Lines<'a>,
    /// Where the file names its parent: the place of all that it inherits.
    inherited: Option<usize>,
    managed: &'a HashMap<Key, Managed>,
    properties: Properties<'a>,
    catalog: Catalog,
    notes: Vec<Note>,
}

impl Reading<'_> {
    /// The place in the file itself of what stands in it, or in the parent numbered `at`.
    fn place(&self, at: usize, offset: usize) -> usize {
        if at == 0 { offset } else { self.inherited.unwrap_or(0) }
    }

    fn note(&mut self, offset: usize, message: String) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { line: self.lines.line(offset), message });
        }
    }

    fn root(&mut self, poms: &[(&str, Pom<'_>)]) -> Result<Package, Problem> {
        let (_, own) = &poms[0];
        let missing = |field| Problem::MissingField { owner: "the project".to_owned(), field };
        let group = self.named("groupId", own.own_group().ok_or_else(|| missing("groupId"))?)?;
        let artifact =
            self.named("artifactId", own.artifact.ok_or_else(|| missing("artifactId"))?)?;
        let version = own.own_version().and_then(|version| self.properties.resolve(version));
        if version.is_none() {
            let message = "the project's version is not known; it is given when it is built";
            self.note(own.offset(), message.to_owned());
        }
        let kind = own.packaging.filter(|kind| !ARCHIVES.contains(kind)).unwrap_or("jar");
        let key = (group, artifact, kind.to_owned(), String::new());
        let licences = poms.iter().map(|(_, pom)| pom.licences()).find(|it| !it.is_empty());
        let supplier = poms.iter().find_map(|(_, pom)| pom.organization());
        Ok(Package {
            root: true,
            line: Some(self.lines.line(own.offset())),
            licence: licences.map(|licences| licences.join(" OR ")),
            supplier: supplier.map(str::to_owned),
            ..package(&key, version.as_deref(), Source::Local { path: None })?
        })
    }

    fn named(&mut self, field: &'static str, raw: &str) -> Result<String, Problem> {
        let known = self.properties.resolve(raw);
        known.ok_or_else(|| text::invalid(field, raw, "a name whose properties are known"))
    }

    /// What the project asks for, with the number of the file that says so. Of two in one file the
    /// last counts, of those in several the one nearest to the project.
    fn asked<'p>(
        &mut self,
        poms: &[(&str, Pom<'p>)],
    ) -> Result<Vec<(usize, Dependency<'p>)>, Fault> {
        let mut asked: Vec<(usize, Dependency<'_>)> = Vec::new();
        let mut known: HashMap<Key, usize> = HashMap::new();
        for (at, (_, pom)) in poms.iter().enumerate() {
            for dependency in pom.dependencies()? {
                let Some(key) = effective::key(&dependency, &mut self.properties) else {
                    asked.push((at, dependency));
                    continue;
                };
                match known.get(&key) {
                    Some(&before) if asked[before].0 == at => asked[before].1 = dependency,
                    Some(_) => {}
                    None => {
                        known.insert(key, asked.len());
                        asked.push((at, dependency));
                    }
                }
            }
            if asked.len() > MAX_PACKAGES {
                return Err(Problem::TooManyPackages { packages: asked.len() }.anywhere());
            }
        }
        Ok(asked)
    }

    /// Takes a dependency in, unless its very name is not known.
    fn take(&mut self, asked: &Dependency<'_>, place: usize) -> Result<Option<usize>, Problem> {
        let Some(key) = effective::key(asked, &mut self.properties) else {
            let label: String =
                format!("{}:{}", asked.group, asked.artifact).chars().take(160).collect();
            let label = label.escape_debug();
            self.note(place, format!("{label} has a property in its name that is not known here"));
            return Ok(None);
        };
        let managed = self.managed.get(&key).cloned().unwrap_or_default();
        let written = match asked.version {
            Some(version) => self.properties.resolve(version),
            None => managed.version,
        };
        let version = written.as_deref().and_then(exact);
        if version.is_none() {
            let reason = match (&written, asked.version) {
                (Some(range), _) => format!("`{}` is a range", shortened(range)),
                (None, Some(raw)) => format!("`{}` is not known here", shortened(raw)),
                (None, None) => "no file at hand says it".to_owned(),
            };
            let label = format!("{}:{}", shortened(&key.0), shortened(&key.1));
            self.note(place, format!("the version of {label} is open: {reason}"));
        }
        let mut resolve = |text: Option<String>| text.and_then(|it| self.properties.resolve(&it));
        let scope = resolve(asked.scope.map(str::to_owned).or(managed.scope));
        let optional = resolve(asked.optional.map(str::to_owned).or(managed.optional));
        let path = resolve(asked.system_path.map(str::to_owned));
        let source = match scope.as_deref() {
            Some("system") => Source::Local { path },
            _ => Source::Registry { url: CENTRAL.to_owned() },
        };
        let group = scope.filter(|scope| scope != "compile");
        if let Some(group) = &group {
            text::word("scope", group)?;
        }
        let package = Package {
            line: Some(self.lines.line(place)),
            scope: match (group.as_deref(), optional.as_deref()) {
                (Some("test"), _) => Scope::Dev,
                (Some("provided" | "system"), _) | (_, Some("true")) => Scope::Optional,
                _ => Scope::Required,
            },
            groups: group.into_iter().collect(),
            ..package(&key, version, source)?
        };
        self.catalog.add(package).map(Some)
    }

    /// Says what is not at hand and could tell more.
    fn note_absent(&mut self, poms: &[(&str, Pom<'_>)], management: &Management<'_, '_>) {
        if let Some((at, (_, last))) = poms.iter().enumerate().next_back()
            && let Some(parent) = last.parent
        {
            let parts = [parent.group, parent.artifact, parent.version.unwrap_or("?")];
            let label = parts.map(shortened).join(":");
            let place = self.place(at, parent.offset);
            self.note(place, format!("the parent {label} is not at hand, nor what it would say"));
        }
        for absent in &management.absent {
            let label = shortened(&absent.label);
            let message = format!("the imported {label} is not at hand, nor the versions it lists");
            self.note(absent.offset, message);
        }
        for (at, (_, pom)) in poms.iter().enumerate() {
            for (offset, id) in pom.profiles() {
                let id = shortened(id);
                let place = self.place(at, offset);
                self.note(
                    place,
                    format!("profile `{id}` is left out: what is built with it asks for more"),
                );
            }
        }
    }
}

fn package(
    (group, artifact, kind, classifier): &Key,
    version: Option<&str>,
    source: Source,
) -> Result<Package, Problem> {
    text::word("groupId", group)?;
    text::word("artifactId", artifact)?;
    let mut qualifiers = Vec::new();
    for (name, value) in [("classifier", classifier), ("type", kind)] {
        // What is not said is a jar.
        if !value.is_empty() && (name, value.as_str()) != ("type", "jar") {
            text::word(name, value)?;
            qualifiers.push((name, value.as_str()));
        }
    }
    let name = format!("{group}:{artifact}");
    let purl = source.qualified_purl("maven", &name, version, &qualifiers, |_| true)?;
    Package::new(name, version, purl, source)
}

/// The one version that a requirement admits: itself, unless it is a range or moves with time.
fn exact(requirement: &str) -> Option<&str> {
    let requirement = requirement.trim();
    match requirement.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(only) if !only.contains([',', '[', ']', '(', ')']) => Some(only.trim()),
        None if !requirement.starts_with(['[', '(']) => Some(requirement),
        _ => None,
    }
    .filter(|version| !matches!(*version, "" | "LATEST" | "RELEASE"))
}

fn shortened(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}
