//! The registers of one moment, from the store.

use std::collections::{BTreeSet, HashMap};

use advisories::Index;
use events::{Digest, Scope};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Reader, StoreError,
    columns::{Hash, Number, Time},
    open::parse,
    read, relations, strangers,
};
use crate::{
    config::Config,
    entry::{Action, Entry},
    register::{EntryRow, Register, View},
    relation::Relation,
    risk::{Product, RiskRow},
    sla,
    slot::{Slot, SlotKind},
    store::TicketRow,
};

impl Reader {
    /// Backlog and risk register as of `now`, by the operator's choices and what `index` knows of exploitation.
    /// That may be newer than the one by which entries were found.
    pub fn register(
        &self,
        config: &Config,
        index: Option<&Index>,
        now: Timestamp,
    ) -> Result<Register, StoreError> {
        let view = View { config, index };
        let snapshot = self.connection.unchecked_transaction()?;
        let (mut entries, mut risks) = (Vec::new(), Vec::new());
        let mut artifacts = Artifacts::default();
        let mut newest = newest_arrival(&snapshot)?;
        let advisories = read::derived_by(&snapshot)?;
        let at_work = at_work(&self.tickets()?);
        for slot in read::slots(&snapshot)? {
            let known = read::entries(&snapshot, &slot)?;
            newest = newest.max(known.values().filter_map(last_change).max());
            let mut rows: Vec<EntryRow> = known
                .into_iter()
                .map(|(id, entry)| {
                    artifacts.add(&slot, &entry);
                    EntryRow::of(id, &slot, &entry, 0, &view)
                })
                .map(|row| row.known_by(advisories).at_work(&at_work))
                .collect();
            rows.sort_by_cached_key(EntryRow::order);
            risks.extend(risk(&snapshot, &slot, &rows, config)?);
            entries.extend(rows);
        }
        entries.iter_mut().for_each(|row| row.artifacts = artifacts.of(row));
        // Slots of one scope share a section.
        entries.sort_by_cached_key(EntryRow::order);
        let relations = relations::all(&snapshot)?;
        newest = newest.max(relations.iter().filter_map(|it| it.last_refused).max());
        let turns = rely(&relations, &entries, config, now, &mut risks);
        config.risks.apply(&mut risks, &config.routing.default);
        RiskRow::sort(&mut risks);
        let last_updated = newest.map(sla::date);
        Ok(Register { last_updated, advisories, entries, risks, turns })
    }

    /// One backlog entry, with what suppliers say of it who have no say; none if nobody has that id.
    pub fn entry(
        &self,
        id: &str,
        config: &Config,
        index: Option<&Index>,
    ) -> Result<Option<EntryRow>, StoreError> {
        let sql = "SELECT s.kind, s.scope, s.product, e.id, e.body FROM entry e JOIN slot s ON s.id = e.slot WHERE e.id = $1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row(params![as_kept(id)], |row| {
            Ok((read::slot(row)?, row.get::<_, String>(3)?, row.get::<_, String>(4)?))
        });
        let Some((slot, id, body)) = row.optional()? else { return Ok(None) };
        let entry: Entry = parse(&body)?;
        let strangers = strangers::heard(&self.connection, &slot, &entry)?;
        let advisories = read::derived_by(&self.connection)?;
        let artifacts = artifacts(&self.connection, &slot, &entry.action)?;
        let mut row = EntryRow::of(id, &slot, &entry, artifacts, &View { config, index });
        row = row.known_by(advisories);
        row.heard.extend(strangers);
        row.tickets = self.tickets_of(&row.id)?;
        let at_work = at_work(&row.tickets);
        Ok(Some(row.at_work(&at_work)))
    }
}

/// Numbers of products with an open entry about the same package in a lockfile of the same path.
#[derive(Default)]
pub(super) struct Artifacts(HashMap<(SlotKind, Scope, Action), u64>);

impl Artifacts {
    pub(super) fn add(&mut self, slot: &Slot, entry: &Entry) {
        if entry.status.is_open() {
            let key = (slot.kind, slot.scope.clone(), entry.action.clone());
            *self.0.entry(key).or_default() += 1;
        }
    }

    pub(super) fn of(&self, row: &EntryRow) -> u64 {
        let EntryRow { ecosystem, package, lock, .. } = row;
        let (package, lock) = (package.clone(), lock.clone());
        let action = Action { ecosystem: *ecosystem, package, lock };
        self.0.get(&(row.kind, row.scope.clone(), action)).copied().unwrap_or_default()
    }
}

