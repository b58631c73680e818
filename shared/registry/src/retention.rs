//! What must be kept because a live build stands on it.

use std::collections::BTreeSet;

use events::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::{
    columns::{Hash, Id, Time},
    explain::PLACES,
};

/// Whether a live build or submission names `digest`.
pub(crate) fn needed(
    connection: &Connection,
    digest: Digest,
    cutoff: Timestamp,
) -> rusqlite::Result<bool> {
    let mut seen = BTreeSet::new();
    for place in &PLACES {
        let (table, column) = (place.table, place.column);
        // What is live is most likely new.
        let mut statement = connection.prepare_cached(&format!(
            "SELECT correlation FROM {table} WHERE {column} = $1 ORDER BY event_time DESC"
        ))?;
        let mut rows = statement.query(params![Hash(digest)])?;
        while let Some(row) = rows.next()? {
            let correlation = row.get::<_, Id>(0)?.0;
            if seen.insert(correlation) && is_live(connection, correlation, cutoff)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// A build or submission is dead only if it is known to have ended, for good and long ago.
fn is_live(
    connection: &Connection,
    correlation: Uuid,
    cutoff: Timestamp,
) -> rusqlite::Result<bool> {
    let id = params![Id(correlation)];
    let exists = |sql: &str| connection.prepare_cached(sql)?.exists(id);
    let open = "SELECT 1 FROM quarantine WHERE correlation = $1 AND ended IS NULL";
    if exists(open)? || is_awaited(connection, correlation, cutoff)? {
        return Ok(true);
    }
    let sql = "SELECT event_time FROM verdict WHERE correlation = $1 AND signed = 1
        UNION ALL SELECT event_time FROM decision WHERE correlation = $1 AND signed = 1
        ORDER BY event_time DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let answered = statement.query_row(id, |row| row.get::<_, Time>(0)).optional()?;
    match answered {
        Some(time) if time.0 >= cutoff => Ok(true),
        Some(_) => exists("SELECT 1 FROM newest_release WHERE correlation = $1"),
        None => {
            let dropped = "SELECT 1 FROM quarantine WHERE correlation = $1 AND ended = 'dropped'";
            Ok(!exists(dropped)?)
        }
    }
}

/// Whether a worker has yet to handle something of it. What the mapper has not come for since
/// `cutoff` it will not come for any more: no stream keeps it that long.
fn is_awaited(
    connection: &Connection,
    correlation: Uuid,
    cutoff: Timestamp,
) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM unfinished
        WHERE correlation = $1 AND (worker <> 'backlog-mapper' OR known_at >= $2)";
    connection.prepare_cached(sql)?.exists(params![Id(correlation), Time(cutoff)])
}

/// Names of the claims that hold the judgement or decision whose statement is `digest`: they go
/// with it.
pub(crate) fn claims_on(connection: &Connection, digest: Digest) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT correlation, producer FROM statement
        WHERE digest = $1 AND producer IN ('policy-gate', 'supplier-ingest')";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![Hash(digest)])?;
    let mut claims = Vec::new();
    while let Some(row) = rows.next()? {
        let (correlation, producer) = (row.get::<_, Id>(0)?.0, row.get::<_, String>(1)?);
        match producer.as_str() {
            // The event that was decided began its own correlation.
            "supplier-ingest" => claims.push(format!("receipts/{correlation}")),
            _ => claims_on_judgement(connection, correlation, &mut claims)?,
        }
    }
    Ok(claims)
}

fn claims_on_judgement(
    connection: &Connection,
    correlation: Uuid,
    claims: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let id = params![Id(correlation)];
    let sql = "SELECT id FROM event WHERE correlation = $1
        AND ((type = 'evidence.signed' AND producer = 'generator') OR type = 'verdict.requested')";
    let mut events = connection.prepare_cached(sql)?;
    for event in events.query_map(id, |row| Ok(row.get::<_, Id>(0)?.0))? {
        claims.push(format!("verdicts/{}", event?));
    }
    let sql = "SELECT digest FROM artifact WHERE correlation = $1";
    let mut artifacts = connection.prepare_cached(sql)?;
    for artifact in artifacts.query_map(id, |row| Ok(row.get::<_, Hash>(0)?.0))? {
        claims.push(format!("judged/{}/{correlation}", artifact?.hex()));
    }
    Ok(())
}
