//! What a record says once it is read, and what a match tells.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cvss, Ecosystem, Epss, Kev, Release, Severity};

/// One OSV record, as far as matching and telling people need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Id of the record, such as `GHSA-…`, `PYSEC-…` or `RUSTSEC-…`.
    pub id: String,
    /// Other ids of the same vulnerability, sorted, each once.
    pub aliases: Vec<String>,
    /// Ids of the vulnerabilities that a distribution's record is about, sorted, each once. Not other ids of one
    /// vulnerability: there may be several (OSV schema, `upstream`).
    pub upstream: Vec<String>,
    /// When the record was last changed.
    pub modified: Option<Timestamp>,
    /// When the record was published.
    pub published: Option<Timestamp>,
    /// When the record was taken back; such a record never matches.
    pub withdrawn: Option<Timestamp>,
    /// One line about the vulnerability; empty where the record has none.
    pub summary: String,
    /// What the CVSS vector amounts to, else what the database says.
    pub severity: Severity,
    /// The CVSS vector with the highest score, if the record has one that can be read.
    pub cvss: Option<Cvss>,
    /// Affected packages of the ecosystems that can be matched; others are left out.
    pub affected: Vec<Affected>,
}

/// One package that a record names, and the versions it speaks of (OSV schema, `affected[]`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Affected {
    /// Ecosystem of the package.
    pub ecosystem: Ecosystem,
    /// The release of the distribution that is spoken of; none where the record names none.
    pub release: Option<Release>,
    /// Name as the record writes it.
    pub name: String,
    /// Version ranges; those of commits of versions, not of commits.
    pub ranges: Vec<Range>,
    /// Affected versions that no range covers.
    pub versions: Vec<String>,
    /// The latest version that is listed, where no later one ends what is affected.
    pub last_known: Option<String>,
    /// Whether there are ranges of commits and nothing else, so that no version can be judged.
    pub only_commits: bool,
    /// What is said of this package in a word, such as a distribution's urgency.
    pub severity: Severity,
    /// Set where the record informs rather than warns of a flaw, such as `unmaintained` (RustSec).
    pub informational: Option<String>,
}

/// Events in the ecosystem's version order (OSV schema, `affected[].ranges[]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The events, sorted; those of equal version as the record orders them.
    pub events: Vec<Event>,
}

/// What happens at a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// Affected from here on; `0` is before every version.
    Introduced(String),
    /// Not affected from here on.
    Fixed(String),
    /// Not affected after this.
    LastAffected(String),
    /// Nothing is said of versions from here on.
    Limit(String),
}

/// A vulnerability that a package has, all records about it joined.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Match {
    /// A CVE id if there is one, else a GHSA id, else the smallest id.
    pub id: String,
    /// All other ids of the vulnerability, sorted.
    pub aliases: Vec<String>,
    /// Ids of the vulnerabilities that the matching records of distributions are about, sorted.
    pub upstream: Vec<String>,
    /// Ids of the records by which the package is affected, sorted.
    pub advisories: Vec<String>,
    /// One line about the vulnerability; empty where no record has one.
    pub summary: String,
    /// The strongest severity that a matching record states.
    pub severity: Severity,
    /// The CVSS vector with the highest score among the matching records.
    pub cvss: Option<Cvss>,
    /// Lowest version above the found one that fixes the vulnerability and that no joined record affects.
    pub fixed: Option<String>,
    /// How the package was found to be affected.
    pub rule: MatchRule,
    /// How far the rule can be relied on.
    pub confidence: Confidence,
    /// What lessens the confidence, in the order of [`Doubt`], each once.
    pub doubts: Vec<Doubt>,
    /// Set where every matching record only informs, such as `unmaintained` (RustSec).
    pub informational: Option<String>,
    /// Whether a matching record is one of malicious packages (`MAL-…`) or has such an alias: the package itself is the
    /// attack. Such records seldom state a severity.
    pub malicious: bool,
    /// What CISA's catalogue of exploited vulnerabilities says of any of the ids: the earliest dates, and whether
    /// ransomware uses any of them.
    pub kev: Option<Kev>,
    /// The highest EPSS score of any of the ids.
    pub epss: Option<Epss>,
    /// When a matching record was first published.
    pub published: Option<Timestamp>,
    /// Latest change of a matching record, as RFC 3339 writes it; empty where none says.
    pub modified: String,
}

impl Match {
    /// Every id that the vulnerability is known by, and those of what it is about.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        [&self.id].into_iter().chain(&self.aliases).chain(&self.upstream).map(String::as_str)
    }
}

/// Why a package counts as affected; the one that can be relied on most comes last.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum MatchRule {
    /// A document says so, and no record was asked.
    Reported,
    /// A record names the package, but only by ranges of commits, whose order only the repository knows.
    GitRange,
    /// A record lists exactly this version.
    ExactVersion,
    /// The version lies within a range of a record.
    Range,
}

/// How far a finding can be relied on, least first.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Look at it before you act.
    Low,
    /// Likely, on an assumption that the doubts name.
    Medium,
    /// Package and version are those that the record names.
    High,
}

impl Confidence {
    /// The word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// What lessens the confidence in a finding.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The record writes the name in another case, where case tells packages apart. Medium.
    NameByCase,
    /// The version found follows no rule of its ecosystem, so that its place in the order is ours. Low.
    IrregularVersion,
    /// The record speaks of one release of a distribution, and the package does not tell its own. Low.
    NoRelease,
    /// The record names a source package, and that of the binary one is not told: their names are taken to agree. Medium.
    SourcePackageGuessed,
    /// The version is newer than every version that the record knows: nobody may have looked at it. Medium.
    BeyondLastKnown,
    /// Only commits are named, whose order only the repository knows. Low.
    GitRange,
    /// Only a document says so. Medium.
    BySupplier,
}

impl Doubt {
    /// The words in lower case, with hyphens.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NameByCase => "name-by-case",
            Self::IrregularVersion => "irregular-version",
            Self::NoRelease => "no-release",
            Self::SourcePackageGuessed => "source-package-guessed",
            Self::BeyondLastKnown => "beyond-last-known",
            Self::GitRange => "git-range",
            Self::BySupplier => "by-supplier",
        }
    }

    /// How far a finding with this doubt can be relied on.
    pub fn confidence(self) -> Confidence {
        match self {
            Self::IrregularVersion | Self::NoRelease | Self::GitRange => Confidence::Low,
            Self::NameByCase
            | Self::SourcePackageGuessed
            | Self::BeyondLastKnown
            | Self::BySupplier => Confidence::Medium,
        }
    }
}
