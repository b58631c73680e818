//! Which lines of the policies the tests evaluated, in the form of `opa test --coverage`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use regorus::Engine;
use serde::Serialize;

use crate::{Dialect, LoadError, references::package_path, rego};

/// The lines of all policies.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Coverage {
    /// By path below the policy directory.
    pub files: BTreeMap<String, FileCoverage>,
    /// How many lines were evaluated.
    pub covered_lines: usize,
    /// How many were not.
    pub not_covered_lines: usize,
    /// Percentage of the lines that were evaluated.
    pub coverage: f64,
}

/// The lines of one policy that can be evaluated.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FileCoverage {
    /// Lines that were evaluated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub covered: Vec<Lines>,
    /// Lines that were not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_covered: Vec<Lines>,
    /// How many were.
    pub covered_lines: usize,
    /// How many were not.
    pub not_covered_lines: usize,
    /// Percentage of the lines that were evaluated.
    pub coverage: f64,
}

/// Lines that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// The first.
    pub start: Row,
    /// The last.
    pub end: Row,
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Its number, from 1.
    pub row: u32,
}

/// The rule that [`mark`] adds.
const SEEN: &str = "attestry_seen";

/// Adds a rule in a line of its own: the engine says nothing of a file in which nothing was evaluated.
pub(super) fn mark(text: &mut String, dialect: Dialect) {
    text.push_str(&match dialect {
        Dialect::V0 => format!("\n{SEEN}[0] {{ true }}"),
        Dialect::V1 => format!("\n{SEEN} contains 0 if true"),
    });
}

impl Coverage {
    /// What `engine` has evaluated of the policies in `texts`, which are marked.
    pub(super) fn of(
        engine: &mut Engine,
        texts: &BTreeMap<String, String>,
    ) -> Result<Self, LoadError> {
        let packages: BTreeSet<String> = engine
            .get_modules()
            .iter()
            .filter(|module| texts.contains_key(module.package.span.source.get_path()))
            .map(|module| package_path(module).join("."))
            .collect();
        for package in packages {
            engine.eval_rule(format!("data.{package}.{SEEN}")).map_err(rego)?;
        }
        let mut coverage = Self::default();
        for file in engine.get_coverage_report().map_err(rego)?.files {
            if let Some(text) = texts.get(&file.path) {
                let mark = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
                let own = |lines: BTreeSet<u32>| lines.into_iter().filter(|line| *line != mark);
                let (covered, not_covered) =
                    (own(file.covered).collect(), own(file.not_covered).collect());
                coverage.files.insert(file.path, FileCoverage::of(&covered, &not_covered));
            }
        }
        coverage.count();
        Ok(coverage)
    }

    /// Adds other files.
    pub(super) fn add(&mut self, other: Self) {
        self.files.extend(other.files);
        self.count();
    }

    fn count(&mut self) {
        self.covered_lines = self.files.values().map(|file| file.covered_lines).sum();
        self.not_covered_lines = self.files.values().map(|file| file.not_covered_lines).sum();
        self.coverage = percentage(self.covered_lines, self.not_covered_lines);
    }
}

impl FileCoverage {
    fn of(covered: &BTreeSet<u32>, not_covered: &BTreeSet<u32>) -> Self {
        Self {
            covered: ranges(covered),
            not_covered: ranges(not_covered),
            covered_lines: covered.len(),
            not_covered_lines: not_covered.len(),
            coverage: percentage(covered.len(), not_covered.len()),
        }
    }
}

fn ranges(lines: &BTreeSet<u32>) -> Vec<Lines> {
    let mut ranges: Vec<Lines> = Vec::new();
    for &row in lines {
        match ranges.last_mut() {
            Some(last) if last.end.row + 1 == row => last.end.row = row,
            _ => ranges.push(Lines { start: Row { row }, end: Row { row } }),
        }
    }
    ranges
}

/// To two decimals, as OPA does; where there is nothing, nothing is missing.
fn percentage(covered: usize, not_covered: usize) -> f64 {
    match covered + not_covered {
        0 => 100.0,
        all => (covered as f64 * 10_000.0 / all as f64).round() / 100.0,
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (path, file) in &self.files {
            write!(f, "{path}: {}% covered", file.coverage)?;
            let missing: Vec<String> = file.not_covered.iter().map(ToString::to_string).collect();
            match missing.is_empty() {
                true => writeln!(f)?,
                false => writeln!(f, ", without lines {}", missing.join(", "))?,
            }
        }
        write!(
            f,
            "{}% of {} lines covered",
            self.coverage,
            self.covered_lines + self.not_covered_lines
        )
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start == self.end {
            true => write!(f, "{}", self.start.row),
            false => write!(f, "{}-{}", self.start.row, self.end.row),
        }
    }
}
