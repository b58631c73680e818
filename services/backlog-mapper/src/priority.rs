//! What to do first: a sum of whole numbers, so that everybody can add it up again.

use std::cmp::Reverse;

use advisories::{Confidence, Epss, Index, Kev, Severity};
use documents::bom::Scope;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    entry::Entry,
    finding::{Finding, Vulnerability},
};

/// Points of a package that is itself the attack, whatever else is known.
const MALICIOUS: i32 = 200;
/// Highest score.
const MAX: i32 = 200;

/// Where an entry stands among the others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priority {
    /// The class that the score falls into.
    pub class: Class,
    /// 0 to 200: the sum of the terms, cut at both ends.
    pub score: i32,
    /// The vulnerability that it comes from: the one with the highest score.
    pub vulnerability: String,
    /// What it is the sum of; terms of no points are left out.
    pub terms: Vec<Term>,
}

/// A class of scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// From 140 on.
    P1,
    /// From 100 on.
    P2,
    /// From 60 on.
    P3,
    /// Below.
    P4,
}

/// A part of a score.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// What it is for.
    pub name: String,
    /// How much that is; less than nothing where it makes something less urgent.
    pub points: i32,
}

/// Who can reach a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exposure {
    /// Everybody.
    Internet,
    /// Whoever is within the organisation's networks: what nobody said something else about.
    #[default]
    Internal,
    /// Nobody: it is not run.
    None,
}

/// What is known of a vulnerability in a component.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Known {
    /// CVSS base score.
    pub cvss: Option<f64>,
    /// How bad it is, in a word.
    pub severity: Severity,
    /// CISA's catalogue has it.
    pub kev: Option<Kev>,
    /// The package itself is the attack.
    pub malicious: bool,
    /// How likely it is exploited.
    pub epss: Option<Epss>,
    /// Who can reach the product.
    pub exposure: Exposure,
    /// What the component is needed for.
    pub scope: Option<Scope>,
    /// Whether a version without it is known.
    pub fix: bool,
    /// How far the finding can be relied on.
    pub confidence: Option<Confidence>,
}

impl Known {
    /// What is known of `finding` in a product that can be reached as `exposure` says.
    pub fn of(finding: &Finding, exposure: Exposure, index: Option<&Index>) -> Self {
        let Vulnerability { cvss, severity, fixed, confidence, malicious, .. } =
            &finding.found.vulnerability;
        let (kev, epss) = exploitation(&finding.found.vulnerability, index);
        Self {
            cvss: cvss.as_ref().map(|it| it.score),
            severity: *severity,
            kev,
            malicious: *malicious,
            epss,
            exposure,
            scope: finding.found.place.scope,
            fix: fixed.is_some(),
            confidence: *confidence,
        }
    }

    /// The terms of the score, those of no points left out.
    pub fn terms(&self) -> Vec<Term> {
        if self.malicious {
            return vec![Term { name: "malicious".to_owned(), points: MALICIOUS }];
        }
        let ransomware = self.kev.is_some_and(|it| it.ransomware);
        let terms = [
            ("cvss", cvss(self.cvss, self.severity)),
            ("exploited", if self.kev.is_some() { 60 } else { 0 }),
            ("ransomware", if ransomware { 20 } else { 0 }),
            ("epss", self.epss.map_or(0, |it| rounded(40.0 * it.score, 40))),
            (
                "exposure",
                match self.exposure {
                    Exposure::Internet => 20,
                    Exposure::Internal => 10,
                    Exposure::None => 0,
                },
            ),
            (
                "scope",
                match self.scope {
                    Some(Scope::Excluded) => -40,
                    Some(Scope::Optional) => -20,
                    Some(Scope::Required) | None => 0,
                },
            ),
            ("fix", if self.fix { 10 } else { 0 }),
            ("confidence", if self.confidence == Some(Confidence::Low) { -30 } else { 0 }),
        ];
        let told = terms.into_iter().filter(|(_, points)| *points != 0);
        told.map(|(name, points)| Term { name: name.to_owned(), points }).collect()
    }
}

/// The priority of an entry: that of its worst finding, of those that it is about.
pub fn of(entry: &Entry, exposure: Exposure, index: Option<&Index>) -> Priority {
    let judged = entry.telling().map(|finding| {
        let terms = Known::of(finding, exposure, index).terms();
        let score = terms.iter().map(|it| it.points).sum::<i32>().clamp(0, MAX);
        (score, Reverse(&finding.found.vulnerability.id), terms)
    });
    let worst = judged.max_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    let (score, vulnerability, terms) =
        worst.map_or_else(Default::default, |(score, id, terms)| (score, id.0.clone(), terms));
    Priority { class: Class::of(score), score, vulnerability, terms }
}

/// What is known of the exploitation of a vulnerability, by all of its ids.
pub(crate) fn exploitation(
    vulnerability: &Vulnerability,
    index: Option<&Index>,
) -> (Option<Kev>, Option<Epss>) {
    let Some(index) = index else { return (None, None) };
    (index.kev(vulnerability.ids()), index.epss(vulnerability.ids()))
}

