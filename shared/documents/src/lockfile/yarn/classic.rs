//! The text of a `yarn.lock` of Yarn 1: entries, two spaces in their fields, four in their lists.

use std::borrow::Cow;

use super::{Entry, Needed};
use crate::inventory::{Distribution, Hash, HashAlgorithm, Package, Source};
use crate::lockfile::error::{Fault, Problem};
use crate::lockfile::npm::packages::{distributions_of, package, source_of};
use crate::lockfile::text::{self, Lines};

/// An entry as it is written.
#[derive(Default)]
struct RawEntry<'a> {
    offset: usize,
    patterns: Vec<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    resolved: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    needed: Vec<Needed<'a>>,
}

/// Reads every entry of `text`.
pub(super) fn read(text: &str) -> Result<Vec<Entry<'_>>, Fault> {
    let lines = Lines::of(text);
    let raw = entries(text).map_err(|fault| match text::conflict_marker(text) {
        Some(offset) => Problem::MergeConflict.at(offset),
        None => fault,
    })?;
    let mut read = Vec::with_capacity(raw.len());
    for raw in raw {
        let package = package_of(&raw).map_err(|problem| problem.at(raw.offset))?;
        read.push(Entry {
            offset: Some(raw.offset),
            package: Package { line: Some(lines.line(raw.offset)), ..package },
            descriptors: raw.patterns,
            needed: raw.needed,
            workspace: None,
        });
    }
    Ok(read)
}

/// Which list of an entry the lines with four spaces belong to.
#[derive(Clone, Copy, PartialEq)]
enum List {
    None,
    Required,
    Optional,
    Other,
}

fn entries(text: &str) -> Result<Vec<RawEntry<'_>>, Fault> {
    let mut entries: Vec<RawEntry<'_>> = Vec::new();
    let mut list = List::None;
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let at = offset;
        offset += line.len();
        let line = line.trim_end();
        let content = line.trim_start_matches(['\u{FEFF}', ' ']);
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let indent = line.len() - content.len();
        let start = at + indent;
        let mut cursor = Cursor { rest: content, at: start };
        match (indent, entries.last_mut()) {
            (0, _) => {
                let patterns = cursor.patterns()?;
                entries.push(RawEntry { offset: start, patterns, ..RawEntry::default() });
                list = List::None;
            }
            (2, Some(entry)) => list = cursor.field(entry)?,
            (4, Some(entry)) if list != List::None => {
                let needed = cursor.needed(list == List::Optional)?;
                entry.needed.extend(Some(needed).filter(|_| list != List::Other));
            }
            _ => return Err(syntax("the indentation fits nothing above it", start)),
        }
    }
    Ok(entries)
}

fn syntax(message: &str, offset: usize) -> Fault {
    Problem::Syntax { message: message.to_owned() }.at(offset)
}

