//! The registrar process. See `lib.rs` for what it does.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use registrar::{Args, NAME, Registrar, RegistrarError};
use worker::Process;

#[tokio::main]
async fn main() -> ExitCode {
    worker::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let process = Process::start(NAME, args.process)?;
    let registrar = Registrar::new(process.archive.clone(), args.registrar);
    let kept = process.connected::<RegistrarError>(async |connected, shutdown| {
        registrar.run(shutdown, &connected.bus, &connected.health).await
    });
    Ok(kept.await?)
}
