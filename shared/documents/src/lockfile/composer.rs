//! `composer.lock`, and what `composer.json` beside it says of the project itself.

mod raw;

use std::collections::HashMap;

use super::borrowed::{Texts, offset_of};
use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::source::without_credentials;
use super::text::Lines;
use super::{Beside, Distribution, Ecosystem, Format, Note, Package, Scope, json_file, text};
use crate::inventory::Source;
use raw::{RawDist, RawLock, RawPackage, RawProject};

pub(super) const FORMAT: Format = Format {
    file_names: &["composer.lock"],
    pattern: None,
    is_lock: true,
    companions: &[MANIFEST],
    ecosystem: Ecosystem::Packagist,
    relock: "run `composer update --lock` and commit the result",
    read,
};

const MANIFEST: &str = "composer.json";
const PACKAGIST: &str = "https://repo.packagist.org";

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let lock: RawLock<'_> = json_file::read(text)?;
    let Some(packages) = lock.packages else {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "packages" };
        return Err(problem.anywhere());
    };
    let mut reading = Reading { text, ..Reading::default() };
    let dev = lock.packages_dev.unwrap_or_default();
    let lines = Lines::of(text);
    for (raw, scope) in [(&packages, Scope::Required), (&dev, Scope::Dev)] {
        for raw in raw {
            let offset = reading.offset(raw);
            let place = reading.take(raw, offset.map(|offset| lines.line(offset)), scope);
            place.map_err(|problem| Fault { offset, problem })?;
        }
    }
    for raw in packages.iter().chain(&dev) {
        let edges = reading.depend(raw);
        edges.map_err(|problem| Fault { offset: reading.offset(raw), problem })?;
    }
    let mut notes = Vec::new();
    let project: Option<Result<RawProject<'_>, _>> = beside.text(MANIFEST).map(json_file::read);
    let asked = match &project {
        Some(Ok(project)) => Some(reading.ask(project).map_err(Problem::anywhere)?),
        Some(Err(_)) => {
            let message = "composer.json beside it cannot be read, so nothing tells what the \
                           project itself asks for; run `composer validate`";
            notes.push(Note { line: 1, message: message.to_owned() });
            None
        }
        None => None,
    };
    if asked.is_none() {
        reading.catalog.mark_unasked_as_direct();
    }
    let mut packages = reading.catalog.into_packages();
    if let Some(asked) = &asked {
        asked.mark(&mut packages);
    }
    Ok(Contents {
        packages,
        notes,
        edges_known: true,
        direct_known: asked.is_some(),
        complete: true,
    })
}

#[derive(Default)]
struct Reading<'a> {
    text: &'a str,
    catalog: Catalog,
    /// Places by name.
    named: HashMap<String, usize>,
    /// Places of the packages that stand in for a name.
    stand_ins: HashMap<String, Vec<usize>>,
}

impl Reading<'_> {
    fn offset(&self, raw: &RawPackage<'_>) -> Option<usize> {
        raw.name.as_ref().and_then(|name| offset_of(self.text, name))
    }

    fn take(
        &mut self,
        raw: &RawPackage<'_>,
        line: Option<usize>,
        scope: Scope,
    ) -> Result<(), Problem> {
        let missing = |owner: &str, field| Problem::MissingField { owner: owner.to_owned(), field };
        let name = raw.name.as_deref().ok_or_else(|| missing("a package", "name"))?;
        if !name.contains('/') {
            return Err(text::invalid("name", name, "a name such as vendor/package"));
        }
        let version = raw.version.as_deref().ok_or_else(|| missing(name, "version"))?;
        let package = package(name, Some(version), source_of(raw)?)?;
        let name = package.name.clone();
        if self.named.contains_key(&name) {
            return Err(Problem::DuplicatePackage { package: name });
        }
        let distribution = raw.dist.as_ref().map(distribution_of).transpose()?.flatten();
        let at = self.catalog.add(Package {
            scope,
            line,
            licence: licence_of(&raw.license),
            supplier: supplier_of(raw),
            distributions: distribution.into_iter().collect(),
            ..package
        })?;
        self.named.insert(name, at);
        for name in raw.provide.0.iter().chain(&raw.replace.0) {
            self.stand_ins.entry(name.to_ascii_lowercase()).or_default().push(at);
        }
        Ok(())
    }

    fn depend(&mut self, raw: &RawPackage<'_>) -> Result<(), Problem> {
        let name = raw.name.as_deref().unwrap_or_default().to_ascii_lowercase();
        let Some(&from) = self.named.get(&name) else { return Ok(()) };
        for asked in &raw.require.0 {
            for to in self.found(asked) {
                self.catalog.depend(from, to)?;
            }
        }
        Ok(())
    }

    /// What is locked for a name: the package itself, otherwise all that stand in for it. PHP, its
    /// extensions, and what the project itself replaces are not locked.
    fn found(&self, name: &str) -> Vec<usize> {
        let name = name.to_ascii_lowercase();
        match self.named.get(&name) {
            Some(&at) => vec![at],
            None => self.stand_ins.get(&name).cloned().unwrap_or_default(),
        }
    }

    /// Takes in what the project asks for itself.
    fn ask(&mut self, project: &RawProject<'_>) -> Result<Asked, Problem> {
        let name = project.name.as_deref().filter(|name| name.contains('/'));
        let root = match name {
            Some(name) => {
                let version = project.version.as_deref();
                let root = package(name, version, Source::Local { path: None })?;
                Some(self.catalog.add(Package { root: true, ..root })?)
            }
            None => None,
        };
        let mut asked = Asked::default();
        for (names, places) in
            [(&project.require, &mut asked.direct), (&project.require_dev, &mut asked.dev)]
        {
            places.extend(names.0.iter().flat_map(|name| self.found(name)));
        }
        for &to in asked.direct.iter().chain(&asked.dev) {
            if let Some(root) = root {
                self.catalog.depend(root, to)?;
            }
        }
        Ok(asked)
    }
}

