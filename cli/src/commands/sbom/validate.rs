//! `attestry sbom validate`: the official schema, and what it does not see.

use std::{collections::BTreeMap, fmt::Write, path::PathBuf};

use documents::{
    bom::{self, Problem},
    schema::{self, SchemaError, Violation},
};
use serde::Serialize;

use super::read_document;
use crate::{
    failure::Failure,
    output::{self, Format},
};

#[derive(clap::Args)]
#[command(
    after_help = "Exit code 0: valid; 1: not valid. What is valid but suspicious, such as references to nothing, is a warning.\n\nExample:\n  attestry sbom validate sbom.json"
)]
pub(crate) struct Args {
    /// The SBOM
    file: PathBuf,
}

#[derive(Serialize)]
struct Judgement {
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec_version: Option<&'static str>,
    /// Why it is not valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    violations: Vec<Place>,
    /// What is valid but suspicious.
    warnings: Vec<Place>,
    warning_counts: BTreeMap<&'static str, usize>,
}

#[derive(Serialize)]
struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    pointer: String,
    message: String,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let bytes = read_document(&args.file)?;
    let judgement = judge(&bytes);
    let text = output::plain(&judgement.text(&args.file.display().to_string()));
    output::result(format, &text, &judgement)?;
    if judgement.valid { Ok(()) } else { Err(Failure::No(String::new())) }
}

fn judge(bytes: &[u8]) -> Judgement {
    if let Ok(bom) = bom::read(bytes) {
        return Judgement {
            valid: true,
            spec_version: Some(bom.version.as_str()),
            reason: None,
            violations: Vec::new(),
            warnings: bom.problems.into_iter().map(Place::from).collect(),
            warning_counts: bom.problem_counts,
        };
    }
    // Versions before 1.4 are judged, but not read any further.
    let (spec_version, error) = match schema::validate_cyclonedx(bytes) {
        Ok(version) => (Some(version.as_str()), None),
        Err(error) => (None, Some(error)),
    };
    Judgement {
        valid: error.is_none(),
        spec_version,
        reason: error.as_ref().map(ToString::to_string),
        violations: match error {
            Some(SchemaError::Invalid { violations, .. }) => {
                violations.into_iter().map(Place::from).collect()
            }
            _ => Vec::new(),
        },
        warnings: Vec::new(),
        warning_counts: BTreeMap::new(),
    }
}

impl Judgement {
    fn text(&self, file: &str) -> String {
        let mut text = match (self.spec_version, &self.reason) {
            (Some(version), _) => format!("{file}: valid CycloneDX {version}"),
            (None, Some(reason)) if self.violations.is_empty() => format!("{file}: {reason}"),
            (None, _) => format!("{file}: not valid CycloneDX"),
        };
        // Writing to a `String` cannot fail.
        for Place { pointer, message, .. } in &self.violations {
            let pointer = if pointer.is_empty() { "/" } else { pointer };
            _ = write!(text, "\n  {pointer}: {message}");
        }
        if !self.violations.is_empty() {
            text.push_str("\nCorrect these places, or the tool that wrote them.");
        }
        for Place { code, pointer, message } in &self.warnings {
            let code = code.unwrap_or_default();
            _ = write!(text, "\n  warning: {pointer}: {message} ({code})");
        }
        let hidden = self.warning_counts.values().sum::<usize>() - self.warnings.len();
        if hidden > 0 {
            _ = write!(text, "\n  … and {hidden} more warnings of the same kinds");
        }
        text
    }
}

impl From<Problem> for Place {
    fn from(Problem { code, pointer, message }: Problem) -> Self {
        Self { code: Some(code), pointer, message }
    }
}

impl From<Violation> for Place {
    fn from(Violation { pointer, message }: Violation) -> Self {
        Self { code: None, pointer, message }
    }
}
