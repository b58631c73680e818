//! Why there is no index, and what was left out of one.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::Serialize;

/// Most problems that a [`BuildReport`] lists; the rest are only counted.
pub const MAX_LISTED_PROBLEMS: usize = 100;
/// Most ecosystems that are counted each by its name; OSV knows fifty.
pub(crate) const MAX_ECOSYSTEMS: usize = 1000;

/// There is no index to work with.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// A file or directory could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The source is of no kind that can be read.
    #[error("{path}: not a source of advisories; give a directory, .json, .jsonl or .zip file of OSV records, the .json of KEV, or the .csv or .csv.gz of EPSS", path = path.display())]
    UnknownSource {
        /// The source.
        path: PathBuf,
    },
    /// The sources hold more than an index may.
    #[error("the sources hold {what} than {most}; give fewer of them")]
    TooLarge {
        /// What there is too much of, such as `more records`.
        what: &'static str,
        /// How many are allowed.
        most: u64,
    },
    /// The file is no index.
    #[error("{path}: not an advisory index; run `attestry advisories sync` and use what it writes", path = path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file is an index of another format.
    #[error("{path}: format {found} of the advisory index, but this program reads {readable}; run `attestry advisories sync` again", path = path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// Format of the file.
        found: u32,
        /// Format that can be read.
        readable: u32,
    },
    /// The file is an index, but not whole.
    #[error("{path}: damaged advisory index ({reason}); run `attestry advisories sync` again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
}

impl IndexError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

/// What was read to build an index, and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BuildReport {
    /// Records that could be read.
    pub records: usize,
    /// Records in the index: each id once, the one that was changed last.
    pub advisories: usize,
    /// Records of an id that came several times, but for the one that counts.
    pub superseded: usize,
    /// Records whose id the index before did not have; 0 where there was none, as below.
    pub added: usize,
    /// Records that differ from those of the same id in the index before.
    pub changed: usize,
    /// Records of the index before whose id this one does not have.
    pub removed: usize,
    /// Records in the index that were withdrawn, and so never match.
    pub withdrawn: usize,
    /// Records in the index that name a package of an ecosystem which can be matched.
    pub matchable: usize,
    /// Records in the index by ecosystem, without suffix; one that names several counts for each.
    pub ecosystems: BTreeMap<String, usize>,
    /// GIT ranges, which name no version and are left out.
    pub git_ranges: usize,
    /// Vulnerabilities in the index that are known to be exploited (CISA's KEV).
    pub kev: usize,
    /// When the newest catalogue of them was released.
    pub kev_released: Option<Timestamp>,
    /// Vulnerabilities in the index that have an EPSS score.
    pub epss: usize,
    /// When the newest scores were computed.
    pub epss_scored: Option<Timestamp>,
    /// Files in directories and archives that are not named like records or lists.
    pub other_files: usize,
    /// Files, records, rows and parts of records that could not be read: the first [`MAX_LISTED_PROBLEMS`] of them.
    pub problems: Vec<BuildProblem>,
    /// How many files, records, rows and parts of records could not be read.
    pub problem_count: usize,
}

/// A file, a record or a part of one that could not be read, and so is not in the index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct BuildProblem {
    /// Where it lies: a file, with the line of a `.jsonl` or `.csv` or the entry of a `.zip`.
    pub place: String,
    /// What is wrong with it.
    pub reason: String,
}
