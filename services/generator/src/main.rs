//! The generator process. See `lib.rs` for what it does.

use clap::Parser;
use generator::{Args, Generator};
use worker::Process;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let process = Process::start("generator", args.worker)?;
    let generator = Generator::new(process.archive.clone());
    Ok(process.run(generator).await?)
}