/// What is left of a line.
struct Cursor<'a> {
    rest: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// `a@^1.0.0, "b@>= 2":`
    fn patterns(&mut self) -> Result<Vec<Cow<'a, str>>, Fault> {
        let mut patterns = vec![self.word()?];
        while self.take(',') {
            patterns.push(self.word()?);
        }
        if !self.take(':') || !self.rest.is_empty() {
            return Err(syntax("a key without its colon", self.at));
        }
        Ok(patterns)
    }

    /// `version "1.0.0"`, or `dependencies:` before the lines of the list.
    fn field(&mut self, entry: &mut RawEntry<'a>) -> Result<List, Fault> {
        let at = self.at;
        let key = self.word()?;
        if self.take(':') && self.rest.is_empty() {
            return Ok(match &*key {
                "dependencies" => List::Required,
                "optionalDependencies" => List::Optional,
                _ => List::Other,
            });
        }
        let value = self.value()?;
        let field = match &*key {
            "version" => &mut entry.version,
            "resolved" => &mut entry.resolved,
            "integrity" => &mut entry.integrity,
            _ => return Ok(List::None),
        };
        if field.replace(value).is_some() {
            return Err(syntax(&format!("`{key}` is there twice"), at));
        }
        Ok(List::None)
    }

    /// `name "^1.0.0"`
    fn needed(&mut self, optional: bool) -> Result<Needed<'a>, Fault> {
        let offset = Some(self.at);
        let name = self.word()?;
        let range = self.value()?;
        Ok(Needed { name, range, optional, offset })
    }

    /// A text in quotes, or one without that ends before white space, a comma or a colon.
    fn word(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        let end = self.rest.find([' ', ',', ':', '\t']).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(syntax("a name is missing", self.at));
        }
        let word = &self.rest[..end];
        self.pass(end);
        Ok(Cow::Borrowed(word))
    }

    /// The last text of a line.
    fn value(&mut self) -> Result<Cow<'a, str>, Fault> {
        if self.rest.starts_with('"') {
            let value = self.quoted()?;
            return if self.rest.is_empty() {
                Ok(value)
            } else {
                Err(syntax("a line end is missing", self.at))
            };
        }
        match std::mem::take(&mut self.rest) {
            "" => Err(syntax("a value is missing", self.at)),
            value => Ok(Cow::Borrowed(value)),
        }
    }

    /// A string as in JSON.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Fault> {
        let (start, body) = (self.at, &self.rest[1..]);
        let mut escaped = false;
        let end = body.bytes().position(|byte| {
            let ends = byte == b'"' && !escaped;
            escaped = byte == b'\\' && !escaped;
            ends
        });
        let Some(end) = end else { return Err(syntax("the quote is never closed", start)) };
        let (inner, whole) = (&body[..end], &self.rest[..end + 2]);
        self.pass(end + 2);
        if !inner.contains('\\') {
            return Ok(Cow::Borrowed(inner));
        }
        let text = serde_json::from_str(whole);
        text.map(Cow::Owned).map_err(|_| syntax("no such escape", start))
    }

    fn take(&mut self, expected: char) -> bool {
        let found = self.rest.starts_with(expected);
        if found {
            self.pass(expected.len_utf8());
        }
        found
    }

    fn pass(&mut self, bytes: usize) {
        let rest = &self.rest[bytes..];
        self.rest = rest.trim_start_matches([' ', '\t']);
        self.at += bytes + rest.len() - self.rest.len();
    }
}

fn package_of(raw: &RawEntry<'_>) -> Result<Package, Problem> {
    let pattern = raw.patterns.first().map_or("", |pattern| &**pattern);
    let (name, range) = super::split(pattern);
    let name = match (name.contains(':'), super::alias(range)) {
        (true, _) => name_in_url(pattern),
        (false, Some(alias)) => alias,
        (false, None) => name,
    };
    let Some(version) = raw.version.as_deref() else {
        let owner = pattern.chars().take(200).collect();
        return Err(Problem::MissingField { owner, field: "version" });
    };
    let local = ["file:", "link:", "portal:"].into_iter().find_map(|it| range.strip_prefix(it));
    let source = match (raw.resolved.as_deref(), local) {
        (None, Some(path)) => Source::Local { path: Some(path.to_owned()) },
        (resolved, _) => source_of(name, resolved)?,
    };
    // The folder is not looked into.
    let version = Some(version).filter(|_| !range.starts_with("link:"));
    let is_git = matches!(source, Source::Git { .. });
    let (location, sha1) = match raw.resolved.as_deref().and_then(|it| it.split_once('#')) {
        Some((location, digest)) if !is_git => (Some(location), Some(digest)),
        _ => (raw.resolved.as_deref(), None),
    };
    let mut distributions = distributions_of(&source, location, raw.integrity.as_deref())?;
    if let [Distribution { hash: hash @ None, .. }] = &mut *distributions {
        let is_digest =
            |it: &&str| it.len() == 40 && it.bytes().all(|byte| byte.is_ascii_hexdigit());
        *hash = sha1.filter(is_digest).map(|digest| Hash {
            algorithm: HashAlgorithm::Sha1,
            hex: digest.to_ascii_lowercase(),
        });
    }
    Ok(Package { distributions, ..package(name, version, source)? })
}

/// The name that a URL without one suggests: its last segment.
fn name_in_url(url: &str) -> &str {
    let path = url.split(['#', '?']).next().unwrap_or(url).trim_end_matches('/');
    let name = path.rsplit(['/', ':']).next().unwrap_or(path);
    [".git", ".tgz", ".tar.gz"].into_iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}
