//! The supplier-ingest process. See `lib.rs` for what it does.

use std::{error::Error, process::ExitCode};

use bus::Bus;
use clap::Parser;
use supplier_ingest::{Args, ReceiptDelivery, SupplierIngest, stand_at_doors};
use worker::Process;

/// Judging a document is mostly allocating; see the policy gate.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match policy::sandbox::enter() {
        Some(ended) => ended,
        None => serve(),
    }
}

#[tokio::main]
async fn serve() -> ExitCode {
    worker::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let settings = args.ingest.load()?;
    let process = Process::start("supplier-ingest", args.worker.process)?;
    let passports = settings.passports.clone();
    let ingest = SupplierIngest::new(process.archive.clone(), settings);
    let receipts = ReceiptDelivery::new(process.archive.clone());
    let doors = async |bus: &Bus| stand_at_doors(bus, &passports).await;
    Ok(process.run_both(&args.worker.events, ingest, receipts, doors).await?)
}
