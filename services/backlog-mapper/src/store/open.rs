//! Opening the database: one writer, the schema, and why it may be refused.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use advisories::IndexError;
use events::Digest;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use serde::{Serialize, de::DeserializeOwned};

use super::migrate::{KNOWN, migrate};

/// How long a statement waits for a checkpoint of somebody else.
const BUSY: Duration = Duration::from_secs(5);
/// Statements that stay prepared.
const STATEMENTS: usize = 64;

/// Why the store did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process writes to it.
    #[error(
        "the backlog {0} is in use by another process; only one may write: stop the other, or wait until it ends"
    )]
    InUse(PathBuf),
    /// Another release made it.
    #[error(
        "the backlog {path} has schema version {found}, this release knows {KNOWN}; use the release that made it, or move it away and replay"
    )]
    Newer {
        /// Where it lies.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// The file system refused.
    #[error("cannot {action} {path}: {reason}; check that the directory exists and is writable")]
    File {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// What lies in the database is not what was put there.
    #[error("the backlog's database is damaged: {0}; restore it from a backup")]
    Damaged(#[from] serde_json::Error),
    /// The database does not take what a document holds.
    #[error(
        "the document does not fit into the backlog's database: {0}; split it, or have its names and texts shortened"
    )]
    TooLarge(rusqlite::Error),
    /// The backlog is derived by advisories that are away.
    #[error(
        "the backlog was made by advisory index {0}, and there is none now; mount its volume again, or run `attestry advisories sync`"
    )]
    NoIndex(Digest),
    /// What is exploited cannot be told, so that nothing is shown as less urgent than it is.
    #[error("the advisory index cannot be read: {0}")]
    Index(#[from] IndexError),
    /// The database refused: disk, memory, or damage.
    #[error("the backlog's database failed: {0}; check its disk")]
    Database(#[from] rusqlite::Error),
}

impl StoreError {
    /// The same while a document is written: what can only be its own fault is.
    pub(super) fn of_content(self) -> Self {
        use ErrorCode::{ConstraintViolation, TooBig};
        match self {
            Self::Database(error)
                if matches!(error.sqlite_error_code(), Some(TooBig | ConstraintViolation)) =>
            {
                Self::TooLarge(error)
            }
            other => other,
        }
    }
}

/// A lock that the system takes back when the process ends, however it ends.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(directory) = directory {
        std::fs::create_dir_all(directory).map_err(|reason| StoreError::File {
            action: "create the directory of",
            path: path.to_owned(),
            reason,
        })?;
    }
    let mut name = OsString::from(path);
    name.push(".lock");
    let place = PathBuf::from(name);
    let failed =
        |reason| StoreError::File { action: "lock the backlog by", path: place.clone(), reason };
    let file = File::options().create(true).truncate(false).write(true).open(&place);
    let file = file.map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(TryLockError::Error(reason)) => Err(failed(reason)),
    }
}

/// A connection that writes; its schema is up to date.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An event is acknowledged after its transaction, and may be gone from its stream one day.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    migrate(&mut connection, path)?;
    Ok(connection)
}

/// A connection that only reads, beside the writer.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// `value` as it lies in a column of text.
pub(super) fn json(value: &impl Serialize) -> String {
    // Structs and maps with text keys always encode.
    serde_json::to_string(value).unwrap_or_default()
}

/// A value that lies in a column of text.
pub(super) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_str(text)?)
}
