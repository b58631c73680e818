//! Submits builds as the command-line client does, and does not give up.

use std::time::Duration;

use bus::{Bus, BusError};
use futures::{StreamExt, stream};
use tokio::{sync::Semaphore, time::sleep};

use crate::builds::Build;

/// Builds that are being submitted at once.
const AT_ONCE: usize = 16;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Submits `builds` in order, each once `window` has room for one more.
pub(crate) async fn submit_all(
    bus: &Bus,
    builds: &[Build],
    window: &Semaphore,
) -> anyhow::Result<()> {
    let submits = stream::iter(builds).map(async |build| {
        window.acquire().await?.forget();
        submit(bus, build).await
    });
    let mut submits = std::pin::pin!(submits.buffered(AT_ONCE));
    while let Some(submitted) = submits.next().await {
        submitted?;
    }
    Ok(())
}

async fn submit(bus: &Bus, build: &Build) -> anyhow::Result<()> {
    for input in build.event.data.inputs.iter() {
        insist(async || bus.upload(&build.event.scope, input.digest, &build.lockfile).await)
            .await?;
    }
    insist(async || bus.publish(&build.event, None).await).await?;
    Ok(())
}

/// Repeats a request for as long as the broker is away.
async fn insist<T>(request: impl AsyncFn() -> Result<T, BusError>) -> anyhow::Result<T> {
    loop {
        match request().await {
            Err(error) if error.is_outage() => sleep(TRY_AGAIN_AFTER).await,
            answer => return Ok(answer?),
        }
    }
}
