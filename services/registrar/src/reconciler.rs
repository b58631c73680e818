//! Compares what entered with what ended: nothing is lost is a number, not a hope.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use bus::Bus;
use registry::{Absent, Reconciliation, Settled, View};
use tokio::time::{Instant, interval, sleep};
use tracing::{error, warn};

use crate::{metrics, queries::Reconciled};

/// Suppliers whose freshness is measured; those with a label of their own are fewer.
const SUPPLIERS_MAX: usize = 10_000;
const EVERY: Duration = Duration::from_secs(10);
/// How long the registry may take to record what was there when the floors were read.
const CATCH_UP_LIMIT: Duration = Duration::from_secs(5);
/// How long an answer is worth waiting for.
const MOMENT: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Reads floors from the broker and the rest from the registry.
#[derive(Clone)]
pub(crate) struct Reconciler {
    bus: Bus,
    registry: PathBuf,
}

impl Reconciler {
    pub(crate) fn new(bus: Bus, registry: PathBuf) -> Self {
        Self { bus, registry }
    }

    /// Keeps the metrics current for as long as it is polled.
    pub(crate) async fn run(&self) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut alarmed, mut missed) = (0, Vec::new());
        loop {
            ticks.tick().await;
            match self.reconcile().await {
                Ok(Reconciled { reconciliation, behind }) => {
                    publish(&reconciliation, behind);
                    self.publish_freshness().await;
                    let unaccounted = reconciliation.unaccounted_events;
                    if unaccounted > alarmed {
                        error!(unaccounted, "Events are unaccounted for; see attestry doctor");
                    }
                    alarmed = unaccounted;
                    let absent = reconciliation.absent;
                    for Absent { worker, stream, waiting, .. } in newly(&absent, &missed) {
                        warn!(worker, stream, waiting, "No such worker ever came; start one");
                    }
                    missed = absent;
                }
                Err(why) => warn!(why, "Failed to reconcile; trying again"),
            }
        }
    }

    /// How fresh what suppliers sent is.
    async fn publish_freshness(&self) {
        match self.view(|view| view.newest_sboms(SUPPLIERS_MAX)).await {
            Ok(newest) => metrics::newest_sboms(&newest),
            Err(why) => warn!(why, "Failed to see how fresh suppliers' SBOMs are; trying again"),
        }
    }

    /// What entered and what ended, now. The order of the three looks is what makes it exact: what
    /// a worker publishes before it acknowledges is recorded before we judge the acknowledgement.
    pub(crate) async fn reconcile(&self) -> Result<Reconciled, String> {
        let settled = self.bus.settled().await.map_err(|error| error.to_string())?;
        let last = self.bus.last_sequences().await.map_err(|error| error.to_string())?;
        let behind = self.until_recorded(&last, CATCH_UP_LIMIT).await?;
        // Floors of the broker mean nothing to a registry that has not recorded as far.
        let settled = if behind > 0 { Vec::new() } else { floors(&settled) };
        let mut reconciliation = self.view(move |view| view.reconcile(&settled)).await?;
        if behind > 0 {
            // Without floors everybody seems to be.
            reconciliation.absent.clear();
        }
        Ok(Reconciled { reconciliation, behind })
    }

    /// Waits a moment until the registry has recorded what the streams hold now.
    pub(crate) async fn catch_up(&self) {
        let recorded = async {
            let last = self.bus.last_sequences().await.map_err(|error| error.to_string())?;
            self.until_recorded(&last, MOMENT).await
        };
        if let Err(why) = recorded.await {
            warn!(why, "Failed to see whether everything is recorded");
        }
    }

    /// How many of the messages up to `last` are not recorded, once there are none or `limit` is over.
    async fn until_recorded(
        &self,
        last: &BTreeMap<String, u64>,
        limit: Duration,
    ) -> Result<u64, String> {
        let began = Instant::now();
        loop {
            let behind = self.behind(last).await?;
            if behind == 0 || began.elapsed() >= limit {
                return Ok(behind);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn behind(&self, last: &BTreeMap<String, u64>) -> Result<u64, String> {
        let progress = self.view(View::progress).await?;
        let of = |(stream, last): (&String, &u64)| {
            last.saturating_sub(progress.get(stream).copied().unwrap_or_default())
        };
        Ok(last.iter().map(of).sum())
    }

    async fn view<T: Send + 'static>(
        &self,
        look: impl FnOnce(&View) -> Result<T, registry::RegistryError> + Send + 'static,
    ) -> Result<T, String> {
        let path = self.registry.clone();
        let looked = tokio::task::spawn_blocking(move || look_into(&path, look)).await;
        looked.map_err(|error| error.to_string())?
    }
}

fn floors(settled: &[bus::Settled]) -> Vec<Settled> {
    let floor = |it: &bus::Settled| Settled {
        stream: it.stream.clone(),
        worker: it.worker.clone(),
        priority: it.priority,
        floor: it.floor,
    };
    settled.iter().map(floor).collect()
}

/// Those of `absent` that were not among `known`.
fn newly<'a>(absent: &'a [Absent], known: &'a [Absent]) -> impl Iterator<Item = &'a Absent> {
    let is_known =
        |it: &Absent| known.iter().any(|at| (&at.worker, &at.stream) == (&it.worker, &it.stream));
    absent.iter().filter(move |it| !is_known(it))
}

fn look_into<T>(
    path: &Path,
    look: impl FnOnce(&View) -> Result<T, registry::RegistryError>,
) -> Result<T, String> {
    View::open(path).and_then(|view| look(&view)).map_err(|error| error.to_string())
}

fn publish(reconciliation: &Reconciliation, behind: u64) {
    let gauge = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    metrics::UNACCOUNTED.set(gauge(reconciliation.unaccounted_events));
    metrics::BEHIND.set(gauge(behind));
    let builds = &reconciliation.builds;
    let states = [
        ("passed", builds.passed),
        ("failed", builds.failed),
        ("quarantined", builds.quarantined),
        ("dropped", builds.dropped),
        ("in-progress", builds.in_progress),
    ];
    for (state, count) in states {
        metrics::BUILDS.with_label_values(&[state]).set(gauge(count));
    }
}