/// Since when something has to be done about a vulnerability of an entry that was `opened` then: since it was published, if
/// that was later, but no later than when a record about it was first read. Who writes a record may date it as far ahead
/// as they like, and what only a document reports was read at a time that nobody noted: no date of that puts off anything.
pub(crate) fn counts_from(
    vulnerability: &Vulnerability,
    opened: Timestamp,
    index: Option<&Index>,
) -> Timestamp {
    let later = || {
        let published = vulnerability.published.filter(|it| *it > opened)?;
        let ids = [&vulnerability.id].into_iter().chain(&vulnerability.aliases);
        let read = ids.filter_map(|id| index?.known(id)).map(|it| it.first).min()?;
        Some(published.min(read))
    };
    later().map_or(opened, |later| later.max(opened))
}

/// Ten times the base score; without one the middle of what the word means, and 50 without a word.
fn cvss(score: Option<f64>, severity: Severity) -> i32 {
    match (score, severity) {
        (Some(score), _) => rounded(10.0 * score, 100),
        (None, Severity::Critical) => 95,
        (None, Severity::High) => 80,
        (None, Severity::Medium) => 55,
        (None, Severity::Low) => 20,
        (None, Severity::Unknown) => 50,
    }
}

/// The nearest whole number from 0 to `most`, whatever a list claims.
fn rounded(value: f64, most: i32) -> i32 {
    #[allow(clippy::cast_possible_truncation, reason = "within the bounds, and whole")]
    let whole = value.clamp(0.0, f64::from(most)).round() as i32;
    whole
}

impl Class {
    /// The class of a score.
    pub fn of(score: i32) -> Self {
        match score {
            140.. => Self::P1,
            100.. => Self::P2,
            60.. => Self::P3,
            _ => Self::P4,
        }
    }

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}

impl Priority {
    /// The sum in one line: `cvss 98 + exploited 60 − scope 40`.
    pub fn sum(&self) -> String {
        if self.terms.is_empty() {
            return "0".to_owned();
        }
        let mut text = String::new();
        for Term { name, points } in &self.terms {
            let sign = match (text.is_empty(), *points < 0) {
                (true, false) => "",
                (true, true) => "−",
                (false, false) => " + ",
                (false, true) => " − ",
            };
            text.push_str(&format!("{sign}{name} {}", points.unsigned_abs()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(known: &Known) -> i32 {
        known.terms().iter().map(|it| it.points).sum()
    }

    fn kev(ransomware: bool) -> Option<Kev> {
        let day = "2026-01-01".parse().expect("valid");
        Some(Kev { date_added: day, due_date: day, ransomware })
    }

    fn epss(score: f64) -> Option<Epss> {
        Some(Epss { score, percentile: 0.5 })
    }

    #[test]
    fn each_term_counts_as_documented() {
        let nothing = Known { cvss: Some(5.5), exposure: Exposure::None, ..Known::default() };
        assert_eq!(score(&nothing), 55);
        for (known, points) in [
            (Known { cvss: Some(9.84), ..nothing }, 98),
            (Known { cvss: Some(9.85), ..nothing }, 99),
            (Known { cvss: None, ..nothing }, 50),
            (Known { cvss: None, severity: Severity::Critical, ..nothing }, 95),
            (Known { cvss: None, severity: Severity::High, ..nothing }, 80),
            (Known { cvss: None, severity: Severity::Low, ..nothing }, 20),
            (Known { severity: Severity::Critical, ..nothing }, 55),
            (Known { kev: kev(false), ..nothing }, 115),
            (Known { kev: kev(true), ..nothing }, 135),
            (Known { epss: epss(0.5), ..nothing }, 75),
            (Known { epss: epss(0.011), ..nothing }, 55),
            (Known { epss: epss(1e9), ..nothing }, 95),
            (Known { epss: epss(f64::NAN), ..nothing }, 55),
            (Known { exposure: Exposure::Internal, ..nothing }, 65),
            (Known { exposure: Exposure::Internet, ..nothing }, 75),
            (Known { scope: Some(Scope::Required), ..nothing }, 55),
            (Known { scope: Some(Scope::Optional), ..nothing }, 35),
            (Known { scope: Some(Scope::Excluded), ..nothing }, 15),
            (Known { fix: true, ..nothing }, 65),
            (Known { confidence: Some(Confidence::Medium), ..nothing }, 55),
            (Known { confidence: Some(Confidence::Low), ..nothing }, 25),
            (Known { malicious: true, ..nothing }, 200),
            (Known { malicious: true, scope: Some(Scope::Excluded), ..nothing }, 200),
        ] {
            assert_eq!(score(&known), points, "{known:?}");
        }
    }

    #[test]
    fn classes_begin_where_they_are_said_to() {
        let classes = [0, 59, 60, 99, 100, 139, 140, 200].map(|it| Class::of(it).as_str());
        assert_eq!(classes, ["P4", "P4", "P3", "P3", "P2", "P2", "P1", "P1"]);
    }

    #[test]
    fn sum_can_be_read() {
        let known = Known {
            cvss: Some(7.5),
            kev: kev(false),
            scope: Some(Scope::Excluded),
            fix: true,
            ..Known::default()
        };
        let priority = Priority {
            class: Class::P2,
            score: 115,
            vulnerability: String::new(),
            terms: known.terms(),
        };
        assert_eq!(priority.sum(), "cvss 75 + exploited 60 + exposure 10 − scope 40 + fix 10");
    }
}
