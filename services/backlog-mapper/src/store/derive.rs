//! From what came in to what follows: findings and entries of a slot, made anew.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use advisories::Index;
use events::Digest;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};

use super::{
    Arrival, Content, StoreError,
    columns::{Hash, Id, Time},
    open::{json, parse},
    read,
};
use crate::{
    entry::{Action, Change, Entry, Status, fingerprint, id_prefix},
    finding::{Found, find},
    locks, risk,
    slot::Slot,
    timeline::{Moment, Observation, State, judge_now, unfold},
    vex::{Terms, VexDocument},
};

/// Hex digits of an id, unless it is taken.
const ID_DIGITS: usize = 6;
/// Hex digits of a risk's id, unless it is taken.
const RISK_DIGITS: usize = 4;

/// Derives some slots, by the statements and the index of one moment.
pub(super) struct Deriver<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) moment: Moment,
    index: Option<&'a Index>,
    vex: Vec<VexDocument>,
}

/// Ids of entries, and where they stand.
type Standing = BTreeMap<String, Status>;

impl<'a> Deriver<'a> {
    pub(super) fn new(
        transaction: &'a Transaction<'a>,
        index: Option<&'a Index>,
        terms: Terms,
        now: Timestamp,
    ) -> Self {
        let moment = Moment { advisories: index.map(Index::digest), terms, now };
        Self { transaction, moment, index, vex: Vec::new() }
    }

    /// Digest of the index.
    pub(super) fn index(&self) -> Option<Digest> {
        self.moment.advisories
    }

    /// Reads what is said about `slots`.
    pub(super) fn hear(&mut self, slots: &BTreeSet<Slot>) -> Result<(), StoreError> {
        self.vex = read::vex(self.transaction, slots)?;
        Ok(())
    }

    /// Derives a slot's findings and entries; returns where its entries stood and stand. What only
    /// this derivation shows happened at `time`.
    pub(super) fn derive(
        &self,
        slot: &Slot,
        time: Timestamp,
    ) -> Result<(Standing, Standing), StoreError> {
        let mut before = read::entries(self.transaction, slot)?;
        let observations = self.observations(slot, None)?;
        let mut state = unfold(slot, &observations, &self.vex, &self.moment);
        locks::follow(&mut before, &state.entries);
        keep_unnamed(&before, &mut state, self.moment.advisories, time);
        self.write_current(slot, state.current)?;
        self.write_findings(slot, &state)?;
        self.write_end(slot, state.next_end)?;
        let mut after = Standing::new();
        for (action, entry) in &state.entries {
            let known = before.iter().find(|(_, it)| it.action == *action);
            let id = match known {
                Some((id, _)) => id.clone(),
                None => self.new_id(slot, action)?,
            };
            if known.is_none_or(|(_, it)| it != entry) {
                self.write_entry(&id, slot, entry)?;
            }
            after.insert(id, entry.status);
        }
        for id in before.keys().filter(|id| !after.contains_key(*id)) {
            self.transaction.execute("DELETE FROM entry WHERE id = $1", params![id])?;
        }
        if !state.entries.is_empty() {
            self.write_risk(slot)?;
        }
        Ok((before.into_iter().map(|(id, entry)| (id, entry.status)).collect(), after))
    }

    /// How many findings of what arrived count, and how many do not.
    pub(super) fn count(
        &self,
        arrival: &Arrival,
        slots: &BTreeSet<Slot>,
    ) -> Result<(u64, u64), StoreError> {
        let (mut open, mut suppressed) = (0, 0);
        let mut add = |is_open: bool| if is_open { open += 1 } else { suppressed += 1 };
        match &arrival.content {
            Content::Nothing(_) | Content::Advisories => {}
            Content::Sboms(sboms) => {
                for sbom in sboms {
                    let observations = self.observations(&sbom.slot, Some(sbom.digest))?;
                    // A supplier's document may have been there before, by another event.
                    let own = observations.iter().find(|it| it.event == arrival.event);
                    let Some(arrived) = own.or(observations.first()) else { continue };
                    let judged = judge_now(&sbom.slot, arrived, &self.vex, &self.moment);
                    judged.iter().for_each(|finding| add(finding.is_open()));
                }
            }
            Content::Vex(document) => {
                for slot in slots {
                    for finding in read::findings(self.transaction, slot)? {
                        let by = finding.suppressed.as_ref().map(|it| it.document);
                        if by == Some(document.digest) {
                            add(false);
                        }
                    }
                }
            }
        }
        Ok((open, suppressed))
    }

    /// Everything that is known about a slot's documents, in the order of their times.
    /// With a document, only about that one.
    fn observations(
        &self,
        slot: &Slot,
        document: Option<Digest>,
    ) -> Result<Vec<Observation>, StoreError> {
        let sql = "SELECT o.event, o.document, o.time, d.inventory, d.places, d.facts FROM observation o JOIN document d ON d.digest = o.document WHERE o.slot = $1 AND ($2 IS NULL OR o.document = $2) ORDER BY o.time, o.document, o.event";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let rows = statement.query_map(params![Hash(slot.id()), document.map(Hash)], |row| {
            let (event, document): (Id, Hash) = (row.get(0)?, row.get(1)?);
            let (time, inventory): (Time, Hash) = (row.get(2)?, row.get(3)?);
            let places = row.get::<_, Option<Hash>>(4)?.map(|it| it.0);
            Ok((event.0, document.0, time.0, (inventory.0, places), row.get::<_, String>(5)?))
        })?;
        let mut observations = Vec::new();
        let mut found: HashMap<(Digest, Option<Digest>), Arc<Vec<Found>>> = HashMap::new();
        for row in rows {
            let (event, document, time, content, facts) = row?;
            let facts = parse(&facts)?;
            let found = match found.get(&content) {
                Some(known) => known.clone(),
                None => {
                    let (inventory, places) = content;
                    let known = self.placed(slot, inventory, places, self.found(inventory)?)?;
                    found.entry(content).or_insert(Arc::new(known)).clone()
                }
            };
            observations.push(Observation { time, document, event, facts, found });
        }
        Ok(observations)
    }

