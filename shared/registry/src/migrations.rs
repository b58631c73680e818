//! The schema, one step per release that changed it.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::RegistryError;

/// Every step there ever was, in order; a step that was released never changes.
const STEPS: [&str; 4] = [
    include_str!("../schema/0001.sql"),
    include_str!("../schema/0002.sql"),
    include_str!("../schema/0003.sql"),
    include_str!("../schema/0004.sql"),
];

/// The version that this release reads and writes.
pub(crate) const KNOWN: i64 = STEPS.len() as i64;

/// Brings the database up to date, each step in one transaction.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), RegistryError> {
    connection
        .execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)", [])?;
    let found = version(connection)?;
    refuse_newer(path, found)?;
    for (version, step) in (1..).zip(STEPS).skip_while(|(version, _)| *version <= found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction
            .execute("INSERT INTO schema_version (version) VALUES ($1)", params![version])?;
        transaction.commit()?;
    }
    Ok(())
}

/// Checks that a reader finds exactly the schema it knows.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<(), RegistryError> {
    // A file that its writer has not finished making has no version yet.
    let found = version(connection).unwrap_or(0);
    refuse_newer(path, found)?;
    if found < KNOWN {
        return Err(RegistryError::Older { path: path.to_owned(), found, known: KNOWN });
    }
    Ok(())
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT COALESCE(MAX(version), 0) FROM schema_version";
    connection.query_row(sql, [], |row| row.get(0))
}

fn refuse_newer(path: &Path, found: i64) -> Result<(), RegistryError> {
    if found > KNOWN {
        return Err(RegistryError::Newer { path: path.to_owned(), found, known: KNOWN });
    }
    Ok(())
}
