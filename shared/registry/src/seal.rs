//! The journal's end inside the database: what is pending, planned and sealed.

use events::{Digest, Record};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::{
    Registry, RegistryError,
    columns::{Hash, Number, Time},
    project::Projector,
    segment::{self, FORMAT, FULL_BYTES, Header, Segment, SegmentError},
};

/// A segment that may be stored. Planning again gives the same bytes until it is sealed.
#[derive(Clone, Debug)]
pub(crate) struct PlannedSegment {
    pub(crate) header: Header,
    /// As the archive keeps them.
    pub(crate) bytes: Vec<u8>,
}

/// A sealed segment, as far as the next one must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SealedEnd {
    pub(crate) number: u64,
    pub(crate) digest: Digest,
    pub(crate) last: u64,
}

impl Registry {
    /// Cuts the next segment from what is pending: at most `at_most` records. None when nothing is
    /// pending. A cut that was made stays until it is sealed, so that a crash repeats it.
    pub(crate) fn plan_segment(
        &mut self,
        at_most: usize,
    ) -> Result<Option<PlannedSegment>, RegistryError> {
        let transaction = self.connection.transaction()?;
        let before = sealed_end(&transaction)?;
        let number = before.map_or(1, |it| it.number + 1);
        let planned = planned_last(&transaction, number)?;
        let lines = match planned {
            Some(last) => pending_lines(&transaction, |position, _, _| position <= last)?,
            None => pending_lines(&transaction, |_, before, bytes| {
                before == 0 || (before < at_most && bytes <= FULL_BYTES)
            })?,
        };
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Ok(None) };
        let ((first, opening), (last, closing)) = (read_own(first)?, read_own(last)?);
        if planned.is_none() {
            let sql = "INSERT INTO planned_segment (number, last_position) VALUES ($1, $2)";
            transaction.execute(sql, params![Number(number), Number(last)])?;
        }
        transaction.commit()?;
        let header = Header {
            format: FORMAT.to_owned(),
            number,
            previous: before.map(|it| it.digest),
            first,
            last,
            records: lines.len() as u64,
            from: opening.stored_at,
            until: closing.stored_at,
        };
        let bytes = segment::encode(&header, lines.iter().map(Vec::as_slice))?;
        Ok(Some(PlannedSegment { header, bytes }))
    }

    /// Notes that the archive holds the planned segment under `digest`, durably and by its name.
    pub(crate) fn mark_sealed(
        &mut self,
        header: &Header,
        digest: Digest,
    ) -> Result<(), RegistryError> {
        let transaction = self.connection.transaction()?;
        close_segment(&transaction, header, digest)?;
        transaction.commit()?;
        Ok(())
    }

    /// Takes over a segment that the archive holds beyond our last one: in one transaction, records
    /// what is new, and checks that what is pending already is the same.
    pub(crate) fn apply(&mut self, digest: Digest, segment: &Segment) -> Result<(), RegistryError> {
        let header = &segment.header;
        let foreign = |reason| RegistryError::ForeignJournal { number: header.number, reason };
        let transaction = self.connection.transaction()?;
        let before = sealed_end(&transaction)?;
        continues(before, header).map_err(foreign)?;
        let known = last_position(&transaction)?;
        let mut projector = Projector::new(&transaction);
        for (position, record) in (header.first..).zip(&segment.records) {
            let fits = match position <= known {
                true => pending_record(&transaction, position)?.as_ref() == Some(record),
                false => projector.project(record)?,
            };
            if !fits {
                let lies = record.position();
                return Err(foreign(format!(
                    "at position {position}, where it has {lies}, this registry has another record"
                )));
            }
        }
        projector.finish()?;
        close_segment(&transaction, header, digest)?;
        transaction.commit()?;
        Ok(())
    }

    /// The last segment sealed.
    pub(crate) fn sealed_end(&self) -> Result<Option<SealedEnd>, RegistryError> {
        Ok(sealed_end(&self.connection)?)
    }
}

