//! What all stories have in common: events, failures, quarantine, and what the mapper found.

use std::collections::BTreeMap;

use events::{Ended, Position};
use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{AsOf, evidence, mapped};
use crate::{
    columns::{Id, Number, Time},
    stage::Stage,
    story::{Attempt, End, Entry, Event, MAX_LISTED, Mapped, Repeat, State},
};

/// Everything that happened in one correlation.
pub(super) struct Trail {
    /// How far it came, while nobody was answered.
    pub(super) state: State,
    pub(super) events: Vec<Event>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) quarantine: Vec<Entry>,
    pub(super) mapped: Option<Mapped>,
    /// Entries that the lists leave out.
    pub(super) more: u64,
}

impl Trail {
    pub(super) fn read(
        connection: &Connection,
        correlation: Uuid,
        as_of: AsOf,
    ) -> rusqlite::Result<Self> {
        let mut more = 0;
        let events = events(connection, correlation, as_of)?;
        let mut attempts = attempts(connection, &events, as_of)?;
        let mut quarantine = quarantine(connection, correlation, as_of)?;
        let state = state(&events, &quarantine);
        evidence::cut(&mut attempts, &mut more);
        evidence::cut(&mut quarantine, &mut more);
        let mapped = mapped::read(connection, correlation, as_of, &mut more)?;
        Ok(Self { state, events, attempts, quarantine, mapped, more })
    }
}

fn state(events: &[Event], quarantine: &[Entry]) -> State {
    let is_on_its_way = events.iter().any(|event| {
        let stage = Stage::parse(&event.event_type, event.producer.as_deref());
        let Some((worker, next)) = stage.and_then(|it| it.worker().zip(it.successor())) else {
            return false;
        };
        let followed = events.iter().any(|it| {
            it.cause == Some(event.id)
                && it.event_type == next.event_type()
                && it.producer.as_deref() == next.producer()
        });
        let given_up = |position: &Position| {
            quarantine
                .iter()
                .any(|it| it.worker == worker && it.position.as_ref() == Some(position))
        };
        let repeats = event.repeats.iter().map(|it| &it.position);
        !followed && !std::iter::once(&event.position).chain(repeats).all(given_up)
    });
    let mut ends = quarantine.iter().map(|it| it.ended.as_ref().map(|it| it.how));
    match is_on_its_way {
        true => State::InProgress,
        false if ends.clone().any(|it| it.is_none()) => State::Quarantined,
        false if ends.any(|it| it == Some(Ended::Dropped)) => State::Dropped,
        false => State::InProgress,
    }
}

/// In causal order, which is the order of the stages.
fn events(connection: &Connection, correlation: Uuid, as_of: AsOf) -> rusqlite::Result<Vec<Event>> {
    let sql = "SELECT id, type, producer, source, event_time, known_at, cause, stream, sequence
        FROM event WHERE correlation = $1 AND known_at <= $2";
    let mut statement = connection.prepare_cached(sql)?;
    let events = statement.query_map(params![Id(correlation), as_of.limit()], |row| {
        Ok(Event {
            id: row.get::<_, Id>(0)?.0,
            event_type: row.get(1)?,
            producer: row.get(2)?,
            source: row.get(3)?,
            time: row.get::<_, Time>(4)?.0,
            known_at: row.get::<_, Time>(5)?.0,
            cause: row.get::<_, Option<Id>>(6)?.map(|it| it.0),
            position: position(row, 7)?,
            repeats: Vec::new(),
        })
    })?;
    let mut events: Vec<Event> = events.collect::<Result<_, _>>()?;
    let rank = |it: &Event| {
        Stage::parse(&it.event_type, it.producer.as_deref()).map_or(u8::MAX, Stage::rank)
    };
    events.sort_by_key(|it| (rank(it), it.known_at, it.id));
    for event in &mut events {
        event.repeats = repeats(connection, event.id, as_of)?;
    }
    Ok(events)
}

