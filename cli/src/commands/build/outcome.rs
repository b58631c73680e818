//! What became of a build, told and written down.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bus::Bus;
use bytes::Bytes;
use clap::ValueEnum;
use events::{
    BuildCompleted, Digest, Document, Envelope, Environment, EvidenceSigned, FilePath, Producer,
    Quarantined, Record, Role, VerdictResult,
};
use policy::{Mode, Report};
use serde::Serialize;

use crate::{
    client,
    failure::Failure,
    output::{self, Format, note},
};

/// How a verdict is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// For a comment on a change.
    Markdown,
    /// For code scanning.
    Sarif,
}

impl From<Format> for ReportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text | Format::Csv | Format::Markdown => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

/// How and where an outcome is told.
pub(crate) struct Reported<'a> {
    pub(crate) format: ReportFormat,
    pub(crate) out: Option<&'a Path>,
    pub(crate) key: Option<&'a Path>,
}

/// The result of a command that answers with a verdict.
#[derive(Serialize)]
struct Outcome<'a> {
    build: uuid::Uuid,
    project: &'a str,
    /// What it was judged for; releases of before did not say.
    environment: Option<Environment>,
    /// The story of the verdict, where the build was judged again.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<uuid::Uuid>,
    result: VerdictResult,
    policy: Digest,
    /// Whether the signature was checked here, with --key.
    signature_checked: bool,
    report: &'a Report,
    files: Vec<PathBuf>,
    /// Path of the SBOM in a release.
    #[serde(skip)]
    sbom: &'a str,
}

#[derive(Serialize)]
struct Submitted<'a> {
    build: uuid::Uuid,
    project: &'a str,
    submitted_before: bool,
}

/// Tells that a build was handed over.
pub(super) fn submitted(
    format: Format,
    event: &Envelope<BuildCompleted>,
    submitted_before: bool,
) -> Result<(), Failure> {
    let project = event.data.project.as_str();
    let text = format!("Submitted build {} of {project}", event.id);
    output::result(format, &text, &Submitted { build: event.id, project, submitted_before })
}

/// Sets a build going again of which there is neither verdict nor quarantine entry. If it is still
/// on its way, it is handled twice, which is harmless.
pub(super) async fn resume(
    bus: &Bus,
    event: &Envelope<BuildCompleted>,
) -> Result<(), bus::BusError> {
    let gate = Some(Producer::PolicyGate);
    let known = bus.outcome::<EvidenceSigned>(&event.scope, gate, event.correlation).await?;
    match known {
        Some(_) => Ok(()),
        None => bus.publish_again(event).await,
    }
}

/// Waits for what becomes of the build, and tells it.
pub(super) async fn wait(
    bus: &Bus,
    event: &Envelope<BuildCompleted>,
    reported: &Reported<'_>,
) -> Result<(), Failure> {
    let producer = Some(Producer::PolicyGate);
    let signed = bus.wait_for::<EvidenceSigned>(&event.scope, producer, event.correlation).await?;
    match signed {
        Ok(signed) => {
            let artifacts: Vec<Digest> = event.data.artifacts.iter().map(|it| it.digest).collect();
            tell(bus, &signed, &artifacts, reported).await
        }
        Err(entry) => Err(quarantined(&entry)),
    }
}

/// Tells a signed verdict on `artifacts`: report, files, and the answer as the exit code.
pub(crate) async fn tell(
    bus: &Bus,
    signed: &Envelope<EvidenceSigned>,
    artifacts: &[Digest],
    reported: &Reported<'_>,
) -> Result<(), Failure> {
    let Some(verdict) = &signed.data.verdict else {
        return Err(Failure::unknown("the verdict's event names no verdict"));
    };
    let signed = &client::with_latest_bundles(bus, signed).await?;
    if let Some(key) = reported.key {
        client::check_verdict(bus, &signed.data, artifacts, key).await?;
    }
    let report = client::document(bus, verdict.report).await?;
    let report: Report = serde_json::from_slice(&report)
        .map_err(|error| Failure::Unknown(format!("the report cannot be read: {error}")))?;
    if report.result != verdict.result {
        return Err(Failure::unknown("report and verdict disagree; do not promote this build"));
    }
    let files = match reported.out {
        Some(directory) => write_files(bus, signed, directory).await?,
        None => vec![],
    };
    let outcome = Outcome {
        build: verdict.supersedes.unwrap_or(signed.correlation),
        project: signed.data.project.as_str(),
        environment: verdict.environment,
        request: verdict.supersedes.map(|_| signed.correlation),
        result: verdict.result,
        policy: verdict.policy,
        signature_checked: reported.key.is_some(),
        report: &report,
        files,
        sbom: signed
            .data
            .documents
            .iter()
            .find(|it| it.role == Role::Sbom)
            .map_or("sbom", |it| it.name.as_str()),
    };
    print(reported.format, &outcome)?;
    match verdict.result {
        VerdictResult::Passed => Ok(()),
        VerdictResult::Failed if report.mode == Mode::DryRun => {
            note("a dry run: whoever waits goes on, and nothing was promoted");
            Ok(())
        }
        // The report said it all.
        VerdictResult::Failed => Err(Failure::No(String::new())),
    }
}

