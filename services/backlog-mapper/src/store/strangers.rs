//! What suppliers say about products that are not their own: it never counts, and is shown.

use std::collections::BTreeSet;

use documents::vex::Court;
use events::{Digest, Sender};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{StoreError, columns::Hash, open::parse, read};
use crate::{
    entry::Entry,
    finding::{Heard, rule},
    register::HeardRow,
    slot::Slot,
    vex::{Terms, VexDocument},
};

/// Most documents that are asked about one entry, the newest.
const DOCUMENTS_MAX: usize = 20;
/// Most bytes of statements in a document that is asked: somebody waits for the answer.
const STATEMENTS_BYTES_MAX: i64 = 4 << 20;
/// Most statements that are told.
const TOLD_MAX: usize = 50;
/// Longest id that is looked up, in bytes.
const ID_BYTES_MAX: usize = 128;

/// Notes which vulnerabilities a document is about.
pub(super) fn note(
    transaction: &Transaction<'_>,
    document: &VexDocument,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO about (vulnerability, document) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    let mut insert = transaction.prepare_cached(sql)?;
    let ids = document.statements.iter().flat_map(|it| it.0.ids());
    for id in ids.filter(|id| id.len() <= ID_BYTES_MAX) {
        insert.execute(params![id.to_ascii_lowercase(), Hash(document.digest)])?;
    }
    Ok(())
}

/// What suppliers without a say about `slot` say of an entry's findings.
pub(super) fn heard(
    connection: &Connection,
    slot: &Slot,
    entry: &Entry,
) -> Result<Vec<HeardRow>, StoreError> {
    let (mut court, nothing) = (Court::default(), Court::default());
    for document in documents(connection, entry)? {
        if matches!(document.from, Sender::Supplier(_)) && !document.concerns(slot) {
            document.speak(slot, Terms::default(), &mut court);
        }
    }
    if court.is_empty() {
        return Ok(Vec::new());
    }
    let sql = "SELECT facts FROM document WHERE digest = $1";
    let mut statement = connection.prepare_cached(sql)?;
    let of = params![Hash(entry.evidence.document)];
    let facts = statement.query_row(of, |row| row.get::<_, String>(0)).optional()?;
    let Some(facts) = facts.map(|it| parse(&it)).transpose()? else { return Ok(Vec::new()) };
    let mut rows = Vec::new();
    for finding in &entry.findings {
        let (found, digests) = (&finding.found, [entry.evidence.document]);
        let ruling = rule(found, &facts, &digests, (&court, &nothing), None);
        for opinion in ruling.opinions.iter().take(TOLD_MAX - rows.len()) {
            let id = found.vulnerability.id.clone();
            let component = finding.component().to_owned();
            rows.push(HeardRow { id, component, heard: Heard::of(opinion) });
        }
    }
    Ok(rows)
}

/// The newest documents about an entry's vulnerabilities.
fn documents(connection: &Connection, entry: &Entry) -> Result<Vec<VexDocument>, StoreError> {
    let vulnerabilities = entry.findings.iter().map(|it| &it.found.vulnerability);
    let ids = vulnerabilities.flat_map(|it| std::iter::once(&it.id).chain(&it.aliases));
    let ids: BTreeSet<String> = ids.map(|id| id.to_ascii_lowercase()).collect();
    let sql = "SELECT DISTINCT v.document FROM about a JOIN vex v ON v.document = a.document WHERE a.vulnerability = $1 AND LENGTH(v.statements) <= $2 ORDER BY v.time DESC, v.document LIMIT $3";
    let mut statement = connection.prepare_cached(sql)?;
    let mut digests: BTreeSet<Digest> = BTreeSet::new();
    for id in ids {
        let left = DOCUMENTS_MAX.saturating_sub(digests.len());
        let rows = statement.query_map(params![id, STATEMENTS_BYTES_MAX, left as i64], |row| {
            Ok(row.get::<_, Hash>(0)?.0)
        })?;
        for digest in rows {
            digests.insert(digest?);
        }
    }
    let said: Result<Vec<_>, _> =
        digests.into_iter().map(|it| read::said_in(connection, it)).collect();
    Ok(said?.concat())
}
