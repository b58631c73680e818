//! One run: looks at what has changed, plans, and does it, with intents on record before effects.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{
    Clock, Deed, Desired, Held, Key, Known, Ledger, LedgerError, Line, Memory, Outcome, Place,
    Recall, Report, Step, Ticket, TicketError, Tracker, Wanted,
    plan::{LISTINGS, plan},
};

/// How far before the latest change that was seen the next listing begins, so that what a replica tells late is heard.
const OVERLAP: SignedDuration = SignedDuration::from_mins(5);
/// Failures in a row after which a run ends: the tracker is not well.
const FAILURES_IN_A_ROW: u32 = 3;

/// What a run may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Only say what would be done.
    pub dry_run: bool,
    /// Most tickets that may be open; no more are made.
    pub open_max: u64,
}

/// Brings the tickets of `tracker` to where `wanted` says, in that order. What cannot be done now is left to the next
/// run; a run that changes nothing has sent nothing but a question.
///
/// # Errors
/// The ledger fails. What the tracker does is in the report.
pub async fn sync(
    tracker: &impl Tracker,
    ledger: &impl Ledger,
    wanted: &[Wanted],
    limits: Limits,
    clock: &dyn Clock,
) -> Result<Report, LedgerError> {
    let memory = ledger.load().await?;
    let report = Report::default();
    let twins = BTreeMap::new();
    let mut run = Run { tracker, ledger, clock, limits, memory, report, twins, failures: 0 };
    let begun = clock.now();
    match tracker.changes(run.memory.cursor.map(before)).await {
        Err(error) => run.stop(&error),
        Ok(tickets) => {
            run.see(&tickets, begun).await?;
            // Nobody closes those of an entry that is not there any more.
            let keys: BTreeSet<Key> = wanted.iter().map(|it| it.key).collect();
            run.twins.retain(|key, _| keys.contains(key));
            run.all(wanted).await?;
            run.move_on(&tickets).await?;
        }
    }
    Ok(run.finish())
}

/// Where a listing begins so that nothing is missed that is told late. What a tracker says of the time is hostile, too.
fn before(cursor: Timestamp) -> Timestamp {
    cursor.checked_sub(OVERLAP).unwrap_or(cursor)
}

/// What is known of a comment that may have been sent.
enum Told {
    There,
    Perhaps,
    Not,
}

struct Run<'a, T, L> {
    tracker: &'a T,
    ledger: &'a L,
    clock: &'a dyn Clock,
    limits: Limits,
    memory: Memory,
    report: Report,
    /// Open tickets that have the key of an older one.
    twins: BTreeMap<Key, Vec<Place>>,
    failures: u32,
}

