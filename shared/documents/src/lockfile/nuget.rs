//! `packages.lock.json` of NuGet, versions 1 to 3.
//!
//! The packages of each framework that the project is built for stand apart; what not every one of
//! them has gets those that have it as its conditions. The project itself is not named, and which
//! packages are for development only is not said.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::borrowed::{Entries, Text, offset_of};
use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::text::Lines;
use super::{Beside, Distribution, Ecosystem, Format, Hash, Package, json_file, text};
use crate::inventory::Source;

pub(super) const FORMAT: Format = Format {
    file_names: &["packages.lock.json"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::NuGet,
    relock: "run `dotnet restore --force-evaluate` and commit the result",
    read,
};

const GALLERY: &str = "https://api.nuget.org/v3/index.json";
/// Since this version, frameworks stand at the top under names of the project's own.
const ALIASED: i64 = 3;

#[derive(Deserialize)]
struct RawLock<'a> {
    version: Option<i64>,
    #[serde(borrow)]
    dependencies: Option<Entries<'a, Target<'a>>>,
}

/// Packages by name, for one framework, perhaps on one platform.
type Target<'a> = Entries<'a, RawPackage<'a>>;

/// A value at the top since version 3.
#[derive(Deserialize)]
#[serde(untagged)]
enum RawTop<'a> {
    Target {
        #[serde(borrow)]
        dependencies: Option<Target<'a>>,
    },
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawPackage<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    resolved: Option<Text<'a>>,
    /// SHA-512 of the package without its signature, in Base64.
    content_hash: Option<Text<'a>>,
    #[serde(default)]
    dependencies: Entries<'a, IgnoredAny>,
}

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    let targets = targets(text)?;
    let mut reading = Reading { text, lines: Lines::of(text), ..Reading::default() };
    for (framework, target) in targets.iter() {
        let places = reading.take(framework, target)?;
        reading.targets.insert(framework.to_string(), places);
    }
    for (framework, target) in targets.iter() {
        reading.depend(framework, target)?;
    }
    reading.contents()
}

fn targets(text: &str) -> Result<Entries<'_, Target<'_>>, Fault> {
    let missing = |field| Problem::MissingField { owner: "the file".to_owned(), field };
    let lock: RawLock<'_> = json_file::read(text)?;
    match lock.version {
        None => Err(missing("version").anywhere()),
        Some(1 | 2) => lock.dependencies.ok_or_else(|| missing("dependencies").anywhere()),
        Some(ALIASED) => {
            let top: Entries<'_, RawTop<'_>> = json_file::read(text)?;
            let targets = top.0.into_iter().filter_map(|(name, value)| match value {
                RawTop::Target { dependencies: Some(target) } => Some((name, target)),
                RawTop::Target { dependencies: None } | RawTop::Other(_) => None,
            });
            Ok(Entries(targets.collect()))
        }
        Some(version) => Err(Problem::UnsupportedVersion { version }.anywhere()),
    }
}

#[derive(Default)]
struct Reading<'a> {
    text: &'a str,
    lines: Lines<'a>,
    catalog: Catalog,
    /// Places by name, for each target.
    targets: HashMap<String, HashMap<String, usize>>,
    /// The targets that have a package, by its place.
    had_by: Vec<BTreeSet<String>>,
    /// The first way of writing a name, by the name in small letters.
    spellings: HashMap<String, String>,
    /// Places of other projects.
    projects: BTreeSet<usize>,
}

