//! One OSV record, as it lies in a file, read into an [`Advisory`] (OSV schema 1.x).

use std::{borrow::Cow, collections::BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Advisory, Affected, Cvss, Ecosystem, Event, Range, Severity};

/// Longest id, name or version, in bytes.
const MAX_WORD_BYTES: usize = 1024;
/// Most aliases of one record.
const MAX_ALIASES: usize = 1000;
/// Most events of one range: real ones have a few dozen.
const MAX_EVENTS: usize = 1000;
/// Longest summary that is kept, in characters.
const MAX_SUMMARY_CHARS: usize = 200;

/// What one record gave.
pub(crate) struct Record {
    pub(crate) advisory: Advisory,
    /// Every ecosystem it names, without suffix.
    pub(crate) ecosystems: BTreeSet<String>,
    /// GIT ranges left out.
    pub(crate) git_ranges: usize,
    /// Parts that could not be read and are left out.
    pub(crate) left_out: Vec<String>,
}

/// Reads one record, as far as it can be read: a part that cannot is left out and reported, so that it costs nothing
/// beside it.
///
/// # Errors
/// What is wrong with the record as a whole, for people.
pub(crate) fn read(bytes: &[u8]) -> Result<Record, String> {
    let wire: Wire<'_> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let mut record = Record {
        advisory: Advisory {
            id: word("id", &wire.id)?,
            aliases: aliases(&wire)?,
            upstream: Vec::new(),
            modified: None,
            published: None,
            withdrawn: None,
            summary: summary(&wire),
            severity: Severity::Unknown,
            cvss: None,
            affected: Vec::new(),
        },
        ecosystems: BTreeSet::new(),
        git_ranges: 0,
        left_out: Vec::new(),
    };
    record.advisory.modified = record.time("modified", wire.modified.as_deref());
    record.advisory.published = record.time("published", wire.published.as_deref());
    record.advisory.withdrawn = record.time("withdrawn", wire.withdrawn.as_deref());
    for (position, affected) in wire.affected.iter().flatten().enumerate() {
        record.add(position, affected)?;
    }
    (record.advisory.severity, record.advisory.cvss) = severity(&wire);
    Ok(record)
}

/// The fields in use; unknown ones are skipped, known ones may not come twice.
#[derive(Deserialize)]
#[serde(expecting = "an OSV record")]
struct Wire<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    modified: Option<String>,
    published: Option<String>,
    withdrawn: Option<String>,
    aliases: Option<Vec<String>>,
    summary: Option<String>,
    details: Option<String>,
    #[serde(borrow)]
    severity: Option<&'a RawValue>,
    affected: Option<Vec<WireAffected<'a>>>,
    #[serde(borrow)]
    database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireAffected<'a> {
    package: Option<WirePackage>,
    ranges: Option<Vec<WireRange>>,
    #[serde(borrow)]
    versions: Option<&'a RawValue>,
    #[serde(borrow)]
    severity: Option<&'a RawValue>,
    #[serde(borrow)]
    database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WirePackage {
    ecosystem: String,
    name: String,
}

#[derive(Deserialize)]
struct WireRange {
    r#type: String,
    events: Vec<WireEvent>,
}

#[derive(Deserialize)]
struct WireEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
    limit: Option<String>,
}

#[derive(Deserialize)]
struct WireSeverity<'a> {
    #[serde(borrow)]
    score: Cow<'a, str>,
}

/// What databases put beside the schema.
#[derive(Default, Deserialize)]
struct DatabaseSpecific {
    severity: Option<String>,
    informational: Option<String>,
}

impl Record {
    fn add(&mut self, position: usize, wire: &WireAffected<'_>) -> Result<(), String> {
        let at = format!("affected[{position}]");
        let ranges = wire.ranges.as_deref().unwrap_or_default();
        let is_git = |range: &&WireRange| range.r#type == "GIT";
        self.git_ranges += ranges.iter().filter(is_git).count();
        let Some(package) = &wire.package else { return Ok(()) };
        let named = word(&format!("{at}.package.ecosystem"), &package.ecosystem)?;
        let family = named.split(':').next().unwrap_or_default();
        self.ecosystems.insert(family.to_owned());
        let Some(ecosystem) = Ecosystem::from_osv(&named) else { return Ok(()) };
        let mut affected = Affected {
            ecosystem,
            release: None,
            name: word(&format!("{at}.package.name"), &package.name)?,
            ranges: Vec::new(),
            versions: self.versions(&at, wire.versions)?,
            only_commits: false,
            severity: Severity::Unknown,
            informational: specific(wire.database_specific).informational,
        };
        for (position, range) in ranges.iter().enumerate().filter(|(_, it)| !is_git(it)) {
            match read_range(&format!("{at}.ranges[{position}]"), range) {
                Ok(mut range) => {
                    range.sort(ecosystem);
                    affected.ranges.push(range);
                }
                Err(reason) => self.left_out.push(format!("{reason}; the range was left out")),
            }
        }
        affected.prune_versions();
        self.advisory.affected.push(affected);
        Ok(())
    }

