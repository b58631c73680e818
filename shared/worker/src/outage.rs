//! Pauses the worker while something that every event needs is away.

use std::time::Duration;

use tokio::{sync::watch, time::Instant};
use tracing::{info, warn};

use crate::{health::Health, metrics};

const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Closed while a dependency is away; after each pause one event may try.
pub(crate) struct OutageGate {
    worker: &'static str,
    health: Health,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    /// Outages in a row.
    outages: u32,
    dependency: &'static str,
    /// Nothing begins before.
    until: Option<Instant>,
    /// One event tries whether the dependency is back; the others wait for what becomes of it.
    probing: bool,
}

impl OutageGate {
    pub(crate) fn new(worker: &'static str, health: Health) -> Self {
        Self { worker, health, state: watch::Sender::default() }
    }

    /// Completes when an event may begin. Cancel safe.
    pub(crate) async fn pass(&self) {
        let mut changes = self.state.subscribe();
        loop {
            let state = *changes.borrow_and_update();
            let Some(until) = state.until else { return };
            if state.probing || Instant::now() < until {
                tokio::select! {
                    () = tokio::time::sleep_until(until), if !state.probing => {}
                    // The sender lives in `self`.
                    _ = changes.changed() => {}
                }
                continue;
            }
            let granted = self.state.send_if_modified(|state| {
                let free = !state.probing;
                state.probing = true;
                free
            });
            if granted {
                return;
            }
        }
    }

    /// Something is away: pauses, longer each time, and says for how long.
    pub(crate) fn close(&self, dependency: &'static str, detail: &str) -> Duration {
        let mut pause = FIRST_PAUSE;
        self.state.send_modify(|state| {
            // Several events in hand meet the same outage: it is one.
            let already = state.until.is_some_and(|until| !state.probing && Instant::now() < until);
            if !already {
                state.outages = state.outages.saturating_add(1);
            }
            pause = FIRST_PAUSE.saturating_mul(1 << state.outages.saturating_sub(1).min(10));
            pause = pause.min(LONGEST_PAUSE);
            state.until = Some(Instant::now() + pause);
            state.dependency = dependency;
            state.probing = false;
        });
        warn!(
            worker = self.worker,
            dependency,
            detail,
            pause_ms = pause.as_millis(),
            "Paused: a dependency is away"
        );
        self.health.set(self.worker, Err(format!("{dependency} is away: {detail}")));
        metrics::paused(self.worker, dependency, true);
        pause
    }

    /// An event met no outage. Returns whether there was one before it.
    pub(crate) fn open(&self) -> bool {
        let mut was = None;
        self.state.send_if_modified(|state| {
            was = state.until.map(|_| state.dependency);
            *state = State::default();
            was.is_some()
        });
        if let Some(dependency) = was {
            info!(worker = self.worker, dependency, "Resumed: the dependency is back");
            self.health.set(self.worker, Ok(()));
            metrics::paused(self.worker, dependency, false);
        }
        was.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn passes(gate: &OutageGate) -> bool {
        tokio::time::timeout(Duration::from_millis(1), gate.pass()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn one_event_probes_after_the_pause_and_the_rest_follow_its_success() {
        let gate = OutageGate::new("test-gate", Health::default());
        assert!(passes(&gate).await);
        let pause = gate.close("archive", "down");
        assert!(!passes(&gate).await);
        tokio::time::sleep(pause).await;
        assert!(passes(&gate).await, "the probe");
        assert!(!passes(&gate).await, "everyone else waits for the probe");
        gate.open();
        assert!(passes(&gate).await);
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_grow_with_every_failed_probe() {
        let gate = OutageGate::new("test-gate", Health::default());
        let mut last = Duration::ZERO;
        for _ in 0..5 {
            let pause = gate.close("archive", "down");
            assert!(pause > last);
            last = pause;
            tokio::time::sleep(pause).await;
            assert!(passes(&gate).await);
        }
    }
}
