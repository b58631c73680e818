//! Runs the tests that lie beside policies: every `test_…` rule in `*_test.rego`, as OPA does.

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use regorus::Value;

use super::{
    LoadError, Position, engine, evaluate,
    files::Files,
    references::{package_path, rule_path},
    rules::position,
};

/// What became of every test, by name.
#[derive(Debug, Default)]
pub struct TestReport {
    /// The tests, in the order of their names.
    pub tests: BTreeMap<String, Test>,
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
    /// The rule is true.
    Passed,
    /// The rule is undefined or anything but true.
    Failed,
    /// The rule could not be evaluated.
    Error(String),
}

impl TestReport {
    /// Whether there are tests, and all pass.
    pub fn passed(&self) -> bool {
        !self.tests.is_empty() && self.failures().next().is_none()
    }

    /// The tests that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = (&String, &Test)> {
        self.tests.iter().filter(|(_, test)| test.outcome != Outcome::Passed)
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, test) in self.failures() {
            let why = match &test.outcome {
                Outcome::Error(reason) => reason,
                _ => "is not true",
            };
            writeln!(f, "{}: {name}: {why}", test.position)?;
        }
        let failed = self.failures().count();
        write!(f, "{} of {} tests passed", self.tests.len() - failed, self.tests.len())
    }
}

/// Runs all tests in `directory` and below, each for at most `time_limit`.
///
/// # Errors
///
/// Refuses files that cannot be parsed, call unknown functions, or are recursive: see
/// [`LoadError`].
pub fn run_tests(directory: &Path, time_limit: Duration) -> Result<TestReport, LoadError> {
    run_while(directory, time_limit, |_| true)
}

/// As [`run_tests`], up to the first test that does not pass: enough to know whether one fails.
///
/// # Errors
///
/// As [`run_tests`].
pub fn run_until_failure(directory: &Path, time_limit: Duration) -> Result<TestReport, LoadError> {
    run_while(directory, time_limit, |outcome| *outcome == Outcome::Passed)
}

fn run_while(
    directory: &Path,
    time_limit: Duration,
    goes_on: impl Fn(&Outcome) -> bool + Send + Sync,
) -> Result<TestReport, LoadError> {
    let files = Files::read(directory)?;
    evaluate::on_own_stack(|| run(&files, time_limit, &goes_on))
        .unwrap_or_else(|reason| Err(LoadError::Sample { reason }))
}

fn run(
    files: &Files,
    time_limit: Duration,
    goes_on: impl Fn(&Outcome) -> bool,
) -> Result<TestReport, LoadError> {
    let policies = files.policies.iter().chain(&files.tests);
    let (mut engine, _) = engine(super::Dialect::V1, policies, files.data.as_deref(), time_limit)?;

    let mut places = BTreeMap::new();
    for module in engine.get_modules().iter() {
        for rule in &module.policy {
            let (file, path) = (position(rule.span()), rule_path(rule));
            if let [name] = path.as_slice()
                && name.starts_with("test_")
                && files.tests.contains_key(&file.file)
            {
                places
                    .entry(format!("data.{}.{name}", package_path(module).join(".")))
                    .or_insert(file);
            }
        }
    }
    let mut report = TestReport::default();
    for (name, position) in places {
        let outcome = match engine.eval_rule(name.clone()) {
            Ok(Value::Bool(true)) => Outcome::Passed,
            Ok(_) => Outcome::Failed,
            Err(error) => Outcome::Error(evaluate::reason(&error, time_limit)),
        };
        let is_last = !goes_on(&outcome);
        report.tests.insert(name, Test { position, outcome });
        if is_last {
            break;
        }
    }
    Ok(report)
}
