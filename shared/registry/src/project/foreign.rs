//! Messages that are not what their stream carries: noted, never a reason to stop.

use events::Record;
use rusqlite::params;

use super::{Projector, replay_of};
use crate::{
    columns::{Number, Time, line},
    project::Tally,
};

impl Projector<'_> {
    /// Notes a message that is none of ours, with the stable code of what is wrong with it.
    pub(super) fn foreign(&mut self, record: &Record, problem: &str) -> rusqlite::Result<()> {
        let sql = "INSERT INTO foreign_message
            (stream, sequence, subject, problem, replay_of, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $6)
            ON CONFLICT (stream, sequence) DO NOTHING";
        self.connection.prepare_cached(sql)?.execute(params![
            record.stream,
            Number(record.sequence),
            line(&record.subject),
            problem,
            replay_of(record),
            Time(record.stored_at)
        ])?;
        self.count(Tally::Foreign, 1);
        Ok(())
    }
}
