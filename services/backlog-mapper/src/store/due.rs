//! What is to be derived again though nothing arrived: another index, other terms, and time.

use std::{collections::BTreeSet, sync::PoisonError};

use advisories::Index;
use events::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::{
    Moved, Store, StoreError,
    columns::{Hash, Time},
    derive::Deriver,
    read,
};
use crate::{slot::Slot, vex::Terms};

impl Store {
    /// Whether something that was derived does not hold any more at `now`, though nothing arrived.
    pub fn is_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(!are_terms(&connection, self.terms)? || !ended(&connection, now)?.is_empty())
    }

    /// Derives what is due at `now`; returns how many entries that opened, and how many it closed.
    ///
    /// # Errors
    /// As of [`Self::record`].
    pub fn pass_time(
        &self,
        index: Option<&Index>,
        now: Timestamp,
    ) -> Result<(usize, usize), StoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        let mut moved = Moved::default();
        let mut deriver = self.deriver(&transaction, index, now);
        let slots = deriver.outdated()?;
        deriver.hear(&slots)?;
        for slot in &slots {
            let (before, after) = deriver.derive(slot, now)?;
            moved.compare(&before, &after);
        }
        drop(deriver);
        transaction.commit()?;
        Ok((moved.opened.len(), moved.closed.len()))
    }
}

impl Deriver<'_> {
    /// Slots that were derived by another index than that of now, or by none, by other terms, or
    /// with statements that have ended since.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`] without an index once there was one.
    pub(super) fn outdated(&self) -> Result<BTreeSet<Slot>, StoreError> {
        let mut slots = ended(self.transaction, self.moment.now)?;
        if !are_terms(self.transaction, self.moment.terms)? {
            self.transaction.execute("DELETE FROM terms", [])?;
            let sql = "INSERT INTO terms (text) VALUES ($1)";
            self.transaction.execute(sql, params![self.moment.terms.to_string()])?;
            slots.extend(read::slots(self.transaction)?);
        }
        let known = read::derived_by(self.transaction)?;
        let now = match (self.index(), known) {
            (None, None) => return Ok(slots),
            (None, Some(known)) => return Err(StoreError::NoIndex(known)),
            (Some(now), _) => now,
        };
        if known != Some(now) {
            self.transaction.execute("DELETE FROM derived_by", [])?;
            let sql = "INSERT INTO derived_by (advisories) VALUES ($1)";
            self.transaction.execute(sql, params![Hash(now)])?;
            match known {
                Some(known) => self.mark_what_changed(known)?,
                None => self.mark_everything()?,
            }
        }
        slots.extend(read::stale(self.transaction)?);
        Ok(slots)
    }

    /// Everything that has a package of which the index says something else than the one of digest `before`.
    fn mark_what_changed(&self, before: Digest) -> Result<(), StoreError> {
        let older = self.advisories.map(|it| Index::of_digest(it, before));
        // An index that cannot be read any more cannot be compared.
        let older = older.and_then(|it| it.ok().flatten());
        let (Some(index), Some(older)) = (self.advisory_index(), older) else {
            return self.mark_everything();
        };
        let sql = "UPDATE inventory SET stale = 1 WHERE id IN (SELECT inventory FROM package_in WHERE package = $1)";
        let mut mark = self.transaction.prepare_cached(sql)?;
        for package in index.changed_since(&older) {
            mark.execute(params![package.as_bytes()])?;
        }
        Ok(())
    }

    fn mark_everything(&self) -> Result<(), StoreError> {
        self.transaction.execute("UPDATE inventory SET stale = 1", [])?;
        Ok(())
    }

    /// Notes when time alone changes where `slot` stands next.
    pub(super) fn write_end(&self, slot: &Slot, end: Option<Timestamp>) -> Result<(), StoreError> {
        let slot = Hash(slot.id());
        self.transaction
            .prepare_cached("DELETE FROM ending WHERE slot = $1")?
            .execute(params![slot])?;
        let Some(end) = end else { return Ok(()) };
        self.transaction
            .prepare_cached("INSERT INTO ending (slot, time) VALUES ($1, $2)")?
            .execute(params![slot, Time(end)])?;
        Ok(())
    }
}

/// Slots with statements that have ended since they were derived.
fn ended(connection: &Connection, now: Timestamp) -> Result<BTreeSet<Slot>, StoreError> {
    let sql = "SELECT s.kind, s.scope, s.product FROM ending e JOIN slot s ON s.id = e.slot WHERE e.time <= $1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![Time(now)], read::slot)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether everything was derived by `terms`.
fn are_terms(connection: &Connection, terms: Terms) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM terms WHERE text = $1")?;
    Ok(statement.exists(params![terms.to_string()])?)
}
