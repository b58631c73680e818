//! What can be wrong with a lockfile: said with the place and the remedy.

use std::fmt;

use super::{MAX_LOCKFILE_BYTES, MAX_PACKAGES, Note, known_names};
use crate::inventory::Missing;

/// A lockfile that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockfileError {
    /// The file, as it was given to [`parse`](super::parse).
    pub path: String,
    /// Where in the file, where known.
    pub position: Option<Position>,
    /// What is wrong.
    pub problem: Problem,
    relock: &'static str,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in bytes, from 1.
    pub column: usize,
}

/// What is wrong with a lockfile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// No reader for a file of this name.
    #[error("no lockfile of this name is known")]
    UnknownFormat,
    /// More than [`MAX_LOCKFILE_BYTES`].
    #[error("the file has {bytes} bytes, more than the {MAX_LOCKFILE_BYTES} that are read")]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// More keys and values than memory is set aside for.
    #[error("the file has more keys and values than the {limit} that are read")]
    TooManyValues {
        /// How many are read.
        limit: usize,
    },
    /// More than [`MAX_PACKAGES`].
    #[error("the file has {packages} packages, more than the {MAX_PACKAGES} that are read")]
    TooManyPackages {
        /// How many there are.
        packages: usize,
    },
    /// More edges between packages than memory is set aside for.
    #[error("the packages depend on one another in more than the {limit} ways that are read")]
    TooManyEdges {
        /// How many are read.
        limit: usize,
    },
    /// A text longer than is read of its kind.
    #[error("`{field}` has {bytes} bytes, more than the {limit} that are read")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Length of the text.
        bytes: usize,
        /// How many are read.
        limit: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("the file is not UTF-8 text")]
    NotUtf8,
    /// The file's grammar is broken.
    #[error("syntax error: {message}")]
    Syntax {
        /// What the parser says.
        message: String,
    },
    /// Git left its markers behind.
    #[error("an unresolved merge conflict")]
    MergeConflict,
    /// A format version that is not known to mean what the known ones mean.
    #[error("`version = {version}` of the format is not known")]
    UnsupportedVersion {
        /// The version found.
        version: i64,
    },
    /// Something that a package cannot be without.
    #[error("{owner} has no `{field}`")]
    MissingField {
        /// What lacks it.
        owner: String,
        /// The field.
        field: &'static str,
    },
    /// A value that breaks the rules of its field.
    #[error("`{field}` is {value:?}, which is not {expected}")]
    InvalidValue {
        /// The field.
        field: &'static str,
        /// The value, shortened.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A file that this one includes and that cannot be read with it.
    #[error("it includes `{file}`, {why}")]
    LacksPart {
        /// The file, as this one names it.
        file: String,
        /// Why it cannot be read.
        why: String,
    },
    /// The same name, version and source twice.
    #[error("package `{package}` is there twice")]
    DuplicatePackage {
        /// Name and version.
        package: String,
    },
    /// A dependency on a package that is not in the file.
    #[error("`{package}` depends on `{dependency}`, which is not in the file")]
    DanglingDependency {
        /// The package that asks.
        package: String,
        /// What it asks for.
        dependency: String,
    },
    /// A dependency that fits several packages.
    #[error("`{package}` depends on `{dependency}`, which could be several packages of the file")]
    AmbiguousDependency {
        /// The package that asks.
        package: String,
        /// What it asks for.
        dependency: String,
    },
}

/// A problem before it is known in which file, and by byte offset.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) offset: Option<usize>,
    pub(crate) problem: Problem,
}

impl Problem {
    /// This problem, found at byte `offset`.
    pub(crate) fn at(self, offset: usize) -> Fault {
        Fault { offset: Some(offset), problem: self }
    }

    /// This problem of the file as a whole.
    pub(crate) fn anywhere(self) -> Fault {
        Fault { offset: None, problem: self }
    }
}

impl Fault {
    /// What to say of a file beside a lockfile that has this fault: the lockfile is read without it.
    pub(super) fn note(&self, path: &str, text: &str) -> Note {
        let line = self.line(text);
        let message = format!("{}, line {line}: {}; read without it", path, self.problem);
        Note { line: 1, message: message.escape_debug().take(300).collect() }
    }

    /// What to say of the place in an included file that has this fault.
    pub(super) fn within(&self, text: &str) -> String {
        let why = format!("which has in line {}: {}", self.line(text), self.problem);
        why.escape_debug().take(300).collect()
    }

    fn line(&self, text: &str) -> usize {
        Position::of(text.as_bytes(), self.offset.unwrap_or_default()).line
    }
}

impl Position {
    /// The place of byte `offset` in `text`.
    pub(crate) fn of(text: &[u8], offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line_start = before.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Self { line, column: before.len() - line_start + 1 }
    }
}

impl LockfileError {
    pub(super) fn new(
        path: &str,
        position: Option<Position>,
        problem: Problem,
        relock: &'static str,
    ) -> Self {
        Self { path: path.to_owned(), position, problem, relock }
    }

    fn remedy(&self) -> String {
        let relock = self.relock;
        match &self.problem {
            Problem::UnknownFormat => {
                let names: Vec<_> = known_names().collect();
                format!("name one of {}", names.join(", "))
            }
            Problem::TooLarge { .. }
            | Problem::TooManyValues { .. }
            | Problem::TooManyPackages { .. }
            | Problem::TooManyEdges { .. }
            | Problem::TooLong { .. } => {
                format!("{relock}; if it stays as large, split the project into several lockfiles")
            }
            Problem::MergeConflict => format!("take one side, then {relock}"),
            Problem::UnsupportedVersion { .. } => {
                "lock with an older release of the tool, or update Attestry".to_owned()
            }
            Problem::LacksPart { .. } => {
                "mend it, lay it where it is looked for, and send it with the build".to_owned()
            }
            _ => relock.to_owned(),
        }
    }
}

impl fmt::Display for LockfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths come from outside; a log line must stay one line.
        write!(f, "{}", self.path.escape_debug())?;
        if let Some(Position { line, column }) = self.position {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}; {}", self.problem, self.remedy())
    }
}

impl std::error::Error for LockfileError {}

impl From<LockfileError> for Missing {
    fn from(error: LockfileError) -> Self {
        let line = error.position.map(|it| it.line);
        let reason = format!("{}; {}", error.problem, error.remedy());
        Self { path: error.path, line, reason }
    }
}