/// The last ones: they tell whether the event is on its way.
fn repeats(connection: &Connection, event: Uuid, as_of: AsOf) -> rusqlite::Result<Vec<Repeat>> {
    let sql = "SELECT stream, sequence, known_at, replay_of, same FROM repeat
        WHERE event_id = $1 AND known_at <= $2 ORDER BY sequence DESC LIMIT $3";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = Number(MAX_LISTED as u64);
    let repeats = statement.query_map(params![Id(event), as_of.limit(), limit], |row| {
        Ok(Repeat {
            position: position(row, 0)?,
            known_at: row.get::<_, Time>(2)?.0,
            replay_of: row.get::<_, Option<Number>>(3)?.map(|it| it.0),
            same: row.get(4)?,
        })
    })?;
    let mut repeats: Vec<Repeat> = repeats.collect::<Result<_, _>>()?;
    repeats.reverse();
    Ok(repeats)
}

/// What failed at least once, in the order in which it failed first.
fn attempts(
    connection: &Connection,
    events: &[Event],
    as_of: AsOf,
) -> rusqlite::Result<Vec<Attempt>> {
    let sql = "SELECT worker, failed, reason, known_at FROM attempt
        WHERE stream = $1 AND sequence = $2 AND known_at <= $3 ORDER BY number";
    let mut statement = connection.prepare_cached(sql)?;
    let mut attempts = Vec::new();
    let repeats = |it: &Event| it.repeats.iter().map(|it| it.position.clone()).collect::<Vec<_>>();
    let positions = events.iter().flat_map(|it| [vec![it.position.clone()], repeats(it)].concat());
    for position in positions {
        let place = params![position.stream, Number(position.sequence), as_of.limit()];
        let mut rows = statement.query(place)?;
        let mut by_worker: BTreeMap<String, Attempt> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let worker: String = row.get(0)?;
            let (failed, reason) = (row.get::<_, Number>(1)?.0, row.get::<_, String>(2)?);
            let attempt = by_worker.entry(worker.clone()).or_insert_with(|| Attempt {
                worker,
                position: position.clone(),
                failed,
                failed_max: 0,
                reason: String::new(),
                time: Timestamp::UNIX_EPOCH,
            });
            attempt.failed = failed;
            attempt.failed_max = attempt.failed_max.max(failed);
            attempt.time = row.get::<_, Time>(3)?.0;
            if !reason.is_empty() {
                attempt.reason = reason;
            }
        }
        attempts.extend(by_worker.into_values().filter(|it| it.failed_max > 0));
    }
    Ok(attempts)
}

fn quarantine(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Vec<Entry>> {
    let sql = "SELECT id, worker, reason, detail, attempts, stream, sequence, event_time, ended,
        ended_event_time FROM quarantine
        WHERE correlation = $1 AND known_at <= $2 ORDER BY id";
    let ended_sql = "SELECT 1 FROM quarantine WHERE id = $1 AND ended_known_at <= $2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut ended_statement = connection.prepare_cached(ended_sql)?;
    let mut rows = statement.query(params![Id(correlation), as_of.limit()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get::<_, Number>(0)?;
        let has_place = row.get::<_, Option<String>>(5)?.is_some();
        let ended = match ended_statement.exists(params![id, as_of.limit()])? {
            true => {
                Some(End { how: how(&row.get::<_, String>(8)?), time: row.get::<_, Time>(9)?.0 })
            }
            false => None,
        };
        entries.push(Entry {
            id: id.0,
            worker: row.get(1)?,
            reason: row.get(2)?,
            detail: row.get(3)?,
            attempts: row.get::<_, Number>(4)?.0,
            position: if has_place { Some(position(row, 5)?) } else { None },
            time: row.get::<_, Time>(7)?.0,
            ended,
        });
    }
    Ok(entries)
}

fn how(text: &str) -> Ended {
    match text {
        "replayed" => Ended::Replayed,
        _ => Ended::Dropped,
    }
}

fn position(row: &Row<'_>, index: usize) -> rusqlite::Result<Position> {
    Ok(Position { stream: row.get(index)?, sequence: row.get::<_, Number>(index + 1)?.0 })
}
