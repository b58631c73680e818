//! `requirements.txt`, in pip's format.
//!
//! Only `==` names a version: any other line is a package without one, which nobody should guess.
//! Other files that a line includes are not read; a note tells of them.

mod line;

use std::collections::HashSet;

use super::catalog::{Catalog, Contents};
use super::error::{Fault, Problem};
use super::pep508::Requirement;
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

fn read(text: &str, _: &Beside<'_>) -> Result<Contents, Fault> {
    if let Some(offset) = text::conflict_marker(text) {
        return Err(Problem::MergeConflict.at(offset));
    }
    let mut file = File::default();
    for line in line::logical(text) {
        file.take(&line).map_err(|problem| problem.at(line.offset))?;
        let taken = file.entries.len() + file.notes.len();
        if taken > MAX_PACKAGES {
            return Err(Problem::TooManyPackages { packages: taken }.at(line.offset));
        }
    }
    file.contents()
}

/// What the lines read so far have said.
#[derive(Default)]
struct File {
    entries: Vec<Entry>,
    notes: Vec<Note>,
    /// The index that `--index-url` names.
    index: Option<String>,
}

/// A line that asks for a package.
struct Entry {
    offset: usize,
    name: String,
    version: Option<String>,
    /// Absent where the index has it.
    source: Option<Source>,
    has_marker: bool,
    distributions: Vec<Distribution>,
}

impl File {
    fn take(&mut self, line: &Line) -> Result<(), Problem> {
        let Some((option, value)) = line.option() else {
            return self.take_requirement(line);
        };
        let note = match option {
            "-e" | "--editable" => return self.take_place(line, value, Vec::new()),
            "-i" | "--index-url" | "--pypi-url" => {
                text::location("--index-url", value)?;
                self.index = Some(without_credentials(value));
                return Ok(());
            }
            "-r" | "--requirement" => "is not read with it; match that file as well",
            "-c" | "--constraint" => "is not read with it; its versions are not applied",
            _ if line::is_other_option(option) => return Ok(()),
            _ => return Err(unreadable(&line.text)),
        };
        self.note(line, format_args!("{} {note}", value.escape_debug()));
        Ok(())
    }

    fn take_requirement(&mut self, line: &Line) -> Result<(), Problem> {
        let (asked, options) = line.requirement_and_options();
        let mut distributions = Vec::new();
        for hash in line::hashes(options) {
            distributions.push(python::distribution(None, Some(hash))?);
        }
        if line::is_path(asked) {
            return self.take_place(line, asked, distributions);
        }
        match Requirement::parse(asked) {
            Some(Requirement { name, version, url, has_marker }) => {
                let source = url.map(source_of).transpose()?;
                self.entries.push(Entry {
                    offset: line.offset,
                    name: name.to_owned(),
                    version: version.map(str::to_owned),
                    source,
                    has_marker,
                    distributions,
                });
                Ok(())
            }
            None if line::is_url(asked) => self.take_place(line, asked, distributions),
            None => Err(unreadable(asked)),
        }
    }

    /// Takes a URL or path, which names its package only in a fragment.
    fn take_place(
        &mut self,
        line: &Line,
        place: &str,
        distributions: Vec<Distribution>,
    ) -> Result<(), Problem> {
        let (place, has_marker) =
            place.split_once(" ;").map_or((place, false), |(place, _)| (place, true));
        let Some(name) = line::egg(place) else {
            let place = without_credentials(place.trim());
            let said = "names no package; write `NAME @` before it";
            self.note(line, format_args!("{} {said}", place.escape_debug()));
            return Ok(());
        };
        self.entries.push(Entry {
            offset: line.offset,
            name: name.to_owned(),
            version: None,
            source: Some(source_of(place)?),
            has_marker,
            distributions,
        });
        Ok(())
    }

    fn note(&mut self, line: &Line, message: std::fmt::Arguments<'_>) {
        let message = message.to_string().chars().take(300).collect();
        self.notes.push(Note { line: line.number, message });
    }

    fn contents(self) -> Result<Contents, Fault> {
        let pinned: HashSet<String> = self.entries.iter().filter_map(Entry::pinned_name).collect();
        let index = self.index.as_deref().unwrap_or(PYPI);
        let mut catalog = Catalog::default();
        for entry in self.entries {
            let fault = |problem: Problem| problem.at(entry.offset);
            let source = entry.source.clone();
            let source = source.unwrap_or_else(|| Source::Registry { url: index.to_owned() });
            let package = python::package(&entry.name, entry.version.as_deref(), source);
            let package = package.map_err(fault)?;
            // `bleach==6.3.0` and `bleach[css]` ask for one package.
            let is_open = entry.version.is_none() && entry.source.is_none();
            if is_open && pinned.contains(&package.name) {
                continue;
            }
            let package = Package { direct: true, distributions: entry.distributions, ..package };
            catalog.add(package).map_err(fault)?;
        }
        Ok(Contents {
            packages: catalog.into_packages(),
            direct_known: self.notes.is_empty(),
            notes: self.notes,
            edges_known: false,
            complete: false,
        })
    }
}

impl Entry {
    /// The package that this line pins in every environment.
    fn pinned_name(&self) -> Option<String> {
        let pins = self.version.is_some() && self.source.is_none() && !self.has_marker;
        pins.then(|| python::normalized(&self.name))
    }
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
