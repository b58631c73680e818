//! Advisories in memory, found by package and by id; records about one vulnerability are joined by their aliases.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};

use crate::{Advisory, Affected, Ecosystem, Epss, Kev, exploitation::ByCve, judge::Told};

/// What an index file holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Content {
    /// Sorted by id, each id once.
    pub(crate) advisories: Vec<Advisory>,
    pub(crate) kev: ByCve<Kev>,
    pub(crate) epss: ByCve<Epss>,
}

/// The content, and the ways to find something in it.
#[derive(Debug)]
pub(crate) struct Tables {
    advisories: Vec<Advisory>,
    /// By advisory, the smallest number of an advisory about the same vulnerability.
    vulnerability: Vec<usize>,
    /// By vulnerability, the numbers of its advisories.
    members: HashMap<usize, Vec<usize>>,
    /// By id or alias in upper case, numbers of advisories.
    ids: HashMap<String, Vec<usize>>,
    packages: BTreeMap<Ecosystem, HashMap<String, Vec<Place>>>,
    pub(crate) kev: ByCve<Kev>,
    pub(crate) epss: ByCve<Epss>,
}

/// One entry of `affected` in one advisory.
#[derive(Debug, Clone, Copy)]
struct Place {
    advisory: usize,
    affected: usize,
}

impl Tables {
    pub(crate) fn new(content: Content) -> Self {
        let Content { advisories, kev, epss } = content;
        let mut ids: HashMap<String, Vec<usize>> = HashMap::new();
        let mut packages: BTreeMap<Ecosystem, HashMap<String, Vec<Place>>> = BTreeMap::new();
        let mut unions = Unions::new(advisories.len());
        for (number, advisory) in advisories.iter().enumerate() {
            for id in [&advisory.id].into_iter().chain(&advisory.aliases) {
                ids.entry(id.to_ascii_uppercase()).or_default().push(number);
            }
            if advisory.withdrawn.is_some() {
                continue;
            }
            for (affected, it) in advisory.affected.iter().enumerate() {
                let names = packages.entry(it.ecosystem).or_default();
                let name = it.ecosystem.lookup_name(&it.name);
                names.entry(name).or_default().push(Place { advisory: number, affected });
            }
        }
        // What a withdrawn record says counts no more, so that it joins nothing.
        for numbers in ids.values() {
            let mut live = numbers.iter().filter(|it| advisories[**it].withdrawn.is_none());
            if let Some(first) = live.next() {
                live.for_each(|other| unions.join(*first, *other));
            }
        }
        let vulnerability: Vec<_> = (0..advisories.len()).map(|it| unions.smallest(it)).collect();
        let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
        for (number, vulnerability) in vulnerability.iter().enumerate() {
            members.entry(*vulnerability).or_default().push(number);
        }
        Self { advisories, vulnerability, members, ids, packages, kev, epss }
    }

    pub(crate) fn len(&self) -> usize {
        self.advisories.len()
    }

    /// Everything that is said of packages that go by that name, in any case, by records that were not withdrawn.
    pub(crate) fn told(&self, ecosystem: Ecosystem, name: &str) -> Vec<Told<'_>> {
        let places =
            self.packages.get(&ecosystem).and_then(|it| it.get(&ecosystem.lookup_name(name)));
        let mut told: BTreeMap<usize, Vec<(&Advisory, &Affected)>> = BTreeMap::new();
        for place in places.into_iter().flatten() {
            let advisory = &self.advisories[place.advisory];
            let records = told.entry(self.vulnerability[place.advisory]).or_default();
            records.push((advisory, &advisory.affected[place.affected]));
        }
        told.into_iter()
            .map(|(vulnerability, records)| Told { ids: self.ids_of(vulnerability), records })
            .collect()
    }

    /// The ids and aliases of the advisories about one vulnerability.
    fn ids_of(&self, vulnerability: usize) -> BTreeSet<&str> {
        let members = self.members(vulnerability);
        members.flat_map(|it| [&it.id].into_iter().chain(&it.aliases)).map(String::as_str).collect()
    }

    /// The advisories about one vulnerability, sorted by id.
    fn members(&self, vulnerability: usize) -> impl Iterator<Item = &Advisory> {
        let numbers = self.members.get(&vulnerability).into_iter().flatten();
        numbers.map(|number| &self.advisories[*number])
    }

    /// The advisories about every vulnerability that goes by that id, sorted by id.
    pub(crate) fn by_id(&self, id: &str) -> Vec<&Advisory> {
        let named = self.ids.get(&id.trim().to_ascii_uppercase()).into_iter().flatten();
        let mut numbers: Vec<usize> = named
            .filter_map(|number| self.members.get(&self.vulnerability[*number]))
            .flatten()
            .copied()
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.into_iter().map(|number| &self.advisories[number]).collect()
    }
}

/// Sets of advisories; each is named by its smallest member.
struct Unions(Vec<usize>);

impl Unions {
    fn new(len: usize) -> Self {
        Self((0..len).collect())
    }

    fn smallest(&mut self, mut member: usize) -> usize {
        while self.0[member] != member {
            // Halves the way for the next one who asks.
            self.0[member] = self.0[self.0[member]];
            member = self.0[member];
        }
        member
    }

    fn join(&mut self, left: usize, right: usize) {
        let (left, right) = (self.smallest(left), self.smallest(right));
        self.0[left.max(right)] = left.min(right);
    }
}
