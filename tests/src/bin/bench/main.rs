//! What the pipeline costs beside the least that the same durability can cost: see `bench --help`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod floor;
mod load;
mod pipeline;
mod processes;
mod recipe;
mod registry;
mod report;
mod sbom;
mod stats;
mod synthetic;
mod system;

use clap::Parser;

/// Measures the pipeline on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench")]
enum Bench {
    /// Throughput, latency and memory of the pipeline, each beside its floor
    Pipeline(pipeline::Args),
    /// Speed and size of a registry with many events
    Registry(registry::Args),
    /// SBOMs of lockfiles beside other makers of SBOMs
    Sbom(sbom::Args),
    /// One process of the floor: started by `pipeline`
    #[command(hide = true)]
    FloorWorker(floor::Args),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Bench::parse() {
        Bench::Pipeline(args) => pipeline::run(&args).await,
        Bench::Registry(args) => registry::run(&args).await,
        Bench::Sbom(args) => sbom::run(&args),
        Bench::FloorWorker(args) => floor::run(&args).await,
    }
}

/// Now: a benchmark measures the real world.
#[allow(clippy::disallowed_methods, reason = "the one place where the benchmark reads the clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
