//! What the pipeline costs beside the least that the same durability can cost: see `bench --help`.

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod floor;
mod ingest;
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

use std::process::ExitCode;

use clap::Parser;

/// Measures the pipeline on this machine.
#[derive(Debug, Parser)]
#[command(name = "bench")]
enum Bench {
    /// Throughput, latency and memory of the pipeline, each beside its floor
    Pipeline(pipeline::Args),
    /// Documents of suppliers, large and many, beside the floor of both
    Ingest(ingest::Args),
    /// Speed and size of a registry with many events
    Registry(registry::Args),
    /// SBOMs of lockfiles beside other makers of SBOMs
    Sbom(sbom::Args),
    /// One process of the floor: started by `pipeline`
    #[command(hide = true)]
    FloorWorker(floor::Args),
    /// One of the services: started by `ingest`
    #[command(hide = true)]
    IngestService(ingest::service::Args),
    /// The floor of documents: started by `ingest`
    #[command(hide = true)]
    IngestFloor(ingest::floor::Args),
}

/// As the services that read documents.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<ExitCode> {
    // The policy of a supplier's document is judged in a process of its own.
    match policy::sandbox::enter() {
        Some(ended) => Ok(ended),
        None => bench().map(|()| ExitCode::SUCCESS),
    }
}

#[tokio::main]
async fn bench() -> anyhow::Result<()> {
    match Bench::parse() {
        Bench::Pipeline(args) => pipeline::run(&args).await,
        Bench::Ingest(args) => ingest::run(&args).await,
        Bench::IngestService(args) => ingest::service::run(args).await,
        Bench::IngestFloor(args) => ingest::floor::run(&args),
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
