//! One build's story, from its rows.

use events::VerdictResult;
use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::{AsOf, evidence, trail::Trail};
use crate::{
    columns::{Hash, Id, Time},
    story::{Build, Source, State, Submitted, Verdict},
};

/// Reads the story of the build `correlation`.
pub(super) fn read(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Build> {
    let mut trail = Trail::read(connection, correlation, as_of)?;
    let more = &mut trail.more;
    let (statements, verdict_bundle) = evidence::statements(connection, correlation, as_of, more)?;
    let mut verdict = verdict(connection, correlation, as_of)?;
    let answer = verdict.as_mut().filter(|it| it.signed_at.is_some());
    let state = match answer {
        Some(verdict) => {
            verdict.bundle = verdict_bundle;
            match verdict.result {
                VerdictResult::Passed => State::Passed,
                VerdictResult::Failed => State::Failed,
            }
        }
        None => trail.state,
    };
    Ok(Build {
        correlation,
        submitted: submitted(connection, correlation, as_of)?,
        state,
        answered_at: verdict.as_ref().and_then(|it| it.signed_at),
        artifacts: evidence::artifacts(connection, correlation, as_of, more)?,
        inputs: evidence::inputs(connection, correlation, as_of, more)?,
        documents: evidence::documents(connection, correlation, as_of, more)?,
        events: trail.events,
        statements,
        verdict,
        mapped: trail.mapped,
        attempts: trail.attempts,
        quarantine: trail.quarantine,
        more: trail.more,
    })
}

fn submitted(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Option<Submitted>> {
    let sql = "SELECT project, kind, run, version, builder, source_repository, source_reference,
        source_commit, event_time FROM build WHERE correlation = $1 AND known_at <= $2";
    let mut statement = connection.prepare_cached(sql)?;
    let submitted = statement.query_row(params![Id(correlation), as_of.limit()], |row| {
        let (reference, commit) = (row.get(6)?, row.get(7)?);
        let repository: Option<String> = row.get(5)?;
        Ok(Submitted {
            project: row.get(0)?,
            kind: row.get(1)?,
            run: row.get(2)?,
            version: row.get(3)?,
            builder: row.get(4)?,
            source: repository.map(|repository| Source { repository, reference, commit }),
            submitted_at: row.get::<_, Time>(8)?.0,
        })
    });
    submitted.optional()
}

fn verdict(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Option<Verdict>> {
    let sql = "SELECT result, policy, report, event_time, signed FROM verdict
        WHERE correlation = $1 AND known_at <= $2 ORDER BY signed";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![Id(correlation), as_of.limit()])?;
    let mut verdict: Option<Verdict> = None;
    while let Some(row) = rows.next()? {
        let result: String = row.get(0)?;
        let time = row.get::<_, Time>(3)?.0;
        let signed_at = row.get::<_, bool>(4)?.then_some(time);
        verdict = Some(Verdict {
            result: match result.as_str() {
                "PASSED" => VerdictResult::Passed,
                _ => VerdictResult::Failed,
            },
            policy: row.get::<_, Hash>(1)?.0,
            report: row.get::<_, Hash>(2)?.0,
            // What was signed counts, since when the gate said it.
            time: verdict.map_or(time, |it| it.time),
            signed_at,
            bundle: None,
        });
    }
    Ok(verdict)
}
