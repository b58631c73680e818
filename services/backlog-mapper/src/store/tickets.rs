//! The record of tickets: what was asked for, what became of it, and how tickets look.

use std::sync::PoisonError;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use tickets::{Key, Known, Memory};

use super::{
    Reader, Store, StoreError,
    columns::{Hash, Time},
    open,
};

/// Where the ticket of an entry is, and how it looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRow {
    /// The tracker.
    pub tracker: String,
    /// Id of the entry.
    pub entry: String,
    /// Where people see it; none if the tracker did not say, or while it may have been made.
    pub url: Option<String>,
    /// Whether it is open; none if the tracker does not say.
    pub open: Option<bool>,
    /// Whether somebody is at it.
    pub in_progress: bool,
    /// Who it is assigned to.
    pub assignee: Option<String>,
}

impl Store {
    /// All that is on record about `tracker`.
    pub fn tickets(&self, tracker: &str) -> Result<Memory, StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "SELECT time FROM ticket_cursor WHERE tracker = $1";
        let cursor = connection.query_row(sql, [tracker], |row| row.get::<_, Time>(0));
        let cursor = cursor.optional()?.map(|it| it.0);
        let mut statement =
            connection.prepare_cached("SELECT key, body FROM ticket WHERE tracker = $1")?;
        let mut rows = statement.query([tracker])?;
        let mut memory = Memory { cursor, ..Memory::default() };
        while let Some(row) = rows.next()? {
            let (key, body): (Hash, String) = (row.get(0)?, row.get(1)?);
            memory.known.insert(Key::of(key.0), open::parse(&body)?);
        }
        Ok(memory)
    }

    /// Puts on record what is known of a ticket. When this returns, a kill does not take it back.
    pub fn keep_ticket(&self, tracker: &str, key: Key, known: &Known) -> Result<(), StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "INSERT INTO ticket (tracker, key, body) VALUES ($1, $2, $3) ON CONFLICT (tracker, key) DO UPDATE SET body = excluded.body";
        connection.execute(sql, params![tracker, Hash(key.digest()), open::json(known)])?;
        Ok(())
    }

    /// Puts on record up to when the changes of `tracker` were seen.
    pub fn keep_ticket_cursor(&self, tracker: &str, cursor: Timestamp) -> Result<(), StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "INSERT INTO ticket_cursor (tracker, time) VALUES ($1, $2) ON CONFLICT (tracker) DO UPDATE SET time = excluded.time";
        connection.execute(sql, params![tracker, Time(cursor)])?;
        Ok(())
    }
}

impl Reader {
    /// Tickets of all trackers, by entry.
    pub fn tickets(&self) -> Result<Vec<TicketRow>, StoreError> {
        let mut statement = self.connection.prepare("SELECT tracker, body FROM ticket")?;
        let mut rows = statement.query([])?;
        let mut tickets = Vec::new();
        while let Some(row) = rows.next()? {
            let (tracker, body): (String, String) = (row.get(0)?, row.get(1)?);
            tickets.push(TicketRow::of(tracker, open::parse(&body)?));
        }
        tickets.sort_by(|a, b| (&a.entry, &a.tracker).cmp(&(&b.entry, &b.tracker)));
        Ok(tickets)
    }

    /// The tickets of one entry.
    pub fn tickets_of(&self, entry: &str) -> Result<Vec<TicketRow>, StoreError> {
        let sql = "SELECT tracker, body FROM ticket WHERE json_extract(body, '$.entry') = $1 ORDER BY tracker";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([entry])?;
        let mut tickets = Vec::new();
        while let Some(row) = rows.next()? {
            let (tracker, body): (String, String) = (row.get(0)?, row.get(1)?);
            tickets.push(TicketRow::of(tracker, open::parse(&body)?));
        }
        Ok(tickets)
    }
}

impl TicketRow {
    fn of(tracker: String, known: Known) -> Self {
        let Known { entry, place, seen, .. } = known;
        let url = place.map(|it| it.url).filter(|it| !it.is_empty());
        let (open, in_progress) = (seen.as_ref().map(|it| it.open), seen.as_ref());
        let in_progress = in_progress.is_some_and(|it| it.in_progress);
        Self { tracker, entry, url, open, in_progress, assignee: seen.and_then(|it| it.assignee) }
    }
}
