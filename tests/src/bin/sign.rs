//! `sign`: signs a statement as the signer does, without a pipeline, for other programs to verify.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use attestation::{Statement, statement::MAX_STATEMENT_BYTES};
use clap::Parser;
use signer::SigningArgs;

#[derive(Parser)]
struct Args {
    /// The in-toto statement
    statement: PathBuf,
    /// Where the bundle is written
    bundle: PathBuf,
    #[command(flatten)]
    signing: SigningArgs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let bytes = fs::read(&args.statement).context("cannot read the statement")?;
    let statement = Statement::parse(bytes, MAX_STATEMENT_BYTES)?;
    #[allow(clippy::disallowed_methods, reason = "it is signed now")]
    let now = jiff::Timestamp::now();
    let bundle = args.signing.load()?.sign_at(now, &statement).await?;
    fs::write(&args.bundle, bundle).context("cannot write the bundle")
}
