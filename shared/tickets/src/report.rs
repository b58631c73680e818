//! What one run did, or would do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most lines that a report has.
const LINES_MAX: usize = 1000;

/// What one run did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The tracker.
    pub tracker: String,
    /// What was done or could not be, in order; the first thousand.
    pub lines: Vec<Line>,
    /// How many steps were done, or would be.
    pub steps: u64,
    /// How many steps failed.
    pub failures: u64,
    /// How many entries wait for something, with a ticket or without.
    pub held: u64,
    /// How many tickets are open after it.
    pub open: u64,
    /// How many entries would be worth a ticket, but for the most that may be open.
    pub too_many: u64,
    /// Why the run ended before everything was done.
    pub stopped: Option<String>,
    /// When the tracker may be asked again, if it said so.
    pub wait_until: Option<Timestamp>,
}

/// One thing that was done, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The backlog entry.
    pub entry: String,
    /// Where its ticket is, if there is one.
    pub ticket: Option<String>,
    /// What it is about, in a few words.
    pub what: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It would be done.
    Planned,
    /// It was done.
    Done,
    /// It is waited for something.
    Held,
    /// It was not done, or nobody knows.
    Failed(String),
}

impl Report {
    /// Whether there is nothing more to do.
    pub fn is_settled(&self) -> bool {
        self.steps == 0 && self.failures == 0 && self.stopped.is_none()
    }

    pub(crate) fn line(&mut self, line: Line) {
        match line.outcome {
            Outcome::Planned | Outcome::Done => self.steps += 1,
            Outcome::Held => self.held += 1,
            Outcome::Failed(_) => self.failures += 1,
        }
        if self.lines.len() < LINES_MAX {
            self.lines.push(line);
        }
    }
}
