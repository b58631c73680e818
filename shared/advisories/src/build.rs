//! Many records become one set: each id once, in the order of ids, whatever order they came in.

use std::collections::{
    BTreeMap, BTreeSet,
    btree_map::Entry::{Occupied, Vacant},
};

use events::Digest;
use jiff::Timestamp;

use crate::{
    Advisory, BuildProblem, BuildReport, Epss, Index, IndexError, Kev,
    arena::{Arena, MAX_CONTENT_BYTES, TooLarge, Writer},
    epss::Scores,
    error::{MAX_ECOSYSTEMS, MAX_LISTED_PROBLEMS},
    exploitation::{ByCve, Dated, Entry},
    kev::{self, Catalogue},
    osv,
    provenance::{List, Origin, Provenance},
};

/// Collects records.
#[derive(Default)]
pub(crate) struct Builder {
    records: BTreeMap<String, Kept>,
    kev: Dated<Kev>,
    epss: Dated<Epss>,
    report: BuildReport,
    /// Names of sources, each once; the last is the one that is read.
    sources: Vec<String>,
    /// Numbers of ecosystems by name; those that come late share one.
    ecosystems: BTreeMap<String, u16>,
}

/// A record that counts so far, packed: there are some hundred thousand of them.
struct Kept {
    modified: Option<Timestamp>,
    /// The [`Advisory`].
    advisory: Box<[u8]>,
    ecosystems: Box<[u16]>,
    digest: [u8; 32],
    source: u32,
    /// Whether a source has it, rather than only the index before.
    was_read: bool,
    /// When it was read first as it is, and when its id was, if that is known already.
    times: Option<(i64, i64)>,
}

impl Builder {
    /// How many records, entries of catalogues and scores are kept.
    pub(crate) fn len(&self) -> usize {
        self.records.len() + self.kev.len() + self.epss.len()
    }

    /// What is added from now on is of the source of that name.
    pub(crate) fn begin(&mut self, source: &str) {
        self.sources.push(source.to_owned());
    }

