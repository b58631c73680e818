//! Maps evidence to work: accepted documents and promoted builds × advisories × VEX → remediation
//! backlog and risk register.
//!
//! Everything shown is a function of what came in and of the advisory index, so that order and
//! repetition of events make no difference: see [`timeline`].

pub mod config;
pub mod edits;
pub mod entry;
pub mod export;
mod files;
pub mod finding;
mod handlers;
pub mod inventory;
pub mod lifecycle;
mod locks;
mod metrics;
mod newness;
pub mod places;
pub mod priority;
pub mod queries;
mod refill;
pub mod register;
pub mod relation;
mod reported;
pub mod risk;
pub mod routing;
pub mod sla;
pub mod slot;
pub mod store;
#[cfg(test)]
mod testing;
pub mod tickets;
pub mod timeline;
pub mod vex;
pub mod waivers;

use std::{path::PathBuf, sync::Arc, time::Duration};

use advisories::{CurrentIndex, Index, IndexError};
use archive::Archive;
use bus::{Bus, BusError};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::{
    sync::{Notify, watch},
    task::spawn_blocking,
    time::sleep,
};
use tracing::{info, warn};
use worker::{Budget, Health, LoopArgs, WorkerArgs, WorkerError, run_until};

pub use crate::handlers::AdvisoriesChanged;
use crate::{
    config::{Config, ConfigError},
    store::{Reader, Store, StoreError},
    vex::Terms,
    waivers::Waiver,
};

/// Name of the service.
pub const NAME: &str = "backlog-mapper";
/// Largest document that is read, in bytes.
const DOCUMENT_BYTES_MAX: u64 = 64 << 20;
/// Bytes of documents that are read at once; reading takes several times as many.
const BUDGET_BYTES: u64 = 2 * DOCUMENT_BYTES_MAX;
/// Days that a supplier's statement suppresses, unless the operator says otherwise.
const SUPPLIER_VEX_DAYS: u32 = 365;
/// How often the registers' files are written at most.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How soon what failed is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often it is looked whether a statement has ended. They end at midnight.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How long the gate may take to name its waivers.
const PATIENCE: Duration = Duration::from_secs(10);
/// Topic of the gate's waivers.
const WAIVERS: &str = "waivers";

/// Settings of the backlog mapper.
#[derive(clap::Parser, Debug)]
#[command(
    name = "attestry-backlog-mapper",
    version,
    about = "Maps documents and builds to remediation backlog and risk register",
    after_help = "Example:\n  attestry-backlog-mapper --nats-url nats://127.0.0.1:4222 --archive /var/lib/attestry/archive --advisories /var/lib/attestry/advisories --store /var/lib/attestry/backlog.db --registers /var/lib/attestry/registers"
)]
pub struct Args {
    /// What is kept and written where.
    #[command(flatten)]
    pub mapper: MapperArgs,
    /// Settings shared by every worker.
    #[command(flatten)]
    pub worker: WorkerArgs,
}

/// What is kept and written where, and by which choices.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Backlog")]
pub struct MapperArgs {
    /// Database file; a second mapper on it waits until the first has ended
    #[arg(
        long,
        env = "BACKLOG_STORE",
        value_name = "FILE",
        default_value = "data/backlog/backlog.db"
    )]
    pub store: PathBuf,
    /// Directory that the registers are written to as JSON, CSV and Markdown
    #[arg(long, env, value_name = "DIR", default_value = "data/registers")]
    pub registers: PathBuf,
    /// Directory of advisory indexes, as `attestry advisories sync` writes it
    #[arg(long, env, value_name = "DIR", default_value = "data/advisories")]
    pub advisories: PathBuf,
    /// TOML file that says who owns what, and which products can be reached from where [default: Security owns
    /// everything, and products are internal]
    #[arg(long, env, value_name = "FILE")]
    pub routing: Option<PathBuf>,
    /// TOML file with days by severity, and time zones [default: critical 7, high 30, medium 90, low 180,
    /// exploited 3, malicious 1, suppliers' SBOMs 180; UTC]
    #[arg(long, env, value_name = "FILE")]
    pub sla: Option<PathBuf>,
    /// TOML file with risks of your own, and other words for those that are derived
    #[arg(long, env, value_name = "FILE")]
    pub risks: Option<PathBuf>,
    /// How many days a supplier's VEX statement suppresses after it was said; 0 for good
    #[arg(long, env, value_name = "DAYS", default_value_t = SUPPLIER_VEX_DAYS)]
    pub supplier_vex_days: u32,
    /// TOML file that says which entries have tickets at which tracker [default: none have]
    #[arg(long, env, value_name = "FILE")]
    pub tickets: Option<PathBuf>,
}

