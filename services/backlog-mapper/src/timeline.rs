//! From everything that is known about a slot to its findings and entries: a pure function, so that
//! the order in which events arrive makes no difference.

use std::{collections::BTreeMap, sync::Arc};

use documents::vex::Words;
use events::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    entry::{Action, Change, Entry, Evidence, Status},
    finding::{Finding, Found, judge},
    inventory::Facts,
    newness::{Rank, ranks},
    slot::Slot,
    vex::VexDocument,
};

/// A document about a slot, with what the advisory index knows about its components.
#[derive(Clone, Debug)]
pub struct Observation {
    /// When the document was ingested.
    pub time: Timestamp,
    /// The document.
    pub document: Digest,
    /// The event that brought it.
    pub event: Uuid,
    /// What it says about itself.
    pub facts: Facts,
    /// Known vulnerabilities of its components.
    pub found: Arc<Vec<Found>>,
}

/// Where a slot stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The document that counts.
    pub current: Option<Digest>,
    /// Findings of the current document.
    pub findings: Vec<Finding>,
    /// Entries, closed ones too.
    pub entries: BTreeMap<Action, Entry>,
}

/// Something that may change where a slot stands.
enum Point<'a> {
    Document(&'a Observation, Rank),
    Vex(&'a VexDocument),
}

/// Where `slot` stands after `observations` and the VEX documents that concern it, by the advisory
/// index `advisories`.
///
/// They count in the order of their times, digests and ids, however they are given. A supplier's
/// document that was older than another when it came is history from the start.
pub fn unfold(
    slot: &Slot,
    observations: &[Observation],
    vex: &[VexDocument],
    advisories: Option<Digest>,
) -> State {
    let ranked = observations.iter().zip(ranks(slot, observations));
    let mut points: Vec<Point<'_>> = ranked.map(|(it, rank)| Point::Document(it, rank)).collect();
    points.extend(vex.iter().filter(|it| it.concerns(slot)).map(Point::Vex));
    points.sort_by_key(Point::order);

    let mut state = State::default();
    let mut words = Words::default();
    let mut current: Option<(&Observation, Words)> = None;
    let mut newest: Option<Rank> = None;
    for point in points {
        match point {
            Point::Document(_, rank) if newest.is_some_and(|newest| rank < newest) => continue,
            Point::Document(observation, rank) => {
                newest = Some(rank);
                state.current = Some(observation.document);
                let own = own_words(slot, observation);
                let nothing_said = words.is_empty() && own.is_empty();
                let before = current.replace((observation, own)).filter(|(_, own)| own.is_empty());
                // Most builds of a project have the components of the build before.
                if nothing_said && before.is_some_and(|(it, _)| same_findings(it, observation)) {
                    Step::new(point, observation, advisories).confirm(&mut state);
                    continue;
                }
            }
            Point::Vex(document) => document.speak(&mut words),
        }
        let Some((observation, own)) = &current else { continue };
        let Observation { facts, found, document, .. } = observation;
        state.findings = judge(found, facts, *document, &words, own);
        Step::new(point, observation, advisories).take(&mut state);
    }
    state
}

/// Findings of one document, by everything that was said about it up to now.
pub fn judge_now(slot: &Slot, observation: &Observation, vex: &[VexDocument]) -> Vec<Finding> {
    let mut words = Words::default();
    vex.iter().filter(|it| it.concerns(slot)).for_each(|it| it.speak(&mut words));
    let Observation { facts, found, document, .. } = observation;
    judge(found, facts, *document, &words, &own_words(slot, observation))
}

fn same_findings(a: &Observation, b: &Observation) -> bool {
    Arc::ptr_eq(&a.found, &b.found)
}

fn own_words(slot: &Slot, observation: &Observation) -> Words {
    let mut own = Words::default();
    let Observation { time, document, facts, .. } = observation;
    let who = format!("{} {}", slot.kind, slot.scope);
    own.add_own(who, *time, *document, facts.statements.iter().map(|it| &it.0));
    own
}

impl Point<'_> {
    fn order(&self) -> (Timestamp, Digest, Option<Uuid>) {
        match self {
            Self::Document(it, _) => (it.time, it.document, Some(it.event)),
            Self::Vex(it) => (it.time, it.digest, None),
        }
    }

    fn time(&self) -> Timestamp {
        self.order().0
    }

    /// Why something is to be done again.
    fn brings_back(&self) -> String {
        match self {
            Self::Document(..) => format!("found again in {}", self.what()),
            Self::Vex(_) => format!("suppressed no longer, by {}", self.what()),
        }
    }

    /// What the point is, as a reason for a change.
    fn what(&self) -> String {
        match self {
            Self::Document(it, _) => format!("document {}", it.document),
            Self::Vex(it) => format!("VEX document {} of {}", it.digest, it.from),
        }
    }
}

