//! The signer process. See `lib.rs` for what it does.

use clap::Parser;
use signer::{Args, Signer};
use worker::Process;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let key = args.key.load()?;
    let process = Process::start("signer", args.worker)?;
    let signer = Signer::new(process.archive.clone(), key, args.key.generation);
    Ok(process.run(signer).await?)
}
