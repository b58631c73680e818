//! What entered against what ended: per build, per stage and overall.

mod account;

use std::collections::{HashMap, HashSet};

use events::{Position, Priority};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use self::account::Accounts;
use crate::{
    Registry, RegistryError,
    columns::{Id, Number, Time},
    project::Tally,
    stage::Stage,
};

/// Most entries of each list of a [`Reconciliation`]; the counts are exact.
pub(crate) const MAX_LISTED: usize = 100;

/// How far a worker acknowledged: every message of its consumer up to `floor` is settled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The stream.
    pub stream: String,
    /// The worker.
    pub worker: String,
    /// Which of its lanes.
    pub priority: Priority,
    /// Sequence on the stream.
    pub floor: u64,
}

/// What entered against what ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// Builds.
    pub builds: BuildAccount,
    /// Documents that were submitted.
    #[serde(default)]
    pub submissions: SubmissionAccount,
    /// Messages at each worker, in the order of the pipeline.
    pub stages: Vec<StageAccount>,
    /// Workers that never came for what waits for them: it is in progress until they do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<Absent>,
    /// Everything that entered and of which nobody knows where it went: messages that were
    /// acknowledged with no consequence, replays that never arrived, and what is missing.
    pub unaccounted_events: u64,
    /// The first of them, oldest first; what is missing is in `gaps`.
    pub unaccounted: Vec<Unaccounted>,
    /// The first holes in stage streams.
    pub gaps: Vec<Gap>,
    /// How many messages those and all other holes miss.
    pub missing: u64,
    /// Messages that contradict an event with the same id, and decisions that answer something else
    /// than what was submitted.
    pub conflicts: u64,
    /// Messages that are not what their stream carries; each must be handled all the same.
    pub foreign_messages: u64,
    /// When the oldest message that is on its way was stored.
    pub oldest_in_progress: Option<Timestamp>,
}

/// Builds, each counted at one place only: `entered` is the sum of all others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildAccount {
    /// `build.completed` events.
    pub entered: u64,
    /// With a signed verdict `PASSED`.
    pub passed: u64,
    /// With a signed verdict `FAILED`.
    pub failed: u64,
    /// With an entry in quarantine that waits for somebody.
    pub quarantined: u64,
    /// With an entry that somebody dropped.
    pub dropped: u64,
    /// With a message that its worker has not settled.
    pub in_progress: u64,
    /// None of these.
    pub unaccounted: u64,
}

/// Documents that were submitted, each counted at one place only: `entered` is the sum of all
/// others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionAccount {
    /// `document.submitted` events.
    pub entered: u64,
    /// With a signed receipt that says `accepted`.
    pub accepted: u64,
    /// With a signed receipt that says `rejected`.
    pub rejected: u64,
    /// With an entry in quarantine that waits for somebody.
    pub quarantined: u64,
    /// With an entry that somebody dropped.
    pub dropped: u64,
    /// With a message that its worker has not settled.
    pub in_progress: u64,
    /// None of these.
    pub unaccounted: u64,
}

/// A worker without any consumer on a stream that holds messages for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Absent {
    /// The worker.
    pub worker: String,
    /// The stream.
    pub stream: String,
    /// Messages that wait for it there.
    pub waiting: u64,
    /// When the oldest of them was stored: it leaves when its stream's age limit is over.
    pub oldest: Timestamp,
}

/// Messages that one worker must handle, each counted at one place only: `entered` is the sum of
/// all others. An event and its replays count as one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageAccount {
    /// For example `build.completed → generator`.
    pub name: String,
    /// Messages stored.
    pub entered: u64,
    /// With the event that must follow.
    pub followed: u64,
    /// In quarantine.
    pub quarantined: u64,
    /// Dropped from quarantine.
    pub dropped: u64,
    /// Not settled by the worker yet.
    pub in_progress: u64,
    /// Settled by the worker, with nothing that followed.
    pub unaccounted: u64,
}

