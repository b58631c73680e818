//! `attestry policy test`.

use std::path::PathBuf;

use ::policy::{
    DEFAULT_TIME_LIMIT,
    test_runner::{Outcome, TestReport, run_tests},
};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{self, Format, plain},
};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  attestry policy test policy")]
pub(crate) struct Args {
    /// Directory, or OPA bundle (*.tar.gz), of policies and their tests, *_test.rego
    #[arg(value_name = "DIR", default_value = "policy")]
    directory: PathBuf,
}

#[derive(Serialize)]
struct Line<'a> {
    test: &'a str,
    place: String,
    passed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let report = run_tests(&args.directory, DEFAULT_TIME_LIMIT)
        .map_err(|error| Failure::Input(format!("{}: {error}", args.directory.display())))?;
    if report.tests.is_empty() {
        let why = "no test: write rules named test_… in files named *_test.rego";
        return Err(Failure::Input(format!("{}: {why}", args.directory.display())));
    }
    match format {
        Format::Json => lines(&report)?,
        _ => output::result(format, &plain(&report.to_string()), &())?,
    }
    match report.passed() {
        true => Ok(()),
        false => Err(Failure::No(String::new())),
    }
}

fn lines(report: &TestReport) -> Result<(), Failure> {
    report.tests.iter().try_for_each(|(name, test)| {
        let error = match &test.outcome {
            Outcome::Error(reason) => Some(reason.as_str()),
            Outcome::Passed | Outcome::Failed => None,
        };
        let passed = test.outcome == Outcome::Passed;
        let line = Line { test: name, place: test.position.to_string(), passed, error };
        output::result(Format::Json, "", &line)
    })
}