fn print(format: ReportFormat, outcome: &Outcome<'_>) -> Result<(), Failure> {
    let text = match format {
        ReportFormat::Json => return output::result(Format::Json, "", outcome),
        ReportFormat::Markdown => outcome.report.markdown(),
        ReportFormat::Sarif => {
            return output::result(Format::Json, "", &outcome.report.sarif(outcome.sbom));
        }
        ReportFormat::Text => {
            let signature = match outcome.signature_checked {
                true => "signature checked",
                false => "signature not checked here: give --key",
            };
            let Outcome { project, build, environment, .. } = outcome;
            let environment =
                environment.map_or(String::new(), |it| format!(" for {}", it.as_str()));
            let mut text =
                format!("Verdict on {project}{environment}, build {build} ({signature})\n");
            text.push_str(&outcome.report.text());
            for file in &outcome.files {
                text.push_str(&format!("  wrote {}\n", file.display()));
            }
            text
        }
    };
    output::result(Format::Text, &text, &())
}

/// Writes every document and bundle of the build below `directory`.
async fn write_files(
    bus: &Bus,
    verdict: &Envelope<EvidenceSigned>,
    directory: &Path,
) -> Result<Vec<PathBuf>, Failure> {
    let scope = &verdict.scope;
    let generator = Some(Producer::Generator);
    let judged = verdict.data.verdict.as_ref().and_then(|it| it.supersedes);
    let build = judged.unwrap_or(verdict.correlation);
    let evidence = bus.find::<EvidenceSigned>(scope, generator, build).await?;
    let Some(evidence) = evidence else {
        return Err(Failure::unknown("the build's evidence has left the stream"));
    };
    let evidence = client::with_latest_bundles(bus, &evidence).await?;
    let mut files = Vec::new();
    for signed in [&evidence.data, &verdict.data] {
        // What policy judged by is in the archive; a release has no use for a copy. The SBOM that was
        // judged is the generator's.
        let copied = |it: &&Document| {
            let is_a_copy = it.role == Role::Sbom && signed.producer == Producer::PolicyGate;
            !is_a_copy && !matches!(it.role, Role::Policy | Role::Decision)
        };
        let documents = signed.documents.iter().filter(copied);
        let documents = documents.map(|it| (&it.name, it.digest));
        for (name, digest) in documents.chain(signed.bundles.iter().map(|it| (&it.name, it.bundle)))
        {
            let bytes = client::document(bus, digest).await?;
            files.push(write_file(directory, name, &bytes)?);
        }
    }
    Ok(files)
}

/// Writes a file whole or not at all: whoever publishes `dist` must not find half an SBOM.
fn write_file(directory: &Path, name: &FilePath, bytes: &Bytes) -> Result<PathBuf, Failure> {
    let path = directory.join(name.as_str());
    let draft = path.with_added_extension("draft");
    let written = match path.parent() {
        Some(parent) => fs::create_dir_all(parent),
        None => Ok(()),
    };
    written
        .and_then(|()| fs::write(&draft, bytes))
        .and_then(|()| fs::rename(&draft, &path))
        .map_err(|error| Failure::Input(format!("--out {}: {error}", path.display())))?;
    Ok(path)
}

/// The build, or what became of it, lies in quarantine.
pub(crate) fn quarantined(entry: &Record) -> Failure {
    let entry = Quarantined::read(entry);
    note(&format!("Build in quarantine as entry {}, reason {}:", entry.id, entry.reason));
    let look = format!("look with `attestry quarantine show {}`", entry.id);
    Failure::Input(format!("{}: {}; {look}", entry.worker, entry.detail))
}