    fn time(&mut self, field: &str, text: Option<&str>) -> Option<Timestamp> {
        let time = text?.parse().ok();
        if time.is_none() {
            self.left_out
                .push(format!("{field} is no time as RFC 3339 writes it and was left out"));
        }
        time
    }

    /// The listed versions.
    fn versions(&mut self, at: &str, raw: Option<&RawValue>) -> Result<Vec<String>, String> {
        let Some(raw) = raw else { return Ok(Vec::new()) };
        match serde_json::from_str::<Option<Vec<String>>>(raw.get()) {
            Ok(versions) => {
                let versions = versions.unwrap_or_default();
                versions.iter().map(|it| word(&format!("{at}.versions"), it)).collect()
            }
            Err(_) => {
                self.left_out.push(format!(
                    "{at}.versions is not a list of versions and was left out; the ranges beside it count"
                ));
                Ok(Vec::new())
            }
        }
    }
}

fn read_range(at: &str, wire: &WireRange) -> Result<Range, String> {
    if !matches!(wire.r#type.as_str(), "SEMVER" | "ECOSYSTEM") {
        return Err(format!("{at}.type is none of SEMVER, ECOSYSTEM and GIT"));
    }
    if wire.events.len() > MAX_EVENTS {
        return Err(format!("{at}.events has more than {MAX_EVENTS} events"));
    }
    let mut events = Vec::with_capacity(wire.events.len());
    for (position, event) in wire.events.iter().enumerate() {
        let at = format!("{at}.events[{position}]");
        let before = events.len();
        let mut add = |kind: fn(String) -> Event, version: Option<&String>| {
            events.extend(version.map(|it| word(&at, it)).transpose()?.map(kind));
            Ok::<_, String>(())
        };
        add(Event::Introduced, event.introduced.as_ref())?;
        add(Event::Fixed, event.fixed.as_ref())?;
        add(Event::LastAffected, event.last_affected.as_ref())?;
        add(Event::Limit, event.limit.as_ref())?;
        if events.len() == before {
            return Err(format!("{at} is none of introduced, fixed, last_affected and limit"));
        }
    }
    if !events.iter().any(|it| matches!(it, Event::Introduced(_))) {
        return Err(format!("{at}.events has no introduced event"));
    }
    Ok(Range { events })
}

fn aliases(wire: &Wire<'_>) -> Result<Vec<String>, String> {
    let aliases = wire.aliases.as_deref().unwrap_or_default();
    if aliases.len() > MAX_ALIASES {
        return Err(format!("aliases has more than {MAX_ALIASES} ids"));
    }
    let others = aliases.iter().filter(|it| **it != wire.id);
    let sorted: BTreeSet<_> = others.map(|it| word("aliases", it)).collect::<Result<_, _>>()?;
    Ok(sorted.into_iter().collect())
}

/// A short piece of text with nothing in it that steers a terminal.
fn word(field: &str, text: &str) -> Result<String, String> {
    match text {
        _ if text.trim().is_empty() => Err(format!("{field} is empty")),
        _ if text.len() > MAX_WORD_BYTES => {
            Err(format!("{field} is longer than {MAX_WORD_BYTES} bytes"))
        }
        _ if text.chars().any(char::is_control) => {
            Err(format!("{field} has a control character in it"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// The summary, or else the first line of the details.
fn summary(wire: &Wire<'_>) -> String {
    let texts = [wire.summary.as_deref(), wire.details.as_deref()];
    let mut lines = texts.into_iter().flatten().flat_map(str::lines);
    let first = lines.find(|it| !it.trim().is_empty()).unwrap_or_default();
    let mut shown = first.trim_start_matches('#').trim().chars().filter(|it| !it.is_control());
    let mut summary: String = shown.by_ref().take(MAX_SUMMARY_CHARS).collect();
    if shown.next().is_some() {
        summary.push('…');
    }
    summary
}

/// The vector with the highest score, else the word of the database.
fn severity(wire: &Wire<'_>) -> (Severity, Option<Cvss>) {
    let parts = || wire.affected.iter().flatten();
    let lists = [wire.severity].into_iter().chain(parts().map(|it| it.severity)).flatten();
    let listed =
        lists.filter_map(|raw| serde_json::from_str::<Vec<WireSeverity<'_>>>(raw.get()).ok());
    let vectors = listed.flatten().filter_map(|it| Cvss::parse(&it.score));
    if let Some((cvss, severity)) = vectors.max_by(|left, right| left.0.order(&right.0)) {
        return (severity, Some(cvss));
    }
    let specifics =
        [wire.database_specific].into_iter().chain(parts().map(|it| it.database_specific));
    let words = specifics.filter_map(|it| specific(it).severity);
    (words.map(|it| Severity::of_word(&it)).max().unwrap_or_default(), None)
}

/// Databases put there what they like: what has another shape says nothing.
fn specific(raw: Option<&RawValue>) -> DatabaseSpecific {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
}
