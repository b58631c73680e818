//! The generator process. See `lib.rs` for what it does.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use generator::{Args, Generator};
use worker::Process;

#[tokio::main]
async fn main() -> ExitCode {
    worker::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let process = Process::start("generator", args.worker.process)?;
    let generator = Generator::new(process.archive.clone());
    Ok(process.run(&args.worker.events, generator).await?)
}
