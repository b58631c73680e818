//! Submits builds and drops as the command-line client does, and does not give up.

use std::time::Duration;

use async_nats::jetstream::{Context, context::PublishErrorKind, message::PublishMessage};
use bus::{Bus, BusError};
use events::SupplierId;
use futures::{StreamExt, stream};
use tokio::{sync::Semaphore, time::sleep};

use crate::{
    builds::Build,
    drops::{Drop, Slip},
    work::{Piece, Work},
};

/// Pieces that are being submitted at once.
const AT_ONCE: usize = 16;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Submits all of `work` in order, each piece once `window` has room for one more.
pub(crate) async fn submit_all(
    bus: &Bus,
    jetstream: &Context,
    work: &Work,
    window: &Semaphore,
) -> anyhow::Result<()> {
    let submits = stream::iter(work.pieces()).map(async |piece| {
        window.acquire().await?.forget();
        match piece {
            Piece::Build(build) => submit(bus, build).await,
            Piece::Drop(drop) => {
                // A supplier who is in doubt submits once more.
                for _ in 0..drop.times {
                    drop_off(bus, jetstream, drop).await?;
                }
                Ok(())
            }
        }
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

async fn drop_off(bus: &Bus, jetstream: &Context, drop: &Drop) -> anyhow::Result<()> {
    let Drop { supplier, submission, uploads, slip, .. } = drop;
    until_door(bus, supplier).await?;
    for (digest, bytes) in uploads {
        insist(async || bus.drop_document(supplier, *digest, bytes).await).await?;
    }
    match slip {
        Slip::Manifest(manifest) => {
            insist(async || bus.drop_manifest(supplier, submission, manifest).await).await?;
        }
        Slip::Text(text) => {
            let subject = format!("ingest.{supplier}.manifest.{submission}");
            while !is_stored(jetstream, &subject, text).await {
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
    }
    Ok(())
}

/// Waits until somebody has opened the supplier's door.
async fn until_door(bus: &Bus, supplier: &SupplierId) -> anyhow::Result<()> {
    while !insist(async || bus.has_door(supplier).await).await? {
        sleep(TRY_AGAIN_AFTER).await;
    }
    Ok(())
}

/// Publishes what no client of ours would, unless it is there; false also while the broker is away.
async fn is_stored(jetstream: &Context, subject: &str, text: &'static str) -> bool {
    let message = PublishMessage::build().expected_last_subject_sequence(0).payload(text.into());
    let Ok(answer) = jetstream.send_publish(subject.to_owned(), message).await else {
        return false;
    };
    match answer.await {
        Ok(_) => true,
        Err(error) => error.kind() == PublishErrorKind::WrongLastSequence,
    }
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
