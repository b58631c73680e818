//! From everything that is known about a slot to its findings and entries: a pure function, so that
//! the order in which events arrive makes no difference.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use documents::vex::{Court, Source};
use events::Digest;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    entry::{Action, Change, Entry, Evidence, Status},
    finding::{Finding, Found, judge},
    inventory::Facts,
    locks,
    newness::{Rank, ranks},
    slot::Slot,
    vex::{Statement, Terms, VexDocument},
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
    /// When time alone may change any of it next.
    pub next_end: Option<Timestamp>,
}

/// What documents are held against, and when.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The advisory index.
    pub advisories: Option<Digest>,
    /// How long statements count.
    pub terms: Terms,
    /// As of when.
    pub now: Timestamp,
}

/// Something that may change where a slot stands.
enum Point<'a> {
    Document(&'a Observation, Rank),
    Vex(&'a VexDocument),
    /// Statements do not count any more.
    End(Timestamp),
}

/// Where `slot` stands at `moment` after `observations` and the VEX documents that concern it.
///
/// They count in the order of their times, digests and ids, however they are given. A supplier's
/// document that was older than another when it came is history from the start.
pub fn unfold(
    slot: &Slot,
    observations: &[Observation],
    vex: &[VexDocument],
    moment: &Moment,
) -> State {
    let ranked = observations.iter().zip(ranks(slot, observations));
    let mut points: Vec<Point<'_>> = ranked.map(|(it, rank)| Point::Document(it, rank)).collect();
    points.extend(vex.iter().filter(|it| it.concerns(slot)).map(Point::Vex));
    let last = points.iter().map(Point::time).max();
    let ends = ends(slot, observations, vex, moment.terms);
    let now = last.map_or(moment.now, |last| last.max(moment.now));
    points.extend(ends.range(..=now).copied().map(Point::End));
    points.sort_by_key(Point::order);

    let next_end = ends.range(now..).copied().find(|end| *end > now);
    let mut state = State { next_end, ..State::default() };
    let mut court = Court::default();
    let mut current: Option<(&Observation, Court)> = None;
    let mut newest: Option<Rank> = None;
    for point in points {
        match point {
            Point::Document(_, rank) if newest.is_some_and(|newest| rank < newest) => continue,
            Point::Document(observation, rank) => {
                newest = Some(rank);
                state.current = Some(observation.document);
                let own = own_court(slot, observation, moment.terms);
                let nothing_said = court.is_empty() && own.is_empty();
                let before = current.replace((observation, own)).filter(|(_, own)| own.is_empty());
                // Most builds of a project have the components of the build before.
                if nothing_said && before.is_some_and(|(it, _)| same_findings(it, observation)) {
                    Step::new(point, observation, moment.advisories).confirm(&mut state);
                    continue;
                }
            }
            Point::Vex(document) => document.speak(slot, moment.terms, &mut court),
            Point::End(_) => {}
        }
        let Some((observation, own)) = &current else { continue };
        let Observation { facts, found, document, .. } = observation;
        state.findings = judge(found, facts, *document, (&court, own), point.time());
        Step::new(point, observation, moment.advisories).take(&mut state);
    }
    state
}

/// Findings of one document, by everything that was said about it up to now.
pub fn judge_now(
    slot: &Slot,
    observation: &Observation,
    vex: &[VexDocument],
    moment: &Moment,
) -> Vec<Finding> {
    let mut court = Court::default();
    let concerned = vex.iter().filter(|it| it.concerns(slot));
    concerned.for_each(|it| it.speak(slot, moment.terms, &mut court));
    let own = own_court(slot, observation, moment.terms);
    let Observation { facts, found, document, .. } = observation;
    judge(found, facts, *document, (&court, &own), moment.now)
}

fn same_findings(a: &Observation, b: &Observation) -> bool {
    Arc::ptr_eq(&a.found, &b.found)
}

fn own_court(slot: &Slot, observation: &Observation, terms: Terms) -> Court {
    let mut own = Court::default();
    let Observation { time, document, facts, .. } = observation;
    own.hear(terms.own(slot, *document, *time), facts.statements.iter().map(|it| &it.0));
    own
}

/// When statements about known vulnerabilities end that once counted. They end at midnight: however
/// many there are, there are no more of them than days.
fn ends(
    slot: &Slot,
    observations: &[Observation],
    vex: &[VexDocument],
    terms: Terms,
) -> BTreeSet<Timestamp> {
    let found = observations.iter().flat_map(|it| it.found.iter()).map(|it| &it.vulnerability);
    let known: HashSet<String> = found
        .flat_map(|it| std::iter::once(&it.id).chain(&it.aliases))
        .map(|id| id.to_ascii_lowercase())
        .collect();
    let mut ends = BTreeSet::new();
    let mut add = |source: &Source, statements: &[Statement]| {
        let known = |it: &&Statement| it.0.ids().any(|id| known.contains(&id.to_ascii_lowercase()));
        let of = statements.iter().filter(known).filter_map(|it| source.ends(&it.0));
        ends.extend(of.filter(|end| *end > source.accepted));
    };
    for document in vex.iter().filter(|it| it.concerns(slot)) {
        add(&document.source(slot, terms), &document.statements);
    }
    for it in observations {
        add(&terms.own(slot, it.document, it.time), &it.facts.statements);
    }
    ends
}

impl Point<'_> {
    fn order(&self) -> (Timestamp, Option<Digest>, Option<Uuid>) {
        match self {
            Self::Document(it, _) => (it.time, Some(it.document), Some(it.event)),
            Self::Vex(it) => (it.time, Some(it.digest), None),
            Self::End(time) => (*time, None, None),
        }
    }

    fn time(&self) -> Timestamp {
        self.order().0
    }

    /// Why something is to be done again that `before` was about.
    fn brings_back(&self, before: &[Finding]) -> String {
        match self {
            Self::Document(..) => format!("found again in {}", self.what()),
            Self::Vex(_) => format!("suppressed no longer, by {}", self.what()),
            Self::End(time) => {
                let mut ended = before.iter().filter_map(|it| it.suppressed.as_ref());
                match ended.find(|it| it.until == Some(*time)) {
                    Some(it) => format!("suppressed no longer: {it} ({})", it.document),
                    None => format!("suppressed no longer: {}", self.what()),
                }
            }
        }
    }

    /// What the point is, as a reason for a change.
    fn what(&self) -> String {
        match self {
            Self::Document(it, _) => format!("document {}", it.document),
            Self::Vex(it) => format!("VEX document {} of {}", it.digest, it.from),
            Self::End(_) => "a VEX statement ended".to_owned(),
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
        let by_action = locks::by_action(&mut state.entries, &state.findings);
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
                Some((status, self.point.brings_back(&entry.findings)))
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
