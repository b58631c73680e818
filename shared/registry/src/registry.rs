//! The writer: records messages, in the order in which it is given them.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
};

use events::{Digest, Record};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use crate::{
    RegistryError,
    columns::{Number, Time},
    dump, migrations,
    project::Projector,
    seal,
};

/// Memory for pages in KiB.
const CACHE_KIB: i32 = 64 * 1024;
/// Pages of 4 KiB that the log holds before they move to the database. Ids and digests touch pages
/// all over the indexes: the more batches share a move, the fewer writes.
const LOG_PAGES: i32 = 8 * 1024;
/// Statements that stay prepared.
const STATEMENTS: usize = 64;

/// The only writer of a registry. Dropping it lets the next one in.
pub struct Registry {
    pub(crate) connection: Connection,
    /// Held for as long as we write.
    _lock: Option<File>,
}

/// Records that no segment holds yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pending {
    /// How many.
    pub records: u64,
    /// Their size in bytes, as lines of a segment.
    pub bytes: u64,
    /// When the first of them was stored on its stream.
    pub oldest: Option<Timestamp>,
}

/// Keeps every other writer out, without a registry being open.
pub struct Closed(#[expect(dead_code, reason = "held, never looked at")] Option<File>);

impl Registry {
    /// Opens the registry at `path` for writing: creates it if there is none, and brings its schema
    /// up to date. While it is open, nobody else may ([`RegistryError::InUse`]).
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        let lock = lock(path)?;
        let mut connection = Connection::open(path)?;
        // What a power loss takes from the log is read again from the streams.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES)?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        migrations::migrate(&mut connection, path)?;
        Ok(Self { connection, _lock: Some(lock) })
    }

    /// A registry that vanishes with its value; large ones lie on disk.
    pub(crate) fn scratch() -> Result<Self, RegistryError> {
        let mut connection = Connection::open("")?;
        connection.pragma_update(None, "synchronous", "OFF")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        migrations::migrate(&mut connection, Path::new("(scratch)"))?;
        Ok(Self { connection, _lock: None })
    }

    /// Closes the database, so that its file may be replaced; nobody else may write until the
    /// result is dropped.
    pub fn close(self) -> Closed {
        let Self { connection, _lock: lock } = self;
        drop(connection);
        Closed(lock)
    }

    /// The last message recorded of `stream`: its sequence and when it was stored.
    pub fn position(&self, stream: &str) -> Result<Option<(u64, Timestamp)>, RegistryError> {
        Ok(position(&self.connection, stream)?)
    }

    /// Records `records` in one transaction and returns how many were new. Those up to the last one
    /// recorded of their stream are known already and change nothing.
    pub fn record(&mut self, records: &[Record]) -> Result<usize, RegistryError> {
        let transaction = self.connection.transaction()?;
        let mut projector = Projector::new(&transaction);
        let mut last = seal::last_position(&transaction)?;
        let mut new = 0;
        for record in records {
            if projector.project(record)? {
                last += 1;
                new += 1;
                seal::append(&transaction, last, record)?;
            }
        }
        projector.finish()?;
        transaction.commit()?;
        Ok(new)
    }

    /// Records that no segment holds yet.
    pub fn pending(&self) -> Result<Pending, RegistryError> {
        let sql = "SELECT COUNT(*), COALESCE(SUM(bytes), 0), MIN(known_at) FROM pending";
        let pending = self.connection.query_row(sql, [], |row| {
            Ok(Pending {
                records: row.get::<_, Number>(0)?.0,
                bytes: row.get::<_, Number>(1)?.0,
                oldest: row.get::<_, Option<Time>>(2)?.map(|it| it.0),
            })
        })?;
        Ok(pending)
    }

    /// Writes every fact as one line of JSON, tables and rows in a fixed order, and returns the
    /// digest of what was written. Two registries of the same journal write the same bytes.
    ///
    /// Records that are not sealed yet count only by what follows from them.
    pub fn dump(&self, out: &mut impl Write) -> Result<Digest, RegistryError> {
        dump::dump(&self.connection, out)
    }
}

/// The last message recorded of `stream`.
pub(crate) fn position(
    connection: &Connection,
    stream: &str,
) -> rusqlite::Result<Option<(u64, Timestamp)>> {
    let sql = "SELECT sequence, stored_at FROM progress WHERE stream = $1";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row(params![stream], |row| {
        let stored_at: String = row.get(1)?;
        let stored_at = stored_at.parse().map_err(|error: jiff::Error| {
            rusqlite::Error::FromSqlConversionFailure(
                1,
                rusqlite::types::Type::Text,
                Box::new(error),
            )
        })?;
        Ok((row.get::<_, Number>(0)?.0, stored_at))
    });
    row.optional()
}

fn lock(path: &Path) -> Result<File, RegistryError> {
    let mut name = OsString::from(path);
    name.push(".lock");
    let place = PathBuf::from(name);
    let failed = |reason: io::Error| RegistryError::File {
        action: "lock the registry by",
        path: place.clone(),
        reason,
    };
    let file = File::options().create(true).truncate(false).write(true).open(&place);
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RegistryError::InUse(path.to_owned())),
        Err(TryLockError::Error(reason)) => Err(failed(reason)),
    }
}
