//! The backlog mapper process. See `lib.rs` for what it does.

use std::{error::Error, process::ExitCode};

use backlog_mapper::{Args, Mapper, MapperError, NAME};
use clap::Parser;
use worker::Process;

/// Reading a document is mostly allocating; see the policy gate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    worker::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let Args { mapper: settings, worker } = args;
    // A mistake shows at once, whether there is a broker or not.
    settings.config()?;
    let process = Process::start(NAME, worker.process)?;
    let archive = process.archive.clone();
    let kept = process.connected::<MapperError>(async |connected, mut shutdown| {
        let mapper = tokio::select! {
            () = &mut shutdown => return Ok(()),
            opened = Mapper::open_in_turn(&archive, &settings, &connected.health) => opened?,
        };
        Ok(mapper.run(shutdown, &connected.bus, &worker.events, &connected.health).await?)
    });
    Ok(kept.await?)
}
