//! Metadata that cannot be read: said with its place and the remedy.

use std::fmt;

use crate::lockfile::{Position, Problem, error};

/// A file inside an artifact that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataError {
    /// The file, as it was given to [`read`](super::read).
    pub path: String,
    /// Line from 1, where known.
    pub line: Option<usize>,
    /// What is wrong.
    pub problem: Problem,
    remedy: &'static str,
}

/// A problem before it is known in which file.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: Option<usize>,
    pub(super) problem: Problem,
}

impl Fault {
    /// A fault of `text`, whose place is known by byte.
    pub(super) fn placed(fault: error::Fault, text: &str) -> Self {
        let line = fault.offset.map(|offset| Position::of(text.as_bytes(), offset).line);
        Self { line, problem: fault.problem }
    }

    /// Broken grammar on `line`.
    pub(super) fn syntax(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), problem: Problem::Syntax { message: message.into() } }
    }

    /// Something that the file, or `owner` in it, cannot be without.
    pub(super) fn missing(owner: &str, field: &'static str) -> Self {
        let owner = owner.chars().take(80).collect();
        Problem::MissingField { owner, field }.into()
    }

    /// This fault, on `line` where it has no place yet.
    pub(super) fn on(self, line: usize) -> Self {
        Self { line: self.line.or(Some(line)), ..self }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { line: None, problem }
    }
}

impl MetadataError {
    pub(super) fn new(path: &str, fault: Fault, remedy: &'static str) -> Self {
        Self { path: path.to_owned(), line: fault.line, problem: fault.problem, remedy }
    }
}

impl fmt::Display for MetadataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Paths come from outside; a log line must stay one line.
        write!(f, "{}", self.path.escape_debug())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}; {}", self.problem, self.remedy)
    }
}

impl std::error::Error for MetadataError {}
