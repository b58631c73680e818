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
    lifecycle::{Cause, Condition, next},
    locks,
    newness::{Rank, ranks},
    slot::Slot,
    vex::{Statement, Terms, VexDocument},
    waivers::Waiver,
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
    /// What it contains.
    pub inventory: Digest,
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

/// What is said of findings, and asked of documents.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// Statements about vulnerabilities.
    pub vex: &'a [VexDocument],
    /// Exceptions that the gate makes.
    pub waivers: &'a [Waiver],
    /// Whether an inventory has the package, in whatever version.
    pub has: &'a dyn Fn(Digest, &Action) -> bool,
}

/// When documents are held against advisories, and by which terms.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// How long statements count.
    pub terms: Terms,
    /// As of when.
    pub now: Timestamp,
}

/// Something that may change where a slot stands.
enum Point<'a> {
    Document(&'a Observation, Rank),
    Vex(&'a VexDocument),
    /// Statements do not count any more, or a waiver begins or ends.
    Turn(Timestamp),
}

/// Where `slot` stands at `moment` after `observations` and what `world` says that concerns it.
///
/// They count in the order of their times, digests and ids, however they are given. A supplier's
/// document that was older than another when it came is history from the start.
pub fn unfold(
    slot: &Slot,
    observations: &[Observation],
    world: &World<'_>,
    moment: &Moment,
) -> State {
    let World { vex, waivers, .. } = *world;
    let waivers: Vec<Waiver> = waivers.iter().filter(|it| it.concerns(slot)).cloned().collect();
    let ranked = observations.iter().zip(ranks(slot, observations));
    let mut points: Vec<Point<'_>> = ranked.map(|(it, rank)| Point::Document(it, rank)).collect();
    points.extend(vex.iter().filter(|it| it.concerns(slot)).map(Point::Vex));
    let last = points.iter().map(Point::time).max();
    let mut turns = ends(slot, observations, vex, moment.terms);
    turns.extend(waivers.iter().filter(|it| is_needed(it, observations)).flat_map(Waiver::turns));
    let now = last.map_or(moment.now, |last| last.max(moment.now));
    points.extend(turns.range(..=now).copied().map(Point::Turn));
    points.sort_by_key(Point::order);

    let next_end = turns.range(now..).copied().find(|turn| *turn > now);
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
                    Step::new(point, observation, world).confirm(&mut state);
                    continue;
                }
            }
            Point::Vex(document) => document.speak(slot, moment.terms, &mut court),
            Point::Turn(_) => {}
        }
        let Some((observation, own)) = &current else { continue };
        let Observation { facts, found, document, .. } = observation;
        state.findings = judge(found, facts, *document, (&court, own), &waivers, point.time());
        Step::new(point, observation, world).take(&mut state);
    }
    state
}

/// Findings of one document, by everything that was said about it up to now.
pub fn judge_now(
    slot: &Slot,
    observation: &Observation,
    world: &World<'_>,
    moment: &Moment,
) -> Vec<Finding> {
    let mut court = Court::default();
    let concerned = world.vex.iter().filter(|it| it.concerns(slot));
    concerned.for_each(|it| it.speak(slot, moment.terms, &mut court));
    let own = own_court(slot, observation, moment.terms);
    let Observation { facts, found, document, .. } = observation;
    let waivers = world.waivers.iter().filter(|it| it.concerns(slot)).cloned();
    judge(found, facts, *document, (&court, &own), &waivers.collect::<Vec<_>>(), moment.now)
}

/// Whether a waiver was ever about something: others need no look when they begin and end.
fn is_needed(waiver: &Waiver, observations: &[Observation]) -> bool {
    observations.iter().any(|it| it.found.iter().any(|found| waiver.covers(found)))
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
            Self::Turn(time) => (*time, None, None),
        }
    }

    fn time(&self) -> Timestamp {
        self.order().0
    }

    /// Why something is to be done again that `before` was about.
    fn brings_back(&self, status: Status, before: &[Finding]) -> (Cause, String) {
        let back = match status {
            Status::Fixed | Status::Withdrawn => Cause::Returned,
            _ => Cause::Unsuppressed,
        };
        match self {
            Self::Document(..) => (back, format!("found again in {}", self.what())),
            Self::Vex(_) => {
                (Cause::Unsuppressed, format!("suppressed no longer, by {}", self.what()))
            }
            Self::Turn(time) => {
                let mut accepted = before.iter().filter_map(|it| it.accepted.as_ref());
                if let Some(it) = accepted.find(|it| it.until == *time) {
                    return (Cause::WaiverEnded, format!("accepted no longer: {it}"));
                }
                let mut ended = before.iter().filter_map(|it| it.suppressed.as_ref());
                let why = match ended.find(|it| it.until == Some(*time)) {
                    Some(it) => format!("suppressed no longer: {it} ({})", it.document),
                    None => format!("suppressed no longer: {}", self.what()),
                };
                (Cause::Unsuppressed, why)
            }
        }
    }

    /// What the point is, as a reason for a change.
    fn what(&self) -> String {
        match self {
            Self::Document(it, _) => format!("document {}", it.document),
            Self::Vex(it) => format!("VEX document {} of {}", it.digest, it.from),
            Self::Turn(_) => "a VEX statement ended, or a waiver began or ended".to_owned(),
        }
    }
}

