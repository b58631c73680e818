//! `requirements.txt`, in pip's format.
//!
//! Only `==` names a version, in the list or in a file of constraints: any other line is a package
//! without one, which nobody should guess. Files that a line includes are read with it where they are
//! at hand.

mod line;

use std::collections::{HashMap, HashSet};

use super::beside::resolve;
use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::pep508::{Requirement, egg};
use super::python::{self, PYPI};
use super::source::without_credentials;
use super::{Beside, Distribution, Ecosystem, Format, MAX_PACKAGES, Note, Package, text};
use crate::inventory::Source;
use line::Line;

pub(super) const FORMAT: Format = Format {
    file_names: &["requirements.txt"],
    pattern: Some(("", ".txt")),
    is_lock: false,
    companions: &[],
    ecosystem: Ecosystem::PyPi,
    relock: "write one requirement in a line, pinned with `==`, as `pip-compile` does",
    read,
};

/// Most files that one list may include, and deepest inclusion.
const MAX_INCLUDED: usize = 100;
/// Longest text of a file that a note repeats, in characters.
const MAX_SHOWN: usize = 300;

/// Whether a list of requirements usually lies at `path`: `requirements-dev.txt`, `requirements/dev.txt`.
pub(super) fn is_usual_path(path: &str) -> bool {
    let mut parts = path.rsplit(['/', '\\']);
    let stem = parts.next().and_then(|name| name.strip_suffix(".txt"));
    let in_folder = parts.next() == Some("requirements");
    stem.is_some_and(|stem| {
        in_folder
            || stem.starts_with("requirements")
            || stem.ends_with("-requirements")
            || stem.ends_with("_requirements")
    })
}

/// The folders whose lockfiles stand for the list at `path`.
pub(super) fn folders(path: &str) -> impl Iterator<Item = &str> {
    let own = super::folder(path);
    let above = (super::file_name(own) == "requirements").then(|| super::folder(own));
    [own].into_iter().chain(above)
}

/// Paths below the project of the files that the list at `path` includes.
pub(super) fn included(path: &str, text: &str) -> Vec<String> {
    let of_line = |line: Line| {
        let (option, value) = line.option()?;
        let relative = inclusion(option, value).filter(|it| !it.contains("://"))?;
        resolve(super::folder(path), relative)
    };
    line::logical(text).filter_map(of_line).collect()
}

/// The file that an option includes.
fn inclusion<'a>(option: &str, value: &'a str) -> Option<&'a str> {
    let includes = is_constraint(option) || matches!(option, "-r" | "--requirement");
    includes.then(|| value.trim_matches(['"', '\'']))
}

fn is_constraint(option: &str) -> bool {
    matches!(option, "-c" | "--constraint")
}

fn read(text: &str, beside: &Beside<'_>) -> Result<Contents, Fault> {
    let mut list = List::default();
    list.included.extend(beside.own_path());
    list.take_file(text, beside, &mut Vec::new())?;
    for (line, problem) in list.lacking.drain(..) {
        beside.lack(line, problem);
    }
    list.contents()
}

/// What the lines read so far have said.
#[derive(Default)]
struct List {
    entries: Vec<Entry>,
    /// What files of constraints say of packages that something else asks for.
    constraints: Vec<Entry>,
    notes: Vec<Note>,
    /// Paths of all files read, each of which is read once.
    included: HashSet<String>,
    /// Lines that include what could not be read, each with the file and why.
    lacking: Vec<(usize, Problem)>,
    /// Whether something that the list asks for could not be told.
    is_partial: bool,
    /// The index that `--index-url` names.
    index: Option<String>,
}

/// A line of the list that includes a file: what that file says is told as standing there.
#[derive(Clone, Copy)]
struct Inclusion {
    line: usize,
    offset: usize,
    is_constraint: bool,
}

/// A line that asks for a package.
struct Entry {
    line: usize,
    offset: usize,
    name: String,
    version: Option<String>,
    /// Absent where the index has it.
    source: Option<Source>,
    marker: Option<String>,
    distributions: Vec<Distribution>,
}

impl List {
    /// Takes every line of a file, which is that of the list or, with `within`, one that it includes.
    fn take_file(
        &mut self,
        text: &str,
        beside: &Beside<'_>,
        within: &mut Vec<Inclusion>,
    ) -> Result<(), Fault> {
        if let Some(offset) = text::conflict_marker(text) {
            return Err(Problem::MergeConflict.at(offset));
        }
        for line in line::logical(text) {
            self.take(&line, beside, within).map_err(|problem| problem.at(line.offset))?;
            let taken = self.entries.len() + self.constraints.len() + self.notes.len();
            if taken > MAX_PACKAGES {
                return Err(Problem::TooManyPackages { packages: taken }.at(line.offset));
            }
        }
        Ok(())
    }

