//! How long `attestry sbom generate` takes, process start included, beside other makers of SBOMs.

mod locks;
mod timing;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::Context;
use locks::Lock;
use serde::Serialize;
use timing::{Measured, measure};

/// Times SBOMs of real lockfiles beside peers, and of made-up ones from 100 to 100,000 packages.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  cargo xtask bench sbom --tools target/interop\n\nPeers are what `cargo xtask interop sbom` installed."
)]
pub(crate) struct Args {
    /// Where `cargo xtask interop sbom` installed the peers; without it, none is measured
    #[arg(long, value_name = "DIR")]
    tools: Option<PathBuf>,
    /// Runs of each measurement; the median counts
    #[arg(long, default_value_t = 11)]
    runs: usize,
    /// Real lockfiles to measure [default: uv, npm and Cargo from the fixtures]
    #[arg(long, value_name = "FILE")]
    lock: Vec<PathBuf>,
    /// Seed of the made-up lockfiles
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Small sizes and two runs: whether it works, not how fast it is
    #[arg(long)]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One line of the result.
#[derive(Debug, Serialize)]
struct Row {
    lock: String,
    packages: usize,
    tool: String,
    #[serde(flatten)]
    measured: Measured,
}

const FIXTURES: &str = "shared/documents/fixtures/lockfiles";
const REAL: [&str; 3] = ["hotpass.uv.lock", "npm-cli.package-lock.json", "guac.go.mod"];
const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let program = env::current_exe()?.with_file_name("attestry");
    let scratch = tempfile::tempdir()?;
    let runs = if args.quick { 2 } else { args.runs };
    let mut rows = Vec::new();
    let locks = match &args.lock[..] {
        [] => REAL.iter().map(|name| Path::new(FIXTURES).join(name)).collect(),
        given => given.to_vec(),
    };
    for (index, lock) in locks.iter().enumerate() {
        let lock = Lock::real(lock, &scratch.path().join(format!("real-{index}")))?;
        rows.push(ours(&program, &lock, runs)?);
        if let Some(tools) = &args.tools {
            let tools = tools.canonicalize().with_context(|| tools.display().to_string())?;
            rows.extend(theirs(&tools, &lock, runs)?);
        }
    }
    let sizes = if args.quick { &SIZES[..2] } else { &SIZES[..] };
    for &packages in sizes {
        for kind in locks::KINDS {
            let folder = scratch.path().join(format!("{}-{packages}", kind.file_name()));
            rows.push(ours(&program, &Lock::made_up(kind, packages, args.seed, &folder)?, runs)?);
        }
    }
    print(&rows, args.json)
}

fn ours(program: &Path, lock: &Lock, runs: usize) -> anyhow::Result<Row> {
    let program = program.to_str().context("the path of attestry is not UTF-8")?;
    let command = [program, "sbom", "generate", ".", "--source-date-epoch", "1763856000"];
    row("attestry", &command.map(str::to_owned), lock, runs)
}

/// The peers that read this format; one that fails is named and passed over.
fn theirs(tools: &Path, lock: &Lock, runs: usize) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, command) in lock.peers(tools) {
        // A peer takes seconds.
        match row(name, &command, lock, runs.min(5)) {
            Ok(row) => rows.push(row),
            Err(error) => eprintln_note(&format!("{name} on {}: {error:#}", lock.name)),
        }
    }
    Ok(rows)
}

fn row(tool: &str, command: &[String], lock: &Lock, runs: usize) -> anyhow::Result<Row> {
    let measured = measure(command, &lock.folder, runs)?;
    let (name, packages) = (lock.name.clone(), lock.packages);
    Ok(Row { lock: name, packages, tool: tool.to_owned(), measured })
}

fn print(rows: &[Row], json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(rows)?);
        return Ok(());
    }
    println!("| lockfile | packages | tool | median ms | fastest ms | peak MiB |");
    println!("|---|---|---|---|---|---|");
    for Row { lock, packages, tool, measured } in rows {
        let Measured { median_ms, fastest_ms, peak_bytes } = measured;
        let mib = peak_bytes / (1024 * 1024);
        println!("| {lock} | {packages} | {tool} | {median_ms:.1} | {fastest_ms:.1} | {mib} |");
    }
    Ok(())
}

#[allow(clippy::print_stderr, reason = "the table goes to standard output")]
fn eprintln_note(text: &str) {
    eprintln!("{text}");
}

/// How many packages a lockfile has, as our reader counts them.
fn count(path: &Path) -> anyhow::Result<usize> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(documents::lockfile::parse(&name, &bytes)?.packages.len())
}
