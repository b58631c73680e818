//! Tells the broker about every delivery in hand that work on it goes on.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_nats::{Client, Subject, jetstream::AckKind};
use tracing::warn;

/// How often the broker hears about a delivery: three times within the ack wait.
pub(crate) const PROGRESS_EVERY: Duration = Duration::from_secs(3);

/// The deliveries in hand. One task for all of them: most are settled before their first turn.
pub(crate) struct Keepalive {
    held: Mutex<HashMap<u64, (Subject, Instant)>>,
    next: AtomicU64,
}

/// Keeps one delivery alive until dropped.
pub(crate) struct Held {
    keepalive: Arc<Keepalive>,
    id: u64,
}

impl Keepalive {
    pub(crate) fn start(client: Client) -> Arc<Self> {
        let keepalive = Arc::new(Self { held: Mutex::default(), next: AtomicU64::default() });
        let weak = Arc::downgrade(&keepalive);
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(PROGRESS_EVERY / 3);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(keepalive) = weak.upgrade() else { break };
                for subject in keepalive.due() {
                    let payload = AckKind::Progress.into();
                    if let Err(error) = client.publish(subject, payload).await {
                        warn!(%error, "Failed to tell the broker that work goes on");
                    }
                }
            }
        });
        keepalive
    }

    pub(crate) fn hold(self: &Arc<Self>, reply: Subject) -> Held {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.entries().insert(id, (reply, Instant::now()));
        Held { keepalive: self.clone(), id }
    }

    fn due(&self) -> Vec<Subject> {
        let now = Instant::now();
        let mut held = self.entries();
        let due = held.values_mut().filter(|(_, told)| now - *told >= PROGRESS_EVERY);
        due.map(|(subject, told)| {
            *told = now;
            subject.clone()
        })
        .collect()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, HashMap<u64, (Subject, Instant)>> {
        // Every change is one call, so a panic elsewhere cannot leave the map half-changed.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keepalive.entries().remove(&self.id);
    }
}
