//! The backlog as people and other programs see it: entries with owner, due date and words.

use std::collections::{BTreeMap, BTreeSet};

use advisories::{Confidence, Doubt, Ecosystem, Index, Kev, MatchRule, Severity};
use documents::bom::Scope as Need;
use events::{Digest, Label, Scope, Text};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    entry::{Change, Entry, Evidence, Status},
    finding::{Finding, Heard, Suppression},
    priority::{self, Priority},
    risk::RiskRow,
    routing::About,
    sla::{self, Urgency},
    slot::{Slot, SlotKind},
    store::TicketRow,
    waivers::Acceptance,
};

/// Most vulnerabilities and versions that a summary names.
const NAMED_MAX: usize = 20;
/// Most bytes of a version that a summary repeats.
const VERSION_BYTES: usize = 64;

/// By what entries are shown: the operator's choices, and the index that knows now what is exploited. It may
/// be newer than the one by which they were found.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    /// The operator's choices.
    pub config: &'a Config,
    /// The index; without one nothing is known to be exploited.
    pub index: Option<&'a Index>,
}

/// Everything that is exported, of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// Day, in UTC, of the newest document, refusal or change in it.
    pub last_updated: Option<Date>,
    /// The advisory index that was asked.
    pub advisories: Option<Digest>,
    /// The backlog: by scope, open ones and the worst first.
    pub entries: Vec<EntryRow>,
    /// The risk register, the greatest exposure first.
    pub risks: Vec<RiskRow>,
    /// When time alone changes a risk next.
    #[serde(skip)]
    pub turns: Option<Timestamp>,
}

/// One backlog entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EntryRow {
    /// Its name, the same for good.
    pub id: String,
    /// What to do.
    pub title: String,
    /// Whether we built the product or were given it.
    pub kind: SlotKind,
    /// The project or supplier.
    pub scope: Scope,
    /// The product.
    pub product: Label,
    /// Ecosystem of the package.
    pub ecosystem: Ecosystem,
    /// The package.
    pub package: String,
    /// The lockfile in which something is to be done; none where no document names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Names from what the product itself needs to the package, on a shortest way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// What the package is needed for; where no document says, to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<Need>,
    /// How many products of the same project or supplier have an open entry about the package in a lockfile
    /// of that path, this one included.
    pub artifacts: u64,
    /// The version that ends every vulnerability for which there is a fix.
    pub target: Option<String>,
    /// What to do first.
    pub priority: Priority,
    /// The worst of its findings.
    pub severity: Severity,
    /// Who does it.
    pub owner: Label,
    /// When the first document with one of the findings was ingested.
    pub first_seen: Timestamp,
    /// The day, in the project's time zone, by which it is to be done.
    pub due: Date,
    /// When that day has ended.
    pub overdue_from: Timestamp,
    /// Where it stands.
    pub status: Status,
    /// Since when.
    pub since: Timestamp,
    /// What it is about, in a sentence.
    pub summary: String,
    /// What shows it.
    pub evidence: Evidence,
    /// The vulnerabilities; of a closed entry, those that it had.
    pub vulnerabilities: Vec<VulnerabilityRow>,
    /// Findings that do not count, and why.
    pub suppressed: Vec<SuppressedRow>,
    /// Findings that waivers accept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<AcceptedRow>,
    /// What else VEX says: what contradicts, what has expired, what counts and suppresses nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<HeardRow>,
    /// Every change of status, oldest first.
    pub history: Vec<Change>,
    /// Its tickets; told of one entry alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<TicketRow>,
}

/// A vulnerability of an entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VulnerabilityRow {
    /// Its id.
    pub id: String,
    /// Its other ids.
    pub aliases: Vec<String>,
    /// How bad it is.
    pub severity: Severity,
    /// CVSS base score, where there is one.
    pub score: Option<f64>,
    /// Lowest version without it above the highest that was found.
    pub fixed: Option<String>,
    /// What CISA's catalogue of exploited vulnerabilities says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kev: Option<Kev>,
    /// Probability of exploitation within 30 days, from 0 to 1, by EPSS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epss: Option<f64>,
    /// Whether the package itself is the attack.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub malicious: bool,
    /// How it was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<MatchRule>,
    /// How far that can be relied on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// What lessens the confidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<Doubt>,
    /// The day by which it is to be done.
    pub due: Date,
    /// One line about it.
    pub summary: String,
    /// Package URLs of the components that have it.
    pub components: Vec<String>,
}

/// A finding that does not count.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SuppressedRow {
    /// The vulnerability.
    pub id: String,
    /// Package URL of the component.
    pub component: String,
    /// Why.
    #[serde(flatten)]
    pub suppression: Suppression,
}

/// A finding that a waiver accepts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AcceptedRow {
    /// The vulnerability.
    pub id: String,
    /// Package URL of the component.
    pub component: String,
    /// By whom, why and until when.
    #[serde(flatten)]
    pub acceptance: Acceptance,
}

