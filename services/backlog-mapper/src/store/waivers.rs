//! What the gate has said of waivers.

use std::{collections::BTreeMap, sync::PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::{
    Store, StoreError,
    columns::{Hash, Time},
    open::{json, parse},
};
use crate::waivers::Waiver;

/// A waiver that so many answers in a row do not name was revoked: a gate may answer that has not read it yet.
const ENOUGH_MISSED: i64 = 3;

/// A waiver as it is kept.
struct Kept {
    waiver: Waiver,
    missed: i64,
    gone: Option<Timestamp>,
}

impl Store {
    /// Takes in the waivers that the gate named at `now`; whether something follows from it, which
    /// [`Self::pass_time`] derives.
    pub fn hear_waivers(&self, named: &[Waiver], now: Timestamp) -> Result<bool, StoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let known = kept(&transaction)?;
        let mut changed = Vec::new();
        for waiver in named {
            let before = known.get(&waiver.id.to_string());
            if before.is_none_or(|it| it.waiver != *waiver || it.gone.is_some()) {
                changed.push(waiver);
            }
            if before.is_none_or(|it| it.waiver != *waiver || it.missed > 0) {
                write(&transaction, waiver)?;
            }
        }
        for (id, it) in known.iter().filter(|(_, it)| it.gone.is_none()) {
            if named.iter().any(|waiver| waiver.id.to_string() == *id) || it.waiver.until <= now {
                continue;
            }
            let missed = it.missed + 1;
            let gone = (missed >= ENOUGH_MISSED).then_some(Time(now));
            let sql = "UPDATE waiver SET missed = $1, gone = $2 WHERE id = $3";
            transaction.execute(sql, params![missed, gone, Hash(it.waiver.id)])?;
            changed.extend(gone.map(|_| &it.waiver));
        }
        for waiver in &changed {
            make_due(&transaction, waiver, now)?;
        }
        let is_changed = !changed.is_empty();
        transaction.commit()?;
        Ok(is_changed)
    }
}

/// Every waiver that was ever named; one that was revoked ends when that was seen.
pub(super) fn all(connection: &Connection) -> Result<Vec<Waiver>, StoreError> {
    let kept = kept(connection)?.into_values().map(|Kept { waiver, gone, .. }| Waiver {
        until: gone.map_or(waiver.until, |gone| waiver.until.min(gone)),
        ..waiver
    });
    // One that was revoked before it began never counted.
    Ok(kept.filter(|it| it.from < it.until).collect())
}

fn kept(connection: &Connection) -> Result<BTreeMap<String, Kept>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT body, missed, gone FROM waiver")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, Option<Time>>(2)?))
    })?;
    let mut kept = BTreeMap::new();
    for row in rows {
        let (body, missed, gone) = row?;
        let waiver: Waiver = parse(&body)?;
        let gone = gone.map(|it| it.0);
        kept.insert(waiver.id.to_string(), Kept { waiver, missed, gone });
    }
    Ok(kept)
}

fn write(transaction: &Transaction<'_>, waiver: &Waiver) -> Result<(), StoreError> {
    let sql = "INSERT INTO waiver (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body, missed = 0, gone = NULL";
    transaction.execute(sql, params![Hash(waiver.id), json(waiver)])?;
    Ok(())
}

/// What the waiver may be about is to be derived again.
fn make_due(
    transaction: &Transaction<'_>,
    waiver: &Waiver,
    now: Timestamp,
) -> Result<(), StoreError> {
    let scope = waiver.project.as_ref().map(events::Scope::as_str);
    let sql = "INSERT INTO ending (slot, time) SELECT id, $1 FROM slot WHERE kind = 'project' AND ($2 IS NULL OR scope = $2) ON CONFLICT (slot) DO UPDATE SET time = MIN(time, excluded.time)";
    transaction.execute(sql, params![Time(now), scope])?;
    Ok(())
}
