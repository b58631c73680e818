//! A remediation backlog entry: one fix action, whatever number of vulnerabilities it ends.

use std::collections::BTreeSet;

use advisories::{Ecosystem, Fingerprint, Severity};
use events::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    finding::Finding,
    lifecycle::{Cause, Unnamed},
    places::Place,
    slot::{Slot, SlotKind},
};

/// What is to be done to a slot: something about this package. With the slot, an entry's identity.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Action {
    /// Ecosystem of the package.
    pub ecosystem: Ecosystem,
    /// Its name, normalised.
    pub package: String,
    /// The lockfile in which; none where no document names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
}

/// Where an entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There is something to do.
    Open,
    /// There is something to do again.
    Reopened,
    /// There is something to do, and somebody is at it, as its ticket says; nowhere kept but in the ticket.
    #[serde(rename = "in_progress")]
    InProgress,
    /// No finding counts, because waivers accept some.
    Accepted,
    /// Every finding is suppressed by a VEX statement.
    Suppressed,
    /// The current document has none of the findings.
    Fixed,
    /// No advisory names the findings any more.
    Withdrawn,
}

/// An entry's life up to now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What is to be done.
    pub action: Action,
    /// Where it stands.
    pub status: Status,
    /// When the first document with one of the findings was ingested.
    pub first_seen: Timestamp,
    /// The findings now, or when there were any last.
    pub findings: Vec<Finding>,
    /// What shows the findings.
    pub evidence: Evidence,
    /// Every change of status, oldest first.
    pub history: Vec<Change>,
    /// When no advisory named it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unnamed: Vec<Unnamed>,
}

/// What shows that an entry's findings are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The document that has the components.
    pub document: Digest,
    /// The event that brought it.
    pub event: Uuid,
    /// The advisory index that knows the vulnerabilities; filled in where it is shown.
    #[serde(default)]
    pub advisories: Option<Digest>,
    /// What that index says of the package, whatever else it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Fingerprint>,
}

/// A change of status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When what changed it was ingested.
    pub time: Timestamp,
    /// From which; none when the entry came to be.
    pub from: Option<Status>,
    /// To which.
    pub to: Status,
    /// Why, in a word.
    #[serde(default)]
    pub cause: Cause,
    /// Why, for people.
    pub why: String,
}

impl Status {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Reopened => "reopened",
            Self::InProgress => "in_progress",
            Self::Accepted => "accepted",
            Self::Suppressed => "suppressed",
            Self::Fixed => "fixed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether there is something to do.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Reopened | Self::InProgress)
    }
}

impl Entry {
    /// Its last change; an entry comes to be with its first.
    pub fn last_change(&self) -> Option<&Change> {
        self.history.last()
    }

    /// Since when it has to be done: when it was last opened, else when it was seen first.
    pub fn clock(&self) -> Timestamp {
        let opens = |it: &&Change| it.to.is_open() && !it.from.is_some_and(Status::is_open);
        let opened = self.history.iter().rev().find(opens);
        opened.map_or(self.first_seen, |change| change.time)
    }

    /// The findings that an entry is about: the open ones, or all that it had when it was closed.
    pub fn telling(&self) -> impl Iterator<Item = &Finding> {
        let any_open = self.findings.iter().any(Finding::is_open);
        self.findings.iter().filter(move |it| it.is_open() || !any_open)
    }

    /// The worst of its findings.
    pub fn severity(&self) -> Severity {
        self.telling().map(|it| it.found.vulnerability.severity).max().unwrap_or_default()
    }

    /// How many different vulnerabilities it is about.
    pub fn vulnerabilities(&self) -> usize {
        self.telling().map(|it| &it.found.vulnerability.id).collect::<BTreeSet<_>>().len()
    }

    /// Smallest version that has none of the vulnerabilities for which there is a fix; none if there
    /// is a fix for none.
    pub fn target(&self) -> Option<&str> {
        let fixed = self.telling().filter_map(|it| it.found.vulnerability.fixed.as_deref());
        fixed.max_by(|a, b| self.action.ecosystem.compare(a, b))
    }

    /// Where the package is: by the shortest path of what it is about, and for what needs it most.
    pub fn place(&self) -> Place {
        Place::joined(self.telling().map(|it| it.found.place.clone()))
    }

    /// What to do, in one line.
    pub fn title(&self, slot: &Slot) -> String {
        let package = &self.action.package;
        let product = match &self.action.lock {
            Some(lock) => format!("{lock} of {}", slot.product),
            None => slot.product.to_string(),
        };
        match (self.target(), slot.kind) {
            (Some(target), SlotKind::Project) => {
                format!("Bump {package} to ≥ {target} in {product}")
            }
            (Some(target), SlotKind::Supplier) => {
                format!("Ask {} for {product} with {package} ≥ {target}", slot.scope)
            }
            (None, SlotKind::Project) => {
                format!("Replace or mitigate {package} in {product}: no fixed version known")
            }
            (None, SlotKind::Supplier) => format!(
                "Ask {} to replace or mitigate {package} in {product}: no fixed version known",
                slot.scope
            ),
        }
    }
}

/// Identity of an entry as hex digits, of which its id takes as many as it needs.
pub fn fingerprint(slot: &Slot, action: &Action) -> Digest {
    let Action { ecosystem, package, lock } = action;
    let lock = lock.as_ref().map(|it| format!("\0{it}")).unwrap_or_default();
    Digest::of(format!("{}\0{ecosystem}\0{package}{lock}", slot.id()).as_bytes())
}

/// Beginning of the ids of a scope's entries: its name in capitals, hyphens for what an id cannot
/// have.
pub fn id_prefix(slot: &Slot) -> String {
    const LONGEST: usize = 32;
    let mut prefix = String::new();
    for c in slot.scope.as_str().chars() {
        match c.is_ascii_alphanumeric() {
            true => prefix.push(c.to_ascii_uppercase()),
            false if !prefix.is_empty() && !prefix.ends_with('-') => prefix.push('-'),
            false => {}
        }
    }
    prefix.truncate(LONGEST);
    match prefix.trim_end_matches('-') {
        "" => "SCOPE".to_owned(),
        prefix => prefix.to_owned(),
    }
}