/// A statement about a finding that does not suppress it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeardRow {
    /// The vulnerability.
    pub id: String,
    /// Package URL of the component.
    pub component: String,
    /// What is said, and what became of it.
    #[serde(flatten)]
    pub heard: Heard,
}

impl EntryRow {
    /// `entry` of `slot` for people; `artifacts` products have one like it.
    pub fn of(id: String, slot: &Slot, entry: &Entry, artifacts: u64, view: &View<'_>) -> Self {
        let View { config, index } = *view;
        let purls: Vec<&str> = entry.telling().map(Finding::component).collect();
        let (ecosystem, lock) = (entry.action.ecosystem, entry.action.lock.as_deref());
        let about = About { slot, ecosystem: Some(ecosystem), lock, purls: &purls };
        let table = config.sla.of(slot);
        let urgency = urgency(entry, index);
        let due = urgency.values().map(|it| table.due(it)).min();
        let due = due.unwrap_or_else(|| sla::date(entry.clock()));
        let last = entry.last_change();
        let vulnerabilities =
            vulnerabilities(entry, view, |id| urgency.get(id).map_or(due, |it| table.due(it)));
        let place = entry.place();
        Self {
            title: entry.title(slot),
            kind: slot.kind,
            scope: slot.scope.clone(),
            product: slot.product.clone(),
            ecosystem,
            package: entry.action.package.clone(),
            lock: entry.action.lock.clone(),
            path: place.path,
            need: place.scope,
            artifacts,
            target: entry.target().map(str::to_owned),
            priority: priority::of(entry, config.routing.exposure(slot), index),
            severity: entry.severity(),
            owner: config.routing.owner(&about).clone(),
            first_seen: entry.first_seen,
            due,
            overdue_from: table.overdue_from(due),
            status: entry.status,
            since: last.map_or(entry.first_seen, |change| change.time),
            summary: summary(entry, &vulnerabilities),
            evidence: entry.evidence,
            vulnerabilities,
            suppressed: suppressed(entry),
            accepted: accepted(entry),
            heard: heard(entry),
            history: entry.history.clone(),
            tickets: Vec::new(),
            id,
        }
    }

    /// The same, with the index that knows the vulnerabilities.
    #[must_use]
    pub fn known_by(mut self, advisories: Option<Digest>) -> Self {
        self.evidence.advisories = advisories;
        self
    }

    /// The same, where people are at the entries that are named.
    #[must_use]
    pub fn at_work(mut self, entries: &BTreeSet<String>) -> Self {
        if self.status.is_open() && entries.contains(&self.id) {
            self.status = Status::InProgress;
        }
        self
    }

    /// Heading of the section that it belongs to.
    pub fn section(&self) -> String {
        let (scope, product) = (self.scope.clone(), self.product.clone());
        Slot { kind: self.kind, scope, product }.section()
    }

    /// Why it was closed, if it is.
    pub fn closed(&self) -> Option<&Change> {
        self.history.last().filter(|_| !self.status.is_open())
    }

    /// By section; within it open ones first, then by priority, then the worst, then what is due first.
    pub fn order(&self) -> impl Ord + use<> {
        let closed = !self.status.is_open();
        let first = std::cmp::Reverse((self.priority.score, self.severity));
        (self.kind, self.scope.clone(), closed, first, self.due, self.id.clone())
    }

    /// The package's way from the product in one line; empty if it is not known.
    pub fn way(&self) -> String {
        match self.path.as_slice() {
            [] => String::new(),
            path => format!("{} → {}", self.product, path.join(" → ")),
        }
    }
}

/// How urgent each vulnerability is.
fn urgency<'a>(entry: &'a Entry, index: Option<&Index>) -> BTreeMap<&'a str, Urgency> {
    let mut all: BTreeMap<&str, Urgency> = BTreeMap::new();
    let clock = entry.clock();
    for finding in entry.telling() {
        let it = &finding.found.vulnerability;
        let (kev, _) = priority::exploitation(it, index);
        let since = priority::counts_from(it, clock, index);
        let this = Urgency { severity: it.severity, kev, malicious: it.malicious, since };
        let known = all.entry(&it.id).or_insert(this);
        known.severity = known.severity.max(this.severity);
        known.malicious |= this.malicious;
        known.since = known.since.min(this.since);
    }
    all
}

