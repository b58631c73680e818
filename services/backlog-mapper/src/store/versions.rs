//! What the registers said at some time.

use std::{
    collections::{BTreeMap, HashMap},
    sync::PoisonError,
};

use events::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Reader, Store, StoreError,
    columns::{Hash, Time},
    open::{json, parse},
};
use crate::{
    register::{EntryRow, Register},
    risk::RiskRow,
    sla,
};

const ENTRY: &str = "entry";
const RISK: &str = "risk";
/// What says something else after each build or each day, though nothing happened: an auditor asks what was to
/// be done, by whom and until when, and what came of it.
const PASSING: [&str; 3] = ["evidence", "priority", "surface"];

/// What a row says, and how it is told from what it said before.
struct Said {
    digest: Digest,
    body: String,
}

impl Store {
    /// Notes what `register` says at `now`, where that is something else than before.
    pub fn remember(&self, register: &Register, now: Timestamp) -> Result<(), StoreError> {
        let entries = register.entries.iter().map(|it| (it.id.as_str(), said(it)));
        let risks = register.risks.iter().map(|it| (it.id.as_str(), said(it)));
        let rows = [(ENTRY, entries.collect::<BTreeMap<_, _>>()), (RISK, risks.collect())];
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        for (kind, rows) in rows {
            remember(&transaction, kind, &rows, now)?;
        }
        Ok(transaction.commit()?)
    }
}

impl Reader {
    /// Both registers as they were at `time`; none if nothing was noted by then.
    pub fn register_as_of(&self, time: Timestamp) -> Result<Option<Register>, StoreError> {
        let snapshot = self.connection.unchecked_transaction()?;
        let sql = "SELECT MAX(known) FROM version WHERE known <= $1";
        let newest: Option<Time> =
            snapshot.query_row(sql, params![Time(time)], |row| row.get(0))?;
        let Some(newest) = newest else { return Ok(None) };
        let mut entries: Vec<EntryRow> = as_of(&snapshot, ENTRY, time)?;
        entries.sort_by_cached_key(EntryRow::order);
        let mut risks: Vec<RiskRow> = as_of(&snapshot, RISK, time)?;
        RiskRow::sort(&mut risks);
        let last_updated = Some(sla::date(newest.0));
        Ok(Some(Register { last_updated, advisories: None, entries, risks, turns: None }))
    }
}

fn said(row: &impl Serialize) -> Said {
    let mut lasting = serde_json::to_value(row).unwrap_or_default();
    if let Some(fields) = lasting.as_object_mut() {
        fields.retain(|field, _| !PASSING.contains(&field.as_str()));
        let vulnerabilities = fields.get_mut("vulnerabilities").and_then(|it| it.as_array_mut());
        for vulnerability in vulnerabilities.into_iter().flatten() {
            vulnerability.as_object_mut().map(|it| it.remove("epss"));
        }
    }
    Said { digest: Digest::of(json(&lasting).as_bytes()), body: json(row) }
}

/// What something says that is not there any more.
fn nothing() -> Digest {
    Digest::of(b"")
}

fn remember(
    transaction: &Transaction<'_>,
    kind: &str,
    rows: &BTreeMap<&str, Said>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "SELECT id, said, MAX(known) FROM version WHERE kind = $1 GROUP BY id";
    let mut statement = transaction.prepare_cached(sql)?;
    let known = statement
        .query_map(params![kind], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Hash>(1)?.0)))?;
    let known: HashMap<String, Digest> = known.collect::<Result<_, _>>()?;
    // A clock that was set back overwrites what it said at that time.
    let mut insert = transaction.prepare_cached(
        "INSERT INTO version (kind, id, known, said, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (kind, id, known) DO UPDATE SET said = excluded.said, body = excluded.body",
    )?;
    for (id, Said { digest, body }) in rows {
        if known.get(*id) != Some(digest) {
            insert.execute(params![kind, id, Time(now), Hash(*digest), body])?;
        }
    }
    for (id, _) in known.iter().filter(|(_, said)| **said != nothing()) {
        if !rows.contains_key(id.as_str()) {
            insert.execute(params![kind, id, Time(now), Hash(nothing()), None::<String>])?;
        }
    }
    Ok(())
}

fn as_of<T: DeserializeOwned>(
    connection: &Connection,
    kind: &str,
    time: Timestamp,
) -> Result<Vec<T>, StoreError> {
    let sql = "SELECT body, MAX(known) FROM version WHERE kind = $1 AND known <= $2 GROUP BY id";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement
        .query_map(params![kind, Time(time)], |row| row.get::<_, Option<String>>(0))?
        .collect::<Result<Vec<_>, _>>()?;
    rows.into_iter().flatten().map(|it| parse(&it)).collect()
}
