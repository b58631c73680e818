//! What the mapper found.

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{AsOf, evidence::list};
use crate::{
    columns::{Hash, Id, Number, Time},
    story::Mapped,
};

/// What the mapper found in what has this correlation.
pub(super) fn read(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
    more: &mut u64,
) -> rusqlite::Result<Option<Mapped>> {
    let sql = "SELECT document, advisories, findings, suppressed, event_time FROM mapping
        WHERE correlation = $1 AND known_at <= $2";
    let mut statement = connection.prepare_cached(sql)?;
    let mapped = statement.query_row(params![Id(correlation), as_of.limit()], |row| {
        Ok(Mapped {
            document: row.get::<_, Option<Hash>>(0)?.map(|it| it.0),
            advisories: row.get::<_, Option<Hash>>(1)?.map(|it| it.0),
            findings: row.get::<_, Number>(2)?.0,
            suppressed: row.get::<_, Number>(3)?.0,
            opened: Vec::new(),
            closed: Vec::new(),
            time: row.get::<_, Time>(4)?.0,
        })
    });
    let Some(mut mapped) = mapped.optional()? else { return Ok(None) };
    let opened = "SELECT entry FROM mapped_entry
        WHERE correlation = $1 AND known_at <= $2 AND change = 'opened' ORDER BY entry";
    let closed = "SELECT entry FROM mapped_entry
        WHERE correlation = $1 AND known_at <= $2 AND change = 'closed' ORDER BY entry";
    mapped.opened = list(connection, opened, correlation, as_of, more, |row| row.get(0))?;
    mapped.closed = list(connection, closed, correlation, as_of, more, |row| row.get(0))?;
    Ok(Some(mapped))
}
