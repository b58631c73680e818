//! Keeps the books: every event → the registry and the journal in the archive. The registry's only
//! writer.
//!
//! It needs no acknowledgements: the registry knows how far it has read, and both change in one
//! transaction. What a crash takes is read again.

mod metrics;
pub mod queries;
mod reconciler;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use archive::Archive;
use bus::{Bus, BusError, Mark, journaled_streams};
use events::Record;
use jiff::Timestamp;
use registry::{
    Registry, RegistryError,
    journal::{self, JournalError},
};
use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval, sleep},
};
use tracing::{error, info, warn};
use worker::{Health, ProcessArgs, WorkerError};

use crate::reconciler::Reconciler;

/// Name of the service.
pub const NAME: &str = "registrar";
/// Most records of one transaction.
const BATCH: usize = 1000;
/// How often it is asked whether a segment is due.
const SEAL_CHECK_EVERY: Duration = Duration::from_secs(1);
/// How soon what failed is tried again.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Settings of the registrar.
#[derive(clap::Parser, Debug)]
#[command(
    name = "attestry-registrar",
    version,
    about = "Projects every event into the registry, and proves that none was lost",
    after_help = "Example:\n  attestry-registrar --nats-url nats://127.0.0.1:4222 --archive /var/lib/attestry/archive --registry /var/lib/attestry/registry.db"
)]
pub struct Args {
    /// Where the books are kept.
    #[command(flatten)]
    pub registrar: RegistrarArgs,
    /// What every process needs.
    #[command(flatten)]
    pub process: ProcessArgs,
}

/// Where the books are kept.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Registry")]
pub struct RegistrarArgs {
    /// Database file of the registry; a second registrar on it waits until the first has ended
    #[arg(long, env, value_name = "FILE", default_value = "data/registry/registry.db")]
    pub registry: PathBuf,
    /// Seconds after which records go into a segment of the archive at the latest
    #[arg(long, env, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seal_after: u64,
    /// Records of a segment at most
    #[arg(long, env, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub segment_records: u32,
}

impl Default for RegistrarArgs {
    fn default() -> Self {
        let registry = PathBuf::from("data/registry/registry.db");
        Self { registry, seal_after: 60, segment_records: 10_000 }
    }
}

/// Keeps the registry.
#[derive(Clone)]
pub struct Registrar {
    archive: Archive,
    args: RegistrarArgs,
}

/// Why the registrar could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum RegistrarError {
    /// The process could not start.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The streams are not those that the registry knows.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The registry cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The journal and the registry do not belong together, or one is damaged.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl Registrar {
    /// A registrar that keeps its journal in `archive`.
    pub fn new(archive: Archive, args: RegistrarArgs) -> Self {
        Self { archive, args }
    }

    /// Keeps the books until `shutdown` completes, then seals what is not in the archive yet.
    pub async fn run(
        &self,
        shutdown: impl Future<Output = ()>,
        bus: &Bus,
        health: &Health,
    ) -> Result<(), RegistrarError> {
        metrics::announce();
        tokio::pin!(shutdown);
        let registry = tokio::select! {
            () = &mut shutdown => return Ok(()),
            opened = self.open(health) => opened?,
        };
        metrics::ACTIVE.set(1);
        health.set(NAME, Ok(()));
        let reconciler = Reconciler::new(bus.clone(), self.args.registry.clone());
        let mut books = Books { registry: Some(registry), registrar: self.clone(), health };
        let kept = tokio::select! {
            kept = books.keep(shutdown, bus) => kept,
            () = queries::answer(bus, &self.args.registry, &reconciler) => Ok(()),
            () = reconciler.run() => Ok(()),
        };
        metrics::ACTIVE.set(0);
        kept
    }

    /// The registry, once no other registrar has it, with everything that the archive has of it.
    async fn open(&self, health: &Health) -> Result<Registry, RegistrarError> {
        let mut registry = self.lock(health).await?;
        loop {
            match journal::catch_up(&mut registry, &self.archive).await {
                Err(JournalError::Archive(error)) => {
                    warn!(%error, "Failed to read the journal; trying again");
                    health.set(NAME, Err(error.to_string()));
                    sleep(TRY_AGAIN_AFTER).await;
                }
                Err(error) => return Err(error.into()),
                Ok(0) => return Ok(registry),
                Ok(segments) => {
                    info!(segments, "Restored what only the archive had");
                    return Ok(registry);
                }
            }
        }
    }

    /// Waits for its turn: one registrar writes, the others stand by.
    async fn lock(&self, health: &Health) -> Result<Registry, RegistrarError> {
        let path = &self.args.registry;
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(|reason| RegistryError::File {
                action: "create the directory of",
                path: path.clone(),
                reason,
            })?;
        }
        let mut waiting = false;
        loop {
            match Registry::open(path) {
                Err(RegistryError::InUse(_)) => {
                    if !waiting {
                        info!("Another registrar keeps the registry; standing by");
                    }
                    waiting = true;
                    // Standing by is all it has to do.
                    health.set(NAME, Ok(()));
                    sleep(TRY_AGAIN_AFTER).await;
                }
                opened => return Ok(opened?),
            }
        }
    }
}

