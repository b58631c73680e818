//! Ids that people can type.

use events::Digest;
use rusqlite::{OptionalExtension, Transaction, params};

use super::StoreError;

/// Hex digits of a risk's id, unless it is taken.
pub(super) const RISK_DIGITS: usize = 4;

/// The prefix with as many digits of the fingerprint as it takes to be no other id of `table`.
pub(super) fn free(
    transaction: &Transaction<'_>,
    table: &str,
    prefix: &str,
    fingerprint: Digest,
    digits: usize,
) -> Result<String, StoreError> {
    let hex = fingerprint.hex();
    let sql = format!("SELECT 1 FROM {table} WHERE id = $1");
    let mut taken = transaction.prepare_cached(&sql)?;
    for digits in digits..hex.len() {
        let id = format!("{prefix}-{}", &hex[..digits]);
        let row: Option<i64> = taken.query_row(params![id], |row| row.get(0)).optional()?;
        if row.is_none() {
            return Ok(id);
        }
    }
    Ok(format!("{prefix}-{hex}"))
}
