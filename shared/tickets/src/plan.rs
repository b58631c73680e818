//! What is to be done to one ticket. Pure.

use events::Digest;
use jiff::Timestamp;

use crate::{Desired, Known, Note, Recall, Wanted};

/// How many listings must lack a ticket that was asked for before it is asked for again: each may come from a replica
/// that does not know it yet.
pub(crate) const LISTINGS: u32 = 2;
/// How long after it was asked for a listing counts: longer than a request may take.
pub(crate) const SETTLING_SECONDS: i64 = 45;

/// One thing to do to a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Make it.
    Create,
    /// Give it title and text.
    Update,
    /// Tell who watches it.
    Comment(Note),
    /// Close it, because of this.
    Close(Desired),
    /// Open it again.
    Reopen,
    /// Forget that it was deleted: there is nothing to do now.
    Forget,
    /// Somebody else has put it where it should be.
    Accept,
}

/// Why nothing is done although something might be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It was asked for, and it is not known what became of that.
    Unsettled,
    /// A comment was sent, and it is not known what became of that.
    Untold,
    /// People have closed it, and nothing has shown since that there is something to do.
    ClosedByPeople,
    /// People have opened it although there is nothing to do.
    OpenedByPeople,
    /// The tracker does not take its title or text.
    Refused,
    /// Somebody has deleted it.
    Gone,
}

/// What is to be done to one ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// Why no more.
    pub held: Option<Held>,
}

/// What is to be done so that the ticket of which this is `known` becomes as `wanted`.
pub fn plan(wanted: &Wanted, known: &Known, recall: Recall, now: Timestamp) -> Plan {
    match &known.place {
        Some(_) => change(wanted, known, recall, now),
        None => make(wanted, known, recall),
    }
}

fn make(wanted: &Wanted, known: &Known, recall: Recall) -> Plan {
    let is_open = wanted.state.is_open();
    if known.gone {
        return match is_open {
            true => Plan::held(Held::Gone),
            false => Plan::of(Step::Forget),
        };
    }
    let unsettled = known.intent.is_some_and(|it| it.missed < LISTINGS);
    if unsettled && recall == Recall::Lists {
        return Plan::held(Held::Unsettled);
    }
    match is_open && wanted.worth_one {
        false => Plan::default(),
        true if known.refused == Some(wanted.content()) => Plan::held(Held::Refused),
        true => Plan::of(Step::Create),
    }
}

fn change(wanted: &Wanted, known: &Known, recall: Recall, now: Timestamp) -> Plan {
    let mut plan = Plan::default();
    let moves = known.put != Some(wanted.state);
    // What is over and told stays as it is, whatever is configured anew.
    if wanted.state.is_open() || moves {
        let content = wanted.content();
        match known.content == Some(content) {
            true => {}
            false if known.refused == Some(content) => plan.held = Some(Held::Refused),
            false => plan.steps.push(Step::Update),
        }
        // Of a ticket that was found, the text tells everything up to now.
        if known.told.is_some_and(|told| told != wanted.change.id) {
            plan.tell(&wanted.change, known, recall, now);
        }
    }
    plan.put(wanted, known, recall, now);
    plan
}

impl Plan {
    fn of(step: Step) -> Self {
        Self { steps: vec![step], held: None }
    }

    fn held(held: Held) -> Self {
        Self { steps: Vec::new(), held: Some(held) }
    }

    /// What tells `note`. A comment whose fate is unknown is looked for, once it must be there.
    fn tell(&mut self, note: &Note, known: &Known, recall: Recall, now: Timestamp) {
        let sent = known.telling.filter(|it| it.note == note.id && recall == Recall::Lists);
        match sent.is_some_and(|it| !has_settled(it.at, now)) {
            true => self.held = Some(Held::Untold),
            false => self.steps.push(Step::Comment(note.clone())),
        }
    }

    /// Where it is put.
    fn put(&mut self, wanted: &Wanted, known: &Known, recall: Recall, now: Timestamp) {
        let moves = known.put != Some(wanted.state);
        let seen_open = known.seen.as_ref().map(|it| it.open);
        match (wanted.state.is_open(), seen_open) {
            (true, Some(false)) if moves && known.put.is_some() => self.steps.push(Step::Reopen),
            (true, Some(false)) => match against_people(wanted, known, now) {
                None => self.held = Some(Held::ClosedByPeople),
                Some(why) => {
                    if known.explained != Some(why.id) {
                        self.tell(&why, known, recall, now);
                    }
                    if self.held != Some(Held::Untold) {
                        self.steps.push(Step::Reopen);
                    }
                }
            },
            (true, _) if moves => self.steps.push(match known.put {
                // Of a tracker that tells nothing only what it was told is known.
                Some(_) if seen_open.is_none() => Step::Reopen,
                _ => Step::Accept,
            }),
            (false, _) if moves => self.steps.push(Step::Close(wanted.state)),
            (false, Some(true)) => self.held = Some(Held::OpenedByPeople),
            _ => {}
        }
    }
}

/// Why a ticket that people have closed is opened again: something newer has shown that there is something to do, or
/// the day has passed by which it was to be done.
fn against_people(wanted: &Wanted, known: &Known, now: Timestamp) -> Option<Note> {
    let closing = known.closing?;
    let (id, text) = if closing.evidence != wanted.evidence {
        let text = "Opened again: it was closed here, and a newer document still has it.";
        (format!("evidence {}", wanted.evidence), text)
    } else if closing.at < wanted.due && wanted.due <= now {
        let text = "Opened again: it was closed here, is still there, and overdue now.";
        (format!("due {}", wanted.due), text)
    } else {
        return None;
    };
    let id = Digest::of(format!("{} {} {id}", wanted.key, closing.at).as_bytes());
    Some(Note { id, text: text.to_owned() })
}

/// Whether what was sent at `at` must be listed by now, if it was done.
pub(crate) fn has_settled(at: Timestamp, now: Timestamp) -> bool {
    now.as_second().saturating_sub(at.as_second()) >= SETTLING_SECONDS
}

impl Step {
    /// In a few words, for people.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Comment(_) => "comment",
            Self::Close(Desired::Done) => "close as done",
            Self::Close(_) => "close as not planned",
            Self::Reopen => "reopen",
            Self::Forget => "forget that it was deleted",
            Self::Accept => "accept as it is",
        }
    }

    /// As it is written in a message of a webhook.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Comment(_) => "comment",
            Self::Close(_) => "close",
            Self::Reopen => "reopen",
            Self::Forget => "forget",
            Self::Accept => "accept",
        }
    }

    /// Whether the tracker hears of it.
    pub(crate) fn is_sent(&self) -> bool {
        !matches!(self, Self::Forget | Self::Accept)
    }
}

impl Held {
    /// For people.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Unsettled => "waits: it was asked for, and may have been made",
            Self::Untold => "waits: a comment was sent, and may be there",
            Self::ClosedByPeople => "left closed: people closed it, and nothing newer shows it",
            Self::OpenedByPeople => "left open: people opened it, and there is nothing to do",
            Self::Refused => "left out: the tracker does not take its title or text",
            Self::Gone => "left out: somebody has deleted its ticket",
        }
    }
}

#[cfg(test)]
mod tests;
