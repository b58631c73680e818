//! Runs the tests that lie beside policies: every `test_…` rule in `*_test.rego`, as OPA does.

mod cases;
mod coverage;
mod run;

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use regex::Regex;

pub use self::coverage::{Coverage, FileCoverage, Lines};
use super::{DEFAULT_TIME_LIMIT, Dialect, LoadError, Position, evaluate, files::Files};

/// Which tests are run, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Longest evaluation of a test.
    pub time_limit: Duration,
    /// Only tests with a name, `data.<package>.<rule>`, that this matches.
    pub run: Option<Regex>,
    /// Whether the first failure is enough.
    pub stops_at_failure: bool,
    /// Whether to find out which lines of the policies were evaluated.
    pub coverage: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { time_limit: DEFAULT_TIME_LIMIT, run: None, stops_at_failure: false, coverage: false }
    }
}

/// What became of every test, by name.
#[derive(Debug, Default)]
pub struct TestReport {
    /// The tests, in the order of their names.
    pub tests: BTreeMap<String, Test>,
    /// Which lines were evaluated, if that was asked.
    pub coverage: Option<Coverage>,
}

/// One `test_…` rule.
#[derive(Debug)]
pub struct Test {
    /// Where it is written.
    pub position: Position,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a test.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rule is true, or each of its cases.
    Passed,
    /// The rule is undefined or anything but true, or some of its cases are.
    Failed(Vec<Untrue>),
    /// The rule could not be evaluated.
    Error(String),
    /// It is still to be done: its name begins with `todo_`.
    Skipped,
}

/// What of a test is not true.
#[derive(Debug, PartialEq, Eq)]
pub struct Untrue {
    /// The case, of a test that has cases: `test_x[case] if …`.
    pub case: Option<String>,
    /// The first expression that does not hold, where one can be told.
    pub expression: Option<Expression>,
}

/// An expression in the body of a test.
#[derive(Debug, PartialEq, Eq)]
pub struct Expression {
    /// Where it begins.
    pub position: Position,
    /// Its first line.
    pub text: String,
}

impl TestReport {
    /// Whether there are tests, and none fails.
    pub fn passed(&self) -> bool {
        !self.tests.is_empty() && self.failures().next().is_none()
    }

    /// The tests that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = (&String, &Test)> {
        self.tests
            .iter()
            .filter(|(_, test)| !matches!(test.outcome, Outcome::Passed | Outcome::Skipped))
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, Test { position, outcome }) in self.failures() {
            match outcome {
                Outcome::Error(reason) => writeln!(f, "{position}: {name}: {reason}")?,
                Outcome::Failed(untrue) => {
                    untrue.iter().try_for_each(|it| writeln!(f, "{position}: {name}{it}"))?;
                }
                Outcome::Passed | Outcome::Skipped => {}
            }
        }
        let count = |wanted: fn(&Outcome) -> bool| {
            self.tests.values().filter(|test| wanted(&test.outcome)).count()
        };
        let skipped = count(|outcome| *outcome == Outcome::Skipped);
        let (passed, all) = (count(|outcome| *outcome == Outcome::Passed), self.tests.len());
        write!(f, "{passed} of {} tests passed", all - skipped)?;
        match skipped {
            0 => Ok(()),
            _ => write!(f, ", {skipped} skipped"),
        }
    }
}

impl fmt::Display for Untrue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(case) = &self.case {
            write!(f, "[{case:?}]")?;
        }
        f.write_str(": is not true")?;
        match &self.expression {
            Some(Expression { position, text }) => write!(f, "\n  {position}: {text}"),
            None => Ok(()),
        }
    }
}

/// Runs the tests in `place`, a directory or an OPA bundle.
///
/// # Errors
///
/// Refuses files that cannot be parsed, call unknown functions, or are recursive: see
/// [`LoadError`].
pub fn run_tests(place: &Path, options: &Options) -> Result<TestReport, LoadError> {
    let files = Files::read(place)?;
    let all = || {
        let mut report = TestReport::default();
        for dialect in [Dialect::V1, Dialect::V0] {
            if !(options.stops_at_failure && report.failures().next().is_some()) {
                run::run(&files, dialect, options, &mut report)?;
            }
        }
        Ok(report)
    };
    evaluate::on_own_stack(all).unwrap_or_else(|reason| Err(LoadError::Sample { reason }))
}

#[cfg(test)]
mod tests;
