//! The schema, one step per release that changed it.

use std::{collections::BTreeSet, path::Path};

use advisories::Package;
use events::Sender;
use rusqlite::{Connection, Transaction, params};

use super::{StoreError, columns::Hash, open::parse, relations};
use crate::inventory::{canonical, short_name};

/// One step: the schema's, then what SQL cannot do.
type Step = (&'static str, fn(&Transaction<'_>) -> Result<(), StoreError>);

/// Every step there ever was, in order; a step that was released never changes.
const STEPS: [Step; 7] = [
    (include_str!("../../schema/0001.sql"), |_| Ok(())),
    (include_str!("../../schema/0002.sql"), |_| Ok(())),
    (include_str!("../../schema/0003.sql"), repair_components),
    (include_str!("../../schema/0004.sql"), index_packages),
    (include_str!("../../schema/0005.sql"), |_| Ok(())),
    (include_str!("../../schema/0006.sql"), |_| Ok(())),
    (include_str!("../../schema/0007.sql"), meet_suppliers),
];
/// The version that this release reads and writes.
pub(super) const KNOWN: i64 = STEPS.len() as i64;
/// Components that are brought into another form at once.
const PAGE: i64 = 10_000;

/// Brings the database up to date, each step in one transaction.
pub(super) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    connection
        .execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)", [])?;
    let sql = "SELECT COALESCE(MAX(version), 0) FROM schema_version";
    let found: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    if found > KNOWN {
        return Err(StoreError::Newer { path: path.to_owned(), found });
    }
    for (version, (sql, then)) in (1..).zip(STEPS).skip_while(|(version, _)| *version <= found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        then(&transaction)?;
        transaction
            .execute("INSERT INTO schema_version (version) VALUES ($1)", params![version])?;
        transaction.commit()?;
    }
    Ok(())
}

/// Gives suppliers of which something was accepted the id of the risk of relying on them.
fn meet_suppliers(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let mut scopes = transaction.prepare("SELECT scope FROM slot WHERE kind = 'supplier'")?;
    let scopes = scopes.query_map([], |row| row.get::<_, String>(0))?;
    let mut names = scopes.collect::<Result<BTreeSet<_>, _>>()?;
    let mut senders = transaction.prepare("SELECT DISTINCT sender FROM vex")?;
    for sender in senders.query_map([], |row| row.get::<_, String>(0))? {
        if let Sender::Supplier(supplier) = parse(&sender?)? {
            names.insert(supplier.as_str().to_owned());
        }
    }
    names.iter().try_for_each(|it| relations::meet(transaction, it))
}

/// Notes which inventories have which packages.
fn index_packages(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let mut page = transaction.prepare(
        "SELECT rowid, inventory, purl FROM component WHERE rowid > $1 ORDER BY rowid LIMIT $2",
    )?;
    let mut insert = transaction.prepare(
        "INSERT INTO package_in (package, inventory) VALUES ($1, $2) ON CONFLICT DO NOTHING",
    )?;
    let mut last = i64::MIN;
    loop {
        let rows = page.query_map(params![last, PAGE], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Hash>(1)?, row.get::<_, Option<String>>(2)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let Some((end, ..)) = rows.last() else { return Ok(()) };
        last = *end;
        for (_, inventory, purl) in rows {
            let package = purl.and_then(|it| Package::from_purl(&it).ok());
            if let Some(package) = package {
                insert.execute(params![package.key().as_bytes(), inventory])?;
            }
        }
    }
}

/// Gives components from before their canonical purl and short name. Their CPE is in the document only.
fn repair_components(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let mut page = transaction.prepare(
        "SELECT rowid, name, purl FROM component WHERE rowid > $1 ORDER BY rowid LIMIT $2",
    )?;
    let mut update = transaction.prepare(
        "UPDATE component SET purl = $1, written = $2, short_name = $3 WHERE rowid = $4",
    )?;
    let mut last = i64::MIN;
    loop {
        let rows = page.query_map(params![last, PAGE], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let Some((end, ..)) = rows.last() else { return Ok(()) };
        last = *end;
        for (row, name, purl) in rows {
            let (purl, written) = purl.map(canonical).unzip();
            update.execute(params![purl, written.flatten(), short_name(&name), row])?;
        }
    }
}
