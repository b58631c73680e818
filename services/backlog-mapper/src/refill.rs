//! A store that is new learns what was handled before it was: what is acknowledged is not delivered
//! again, but the stream still has it.

use std::time::Duration;

use bus::{Bus, BusError};
use events::{Envelope, EvidenceSigned, Record, stage_stream};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use worker::{HandleError, Handler, off_thread};

use crate::{Mapper, TRY_AGAIN_AFTER, handlers::unusable};

/// Records that are taken from the stream at once.
const BATCH: usize = 256;
/// How often an event is tried again before the new backlog goes without it.
const RETRIES: u32 = 3;
/// How long nothing may arrive before the stream's end is looked for again.
const QUIET: Duration = Duration::from_secs(5);

impl Mapper {
    /// Takes in every receipt and verdict that the stream keeps, unless that was done for this store
    /// before. Dying in between is starting again, which changes nothing.
    ///
    /// # Errors
    /// The stream is not the one that was being read.
    pub async fn refill(&self, bus: &Bus) -> Result<(), BusError> {
        if insist(|| self.in_store(|store| store.is_refilled())).await {
            return Ok(());
        }
        let mut journal = bus.stage_journal::<EvidenceSigned>();
        let mut taken = 0;
        while let Some(end) = self.end_of_stream(bus).await? {
            if taken >= end {
                break;
            }
            // What was the end may have passed its age meanwhile.
            let Ok(records) = timeout(QUIET, journal.next(BATCH)).await else { continue };
            for record in records? {
                taken = record.sequence;
                self.take_in(&record).await;
            }
        }
        insist(|| self.in_store(|store| store.set_refilled())).await;
        info!(last = taken, "The backlog knows what the stream keeps");
        Ok(())
    }

    /// Number of the stream's last message; none if it keeps none.
    async fn end_of_stream(&self, bus: &Bus) -> Result<Option<u64>, BusError> {
        loop {
            match bus.last_sequences().await {
                Ok(last) => return Ok(last.get(&stage_stream::<EvidenceSigned>()).copied()),
                Err(error) if error.is_outage() => sleep(TRY_AGAIN_AFTER).await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn take_in(&self, record: &Record) {
        // Whatever else lies there was never ours to handle.
        let Ok(event) = events::decode::<EvidenceSigned>(&record.subject, &record.payload) else {
            return;
        };
        if <Self as Handler>::INPUT_FROM.contains(&event.data.producer) {
            self.take_in_event(&event).await;
        }
    }

    async fn take_in_event(&self, event: &Envelope<EvidenceSigned>) {
        let mut failed = 0;
        loop {
            match self.map(event).await {
                Ok(_) => return,
                Err(HandleError::Transient { .. }) if failed < RETRIES => {
                    failed += 1;
                    sleep(TRY_AGAIN_AFTER).await;
                }
                // It lies in quarantine, or its document is no longer kept.
                Err(HandleError::Permanent { detail, .. } | HandleError::Transient { detail }) => {
                    warn!(event = %event.id, detail, "Left an event out of the new backlog");
                    return;
                }
                Err(HandleError::Outage { dependency, detail }) => {
                    warn!(dependency, detail, "Waiting to fill the new backlog");
                    sleep(TRY_AGAIN_AFTER).await;
                }
            }
        }
    }

    async fn in_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&crate::store::Store) -> Result<T, crate::store::StoreError> + Send + 'static,
    ) -> Result<T, HandleError> {
        let mapper = self.clone();
        off_thread(move || work(mapper.store()).map_err(unusable)).await
    }
}

/// Tries until it succeeds: without the store there is nothing that could go on.
async fn insist<T, F: Future<Output = Result<T, HandleError>>>(attempt: impl Fn() -> F) -> T {
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => {
                warn!(?error, "The backlog's store does not answer; trying again");
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
    }
}
