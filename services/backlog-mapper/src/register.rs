//! The backlog as people and other programs see it: entries with owner, due date and words.

use std::collections::BTreeMap;

use advisories::{Ecosystem, Severity};
use events::{Digest, Label, Scope, Text};
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    config::Config,
    entry::{Change, Entry, Evidence, Status},
    finding::{Finding, Heard, Suppression},
    risk::RiskRow,
    sla,
    slot::{Slot, SlotKind},
};

/// Most vulnerabilities and versions that a summary names.
const NAMED_MAX: usize = 20;
/// Most bytes of a version that a summary repeats.
const VERSION_BYTES: usize = 64;

/// Everything that is exported, of one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Register {
    /// Day, in UTC, of the newest document or change in it.
    pub last_updated: Option<Date>,
    /// The advisory index that was asked.
    pub advisories: Option<Digest>,
    /// The backlog: by scope, open ones and the worst first.
    pub entries: Vec<EntryRow>,
    /// The risk register, the greatest exposure first.
    pub risks: Vec<RiskRow>,
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
    /// The version that ends every vulnerability for which there is a fix.
    pub target: Option<String>,
    /// The worst of its findings.
    pub severity: Severity,
    /// Who does it.
    pub owner: Label,
    /// When the first document with one of the findings was ingested.
    pub first_seen: Timestamp,
    /// The day, in UTC, by which it is to be done.
    pub due: Date,
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
    /// What else VEX says: what contradicts, what has expired, what counts and suppresses nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<HeardRow>,
    /// Every change of status, oldest first.
    pub history: Vec<Change>,
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
    /// `entry` of `slot` for people, by the operator's choices.
    pub fn of(id: String, slot: &Slot, entry: &Entry, config: &Config) -> Self {
        let severity = entry.severity();
        let purls = entry.telling().map(Finding::component);
        let last = entry.last_change();
        let vulnerabilities = vulnerabilities(entry);
        Self {
            title: entry.title(slot),
            kind: slot.kind,
            scope: slot.scope.clone(),
            product: slot.product.clone(),
            ecosystem: entry.action.ecosystem,
            package: entry.action.package.clone(),
            target: entry.target().map(str::to_owned),
            severity,
            owner: config.routing.owner(slot, purls).clone(),
            first_seen: entry.first_seen,
            due: config.sla.due(severity, entry.first_seen),
            status: entry.status,
            since: last.map_or(entry.first_seen, |change| change.time),
            summary: summary(entry, &vulnerabilities),
            evidence: entry.evidence,
            vulnerabilities,
            suppressed: suppressed(entry),
            heard: heard(entry),
            history: entry.history.clone(),
            id,
        }
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

    /// By section; within it open ones first, then the worst, then what is due first.
    pub fn order(&self) -> impl Ord + use<> {
        let closed = !self.status.is_open();
        let worst = std::cmp::Reverse(self.severity);
        (self.kind, self.scope.clone(), closed, worst, self.due, self.id.clone())
    }
}

fn vulnerabilities(entry: &Entry) -> Vec<VulnerabilityRow> {
    let mut rows: BTreeMap<&str, VulnerabilityRow> = BTreeMap::new();
    for finding in entry.telling() {
        let it = &finding.found.vulnerability;
        let row = rows.entry(&it.id).or_insert_with(|| VulnerabilityRow {
            id: it.id.clone(),
            aliases: it.aliases.clone(),
            severity: it.severity,
            score: it.cvss.as_ref().map(|cvss| cvss.score),
            fixed: None,
            summary: it.summary.clone(),
            components: Vec::new(),
        });
        row.severity = row.severity.max(it.severity);
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
    let verb = if entry.status == Status::Fixed { "had" } else { "has" };
    let count = counted(vulnerabilities.len(), "known vulnerability", "known vulnerabilities");
    let named: Vec<String> = vulnerabilities.iter().take(NAMED_MAX).map(named).collect();
    let mut summary = format!("{package} {versions} {verb} {count}: {}", named.join("; "));
    if let Some(more) = vulnerabilities.len().checked_sub(NAMED_MAX).filter(|more| *more > 0) {
        summary.push_str(&format!("; and {more} more"));
    }
    summary.push('.');
    let suppressed = entry.findings.iter().filter(|it| !it.is_open()).count();
    if suppressed > 0 && entry.status.is_open() {
        let count = counted(suppressed, "finding is", "findings are");
        summary.push_str(&format!(" {count} suppressed by VEX."));
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