/// A message of which nobody knows where it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unaccounted {
    /// Id of the event; none when the message is no event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Uuid>,
    /// Type without the root `attestry.v1.`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Whose evidence it speaks of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer: Option<String>,
    /// Whose event it is.
    pub scope: String,
    /// The build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Uuid>,
    /// How urgent it is; none when its subject does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Where it lies.
    pub position: Position,
    /// When its stream stored it.
    pub known_at: Timestamp,
    /// Where it was last seen, as a sentence.
    pub last_seen: String,
}

/// A hole in a stage stream: messages that were stored and never seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The stream.
    pub stream: String,
    /// First sequence missing.
    pub first: u64,
    /// Last sequence missing.
    pub last: u64,
    /// When the message after the hole was stored.
    pub known_at: Timestamp,
}

/// Weighs everything up.
pub(crate) fn reconcile(
    connection: &Connection,
    settled: &[Settled],
) -> rusqlite::Result<Reconciliation> {
    let mut accounts = Accounts::new(connection);
    let mut result = Reconciliation {
        gaps: gaps(connection)?,
        missing: tally(connection, Tally::Missing)?,
        conflicts: tally(connection, Tally::Conflicts)?,
        foreign_messages: tally(connection, Tally::Foreign)?,
        ..Reconciliation::default()
    };
    unfinished(connection, settled, &mut accounts, &mut result)?;
    lost_replays(connection, &mut accounts, &mut result)?;
    accounts.entries()?;
    result.unaccounted.sort_by_key(|it| (it.known_at, it.position.clone()));
    result.unaccounted.truncate(MAX_LISTED);
    result.unaccounted_events = result.unaccounted_events.saturating_add(result.missing);
    result.stages = accounts.stages()?;
    result.builds = accounts.builds()?;
    result.submissions = accounts.submissions()?;
    Ok(result)
}

impl Registry {
    /// What the streams lost or contradict: the first holes, messages missing, conflicts.
    pub(crate) fn losses(&self) -> Result<(Vec<Gap>, u64, u64), RegistryError> {
        let missing = tally(&self.connection, Tally::Missing)?;
        let conflicts = tally(&self.connection, Tally::Conflicts)?;
        Ok((gaps(&self.connection)?, missing, conflicts))
    }
}

/// Who has not handled what: acknowledged and yet without consequence, or still on its way.
fn unfinished(
    connection: &Connection,
    settled: &[Settled],
    accounts: &mut Accounts<'_>,
    result: &mut Reconciliation,
) -> rusqlite::Result<()> {
    let floors: HashMap<_, _> = settled
        .iter()
        .map(|it| ((it.stream.as_str(), it.worker.as_str(), it.priority.as_str()), it.floor))
        .collect();
    let present: HashSet<_> =
        settled.iter().map(|it| (it.stream.as_str(), it.worker.as_str())).collect();
    let sql =
        "SELECT stream, sequence, known_at, worker, event_id, type, producer, priority, scope,
        correlation FROM unfinished ORDER BY known_at, stream, sequence";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let worker: String = row.get(3)?;
        let message = Unaccounted {
            position: Position { stream: row.get(0)?, sequence: row.get::<_, Number>(1)?.0 },
            known_at: row.get::<_, Time>(2)?.0,
            event: row.get::<_, Option<Id>>(4)?.map(|it| it.0),
            event_type: row.get(5)?,
            producer: row.get(6)?,
            priority: row.get(7)?,
            scope: row.get(8)?,
            correlation: row.get::<_, Option<Id>>(9)?.map(|it| it.0),
            last_seen: String::new(),
        };
        let stream = message.position.stream.as_str();
        let floor =
            message.priority.as_deref().and_then(|it| floors.get(&(stream, worker.as_str(), it)));
        let is_settled = floor.is_some_and(|it| message.position.sequence <= *it);
        // No lane carries it, so nobody will ever handle it.
        let is_stranded = message.priority.is_none();
        let is_unaccounted = is_settled || is_stranded;
        accounts.unfinished(&worker, &message, is_unaccounted);
        if !is_unaccounted {
            let oldest = result.oldest_in_progress.get_or_insert(message.known_at);
            *oldest = message.known_at.min(*oldest);
            if !present.contains(&(stream, worker.as_str())) {
                waits_for_nobody(&mut result.absent, &worker, &message);
            }
            continue;
        }
        result.unaccounted_events += 1;
        if result.unaccounted.len() < MAX_LISTED {
            let last_seen = match is_stranded {
                true => format!("stored at {}; no lane of {worker} carries it", message.position),
                false => acknowledged(&worker, &message),
            };
            result.unaccounted.push(Unaccounted { last_seen, ..message });
        }
    }
    Ok(())
}

