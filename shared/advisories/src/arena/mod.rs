//! Everything an index holds, as it lies in its file: rows of fixed size that are searched where they lie, and records
//! that are decoded when somebody asks for them (ADR 0032).
//!
//! A content is [`Sections`], one after the other. Numbers are little-endian; what is no row is postcard.

mod lazy;
mod unions;
mod write;

use std::collections::BTreeSet;

use events::Digest;

use crate::{Advisory, Epss, Fingerprint, Kev, PackageKey, exploitation::ByCve, judge::Told};

pub(crate) use lazy::{About, Names};
pub(crate) use write::{MAX_CONTENT_BYTES, TooLarge, Writer, digest_of};

/// How many sections there are.
pub(crate) const SECTIONS: usize = 10;

/// The parts of a content.
#[derive(Debug, Default)]
pub(crate) struct Sections {
    /// By record, in the order of ids: where it lies in `bodies` (u64), and its vulnerability (u32).
    records: Vec<u8>,
    /// Of each record how many [`crate::Affected`] it has, itself without them, and then them, one after the other.
    bodies: Vec<u8>,
    /// By vulnerability: where its names lie in `names` (u64), its first member in `members` (u32), and how many there are
    /// (u32).
    vulnerabilities: Vec<u8>,
    /// Of each vulnerability the numbers of its records (u32), ascending.
    members: Vec<u8>,
    /// Of each vulnerability its ids and aliases, sorted.
    names: Vec<u8>,
    /// By id or alias in upper case, sorted: the start of its SHA-256 (16 bytes), and a vulnerability that goes by it (u32).
    ids: Vec<u8>,
    /// By package, sorted: its key and its fingerprint (16 bytes each), its first row in `places` (u32), and how many there
    /// are (u32).
    packages: Vec<u8>,
    /// Of each package what records tell of it, sorted by vulnerability and record: the record (u32), and where its
    /// [`crate::Affected`] lies in `bodies` (u64).
    places: Vec<u8>,
    /// A [`ByCve`] of [`Kev`].
    kev: Vec<u8>,
    /// A [`ByCve`] of [`Epss`].
    epss: Vec<u8>,
}

const RECORD: usize = 12;
const VULNERABILITY: usize = 16;
const MEMBER: usize = 4;
const ID: usize = 20;
const PACKAGE: usize = 40;
const PLACE: usize = 12;

/// A content that can be asked.
#[derive(Debug)]
pub(crate) struct Arena {
    sections: Sections,
    digest: Digest,
    pub(crate) kev: ByCve<Kev>,
    pub(crate) epss: ByCve<Epss>,
}

impl Sections {
    /// In the order in which they are written.
    pub(crate) fn all(&self) -> [&Vec<u8>; SECTIONS] {
        let Self { records, bodies, vulnerabilities, members, names, .. } = self;
        let Self { ids, packages, places, kev, epss, .. } = self;
        [records, bodies, vulnerabilities, members, names, ids, packages, places, kev, epss]
    }

    pub(crate) fn of(all: [Vec<u8>; SECTIONS]) -> Self {
        let [records, bodies, vulnerabilities, members, names, ids, packages, places, kev, epss] =
            all;
        Self { records, bodies, vulnerabilities, members, names, ids, packages, places, kev, epss }
    }
}

impl Arena {
    /// The sections, if they fit together; `digest` is that of all of them.
    ///
    /// # Errors
    /// What does not fit, for people.
    pub(crate) fn new(sections: Sections, digest: Digest) -> Result<Self, String> {
        let whole_rows = [
            (&sections.records, RECORD),
            (&sections.vulnerabilities, VULNERABILITY),
            (&sections.members, MEMBER),
            (&sections.ids, ID),
            (&sections.packages, PACKAGE),
            (&sections.places, PLACE),
        ];
        if whole_rows.iter().any(|(section, row)| section.len() % row != 0) {
            return Err("a section ends within a row".to_owned());
        }
        let list = |error: postcard::Error| format!("a list of CVE ids: {error}");
        let kev = postcard::from_bytes(&sections.kev).map_err(list)?;
        let epss = postcard::from_bytes(&sections.epss).map_err(list)?;
        Ok(Self { sections, digest, kev, epss })
    }

    pub(crate) fn sections(&self) -> &Sections {
        &self.sections
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// How many records there are.
    pub(crate) fn len(&self) -> usize {
        self.records().len()
    }

    /// The record of that number, whole. Numbers follow the order of ids.
    ///
    /// None where it cannot be decoded, which no program did that wrote a content with this digest.
    pub(crate) fn record(&self, number: u32) -> Option<Advisory> {
        let (mut advisory, affected, mut rest) = self.body(number)?;
        for _ in 0..affected {
            let (next, after) = postcard::take_from_bytes(rest).ok()?;
            advisory.affected.push(next);
            rest = after;
        }
        Some(advisory)
    }

    /// The number of the record with exactly that id.
    pub(crate) fn number(&self, id: &str) -> Option<u32> {
        self.named(id).find(|number| self.body(*number).is_some_and(|(about, ..)| about.id == id))
    }

    /// The records about every vulnerability that goes by that id, sorted by id.
    pub(crate) fn by_id(&self, id: &str) -> Vec<Advisory> {
        let numbers: BTreeSet<_> = self.named(id).collect();
        numbers.into_iter().filter_map(|number| self.record(number)).collect()
    }

    /// What records that were not withdrawn say of the package, by vulnerability.
    pub(crate) fn told(&self, key: PackageKey) -> Vec<Told<'_>> {
        let mut told: Vec<Told<'_>> = Vec::new();
        let mut last = None;
        for place in self.places_of(key) {
            let record = u32_at(place, 0);
            let affected = self.tail(u64_at(place, 4));
            let affected = affected.and_then(|it| postcard::take_from_bytes(it).ok());
            let Some((affected, _)) = affected else { continue };
            let vulnerability = self.vulnerability_of(record).unwrap_or_default();
            if last != Some(vulnerability) {
                told.push(Told { ids: Names::new(self, vulnerability), records: Vec::new() });
                last = Some(vulnerability);
            }
            if let Some(told) = told.last_mut() {
                told.records.push((About::new(self, record), affected));
            }
        }
        told
    }

