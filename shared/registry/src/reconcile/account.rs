//! Each message and each build at exactly one place.

use std::collections::BTreeMap;

use events::Position;
use jiff::Timestamp;
use rusqlite::{Connection, params};
use uuid::Uuid;

use super::{BuildAccount, StageAccount, Unaccounted, tally};
use crate::{
    columns::{Id, Number},
    project::Tally,
    stage::{Address, HANDLERS, Stage},
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

/// The few that have not ended with an event that followed; all others are only counted.
pub(super) struct Accounts<'c> {
    connection: &'c Connection,
    messages: BTreeMap<(&'static str, Key), Place>,
    builds: BTreeMap<Uuid, Place>,
}

impl<'c> Accounts<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self { connection, messages: BTreeMap::new(), builds: BTreeMap::new() }
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
        self.put(worker, key, message.correlation, place);
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
        self.put(worker, key, address.correlation, Place::Unaccounted);
        Ok(Some(Unaccounted {
            event: None,
            event_type: address.stage.event_type().to_owned(),
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
            self.put(&worker, key, address.correlation, place);
        }
        Ok(())
    }

    /// Sums up each worker.
    pub(super) fn stages(&self) -> rusqlite::Result<Vec<StageAccount>> {
        let mut stages = Vec::new();
        for (worker, event_type) in HANDLERS {
            let of_worker = || self.messages.iter().filter(|((it, _), _)| *it == worker);
            let at = |place| of_worker().filter(|(_, it)| **it == place).count() as u64;
            let entered = tally(self.connection, Tally::Entered(worker))?;
            stages.push(StageAccount {
                name: format!("{event_type} → {worker}"),
                entered,
                followed: entered.saturating_sub(of_worker().count() as u64),
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
        let mut account = BuildAccount {
            entered: tally(self.connection, Tally::Builds)?,
            passed: tally(self.connection, Tally::Passed)?,
            failed: tally(self.connection, Tally::Failed)?,
            ..BuildAccount::default()
        };
        // What entered and is at none of the other places is nowhere.
        let mut rest = account.entered.saturating_sub(account.passed + account.failed);
        for (correlation, place) in &self.builds {
            let count = match place {
                Place::Dropped => &mut account.dropped,
                Place::Quarantined => &mut account.quarantined,
                Place::InProgress => &mut account.in_progress,
                Place::Unaccounted => continue,
            };
            if self.is_unanswered(*correlation)? {
                *count += 1;
                rest = rest.saturating_sub(1);
            }
        }
        account.unaccounted = rest;
        Ok(account)
    }

    fn put(&mut self, worker: &str, key: Key, build: Option<Uuid>, place: Place) {
        // Whoever handles nothing has no account.
        if let Some((worker, _)) = HANDLERS.into_iter().find(|(it, _)| *it == worker) {
            let known = self.messages.entry((worker, key)).or_insert(place);
            *known = place.max(*known);
        }
        if let Some(build) = build {
            let known = self.builds.entry(build).or_insert(place);
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
        let sql = "SELECT 1 FROM event WHERE correlation = $1 AND type = $2 AND producer = $3";
        let mut statement = self.connection.prepare_cached(sql)?;
        statement.exists(params![Id(correlation), next.event_type(), next.producer()])
    }

    /// Whether this is a build, and one without a signed verdict.
    fn is_unanswered(&self, correlation: Uuid) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM build WHERE correlation = $1 AND NOT EXISTS
            (SELECT 1 FROM verdict WHERE verdict.correlation = $1 AND signed = 1)";
        self.connection.prepare_cached(sql)?.exists(params![Id(correlation)])
    }
}
