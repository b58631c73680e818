//! Advisories, and what the mapper made of them.

use events::{AdvisoriesUpdated, BacklogMapped, Envelope, Label, Record};
use rusqlite::params;

use super::{Projector, stage_event::Origin};
use crate::{
    columns::{Hash, Number},
    stage::Stage,
};

impl Projector<'_> {
    pub(super) fn advisories_updated(
        &mut self,
        record: &Record,
        event: &Envelope<AdvisoriesUpdated>,
    ) -> rusqlite::Result<()> {
        let Some(origin) = self.event(record, Stage::AdvisoriesUpdated, event)? else {
            return Ok(());
        };
        let sql = "INSERT INTO advisory_index
            (correlation, digest, records, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (correlation) DO NOTHING";
        self.connection.prepare_cached(sql)?.execute(params![
            origin.correlation,
            Hash(event.data.index),
            Number(event.data.records),
            origin.event_time,
            origin.known_at
        ])?;
        Ok(())
    }

    pub(super) fn backlog_mapped(
        &mut self,
        record: &Record,
        event: &Envelope<BacklogMapped>,
    ) -> rusqlite::Result<()> {
        let Some(origin) = self.event(record, Stage::BacklogMapped, event)? else {
            return Ok(());
        };
        let mapped = &event.data;
        let sql = "INSERT INTO mapping
            (correlation, document, advisories, findings, suppressed, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (correlation) DO NOTHING";
        let new = self.connection.prepare_cached(sql)?.execute(params![
            origin.correlation,
            mapped.document.map(Hash),
            mapped.advisories.map(Hash),
            Number(mapped.findings),
            Number(mapped.suppressed),
            origin.event_time,
            origin.known_at
        ])?;
        if new == 0 {
            return Ok(());
        }
        self.mapped_entries(origin, "opened", &mapped.opened)?;
        self.mapped_entries(origin, "closed", &mapped.closed)
    }

    fn mapped_entries(
        &mut self,
        origin: Origin,
        change: &str,
        entries: &[Label],
    ) -> rusqlite::Result<()> {
        let sql = "INSERT INTO mapped_entry (correlation, change, entry, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (correlation, change, entry) DO NOTHING";
        let mut statement = self.connection.prepare_cached(sql)?;
        for entry in entries {
            statement.execute(params![
                origin.correlation,
                change,
                entry.as_str(),
                origin.event_time,
                origin.known_at
            ])?;
        }
        Ok(())
    }
}