/// Appends `record` to the journal.
pub(crate) fn append(
    connection: &Connection,
    position: u64,
    record: &Record,
) -> Result<(), RegistryError> {
    let line = segment::line(position, record)?;
    let sql = "INSERT INTO pending (position, known_at, bytes, line) VALUES ($1, $2, $3, $4)";
    connection.prepare_cached(sql)?.execute(params![
        Number(position),
        Time(record.stored_at),
        Number(line.len() as u64),
        line
    ])?;
    Ok(())
}

/// Position of the journal's last record; 0 when it is empty.
pub(crate) fn last_position(connection: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT MAX(position) FROM pending";
    let pending: Option<Number> = connection.query_row(sql, [], |row| row.get(0))?;
    match pending {
        Some(position) => Ok(position.0),
        None => Ok(sealed_end(connection)?.map_or(0, |it| it.last)),
    }
}

/// The last segment sealed.
pub(crate) fn sealed_end(connection: &Connection) -> rusqlite::Result<Option<SealedEnd>> {
    let sql = "SELECT number, digest, last_position FROM segment ORDER BY number DESC LIMIT 1";
    let end = connection.query_row(sql, [], |row| {
        Ok(SealedEnd {
            number: row.get::<_, Number>(0)?.0,
            digest: row.get::<_, Hash>(1)?.0,
            last: row.get::<_, Number>(2)?.0,
        })
    });
    end.optional()
}

/// Whether a segment with `header` comes right after `before`; else what is wrong.
pub(crate) fn continues(before: Option<SealedEnd>, header: &Header) -> Result<(), String> {
    let number = before.map_or(1, |it| it.number.saturating_add(1));
    if header.number != number {
        return Err(format!("it says that it is number {}", header.number));
    }
    let previous = before.map(|it| it.digest);
    if header.previous != previous {
        let name = |it: Option<Digest>| it.map_or("none".to_owned(), |it| it.to_string());
        let (says, is) = (name(header.previous), name(previous));
        return Err(format!("it says that it follows {says}, but the segment before is {is}"));
    }
    let first = before.map_or(1, |it| it.last.saturating_add(1));
    if header.first != first {
        return Err(format!("it begins at position {}, not {first}", header.first));
    }
    Ok(())
}

fn close_segment(
    transaction: &Transaction<'_>,
    header: &Header,
    digest: Digest,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO segment
        (number, digest, first_position, last_position, event_time, known_at)
        VALUES ($1, $2, $3, $4, $5, $5)";
    transaction.execute(
        sql,
        params![
            Number(header.number),
            Hash(digest),
            Number(header.first),
            Number(header.last),
            Time(header.until),
        ],
    )?;
    let sql = "DELETE FROM pending WHERE position <= $1";
    transaction.execute(sql, params![Number(header.last)])?;
    transaction.execute("DELETE FROM planned_segment", [])?;
    Ok(())
}

fn planned_last(connection: &Connection, number: u64) -> rusqlite::Result<Option<u64>> {
    let sql = "SELECT last_position FROM planned_segment WHERE number = $1";
    let last = connection.query_row(sql, params![Number(number)], |row| row.get::<_, Number>(0));
    Ok(last.optional()?.map(|it| it.0))
}

/// Pending lines from the first on, for as long as `takes(position, lines before, bytes with it)`.
fn pending_lines(
    connection: &Connection,
    takes: impl Fn(u64, usize, u64) -> bool,
) -> rusqlite::Result<Vec<Vec<u8>>> {
    let sql = "SELECT position, bytes, line FROM pending ORDER BY position";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        bytes += row.get::<_, Number>(1)?.0;
        if !takes(row.get::<_, Number>(0)?.0, lines.len(), bytes) {
            break;
        }
        lines.push(row.get(2)?);
    }
    Ok(lines)
}

fn pending_record(connection: &Connection, position: u64) -> Result<Option<Record>, RegistryError> {
    let sql = "SELECT line FROM pending WHERE position = $1";
    let mut statement = connection.prepare_cached(sql)?;
    let line = statement.query_row(params![Number(position)], |row| row.get::<_, Vec<u8>>(0));
    match line.optional()? {
        Some(line) => Ok(Some(read_own(&line)?.1)),
        None => Ok(None),
    }
}

fn read_own(line: &[u8]) -> Result<(u64, Record), SegmentError> {
    segment::read_line(line).map_err(|problem| SegmentError::Line { line: 0, problem })
}