/// A point, and what shows the findings after it.
struct Step<'a> {
    point: Point<'a>,
    evidence: Evidence,
}

impl<'a> Step<'a> {
    fn new(point: Point<'a>, current: &Observation, advisories: Option<Digest>) -> Self {
        let Observation { document, event, .. } = current;
        let evidence = Evidence { document: *document, event: *event, advisories };
        Self { point, evidence }
    }

    /// The findings are those of before, in another document.
    fn confirm(&self, state: &mut State) {
        for entry in state.entries.values_mut().filter(|it| it.status != Status::Fixed) {
            entry.evidence = self.evidence;
        }
    }

    /// Brings the entries up to date with the findings.
    fn take(&self, state: &mut State) {
        let mut by_action: BTreeMap<Action, Vec<Finding>> = BTreeMap::new();
        for finding in &state.findings {
            let package = &finding.found.package;
            let action = Action { ecosystem: package.ecosystem, package: package.name.clone() };
            by_action.entry(action).or_default().push(finding.clone());
        }
        for (action, entry) in &mut state.entries {
            if !by_action.contains_key(action) && entry.status != Status::Fixed {
                let why = format!("{} has none of the findings any more", self.point.what());
                self.change(entry, Status::Fixed, why);
            }
        }
        for (action, findings) in by_action {
            let open = findings.iter().any(Finding::is_open);
            match state.entries.get_mut(&action) {
                Some(entry) => self.see(entry, findings, open),
                None => {
                    let entry = self.begin(action.clone(), findings, open);
                    state.entries.insert(action, entry);
                }
            }
        }
    }

    fn begin(&self, action: Action, findings: Vec<Finding>, open: bool) -> Entry {
        let (status, why) = match open {
            true => (Status::Open, format!("found in {}", self.point.what())),
            false => (Status::Suppressed, suppression(&findings)),
        };
        let time = self.point.time();
        let history = vec![Change { time, from: None, to: status, why }];
        Entry { action, status, first_seen: time, findings, evidence: self.evidence, history }
    }

    fn see(&self, entry: &mut Entry, findings: Vec<Finding>, open: bool) {
        let next = match (open, entry.status) {
            (true, Status::Open | Status::Reopened) => None,
            (true, Status::Fixed | Status::Suppressed) => {
                // What was suppressed from the start was never open before.
                let was_open = entry.history.iter().any(|change| change.to.is_open());
                let status = if was_open { Status::Reopened } else { Status::Open };
                Some((status, self.point.brings_back()))
            }
            (false, Status::Suppressed) => None,
            (false, _) => Some((Status::Suppressed, suppression(&findings))),
        };
        entry.findings = findings;
        entry.evidence = self.evidence;
        if let Some((status, why)) = next {
            self.change(entry, status, why);
        }
    }

    fn change(&self, entry: &mut Entry, to: Status, why: String) {
        let from = Some(entry.status);
        entry.history.push(Change { time: self.point.time(), from, to, why });
        entry.status = to;
    }
}

/// Why no finding counts: what is said about the first, which stands for the others.
fn suppression(findings: &[Finding]) -> String {
    let first = findings.iter().find_map(|it| it.suppressed.as_ref());
    first.map_or_else(String::new, |it| format!("{it} ({})", it.document))
}

#[cfg(test)]
mod tests;
