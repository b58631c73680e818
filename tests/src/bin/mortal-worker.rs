//! The tested worker as a process, to be killed: `mortal-worker URL MAX_ATTEMPTS hang|oblige`.
//!
//! Says `handling <run>` on standard output whenever it begins with an event.

use anyhow::Context;
use bus::{Bus, BusOptions};
use e2e_tests::{Journal, Tested};
use tokio::io::AsyncWriteExt;
use worker::{HandleError, Health, LoopArgs, run_until, shutdown_signal};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |name: &'static str| arguments.next().context(name);
    let (url, max_attempts, manner) = (next("URL")?, next("MAX_ATTEMPTS")?, next("manner")?);
    let hangs = manner == "hang";
    let options = BusOptions { url, creds: None, name: "mortal-worker".to_owned() };
    let bus = Bus::connect(&options, None).await?;
    bus.set_up().await?;
    let handler = Tested::new(&Journal::default(), move |call| async move {
        say(call.event.data.run.as_str()).await.map_err(HandleError::transient)?;
        if hangs { std::future::pending().await } else { Ok(()) }
    });
    let args = LoopArgs { max_attempts: max_attempts.parse()?, ..Default::default() };
    run_until(shutdown_signal(), &bus, &args, &Health::default(), handler).await?;
    Ok(())
}

async fn say(run: &str) -> std::io::Result<()> {
    let mut stdout = tokio::io::stdout();
    stdout.write_all(format!("handling {run}\n").as_bytes()).await?;
    stdout.flush().await
}