impl MapperArgs {
    /// The operator's choices.
    ///
    /// # Errors
    /// A file cannot be read or is refused, with its line.
    pub fn config(&self) -> Result<Config, ConfigError> {
        tickets::Desk::open(self.tickets.as_deref())?;
        Config::load(self.routing.as_deref(), self.sla.as_deref(), self.risks.as_deref())
    }

    /// How long statements count.
    pub fn terms(&self) -> Terms {
        Terms { supplier_days: Some(self.supplier_vex_days).filter(|days| *days > 0) }
    }
}

impl Default for MapperArgs {
    fn default() -> Self {
        Self {
            store: "data/backlog/backlog.db".into(),
            registers: "data/registers".into(),
            advisories: "data/advisories".into(),
            routing: None,
            sla: None,
            risks: None,
            supplier_vex_days: SUPPLIER_VEX_DAYS,
            tickets: None,
        }
    }
}

/// Keeps backlog and risk register. Cheap to clone.
#[derive(Clone)]
pub struct Mapper(Arc<Inner>);

struct Inner {
    archive: Archive,
    store: Store,
    index: CurrentIndex,
    config: Config,
    registers: PathBuf,
    budget: Budget,
    changed: Notify,
    tickets: tickets::Desk,
}

/// Why the mapper could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum MapperError {
    /// The process could not start.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The broker refuses.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The operator's choices are refused.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Mapper {
    /// A mapper of documents in `archive`. May wait for the disk.
    ///
    /// # Errors
    /// The operator's files are refused, or the store is; [`StoreError::InUse`] while another mapper
    /// has it.
    pub fn open(archive: Archive, args: &MapperArgs) -> Result<Self, MapperError> {
        let config = args.config()?;
        Ok(Self(Arc::new(Inner {
            archive,
            store: Store::open(&args.store)?
                .with_terms(args.terms())
                .with_advisories(&args.advisories),
            index: CurrentIndex::new(&args.advisories),
            config,
            registers: args.registers.clone(),
            budget: Budget::new(BUDGET_BYTES),
            changed: Notify::new(),
            tickets: tickets::Desk::open(args.tickets.as_deref())?,
        })))
    }

    /// Like [`Self::open`], once no other mapper has the store.
    pub async fn open_in_turn(
        archive: &Archive,
        args: &MapperArgs,
        health: &Health,
    ) -> Result<Self, MapperError> {
        let mut waiting = false;
        loop {
            match Self::open(archive.clone(), args) {
                Err(MapperError::Store(StoreError::InUse(_))) => {
                    if !waiting {
                        info!("Another mapper keeps the backlog; standing by");
                    }
                    waiting = true;
                    // Standing by is all it has to do.
                    health.set(NAME, Ok(()));
                    sleep(TRY_AGAIN_AFTER).await;
                }
                opened => return opened,
            }
        }
    }

    /// Handles events, answers questions and writes registers until `shutdown` completes; then
    /// writes them for the last time. A store that is new is filled before any of it: what it says
    /// until then is less than what is known.
    pub async fn run(
        &self,
        shutdown: impl Future<Output = ()>,
        bus: &Bus,
        events: &LoopArgs,
        health: &Health,
    ) -> Result<(), BusError> {
        let (stop, stopped) = watch::channel(false);
        let until = || {
            let mut stopped = stopped.clone();
            async move { drop(stopped.wait_for(|it| *it).await) }
        };
        let working = async {
            health.set(NAME, Err("filling a new backlog from the streams".to_owned()));
            tokio::select! {
                filled = self.refill(bus) => filled?,
                () = until() => return Ok(()),
            }
            let advisories = AdvisoriesChanged(self.clone());
            let handling = futures::future::try_join(
                run_until(until(), bus, events, health, self.clone()),
                run_until(until(), bus, events, health, advisories),
            );
            let handled = tokio::select! {
                handled = handling => handled.map(drop),
                () = queries::answer(bus, self) => Ok(()),
                () = self.keep_registers() => Ok(()),
                () = self.keep_time(bus) => Ok(()),
                () = tickets::keep(self) => Ok(()),
            };
            self.write_registers().await;
            handled
        };
        let signal = async {
            shutdown.await;
            stop.send_replace(true);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            worked = working => worked,
            () = signal => Ok(()),
        }
    }

    /// Writes the registers now, then after changes, and when time alone changes them. Does not end.
    async fn keep_registers(&self) {
        loop {
            let turns = self.write_registers().await;
            sleep(WRITE_EVERY).await;
            tokio::select! {
                () = self.0.changed.notified() => {}
                () = reached(turns) => {}
            }
        }
    }

    /// Derives again what waivers and time alone have changed. Does not end.
    async fn keep_time(&self, bus: &Bus) {
        loop {
            // Without an answer, what is known goes on, and ends when it does.
            let answer = bus.ask(WAIVERS, Bytes::new(), PATIENCE).await;
            let waivers = answer.ok().and_then(|it| waivers::heard(&it));
            let mapper = self.clone();
            let passed = spawn_blocking(move || mapper.pass_time(waivers, worker::now()));
            match passed.await.unwrap_or_else(|error| Err(error.to_string())) {
                Ok(true) => self.changed(),
                Ok(false) => {}
                Err(error) => warn!(error, "Failed to look what waivers and time have changed"),
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Whether time has changed something, or the gate's waivers, if it named them.
    fn pass_time(&self, waivers: Option<Vec<Waiver>>, now: Timestamp) -> Result<bool, String> {
        if let Some(named) = waivers {
            self.store().hear_waivers(&named, now).map_err(|error| error.to_string())?;
        }
        if !self.store().is_due(now).map_err(|error| error.to_string())? {
            return Ok(false);
        }
        let index = self.index().map_err(|error| error.to_string())?;
        let passed = self.store().pass_time(index.as_ref(), now);
        let (opened, closed) = passed.map_err(|error| error.to_string())?;
        info!(
            opened,
            closed,
            "Derived the backlog anew: VEX statements or waivers began, ended, or count for another time"
        );
        Ok(true)
    }

    /// Files that cannot be written stop nobody: what they say is in the store. Returns when time alone changes
    /// them next.
    async fn write_registers(&self) -> Option<Timestamp> {
        let mapper = self.clone();
        let written = spawn_blocking(move || {
            let Inner { store, config, registers, index, .. } = &*mapper.0;
            let reader = Reader::open(store.path())?;
            metrics::findings(&reader.counts()?);
            let register = reader.register(config, index.get()?.as_ref(), worker::now())?;
            for id in config.risks.lost(&register.risks) {
                warn!(%id, "The file of risks says something of a risk that there is not");
            }
            store.remember(&register, worker::now())?;
            files::write(registers, &register).map_err(|reason| StoreError::File {
                action: "write the registers to",
                path: registers.clone(),
                reason,
            })?;
            Ok::<_, StoreError>(register.turns)
        });
        let failure = match written.await {
            Ok(Ok(turns)) => return turns,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        metrics::REGISTERS_FAILED.inc();
        warn!(error = failure, "Failed to write the registers; trying again after the next event");
        None
    }

    /// The state has changed, perhaps.
    fn changed(&self) {
        self.0.changed.notify_one();
        self.0.tickets.changed();
    }

    fn archive(&self) -> &Archive {
        &self.0.archive
    }

    fn store(&self) -> &Store {
        &self.0.store
    }

    fn config(&self) -> &Config {
        &self.0.config
    }

    fn budget(&self) -> &Budget {
        &self.0.budget
    }

    fn index(&self) -> Result<Option<Index>, IndexError> {
        self.0.index.get()
    }
}

/// Completes when it is `time`; without one, never. Clocks are set and machines sleep, so it looks.
async fn reached(time: Option<Timestamp>) {
    let Some(time) = time else { return std::future::pending().await };
    while worker::now() < time {
        sleep(LOOK_EVERY).await;
    }
}