impl Reading<'_> {
    fn take(
        &mut self,
        framework: &str,
        target: &Target<'_>,
    ) -> Result<HashMap<String, usize>, Fault> {
        text::word("framework", framework).map_err(Problem::anywhere)?;
        let mut places = HashMap::new();
        for (name, raw) in target.iter() {
            let offset = offset_of(self.text, name);
            let fault = |problem| Fault { offset, problem };
            let at = self.package(name, raw, offset).map_err(fault)?;
            if places.insert(name.to_lowercase(), at).is_some() {
                return Err(fault(Problem::DuplicatePackage { package: name.to_string() }));
            }
            if self.had_by.len() <= at {
                self.had_by.resize_with(at + 1, BTreeSet::new);
            }
            self.had_by[at].insert(framework.to_owned());
        }
        Ok(places)
    }

    fn package(
        &mut self,
        name: &str,
        raw: &RawPackage<'_>,
        offset: Option<usize>,
    ) -> Result<usize, Problem> {
        text::word("name", name)?;
        let spelling = self.spellings.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
        let missing =
            |field| Problem::MissingField { owner: name.chars().take(80).collect(), field };
        let kind = raw.r#type.as_deref().ok_or_else(|| missing("type"))?;
        let is_project = kind == "Project";
        let (version, source) = match is_project {
            true => (None, Source::Local { path: None }),
            false => (Some(raw.resolved.as_deref().ok_or_else(|| missing("resolved"))?), gallery()),
        };
        let package = package(spelling, version, source)?;
        let hash = raw.content_hash.as_deref().map(|it| sha512("contentHash", it)).transpose()?;
        let at = self.catalog.add(Package {
            line: offset.map(|offset| self.lines.line(offset)),
            direct: kind == "Direct",
            distributions: hash.map(Distribution::of).into_iter().collect(),
            ..package
        })?;
        if is_project {
            self.projects.insert(at);
        }
        Ok(at)
    }

    fn depend(&mut self, framework: &str, target: &Target<'_>) -> Result<(), Fault> {
        // The part for a platform has only what differs from the framework's.
        let base = framework.split_once('/').and_then(|(base, _)| self.targets.get(base));
        let own = self.targets.get(framework);
        for (name, raw) in target.iter() {
            let Some(&from) = own.and_then(|own| own.get(&name.to_lowercase())) else { continue };
            for (asked, _) in raw.dependencies.iter() {
                let asked = asked.to_lowercase();
                let found = own.and_then(|own| own.get(&asked));
                let Some(&to) = found.or_else(|| base.and_then(|base| base.get(&asked))) else {
                    continue;
                };
                let edge = self.catalog.depend(from, to);
                edge.map_err(|problem| Fault { offset: offset_of(self.text, name), problem })?;
            }
        }
        Ok(())
    }

    fn contents(self) -> Result<Contents, Fault> {
        let mut packages = self.catalog.into_packages();
        let frameworks: BTreeSet<&str> =
            self.targets.keys().map(String::as_str).filter(|it| !it.contains('/')).collect();
        for (package, had_by) in packages.iter_mut().zip(&self.had_by) {
            if !frameworks.iter().all(|&framework| had_by.contains(framework)) {
                package.conditions = had_by.iter().map(|it| format!("framework: {it}")).collect();
            }
        }
        let asked: BTreeSet<usize> =
            packages.iter().flat_map(|package| package.dependencies.iter().copied()).collect();
        // A project that nobody else asks for is asked for by this one.
        for &project in self.projects.difference(&asked) {
            packages[project].direct = true;
        }
        Ok(Contents {
            packages,
            notes: Vec::new(),
            edges_known: true,
            direct_known: self.projects.is_disjoint(&asked),
            complete: true,
        })
    }
}

impl Distribution {
    /// A file that the registry has, with this digest.
    pub(super) fn of(hash: Hash) -> Self {
        Self { location: None, hash: Some(hash) }
    }
}

/// A package of NuGet, without files.
pub(super) fn package(
    name: &str,
    version: Option<&str>,
    source: Source,
) -> Result<Package, Problem> {
    text::word("name", name)?;
    let purl = source.purl("nuget", name, version, |url| url == GALLERY)?;
    Package::new(name.to_owned(), version, purl, source)
}

/// Where packages come from unless a project says otherwise, which no file that is read here does.
pub(super) fn gallery() -> Source {
    Source::Registry { url: GALLERY.to_owned() }
}

/// A SHA-512 in Base64.
pub(super) fn sha512(field: &'static str, value: &str) -> Result<Hash, Problem> {
    let digest = STANDARD.decode(value);
    let digest = digest.map_err(|_| text::invalid(field, value, "a SHA-512 in Base64"))?;
    let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    text::hash(field, &format!("sha512:{hex}"))
}
