//! Tickets for entries: keeps trackers in step with the backlog, beside everything else and in nobody's way.

mod config;
mod queries;
#[cfg(test)]
mod tests;
mod wanted;

use std::{
    future::Future,
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tickets::{Clock, Key, Known, Ledger, LedgerError, Memory, Report, Wanted, sync};
use tokio::{
    sync::Notify,
    task::{JoinError, spawn_blocking},
    time::sleep,
};
use tracing::{info, warn};

use self::config::Tracked;
pub(crate) use self::queries::answer;
pub use self::queries::{TICKETS, TicketsQuestion, TicketsState};
use crate::{
    Mapper,
    config::ConfigError,
    metrics,
    store::{Reader, StoreError},
};

/// How often trackers are looked at when nothing happens here.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// How soon after a change here trackers are looked at.
const AFTER_A_CHANGE: Duration = Duration::from_secs(5);
/// How long to wait at most when runs end before their time, doubling.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The time of day.
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        worker::now()
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(sleep(pause))
    }
}

/// The trackers, and what became of the last runs.
pub(crate) struct Desk {
    trackers: Vec<Arc<Tracked>>,
    clock: Arc<dyn Clock>,
    state: Mutex<Running>,
    asked: Notify,
    changed: Notify,
}

/// What runs, ran, and is asked for.
#[derive(Default)]
struct Running {
    told: TicketsState,
    wants_plan: bool,
    wants_sync: bool,
}

impl Desk {
    /// The trackers of the file at `path`.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, ConfigError> {
        Self::with_clock(path, Arc::new(SystemClock))
    }

    fn with_clock(path: Option<&Path>, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        let trackers = config::load(path, &clock)?.into_iter().map(Arc::new).collect();
        let (asked, changed) = (Notify::new(), Notify::new());
        Ok(Self { trackers, clock, state: Mutex::default(), asked, changed })
    }

    /// The backlog has changed, perhaps.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, Running> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody asks for a run; returns the number of one that begins from now on.
    fn ask(&self, dry_run: bool) -> u64 {
        let mut state = self.state();
        let (count, wants) = match dry_run {
            true => (state.told.plans, &mut state.wants_plan),
            false => (state.told.runs, &mut state.wants_sync),
        };
        *wants = true;
        let in_hand = u64::from(state.told.running == Some(dry_run));
        self.asked.notify_one();
        count + 1 + in_hand
    }

    /// A run begins; whether it is a dry one.
    fn begin(&self) -> bool {
        let mut state = self.state();
        let dry_run = std::mem::take(&mut state.wants_plan);
        if !dry_run {
            state.wants_sync = false;
        }
        state.told.running = Some(dry_run);
        dry_run
    }

    fn end(&self, dry_run: bool, reports: Vec<Report>) {
        let mut state = self.state();
        state.told.running = None;
        match dry_run {
            true => {
                state.told.plans += 1;
                state.told.plan = reports;
            }
            false => {
                state.told.runs += 1;
                state.told.reports = reports;
            }
        }
    }

    /// Waits until there is a reason to run.
    async fn wait(&self, pause: Duration) {
        {
            let state = self.state();
            if state.wants_plan || state.wants_sync {
                return;
            }
        }
        let after_a_change = async {
            sleep(AFTER_A_CHANGE).await;
            self.changed.notified().await;
        };
        tokio::select! {
            () = sleep(pause) => {}
            () = self.asked.notified() => {}
            // After a run that was ended nobody hurries.
            () = after_a_change, if pause <= LOOK_EVERY => {}
        }
    }
}

/// Keeps trackers in step with the backlog. Does not end.
pub(crate) async fn keep(mapper: &Mapper) {
    let desk = &mapper.0.tickets;
    if desk.trackers.is_empty() {
        return std::future::pending().await;
    }
    let mut pause = LOOK_EVERY;
    loop {
        let dry_run = desk.begin();
        let reports = run(mapper, desk, dry_run).await;
        let stopped = reports.iter().any(|it| it.stopped.is_some());
        pause = if stopped { (2 * pause).min(LONGEST_PAUSE) } else { LOOK_EVERY };
        desk.end(dry_run, reports);
        desk.wait(pause).await;
    }
}

