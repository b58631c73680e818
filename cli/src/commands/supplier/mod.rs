//! `attestry supplier`: who may submit documents, submitting them, what became of them, and how they do.

mod access;
mod check;
mod passport;
pub(super) mod receipt;
mod scorecard;
pub(super) mod submit;

pub(super) use scorecard::summaries;

use std::{fs, path::PathBuf, time::Duration};

use attestation::SigningKey;
use events::{SubmissionId, SupplierId};

use crate::{
    client::{ClientArgs, patience},
    failure::Failure,
    output::{self, Format},
};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Write a supplier's passport, and open its door
    Add(Box<passport::AddArgs>),
    /// List the suppliers that have a passport
    List(passport::DirectoryArgs),
    /// Show a supplier's passport
    Show(passport::ShowArgs),
    /// Sign a document with a key, as a supplier does; `cosign sign-blob` does as well
    Sign(SignArgs),
    /// Tell what would be decided about a document, before it is sent; needs no broker
    Check(Box<check::Args>),
    /// Submit a document in a supplier's name: an SBOM or VEX of any size, and the bundle that signs it
    Submit(SubmitArgs),
    /// Tell what became of a submission, and check its receipt
    Status(StatusArgs),
    /// Print what a NATS server of yours has to be told, so that suppliers reach their own doors and nothing else
    NatsConfig(access::ConfigArgs),
    /// Tell how suppliers do: documents, reasons of rejection, grades, freshness, open findings
    Scorecard(scorecard::Args),
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  attestry supplier sign widget.cdx.json --key acme.pem")]
pub(crate) struct SignArgs {
    /// The document
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Private key, P-256 in PKCS#8 PEM
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the bundle goes [default: beside the document, with .sigstore.json after its name]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 accepted (or submitted, without --wait), 1 rejected, 2 wrong input, 3 still pending.\n\nExample:\n  attestry supplier submit --supplier acme widget.cdx.json --bundle widget.cdx.json.sigstore.json --wait"
)]
pub(crate) struct SubmitArgs {
    /// The document: CycloneDX 1.2 to 1.7 in JSON, SPDX 2.2 or 2.3, OpenVEX, or CSAF 2.0
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// In whose name
    #[arg(long, value_name = "ID")]
    supplier: SupplierId,
    /// Sigstore bundle over the document
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    /// Wait for the receipt, at most this long; give it as --wait=5m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "10m", value_parser = patience)]
    wait: Option<Duration>,
    /// Public key of the receiver, PEM: the receipt must be signed with it
    #[arg(long, value_name = "FILE", requires = "wait")]
    key: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 accepted, 1 rejected, 2 no such submission or in quarantine, 3 still pending.\n\nExample:\n  attestry supplier status acme/7c0f51c5-a7e1-5c7d-9a64-6a1d3b520f0e"
)]
pub(crate) struct StatusArgs {
    /// The submission, SUPPLIER/NAME as `supplier submit` printed it
    #[arg(value_name = "SUBMISSION", value_parser = submission)]
    submission: (SupplierId, SubmissionId),
    /// Public key of the receiver, PEM: the receipt must be signed with it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

fn submission(text: &str) -> Result<(SupplierId, SubmissionId), String> {
    let parts = text.split_once('/').ok_or("write it as SUPPLIER/NAME")?;
    let supplier = parts.0.parse().map_err(|error| format!("the supplier's id {error}"))?;
    Ok((supplier, parts.1.parse().map_err(|error| format!("the submission's name {error}"))?))
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    match command {
        Command::Add(args) => passport::add(*args, format).await,
        Command::List(args) => passport::list(&args, format),
        Command::Show(args) => passport::show(&args, format),
        Command::Sign(args) => sign(&args, format),
        Command::Check(args) => check::run(&args, format),
        Command::Submit(args) => submit::run(args, format).await,
        Command::Status(args) => submit::status(args, format).await,
        Command::NatsConfig(args) => access::print(&args, format),
        Command::Scorecard(args) => scorecard::run(args, format).await,
    }
}

fn sign(args: &SignArgs, format: Format) -> Result<(), Failure> {
    let at_fault =
        |path: &PathBuf, why: String| Failure::Input(format!("{}: {why}", path.display()));
    let pem = fs::read_to_string(&args.key);
    let pem = pem.map_err(|error| at_fault(&args.key, error.to_string()))?;
    let key = SigningKey::from_pem(&pem).map_err(|error| at_fault(&args.key, error.to_string()))?;
    let document = fs::read(&args.file).map_err(|error| at_fault(&args.file, error.to_string()))?;
    let bundle = key.sign_file(&document).map_err(Failure::unknown)?;
    let path = args.output.clone().unwrap_or_else(|| {
        let mut name = args.file.clone().into_os_string();
        name.push(".sigstore.json");
        name.into()
    });
    fs::write(&path, bundle).map_err(|error| at_fault(&path, error.to_string()))?;
    let text = format!("Wrote {}", path.display());
    output::result(format, &text, &serde_json::json!({ "bundle": path }))
}
