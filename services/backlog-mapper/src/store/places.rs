//! Where what was found is, looked up once for each position of documents of which the same is told.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use events::Digest;
use rusqlite::params;

use super::{
    Recording, StoreError,
    columns::{Hash, Number},
    derive::Deriver,
    open::{json, parse},
};
use crate::{
    finding::Found,
    inventory::Inventory,
    places::{Place, Places},
    reported,
    slot::{Slot, SlotKind},
};

impl Recording<'_> {
    /// Keeps what a document tells of its components beside what they are; none if it tells nothing.
    pub(super) fn insert_places(
        &self,
        id: Digest,
        inventory: &Inventory,
    ) -> Result<Option<Digest>, StoreError> {
        let Inventory { places, reported, .. } = inventory;
        if places.is_empty() && reported.is_empty() {
            return Ok(None);
        }
        let (body, reported) = (json(places), json(reported));
        // Positions mean something in one inventory only.
        let places = Digest::of(format!("{id}\0{body}\0{reported}").as_bytes());
        let mut insert = self.transaction.prepare_cached(
            "INSERT INTO places (id, body, reported, known) VALUES ($1, $2, $3, '{}') ON CONFLICT DO NOTHING",
        )?;
        insert.execute(params![Hash(places), body, reported])?;
        Ok(Some(places))
    }
}

impl Deriver<'_> {
    /// What was `found` in an inventory, with what a document reports beside, and each with its place. A
    /// supplier's lockfiles are none of ours: what is to be done is to ask for another product.
    pub(super) fn placed(
        &self,
        slot: &Slot,
        inventory: Digest,
        places: Option<Digest>,
        found: Vec<Found>,
    ) -> Result<Vec<Found>, StoreError> {
        let mut placed = found;
        let mut known = BTreeMap::new();
        if let Some(id) = places {
            let sql = "SELECT reported, known FROM places WHERE id = $1";
            let mut statement = self.transaction.prepare_cached(sql)?;
            let (reported, kept) = statement.query_row(params![Hash(id)], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            placed = reported::joined(placed, parse(&reported)?);
            known = parse(&kept)?;
            self.complete(inventory, id, &placed, &mut known)?;
        }
        for it in &mut placed {
            let positions = std::mem::take(&mut it.positions);
            let places = positions.iter().filter_map(|position| known.get(position).cloned());
            it.place = Place::joined(places);
            if slot.kind == SlotKind::Supplier {
                it.place.locks.clear();
            }
        }
        Ok(placed)
    }

    /// Adds to the places that are `known` those of what was `found` at other positions.
    fn complete(
        &self,
        inventory: Digest,
        places: Digest,
        found: &[Found],
        known: &mut BTreeMap<u32, Place>,
    ) -> Result<(), StoreError> {
        let positions = found.iter().flat_map(|it| &it.positions).copied();
        let missing: BTreeSet<u32> = positions.filter(|it| !known.contains_key(it)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let sql = "SELECT body FROM places WHERE id = $1";
        let mut statement = self.transaction.prepare_cached(sql)?;
        let body: String = statement.query_row(params![Hash(places)], |row| row.get(0))?;
        let all: Places = parse(&body)?;
        let sql = "SELECT name FROM component WHERE inventory = $1 AND position = $2";
        let mut named = self.transaction.prepare_cached(sql)?;
        let mut names: BTreeMap<usize, String> = BTreeMap::new();
        for position in missing {
            let way = all.way(position as usize);
            for &step in &way {
                if let Entry::Vacant(unnamed) = names.entry(step) {
                    let row = params![Hash(inventory), Number(step as u64)];
                    unnamed.insert(named.query_row(row, |row| row.get(0))?);
                }
            }
            let way: Vec<String> = way.iter().filter_map(|it| names.get(it).cloned()).collect();
            known.insert(position, all.place(position as usize, &way));
        }
        let sql = "UPDATE places SET known = $1 WHERE id = $2";
        let mut update = self.transaction.prepare_cached(sql)?;
        update.execute(params![json(known), Hash(places)])?;
        Ok(())
    }
}