fn vulnerabilities(
    entry: &Entry,
    view: &View<'_>,
    due: impl Fn(&str) -> Date,
) -> Vec<VulnerabilityRow> {
    let mut rows: BTreeMap<&str, VulnerabilityRow> = BTreeMap::new();
    for finding in entry.telling() {
        let it = &finding.found.vulnerability;
        let (kev, epss) = priority::exploitation(it, view.index);
        let row = rows.entry(&it.id).or_insert_with(|| VulnerabilityRow {
            kev,
            epss: epss.map(|it| it.score),
            malicious: it.malicious,
            rule: it.rule,
            confidence: it.confidence,
            doubts: it.doubts.clone(),
            due: due(&it.id),
            id: it.id.clone(),
            aliases: it.aliases.clone(),
            severity: it.severity,
            score: it.cvss.as_ref().map(|cvss| cvss.score),
            fixed: None,
            summary: it.summary.clone(),
            components: Vec::new(),
        });
        row.severity = row.severity.max(it.severity);
        row.malicious |= it.malicious;
        row.components.push(finding.component().to_owned());
        let ecosystem = entry.action.ecosystem;
        let fixed = [row.fixed.take(), it.fixed.clone()].into_iter().flatten();
        row.fixed = fixed.max_by(|a, b| ecosystem.compare(a, b));
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    rows.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.id.cmp(&b.id)));
    rows
}

fn suppressed(entry: &Entry) -> Vec<SuppressedRow> {
    let rows = entry.findings.iter().filter_map(|finding| {
        let suppression = finding.suppressed.clone()?;
        let id = finding.found.vulnerability.id.clone();
        Some(SuppressedRow { id, component: finding.component().to_owned(), suppression })
    });
    rows.collect()
}

fn accepted(entry: &Entry) -> Vec<AcceptedRow> {
    let rows = entry.findings.iter().filter_map(|finding| {
        let acceptance = finding.accepted.clone()?;
        let id = finding.found.vulnerability.id.clone();
        Some(AcceptedRow { id, component: finding.component().to_owned(), acceptance })
    });
    rows.collect()
}

fn heard(entry: &Entry) -> Vec<HeardRow> {
    let rows = entry.findings.iter().flat_map(|finding| {
        let (id, component) = (&finding.found.vulnerability.id, finding.component());
        finding.heard.iter().map(|heard| HeardRow {
            id: id.clone(),
            component: component.to_owned(),
            heard: heard.clone(),
        })
    });
    rows.collect()
}

/// What the entry is about: versions, vulnerabilities with their fixes, what does not count.
fn summary(entry: &Entry, vulnerabilities: &[VulnerabilityRow]) -> String {
    let mut versions: Vec<&str> =
        entry.telling().map(|it| it.found.package.version.as_str()).collect();
    versions.sort_by(|a, b| entry.action.ecosystem.order(a, b).then_with(|| a.cmp(b)));
    versions.dedup();
    let shown: Vec<String> =
        versions.iter().take(NAMED_MAX).map(|it| Text::<VERSION_BYTES>::of(it).into()).collect();
    let more = versions.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let (package, versions) = (&entry.action.package, format!("{}{more}", shown.join(", ")));
    let verb = match entry.status {
        Status::Fixed | Status::Withdrawn => "had",
        _ => "has",
    };
    let count = counted(vulnerabilities.len(), "known vulnerability", "known vulnerabilities");
    let named: Vec<String> = vulnerabilities.iter().take(NAMED_MAX).map(named).collect();
    let mut summary = format!("{package} {versions} {verb} {count}: {}", named.join("; "));
    if let Some(more) = vulnerabilities.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        summary.push_str(&format!("; and {more} more"));
    }
    summary.push('.');
    let states = [("suppressed", "suppressed by VEX"), ("accepted", "accepted by a waiver")];
    for (state, how) in states.into_iter().filter(|_| entry.status.is_open()) {
        let number = entry.findings.iter().filter(|it| it.state() == state).count();
        if number > 0 {
            let count = counted(number, "finding is", "findings are");
            summary.push_str(&format!(" {count} {how}."));
        }
    }
    let disputed = entry.findings.iter().filter(|it| it.heard.iter().any(Heard::contradicts));
    let disputed = disputed.count();
    if disputed > 0 {
        let count = counted(disputed, "finding", "findings");
        summary.push_str(&format!(" VEX contradicts itself about {count}."));
    }
    if let (Status::Reopened, Some(change)) = (entry.status, entry.last_change()) {
        summary.push_str(&format!(" Reopened {}: {}.", sla::date(change.time), change.why));
    }
    summary
}

fn named(row: &VulnerabilityRow) -> String {
    match &row.fixed {
        Some(fixed) => format!("{} ({}, fixed in {fixed})", row.id, rating(row.severity)),
        None => format!("{} ({}, no fix known)", row.id, rating(row.severity)),
    }
}

/// What a package is needed for, in a word.
pub fn need(scope: Need) -> &'static str {
    match scope {
        Need::Required => "required",
        Need::Optional => "optional",
        Need::Excluded => "development",
    }
}

/// Severity as a word in a sentence.
pub(crate) fn rating(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown => "not rated",
        rated => rated.as_str(),
    }
}

/// `1 word` or `2 words`.
pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
