//! The signer process. See `lib.rs` for what it does.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use signer::{Args, Signer};
use worker::Process;

#[tokio::main]
async fn main() -> ExitCode {
    worker::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let identity = args.signing.load()?;
    let process = Process::start("signer", args.worker.process)?;
    let signer = Signer::new(process.archive.clone(), identity, args.signing.generation);
    Ok(process.run(&args.worker.events, signer).await?)
}
