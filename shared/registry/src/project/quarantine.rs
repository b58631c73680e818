//! Entries of the quarantine and how they ended.

use events::{Quarantined, Record};
use rusqlite::params;

use super::Projector;
use crate::columns::{Id, Number, Time, line};

impl Projector<'_> {
    /// Notes an entry, or how one ended. The end repeats the entry, so that it is known even if it
    /// left before anybody read it.
    pub(super) fn quarantine(&mut self, record: &Record) -> rusqlite::Result<()> {
        let (entry, ended) = match Quarantined::read_ended(record) {
            Some((entry, ended)) => (entry, Some(ended)),
            None => (Quarantined::read(record), None),
        };
        self.entry(&entry, record)?;
        if let Some(ended) = ended {
            let sql = "UPDATE quarantine
                SET ended = $1, ended_event_time = $2, ended_known_at = $2
                WHERE id = $3 AND ended IS NULL";
            let stored_at = Time(record.stored_at);
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.execute(params![ended.as_str(), stored_at, Number(entry.id)])?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Quarantined, record: &Record) -> rusqlite::Result<()> {
        let position = entry.event_position();
        let worker = line(&entry.worker);
        let sql = "INSERT INTO quarantine
            (id, worker, reason, detail, attempts, correlation, stream, sequence, subject,
            event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (id) DO NOTHING";
        let new = self.connection.prepare_cached(sql)?.execute(params![
            Number(entry.id),
            worker,
            line(&entry.reason),
            line(&entry.detail),
            entry.attempts,
            entry.correlation().map(Id),
            position.as_ref().map(|it| line(&it.stream)),
            position.as_ref().map(|it| Number(it.sequence)),
            line(&entry.subject),
            Time(entry.time),
            Time(record.stored_at)
        ])?;
        // A number that is taken ends nothing: what ended a delivery must be found again here.
        if let (1, Some(position)) = (new, position) {
            self.given_up(&line(&position.stream), Number(position.sequence), &worker)?;
        }
        Ok(())
    }
}
