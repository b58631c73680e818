//! Known vulnerabilities: OSV records in, one compact index out, and whether a package is affected, and known to be
//! exploited (KEV) or likely to be (EPSS). No network, no clock.

mod advisory;
mod build;
mod current;
mod ecosystem;
mod epss;
mod error;
mod exploitation;
mod index;
mod judge;
mod kev;
mod osv;
mod package;
mod range;
mod release;
mod severity;
mod source;
mod store;
mod tables;
mod version;

pub use crate::{
    advisory::{Advisory, Affected, Confidence, Doubt, Event, Match, MatchRule, Range},
    current::CurrentIndex,
    ecosystem::Ecosystem,
    error::{BuildProblem, BuildReport, IndexError, MAX_LISTED_PROBLEMS},
    exploitation::{Epss, Kev},
    index::Index,
    package::{NotMatchable, Package},
    release::Release,
    severity::{Cvss, Severity},
    source::{MAX_RECORD_BYTES, MAX_RECORDS},
};