    /// Takes over every record of `before`.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub(crate) fn take_over(&mut self, before: &Index) -> Result<(), IndexError> {
        let mut numbers = BTreeMap::new();
        for number in 0..before.len() as u32 {
            let unreadable = || IndexError::Damaged {
                path: before.digest().to_string().into(),
                reason: format!("record {number} cannot be read"),
            };
            let advisory = before.arena().record(number).ok_or_else(unreadable)?;
            let origin = before.origin(number);
            let source = origin.map_or("", |it| before.source(it.source));
            let source = match numbers.get(source) {
                Some(number) => *number,
                None => {
                    let number = self.sources.len() as u32;
                    self.sources.push(source.to_owned());
                    numbers.insert(source, number);
                    number
                }
            };
            let named: BTreeSet<_> = advisory.affected.iter().map(|it| it.ecosystem).collect();
            let ecosystems = named.iter().map(|it| self.ecosystem(it.osv_name())).collect();
            let kept = Kept {
                ecosystems,
                digest: origin.map_or([0; 32], |it| it.digest),
                source,
                times: origin.map(|it| (it.at, it.first)),
                ..Kept::new(&advisory)
            };
            self.records.insert(advisory.id, kept);
        }
        Ok(())
    }

    /// Reads the record or the catalogue that lies at `place`.
    pub(crate) fn add(&mut self, place: &str, bytes: &[u8]) {
        let record = match osv::read(bytes) {
            Ok(record) => record,
            // Nearly everything is a record: only what is none is looked at twice.
            Err(reason) => match kev::read(bytes) {
                None => return self.problem(place, reason),
                Some(Err(reason)) => return self.problem(place, reason),
                Some(Ok(catalogue)) => return self.add_catalogue(place, catalogue),
            },
        };
        self.report.records += 1;
        self.report.git_ranges += record.git_ranges;
        for reason in record.left_out {
            self.problem(place, reason);
        }
        let kept = Kept {
            ecosystems: record.ecosystems.iter().map(|it| self.ecosystem(it)).collect(),
            digest: *Digest::of(bytes).as_bytes(),
            source: self.sources.len().saturating_sub(1) as u32,
            was_read: true,
            ..Kept::new(&record.advisory)
        };
        match self.records.entry(record.advisory.id) {
            Vacant(place) => {
                place.insert(kept);
            }
            Occupied(mut place) => {
                self.report.superseded += usize::from(place.get().was_read);
                if kept.supersedes(place.get()) {
                    place.insert(kept);
                }
            }
        }
    }

    fn add_catalogue(&mut self, place: &str, catalogue: Catalogue) {
        for reason in catalogue.left_out {
            self.problem(place, reason);
        }
        for (at, id, kev) in catalogue.entries {
            if !self.kev.add(id, catalogue.released, kev) {
                let reason = "contradicts another entry of the same date; the graver counts";
                self.problem(place, format!("{at}: {reason}"));
            }
        }
    }

    /// Reads the next line of `scores`, which lies at `place`.
    pub(crate) fn add_score(&mut self, scores: &mut Scores, place: &str, line: &[u8]) {
        match scores.line(line) {
            Ok(None) => {}
            Ok(Some((id, epss))) => {
                if !self.epss.add(id, scores.date, epss) {
                    let reason = "contradicts another score of the same date; the higher counts";
                    self.problem(place, reason);
                }
            }
            Err(reason) => self.problem(place, reason),
        }
    }

    /// Notes what cannot be read, and where it lies.
    pub(crate) fn problem(&mut self, place: &str, reason: impl Into<String>) {
        self.report.problem_count += 1;
        if self.report.problems.len() < MAX_LISTED_PROBLEMS {
            let place = place.to_owned();
            self.report.problems.push(BuildProblem { place, reason: reason.into() });
        }
    }

    /// Counts a file that is not named like a record.
    pub(crate) fn other_file(&mut self) {
        self.report.other_files += 1;
    }

    /// Lists of exploitation that no later one was read for stay as `before` has them.
    pub(crate) fn keep_lists(&mut self, before: &Index) {
        let (kev, epss) = before.lists();
        self.kev = kept(std::mem::take(&mut self.kev), &before.arena().kev, kev);
        self.epss = kept(std::mem::take(&mut self.epss), &before.arena().epss, epss);
    }

    /// The arena of everything that was added, and where it comes from: since when that is known is told by `before`, and
    /// else is `now`.
    pub(crate) fn finish(
        self,
        before: Option<&Index>,
        now: Timestamp,
    ) -> Result<(Arena, Provenance, BuildReport), IndexError> {
        let too_large =
            |_: TooLarge| IndexError::TooLarge { what: "more bytes", most: MAX_CONTENT_BYTES };
        let mut report = self.report;
        let ecosystems: BTreeMap<_, _> =
            self.ecosystems.iter().map(|(name, number)| (number, name)).collect();
        let mut writer = Writer::default();
        let mut origins = Vec::with_capacity(self.records.len());
        for (id, kept) in self.records {
            let advisory: Advisory =
                postcard::from_bytes(&kept.advisory).map_err(|_| too_large(TooLarge))?;
            report.withdrawn += usize::from(advisory.withdrawn.is_some());
            report.matchable += usize::from(!advisory.affected.is_empty());
            for number in &kept.ecosystems {
                let name = ecosystems.get(number).map_or("other", |it| it.as_str());
                *report.ecosystems.entry(name.to_owned()).or_default() += 1;
            }
            origins.push(kept.origin(&id, before, now, &mut report));
            writer.add(advisory).map_err(too_large)?;
        }
        report.advisories = origins.len();
        let stay = report.advisories - report.added;
        report.removed = before.map_or(0, |it| it.len().saturating_sub(stay));
        let [kev, epss] = [self.kev.date(), self.epss.date()].map(|date| List { date });
        (report.kev, report.kev_released) = (self.kev.len(), kev.date);
        (report.epss, report.epss_scored) = (self.epss.len(), epss.date);
        let provenance = Provenance::new(&self.sources, origins, kev, epss);
        let arena = writer.finish(&self.kev.into_sorted(), &self.epss.into_sorted());
        Ok((arena.map_err(too_large)?, provenance, report))
    }

    fn ecosystem(&mut self, name: &str) -> u16 {
        if let Some(number) = self.ecosystems.get(name) {
            return *number;
        }
        let number = self.ecosystems.len().min(MAX_ECOSYSTEMS) as u16;
        if usize::from(number) < MAX_ECOSYSTEMS {
            self.ecosystems.insert(name.to_owned(), number);
        }
        number
    }
}

impl Kept {
    fn new(advisory: &Advisory) -> Self {
        Self {
            modified: advisory.modified,
            // Postcard fails only where it cannot write; what it could not cannot be read in the end, which is an error.
            advisory: postcard::to_stdvec(advisory).unwrap_or_default().into(),
            ecosystems: Box::default(),
            digest: [0; 32],
            source: 0,
            was_read: false,
            times: None,
        }
    }

    /// Of two records with one id the one changed last counts; of two changed at once, always the same one.
    fn supersedes(&self, other: &Self) -> bool {
        (self.modified, &self.advisory) > (other.modified, &other.advisory)
    }

    fn origin(
        &self,
        id: &str,
        before: Option<&Index>,
        now: Timestamp,
        report: &mut BuildReport,
    ) -> Origin {
        let number = before.and_then(|it| it.arena().number(id));
        let known = before.zip(number).and_then(|(before, number)| before.origin(number));
        let is_same = known.is_some_and(|it| it.digest == self.digest);
        report.added += usize::from(before.is_some() && number.is_none());
        report.changed += usize::from(number.is_some() && !is_same);
        let now = now.as_microsecond();
        let (at, first) = match (self.times, known) {
            (Some(times), _) => times,
            (None, Some(known)) if is_same => (known.at, known.first),
            (None, known) => (now, known.map_or(now, |it| it.first)),
        };
        Origin { digest: self.digest, source: self.source, at, first }
    }
}

/// The list that was read, if it is not older than the one before; else both, of which the later counts entry by entry.
fn kept<T: Entry>(read: Dated<T>, before: &ByCve<T>, date: Option<Timestamp>) -> Dated<T> {
    let is_later = read.len() > 0 && read.date() >= date;
    if is_later { read } else { read.with(before, date) }
}
