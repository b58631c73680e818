//! Each message and each build at exactly one place.

use std::collections::BTreeMap;

use events::Position;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{BuildAccount, StageAccount, SubmissionAccount, Unaccounted, tally};
use crate::{
    columns::{Id, Number},
    project::Tally,
    stage::{Address, HANDLERS, Handler, Stage},
};

/// Where something was found that has not ended well; the later place counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Dropped,
    Quarantined,
    InProgress,
    Unaccounted,
}

/// What makes two messages the same to their worker: an event and its replays are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Event(Uuid, Option<&'static str>),
    Message(Position),
}

/// Stories that were not answered, by where they are.
#[derive(Default)]
struct Open {
    quarantined: u64,
    dropped: u64,
    in_progress: u64,
    rest: u64,
}

/// The few that have not ended with an event that followed; all others are only counted.
pub(super) struct Accounts<'c> {
    connection: &'c Connection,
    messages: BTreeMap<(Handler, Key), Place>,
    /// Builds and submissions.
    stories: BTreeMap<Uuid, Place>,
}

impl<'c> Accounts<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, messages: BTreeMap::new(), stories: BTreeMap::new() }
    }

    /// A message that nothing followed.
    pub(super) fn unfinished(&mut self, worker: &str, message: &Unaccounted, is_unaccounted: bool) {
        let place = if is_unaccounted { Place::Unaccounted } else { Place::InProgress };
        let key = match (message.event, message.correlation) {
            (Some(_), Some(correlation)) => {
                let stage = Stage::parse(&message.event_type, message.producer.as_deref());
                Key::Event(correlation, stage.and_then(Stage::producer))
            }
            _ => Key::Message(message.position.clone()),
        };
        self.put(worker, &message.event_type, key, message.correlation, place);
    }

    /// A message that left the quarantine and never arrived; none if it was handled all the same.
    pub(super) fn lost_replay(
        &mut self,
        worker: &str,
        subject: &str,
        position: Position,
        known_at: Timestamp,
    ) -> rusqlite::Result<Option<Unaccounted>> {
        let Some(address) = Address::read(subject) else { return Ok(None) };
        if self.is_followed(&address)? {
            return Ok(None);
        }
        let key = self.key(&address, &position)?;
        let event_type = address.stage.event_type();
        self.put(worker, event_type, key, address.correlation, Place::Unaccounted);
        Ok(Some(Unaccounted {
            event: None,
            event_type: event_type.to_owned(),
            producer: address.stage.producer().map(str::to_owned),
            scope: address.scope.to_owned(),
            correlation: address.correlation,
            priority: address.priority.map(|it| it.as_str().to_owned()),
            position,
            known_at,
            last_seen: String::new(),
        }))
    }

    /// Everything that lies in quarantine or was dropped from it.
    pub(super) fn entries(&mut self) -> rusqlite::Result<()> {
        let sql = "SELECT worker, stream, sequence, subject, ended IS NULL FROM quarantine
            WHERE (ended IS NULL OR ended = 'dropped') AND stream IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (worker, subject): (String, String) = (row.get(0)?, row.get(3)?);
            let position = Position { stream: row.get(1)?, sequence: row.get::<_, Number>(2)?.0 };
            let place = if row.get(4)? { Place::Quarantined } else { Place::Dropped };
            let Some(address) = Address::read(&subject) else { continue };
            let key = self.key(&address, &position)?;
            if matches!(key, Key::Event(..)) && self.is_followed(&address)? {
                continue;
            }
            self.put(&worker, address.stage.event_type(), key, address.correlation, place);
        }
        Ok(())
    }

    /// Sums up each worker.
    pub(super) fn stages(&self) -> rusqlite::Result<Vec<StageAccount>> {
        let mut stages = Vec::new();
        for handler in HANDLERS {
            let of_handler = || self.messages.iter().filter(|((it, _), _)| *it == handler);
            let at = |place| of_handler().filter(|(_, it)| **it == place).count() as u64;
            let entered = tally(self.connection, Tally::Entered(handler))?;
            stages.push(StageAccount {
                name: format!("{} → {}", handler.event_type, handler.worker),
                entered,
                followed: entered.saturating_sub(of_handler().count() as u64),
                quarantined: at(Place::Quarantined),
                dropped: at(Place::Dropped),
                in_progress: at(Place::InProgress),
                unaccounted: at(Place::Unaccounted),
            });
        }
        Ok(stages)
    }

    /// Sums up the builds.
    pub(super) fn builds(&self) -> rusqlite::Result<BuildAccount> {
        let entered = tally(self.connection, Tally::Builds)?;
        let passed = tally(self.connection, Tally::Passed)?;
        let failed = tally(self.connection, Tally::Failed)?;
        let sql = "SELECT 1 FROM build WHERE correlation = $1 AND NOT EXISTS
            (SELECT 1 FROM verdict WHERE verdict.correlation = $1 AND signed = 1)";
        let open = self.open(sql, entered.saturating_sub(passed.saturating_add(failed)))?;
        Ok(BuildAccount {
            entered,
            passed,
            failed,
            quarantined: open.quarantined,
            dropped: open.dropped,
            in_progress: open.in_progress,
            unaccounted: open.rest,
        })
    }

    /// Sums up what was submitted.
    pub(super) fn submissions(&self) -> rusqlite::Result<SubmissionAccount> {
        let entered = tally(self.connection, Tally::Submissions)?;
        let accepted = tally(self.connection, Tally::Accepted)?;
        let rejected = tally(self.connection, Tally::Rejected)?;
        let sql = "SELECT 1 FROM submission WHERE correlation = $1 AND NOT EXISTS
            (SELECT 1 FROM decision WHERE decision.correlation = $1 AND signed = 1)";
        let open = self.open(sql, entered.saturating_sub(accepted.saturating_add(rejected)))?;
        Ok(SubmissionAccount {
            entered,
            accepted,
            rejected,
            quarantined: open.quarantined,
            dropped: open.dropped,
            in_progress: open.in_progress,
            unaccounted: open.rest,
        })
    }

    /// Where those are that `is_open` finds, of `all` that were not answered: what entered and is
    /// at none of these places is nowhere.
    fn open(&self, is_open: &str, all: u64) -> rusqlite::Result<Open> {
        let mut open = Open { rest: all, ..Open::default() };
        let mut statement = self.connection.prepare_cached(is_open)?;
        for (correlation, place) in &self.stories {
            let count = match place {
                Place::Dropped => &mut open.dropped,
                Place::Quarantined => &mut open.quarantined,
                Place::InProgress => &mut open.in_progress,
                Place::Unaccounted => continue,
            };
            if statement.exists(params![Id(*correlation)])? {
                *count += 1;
                open.rest = open.rest.saturating_sub(1);
            }
        }
        Ok(open)
    }

    fn put(&mut self, worker: &str, event_type: &str, key: Key, story: Option<Uuid>, place: Place) {
        // Whoever need not handle it has no account.
        let is_its = |it: &Handler| it.worker == worker && it.event_type == event_type;
        if let Some(handler) = HANDLERS.into_iter().find(is_its) {
            let known = self.messages.entry((handler, key)).or_insert(place);
            *known = place.max(*known);
        }
        if let Some(story) = story {
            let known = self.stories.entry(story).or_insert(place);
            *known = place.max(*known);
        }
    }

    fn key(&self, address: &Address<'_>, position: &Position) -> rusqlite::Result<Key> {
        let sql = "SELECT 1 FROM foreign_message WHERE stream = $1 AND sequence = $2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let is_foreign = statement.exists(params![position.stream, Number(position.sequence)])?;
        Ok(match address.correlation {
            Some(correlation) if !is_foreign => Key::Event(correlation, address.stage.producer()),
            _ => Key::Message(position.clone()),
        })
    }

    fn is_followed(&self, address: &Address<'_>) -> rusqlite::Result<bool> {
        let (Some(next), Some(correlation)) = (address.stage.successor(), address.correlation)
        else {
            return Ok(false);
        };
        let sql = "SELECT 1 FROM event
            WHERE correlation = $1 AND type = $2 AND COALESCE(producer, '') = $3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let producer = next.producer().unwrap_or_default();
        statement.exists(params![Id(correlation), next.event_type(), producer])
    }
}
