//! `attestry advisories`: what is known to be vulnerable, and whether an SBOM or lockfile has it; offline.

mod inventory;
mod matching;
mod render;

use std::path::{Path, PathBuf};

use advisories::{BuildReport, Index, IndexError};
use events::{AdvisoriesUpdated, Digest, Envelope, Label, OPERATOR, Priority, Scope};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    client::ClientArgs,
    failure::Failure,
    output::{self, Format},
};

/// Problems that are told one by one; `--format json` lists more.
const SHOWN_PROBLEMS: usize = 10;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Build the index of advisories from OSV records, and put it in place of the last one
    Sync(SyncArgs),
    /// Show every record about a vulnerability
    Show(ShowArgs),
    /// Look up what an SBOM or lockfile holds; findings as JSON Lines, or a table with `--format text`
    Match(matching::Args),
}

#[derive(clap::Args)]
#[command(
    after_help = "Records are OSV JSON (https://ossf.github.io/osv-schema/). Nothing is fetched: bring the archives over by your own means.\n\nExample:\n  attestry advisories sync --from PyPI/all.zip --from crates.io/all.zip"
)]
pub(crate) struct SyncArgs {
    /// A directory, .zip, .jsonl or .json file of OSV records
    #[arg(long, value_name = "DIR|ZIP|JSONL", required = true, value_parser = source)]
    from: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  attestry advisories show CVE-2024-56326")]
pub(crate) struct ShowArgs {
    /// Id of a record or one of its aliases, such as CVE-2024-56326
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    knowledge: Knowledge,
}

/// Where advisories come from.
#[derive(clap::Args)]
struct Knowledge {
    /// Use these OSV records instead of the index: a directory, .zip, .jsonl or .json file
    #[arg(long, value_name = "DIR|ZIP|JSONL", value_parser = source)]
    from: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Where the index lies.
#[derive(clap::Args)]
struct Place {
    /// Directory of the advisory index
    #[arg(long, env, value_name = "DIR", default_value = "data/advisories")]
    advisories: PathBuf,
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Sync(args) => sync(&args, format).await,
        Command::Show(args) => show(&args, format),
        Command::Match(args) => matching::run(&args, format),
    }
}

async fn sync(args: &SyncArgs, format: Format) -> Result<(), Failure> {
    let (index, report) = build(&args.from)?;
    tell_problems(&report);
    let digest = index.save(&args.place.advisories).map_err(Failure::unknown)?;
    let records = index.len() as u64;
    announce(&args.client, digest, records).await?;
    let text = render::sync(digest, &report, &args.place.advisories);
    output::result(format, &text, &json!({ "index": digest, "report": report }))
}

/// Tells the pipeline, if one runs, so that what is known already is matched again.
async fn announce(client: &ClientArgs, index: Digest, records: u64) -> Result<(), Failure> {
    let Some(bus) = client.connect_if_there().await else {
        output::note("No broker answers: workers take the index up with the next event.");
        return Ok(());
    };
    #[allow(clippy::disallowed_methods, reason = "the index is in place now")]
    let now = Timestamp::now();
    let (source, scope) = (Label::of("/attestry/cli"), Scope::of(OPERATOR));
    let updated = AdvisoriesUpdated { index, records, saved_at: now };
    let event = Envelope::root(source, now, Priority::Background, scope, updated);
    bus.publish(&event, None).await?;
    bus.close().await;
    Ok(())
}

fn show(args: &ShowArgs, format: Format) -> Result<(), Failure> {
    let records = args.knowledge.index()?.advisory(&args.id);
    if records.is_empty() {
        return Err(Failure::No(format!("no advisory goes by the id {}", args.id)));
    }
    for record in &records {
        output::result(format, &render::advisory(record), record)?;
    }
    Ok(())
}

impl Knowledge {
    /// The index to ask.
    fn index(&self) -> Result<Index, Failure> {
        if !self.from.is_empty() {
            let (index, report) = build(&self.from)?;
            tell_problems(&report);
            return Ok(index);
        }
        let directory = &self.place.advisories;
        Index::current(directory).map_err(Failure::unknown)?.ok_or_else(|| {
            let remedy = "run `attestry advisories sync`, or name OSV records with --from";
            Failure::Unknown(format!("{}: no advisory index there; {remedy}", directory.display()))
        })
    }
}

/// An index without advisories would call everything sound.
fn build(sources: &[PathBuf]) -> Result<(Index, BuildReport), Failure> {
    let (index, report) = Index::build(sources).map_err(|error| match error {
        IndexError::Io { .. } | IndexError::UnknownSource { .. } | IndexError::TooLarge { .. } => {
            Failure::input(format!("--from {error}"))
        }
        _ => Failure::unknown(error),
    })?;
    if index.is_empty() {
        tell_problems(&report);
        let sources: Vec<_> = sources.iter().map(|it| it.display().to_string()).collect();
        let remedy = "name a directory, .zip, .jsonl or .json file of OSV records";
        let why = "holds no advisory that can be read";
        return Err(Failure::Input(format!("--from {}: {why}; {remedy}", sources.join(", "))));
    }
    Ok((index, report))
}

fn tell_problems(report: &BuildReport) {
    for problem in report.problems.iter().take(SHOWN_PROBLEMS) {
        output::note(&format!("{}: {}", problem.place, problem.reason));
    }
    let untold = report.problem_count.saturating_sub(SHOWN_PROBLEMS);
    if untold > 0 {
        output::note(&format!("and {untold} more that could not be read"));
    }
}

fn source(text: &str) -> Result<PathBuf, String> {
    match text {
        _ if text.contains("://") => {
            Err("nothing is fetched; download it, and name the file or directory".to_owned())
        }
        "" => Err("name a file or directory".to_owned()),
        _ => Ok(Path::new(text).to_owned()),
    }
}