/// `message` is the newest yet: the oldest was the first.
fn waits_for_nobody(absent: &mut Vec<Absent>, worker: &str, message: &Unaccounted) {
    let stream = message.position.stream.as_str();
    match absent.iter_mut().find(|it| it.worker == worker && it.stream == stream) {
        Some(known) => known.waiting += 1,
        None => absent.push(Absent {
            worker: worker.to_owned(),
            stream: stream.to_owned(),
            waiting: 1,
            oldest: message.known_at,
        }),
    }
}

fn acknowledged(worker: &str, message: &Unaccounted) -> String {
    let stage = Stage::parse(&message.event_type, message.producer.as_deref());
    let next = stage.and_then(Stage::successor).map_or("event", Stage::event_type);
    format!("acknowledged by {worker} at {}; no {next} followed", message.position)
}

/// Entries that were replayed, while no message says that it is the replay.
fn lost_replays(
    connection: &Connection,
    accounts: &mut Accounts<'_>,
    result: &mut Reconciliation,
) -> rusqlite::Result<()> {
    let sql = "SELECT id, worker, stream, sequence, subject, ended_known_at FROM quarantine
        WHERE ended = 'replayed' AND stream IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM repeat WHERE repeat.replay_of = quarantine.id)
        AND NOT EXISTS (SELECT 1 FROM foreign_message
        WHERE foreign_message.replay_of = quarantine.id)
        ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (id, worker, subject): (Number, String, String) =
            (row.get(0)?, row.get(1)?, row.get(4)?);
        let position = Position { stream: row.get(2)?, sequence: row.get::<_, Number>(3)?.0 };
        let known_at = row.get::<_, Time>(5)?.0;
        let Some(message) = accounts.lost_replay(&worker, &subject, position, known_at)? else {
            continue;
        };
        result.unaccounted_events += 1;
        if result.unaccounted.len() < MAX_LISTED {
            let last_seen =
                format!("replayed from quarantine entry {}; the replay never arrived", id.0);
            result.unaccounted.push(Unaccounted { last_seen, ..message });
        }
    }
    Ok(())
}

fn gaps(connection: &Connection) -> rusqlite::Result<Vec<Gap>> {
    let sql = "SELECT stream, first_missing, last_missing, known_at FROM gap
        ORDER BY stream, first_missing LIMIT $1";
    let mut statement = connection.prepare_cached(sql)?;
    let gaps = statement.query_map(params![Number(MAX_LISTED as u64)], |row| {
        Ok(Gap {
            stream: row.get(0)?,
            first: row.get::<_, Number>(1)?.0,
            last: row.get::<_, Number>(2)?.0,
            known_at: row.get::<_, Time>(3)?.0,
        })
    })?;
    gaps.collect()
}

fn tally(connection: &Connection, tally: Tally) -> rusqlite::Result<u64> {
    let sql = "SELECT total FROM tally WHERE name = $1";
    let mut statement = connection.prepare_cached(sql)?;
    let total = statement.query_row(params![tally.name()], |row| row.get::<_, Number>(0));
    Ok(total.optional()?.map_or(0, |it| it.0))
}
