//! `attestry policy eval`.

use std::path::{Path, PathBuf};

use ::policy::{Evaluator, Limits, MAX_INPUT_BYTES, Report};
use advisories::CurrentIndex;
use events::{BuildKind, Environment, VerdictResult};
use jiff::Timestamp;
use policy_gate::offline::Documents;

use crate::{
    commands::{build::outcome::ReportFormat, verdict::environment},
    failure::Failure,
    output::{self, Format, note},
    read,
};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry policy eval --sbom dist/sbom/app-sbom.json --provenance dist/provenance/provenance.json\n  attestry policy eval --sbom sbom.json --policy bundle.tar.gz --report sarif\n  attestry policy eval --input input.json"
)]
pub(crate) struct Args {
    /// CycloneDX SBOM
    #[arg(long, value_name = "FILE", required_unless_present = "input")]
    sbom: Option<PathBuf>,
    /// In-toto statement with SLSA provenance
    #[arg(long, value_name = "FILE")]
    provenance: Option<PathBuf>,
    /// VEX document, OpenVEX, CycloneDX or CSAF, as if an operator had added it; repeat for several
    #[arg(long, value_name = "FILE")]
    vex: Vec<PathBuf>,
    /// CycloneDX SBOM of the build that was promoted before
    #[arg(long, value_name = "FILE")]
    previous: Option<PathBuf>,
    /// A whole input document instead, attestry.policy-input/v1 or attestry.supplier-input/v1
    #[arg(long, value_name = "FILE", conflicts_with_all = ["sbom", "provenance", "vex", "previous", "advisories", "kind", "environment"])]
    input: Option<PathBuf>,
    /// What it is judged for
    #[arg(long, value_name = "KIND", default_value = "release", value_parser = kind)]
    kind: BuildKind,
    /// What it is judged for: pr, staging or production [default: by --kind]
    #[arg(long, value_name = "ENVIRONMENT", value_parser = environment, conflicts_with = "kind")]
    environment: Option<Environment>,
    /// Directory of advisory indexes [default: no vulnerability is known]
    #[arg(long, value_name = "DIR")]
    advisories: Option<PathBuf>,
    /// Directory of Rego policies, or an OPA bundle (*.tar.gz) [default: the library that ships with Attestry]
    #[arg(long, env, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// How the report is printed [default: text, or json with --format json]
    #[arg(long, value_enum)]
    report: Option<ReportFormat>,
}

fn kind(text: &str) -> Result<BuildKind, String> {
    [BuildKind::Pr, BuildKind::Release]
        .into_iter()
        .find(|it| it.as_str() == text)
        .ok_or_else(|| "is neither pr nor release".to_owned())
}

pub(crate) fn run(args: &Args, format: Format) -> Result<(), Failure> {
    let policy = load(args.policy.as_deref())?;
    let input = args.input(policy.data())?;
    let is_supplier = input.contains("\"attestry.supplier-input/v1\"");
    let report = match is_supplier {
        true => policy.supplier(&input),
        false => policy.build(&input),
    };
    let report = report.map_err(Failure::unknown)?;
    for key in policy.unasked() {
        note(&format!("data.json has `{key}`, which no rule asks for: is it misspelt?"));
    }
    if args.input.is_none() {
        note("signatures are taken for granted: nobody signed what is judged here");
    }
    print(args.report.unwrap_or(format.into()), &report, args.sbom.as_deref())?;
    match report.result {
        VerdictResult::Passed => Ok(()),
        VerdictResult::Failed => Err(Failure::No(String::new())),
    }
}

/// The policies in `directory`, or the library.
pub(crate) fn load(directory: Option<&Path>) -> Result<Evaluator, Failure> {
    Evaluator::load(directory, Limits::default()).map_err(|error| {
        let place = directory.map_or("library".into(), |it| it.display().to_string());
        Failure::Input(format!("policy {place}: {error}"))
    })
}

fn print(format: ReportFormat, report: &Report, sbom: Option<&Path>) -> Result<(), Failure> {
    let otherwise = sbom.map_or("sbom".into(), |it| it.display().to_string());
    match format {
        ReportFormat::Text => output::result(Format::Text, &report.text(), &()),
        ReportFormat::Markdown => output::result(Format::Text, &report.markdown(), &()),
        ReportFormat::Json => output::result(Format::Json, "", report),
        ReportFormat::Sarif => output::result(Format::Json, "", &report.sarif(&otherwise)),
    }
}

impl Args {
    fn input(&self, data: &serde_json::Value) -> Result<String, Failure> {
        if let Some(path) = &self.input {
            let bytes = file(path)?;
            return String::from_utf8(bytes)
                .map_err(|error| Failure::Input(format!("{}: {error}", path.display())));
        }
        let bytes = |path: &Option<PathBuf>| path.as_deref().map(file).transpose();
        let (sbom, provenance) = (bytes(&self.sbom)?, bytes(&self.provenance)?);
        let index = match &self.advisories {
            Some(directory) => {
                let index = CurrentIndex::new(directory).get().map_err(Failure::input)?;
                let missing = || {
                    let remedy = "make one with `attestry advisories sync`";
                    Failure::Input(format!(
                        "no advisory index in {}: {remedy}",
                        directory.display()
                    ))
                };
                Some(index.ok_or_else(missing)?)
            }
            None => None,
        };
        let vex = self.vex.iter().map(|it| file(it)).collect::<Result<Vec<_>, _>>()?;
        let previous = bytes(&self.previous)?;
        let environment = self.environment.unwrap_or(match self.kind {
            BuildKind::Pr => Environment::Pr,
            BuildKind::Release => Environment::Production,
        });
        let documents = Documents {
            sbom: sbom.as_deref(),
            provenance: provenance.as_deref(),
            index: index.as_ref(),
            vex: &vex,
            previous: previous.as_deref(),
            environment,
            data,
            #[allow(clippy::disallowed_methods, reason = "what is at hand is judged as of now")]
            now: Timestamp::now(),
        };
        documents.input().map_err(Failure::Input)
    }
}

fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read::up_to(MAX_INPUT_BYTES, path)
        .map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    match bytes.len() > MAX_INPUT_BYTES {
        true => Err(Failure::Input(format!(
            "{}: at most {MAX_INPUT_BYTES} bytes are judged",
            path.display()
        ))),
        false => Ok(bytes),
    }
}