    /// What the index knows about an inventory; looked up once per index. Without one, nothing.
    fn found(&self, inventory: Digest) -> Result<Vec<Found>, StoreError> {
        let sql = "SELECT matched_by, found FROM inventory WHERE id = $1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let (by, text) = statement.query_row(params![Hash(inventory)], |row| {
            Ok((row.get::<_, Option<Hash>>(0)?, row.get::<_, String>(1)?))
        })?;
        let Some(index) = self.index.filter(|it| by.map(|by| by.0) != Some(it.digest())) else {
            return parse(&text);
        };
        let found = find(&read::components(self.transaction, inventory)?, index);
        let sql = "UPDATE inventory SET matched_by = $1, found = $2 WHERE id = $3";
        let mut statement = self.transaction.prepare_cached(sql)?;
        statement.execute(params![Hash(index.digest()), json(&found), Hash(inventory)])?;
        Ok(found)
    }

    fn write_current(&self, slot: &Slot, current: Option<Digest>) -> Result<(), StoreError> {
        let mut update =
            self.transaction.prepare_cached("UPDATE slot SET current = $1 WHERE id = $2")?;
        update.execute(params![current.map(Hash), Hash(slot.id())])?;
        Ok(())
    }

    fn write_findings(&self, slot: &Slot, state: &State) -> Result<(), StoreError> {
        let id = Hash(slot.id());
        self.transaction.execute("DELETE FROM finding WHERE slot = $1", params![id])?;
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO finding (slot, component, vulnerability, state, severity, body) VALUES ($1, $2, $3, $4, $5, $6)",
        )?;
        for finding in &state.findings {
            let vulnerability = &finding.found.vulnerability;
            let (component, severity) = (finding.component(), vulnerability.severity.as_str());
            let body = json(finding);
            insert.execute(params![
                id,
                component,
                vulnerability.id,
                finding.state(),
                severity,
                body
            ])?;
        }
        Ok(())
    }

    fn write_entry(&self, id: &str, slot: &Slot, entry: &Entry) -> Result<(), StoreError> {
        let mut upsert = self.transaction.prepare_cached(
            "INSERT INTO entry (id, slot, ecosystem, package, lock, body) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET lock = excluded.lock, body = excluded.body",
        )?;
        let Action { ecosystem, package, lock } = &entry.action;
        let (slot, lock) = (Hash(slot.id()), lock.as_deref().unwrap_or_default());
        upsert.execute(params![id, slot, ecosystem.osv_name(), package, lock, json(entry)])?;
        Ok(())
    }

    fn write_risk(&self, slot: &Slot) -> Result<(), StoreError> {
        let sql = "SELECT 1 FROM risk WHERE slot = $1";
        let mut known = self.transaction.prepare_cached(sql)?;
        if known.exists(params![Hash(slot.id())])? {
            return Ok(());
        }
        let id = self.free_id("risk", "R", risk::fingerprint(slot), RISK_DIGITS)?;
        let sql = "INSERT INTO risk (id, slot) VALUES ($1, $2)";
        self.transaction.execute(sql, params![id, Hash(slot.id())])?;
        Ok(())
    }

    fn new_id(&self, slot: &Slot, action: &Action) -> Result<String, StoreError> {
        self.free_id("entry", &id_prefix(slot), fingerprint(slot, action), ID_DIGITS)
    }

    /// The prefix with as many digits as it takes to be nobody else's.
    fn free_id(
        &self,
        table: &str,
        prefix: &str,
        fingerprint: Digest,
        digits: usize,
    ) -> Result<String, StoreError> {
        let hex = fingerprint.hex();
        let sql = format!("SELECT 1 FROM {table} WHERE id = $1");
        let mut taken = self.transaction.prepare_cached(&sql)?;
        for digits in digits..hex.len() {
            let id = format!("{prefix}-{}", &hex[..digits]);
            let row: Option<i64> = taken.query_row(params![id], |row| row.get(0)).optional()?;
            if row.is_none() {
                return Ok(id);
            }
        }
        Ok(format!("{prefix}-{hex}"))
    }
}

/// What an index of before named and this one, `advisories`, does not is closed, and stays known. What
/// the same index named is told otherwise by what has come since: it never was so.
fn keep_unnamed(
    before: &BTreeMap<String, Entry>,
    state: &mut State,
    advisories: Option<Digest>,
    time: Timestamp,
) {
    for entry in before.values() {
        if state.entries.contains_key(&entry.action) || entry.evidence.advisories == advisories {
            continue;
        }
        let mut entry = entry.clone();
        if entry.status != Status::Fixed {
            let why = "no advisory names it any more".to_owned();
            let from = Some(entry.status);
            entry.history.push(Change { time, from, to: Status::Fixed, why });
            entry.status = Status::Fixed;
        }
        state.entries.insert(entry.action.clone(), entry);
    }
}
