//! `Gemfile.lock` of Bundler, also named `gems.locked`.
//!
//! The file does not say which gems only a group of the `Gemfile` asks for, so all count as required.
//! Bundler itself is never locked, and an edge to it goes nowhere.

mod syntax;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::source::without_credentials;
use super::{Beside, Distribution, Ecosystem, Format, Hash, Note, Package, text};
use crate::inventory::Source;
use syntax::{Gem, Lock, Section, SourceKind};

pub(super) const FORMAT: Format = Format {
    file_names: &["Gemfile.lock", "gems.locked"],
    pattern: None,
    is_lock: true,
    companions: &[],
    ecosystem: Ecosystem::RubyGems,
    relock: "run `bundle lock` again and commit the result",
    read,
};

const RUBYGEMS: &str = "https://rubygems.org";
/// A gem that is there without being locked.
const BUNDLER: &str = "bundler";
/// Most gems that are asked for and not locked, of which notes tell.
const MAX_NOTES: usize = 100;

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    if let Some(offset) = text::conflict_marker(text) {
        return Err(Problem::MergeConflict.at(offset));
    }
    let lock = syntax::read(text)?;
    if lock.sections.is_empty() {
        let problem = Problem::MissingField { owner: "the file".to_owned(), field: "GEM" };
        return Err(problem.anywhere());
    }
    let mut reading = Reading { checksums: checksums(&lock)?, ..Reading::default() };
    for section in &lock.sections {
        reading.take(section)?;
    }
    reading.contents(&lock)
}

#[derive(Default)]
struct Reading<'a> {
    checksums: HashMap<Key<'a>, Vec<Hash>>,
    catalog: Catalog,
    notes: Vec<Note>,
    /// Each gem's place and the gem as it is written.
    gems: Vec<(usize, &'a Gem<'a>)>,
}

/// Name, version and platform.
type Key<'a> = (&'a str, &'a str, Option<&'a str>);

fn checksums<'a>(lock: &Lock<'a>) -> Result<HashMap<Key<'a>, Vec<Hash>>, Fault> {
    let mut found: HashMap<Key<'a>, Vec<Hash>> = HashMap::new();
    for checksum in &lock.checksums {
        let gem = &checksum.gem;
        let hashes = found.entry((gem.name, gem.version, gem.platform)).or_default();
        for digest in checksum.digests.split(',').map(str::trim) {
            let Some((algorithm, hex)) = digest.split_once('=') else { continue };
            if text::hash_algorithm(algorithm).is_none() {
                continue;
            }
            let hash = text::hash("CHECKSUMS", &format!("{algorithm}:{hex}"));
            hashes.push(hash.map_err(|problem| problem.at(gem.offset))?);
        }
    }
    Ok(found)
}

impl<'a> Reading<'a> {
    fn take(&mut self, section: &'a Section<'a>) -> Result<(), Fault> {
        let source = source_of(section).map_err(|problem| problem.at(section.offset))?;
        // A lockfile in a folder of its own has the project above it.
        let is_up = |remote: &&str| remote.split('/').all(|part| matches!(part, "" | "." | ".."));
        let is_project =
            matches!(section.kind, SourceKind::Path) && section.remotes.iter().all(is_up);
        // Bundler asked all of them, and the file does not say which one had a gem.
        let is_default = |url: &str| section.remotes.len() > 1 || is_rubygems(url);
        for gem in &section.gems {
            let place = self.gem(gem, &source, is_default);
            let place =
                place.and_then(|package| self.catalog.add(Package { root: is_project, ..package }));
            self.gems.push((place.map_err(|problem| problem.at(gem.offset))?, gem));
        }
        if matches!(section.kind, SourceKind::Registry) && section.remotes.len() > 1 {
            let message = "gems come from several servers, and the file does not say from which; \
                           the first is named; run `bundle lock` with a source of their own for them";
            self.notes.push(Note { line: section.line, message: message.to_owned() });
        }
        Ok(())
    }