    fn take(
        &mut self,
        line: &Line,
        beside: &Beside<'_>,
        within: &mut Vec<Inclusion>,
    ) -> Result<(), Problem> {
        let place = match within.first() {
            Some(first) => {
                let is_constraint = within.iter().any(|it| it.is_constraint);
                Inclusion { is_constraint, ..*first }
            }
            None => Inclusion { line: line.number, offset: line.offset, is_constraint: false },
        };
        let Some((option, value)) = line.option() else {
            return self.take_requirement(line, place);
        };
        if let Some(included) = inclusion(option, value) {
            let is_constraint = place.is_constraint || is_constraint(option);
            self.include(included, beside, Inclusion { is_constraint, ..place }, within);
            return Ok(());
        }
        match option {
            "-e" | "--editable" => self.take_place(value, place, Vec::new()),
            "-i" | "--index-url" | "--pypi-url" => {
                text::location("--index-url", value)?;
                self.index = Some(without_credentials(value));
                Ok(())
            }
            _ if line::is_other_option(option) => Ok(()),
            _ => Err(unreadable(&line.text)),
        }
    }

    /// Takes the lines of the file at `relative`; one that is not at hand, or not sound, is noted.
    fn include(
        &mut self,
        relative: &str,
        beside: &Beside<'_>,
        place: Inclusion,
        within: &mut Vec<Inclusion>,
    ) {
        if beside.resolve(relative).is_some_and(|path| self.included.contains(&path)) {
            return;
        }
        let said = relative.escape_debug();
        let taken = match self.included.len() <= MAX_INCLUDED && !relative.contains("://") {
            true => beside.take(relative),
            false => None,
        };
        let Some((path, text, inside)) = taken else {
            let lost = match place.is_constraint {
                true => "its versions are not applied",
                false => "what it asks for is missing",
            };
            self.note(place.line, format_args!("{said} is not at hand; {lost}"));
            // Constraints ask for nothing.
            if !place.is_constraint {
                self.lack(place, relative, "which is not at hand".to_owned());
            }
            return;
        };
        self.included.insert(path.to_owned());
        within.push(place);
        match self.take_file(text, &inside, within) {
            Ok(()) => beside.keep(path),
            Err(fault) => {
                let Note { message, .. } = fault.note(relative, text);
                self.note(place.line, format_args!("{message}"));
                self.lack(place, relative, fault.within(text));
            }
        }
        within.pop();
    }

    fn lack(&mut self, place: Inclusion, relative: &str, why: String) {
        self.is_partial |= !place.is_constraint;
        let file = relative.escape_debug().take(MAX_SHOWN).collect();
        self.lacking.push((place.line, Problem::LacksPart { file, why }));
    }

    fn take_requirement(&mut self, line: &Line, place: Inclusion) -> Result<(), Problem> {
        let (asked, options) = line.requirement_and_options();
        let mut distributions = Vec::new();
        for hash in line::hashes(options) {
            distributions.push(python::distribution(None, Some(hash))?);
        }
        if line::is_path(asked) {
            return self.take_place(asked, place, distributions);
        }
        match Requirement::parse(asked) {
            Some(Requirement { name, version, url, marker }) => {
                let source = url.map(source_of).transpose()?;
                let marker = marker.and_then(text::said);
                self.push(
                    place,
                    Entry {
                        line: place.line,
                        offset: place.offset,
                        name: name.to_owned(),
                        version: version.map(str::to_owned),
                        source,
                        marker,
                        distributions,
                    },
                );
                Ok(())
            }
            None if line::is_url(asked) => self.take_place(asked, place, distributions),
            None => Err(unreadable(asked)),
        }
    }

    /// Takes a URL or path, which names its package only in a fragment.
    fn take_place(
        &mut self,
        asked: &str,
        place: Inclusion,
        distributions: Vec<Distribution>,
    ) -> Result<(), Problem> {
        let (url, marker) =
            asked.split_once(" ;").map_or((asked, None), |(url, marker)| (url, text::said(marker)));
        let Some(name) = egg(url) else {
            let url = without_credentials(url.trim());
            let said = "names no package; write `NAME @` before it";
            self.note(place.line, format_args!("{} {said}", url.escape_debug()));
            self.is_partial = true;
            return Ok(());
        };
        self.push(
            place,
            Entry {
                line: place.line,
                offset: place.offset,
                name: name.to_owned(),
                version: None,
                source: Some(source_of(url)?),
                marker,
                distributions,
            },
        );
        Ok(())
    }

