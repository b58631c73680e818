//! From one message to the facts it states. A function of what is known and the message, nothing
//! else: the same messages in the same order make the same facts.

mod backlog;
mod evidence;
mod foreign;
mod quarantine;
mod stage_event;
mod submission;
mod unfinished;
mod verdict;

use std::collections::{BTreeMap, HashMap};

use events::{Attempts, Record, quarantine::REPLAY_OF};
use jiff::Timestamp;
use rusqlite::{Connection, params};

use crate::{
    columns::{Number, Time, line},
    registry,
    stage::{Carries, Handler},
};

pub(crate) use self::submission::sender_name;

/// Projects messages within one transaction of its caller's.
pub(crate) struct Projector<'c> {
    connection: &'c Connection,
    progress: HashMap<String, Progress>,
    tally: BTreeMap<Tally, i64>,
}

/// Sums that are kept, so that nobody counts all facts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tally {
    /// Builds that entered.
    Builds,
    /// Builds whose signed verdict is `PASSED`.
    Passed,
    /// Builds whose signed verdict is anything else.
    Failed,
    /// Documents that were submitted.
    Submissions,
    /// Submissions whose signed receipt says that the document is accepted.
    Accepted,
    /// Submissions whose signed receipt says that it is not.
    Rejected,
    /// Different messages that this worker must handle; an event and its replays count once.
    Entered(Handler),
    /// Messages that contradict what they belong to.
    Conflicts,
    /// Messages that are not what their stream carries.
    Foreign,
    /// Sequences missing from stage streams.
    Missing,
}

struct Progress {
    sequence: u64,
    stored_at: Timestamp,
    changed: bool,
}

impl Tally {
    /// Its name in the table.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Builds => "builds".to_owned(),
            Self::Passed => "builds-passed".to_owned(),
            Self::Failed => "builds-failed".to_owned(),
            Self::Submissions => "submissions".to_owned(),
            Self::Accepted => "submissions-accepted".to_owned(),
            Self::Rejected => "submissions-rejected".to_owned(),
            Self::Entered(Handler { event_type, worker }) => {
                format!("entered-{event_type}-{worker}")
            }
            Self::Conflicts => "conflicts".to_owned(),
            Self::Foreign => "foreign-messages".to_owned(),
            Self::Missing => "missing-messages".to_owned(),
        }
    }
}

impl<'c> Projector<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Self {
        Self { connection, progress: HashMap::new(), tally: BTreeMap::new() }
    }

    /// Projects `record`, or returns false if it is known already.
    pub(crate) fn project(&mut self, record: &Record) -> rusqlite::Result<bool> {
        let carries = Carries::on(&record.stream);
        if !self.advance(carries, record)? {
            return Ok(false);
        }
        match carries {
            Carries::Quarantine => self.quarantine(record)?,
            Carries::Attempts => self.attempt(record)?,
            Carries::Unknown => self.foreign(record, "unknown-stream")?,
            _ => self.stage_message(carries, record)?,
        }
        Ok(true)
    }

    /// Writes what was summed up. Whoever does not call it must roll back.
    pub(crate) fn finish(self) -> rusqlite::Result<()> {
        let sql = "INSERT INTO progress (stream, sequence, stored_at) VALUES ($1, $2, $3)
            ON CONFLICT (stream) DO UPDATE
            SET sequence = excluded.sequence, stored_at = excluded.stored_at";
        for (stream, progress) in self.progress.iter().filter(|(_, it)| it.changed) {
            let stored_at = progress.stored_at.to_string();
            let mut statement = self.connection.prepare_cached(sql)?;
            statement.execute(params![stream, Number(progress.sequence), stored_at])?;
        }
        let sql = "INSERT INTO tally (name, total) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET total = tally.total + excluded.total";
        for (name, count) in &self.tally {
            self.connection.prepare_cached(sql)?.execute(params![name.name(), count])?;
        }
        Ok(())
    }

    fn count(&mut self, tally: Tally, by: u64) {
        let total = self.tally.entry(tally).or_default();
        *total = total.saturating_add_unsigned(by);
    }

    /// Moves the stream's progress to `record`, and notes what it skips.
    fn advance(&mut self, carries: Carries, record: &Record) -> rusqlite::Result<bool> {
        let known = match self.progress.get(&record.stream) {
            Some(progress) => Some(progress.sequence),
            None => registry::position(self.connection, &record.stream)?.map(|it| it.0),
        };
        // The first record of a stream begins the books: what lay before it may have been there
        // before the registrar was, and is over.
        let expected = known.map_or(record.sequence, |known| known + 1);
        if record.sequence < expected {
            return Ok(false);
        }
        if carries.is_contiguous() && record.sequence > expected {
            self.gap(expected, record)?;
        }
        let progress =
            Progress { sequence: record.sequence, stored_at: record.stored_at, changed: true };
        match self.progress.get_mut(&record.stream) {
            Some(known) => *known = progress,
            None => drop(self.progress.insert(record.stream.clone(), progress)),
        }
        Ok(true)
    }

    fn gap(&mut self, first: u64, record: &Record) -> rusqlite::Result<()> {
        let sql = "INSERT INTO gap (stream, first_missing, last_missing, event_time, known_at)
            VALUES ($1, $2, $3, $4, $4)";
        let last = record.sequence - 1;
        self.connection.prepare_cached(sql)?.execute(params![
            record.stream,
            Number(first),
            Number(last),
            Time(record.stored_at)
        ])?;
        self.count(Tally::Missing, last - first + 1);
        Ok(())
    }

    fn attempt(&mut self, record: &Record) -> rusqlite::Result<()> {
        let Some((worker, position, attempts)) = Attempts::read(record) else {
            return self.foreign(record, "attempts-unreadable");
        };
        let sql = "INSERT INTO attempt
            (number, worker, stream, sequence, failed, reason, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $7)";
        self.connection.prepare_cached(sql)?.execute(params![
            Number(record.sequence),
            line(&worker),
            line(&position.stream),
            Number(position.sequence),
            attempts.failed,
            line(&attempts.reason),
            Time(record.stored_at)
        ])?;
        Ok(())
    }
}

/// The quarantine entry that a message replays.
fn replay_of(record: &Record) -> Option<Number> {
    record.header(REPLAY_OF).parse().ok().map(Number)
}
