//! `attestry`: the command that people and CI use.

mod client;
mod commands;
mod failure;
mod hash;
mod output;
mod read;
mod scan;
mod trust;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::runtime::Builder;

use crate::{
    commands::{
        advisories, backlog, build, doctor, explain, link, policy, quarantine, registry, report,
        retention, risk, sbom, search, signatures, supplier, trusted_root, up, verdict, verify,
        vex, waiver,
    },
    failure::Failure,
    output::Format,
};

/// Evaluating policies is mostly allocating: see the policy gate's `main.rs`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Supply-chain evidence: SBOM, provenance, signatures and a signed verdict for every build
#[derive(Parser)]
#[command(
    name = "attestry",
    version,
    after_help = "Exit codes:\n  0  yes, done\n  1  the answer is no: failed verdict, refused, problem found\n  2  wrong usage or input; a build in quarantine because of its own content\n  3  could not find out: time-out, still pending, broker or store away\n\nExample:\n  attestry up &\n  attestry build submit --source . --artifact 'dist/*.whl' --kind release --wait --out dist"
)]
struct Cli {
    /// How results are printed [default: text; `advisories match`: json]
    #[arg(long, global = true, value_enum)]
    format: Option<Format>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run all workers in one process, with a nats-server of its own
    Up(Box<up::Args>),
    /// Hand over builds
    #[command(subcommand)]
    Build(build::Command),
    /// Ask for the verdict on an artifact
    Verdict(verdict::Args),
    /// Make, check, score, compare and convert SBOMs, offline
    #[command(subcommand)]
    Sbom(sbom::Command),
    /// Check that a bundle signs a file, offline
    Verify(verify::Args),
    /// What somebody signed, for when a key or an identity is compromised
    #[command(subcommand)]
    Signatures(signatures::Command),
    /// Keep what Sigstore's evidence is verified with up to date
    #[command(subcommand)]
    TrustedRoot(trusted_root::Command),
    /// Sign what went into a step and what came out, for in-toto layouts, offline
    Link(link::Args),
    /// Write policies, try them, and repeat what they said
    #[command(subcommand)]
    Policy(policy::Command),
    /// Exceptions from rules, signed by who may approve them
    #[command(subcommand)]
    Waiver(waiver::Command),
    /// Look at events that could not be handled, replay or drop them
    #[command(subcommand)]
    Quarantine(quarantine::Command),
    /// Who may submit documents, submitting them, and what became of them
    #[command(subcommand)]
    Supplier(supplier::Command),
    /// What operators know about vulnerabilities
    #[command(subcommand)]
    Vex(vex::Command),
    /// What is to be done about known vulnerabilities, by whom, until when
    #[command(subcommand)]
    Backlog(backlog::Command),
    /// What known vulnerabilities mean for each product, and suppliers that fail
    #[command(subcommand)]
    Risk(risk::Command),
    /// Reports for reviews
    #[command(subcommand)]
    Report(report::Command),
    /// Known vulnerabilities: build the index, and look things up in it, offline
    #[command(subcommand)]
    Advisories(advisories::Command),
    /// Tell where a component, a vulnerability or a document is
    Search(search::Args),
    /// Tell the whole story of a digest: what it is, and every build that names it
    Explain(explain::Args),
    /// Check, dump and rebuild the registry from the archive
    #[command(subcommand)]
    Registry(registry::Command),
    /// Show how long evidence is kept, and remove what is over
    #[command(subcommand)]
    Retention(retention::Command),
    /// Tell what is missing or wrong, and how to mend it
    Doctor(doctor::Args),
}

fn main() -> ExitCode {
    match ::policy::sandbox::enter() {
        Some(ended) => ended,
        None => work(),
    }
}

fn work() -> ExitCode {
    let cli = Cli::parse();
    let format = cli.format.unwrap_or_else(|| cli.command.usual_format());
    let runtime = cli.command.runtime().enable_all().build().map_err(Failure::unknown);
    match runtime.and_then(|runtime| runtime.block_on(run(cli.command, format))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(format, &failure);
            failure.exit_code()
        }
    }
}

impl Command {
    /// What it runs in: nothing is gained by threads that wait for no one, and they take time to start.
    fn runtime(&self) -> Builder {
        match self {
            Self::Sbom(_) | Self::Verify(_) | Self::Link(_) | Self::Waiver(_) => {
                Builder::new_current_thread()
            }
            _ => Builder::new_multi_thread(),
        }
    }

    /// How results are printed when nobody says. Findings are for programs: CI reads them line by line.
    fn usual_format(&self) -> Format {
        match self {
            Self::Advisories(advisories::Command::Match(_)) => Format::Json,
            _ => Format::Text,
        }
    }
}

async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let has_form = match command {
        Command::Backlog(backlog::Command::Export(_)) | Command::Risk(risk::Command::Export(_)) => {
            true
        }
        Command::Report(_) => format == Format::Markdown,
        _ => false,
    };
    if matches!(format, Format::Csv | Format::Markdown) && !has_form {
        let why = "--format csv and markdown are for `backlog export` and `risk export`, markdown for `report`, too";
        return Err(Failure::input(why));
    }
    match command {
        Command::Up(args) => up::run(*args).await,
        Command::Build(command) => build::run(command, format).await,
        Command::Verdict(args) => verdict::run(args, format).await,
        Command::Sbom(command) => sbom::run(command, format),
        Command::Verify(args) => verify::run(&args, format),
        Command::TrustedRoot(command) => trusted_root::run(command, format).await,
        Command::Link(args) => link::run(&args, format),
        Command::Signatures(command) => signatures::run(command, format).await,
        Command::Policy(command) => policy::run(command, format).await,
        Command::Waiver(command) => waiver::run(&command, format).await,
        Command::Quarantine(command) => quarantine::run(command, format).await,
        Command::Supplier(command) => supplier::run(command, format).await,
        Command::Vex(command) => vex::run(command, format).await,
        Command::Backlog(command) => backlog::run(command, format).await,
        Command::Risk(command) => risk::run(command, format).await,
        Command::Report(command) => report::run(command, format).await,
        Command::Advisories(command) => advisories::run(command, format).await,
        Command::Search(args) => search::run(args, format).await,
        Command::Explain(args) => explain::run(args, format).await,
        Command::Registry(command) => registry::run(command, format).await,
        Command::Retention(command) => retention::run(command, format).await,
        Command::Doctor(args) => doctor::run(args, format).await,
    }
}