    fn push(&mut self, place: Inclusion, entry: Entry) {
        match place.is_constraint {
            true => self.constraints.push(entry),
            false => self.entries.push(entry),
        }
    }

    fn note(&mut self, line: usize, message: std::fmt::Arguments<'_>) {
        let message = message.to_string().chars().take(MAX_SHOWN).collect();
        self.notes.push(Note { line, message });
    }

    fn contents(mut self) -> Result<Contents, Fault> {
        let pinned: HashSet<String> = self.entries.iter().filter_map(Entry::pinned_name).collect();
        let constraints = std::mem::take(&mut self.constraints);
        let constrained = constrained(&constraints);
        let index = self.index.take().unwrap_or_else(|| PYPI.to_owned());
        let mut files_given = HashSet::new();
        let mut catalog = Catalog::default();
        for mut entry in std::mem::take(&mut self.entries) {
            let offset = entry.offset;
            let fault = |problem: Problem| problem.at(offset);
            python::check_name(&entry.name).map_err(fault)?;
            let is_open = entry.version.is_none() && entry.source.is_none();
            let name = python::normalized(&entry.name).into_owned();
            // `bleach==6.3.0` and `bleach[css]` ask for one package.
            if is_open && pinned.contains(&name) {
                continue;
            }
            if let Some(Some(constraint)) = constrained.get(&name).filter(|_| is_open) {
                entry.version.clone_from(&constraint.version);
                // Once is enough, however often the list asks for the package.
                if files_given.insert(name) {
                    entry.distributions.extend(constraint.distributions.iter().cloned());
                }
            } else if is_open {
                self.note(entry.line, format_args!("{name} has no version; pin it with `==`"));
            }
            let source = entry.source.unwrap_or_else(|| Source::Registry { url: index.clone() });
            let package = python::package(&entry.name, entry.version.as_deref(), source);
            let package = Package {
                line: Some(entry.line),
                direct: true,
                distributions: entry.distributions,
                conditions: entry.marker.into_iter().collect(),
                ..package.map_err(fault)?
            };
            catalog.add(package).map_err(fault)?;
        }
        self.notes.sort_by_key(|note| note.line);
        Ok(Contents {
            packages: catalog.into_packages(),
            notes: self.notes,
            direct_known: !self.is_partial,
            edges_known: false,
            complete: false,
        })
    }
}

impl Entry {
    /// The package that this line pins in every environment.
    fn pinned_name(&self) -> Option<String> {
        let pins = self.version.is_some() && self.source.is_none() && self.marker.is_none();
        pins.then(|| python::normalized(&self.name).into_owned())
    }
}

/// What constraints pin in every environment, by name; nothing of a name that they pin twice.
fn constrained(constraints: &[Entry]) -> HashMap<String, Option<&Entry>> {
    let mut found: HashMap<String, Option<&Entry>> = HashMap::new();
    for entry in constraints {
        if let Some(name) = entry.pinned_name() {
            let known = found.entry(name).or_insert(Some(entry));
            *known = known.filter(|known| known.version == entry.version);
        }
    }
    found
}

fn source_of(place: &str) -> Result<Source, Problem> {
    text::location("url", place)?;
    let bare = place.split('#').next().unwrap_or(place);
    if let Some(repository) = bare.strip_prefix("git+") {
        // A revision follows the path; an `@` before the path belongs to the user.
        let path = repository.find("://").map_or(0, |at| at + 3);
        let path = repository[path..].find('/').map_or(path, |at| path + at);
        let revision = repository[path..].rfind('@').map(|at| path + at);
        let (url, revision) = match revision {
            Some(at) => (&repository[..at], Some(&repository[at + 1..])),
            None => (repository, None),
        };
        let is_commit = |it: &&str| it.len() >= 40 && it.bytes().all(|it| it.is_ascii_hexdigit());
        let commit = revision.filter(is_commit).map(str::to_owned);
        return Ok(Source::Git { url: without_credentials(url), commit });
    }
    Ok(match bare.strip_prefix("file:") {
        Some(path) => Source::Local { path: Some(path.trim_start_matches("//").to_owned()) },
        None if line::is_url(bare) => Source::Archive { url: without_credentials(bare) },
        None => Source::Local { path: Some(bare.to_owned()) },
    })
}

fn unreadable(text: &str) -> Problem {
    let text: String = text.chars().take(80).collect();
    Problem::Syntax { message: format!("{text:?} is neither a requirement nor an option of pip") }
}
