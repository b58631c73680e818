//! `attestry advisories`: what is known to be vulnerable, and whether an SBOM or lockfile has it; offline, but for feeds.

mod inventory;
mod matching;
mod metrics;
mod render;
mod sync;
pub(crate) mod syncing;

use std::path::{Path, PathBuf};

use advisories::{Advisory, BuildReport, Epss, Index, IndexError, Kev, Known};
use serde::Serialize;

use crate::{
    failure::Failure,
    output::{self, Format},
};

/// Problems that are told one by one; `--format json` lists more.
const SHOWN_PROBLEMS: usize = 10;

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Build the index of advisories from OSV records, KEV and EPSS, and put it in place of the last one
    Sync(sync::Args),
    /// Show every record about a vulnerability, and whether it is known or likely to be exploited (KEV, EPSS)
    Show(ShowArgs),
    /// Look up what an SBOM or lockfile holds; findings as JSON Lines, or a table with `--format text`
    Match(matching::Args),
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

/// A record, and what is known of the exploitation of what it tells of.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    record: &'a Advisory,
    kev: Option<Kev>,
    epss: Option<Epss>,
    /// Where it comes from and since when it is known; none where the index does not tell.
    known: Option<Known>,
}

/// Where advisories come from.
#[derive(clap::Args)]
struct Knowledge {
    /// Use these OSV records instead of the index: a directory, .zip, .jsonl or .json file; KEV's .json and EPSS's .csv too
    #[arg(long, value_name = "DIR|ZIP|JSONL|CSV", value_parser = source)]
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
        Command::Sync(args) => sync::run(&args, format).await,
        Command::Show(args) => show(&args, format),
        Command::Match(args) => matching::run(&args, format),
    }
}

fn show(args: &ShowArgs, format: Format) -> Result<(), Failure> {
    let index = args.knowledge.index()?;
    let records = index.advisory(&args.id);
    if records.is_empty() {
        // Most of what is exploited is in no package that advisories are read for.
        let (kev, epss) = (index.kev([args.id.as_str()]), index.epss([args.id.as_str()]));
        let known = render::exploitation(kev, epss).map(|it| format!(", but: {it}"));
        let known = known.unwrap_or_default();
        return Err(Failure::No(format!("no advisory goes by the id {}{known}", args.id)));
    }
    for record in &records {
        let ids = || [&record.id].into_iter().chain(&record.aliases).map(String::as_str);
        let (kev, epss) = (index.kev(ids()), index.epss(ids()));
        let shown = Shown { record, kev, epss, known: index.known(&record.id) };
        output::result(format, &render::advisory(&shown), &shown)?;
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

fn build(sources: &[PathBuf]) -> Result<(Index, BuildReport), Failure> {
    let (index, report) = Index::build(sources).map_err(unreadable)?;
    let names: Vec<_> = sources.iter().map(|it| it.display().to_string()).collect();
    not_empty(&index, &report, names.iter().map(String::as_str))?;
    Ok((index, report))
}

fn unreadable(error: IndexError) -> Failure {
    match error {
        IndexError::Io { .. } | IndexError::UnknownSource { .. } | IndexError::TooLarge { .. } => {
            Failure::input(error)
        }
        _ => Failure::unknown(error),
    }
}

/// An index without advisories would call everything sound.
fn not_empty<'a>(
    index: &Index,
    report: &BuildReport,
    sources: impl Iterator<Item = &'a str>,
) -> Result<(), Failure> {
    if !index.is_empty() {
        return Ok(());
    }
    tell_problems(report);
    let sources: Vec<_> = sources.collect();
    let remedy = "name a directory, .zip, .jsonl or .json file of OSV records";
    let why = "no advisory there that can be read";
    Err(Failure::Input(format!("{}: {why}; {remedy}", sources.join(", "))))
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
            Err("only `attestry advisories sync` fetches; name a file or directory".to_owned())
        }
        "" => Err("name a file or directory".to_owned()),
        _ => Ok(Path::new(text).to_owned()),
    }
}
