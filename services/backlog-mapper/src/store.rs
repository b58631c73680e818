//! The mapper's memory: what came in, what follows from it, and the answer to every event.
//!
//! Each event is one transaction: its content, everything derived from it, and its answer.

mod columns;
mod derive;
mod due;
mod ids;
mod migrate;
mod open;
mod places;
mod read;
mod register;
mod relations;
mod search;
mod strangers;
mod suppliers;
mod term;
#[cfg(test)]
mod tests;
mod tickets;
mod versions;
mod waivers;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use advisories::Index;
use events::{BacklogMapped, Digest, Label, Sender};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use uuid::Uuid;

use self::{
    columns::{Hash, Id, Number, Time},
    derive::Deriver,
};
pub use self::{
    open::StoreError,
    read::{Counts, Reader},
    search::{Hit, Hits},
    suppliers::ProductFindings,
    tickets::TicketRow,
};
use crate::{
    entry::Status,
    inventory::{Component, Inventory},
    relation::Refusal,
    slot::{Slot, SlotKind},
    timeline::Moment,
    vex::{self, Terms, VexDocument},
};

/// Most entries that an answer names.
const NAMED_MAX: usize = 100;

/// The only writer of the mapper's database.
pub struct Store {
    connection: Mutex<Connection>,
    path: PathBuf,
    terms: Terms,
    /// Where advisory indexes of before may be, to be compared with that of now.
    advisories: Option<PathBuf>,
    /// Held for as long as we write.
    _lock: File,
}

/// An event as the mapper understood it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// The event.
    pub event: Uuid,
    /// When what it brings was ingested.
    pub time: Timestamp,
    /// What it brings.
    pub content: Content,
}

/// What an event brings.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing to map; perhaps a document that was refused.
    Nothing(Option<Digest>),
    /// Nothing to map, but something to say against a supplier.
    Refused(Refusal),
    /// SBOMs.
    Sboms(Vec<Sbom>),
    /// VEX statements.
    Vex(VexDocument),
    /// Word of a new advisory index.
    Advisories,
}

/// An SBOM about a slot.
#[derive(Clone, Debug)]
pub struct Sbom {
    /// What it is about.
    pub slot: Slot,
    /// The document.
    pub digest: Digest,
    /// What it contains.
    pub inventory: Inventory,
}

impl Store {
    /// Opens the database at `path`, creating it if need be. While it is open, nobody else may
    /// ([`StoreError::InUse`]).
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = open::lock(path)?;
        let connection = open::writer(path)?;
        let connection = Mutex::new(connection);
        Ok(Self {
            connection,
            path: path.to_owned(),
            terms: Terms::default(),
            advisories: None,
            _lock: lock,
        })
    }

    /// The same, where statements count for as long as `terms` says. What was derived by others is
    /// derived anew with the next event, or when time passes.
    #[must_use]
    pub fn with_terms(self, terms: Terms) -> Self {
        Self { terms, ..self }
    }

    /// The same, where a new index is compared with that of before, if `directory` still has it: only what
    /// has changed is looked up again.
    #[must_use]
    pub fn with_advisories(self, directory: &Path) -> Self {
        Self { advisories: Some(directory.to_owned()), ..self }
    }

    /// Where it lies, for [`Reader::open`].
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Records what `arrival` brings with everything that follows by `index` at `now`, and returns
    /// the answer: the one of before, if the event was recorded before.
    ///
    /// # Errors
    /// [`StoreError::NoIndex`] without an index once there was one: an index that is away closes
    /// nothing. [`StoreError::TooLarge`] is the document's own fault.
    pub fn record(
        &self,
        arrival: &Arrival,
        index: Option<&Index>,
        now: Timestamp,
    ) -> Result<BacklogMapped, StoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = answered(&connection, arrival.event)? {
            return Ok(answer);
        }
        let transaction = connection.transaction()?;
        let deriver = self.deriver(&transaction, index, now);
        let answer = Recording { transaction: &transaction, arrival, deriver }.record()?;
        let sql = "INSERT INTO mapped (event, answer) VALUES ($1, $2)";
        transaction.execute(sql, params![Id(arrival.event), open::json(&answer)])?;
        transaction.commit()?;
        Ok(answer)
    }

    fn deriver<'a>(
        &'a self,
        transaction: &'a Transaction<'a>,
        index: Option<&'a Index>,
        now: Timestamp,
    ) -> Deriver<'a> {
        Deriver::new(
            transaction,
            index,
            self.advisories.as_deref(),
            Moment { terms: self.terms, now },
        )
    }

    /// Whether the store knows what the stream kept when it was made.
    pub fn is_refilled(&self) -> Result<bool, StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let sql = "SELECT COUNT(*) FROM refilled";
        Ok(connection.query_row(sql, [], |row| row.get::<_, i64>(0))? > 0)
    }

    /// From now on it does.
    pub fn set_refilled(&self) -> Result<(), StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection.execute("INSERT INTO refilled (done) VALUES (1) ON CONFLICT DO NOTHING", [])?;
        Ok(())
    }

    /// The answer to an event that was recorded.
    pub fn answer(&self, event: Uuid) -> Result<Option<BacklogMapped>, StoreError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        answered(&connection, event)
    }
}

