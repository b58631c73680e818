//! The policy gate process. See `lib.rs` for what it does.

use clap::Parser;
use policy_gate::{Args, PolicyGate, queries};
use worker::Process;

/// Evaluating policies is mostly allocating: this allocator makes it a third faster on one thread,
/// and lets a second thread gain anything at all.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let settings = args.gate.load()?;
    let process = Process::start("policy-gate", args.worker)?;
    let archive = process.archive.clone();
    let gate = PolicyGate::new(archive.clone(), settings);
    Ok(process.run_with(gate, async |bus| queries::answer(bus, &archive).await).await?)
}