/// A point, and what shows the findings after it.
struct Step<'a> {
    point: Point<'a>,
    inventory: Digest,
    evidence: Evidence,
    has: &'a dyn Fn(Digest, &Action) -> bool,
}

impl<'a> Step<'a> {
    fn new(point: Point<'a>, current: &Observation, world: &World<'a>) -> Self {
        let Observation { document, event, inventory, .. } = *current;
        let evidence = Evidence { document, event, advisories: None, package: None };
        Self { point, inventory, evidence, has: world.has }
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
            if !by_action.contains_key(action) && next_of(entry, Condition::Gone).is_some() {
                let (cause, how) = match (self.has)(self.inventory, action) {
                    true => (Cause::Upgraded, "has it without any of the findings"),
                    false => (Cause::Removed, "does not have it any more"),
                };
                self.change(entry, Status::Fixed, cause, format!("{} {how}", self.point.what()));
            }
        }
        for (action, findings) in by_action {
            match state.entries.get_mut(&action) {
                Some(entry) => self.see(entry, findings),
                None => drop(state.entries.insert(action.clone(), self.begin(action, findings))),
            }
        }
    }

    fn begin(&self, action: Action, findings: Vec<Finding>) -> Entry {
        let condition = condition(&findings);
        let status = next(None, condition, false).unwrap_or(Status::Open);
        let (cause, why) = match condition {
            Condition::Counting => (Cause::Found, format!("found in {}", self.point.what())),
            _ => closing(&findings),
        };
        let time = self.point.time();
        Entry {
            action,
            status,
            first_seen: time,
            findings,
            evidence: self.evidence,
            history: vec![Change { time, from: None, to: status, cause, why }],
            unnamed: Vec::new(),
        }
    }

    fn see(&self, entry: &mut Entry, findings: Vec<Finding>) {
        let condition = condition(&findings);
        if let Some(status) = next_of(entry, condition) {
            let (cause, why) = match condition {
                Condition::Counting => self.point.brings_back(entry.status, &entry.findings),
                _ => closing(&findings),
            };
            self.change(entry, status, cause, why);
        }
        entry.findings = findings;
        entry.evidence = self.evidence;
    }

    fn change(&self, entry: &mut Entry, to: Status, cause: Cause, why: String) {
        let from = Some(entry.status);
        entry.history.push(Change { time: self.point.time(), from, to, cause, why });
        entry.status = to;
    }
}

/// Where an entry goes when its findings are so.
fn next_of(entry: &Entry, condition: Condition) -> Option<Status> {
    // What was suppressed from the start was never open before.
    let was_open = entry.history.iter().any(|change| change.to.is_open());
    next(Some(entry.status), condition, was_open)
}

fn condition(findings: &[Finding]) -> Condition {
    if findings.iter().any(Finding::is_open) {
        Condition::Counting
    } else if findings.iter().any(|it| it.accepted.is_some()) {
        Condition::Accepted
    } else {
        Condition::Suppressed
    }
}

/// Why no finding counts: what is said about the first, which stands for the others.
fn closing(findings: &[Finding]) -> (Cause, String) {
    if let Some(it) = findings.iter().find_map(|it| it.accepted.as_ref()) {
        return (Cause::Accepted, it.to_string());
    }
    let first = findings.iter().find_map(|it| it.suppressed.as_ref());
    let why = first.map_or_else(String::new, |it| format!("{it} ({})", it.document));
    (Cause::Suppressed, why)
}

#[cfg(test)]
mod tests;