/// The open registry and where its journal goes.
struct Books<'a> {
    /// Away while a thread works on it.
    registry: Option<Registry>,
    registrar: Registrar,
    health: &'a Health,
}

impl Books<'_> {
    /// Records what the streams store, and seals what has waited long enough.
    async fn keep(
        &mut self,
        shutdown: std::pin::Pin<&mut impl Future<Output = ()>>,
        bus: &Bus,
    ) -> Result<(), RegistrarError> {
        let mut shutdown = shutdown;
        let mut journal = bus.journal(&self.marks().await?);
        let mut seal = interval(SEAL_CHECK_EVERY);
        seal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // What was begun is ended: only waiting is cut short.
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                _ = seal.tick() => self.seal(Due::Now).await?,
                records = journal.next(BATCH) => self.record(records?).await?,
            }
        }
        self.health.set(NAME, Err("stopping".to_owned()));
        self.seal(Due::Always).await
    }

    /// What the registry has of each stream.
    async fn marks(&mut self) -> Result<BTreeMap<String, Mark>, RegistrarError> {
        let marks = self.work(|registry| {
            let mut marks = BTreeMap::new();
            for stream in journaled_streams() {
                if let Some(mark) = registry.position(&stream)? {
                    marks.insert(stream, mark);
                }
            }
            Ok(marks)
        });
        Ok(marks.await?)
    }

    /// Records for sure: nothing is read on before it is.
    async fn record(&mut self, records: Vec<Record>) -> Result<(), RegistrarError> {
        let records = std::sync::Arc::new(records);
        loop {
            let batch = records.clone();
            match self.work(move |registry| registry.record(&batch)).await {
                Ok(new) => {
                    metrics::RECORDED.inc_by(new as u64);
                    return Ok(());
                }
                Err(error) => {
                    error!(%error, "Failed to record; trying again");
                    self.health.set(NAME, Err(error.to_string()));
                    sleep(TRY_AGAIN_AFTER).await;
                    self.health.set(NAME, Ok(()));
                }
            }
        }
    }

    /// Puts what is due into segments of the archive. An archive that is away is tried again later:
    /// until then the records are in the registry, and on the streams.
    async fn seal(&mut self, due: Due) -> Result<(), RegistrarError> {
        #[allow(clippy::disallowed_methods, reason = "what is due depends on the time of day")]
        let now = Timestamp::now();
        loop {
            let pending = self.work(|registry| registry.pending()).await?;
            metrics::UNSEALED.set(i64::try_from(pending.records).unwrap_or(i64::MAX));
            let age = pending.oldest.map(|oldest| now.duration_since(oldest).as_secs());
            let args = &self.registrar.args;
            let old = age.is_some_and(|age| age >= args.seal_after.cast_signed());
            let full = pending.records >= u64::from(args.segment_records);
            let is_due = pending.records > 0 && (due == Due::Always || old || full);
            if !is_due {
                return Ok(());
            }
            let Some(registry) = self.registry.as_mut() else { return Ok(()) };
            let at_most = args.segment_records as usize;
            match journal::seal(registry, &self.registrar.archive, at_most, now).await {
                Ok(Some(sealed)) => {
                    metrics::SEGMENTS.set(i64::try_from(sealed.number).unwrap_or(i64::MAX));
                    info!(number = sealed.number, records = sealed.records, "Sealed a segment");
                    self.health.set(NAME, Ok(()));
                }
                Ok(None) => return Ok(()),
                Err(JournalError::Archive(error)) => {
                    warn!(%error, "Failed to seal a segment; trying again");
                    self.health.set(NAME, Err(error.to_string()));
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Runs `work` on a thread that may wait for the disk.
    async fn work<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Registry) -> Result<T, RegistryError> + Send + 'static,
    ) -> Result<T, RegistryError> {
        let gone = || RegistryError::InUse(self.registrar.args.registry.clone());
        let Some(mut registry) = self.registry.take() else { return Err(gone()) };
        let worked = spawn_blocking(move || {
            let worked = work(&mut registry);
            (registry, worked)
        });
        match worked.await {
            Ok((registry, worked)) => {
                self.registry = Some(registry);
                worked
            }
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(gone()),
            },
        }
    }
}

/// What is sealed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    /// What has waited long enough, or is enough.
    Now,
    /// Everything.
    Always,
}