/// As [`Artifacts`], of one entry.
fn artifacts(connection: &Connection, slot: &Slot, action: &Action) -> Result<u64, StoreError> {
    let Action { ecosystem, package, lock } = action;
    let sql = "SELECT e.body FROM slot s JOIN entry e ON e.slot = s.id WHERE s.kind = $1 AND s.scope = $2 AND e.lock = $3 AND e.ecosystem = $4 AND e.package = $5";
    let mut statement = connection.prepare_cached(sql)?;
    let (kind, scope) = (slot.kind.as_str(), slot.scope.as_str());
    let lock = lock.as_deref().unwrap_or_default();
    let rows = statement
        .query_map(params![kind, scope, lock, ecosystem.osv_name(), package], |row| {
            row.get::<_, String>(0)
        })?;
    let mut open = 0;
    for row in rows {
        open += u64::from(parse::<Entry>(&row?)?.status.is_open());
    }
    Ok(open)
}

/// The entries whose tickets somebody is at.
fn at_work(tickets: &[TicketRow]) -> BTreeSet<String> {
    let at_work = tickets.iter().filter(|it| it.in_progress && it.open != Some(false));
    at_work.map(|it| it.entry.clone()).collect()
}

/// An id as it is kept, however it was typed: its scope in capitals, its digits in small letters.
fn as_kept(id: &str) -> String {
    match id.rsplit_once('-') {
        Some((scope, digits)) => {
            format!("{}-{}", scope.to_ascii_uppercase(), digits.to_ascii_lowercase())
        }
        None => id.to_owned(),
    }
}

fn last_change(entry: &Entry) -> Option<Timestamp> {
    entry.last_change().map(|change| change.time)
}

/// When the newest document was ingested.
fn newest_arrival(connection: &Connection) -> Result<Option<Timestamp>, StoreError> {
    let sql = "SELECT MAX(time) FROM (SELECT time FROM observation UNION ALL SELECT time FROM vex)";
    let newest = connection.query_row(sql, [], |row| row.get::<_, Option<Time>>(0))?;
    Ok(newest.map(|it| it.0))
}

fn risk(
    connection: &Connection,
    slot: &Slot,
    entries: &[EntryRow],
    config: &Config,
) -> Result<Option<RiskRow>, StoreError> {
    let sql = "SELECT r.id, s.current, i.components FROM risk r JOIN slot s ON s.id = r.slot JOIN document d ON d.digest = s.current JOIN inventory i ON i.id = d.inventory WHERE r.slot = $1";
    let mut statement = connection.prepare_cached(sql)?;
    let row = statement.query_row(params![Hash(slot.id())], |row| {
        let document: Hash = row.get(1)?;
        Ok((row.get::<_, String>(0)?, document.0, row.get::<_, Number>(2)?.0))
    });
    let Some((id, document, components)): Option<(String, Digest, u64)> = row.optional()? else {
        return Ok(None);
    };
    Ok(RiskRow::of(Product { id, slot, components, document, entries }, config))
}

/// Adds the risks of relying on suppliers at `now`; returns when time alone changes one of them next.
fn rely(
    relations: &[Relation],
    entries: &[EntryRow],
    config: &Config,
    now: Timestamp,
    risks: &mut Vec<RiskRow>,
) -> Option<Timestamp> {
    let mut asked: HashMap<&Scope, Vec<&EntryRow>> = HashMap::new();
    for row in entries.iter().filter(|it| it.kind == SlotKind::Supplier) {
        asked.entry(&row.scope).or_default().push(row);
    }
    let mut turns = None;
    for relation in relations {
        let entries = asked.get(&relation.supplier).map(Vec::as_slice).unwrap_or_default();
        risks.extend(relation.risk(entries, config, now));
        turns = [turns, relation.turns(entries, config, now)].into_iter().flatten().min();
    }
    turns
}

/// Everything that is derived, as text in a fixed order: what two stores are compared by.
#[cfg(test)]
pub(super) fn dump(reader: &Reader, config: &Config) -> Result<String, StoreError> {
    let register = reader.register(config, None, crate::testing::now())?;
    let mut findings = std::collections::BTreeMap::new();
    for slot in read::slots(&reader.connection)? {
        let of = format!("{} {} {}", slot.kind, slot.scope, slot.product);
        findings.insert(of, read::findings(&reader.connection, &slot)?);
    }
    Ok(serde_json::to_string_pretty(&(register, findings))?)
}
