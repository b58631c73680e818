//! Reading rows back as what they were.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use events::{Digest, Label, Scope};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{
    StoreError,
    columns::{Hash, Number, Time},
    open::{self, parse},
};
use crate::{
    entry::Entry,
    finding::Finding,
    inventory::Component,
    slot::{Slot, SlotKind},
    vex::{self, KeptEdition, VexDocument},
};

/// A reader beside the writer. What one call answers is of one moment.
pub struct Reader {
    pub(super) connection: Connection,
}

/// Numbers of findings, by severity and state.
pub type Counts = BTreeMap<(String, String), u64>;

impl Reader {
    /// Opens the database at `path` for reading.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { connection: open::reader(path)? })
    }

    /// How many findings there are, by severity and state.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        let sql = "SELECT severity, state, COUNT(*) FROM finding GROUP BY severity, state";
        let mut statement = self.connection.prepare(sql)?;
        let rows = statement
            .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, Number>(2)?.0)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Every slot, in order.
pub(super) fn slots(connection: &Connection) -> Result<Vec<Slot>, StoreError> {
    let sql = "SELECT kind, scope, product FROM slot ORDER BY kind, scope, product";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], slot)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A slot from the three columns that it begins a row with.
pub(super) fn slot(row: &Row<'_>) -> rusqlite::Result<Slot> {
    let (kind, scope, product): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let kind = match kind.as_str() {
        "supplier" => SlotKind::Supplier,
        _ => SlotKind::Project,
    };
    Ok(Slot { kind, scope: Scope::of(&scope), product: Label::of(&product) })
}

/// The advisory index by which everything was derived.
pub(super) fn derived_by(connection: &Connection) -> Result<Option<Digest>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT advisories FROM derived_by")?;
    let digest = statement.query_row([], |row| row.get::<_, Hash>(0)).optional()?;
    Ok(digest.map(|it| it.0))
}

/// Slots with a document whose components are to be looked up in the index of now.
pub(super) const STALE: &str = "SELECT DISTINCT s.kind, s.scope, s.product FROM inventory i CROSS JOIN document d ON d.inventory = i.id JOIN observation o ON o.document = d.digest JOIN slot s ON s.id = o.slot WHERE i.stale = 1";

/// What [`STALE`] finds.
pub(super) fn stale(connection: &Connection) -> Result<BTreeSet<Slot>, StoreError> {
    let mut statement = connection.prepare_cached(STALE)?;
    let rows = statement.query_map([], slot)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// VEX documents that concern one of `slots`, in the order of their times.
pub(super) fn vex(
    connection: &Connection,
    slots: &BTreeSet<Slot>,
) -> Result<Vec<VexDocument>, StoreError> {
    let sql = "SELECT document, sender, time, edition, said, statements FROM vex ORDER BY time, document, event";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut documents = Vec::new();
    while let Some(row) = rows.next()? {
        // What others say need not be read, however large it is.
        let concerns = |it: &VexDocument| slots.iter().any(|slot| it.concerns(slot));
        documents.extend(vex_document(row, concerns)?);
    }
    Ok(documents)
}

/// What was accepted from whomever as this VEX document.
pub(super) fn said_in(
    connection: &Connection,
    document: Digest,
) -> Result<Vec<VexDocument>, StoreError> {
    let sql = "SELECT document, sender, time, edition, said, statements FROM vex WHERE document = $1 ORDER BY time, event";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![Hash(document)])?;
    let mut documents = Vec::new();
    while let Some(row) = rows.next()? {
        documents.extend(vex_document(row, |_| true)?);
    }
    Ok(documents)
}

/// The document of a row, if it is `wanted`.
fn vex_document(
    row: &Row<'_>,
    wanted: impl Fn(&VexDocument) -> bool,
) -> Result<Option<VexDocument>, StoreError> {
    let (digest, sender): (Hash, String) = (row.get(0)?, row.get(1)?);
    let (time, said): (Time, Option<Time>) = (row.get(2)?, row.get(4)?);
    let edition: Option<String> = row.get(3)?;
    let edition = edition.map(|it| parse::<KeptEdition>(&it)).transpose()?;
    let document = VexDocument {
        from: parse(&sender)?,
        time: time.0,
        digest: digest.0,
        edition: edition.map(vex::edition),
        said: said.map(|it| it.0),
        statements: Vec::new(),
    };
    if !wanted(&document) {
        return Ok(None);
    }
    let statements = parse(row.get_ref(5)?.as_str().map_err(unfit)?)?;
    Ok(Some(VexDocument { statements, ..document }))
}

fn unfit(error: rusqlite::types::FromSqlError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(5, rusqlite::types::Type::Text, error.into())
}

/// A slot's entries, by id.
pub(super) fn entries(
    connection: &Connection,
    slot: &Slot,
) -> Result<BTreeMap<String, Entry>, StoreError> {
    let sql = "SELECT id, body FROM entry WHERE slot = $1";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![Hash(slot.id())], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut entries = BTreeMap::new();
    for row in rows {
        let (id, body) = row?;
        entries.insert(id, parse(&body)?);
    }
    Ok(entries)
}

/// Findings of a slot's current document, in order.
pub(super) fn findings(connection: &Connection, slot: &Slot) -> Result<Vec<Finding>, StoreError> {
    let sql = "SELECT body FROM finding WHERE slot = $1 ORDER BY component, vulnerability";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![Hash(slot.id())], |row| row.get::<_, String>(0))?;
    rows.map(|row| parse(&row?)).collect()
}

/// Components of an inventory, in order.
pub(super) fn components(
    connection: &Connection,
    inventory: Digest,
) -> Result<Vec<Component>, StoreError> {
    let sql = "SELECT name, version, purl, bom_ref, written, cpe FROM component WHERE inventory = $1 ORDER BY position";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params![Hash(inventory)], |row| {
        let (name, version) = (row.get(0)?, row.get(1)?);
        let (purl, bom_ref) = (row.get(2)?, row.get(3)?);
        Ok(Component { name, version, purl, bom_ref, written: row.get(4)?, cpe: row.get(5)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