    fn gem(
        &mut self,
        gem: &Gem<'a>,
        source: &Source,
        is_default: impl Fn(&str) -> bool,
    ) -> Result<Package, Problem> {
        text::word("name", gem.name)?;
        text::word("version", gem.version)?;
        if let Some(platform) = gem.platform {
            text::word("platform", platform)?;
        }
        let qualifiers: Vec<_> = gem.platform.map(|it| ("platform", it)).into_iter().collect();
        let version = Some(gem.version);
        let purl = source.qualified_purl("gem", gem.name, version, &qualifiers, is_default)?;
        let hashes = self.checksums.get(&(gem.name, gem.version, gem.platform));
        let hashes = hashes.filter(|_| matches!(source, Source::Registry { .. }));
        let distributions = hashes.into_iter().flatten().cloned();
        Ok(Package {
            line: Some(gem.line),
            distributions: distributions
                .map(|hash| Distribution { location: None, hash: Some(hash) })
                .collect(),
            conditions: gem.platform.map(|it| format!("platform: {it}")).into_iter().collect(),
            ..Package::new(gem.name.to_owned(), version, purl, source.clone())?
        })
    }

    fn contents(mut self, lock: &Lock<'a>) -> Result<Contents, Fault> {
        let mut absent: BTreeMap<&str, usize> = BTreeMap::new();
        for (from, gem) in &self.gems {
            for asked in &gem.dependencies {
                let found = self.catalog.depend_on_named(*from, asked.name, None);
                if !found.map_err(|problem| problem.at(asked.offset))? {
                    absent.entry(asked.name).or_insert(asked.line);
                }
            }
        }
        let mut packages = self.catalog.into_packages();
        let mut asked: BTreeMap<&str, usize> =
            lock.asked.iter().map(|asked| (asked.name, asked.line)).collect();
        let mut found = HashSet::new();
        for package in &mut packages {
            if asked.contains_key(package.name.as_str()) {
                package.direct |= !package.root;
                found.insert(package.name.as_str());
            }
        }
        asked.retain(|name, _| !found.contains(name));
        absent.remove(BUNDLER);
        asked.remove(BUNDLER);
        let mut notes = self.notes;
        let reason = "is needed and not locked; run `bundle lock` again";
        notes.extend(notes_of(&absent, reason));
        // A `Gemfile` may ask for a gem on some platforms only.
        let reason = "is asked for and not locked, so it is for none of the file's platforms";
        notes.extend(notes_of(&asked, reason));
        notes.sort_by_key(|note| note.line);
        Ok(Contents {
            packages,
            notes,
            edges_known: true,
            direct_known: lock.has_dependencies,
            complete: absent.is_empty(),
        })
    }
}

fn notes_of(lines: &BTreeMap<&str, usize>, reason: &str) -> impl Iterator<Item = Note> {
    lines.iter().take(MAX_NOTES).map(move |(name, &line)| {
        let name: String = name.chars().take(80).collect();
        Note { line, message: format!("`{}` {reason}", name.escape_debug()) }
    })
}

fn source_of(section: &Section<'_>) -> Result<Source, Problem> {
    let missing = |field| Problem::MissingField { owner: section.kind.title().to_owned(), field };
    let remote = section.remotes.first().copied();
    if let Some(remote) = remote {
        text::location("remote", remote)?;
    }
    Ok(match section.kind {
        SourceKind::Registry => {
            // Without a remote, all gems have to be installed already; that is where they come from.
            Source::Registry { url: without_credentials(remote.unwrap_or(RUBYGEMS)) }
        }
        SourceKind::Plugin => {
            Source::Registry { url: without_credentials(remote.ok_or_else(|| missing("remote"))?) }
        }
        SourceKind::Git => {
            let url = without_credentials(remote.ok_or_else(|| missing("remote"))?);
            if let Some(revision) = section.revision {
                text::word("revision", revision)?;
            }
            Source::Git { url, commit: section.revision.map(str::to_owned) }
        }
        SourceKind::Path => Source::Local { path: remote.map(str::to_owned) },
    })
}

fn is_rubygems(url: &str) -> bool {
    let host = url.trim_start_matches("https://").trim_start_matches("http://");
    matches!(host.trim_end_matches('/'), "rubygems.org" | "index.rubygems.org")
}
