//! How builds were judged.

use events::{Producer, Verdict, VerdictResult};
use rusqlite::params;
use uuid::Uuid;

use super::{Projector, Tally, stage_event::Origin};
use crate::columns::{Hash, Id};

impl Projector<'_> {
    /// Notes the gate's verdict; `signed` is the one that answers CI.
    pub(super) fn verdict(
        &mut self,
        origin: Origin,
        verdict: Option<&Verdict>,
        signed: bool,
    ) -> rusqlite::Result<()> {
        let Some(verdict) = verdict else { return Ok(()) };
        if origin.producer != Some(Producer::PolicyGate) {
            return Ok(());
        }
        let sql = "INSERT INTO verdict
            (correlation, signed, result, policy, report, event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (correlation, signed) DO NOTHING";
        let new = self.connection.prepare_cached(sql)?.execute(params![
            origin.correlation,
            i64::from(signed),
            result_name(verdict.result),
            Hash(verdict.policy),
            Hash(verdict.report),
            origin.event_time,
            origin.known_at
        ])?;
        if new == 0 || !signed {
            return Ok(());
        }
        match verdict.result {
            VerdictResult::Passed => self.count(Tally::Passed, 1),
            VerdictResult::Failed => self.count(Tally::Failed, 1),
        }
        self.newest_release(origin.correlation.0)
    }

    /// Notes this build as its project's newest release, if it is. Asked by build and verdict,
    /// whichever is read last.
    pub(super) fn newest_release(&mut self, correlation: Uuid) -> rusqlite::Result<()> {
        let sql = "INSERT INTO newest_release (project, correlation, event_time, known_at)
            SELECT build.project, verdict.correlation, verdict.event_time, verdict.known_at
            FROM verdict JOIN build ON build.correlation = verdict.correlation
            WHERE verdict.correlation = $1 AND verdict.signed = 1 AND verdict.result = 'PASSED'
            AND build.kind = 'release'
            ON CONFLICT (project) DO UPDATE
            SET correlation = excluded.correlation, event_time = excluded.event_time,
            known_at = excluded.known_at
            WHERE excluded.event_time > newest_release.event_time
            OR (excluded.event_time = newest_release.event_time
            AND excluded.correlation > newest_release.correlation)";
        self.connection.prepare_cached(sql)?.execute(params![Id(correlation)])?;
        Ok(())
    }
}

fn result_name(result: VerdictResult) -> &'static str {
    match result {
        VerdictResult::Passed => "PASSED",
        VerdictResult::Failed => "FAILED",
    }
}
