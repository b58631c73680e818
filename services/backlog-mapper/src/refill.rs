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
    /// before. Dying in between is starting again, which changes nothing; so is leaving out what may
    /// be taken in another time.
    ///
    /// # Errors
    /// The stream is not the one that was being read.
    pub async fn refill(&self, bus: &Bus) -> Result<(), BusError> {
        if insist(|| self.in_store(|store| store.is_refilled())).await {
            return Ok(());
        }
        let mut journal = bus.stage_journal::<EvidenceSigned>();
        let (mut taken, mut left_out) = (0, 0_u64);
        while let Some(end) = self.end_of_stream(bus).await? {
            if taken >= end {
                break;
            }
            // What was the end may have passed its age meanwhile.
            let Ok(records) = timeout(QUIET, journal.next(BATCH)).await else { continue };
            for record in records? {
                taken = record.sequence;
                left_out += u64::from(!self.take_in(&record).await);
            }
        }
        if left_out > 0 {
            warn!(left_out, "The new backlog lacks some events; the next start tries them again");
            return Ok(());
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

    /// Whether nothing of it is left for another time.
    async fn take_in(&self, record: &Record) -> bool {
        // Whatever else lies there was never ours to handle.
        let Ok(event) = events::decode::<EvidenceSigned>(&record.subject, &record.payload) else {
            return true;
        };
        if !<Self as Handler>::INPUT_FROM.contains(&event.data.producer) {
            return true;
        }
        self.take_in_event(&event).await
    }

    pub(crate) async fn take_in_event(&self, event: &Envelope<EvidenceSigned>) -> bool {
        let mut failed = 0;
        loop {
            match self.map(event).await {
                Ok(_) => return true,
                Err(HandleError::Transient { .. }) if failed < RETRIES => {
                    failed += 1;
                    sleep(TRY_AGAIN_AFTER).await;
                }
                Err(HandleError::Transient { detail }) => {
                    warn!(event = %event.id, detail, "Left an event out of the new backlog for now");
                    return false;
                }
                // It lies in quarantine.
                Err(HandleError::Permanent { detail, .. }) => {
                    warn!(event = %event.id, detail, "Left an event out of the new backlog");
                    return true;
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
