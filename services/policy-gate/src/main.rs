//! The policy gate process. See `lib.rs` for what it does.

use std::{error::Error, process::ExitCode};

use bus::Bus;
use clap::Parser;
use policy_gate::{
    Args, PolicyGate,
    again::{self, JudgedAgain},
    queries, standing,
};
use worker::Process;

/// Evaluating policies is mostly allocating: this allocator makes it a third faster on one thread,
/// and lets a second thread gain anything at all.
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
    let settings = args.gate.load()?;
    let process = Process::start("policy-gate", args.worker.process)?;
    warn_of_backtraces();
    let archive = process.archive.clone();
    let gate = PolicyGate::new(archive.clone(), settings);
    let again = JudgedAgain(gate.clone());
    let beside = async |bus: &Bus| {
        tokio::join!(
            queries::answer(bus, &archive),
            again::watch(bus, &gate),
            standing::answer(bus, &gate)
        );
    };
    Ok(process.run_both(&args.worker.events, gate.clone(), again, beside).await?)
}

/// The engine makes an error of every lookup that finds nothing, and with this variable each error
/// walks the stack: judging took a third longer where that was measured.
fn warn_of_backtraces() {
    #[allow(clippy::disallowed_methods, reason = "its presence is what costs")]
    let is_set = ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"]
        .iter()
        .any(|it| std::env::var_os(it).is_some_and(|value| value != "0"));
    if is_set {
        tracing::warn!("RUST_BACKTRACE is set, which makes judging slower; unset it");
    }
}
