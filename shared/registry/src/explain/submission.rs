//! The story of a document that was submitted, and that of an advisory index, from their rows.

use events::{DecisionResult, Digest, Sender, SubmissionId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::{AsOf, evidence, trail::Trail};
use crate::{
    columns::{Hash, Id, Number, Time},
    project::sender_name,
    story::{
        Decision, MAX_BUILDS, Parsed, State, Submission, SubmittedDocument, SupplierDocument,
        Update,
    },
};

/// Reads the story of the submission `correlation`.
pub(super) fn read(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Submission> {
    let mut trail = Trail::read(connection, correlation, as_of)?;
    let more = &mut trail.more;
    let (statements, _) = evidence::statements(connection, correlation, as_of, more)?;
    let decision = decision(connection, correlation, as_of)?;
    let answer = decision.as_ref().filter(|it| it.signed_at.is_some());
    let state = match answer.map(|it| it.result) {
        Some(DecisionResult::Accepted) => State::Accepted,
        Some(DecisionResult::Rejected) => State::Rejected,
        None => trail.state,
    };
    Ok(Submission {
        correlation,
        submitted: submitted(connection, correlation, as_of)?,
        state,
        decision,
        registered_by: registered_by(connection, correlation, as_of)?,
        documents: evidence::documents(connection, correlation, as_of, more)?,
        mapped: trail.mapped,
        events: trail.events,
        statements,
        attempts: trail.attempts,
        quarantine: trail.quarantine,
        more: trail.more,
    })
}

/// Reads the story of the advisory index `correlation`.
pub(super) fn update(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Update> {
    let trail = Trail::read(connection, correlation, as_of)?;
    let sql = "SELECT digest, records FROM advisory_index
        WHERE correlation = $1 AND known_at <= $2";
    let mut statement = connection.prepare_cached(sql)?;
    let index = statement.query_row(params![Id(correlation), as_of.limit()], |row| {
        Ok((row.get::<_, Hash>(0)?.0, row.get::<_, Number>(1)?.0))
    });
    let (index, records) = index.optional()?.unzip();
    Ok(Update {
        correlation,
        index,
        records,
        state: if trail.mapped.is_some() { State::Mapped } else { trail.state },
        mapped: trail.mapped,
        events: trail.events,
        attempts: trail.attempts,
        quarantine: trail.quarantine,
        more: trail.more,
    })
}

/// The newest submissions that their senders call `name`.
pub(super) fn named(
    connection: &Connection,
    name: &str,
    as_of: AsOf,
) -> rusqlite::Result<Vec<Uuid>> {
    let sql = "SELECT correlation FROM submission WHERE submission = $1 AND known_at <= $2
        ORDER BY event_time DESC, correlation LIMIT $3";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = Number(MAX_BUILDS as u64);
    let found = statement
        .query_map(params![name, as_of.limit(), limit], |row| Ok(row.get::<_, Id>(0)?.0))?;
    found.collect()
}

/// The submission that `sender` calls `name`.
pub(crate) fn of_sender(
    connection: &Connection,
    sender: &Sender,
    name: &SubmissionId,
) -> rusqlite::Result<Option<Submission>> {
    let sql = "SELECT correlation FROM submission
        WHERE submission = $1 AND sender = $2 AND scope = $3";
    let mut statement = connection.prepare_cached(sql)?;
    let scope = sender.scope();
    let names = params![name.as_str(), sender_name(sender), scope.as_str()];
    let found = statement.query_row(names, |row| Ok(row.get::<_, Id>(0)?.0)).optional()?;
    found.map(|correlation| read(connection, correlation, AsOf(None))).transpose()
}

/// The registry of suppliers' documents, or what it has of one sender.
pub(crate) fn supplier_documents(
    connection: &Connection,
    sender: Option<&Sender>,
) -> rusqlite::Result<Vec<SupplierDocument>> {
    let sql = "SELECT sender, scope, digest, kind, submission, correlation, receipt, policy,
        ingested_at, product, format, made_at, signer, grade FROM supplier_document
        WHERE ($1 IS NULL OR sender = $1) AND ($2 IS NULL OR scope = $2)
        ORDER BY sender, scope, ingested_at, digest";
    let mut statement = connection.prepare_cached(sql)?;
    let scope = sender.map(Sender::scope);
    let of = params![sender.map(sender_name), scope.as_ref().map(|it| it.as_str())];
    let documents = statement.query_map(of, |row| {
        Ok(SupplierDocument {
            sender: row.get(0)?,
            scope: row.get(1)?,
            digest: row.get::<_, Hash>(2)?.0,
            kind: row.get(3)?,
            submission: row.get(4)?,
            correlation: row.get::<_, Id>(5)?.0,
            receipt: digest(row, 6)?,
            policy: digest(row, 7)?,
            ingested_at: row.get::<_, Time>(8)?.0,
            parsed: parsed(row, 9)?,
        })
    })?;
    documents.collect()
}

fn submitted(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Option<SubmittedDocument>> {
    let sql = "SELECT sender, scope, submission, name, document, size, bundle, unreadable,
        event_time FROM submission WHERE correlation = $1 AND known_at <= $2";
    let mut statement = connection.prepare_cached(sql)?;
    let submitted = statement.query_row(params![Id(correlation), as_of.limit()], |row| {
        Ok(SubmittedDocument {
            sender: row.get(0)?,
            scope: row.get(1)?,
            submission: row.get(2)?,
            name: row.get(3)?,
            document: digest(row, 4)?,
            size: row.get::<_, Option<Number>>(5)?.map(|it| it.0),
            bundle: digest(row, 6)?,
            unreadable: row.get(7)?,
            submitted_at: row.get::<_, Time>(8)?.0,
        })
    });
    submitted.optional()
}

/// What was signed counts.
fn decision(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Option<Decision>> {
    let sql = "SELECT result, kind, rule, policy, ingested_at, receipt, event_time, signed,
        product, format, made_at, signer, grade FROM decision WHERE correlation = $1 AND known_at <= $2 ORDER BY signed DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let decision = statement.query_row(params![Id(correlation), as_of.limit()], |row| {
        let result: String = row.get(0)?;
        let time = row.get::<_, Time>(6)?.0;
        Ok(Decision {
            result: match result.as_str() {
                "accepted" => DecisionResult::Accepted,
                _ => DecisionResult::Rejected,
            },
            kind: row.get(1)?,
            rule: row.get(2)?,
            policy: digest(row, 3)?,
            ingested_at: row.get::<_, Time>(4)?.0,
            signed_at: row.get::<_, bool>(7)?.then_some(time),
            receipt: digest(row, 5)?,
            parsed: parsed(row, 8)?,
        })
    });
    decision.optional()
}

/// From the decisions, because the registry's own row does not say what it said before.
fn registered_by(
    connection: &Connection,
    correlation: Uuid,
    as_of: AsOf,
) -> rusqlite::Result<Option<Uuid>> {
    let sql = "SELECT first.correlation FROM decision AS own JOIN decision AS first
        ON first.document = own.document AND first.sender = own.sender AND first.scope = own.scope
        WHERE own.correlation = $1 AND own.signed = 1 AND own.known_at <= $2
        AND first.result = 'accepted' AND first.signed = 1 AND first.known_at <= $2
        ORDER BY first.ingested_at, first.correlation LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let id = params![Id(correlation), as_of.limit()];
    statement.query_row(id, |row| Ok(row.get::<_, Id>(0)?.0)).optional()
}

/// Product, format, time, signer and grade, from the column `first` on.
pub(crate) fn parsed(row: &Row<'_>, first: usize) -> rusqlite::Result<Parsed> {
    Ok(Parsed {
        product: row.get(first)?,
        format: row.get(first + 1)?,
        made_at: row.get::<_, Option<Time>>(first + 2)?.map(|it| it.0),
        signer: row.get(first + 3)?,
        grade: row.get(first + 4)?,
    })
}

fn digest(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Digest>> {
    Ok(row.get::<_, Option<Hash>>(index)?.map(|it| it.0))
}
