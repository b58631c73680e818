//! The registers of one moment, from the store.

use events::Digest;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    Reader, StoreError,
    columns::{Hash, Number, Time},
    open::parse,
    read, strangers,
};
use crate::{
    config::Config,
    entry::Entry,
    register::{EntryRow, Register},
    risk::{Product, RiskRow},
    sla,
    slot::Slot,
};

impl Reader {
    /// Backlog and risk register, by the operator's choices.
    pub fn register(&self, config: &Config) -> Result<Register, StoreError> {
        let snapshot = self.connection.unchecked_transaction()?;
        let (mut entries, mut risks) = (Vec::new(), Vec::new());
        let mut newest = newest_arrival(&snapshot)?;
        let advisories = read::derived_by(&snapshot)?;
        for slot in read::slots(&snapshot)? {
            let known = read::entries(&snapshot, &slot)?;
            newest = newest.max(known.values().filter_map(last_change).max());
            let mut rows: Vec<EntryRow> = known
                .into_iter()
                .map(|(id, entry)| EntryRow::of(id, &slot, &entry, config))
                .map(|row| row.known_by(advisories))
                .collect();
            rows.sort_by_cached_key(EntryRow::order);
            risks.extend(risk(&snapshot, &slot, &rows, config)?);
            entries.extend(rows);
        }
        // Slots of one scope share a section.
        entries.sort_by_cached_key(EntryRow::order);
        config.risks.apply(&mut risks, &config.routing.default);
        RiskRow::sort(&mut risks);
        Ok(Register { last_updated: newest.map(sla::date), advisories, entries, risks })
    }

    /// One backlog entry, with what suppliers say of it who have no say; none if nobody has that id.
    pub fn entry(&self, id: &str, config: &Config) -> Result<Option<EntryRow>, StoreError> {
        let sql = "SELECT s.kind, s.scope, s.product, e.id, e.body FROM entry e JOIN slot s ON s.id = e.slot WHERE e.id = $1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let row = statement.query_row(params![as_kept(id)], |row| {
            Ok((read::slot(row)?, row.get::<_, String>(3)?, row.get::<_, String>(4)?))
        });
        let Some((slot, id, body)) = row.optional()? else { return Ok(None) };
        let entry: Entry = parse(&body)?;
        let strangers = strangers::heard(&self.connection, &slot, &entry)?;
        let advisories = read::derived_by(&self.connection)?;
        let mut row = EntryRow::of(id, &slot, &entry, config).known_by(advisories);
        row.heard.extend(strangers);
        row.tickets = self.tickets_of(&row.id)?;
        Ok(Some(row))
    }
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

/// Everything that is derived, as text in a fixed order: what two stores are compared by.
#[cfg(test)]
pub(super) fn dump(reader: &Reader, config: &Config) -> Result<String, StoreError> {
    let register = reader.register(config)?;
    let mut findings = std::collections::BTreeMap::new();
    for slot in read::slots(&reader.connection)? {
        let of = format!("{} {} {}", slot.kind, slot.scope, slot.product);
        findings.insert(of, read::findings(&reader.connection, &slot)?);
    }
    Ok(serde_json::to_string_pretty(&(register, findings))?)
}