    /// What is said of the package in all.
    pub(crate) fn fingerprint(&self, key: PackageKey) -> Option<Fingerprint> {
        self.package(key).map(fingerprint_of)
    }

    /// Every package that a record names which was not withdrawn, sorted by key.
    pub(crate) fn fingerprints(&self) -> impl Iterator<Item = (PackageKey, Fingerprint)> {
        self.packages().iter().map(|row| (key_of(row), fingerprint_of(row)))
    }

    fn package(&self, key: PackageKey) -> Option<&[u8; PACKAGE]> {
        let at = self.packages().binary_search_by_key(&key, key_of).ok()?;
        self.packages().get(at)
    }

    fn places_of(&self, key: PackageKey) -> &[[u8; PLACE]] {
        let Some(package) = self.package(key) else { return &[] };
        slice(rows(&self.sections.places), u32_at(package, 32), u32_at(package, 36))
    }

    /// Numbers of the records about what goes by that id, in any case.
    fn named(&self, id: &str) -> impl Iterator<Item = u32> {
        let ids: &[[u8; ID]] = rows(&self.sections.ids);
        let hash = hash_of(id.trim());
        let first = ids.partition_point(|row| row[..16] < hash[..]);
        let named = ids.get(first..).unwrap_or_default().iter();
        let named = named.take_while(move |row| row[..16] == hash[..]);
        named.flat_map(|row| self.members_of(u32_at(row, 16))).map(|row| u32::from_le_bytes(*row))
    }

    fn members_of(&self, vulnerability: u32) -> &[[u8; MEMBER]] {
        let Some(row) = self.vulnerability(vulnerability) else { return &[] };
        slice(rows(&self.sections.members), u32_at(row, 8), u32_at(row, 12))
    }

    fn names_of(&self, vulnerability: u32) -> BTreeSet<&str> {
        let row = self.vulnerability(vulnerability);
        let at = row.and_then(|row| usize::try_from(u64_at(row, 0)).ok());
        let names = at.and_then(|at| self.sections.names.get(at..));
        let names = names.and_then(|it| postcard::take_from_bytes::<Vec<&str>>(it).ok());
        names.map(|(names, _)| names.into_iter().collect()).unwrap_or_default()
    }

    fn vulnerability(&self, number: u32) -> Option<&[u8; VULNERABILITY]> {
        rows(&self.sections.vulnerabilities).get(number as usize)
    }

    fn vulnerability_of(&self, record: u32) -> Option<u32> {
        self.records().get(record as usize).map(|row| u32_at(row, 8))
    }

    /// A record without what it affects, how many entries of that there are, and where they lie.
    fn body(&self, record: u32) -> Option<(Advisory, u32, &[u8])> {
        let row = self.records().get(record as usize)?;
        let (affected, rest) = postcard::take_from_bytes(self.tail(u64_at(row, 0))?).ok()?;
        let (about, rest) = postcard::take_from_bytes(rest).ok()?;
        Some((about, affected, rest))
    }

    fn tail(&self, at: u64) -> Option<&[u8]> {
        self.sections.bodies.get(usize::try_from(at).ok()?..)
    }

    fn records(&self) -> &[[u8; RECORD]] {
        rows(&self.sections.records)
    }

    fn packages(&self) -> &[[u8; PACKAGE]] {
        rows(&self.sections.packages)
    }
}

/// What ids are looked up by: two of them that differ only in case are one.
fn hash_of(id: &str) -> [u8; 16] {
    *Fingerprint::of(id.to_ascii_uppercase().as_bytes()).as_bytes()
}

fn key_of(row: &[u8; PACKAGE]) -> PackageKey {
    PackageKey::from_bytes(bytes_at(row, 0))
}

fn fingerprint_of(row: &[u8; PACKAGE]) -> Fingerprint {
    Fingerprint::from_bytes(bytes_at(row, 16))
}

fn rows<const SIZE: usize>(section: &[u8]) -> &[[u8; SIZE]] {
    section.as_chunks().0
}

fn slice<T>(rows: &[T], first: u32, count: u32) -> &[T] {
    let first = first as usize;
    first.checked_add(count as usize).and_then(|end| rows.get(first..end)).unwrap_or_default()
}

fn u32_at(row: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(row, at))
}

fn u64_at(row: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(row, at))
}

/// `at` is one of the constants above, which lie within the row.
fn bytes_at<const COUNT: usize>(row: &[u8], at: usize) -> [u8; COUNT] {
    row.get(at..).and_then(|it| it.first_chunk()).copied().unwrap_or([0; COUNT])
}
