//! The signer process. See `lib.rs` for what it does.

use std::{error::Error, process::ExitCode, time::Duration};

use bus::Bus;
use clap::Parser;
use events::SignedQuery;
use signer::{Args, ResignError, Signer};
use worker::Process;

#[tokio::main]
async fn main() -> ExitCode {
    worker::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let identity = args.signing.load()?;
    let broker = args.worker.process.bus.options("signer");
    let process = Process::start("signer", args.worker.process)?;
    let signer = Signer::new(process.archive.clone(), identity, args.signing.generation);
    let Some(who) = args.resign.resign else {
        return Ok(process.run(&args.worker.events, signer).await?);
    };
    let bus = Bus::connect(&broker, Some(Duration::from_secs(5))).await?;
    bus.set_up().await?;
    let query = SignedQuery { signer: who, since: args.resign.resign_since, after: None };
    let resigned = match signer.sign_again(&bus, query, worker::now).await {
        Err(ResignError::Bus(error)) => return Err(error.into()),
        resigned => resigned?,
    };
    tracing::info!(
        signed = resigned.signed,
        already = resigned.already,
        gone = resigned.gone,
        "Signed again"
    );
    Ok(())
}
