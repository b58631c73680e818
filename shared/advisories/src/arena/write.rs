//! From records in the order of their ids to sections.

use std::collections::BTreeSet;

use events::{Digest, Digester};
use serde::Serialize;

use super::{Arena, Sections, hash_of, unions::Unions};
use crate::{Advisory, Epss, Fingerprint, Kev, PackageKey, exploitation::ByCve};

/// Largest content, in bytes: ten times what all of OSV makes.
pub(crate) const MAX_CONTENT_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Why there is no arena.
pub(crate) struct TooLarge;

/// Takes records one by one.
#[derive(Default)]
pub(crate) struct Writer {
    bodies: Vec<u8>,
    /// By record, where it begins in `bodies`.
    starts: Vec<u64>,
    /// By record, what it says beside what it affects.
    said: Vec<Fingerprint>,
    names: Vec<Name>,
    places: Vec<Place>,
}

/// An id or alias of a record.
struct Name {
    hash: [u8; 16],
    record: u32,
    is_withdrawn: bool,
}

/// One entry of `affected` in one record that was not withdrawn.
struct Place {
    package: PackageKey,
    /// Set when all records are known.
    vulnerability: u32,
    record: u32,
    /// Where it lies in the bodies.
    at: usize,
    until: usize,
}

impl Writer {
    /// Adds a record, whose id is greater than that of every one before it.
    pub(crate) fn add(&mut self, mut advisory: Advisory) -> Result<(), TooLarge> {
        let record = u32::try_from(self.starts.len()).map_err(|_| TooLarge)?;
        let is_withdrawn = advisory.withdrawn.is_some();
        for id in [&advisory.id].into_iter().chain(&advisory.aliases) {
            self.names.push(Name { hash: hash_of(id), record, is_withdrawn });
        }
        let affected = std::mem::take(&mut advisory.affected);
        self.starts.push(self.bodies.len() as u64);
        append(&mut self.bodies, &u32::try_from(affected.len()).map_err(|_| TooLarge)?)?;
        let about = append(&mut self.bodies, &advisory)?;
        self.said.push(Fingerprint::of(&self.bodies[about..]));
        for it in affected {
            let at = append(&mut self.bodies, &it)?;
            if !is_withdrawn {
                let package = PackageKey::of(it.ecosystem, &it.name);
                let until = self.bodies.len();
                self.places.push(Place { package, vulnerability: 0, record, at, until });
            }
        }
        if self.bodies.len() as u64 > MAX_CONTENT_BYTES { Err(TooLarge) } else { Ok(()) }
    }

    /// The arena of all records that were added.
    pub(crate) fn finish(
        mut self,
        kev: &ByCve<Kev>,
        epss: &ByCve<Epss>,
    ) -> Result<Arena, TooLarge> {
        let vulnerability = self.joined()?;
        let mut sections = Sections::default();
        append(&mut sections.kev, kev)?;
        append(&mut sections.epss, epss)?;
        for (start, vulnerability) in self.starts.iter().zip(&vulnerability) {
            sections.records.extend_from_slice(&start.to_le_bytes());
            sections.records.extend_from_slice(&vulnerability.to_le_bytes());
        }
        self.write_ids(&vulnerability, &mut sections);
        let named = self.write_vulnerabilities(&vulnerability, &mut sections)?;
        self.write_packages(&vulnerability, &named, &mut sections)?;
        sections.bodies = self.bodies;
        let bytes: u64 = sections.all().iter().map(|it| it.len() as u64).sum();
        if bytes > MAX_CONTENT_BYTES {
            return Err(TooLarge);
        }
        let digest = digest_of(&sections);
        // What was written just now fits together.
        Arena::new(sections, digest).map_err(|_| TooLarge)
    }

    /// By record its vulnerability; these are numbered in the order of their first records.
    fn joined(&mut self) -> Result<Vec<u32>, TooLarge> {
        let len = u32::try_from(self.starts.len()).map_err(|_| TooLarge)?;
        let mut unions = Unions::new(len);
        self.names.sort_unstable_by_key(|it| (it.hash, it.record));
        // What a withdrawn record says counts no more, so that it joins nothing.
        for same in self.names.chunk_by(|one, other| one.hash == other.hash) {
            let mut live = same.iter().filter(|it| !it.is_withdrawn);
            if let Some(first) = live.next() {
                live.for_each(|other| unions.join(first.record, other.record));
            }
        }
        let mut vulnerability = Vec::with_capacity(self.starts.len());
        let mut count = 0_u32;
        for record in 0..len {
            let smallest = unions.smallest(record);
            // The smallest member comes first, so that it has its number already.
            let number = vulnerability.get(smallest as usize).copied().unwrap_or(count);
            count += u32::from(smallest == record);
            vulnerability.push(number);
        }
        Ok(vulnerability)
    }

