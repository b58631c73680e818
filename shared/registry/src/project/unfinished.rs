//! Who still has to handle what.
//!
//! Streams are read one beside the other, so what ends a delivery may be read before the delivery
//! itself: each side looks for the other, and whichever comes second finds it.

use events::{Priority, Record};
use rusqlite::params;
use uuid::Uuid;

use super::Projector;
use crate::{
    columns::{Id, Number, Time},
    stage::Stage,
};

/// A stored message that `stage.worker()` must handle.
pub(super) struct Delivery<'a> {
    pub(super) record: &'a Record,
    pub(super) stage: Stage,
    /// None when it is no event.
    pub(super) event: Option<Uuid>,
    pub(super) priority: Option<Priority>,
    pub(super) scope: &'a str,
    pub(super) correlation: Option<Uuid>,
    pub(super) event_time: Time,
}

impl Projector<'_> {
    /// Notes that `delivery` awaits its worker, unless what ends it is known already.
    pub(super) fn await_handling(&mut self, delivery: &Delivery<'_>) -> rusqlite::Result<()> {
        let Some(worker) = delivery.stage.worker() else { return Ok(()) };
        if let (Some(id), Some(build), Some(next)) =
            (delivery.event, delivery.correlation, delivery.stage.successor())
            && self.has_successor(id, build, next)?
        {
            return Ok(());
        }
        let sql = "INSERT INTO unfinished
            (stream, sequence, worker, event_id, type, producer, priority, scope, correlation,
            event_time, known_at)
            SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
            WHERE NOT EXISTS (SELECT 1 FROM quarantine
            WHERE quarantine.stream = $1 AND quarantine.sequence = $2 AND quarantine.worker = $3)";
        self.connection.prepare_cached(sql)?.execute(params![
            delivery.record.stream,
            Number(delivery.record.sequence),
            worker,
            delivery.event.map(Id),
            delivery.stage.event_type(),
            delivery.stage.producer(),
            delivery.priority.map(Priority::as_str),
            delivery.scope,
            delivery.correlation.map(Id),
            delivery.event_time,
            Time(delivery.record.stored_at)
        ])?;
        Ok(())
    }

    /// Ends every delivery of the event `cause`, which an event of `stage` of the same `build`
    /// followed.
    pub(super) fn handled(
        &mut self,
        cause: Uuid,
        build: Uuid,
        stage: Stage,
    ) -> rusqlite::Result<()> {
        // `producer` is the event's own, which only evidence has.
        let sql = "DELETE FROM unfinished
            WHERE correlation = $1 AND event_id = $2 AND type = $3
            AND COALESCE(producer, '') = $4";
        let mut statement = self.connection.prepare_cached(sql)?;
        for before in stage.predecessors() {
            let producer = before.producer().unwrap_or_default();
            statement.execute(params![Id(build), Id(cause), before.event_type(), producer])?;
        }
        Ok(())
    }

    /// Ends the delivery at this place, which `worker` gave up.
    pub(super) fn given_up(
        &mut self,
        stream: &str,
        sequence: Number,
        worker: &str,
    ) -> rusqlite::Result<()> {
        let sql = "DELETE FROM unfinished WHERE stream = $1 AND sequence = $2 AND worker = $3";
        self.connection.prepare_cached(sql)?.execute(params![stream, sequence, worker])?;
        Ok(())
    }

    /// Few events have the same correlation, for their ids come from it.
    fn has_successor(&self, id: Uuid, build: Uuid, next: Stage) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM event
            WHERE correlation = $1 AND cause = $2 AND type = $3
            AND COALESCE(producer, '') = $4";
        let mut statement = self.connection.prepare_cached(sql)?;
        let producer = next.producer().unwrap_or_default();
        statement.exists(params![Id(build), Id(id), next.event_type(), producer])
    }
}
