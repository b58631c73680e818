//! `attestry policy test`.

use std::path::PathBuf;

use ::policy::test_runner::{Coverage, Options, Outcome, TestReport, Untrue, run_tests};
use regex::Regex;
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{self, Format, plain},
};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry policy test policy\n  attestry policy test policy --run 'test_a_build.*denied'\n  attestry policy test bundle.tar.gz --coverage --threshold 90"
)]
pub(crate) struct Args {
    /// Directory, or OPA bundle (*.tar.gz), of policies and their tests, *_test.rego
    #[arg(value_name = "DIR", default_value = "policy")]
    directory: PathBuf,
    /// Only tests whose name, data.PACKAGE.RULE, this regular expression matches
    #[arg(long, short, value_name = "REGEX")]
    run: Option<Regex>,
    /// Tell which lines of the policies the tests evaluate
    #[arg(long)]
    coverage: bool,
    /// Fail where fewer of these lines are evaluated, in percent
    #[arg(long, value_name = "PERCENT", requires = "coverage", value_parser = percent)]
    threshold: Option<f64>,
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.parse().ok().filter(|it| (0.0..=100.0).contains(it));
    percent.ok_or_else(|| "is no number from 0 to 100".to_owned())
}

#[derive(Serialize)]
struct Line<'a> {
    test: &'a str,
    place: String,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failed: Vec<Failed<'a>>,
}

#[derive(Serialize)]
struct Failed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression: Option<&'a str>,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let options = Options { run: args.run.clone(), coverage: args.coverage, ..Options::default() };
    let report = run_tests(&args.directory, &options)
        .map_err(|error| Failure::Input(format!("{}: {error}", args.directory.display())))?;
    if report.tests.is_empty() {
        let why = match &args.run {
            Some(run) => format!("no test has a name that `{run}` matches"),
            None => "no test: write rules named test_… in files named *_test.rego".to_owned(),
        };
        return Err(Failure::Input(format!("{}: {why}", args.directory.display())));
    }
    match format {
        Format::Json => lines(&report)?,
        _ => output::result(format, &plain(&report.to_string()), &())?,
    }
    if let Some(coverage) = &report.coverage {
        output::result(format, &plain(&coverage.to_string()), coverage)?;
    }
    match report.passed() {
        true => enough(report.coverage.as_ref(), args.threshold),
        false => Err(Failure::No(String::new())),
    }
}

fn enough(coverage: Option<&Coverage>, threshold: Option<f64>) -> Result<(), Failure> {
    match (coverage, threshold) {
        (Some(Coverage { coverage, .. }), Some(threshold)) if *coverage < threshold => {
            Err(Failure::No(format!("{coverage}% of the lines are covered, and not {threshold}%")))
        }
        _ => Ok(()),
    }
}

fn lines(report: &TestReport) -> Result<(), Failure> {
    report.tests.iter().try_for_each(|(name, test)| {
        let error = match &test.outcome {
            Outcome::Error(reason) => Some(reason.as_str()),
            _ => None,
        };
        let failed = match &test.outcome {
            Outcome::Failed(untrue) => untrue.iter().map(Failed::of).collect(),
            _ => vec![],
        };
        let passed = test.outcome == Outcome::Passed;
        let skipped = test.outcome == Outcome::Skipped;
        let place = test.position.to_string();
        let line = Line { test: name, place, passed, error, skipped, failed };
        output::result(Format::Json, "", &line)
    })
}

impl<'a> Failed<'a> {
    fn of(untrue: &'a Untrue) -> Self {
        let expression = untrue.expression.as_ref();
        Self {
            case: untrue.case.as_deref(),
            place: expression.map(|it| it.position.to_string()),
            expression: expression.map(|it| it.text.as_str()),
        }
    }
}
