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

/// Whether a live build names `digest`.
pub(crate) fn needed(
    connection: &Connection,
    digest: Digest,
    cutoff: Timestamp,
) -> rusqlite::Result<bool> {
    let mut seen = BTreeSet::new();
    for place in &PLACES {
        let (table, column) = (place.table, place.column);
        // A live build is most likely a new one.
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

/// A build is dead only if it is known to have ended, for good and long ago.
fn is_live(
    connection: &Connection,
    correlation: Uuid,
    cutoff: Timestamp,
) -> rusqlite::Result<bool> {
    let id = params![Id(correlation)];
    let exists = |sql: &str| connection.prepare_cached(sql)?.exists(id);
    let open = "SELECT 1 FROM quarantine WHERE correlation = $1 AND ended IS NULL";
    if exists("SELECT 1 FROM unfinished WHERE correlation = $1")? || exists(open)? {
        return Ok(true);
    }
    let sql = "SELECT event_time FROM verdict WHERE correlation = $1 AND signed = 1";
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

/// Names of the claims that hold the judgement whose statement is `digest`: they go with it.
pub(crate) fn claims_on(connection: &Connection, digest: Digest) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT DISTINCT correlation FROM statement
        WHERE digest = $1 AND producer = 'policy-gate'";
    let mut statement = connection.prepare_cached(sql)?;
    let judged = statement.query_map(params![Hash(digest)], |row| Ok(row.get::<_, Id>(0)?.0))?;
    let mut claims = Vec::new();
    for correlation in judged {
        let correlation = correlation?;
        let sql = "SELECT id FROM event WHERE correlation = $1 AND type = 'evidence.signed'
            AND producer = 'generator'";
        let mut events = connection.prepare_cached(sql)?;
        let events =
            events.query_map(params![Id(correlation)], |row| Ok(row.get::<_, Id>(0)?.0))?;
        for event in events {
            claims.push(format!("verdicts/{}", event?));
        }
        let sql = "SELECT digest FROM artifact WHERE correlation = $1";
        let mut artifacts = connection.prepare_cached(sql)?;
        let artifacts =
            artifacts.query_map(params![Id(correlation)], |row| Ok(row.get::<_, Hash>(0)?.0))?;
        for artifact in artifacts {
            claims.push(format!("judged/{}/{correlation}", artifact?.hex()));
        }
    }
    Ok(claims)
}
