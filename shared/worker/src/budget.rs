//! How much a worker reads at once, whatever its concurrency: memory stays bounded.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::HandleError;

const KIB: u64 = 1024;

/// Bytes of documents that a worker may work on at once.
#[derive(Clone)]
pub struct Budget {
    kib: Arc<Semaphore>,
    max: u64,
}

/// A part of the budget, given back when dropped.
pub struct Share {
    _permit: Option<OwnedSemaphorePermit>,
}

impl Budget {
    /// A budget of `bytes`, which is also the most that one event may need.
    pub fn new(bytes: u64) -> Self {
        let kib = usize::try_from(bytes / KIB).unwrap_or(Semaphore::MAX_PERMITS);
        Self { kib: Arc::new(Semaphore::new(kib.min(Semaphore::MAX_PERMITS))), max: bytes }
    }

    /// Waits until `bytes` may be worked on. More than the whole budget is the event's own fault.
    pub async fn take(&self, bytes: u64) -> Result<Share, HandleError> {
        if bytes > self.max {
            let detail = format!(
                "its documents have {bytes} bytes together; at most {} are handled: split the build",
                self.max
            );
            return Err(HandleError::permanent("documents-too-large", detail));
        }
        let kib = u32::try_from(bytes / KIB).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        Ok(Share { _permit: self.kib.clone().acquire_many_owned(kib).await.ok() })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn large_documents_wait_for_each_other() {
        let budget = Budget::new(10 * KIB);
        let first = budget.take(8 * KIB).await.expect("fits");
        let waiting = budget.take(4 * KIB);
        assert!(tokio::time::timeout(Duration::from_secs(1), waiting).await.is_err());
        drop(first);
        assert!(budget.take(4 * KIB).await.is_ok());
    }

    #[tokio::test]
    async fn more_than_everything_is_refused() {
        let refused = Budget::new(10 * KIB).take(11 * KIB).await;
        assert!(matches!(refused, Err(HandleError::Permanent { code: "documents-too-large", .. })));
    }
}
