//! What a build used, made and was evidenced by.

use events::{Digest, Producer};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::AsOf;
use crate::{
    columns::{Hash, Id, Number, Time},
    story::{Bundle, Document, File, MAX_LISTED, Statement},
};

/// What the build made.
pub(super) fn artifacts(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
    more: &mut u64,
) -> rusqlite::Result<Vec<File>> {
    let sql = "SELECT name, digest, size FROM artifact
        WHERE correlation = $1 AND known_at <= $2 ORDER BY name";
    list(connection, sql, correlation, as_of, more, file)
}

/// The lockfiles that it used.
pub(super) fn inputs(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
    more: &mut u64,
) -> rusqlite::Result<Vec<File>> {
    let sql = "SELECT path, digest, size FROM input
        WHERE correlation = $1 AND known_at <= $2 ORDER BY path";
    list(connection, sql, correlation, as_of, more, file)
}

/// Documents about it, the generator's first.
pub(super) fn documents(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
    more: &mut u64,
) -> rusqlite::Result<Vec<Document>> {
    let sql = "SELECT role, name, digest, size, media_type, producer FROM document
        WHERE correlation = $1 AND known_at <= $2 ORDER BY producer, role, name, digest";
    list(connection, sql, correlation, as_of, more, |row| {
        Ok(Document {
            role: row.get(0)?,
            name: row.get(1)?,
            digest: row.get::<_, Hash>(2)?.0,
            size: row.get::<_, Number>(3)?.0,
            media_type: row.get(4)?,
            producer: row.get(5)?,
        })
    })
}

/// Statements with the bundles that sign them, and the verdict's bundle.
pub(super) fn statements(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
    more: &mut u64,
) -> rusqlite::Result<(Vec<Statement>, Option<Digest>)> {
    let sql = "SELECT digest, predicate_type, name, producer FROM statement
        WHERE correlation = $1 AND known_at <= $2 ORDER BY producer, name, digest";
    let mut statements = list(connection, sql, correlation, as_of, more, |row| {
        Ok(Statement {
            digest: row.get::<_, Hash>(0)?.0,
            predicate_type: row.get(1)?,
            name: row.get(2)?,
            producer: row.get(3)?,
            bundle: None,
        })
    })?;
    let sql = "SELECT statement, predicate_type, name, producer, digest, signer, event_time
        FROM bundle WHERE correlation = $1 AND known_at <= $2
        ORDER BY producer, name, event_time DESC, digest";
    let signed = list(connection, sql, correlation, as_of, more, |row| {
        let bundle = Bundle {
            digest: row.get::<_, Hash>(4)?.0,
            signer: row.get(5)?,
            time: row.get::<_, Time>(6)?.0,
        };
        Ok(Statement {
            digest: row.get::<_, Hash>(0)?.0,
            predicate_type: row.get(1)?,
            name: row.get(2)?,
            producer: row.get(3)?,
            bundle: Some(bundle),
        })
    })?;
    let by_gate = signed.iter().find(|it| it.producer == Producer::PolicyGate.as_str());
    let verdict_bundle = by_gate.and_then(|it| it.bundle.as_ref()).map(|it| it.digest);
    for signed in signed {
        let is_unsigned = |it: &&mut Statement| {
            it.bundle.is_none() && it.digest == signed.digest && it.producer == signed.producer
        };
        match statements.iter_mut().find(is_unsigned) {
            Some(statement) => statement.bundle = signed.bundle,
            // Signed before it is known to be ready: the streams are read one beside the other.
            None => statements.push(signed),
        }
    }
    cut(&mut statements, more);
    Ok((statements, verdict_bundle))
}

/// Leaves as many entries as a list may have, and counts the others.
pub(super) fn cut<T>(entries: &mut Vec<T>, more: &mut u64) {
    *more += entries.len().saturating_sub(MAX_LISTED) as u64;
    entries.truncate(MAX_LISTED);
}

/// Reads as many rows as a list may have, and counts the others.
pub(super) fn list<T>(
    connection: &Connection,
    sql: &str,
    correlation: Uuid,
    as_of: AsOf,
    more: &mut u64,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![Id(correlation), as_of.limit()])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        match entries.len() < MAX_LISTED {
            true => entries.push(read(row)?),
            false => *more += 1,
        }
    }
    Ok(entries)
}

fn file(row: &Row<'_>) -> rusqlite::Result<File> {
    Ok(File {
        name: row.get(0)?,
        digest: row.get::<_, Hash>(1)?.0,
        size: row.get::<_, Option<Number>>(2)?.map(|it| it.0),
    })
}
