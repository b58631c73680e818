//! Submits builds and drops as the command-line client does, and does not give up.

use std::time::Duration;

use async_nats::jetstream::{Context, context::PublishErrorKind, message::PublishMessage};
use bus::{Bus, BusError};
use bytes::Bytes;
use events::{CHUNK_BYTES, Digest, SupplierId};
use futures::{StreamExt, stream};
use tokio::{sync::Semaphore, time::sleep};

use crate::{
    builds::Build,
    drops::{Drop, Interruption, Slip},
    steps::{Pace, Side, Step, Trap},
    streams,
    work::{Piece, Work},
};

/// Whoever submits, and what may happen to it.
pub(crate) struct Sender<'a> {
    /// As the command-line client is connected.
    pub(crate) bus: &'a Bus,
    /// As anybody else may be.
    pub(crate) jetstream: &'a Context,
    /// Where new connections go to.
    pub(crate) url: &'a str,
    /// What waits between chunks and after manifests.
    pub(crate) trap: &'a Trap,
}

/// Pieces that are being submitted at once.
const AT_ONCE: usize = 16;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(200);

/// Submits all of `work` in order, each piece once `pace` lets it and `window` has room for one more.
pub(crate) async fn submit_all(
    sender: &Sender<'_>,
    work: &Work,
    pace: &Pace,
    window: &Semaphore,
) -> anyhow::Result<()> {
    let submits = stream::iter(work.pieces()).map(async |piece| {
        pace.next().await?;
        window.acquire().await?.forget();
        match piece {
            Piece::Build(build) => submit(sender.bus, build).await,
            Piece::Drop(drop) => {
                // A supplier who is in doubt submits once more.
                for again in 0..drop.times {
                    sender.drop_off(drop, again > 0).await?;
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

impl Sender<'_> {
    async fn drop_off(&self, drop: &Drop, again: bool) -> anyhow::Result<()> {
        let Self { bus, jetstream, .. } = self;
        let Drop { supplier, submission, uploads, slip, after, .. } = drop;
        until_door(bus, supplier).await?;
        if let Some(before) = after {
            while insist(async || bus.receipt(supplier, before).await).await?.is_none() {
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
        for (digest, bytes) in uploads {
            // Whoever submits again does so in one go.
            if bytes.len() > CHUNK_BYTES && !again {
                self.upload(drop, *digest, bytes).await?;
            } else {
                insist(async || bus.drop_document(supplier, *digest, bytes).await).await?;
            }
        }
        let subject = format!("ingest.{supplier}.manifest.{submission}");
        let reached = self.trap.reached(Step::Manifest);
        match slip {
            Slip::Manifest(manifest) => {
                if let Some(reached) = reached {
                    if reached.side == Side::Before {
                        // Sent, and whether it was stored is not known.
                        let text = serde_json::to_vec(manifest)?;
                        self.send(&subject, text.into()).await;
                    } else {
                        insist(async || bus.drop_manifest(supplier, submission, manifest).await)
                            .await?;
                    }
                    reached.die().await;
                }
                insist(async || bus.drop_manifest(supplier, submission, manifest).await).await?;
            }
            Slip::Text(text) => {
                while !is_stored(jetstream, &subject, text).await {
                    sleep(TRY_AGAIN_AFTER).await;
                }
                if let Some(reached) = reached {
                    reached.die().await;
                }
            }
        }
        Ok(())
    }

    /// Uploads chunk by chunk; where the uploader dies, another one goes on.
    async fn upload(&self, drop: &Drop, digest: Digest, bytes: &Bytes) -> anyhow::Result<()> {
        let subject = |index| format!("ingest.{}.chunk.{}.{index}", drop.supplier, digest.hex());
        let chunks: Vec<Bytes> = (0..bytes.len())
            .step_by(CHUNK_BYTES)
            .map(|start| bytes.slice(start..bytes.len().min(start + CHUNK_BYTES)))
            .collect();
        let mut interruption = drop.interruption;
        let mut index = 0;
        while let Some(chunk) = chunks.get(index) {
            let dies = interruption.take_if(|it| it.stored == index);
            if let Some(Interruption { resumes, .. }) = dies {
                // With a chunk under way, of which nobody knows whether it arrived.
                let dying = streams::connect(self.url).await;
                if let Ok(jetstream) = dying {
                    jetstream.send_publish(subject(index), message(chunk.clone())).await.ok();
                }
                index = if resumes { index } else { 0 };
                continue;
            }
            while !self.is_kept(&subject(index), chunk).await {
                sleep(TRY_AGAIN_AFTER).await;
            }
            index += 1;
            if index < chunks.len()
                && let Some(reached) = self.trap.reached(Step::Upload)
            {
                reached.die().await;
            }
        }
        Ok(())
    }

    async fn is_kept(&self, subject: &str, chunk: &Bytes) -> bool {
        let sent = self.jetstream.send_publish(subject.to_owned(), message(chunk.clone())).await;
        match sent {
            Ok(answer) => answer.await.is_ok(),
            Err(_) => false,
        }
    }

    /// Sends what must not be there yet, and does not wait for an answer.
    async fn send(&self, subject: &str, payload: Bytes) {
        let message = message(payload).expected_last_subject_sequence(0);
        // It is sent again whatever becomes of it.
        drop(self.jetstream.send_publish(subject.to_owned(), message).await);
    }
}

fn message(payload: Bytes) -> PublishMessage {
    PublishMessage::build().payload(payload)
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
