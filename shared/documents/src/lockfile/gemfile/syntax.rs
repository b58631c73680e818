//! The grammar of `Gemfile.lock`: titles at the margin, and what is below them by its indentation.
//!
//! Bundler's `LockfileParser` is the definition: two spaces begin an option or a dependency of the
//! project, four a gem, six what that gem needs.

use crate::lockfile::MAX_PACKAGES;
use crate::lockfile::error::{Fault, Problem};
use crate::lockfile::text;

/// All that the file says.
#[derive(Default)]
pub(super) struct Lock<'a> {
    pub(super) sections: Vec<Section<'a>>,
    /// What the project itself asks for.
    pub(super) asked: Vec<Named<'a>>,
    /// Whether it says what the project asks for, be it nothing.
    pub(super) has_dependencies: bool,
    pub(super) checksums: Vec<Checksum<'a>>,
}

/// One source and the gems that come from it.
pub(super) struct Section<'a> {
    pub(super) offset: usize,
    pub(super) line: usize,
    pub(super) kind: SourceKind,
    pub(super) remotes: Vec<&'a str>,
    /// The commit of a Git source.
    pub(super) revision: Option<&'a str>,
    pub(super) gems: Vec<Gem<'a>>,
}

#[derive(Clone, Copy)]
pub(super) enum SourceKind {
    Registry,
    Git,
    Path,
    /// A source that a plugin of Bundler reads.
    Plugin,
}

/// `NAME (VERSION)` or `NAME (VERSION-PLATFORM)`.
pub(super) struct Gem<'a> {
    pub(super) offset: usize,
    pub(super) line: usize,
    pub(super) name: &'a str,
    pub(super) version: &'a str,
    /// The platform it is built for, where it is not pure Ruby.
    pub(super) platform: Option<&'a str>,
    pub(super) dependencies: Vec<Named<'a>>,
}

/// A gem that something asks for by name.
pub(super) struct Named<'a> {
    pub(super) offset: usize,
    pub(super) line: usize,
    pub(super) name: &'a str,
}

/// A gem and the digests of its file, as `sha256=HEX`, with commas between several.
pub(super) struct Checksum<'a> {
    pub(super) gem: Gem<'a>,
    pub(super) digests: &'a str,
}

enum Part {
    Source,
    Dependencies,
    Checksums,
    /// Platforms, versions of Ruby and Bundler, and what newer versions of Bundler may write.
    Other,
}

impl SourceKind {
    fn of(title: &str) -> Option<Self> {
        Some(match title {
            "GEM" => Self::Registry,
            "GIT" => Self::Git,
            "PATH" => Self::Path,
            "PLUGIN SOURCE" => Self::Plugin,
            _ => return None,
        })
    }

    /// The title of its sections.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Registry => "GEM",
            Self::Git => "GIT",
            Self::Path => "PATH",
            Self::Plugin => "PLUGIN SOURCE",
        }
    }
}

/// A line without its indentation.
struct Line<'a> {
    offset: usize,
    number: usize,
    indent: usize,
    text: &'a str,
}

/// Reads `text`.
pub(super) fn read(text: &str) -> Result<Lock<'_>, Fault> {
    let mut lock = Lock::default();
    let mut part = Part::Other;
    let (mut offset, mut entries) = (0, 0);
    for (at, whole) in text.split_inclusive('\n').enumerate() {
        let trimmed = whole.trim_end();
        let text = trimmed.trim_start_matches(' ');
        let line = Line { offset, number: at + 1, indent: trimmed.len() - text.len(), text };
        offset += whole.len();
        if line.text.is_empty() {
            continue;
        }
        entries += 1;
        if entries > MAX_ENTRIES {
            return Err(Problem::TooManyValues { limit: MAX_ENTRIES }.at(line.offset));
        }
        if line.indent == 0 {
            part = lock.begin(&line);
        } else {
            lock.take(&part, &line).map_err(|problem| problem.at(line.offset))?;
        }
    }
    Ok(lock)
}

/// Most lines that are kept: several for each package that is read.
const MAX_ENTRIES: usize = 10 * MAX_PACKAGES;

impl<'a> Lock<'a> {
    fn begin(&mut self, line: &Line<'a>) -> Part {
        if let Some(kind) = SourceKind::of(line.text) {
            let (offset, line) = (line.offset, line.number);
            let (remotes, gems) = (Vec::new(), Vec::new());
            self.sections.push(Section { offset, line, kind, remotes, revision: None, gems });
            return Part::Source;
        }
        match line.text {
            "DEPENDENCIES" => {
                self.has_dependencies = true;
                Part::Dependencies
            }
            "CHECKSUMS" => Part::Checksums,
            _ => Part::Other,
        }
    }

    fn take(&mut self, part: &Part, line: &Line<'a>) -> Result<(), Problem> {
        match part {
            Part::Source => match self.sections.last_mut() {
                Some(section) => section.take(line),
                None => Ok(()),
            },
            Part::Dependencies => {
                self.asked.push(named(line));
                Ok(())
            }
            Part::Checksums => {
                // A gem without a digest may stand there too.
                let (gem, digests) = match line.text.find(") ") {
                    Some(end) => (&line.text[..=end], line.text[end + 2..].trim()),
                    None => (line.text, ""),
                };
                self.checksums.push(Checksum { gem: gem_of(line, gem)?, digests });
                Ok(())
            }
            Part::Other => Ok(()),
        }
    }
}

impl<'a> Section<'a> {
    fn take(&mut self, line: &Line<'a>) -> Result<(), Problem> {
        match line.indent {
            2 => {
                match line.text.split_once(": ") {
                    Some(("remote", remote)) => self.remotes.push(remote.trim()),
                    Some(("revision", revision)) => self.revision = Some(revision.trim()),
                    _ => {}
                }
                Ok(())
            }
            4 => {
                self.gems.push(gem_of(line, line.text)?);
                Ok(())
            }
            6 => match self.gems.last_mut() {
                Some(gem) => {
                    gem.dependencies.push(named(line));
                    Ok(())
                }
                None => Err(unexpected(line)),
            },
            _ => Err(unexpected(line)),
        }
    }
}

/// What a line `NAME (REQUIREMENTS)!` asks for; the mark says that the `Gemfile` names the source.
fn named<'a>(line: &Line<'a>) -> Named<'a> {
    let name = line.text.split(" (").next().unwrap_or(line.text).trim_end_matches('!');
    Named { offset: line.offset, line: line.number, name }
}

fn gem_of<'a>(line: &Line<'a>, text: &'a str) -> Result<Gem<'a>, Problem> {
    let inner = text.strip_suffix(')').and_then(|text| text.rsplit_once(" ("));
    let (name, version) = inner.ok_or_else(|| unexpected(line))?;
    let (version, platform) = match version.split_once('-') {
        Some((version, platform)) => (version, Some(platform)),
        None => (version, None),
    };
    let (offset, line) = (line.offset, line.number);
    Ok(Gem { offset, line, name, version, platform, dependencies: Vec::new() })
}

fn unexpected(line: &Line<'_>) -> Problem {
    text::invalid("specs", line.text, "a gem such as `rack (3.0.0)` and below it what it needs")
}
