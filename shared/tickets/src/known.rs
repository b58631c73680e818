//! What is on record about one ticket. Serialised, so that a ledger need not know its parts.

use events::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Deed, Desired, Step, Ticket, TicketError, Wanted,
    plan::{LISTINGS, has_settled},
};

/// What is on record about one ticket, or about the attempt to make it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Known {
    /// Id of the backlog entry, for people.
    pub entry: String,
    /// A ticket was asked for, and what became of it is not known.
    pub intent: Option<Intent>,
    /// Where the ticket is.
    pub place: Option<Place>,
    /// Title and text that it was given last.
    pub content: Option<Digest>,
    /// Where it was put last.
    pub put: Option<Desired>,
    /// The change that was told last.
    pub told: Option<Digest>,
    /// Why it was opened against people's will, as told last.
    pub explained: Option<Digest>,
    /// A comment was sent, and what became of it is not known.
    pub telling: Option<Telling>,
    /// How it looked last.
    pub seen: Option<Seen>,
    /// People have closed it while there was something to do.
    pub closing: Option<Closing>,
    /// Title and text that the tracker does not take.
    pub refused: Option<Digest>,
    /// Somebody has deleted it.
    pub gone: bool,
    /// How many requests about it have had an answer.
    pub sequence: u64,
}

/// That a ticket was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// When, by our clock.
    pub at: Timestamp,
    /// How many listings since then did not have it.
    pub missed: u32,
}

/// Where a ticket is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The tracker's name for it.
    pub id: String,
    /// Where people see it.
    pub url: String,
    /// When it was made, by the tracker's clock.
    pub created: Timestamp,
}

/// That a comment was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telling {
    /// Its note.
    pub note: Digest,
    /// When, by our clock.
    pub at: Timestamp,
    /// How many listings since then did not have it.
    pub missed: u32,
}

/// How a ticket looked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Whether it was open.
    pub open: bool,
    /// Who it was assigned to.
    pub assignee: Option<String>,
    /// Whether it had the label `in progress`, or an assignee.
    pub in_progress: bool,
    /// When it changed last, by the tracker's clock.
    pub updated: Timestamp,
}

/// That people have closed a ticket while there was something to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// What showed that there was something to do.
    pub evidence: Digest,
    /// When it was noticed, by our clock.
    pub at: Timestamp,
}

impl Intent {
    /// Whether a listing that began at `begun` says something of it that is not known yet.
    pub(crate) fn counts(&self, begun: Timestamp) -> bool {
        self.missed < LISTINGS && has_settled(self.at, begun)
    }
}

impl Place {
    /// Of two tickets with one key the one that comes first in this order stays.
    pub(crate) fn age(&self) -> impl Ord + '_ {
        (self.created, self.id.len(), &self.id)
    }
}

impl Known {
    /// `step` is about to be sent.
    pub(crate) fn intend(&mut self, step: &Step, now: Timestamp) {
        match step {
            Step::Create => self.intent = Some(Intent { at: now, missed: 0 }),
            Step::Comment(note) => {
                self.telling = Some(Telling { note: note.id, at: now, missed: 0 });
            }
            _ => {}
        }
    }

    /// `ticket` is ours: it was made now, or found. Every ticket begins as an open one; what became of one that was
    /// found, others did.
    pub(crate) fn adopt(&mut self, ticket: &Ticket) {
        self.place = Some(ticket.place.clone());
        self.seen = Some(ticket.seen.clone());
        self.put = Some(self.put.unwrap_or(Desired::Open));
        self.intent = None;
        self.gone = false;
    }

    /// How it looks now. What is older than what is on record is not news.
    pub(crate) fn see(&mut self, ticket: &Ticket) {
        if self.seen.as_ref().is_some_and(|it| it.updated > ticket.seen.updated) {
            return;
        }
        self.seen = Some(ticket.seen.clone());
    }

    /// It was made as `wanted`, whose text tells everything up to now.
    pub(crate) fn made(&mut self, wanted: &Wanted) {
        self.content = Some(wanted.content());
        self.put = Some(Desired::Open);
        self.told = Some(wanted.change.id);
    }

    /// Notes that people have closed it, or opened it again.
    pub(crate) fn notice(&mut self, wanted: &Wanted, now: Timestamp) {
        let is_open = self.seen.as_ref().is_none_or(|it| it.open);
        let theirs = !is_open && wanted.state.is_open() && self.put == Some(Desired::Open);
        match (theirs, &self.closing) {
            (true, None) => self.closing = Some(Closing { evidence: wanted.evidence, at: now }),
            (false, Some(_)) => self.closing = None,
            _ => {}
        }
    }

    /// The ticket was deleted, or is somebody else's now.
    pub(crate) fn lose(&mut self) {
        *self = Self {
            entry: std::mem::take(&mut self.entry),
            gone: true,
            sequence: self.sequence,
            ..Self::default()
        };
    }

    /// `step` as it is sent, under a name that a repetition has, too.
    pub(crate) fn deed<'a>(&'a self, wanted: &'a Wanted, step: &'a Step) -> Deed<'a> {
        let (name, content, change) = (step.name(), wanted.content(), wanted.change.id);
        let note = match step {
            Step::Comment(note) => note.id,
            _ => change,
        };
        let what = format!("{name} {} {content} {note}", self.sequence);
        let attempt = wanted.key.attempt(&what);
        Deed { step, place: self.place.as_ref(), wanted, attempt }
    }

    /// `step` was done; the ticket looks so now.
    pub(crate) fn done(&mut self, wanted: &Wanted, step: &Step, ticket: Option<&Ticket>) {
        self.sequence = self.sequence.saturating_add(1);
        match (ticket, step) {
            (Some(ticket), Step::Create) => self.adopt(ticket),
            (Some(ticket), _) => self.see(ticket),
            (None, Step::Create) => self.adopt_unseen(wanted),
            (None, _) => {}
        }
        match step {
            Step::Create => self.made(wanted),
            Step::Update => {
                self.content = Some(wanted.content());
                self.told = self.told.or(Some(wanted.change.id));
            }
            Step::Comment(note) => {
                match note.id == wanted.change.id {
                    true => self.told = Some(note.id),
                    false => self.explained = Some(note.id),
                }
                self.telling = None;
            }
            Step::Close(state) => self.put = Some(*state),
            Step::Reopen => {
                self.put = Some(Desired::Open);
                self.closing = None;
            }
            Step::Accept => self.put = Some(wanted.state),
            Step::Forget => self.gone = false,
        }
    }

    /// A tracker that tells nothing has taken it.
    fn adopt_unseen(&mut self, wanted: &Wanted) {
        let id = wanted.key.to_string();
        self.place = Some(Place { id, url: String::new(), created: Timestamp::UNIX_EPOCH });
        self.intent = None;
    }

    /// `step` was not done, or nobody knows.
    pub(crate) fn failed(&mut self, wanted: &Wanted, step: &Step, error: &TicketError) {
        if error.is_certain() {
            match step {
                Step::Create => self.intent = None,
                Step::Comment(_) => self.telling = None,
                _ => {}
            }
        }
        match (error, step) {
            (TicketError::Refused(_), Step::Create | Step::Update) => {
                self.refused = Some(wanted.content());
            }
            // The same again would be refused again.
            (TicketError::Refused(_), step) => self.done(wanted, step, None),
            (TicketError::Gone(_), _) => self.lose(),
            _ => {}
        }
    }
}
