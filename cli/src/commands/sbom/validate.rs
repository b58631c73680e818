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
    /// The SBOM: CycloneDX 1.2 to 1.7 as JSON, or SPDX 2.2 or 2.3 as JSON or tag-value
    file: PathBuf,
}

#[derive(Serialize)]
struct Judgement {
    valid: bool,
    /// `cyclonedx` or `spdx`, once it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    spec_version: Option<&'static str>,
    /// Format and version, for people.
    #[serde(skip)]
    title: Option<String>,
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
    let error = match bom::read(bytes) {
        Ok(bom) => return Judgement::valid(bom.format, bom.problems, bom.problem_counts),
        Err(error) => error,
    };
    // What is more than can be read may be valid all the same.
    if let Ok(version) = schema::validate_cyclonedx(bytes) {
        return Judgement::valid(version.into(), Vec::new(), BTreeMap::new());
    }
    let reason = Some(error.to_string());
    let (format, violations) = match error {
        SchemaError::Invalid { format, violations } => (Some(format), violations),
        _ => (None, Vec::new()),
    };
    Judgement {
        valid: false,
        format: format.map(bom::Format::name),
        spec_version: None,
        title: format.map(|it| it.to_string()),
        reason,
        violations: violations.into_iter().map(Place::from).collect(),
        warnings: Vec::new(),
        warning_counts: BTreeMap::new(),
    }
}

impl Judgement {
    fn valid(
        format: bom::Format,
        problems: Vec<Problem>,
        warning_counts: BTreeMap<&'static str, usize>,
    ) -> Self {
        Self {
            valid: true,
            format: Some(format.name()),
            spec_version: Some(format.spec_version()),
            title: Some(format.to_string()),
            reason: None,
            violations: Vec::new(),
            warnings: problems.into_iter().map(Place::from).collect(),
            warning_counts,
        }
    }

    fn text(&self, file: &str) -> String {
        let title = self.title.as_deref().unwrap_or("SBOM");
        let mut text = match &self.reason {
            None => format!("{file}: valid {title}"),
            Some(reason) if self.violations.is_empty() => format!("{file}: {reason}"),
            Some(_) => format!("{file}: not valid {title}"),
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
