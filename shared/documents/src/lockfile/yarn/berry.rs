//! The entries of a `yarn.lock` of Yarn 2 and later, which is YAML.
//!
//! `checksum` is the digest of Yarn's own archive of a package, not of what the registry has: it is
//! left out.

use std::borrow::Cow;

use serde::Deserialize;

use super::{Entry, Needed};
use crate::inventory::{Package, Source};
use crate::lockfile::borrowed::{Entries, Text, Texts, offset_of};
use crate::lockfile::error::{Fault, Problem};
use crate::lockfile::npm::manifest::local;
use crate::lockfile::npm::packages::{distributions_of, package, source_of};
use crate::lockfile::text::{self, Lines};
use crate::lockfile::{Note, yaml_file};

const VERSIONS: std::ops::RangeInclusive<i64> = 4..=10;
/// The version of what lies in a folder of the project.
const LOCAL_VERSION: &str = "0.0.0-use.local";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawEntry<'a> {
    #[serde(borrow)]
    version: Option<Text<'a>>,
    resolution: Option<Text<'a>>,
    dependencies: Entries<'a, Texts<'a>>,
    dependencies_meta: Entries<'a, RawMeta>,
    /// Words such as `os=darwin & cpu=arm64`.
    conditions: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawMeta {
    optional: bool,
}

/// Reads every entry of `text`.
pub(super) fn read<'a>(text: &'a str, notes: &mut Vec<Note>) -> Result<Vec<Entry<'a>>, Fault> {
    let lines = Lines::of(text);
    let documents: Vec<Entries<'a, RawEntry<'a>>> = yaml_file::read(text)?;
    let mut read = Vec::new();
    for (key, raw) in documents.into_iter().flat_map(|entries| entries.0) {
        let offset = offset_of(text, &key);
        let fault = |problem: Problem| Fault { offset, problem };
        if &*key == "__metadata" {
            check_version(&raw).map_err(fault)?;
            continue;
        }
        let line = offset.map(|offset| lines.line(offset));
        let resolution = Resolution::of(&key, &raw).map_err(fault)?;
        if let Some(patch) = resolution.patch {
            let (name, patch) = (resolution.name.escape_debug(), patch.escape_debug());
            let message = format!("{name} is patched: {patch}");
            notes.push(Note { line: line.unwrap_or(1), message });
        }
        let package = package_of(&resolution, &raw).map_err(fault)?;
        let workspace = resolution.reference.strip_prefix("workspace:");
        let workspace = workspace.map(|folder| if folder == "." { "" } else { folder }.to_owned());
        read.push(Entry {
            offset,
            package: Package { line, root: workspace.is_some(), ..package },
            descriptors: descriptors(key),
            workspace,
            needed: raw.needed(text),
        });
    }
    Ok(read)
}

impl<'a> RawEntry<'a> {
    fn needed(self, text: &str) -> Vec<Needed<'a>> {
        let meta = self.dependencies_meta;
        let optional = meta.iter().filter(|(_, it)| it.optional).map(|(name, _)| &**name);
        let optional: std::collections::HashSet<&str> = optional.collect();
        let needed = self.dependencies.0.into_iter().map(|(name, mut range)| Needed {
            offset: offset_of(text, &name),
            optional: optional.contains(&*name),
            name: name.0,
            range: range.0.pop().unwrap_or_default().0,
        });
        needed.collect()
    }
}

fn check_version(metadata: &RawEntry<'_>) -> Result<(), Problem> {
    let written = metadata.version.as_deref().unwrap_or_default();
    match written.parse() {
        Ok(version) if VERSIONS.contains(&version) => Ok(()),
        Ok(version) => Err(Problem::UnsupportedVersion { version }),
        Err(_) => Err(text::invalid("version", written, "a number such as 8")),
    }
}

/// `a@npm:^1.0.0, a@npm:^1.2.0`: a comma that separates has a space behind it, and a name.
fn descriptors<'a>(key: Text<'a>) -> Vec<Cow<'a, str>> {
    match key.0 {
        Cow::Borrowed(key) => key.split(", ").map(Cow::Borrowed).collect(),
        Cow::Owned(key) => key.split(", ").map(|it| Cow::Owned(it.to_owned())).collect(),
    }
}

/// What an entry was resolved to: `name@reference`.
struct Resolution<'a> {
    name: &'a str,
    reference: &'a str,
    /// The archive, where it is not where the registry has its archives.
    archive: Option<String>,
    /// The file of the patch, or the name of one that Yarn has built in.
    patch: Option<&'a str>,
}

impl<'a> Resolution<'a> {
    fn of(key: &str, raw: &'a RawEntry<'_>) -> Result<Self, Problem> {
        let Some(resolution) = &raw.resolution else {
            let owner = key.chars().take(200).collect();
            return Err(Problem::MissingField { owner, field: "resolution" });
        };
        let (name, mut reference) = super::split(resolution);
        if let Some((_, inner)) =
            reference.strip_prefix("virtual:").and_then(|it| it.split_once('#'))
        {
            reference = inner;
        }
        let (place, bindings) = reference.split_once("::").unwrap_or((reference, ""));
        let archive = bindings.split('&').find_map(|it| it.strip_prefix("__archiveUrl="));
        let patch =
            place.strip_prefix("patch:").map(|patch| patch.split_once('#').unwrap_or((patch, "")));
        let patch = patch.map(|(_, patch)| patch.trim_start_matches("optional!"));
        Ok(Self { name, reference: place, archive: archive.map(decoded), patch })
    }

    fn source(&self) -> Result<Source, Problem> {
        let (scheme, rest) = self.reference.split_once(':').unwrap_or(("", self.reference));
        Ok(match scheme {
            "npm" | "patch" => source_of(self.name, self.archive.as_deref())?,
            "workspace" => local(rest),
            "file" | "link" | "portal" | "exec" => {
                let path = rest.split('#').next().unwrap_or(rest);
                text::location("resolution", path)?;
                Source::Local { path: Some(path.to_owned()) }
            }
            _ => source_of(self.name, Some(self.reference))?,
        })
    }
}

fn package_of(resolution: &Resolution<'_>, raw: &RawEntry<'_>) -> Result<Package, Problem> {
    let version = raw.version.as_deref().filter(|version| *version != LOCAL_VERSION);
    let source = resolution.source()?;
    let name = match resolution.reference.starts_with("workspace:") {
        true => text::own_word("name", Some(resolution.name)).unwrap_or("."),
        false => resolution.name,
    };
    let archive = match &source {
        Source::Archive { url } => Some(url.clone()),
        _ => resolution.archive.clone(),
    };
    let conditions = raw.conditions.as_deref().map(str::to_owned);
    if let Some(conditions) = &conditions {
        text::location("conditions", conditions)?;
    }
    Ok(Package {
        distributions: distributions_of(&source, archive.as_deref(), None)?,
        conditions: conditions.into_iter().collect(),
        ..package(name, version, source)?
    })
}

/// `text` without its percent signs; what they do not name stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        rest = if byte.is_some() { &after[2..] } else { after };
        bytes.push(byte.unwrap_or(*first));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
