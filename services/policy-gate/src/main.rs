//! The policy gate process. See `lib.rs` for what it does.

use std::{error::Error, process::ExitCode};

use bus::Bus;
use clap::Parser;
use policy_gate::{Args, PolicyGate, queries};
use worker::Process;

/// Evaluating policies is mostly allocating: this allocator makes it a third faster on one thread,
/// and lets a second thread gain anything at all.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    worker::exit(run(Args::parse()).await)
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let settings = args.gate.load()?;
    let process = Process::start("policy-gate", args.worker.process)?;
    let archive = process.archive.clone();
    let gate = PolicyGate::new(archive.clone(), settings);
    let answer = async |bus: &Bus| queries::answer(bus, &archive).await;
    Ok(process.run_with(&args.worker.events, gate, answer).await?)
}