/// Places of what the project asks for itself.
#[derive(Default)]
struct Asked {
    direct: Vec<usize>,
    /// Only to work on it.
    dev: Vec<usize>,
}

impl Asked {
    fn mark(&self, packages: &mut [Package]) {
        for &at in self.direct.iter().chain(&self.dev) {
            packages[at].direct = !packages[at].root;
        }
        for &at in &self.dev {
            packages[at].groups = vec!["dev".to_owned()];
        }
    }
}

fn package(name: &str, version: Option<&str>, source: Source) -> Result<Package, Problem> {
    text::word("name", name)?;
    let name = name.to_ascii_lowercase();
    let purl = source.purl("composer", &name, version, |url| url == PACKAGIST)?;
    Package::new(name, version, purl, source)
}

/// Packages of a repository of packages say whom to tell of an installation, those of a repository
/// of code do not.
fn source_of(raw: &RawPackage<'_>) -> Result<Source, Problem> {
    if let Some(dist) = raw.dist.as_ref().filter(|dist| dist.is_path()) {
        return Ok(Source::Local { path: dist.url.as_deref().map(str::to_owned) });
    }
    if let Some(notified) = raw.notification_url.as_deref() {
        text::location("notification-url", notified)?;
        let repository = notified.trim_end_matches('/').trim_end_matches("/downloads");
        let url = match repository.split_once("://").map_or(repository, |(_, host)| host) {
            "packagist.org" | "repo.packagist.org" => PACKAGIST.to_owned(),
            _ => without_credentials(repository),
        };
        return Ok(Source::Registry { url });
    }
    let archive = raw.dist.as_ref().and_then(|dist| dist.url.as_deref());
    let code = raw.source.as_ref().filter(|code| code.r#type.as_deref() == Some("git"));
    match (code.and_then(|code| Some((code.url.as_deref()?, code))), archive) {
        (Some((url, code)), _) => {
            text::location("url", url)?;
            let commit = code.reference.as_deref().filter(|commit| !commit.is_empty());
            if let Some(commit) = commit {
                text::word("reference", commit)?;
            }
            let commit = commit.map(str::to_owned);
            Ok(Source::Git { url: without_credentials(url), commit })
        }
        (None, Some(url)) => {
            text::location("url", url)?;
            Ok(Source::Archive { url: without_credentials(url) })
        }
        // A package without files of its own: it only asks for others.
        (None, None) => Ok(Source::Registry { url: PACKAGIST.to_owned() }),
    }
}

fn distribution_of(raw: &RawDist<'_>) -> Result<Option<Distribution>, Problem> {
    let Some(url) = raw.url.as_deref().filter(|_| !raw.is_path()) else { return Ok(None) };
    text::location("url", url)?;
    let digest = raw.shasum.as_deref().filter(|digest| !digest.is_empty());
    let hash = digest.map(|hex| text::hash("shasum", &format!("sha1:{hex}"))).transpose()?;
    Ok(Some(Distribution { location: Some(without_credentials(url)), hash }))
}

/// The user may choose among several licences (Composer's schema, `license`).
fn licence_of(raw: &Texts<'_>) -> Option<String> {
    if let Some(only) = raw.only() {
        return text::remark(only).map(in_spdx);
    }
    let licences: Vec<_> = raw.0.iter().filter_map(|it| text::remark(it)).collect();
    let part = |licence: &&str| match licence.contains(' ') && !licence.starts_with('(') {
        true => format!("({licence})"),
        false => in_spdx(licence),
    };
    let parts: Vec<_> = licences.iter().map(part).collect();
    (!parts.is_empty()).then(|| parts.join(" OR "))
}

/// Composer writes the operators of a licence expression in small letters, and it in parentheses.
fn in_spdx(licence: &str) -> String {
    match licence.starts_with('(') && licence.ends_with(')') {
        true => licence.replace(" or ", " OR ").replace(" and ", " AND "),
        false => licence.to_owned(),
    }
}

fn supplier_of(raw: &RawPackage<'_>) -> Option<String> {
    let names = raw.authors.iter().flatten().filter_map(|author| author.name.as_deref());
    let names: Vec<_> = names.filter_map(text::remark).collect();
    text::remark(&names.join(", ")).map(str::to_owned)
}