    /// The names are sorted.
    fn write_ids(&self, vulnerability: &[u32], sections: &mut Sections) {
        for same in self.names.chunk_by(|one, other| one.hash == other.hash) {
            let numbers: BTreeSet<_> =
                same.iter().filter_map(|it| vulnerability.get(it.record as usize)).collect();
            for number in numbers {
                sections.ids.extend_from_slice(&same[0].hash);
                sections.ids.extend_from_slice(&number.to_le_bytes());
            }
        }
    }

    /// By vulnerability, a fingerprint of the names it has.
    fn write_vulnerabilities(
        &self,
        vulnerability: &[u32],
        sections: &mut Sections,
    ) -> Result<Vec<Fingerprint>, TooLarge> {
        let mut members: Vec<(u32, u32)> = vulnerability.iter().copied().zip(0..).collect();
        members.sort_unstable();
        let mut named = Vec::new();
        for members in members.chunk_by(|one, other| one.0 == other.0) {
            let first = (sections.members.len() / super::MEMBER) as u32;
            let mut names = BTreeSet::new();
            for (_, record) in members {
                names.append(&mut self.names_of(*record)?);
                sections.members.extend_from_slice(&record.to_le_bytes());
            }
            let at = append(&mut sections.names, &names)?;
            named.push(Fingerprint::of(&sections.names[at..]));
            let row = &mut sections.vulnerabilities;
            row.extend_from_slice(&(at as u64).to_le_bytes());
            row.extend_from_slice(&first.to_le_bytes());
            row.extend_from_slice(&(members.len() as u32).to_le_bytes());
        }
        Ok(named)
    }

    /// The id and the aliases of a record, from what was written of it.
    fn names_of(&self, record: u32) -> Result<BTreeSet<String>, TooLarge> {
        let start = self.starts.get(record as usize).and_then(|it| usize::try_from(*it).ok());
        let body = start.and_then(|it| self.bodies.get(it..)).unwrap_or_default();
        let read = postcard::take_from_bytes::<(u32, Advisory)>(body);
        let ((_, it), _) = read.map_err(|_| TooLarge)?;
        Ok([it.id].into_iter().chain(it.aliases).collect())
    }

    fn write_packages(
        &mut self,
        vulnerability: &[u32],
        named: &[Fingerprint],
        sections: &mut Sections,
    ) -> Result<(), TooLarge> {
        for place in &mut self.places {
            place.vulnerability = vulnerability[place.record as usize];
        }
        self.places.sort_unstable_by_key(|it| (it.package, it.vulnerability, it.record, it.at));
        for places in self.places.chunk_by(|one, other| one.package == other.package) {
            let first = u32::try_from(sections.places.len() / super::PLACE);
            let count = u32::try_from(places.len()).map_err(|_| TooLarge)?;
            let mut said = Digester::default();
            for place in places {
                said.update(named[place.vulnerability as usize].as_bytes());
                said.update(self.said[place.record as usize].as_bytes());
                said.update(&((place.until - place.at) as u64).to_le_bytes());
                said.update(&self.bodies[place.at..place.until]);
                sections.places.extend_from_slice(&place.record.to_le_bytes());
                sections.places.extend_from_slice(&(place.at as u64).to_le_bytes());
            }
            let row = &mut sections.packages;
            row.extend_from_slice(places[0].package.as_bytes());
            row.extend_from_slice(Fingerprint::of_digest(&said.finish()).as_bytes());
            row.extend_from_slice(&first.map_err(|_| TooLarge)?.to_le_bytes());
            row.extend_from_slice(&count.to_le_bytes());
        }
        Ok(())
    }
}

/// Of all sections, and of how long each is.
pub(crate) fn digest_of(sections: &Sections) -> Digest {
    let mut digester = Digester::default();
    for section in sections.all() {
        digester.update(&(section.len() as u64).to_le_bytes());
    }
    sections.all().into_iter().for_each(|it| digester.update(it));
    digester.finish()
}

/// Where what was appended begins.
fn append(section: &mut Vec<u8>, value: &impl Serialize) -> Result<usize, TooLarge> {
    let start = section.len();
    // Postcard fails only where it cannot write.
    *section = postcard::to_extend(value, std::mem::take(section)).map_err(|_| TooLarge)?;
    Ok(start)
}