fn answered(connection: &Connection, event: Uuid) -> Result<Option<BacklogMapped>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT answer FROM mapped WHERE event = $1")?;
    let answer: Option<String> =
        statement.query_row(params![Id(event)], |row| row.get(0)).optional()?;
    answer.map(|text| open::parse(&text)).transpose()
}

/// One event on its way into the database.
struct Recording<'a> {
    transaction: &'a Transaction<'a>,
    arrival: &'a Arrival,
    deriver: Deriver<'a>,
}

impl Recording<'_> {
    fn record(mut self) -> Result<BacklogMapped, StoreError> {
        let own = self.insert().map_err(StoreError::of_content)?;
        let slots = &own | &self.deriver.outdated()?;
        self.deriver.hear(&slots)?;
        let mut moved = Moved::default();
        for slot in &slots {
            let derived = self.deriver.derive(slot, self.arrival.time);
            let (before, after) = match own.contains(slot) {
                true => derived.map_err(StoreError::of_content)?,
                false => derived?,
            };
            moved.compare(&before, &after);
        }
        let (findings, suppressed) = self.deriver.count(self.arrival, &slots)?;
        let document = match &self.arrival.content {
            Content::Nothing(document) => *document,
            Content::Refused(refusal) => refusal.document,
            Content::Sboms(sboms) => sboms.first().map(|sbom| sbom.digest),
            Content::Vex(document) => Some(document.digest),
            Content::Advisories => None,
        };
        let Moved { opened, closed } = moved;
        let advisories = self.deriver.index();
        Ok(BacklogMapped { document, advisories, findings, suppressed, opened, closed })
    }

    /// Inserts what arrived; returns what it is about.
    fn insert(&self) -> Result<BTreeSet<Slot>, StoreError> {
        match &self.arrival.content {
            Content::Nothing(_) | Content::Advisories => Ok(BTreeSet::new()),
            Content::Refused(refusal) => {
                let Arrival { event, time, .. } = self.arrival;
                relations::refuse(self.transaction, *event, *time, refusal)?;
                Ok(BTreeSet::new())
            }
            Content::Sboms(sboms) => {
                sboms.iter().try_for_each(|sbom| self.insert_sbom(sbom))?;
                Ok(sboms.iter().map(|sbom| sbom.slot.clone()).collect())
            }
            Content::Vex(document) => {
                self.insert_vex(document)?;
                let slots = read::slots(self.transaction)?;
                Ok(slots.into_iter().filter(|slot| document.concerns(slot)).collect())
            }
        }
    }

    fn insert_sbom(&self, sbom: &Sbom) -> Result<(), StoreError> {
        let Sbom { slot, digest, inventory } = sbom;
        let id = inventory.id();
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO slot (id, kind, scope, product) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )?;
        let (kind, scope) = (slot.kind.as_str(), slot.scope.as_str());
        insert.execute(params![Hash(slot.id()), kind, scope, slot.product.as_str()])?;
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO inventory (id, components, found) VALUES ($1, $2, '[]') ON CONFLICT DO NOTHING",
        )?;
        let count = Number(inventory.components.len() as u64);
        if insert.execute(params![Hash(id), count])? == 1 {
            self.insert_components(id, inventory)?;
        }
        let places = self.insert_places(id, inventory)?.map(Hash);
        // An older release may have kept it without places, which mean something in one inventory only.
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO document (digest, inventory, facts, places) VALUES ($1, $2, $3, $4) ON CONFLICT (digest) DO UPDATE SET places = excluded.places WHERE document.places IS NULL AND document.inventory = excluded.inventory",
        )?;
        insert.execute(params![Hash(*digest), Hash(id), open::json(&inventory.facts), places])?;
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO observation (event, document, slot, time) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )?;
        let (event, time) = (Id(self.arrival.event), Time(self.arrival.time));
        insert.execute(params![event, Hash(*digest), Hash(slot.id()), time])?;
        if slot.kind == SlotKind::Supplier {
            relations::meet(self.transaction, slot.scope.as_str())?;
            self.keep_first_observation(slot, *digest)?;
        }
        Ok(())
    }

    /// A supplier's document counts from its first ingestion on: who sends an old one again, with
    /// the signature it has, does not make it the newest. A build that is made again may well be
    /// the same as one before, and is the newest.
    fn keep_first_observation(&self, slot: &Slot, document: Digest) -> Result<(), StoreError> {
        let mut delete = self.transaction.prepare_cached(
            "DELETE FROM observation WHERE slot = $1 AND document = $2 AND (time, event) > (SELECT time, event FROM observation WHERE slot = $1 AND document = $2 ORDER BY time, event LIMIT 1)",
        )?;
        delete.execute(params![Hash(slot.id()), Hash(document)])?;
        Ok(())
    }

    fn insert_components(&self, id: Digest, inventory: &Inventory) -> Result<(), StoreError> {
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO component (inventory, position, name, version, purl, bom_ref, written, cpe, short_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )?;
        for (position, component) in (0_u64..).zip(&inventory.components) {
            let Component { name, version, purl, bom_ref, written, cpe } = component;
            let (position, short_name) = (Number(position), component.short_name());
            insert.execute(params![
                Hash(id),
                position,
                name,
                version,
                purl,
                bom_ref,
                written,
                cpe,
                short_name
            ])?;
        }
        // In order, because rows beside each other are written together.
        let packages = inventory.components.iter().filter_map(Component::package);
        let keys: BTreeSet<_> = packages.map(|it| *it.key().as_bytes()).collect();
        let mut note = self.transaction.prepare_cached(
            "INSERT INTO package_in (package, inventory) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )?;
        for key in keys {
            note.execute(params![key, Hash(id)])?;
        }
        Ok(())
    }

    /// As of a supplier's SBOM, the first ingestion counts: who says an old thing once more does not
    /// say something newer.
    fn insert_vex(&self, document: &VexDocument) -> Result<(), StoreError> {
        let VexDocument { from, time, digest, edition, said, statements } = document;
        if let Sender::Supplier(supplier) = from {
            relations::meet(self.transaction, supplier.as_str())?;
        }
        let sql = "INSERT INTO vex (event, document, sender, time, statements, edition, said) VALUES ($1, $2, $3, $4, $5, $6, $7)";
        let (event, sender) = (Id(self.arrival.event), open::json(from));
        let edition = edition.as_ref().map(|it| open::json(&vex::kept(it)));
        let (time, said, statements) = (Time(*time), said.map(Time), open::json(statements));
        let row = params![event, Hash(*digest), sender, time, statements, edition, said];
        self.transaction.execute(sql, row)?;
        // A release that did not ask which version it is may have kept it before.
        let sql = "UPDATE vex SET edition = $1, said = $2 WHERE sender = $3 AND document = $4";
        self.transaction.execute(sql, params![edition, said, sender, Hash(*digest)])?;
        let sql = "DELETE FROM vex WHERE sender = $1 AND document = $2 AND (time, event) > (SELECT time, event FROM vex WHERE sender = $1 AND document = $2 ORDER BY time, event LIMIT 1)";
        self.transaction.execute(sql, params![sender, Hash(*digest)])?;
        strangers::note(self.transaction, document)
    }
}

/// Entries that an event moved; of each kind the first ones.
#[derive(Default)]
struct Moved {
    opened: Vec<Label>,
    closed: Vec<Label>,
}

impl Moved {
    fn compare(&mut self, before: &BTreeMap<String, Status>, after: &BTreeMap<String, Status>) {
        for (id, status) in after {
            let was_open = before.get(id).is_some_and(|status| status.is_open());
            let list = match (was_open, status.is_open()) {
                (false, true) => &mut self.opened,
                (true, false) => &mut self.closed,
                _ => continue,
            };
            if list.len() < NAMED_MAX {
                list.push(Label::of(id));
            }
        }
    }
}
