//! Many records become one set: each id once, in the order of ids, whatever order they came in.

use std::collections::{
    BTreeMap,
    btree_map::Entry::{Occupied, Vacant},
};

use crate::{
    Advisory, BuildProblem, BuildReport, Epss, Kev,
    epss::Scores,
    error::{MAX_ECOSYSTEMS, MAX_LISTED_PROBLEMS},
    exploitation::Dated,
    kev::{self, Catalogue},
    osv,
    tables::Content,
};

/// Collects records.
#[derive(Default)]
pub(crate) struct Builder {
    records: BTreeMap<String, Kept>,
    kev: Dated<Kev>,
    epss: Dated<Epss>,
    report: BuildReport,
}

struct Kept {
    advisory: Advisory,
    ecosystems: Vec<String>,
}

impl Builder {
    /// How many records, entries of catalogues and scores are kept.
    pub(crate) fn len(&self) -> usize {
        self.records.len() + self.kev.len() + self.epss.len()
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
        let ecosystems = record.ecosystems.into_iter().collect();
        let kept = Kept { advisory: record.advisory, ecosystems };
        match self.records.entry(kept.advisory.id.clone()) {
            Vacant(place) => {
                place.insert(kept);
            }
            Occupied(mut place) => {
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

    pub(crate) fn finish(self) -> (Content, BuildReport) {
        let mut report = self.report;
        let mut advisories = Vec::with_capacity(self.records.len());
        for kept in self.records.into_values() {
            report.withdrawn += usize::from(kept.advisory.withdrawn.is_some());
            report.matchable += usize::from(!kept.advisory.affected.is_empty());
            for ecosystem in kept.ecosystems {
                let is_new = !report.ecosystems.contains_key(&ecosystem);
                let full = is_new && report.ecosystems.len() >= MAX_ECOSYSTEMS;
                *report
                    .ecosystems
                    .entry(if full { "other".into() } else { ecosystem })
                    .or_default() += 1;
            }
            advisories.push(kept.advisory);
        }
        report.advisories = advisories.len();
        (report.kev, report.kev_released) = (self.kev.len(), self.kev.date());
        (report.epss, report.epss_scored) = (self.epss.len(), self.epss.date());
        let (kev, epss) = (self.kev.into_sorted(), self.epss.into_sorted());
        (Content { advisories, kev, epss }, report)
    }
}

impl Kept {
    /// Of two records with one id the one changed last counts; of two changed at once, always the same one.
    fn supersedes(&self, other: &Self) -> bool {
        let (new, old) = (&self.advisory, &other.advisory);
        let text = |it: &Advisory| serde_json::to_string(it).unwrap_or_default();
        new.modified > old.modified || (new.modified == old.modified && text(new) > text(old))
    }
}