impl<T: Tracker, L: Ledger> Run<'_, T, L> {
    /// Records how our tickets look, and which are there of those that may have been made. `begun` is when it was asked.
    async fn see(&mut self, tickets: &[Ticket], begun: Timestamp) -> Result<(), LedgerError> {
        let by_place: BTreeMap<String, Key> = self
            .memory
            .known
            .iter()
            .filter_map(|(key, known)| Some((known.place.as_ref()?.id.clone(), *key)))
            .collect();
        let mut found: BTreeMap<Key, Vec<&Ticket>> = BTreeMap::new();
        for ticket in tickets {
            // A text can be edited; where a ticket is stays.
            let key = by_place.get(&ticket.place.id).copied().or(ticket.key);
            if let Some(key) = key {
                found.entry(key).or_default().push(ticket);
            }
        }
        for (key, mut tickets) in found {
            tickets.sort_by(|a, b| a.place.age().cmp(&b.place.age()));
            self.recognise(key, &tickets).await?;
        }
        self.miss(begun).await
    }

    /// The next listing begins here, unless a twin is open still: it must be seen again.
    async fn move_on(&self, tickets: &[Ticket]) -> Result<(), LedgerError> {
        let latest = tickets.iter().map(|it| it.seen.updated).max();
        match latest.filter(|it| self.memory.cursor.is_none_or(|cursor| cursor < *it)) {
            Some(cursor) if !self.limits.dry_run && self.twins.is_empty() => {
                self.ledger.keep_cursor(cursor).await
            }
            _ => Ok(()),
        }
    }

    /// These are all of one key, the oldest first: that one stays, and the others are to be closed.
    async fn recognise(&mut self, key: Key, tickets: &[&Ticket]) -> Result<(), LedgerError> {
        let Some(oldest) = tickets.first() else { return Ok(()) };
        let before = self.memory.known.get(&key).cloned().unwrap_or_default();
        let mut known = before.clone();
        let mut twins: Vec<Place> =
            tickets.iter().filter(|it| it.seen.open).map(|it| it.place.clone()).collect();
        match &before.place {
            Some(place) if place.id == oldest.place.id => known.see(oldest),
            Some(place) if place.age() < oldest.place.age() => {}
            Some(place) => {
                twins.push(place.clone());
                // Title and text of the other one are not on record.
                known = Known { entry: before.entry.clone(), ..Known::default() };
                known.adopt(oldest);
            }
            None => known.adopt(oldest),
        }
        let kept = known.place.as_ref().map(|it| it.id.clone()).unwrap_or_default();
        twins.retain(|it| it.id != kept);
        if !twins.is_empty() {
            self.twins.insert(key, twins);
        }
        self.keep(key, &before, known).await
    }

    async fn close_twins(&mut self, wanted: &Wanted) {
        let Some(twins) = self.twins.remove(&wanted.key) else { return };
        let mut left = Vec::new();
        for place in twins {
            let step = Step::Close(Desired::NotPlanned);
            let attempt = wanted.key.attempt(&format!("close {}", place.id));
            let deed = Deed { step: &step, place: Some(&place), wanted, attempt };
            let outcome = match self.limits.dry_run {
                true => Outcome::Planned,
                false => match self.tracker.perform(&deed).await {
                    Ok(_) | Err(TicketError::Gone(_)) => Outcome::Done,
                    Err(error) => {
                        self.failed(&error);
                        left.push(place.clone());
                        Outcome::Failed(error.to_string())
                    }
                },
            };
            let what = "close a second ticket of the same entry".to_owned();
            let entry = wanted.entry.clone();
            self.report.line(Line { entry, ticket: Some(place.url), what, outcome });
        }
        if !left.is_empty() {
            self.twins.insert(wanted.key, left);
        }
    }

    /// Counts the listing for what may have been made and was not in it.
    async fn miss(&mut self, begun: Timestamp) -> Result<(), LedgerError> {
        let missing: Vec<Key> = self
            .memory
            .known
            .iter()
            .filter(|(_, known)| known.intent.is_some_and(|it| it.counts(begun)))
            .map(|(key, _)| *key)
            .collect();
        for key in missing {
            let before = self.memory.known.get(&key).cloned().unwrap_or_default();
            let mut known = before.clone();
            if let Some(intent) = &mut known.intent {
                intent.missed = intent.missed.saturating_add(1);
            }
            self.keep(key, &before, known).await?;
        }
        Ok(())
    }

    async fn all(&mut self, wanted: &[Wanted]) -> Result<(), LedgerError> {
        let mut open = self.open();
        for wanted in wanted {
            self.close_twins(wanted).await;
            if self.report.stopped.is_some() {
                break;
            }
            let before = self.memory.known.get(&wanted.key).cloned();
            let mut known = before.clone().unwrap_or_default();
            if before.is_some() {
                known.entry.clone_from(&wanted.entry);
                known.notice(wanted, self.clock.now());
                self.keep(wanted.key, &before.unwrap_or_default(), known.clone()).await?;
            }
            let plan = plan(wanted, &known, self.tracker.recall(), self.clock.now());
            for step in plan.steps {
                if step == Step::Create {
                    if open >= self.limits.open_max {
                        self.report.too_many += 1;
                        break;
                    }
                    open += 1;
                }
                if !self.one(wanted, &step).await? {
                    break;
                }
            }
            if let Some(held) = plan.held {
                self.hold(wanted, held);
            }
        }
        Ok(())
    }

    /// Whether the next step may follow.
    async fn one(&mut self, wanted: &Wanted, step: &Step) -> Result<bool, LedgerError> {
        if self.limits.dry_run {
            self.tell(wanted, step, Outcome::Planned);
            return Ok(true);
        }
        let key = wanted.key;
        let before = self.memory.known.get(&key).cloned().unwrap_or_default();
        let mut known = Known { entry: wanted.entry.clone(), ..before.clone() };
        if !step.is_sent() {
            known.done(wanted, step, None);
            self.keep(key, &before, known).await?;
            return Ok(true);
        }
        let mut is_sent = false;
        let done = match self.is_told(&mut known, step).await {
            Ok(Told::There) => Ok(None),
            Ok(Told::Perhaps) => {
                self.keep(key, &before, known).await?;
                self.hold(wanted, Held::Untold);
                return Ok(false);
            }
            Ok(Told::Not) => {
                // On record before it is sent: who dies now has to look whether it was done.
                known.intend(step, self.clock.now());
                self.keep(key, &before, known.clone()).await?;
                is_sent = true;
                self.tracker.perform(&known.deed(wanted, step)).await
            }
            Err(error) => Err(error),
        };
        let before = self.memory.known.get(&key).cloned().unwrap_or_default();
        let outcome = match done {
            Ok(ticket) => {
                self.failures = 0;
                known.done(wanted, step, ticket.as_ref());
                Outcome::Done
            }
            Err(error) => {
                if is_sent {
                    known.failed(wanted, step, &error);
                }
                self.failed(&error);
                Outcome::Failed(error.to_string())
            }
        };
        self.keep(key, &before, known).await?;
        let goes_on = outcome == Outcome::Done;
        self.tell(wanted, step, outcome);
        Ok(goes_on)
    }

    /// Whether a comment that may have been sent is there. As with tickets, two listings must lack it.
    async fn is_told(&self, known: &mut Known, step: &Step) -> Result<Told, TicketError> {
        let (Step::Comment(note), Some(place), Recall::Lists) =
            (step, known.place.clone(), self.tracker.recall())
        else {
            return Ok(Told::Not);
        };
        let Some(telling) = known.telling.as_mut().filter(|it| it.note == note.id) else {
            return Ok(Told::Not);
        };
        if self.tracker.has_told(&place, note).await? {
            return Ok(Told::There);
        }
        telling.missed = telling.missed.saturating_add(1);
        Ok(if telling.missed < LISTINGS { Told::Perhaps } else { Told::Not })
    }

    fn failed(&mut self, error: &TicketError) {
        self.failures += u32::from(!error.is_certain());
        if error.concerns_all() || self.failures >= FAILURES_IN_A_ROW {
            self.stop(error);
        }
    }

    fn stop(&mut self, error: &TicketError) {
        if let TicketError::Wait { until, .. } = error {
            self.report.wait_until = Some(*until);
        }
        self.report.stopped = Some(error.to_string());
    }

    fn tell(&mut self, wanted: &Wanted, step: &Step, outcome: Outcome) {
        let (entry, what) = (wanted.entry.clone(), step.describe().to_owned());
        let ticket = self.url(wanted.key);
        self.report.line(Line { entry, ticket, what, outcome });
    }

    fn hold(&mut self, wanted: &Wanted, held: Held) {
        let (entry, what) = (wanted.entry.clone(), held.describe().to_owned());
        let ticket = self.url(wanted.key);
        self.report.line(Line { entry, ticket, what, outcome: Outcome::Held });
    }

    fn url(&self, key: Key) -> Option<String> {
        let url = self.memory.known.get(&key)?.place.as_ref()?.url.clone();
        Some(url).filter(|it| !it.is_empty())
    }

    async fn keep(&mut self, key: Key, before: &Known, known: Known) -> Result<(), LedgerError> {
        if *before == known {
            return Ok(());
        }
        if !self.limits.dry_run {
            self.ledger.keep(key, &known).await?;
        }
        self.memory.known.insert(key, known);
        Ok(())
    }

    fn open(&self) -> u64 {
        let is_open = |known: &&Known| match &known.seen {
            Some(seen) => known.place.is_some() && seen.open,
            None => known.place.is_some() && known.put == Some(Desired::Open),
        };
        self.memory.known.values().filter(is_open).count() as u64
    }

    fn finish(mut self) -> Report {
        self.report.open = self.open();
        self.report
    }
}
