//! From what came in to what follows: findings and entries of a slot, made anew.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    sync::Arc,
};

use advisories::{Fingerprint, Index, PackageKey};
use events::Digest;
use jiff::Timestamp;
use rusqlite::{Transaction, params};

use super::{
    Arrival, Content, StoreError,
    columns::{Hash, Id, Time},
    ids::{self, RISK_DIGITS},
    open::{json, parse},
    read, waivers,
};
use crate::{
    entry::{Action, Entry, Status, fingerprint, id_prefix},
    finding::{Found, find},
    lifecycle::{Condition, Unnamed, next, weave, withdrawn},
    locks, risk,
    slot::Slot,
    timeline::{Moment, Observation, State, World, judge_now, unfold},
    vex::VexDocument,
    waivers::Waiver,
};

/// Hex digits of an id, unless it is taken.
const ID_DIGITS: usize = 6;

/// Derives some slots, by the statements and the index of one moment.
pub(super) struct Deriver<'a> {
    pub(super) transaction: &'a Transaction<'a>,
    pub(super) moment: Moment,
    /// Where indexes of before may be.
    pub(super) advisories: Option<&'a Path>,
    index: Option<&'a Index>,
    vex: Vec<VexDocument>,
    waivers: Vec<Waiver>,
}

/// Ids of entries, and where they stand.
type Standing = BTreeMap<String, Status>;

impl<'a> Deriver<'a> {
    pub(super) fn new(
        transaction: &'a Transaction<'a>,
        index: Option<&'a Index>,
        advisories: Option<&'a Path>,
        moment: Moment,
    ) -> Self {
        Self { transaction, moment, advisories, index, vex: Vec::new(), waivers: Vec::new() }
    }

    /// Digest of the index.
    pub(super) fn index(&self) -> Option<Digest> {
        self.index.map(Index::digest)
    }

    pub(super) fn advisory_index(&self) -> Option<&'a Index> {
        self.index
    }

    /// Reads what is said about `slots`.
    pub(super) fn hear(&mut self, slots: &BTreeSet<Slot>) -> Result<(), StoreError> {
        self.vex = read::vex(self.transaction, slots)?;
        self.waivers = waivers::all(self.transaction)?;
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
        let mut state = self.ask(|world| unfold(slot, &observations, world, &self.moment))?;
        let fingerprint = |action: &Action| {
            let key = PackageKey::of(action.ecosystem, &action.package);
            self.index.and_then(|it| it.fingerprint(key))
        };
        for (action, entry) in &mut state.entries {
            entry.evidence.package = fingerprint(action);
        }
        locks::follow(&mut before, &state.entries);
        keep_unnamed(&before, &mut state, fingerprint, time);
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
            Content::Nothing(_) | Content::Refused(_) | Content::Advisories => {}
            Content::Sboms(sboms) => {
                for sbom in sboms {
                    let observations = self.observations(&sbom.slot, Some(sbom.digest))?;
                    // A supplier's document may have been there before, by another event.
                    let own = observations.iter().find(|it| it.event == arrival.event);
                    let Some(arrived) = own.or(observations.first()) else { continue };
                    let judge =
                        |world: &World<'_>| judge_now(&sbom.slot, arrived, world, &self.moment);
                    let judged = self.ask(judge)?;
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
            let inventory = content.0;
            observations.push(Observation { time, document, event, inventory, facts, found });
        }
        Ok(observations)
    }

    /// What the index knows about an inventory; looked up once, and when that has changed. Without an index,
    /// nothing.
    fn found(&self, inventory: Digest) -> Result<Vec<Found>, StoreError> {
        let sql = "SELECT stale, found FROM inventory WHERE id = $1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let (stale, text) = statement.query_row(params![Hash(inventory)], |row| {
            Ok((row.get::<_, bool>(0)?, row.get::<_, String>(1)?))
        })?;
        let Some(index) = self.index.filter(|_| stale) else { return parse(&text) };
        let found = find(&read::components(self.transaction, inventory)?, index);
        let sql = "UPDATE inventory SET stale = 0, found = $1 WHERE id = $2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        statement.execute(params![json(&found), Hash(inventory)])?;
        Ok(found)
    }

    /// The answer of `question`, which may ask what inventories have.
    fn ask<T>(&self, question: impl FnOnce(&World<'_>) -> T) -> Result<T, StoreError> {
        let failed = Cell::new(None);
        let has = |inventory: Digest, action: &Action| {
            let known = self.has(inventory, action);
            known.unwrap_or_else(|error| {
                failed.set(Some(error));
                false
            })
        };
        let world = World { vex: &self.vex, waivers: &self.waivers, has: &has };
        let answer = question(&world);
        failed.take().map_or(Ok(answer), Err)
    }

    fn has(&self, inventory: Digest, action: &Action) -> Result<bool, StoreError> {
        let key = PackageKey::of(action.ecosystem, &action.package);
        let sql = "SELECT 1 FROM package_in WHERE package = $1 AND inventory = $2";
        let mut statement = self.transaction.prepare_cached(sql)?;
        Ok(statement.exists(params![key.as_bytes(), Hash(inventory)])?)
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
        let fingerprint = risk::fingerprint(slot);
        let id = ids::free(self.transaction, "risk", "R", fingerprint, RISK_DIGITS)?;
        let sql = "INSERT INTO risk (id, slot) VALUES ($1, $2)";
        self.transaction.execute(sql, params![id, Hash(slot.id())])?;
        Ok(())
    }

    fn new_id(&self, slot: &Slot, action: &Action) -> Result<String, StoreError> {
        let (prefix, fingerprint) = (id_prefix(slot), fingerprint(slot, action));
        ids::free(self.transaction, "entry", &prefix, fingerprint, ID_DIGITS)
    }
}

/// What the index of before named and this one does not is withdrawn, and stays known. What an index named that
/// said the same of the package is told otherwise by what has come since: it never was so.
fn keep_unnamed(
    before: &BTreeMap<String, Entry>,
    state: &mut State,
    said: impl Fn(&Action) -> Option<Fingerprint>,
    time: Timestamp,
) {
    for old in before.values() {
        if let Some(entry) = state.entries.get_mut(&old.action) {
            entry.unnamed = ended(&old.unnamed, time);
            entry.history = weave(&entry.history, &entry.unnamed);
            entry.status = entry.last_change().map_or(entry.status, |it| it.to);
            continue;
        }
        if old.evidence.package == said(&old.action) {
            continue;
        }
        let mut entry = old.clone();
        if next(Some(old.status), Condition::Unnamed, true).is_some() {
            entry.unnamed.push(Unnamed { since: time, until: None });
            let mut withdrawn = withdrawn(time);
            withdrawn.from = Some(old.status);
            entry.status = withdrawn.to;
            entry.history.push(withdrawn);
        }
        state.entries.insert(entry.action.clone(), entry);
    }
}

/// The same times, where somebody names it again at `time`.
fn ended(unnamed: &[Unnamed], time: Timestamp) -> Vec<Unnamed> {
    let end = |it: &Unnamed| Unnamed { until: it.until.or(Some(time)), ..*it };
    unnamed.iter().map(end).collect()
}