/// One run at each tracker.
async fn run(mapper: &Mapper, desk: &Desk, dry_run: bool) -> Vec<Report> {
    let mut reports = Vec::new();
    for tracker in &desk.trackers {
        let report = match wanted(mapper, tracker).await {
            Ok(wanted) => at(mapper, desk, tracker, &wanted, dry_run).await,
            Err(error) => Err(error),
        };
        let report = report.unwrap_or_else(|LedgerError(why)| Report {
            stopped: Some(format!("the backlog's database: {why}")),
            ..Report::default()
        });
        let report = Report { tracker: tracker.name.clone(), ..report };
        if !dry_run {
            told(&report);
        }
        reports.push(report);
    }
    reports
}

/// What tickets there should be at a tracker, the most urgent first.
async fn wanted(mapper: &Mapper, tracker: &Arc<Tracked>) -> Result<Vec<Wanted>, LedgerError> {
    let (mapper, tracker) = (mapper.clone(), Arc::clone(tracker));
    let read = move || {
        let register = Reader::open(mapper.store().path())?.register(
            mapper.config(),
            mapper.index()?.as_ref(),
            worker::now(),
        )?;
        let mut rows: Vec<_> =
            register.entries.iter().filter(|row| tracker.concerns(row)).collect();
        rows.sort_by_key(|row| {
            let first = std::cmp::Reverse((row.priority.score, row.severity));
            (!row.status.is_open(), first, row.due, row.id.clone())
        });
        Ok(rows.into_iter().map(|row| wanted::wanted(row, &tracker)).collect())
    };
    apart(read).await
}

async fn at(
    mapper: &Mapper,
    desk: &Desk,
    tracker: &Tracked,
    wanted: &[Wanted],
    dry_run: bool,
) -> Result<Report, LedgerError> {
    let ledger = StoreLedger { mapper: mapper.clone(), tracker: tracker.name.clone() };
    sync(&tracker.remote, &ledger, wanted, tracker.limits(dry_run), &*desk.clock).await
}

/// Told once, where it is handled.
fn told(report: &Report) {
    metrics::tickets(report);
    let Report { tracker, steps, failures, open, .. } = report;
    if *steps + *failures > 0 {
        info!(tracker, steps, failures, open, "Brought tickets up to date");
    }
    if let Some(error) = &report.stopped {
        warn!(error, tracker, "Failed to bring all tickets up to date; going on later");
    }
}

/// The record of one tracker in the mapper's database.
struct StoreLedger {
    mapper: Mapper,
    tracker: String,
}

impl Ledger for StoreLedger {
    async fn load(&self) -> Result<Memory, LedgerError> {
        let (mapper, tracker) = (self.mapper.clone(), self.tracker.clone());
        apart(move || mapper.store().tickets(&tracker)).await
    }

    async fn keep(&self, key: Key, known: &Known) -> Result<(), LedgerError> {
        let (mapper, tracker, known) = (self.mapper.clone(), self.tracker.clone(), known.clone());
        apart(move || mapper.store().keep_ticket(&tracker, key, &known)).await
    }

    async fn keep_cursor(&self, cursor: Timestamp) -> Result<(), LedgerError> {
        let (mapper, tracker) = (self.mapper.clone(), self.tracker.clone());
        apart(move || mapper.store().keep_ticket_cursor(&tracker, cursor)).await
    }
}

/// What waits for the disk, or for an event that is being recorded.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, LedgerError> {
    let done = spawn_blocking(work).await;
    let failed = |error: JoinError| LedgerError(error.to_string());
    done.map_err(failed)?.map_err(|error| LedgerError(error.to_string()))
}
