//! One worker as a process of its own.

use std::{pin::Pin, process::ExitCode, time::Duration};

use archive::{Archive, ArchiveError};
use bus::{Bus, BusError};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::{
    Handler, Health, ProcessArgs, Telemetry, args::LoopArgs, metrics, run::MEASURE_EVERY, run_until,
};

/// What a worker's `main` returns: 0, or 2 for settings that must change first, 3 for a broker that
/// refuses. A message for people goes to stderr.
#[allow(clippy::print_stderr, reason = "logging may be what could not start")]
pub fn exit(ran: Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    let Err(error) = ran else { return ExitCode::SUCCESS };
    eprintln!("attestry: {error}");
    let is_broker =
        error.is::<BusError>() || matches!(error.downcast_ref(), Some(WorkerError::Bus(_)));
    ExitCode::from(if is_broker { 3 } else { 2 })
}

/// A process that has its logs and its archive, and is about to do its work.
pub struct Process {
    name: &'static str,
    args: ProcessArgs,
    health: Health,
    _telemetry: Telemetry,
    /// The evidence archive.
    pub archive: Archive,
}

/// A process that is connected to the broker.
pub struct Connected {
    /// The connection, on which every stream exists.
    pub bus: Bus,
    /// What `/ready` says.
    pub health: Health,
}

/// Why a worker process could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The broker's configuration or version is not usable.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The archive's address is not usable.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The address for metrics cannot be listened on.
    #[error("cannot serve metrics on {address}: {reason}; choose another --metrics address")]
    Metrics {
        /// The address.
        address: std::net::SocketAddr,
        /// What the system says.
        reason: String,
    },
    /// Logging or tracing cannot start.
    #[error("cannot start logging or tracing: {0}")]
    Telemetry(String),
}

impl Process {
    /// Starts logging and tracing and opens the archive.
    pub fn start(name: &'static str, args: ProcessArgs) -> Result<Self, WorkerError> {
        let endpoint = args.otlp_endpoint.as_deref();
        let telemetry = Telemetry::start(name, &args.log, args.log_format, endpoint)
            .map_err(WorkerError::Telemetry)?;
        let archive = args.open_archive()?;
        Ok(Self { name, args, health: Health::default(), _telemetry: telemetry, archive })
    }

    /// Runs `handler` until SIGINT or SIGTERM, then ends what is in hand.
    pub async fn run<H: Handler>(self, events: &LoopArgs, handler: H) -> Result<(), WorkerError> {
        self.run_with(events, handler, async |_: &Bus| std::future::pending().await).await
    }

    /// Runs `handler`, and beside it `also`, until SIGINT or SIGTERM.
    pub async fn run_with<H: Handler>(
        self,
        events: &LoopArgs,
        handler: H,
        also: impl AsyncFn(&Bus),
    ) -> Result<(), WorkerError> {
        self.connected(async |Connected { bus, health }, shutdown| {
            tokio::select! {
                ran = run_until(shutdown, &bus, events, &health, handler) => Ok(ran?),
                () = also(&bus) => Ok(()),
            }
        })
        .await
    }

    /// Runs two handlers, and beside them `also`, until SIGINT or SIGTERM.
    pub async fn run_both<A: Handler, B: Handler>(
        self,
        events: &LoopArgs,
        first: A,
        second: B,
        also: impl AsyncFn(&Bus),
    ) -> Result<(), WorkerError> {
        self.connected(async |Connected { bus, health }, shutdown| {
            let (stop, stopped) = watch::channel(false);
            let until = || {
                let mut stopped = stopped.clone();
                async move { drop(stopped.wait_for(|it| *it).await) }
            };
            let handled = async {
                tokio::try_join!(
                    run_until(until(), &bus, events, &health, first),
                    run_until(until(), &bus, events, &health, second),
                )
            };
            let signal = async {
                shutdown.await;
                stop.send_replace(true);
                std::future::pending().await
            };
            tokio::select! {
                handled = handled => handled.map(drop).map_err(WorkerError::from),
                () = also(&bus) => Ok(()),
                () = signal => Ok(()),
            }
        })
        .await
    }

    /// Serves health and metrics, connects, and does `work`, which ends with its second argument:
    /// SIGINT or SIGTERM.
    pub async fn connected<E: From<WorkerError>>(
        self,
        work: impl AsyncFnOnce(Connected, Pin<&mut dyn Future<Output = ()>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let address = self.args.metrics;
        let serving = self.health.serve(address).await;
        let serving =
            serving.map_err(|error| WorkerError::Metrics { address, reason: error.to_string() })?;
        info!(address = %serving, "Serving /live, /ready and /metrics");
        let shutdown = shutdown_signal();
        tokio::pin!(shutdown);
        self.health.set(self.name, Err("waiting for the broker".to_owned()));
        let bus = tokio::select! {
            () = &mut shutdown => return Ok(()),
            bus = connect(&self.args, self.name) => bus.map_err(WorkerError::from)?,
        };
        let connected = Connected { bus: bus.clone(), health: self.health };
        tokio::select! {
            worked = work(connected, shutdown) => worked?,
            () = measure_archive(&self.archive) => {}
        }
        bus.close().await;
        Ok(())
    }
}

/// Keeps the gauges of the archive's room current. Does not end.
pub async fn measure_archive(archive: &Archive) {
    let mut ticks = tokio::time::interval(MEASURE_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let archive = archive.clone();
        // A network volume may hang.
        let measured = tokio::task::spawn_blocking(move || archive.room()).await;
        match measured {
            Ok(Ok(room)) => metrics::archive_room(room),
            // Whoever needs the archive says what is wrong with it.
            Ok(Err(error)) => debug!(%error, "Failed to measure the archive's room"),
            Err(error) => debug!(%error, "Failed to measure the archive's room"),
        }
    }
}

/// A connection on which every stream exists. Waits for a broker that is away.
async fn connect(args: &ProcessArgs, name: &str) -> Result<Bus, BusError> {
    let bus = Bus::connect(&args.bus.options(name), None).await?;
    loop {
        match bus.set_up().await {
            Ok(()) => return Ok(bus),
            Err(error) if error.is_outage() => {
                warn!(%error, "Failed to set up the streams; trying again");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Completes on SIGINT (Ctrl-C) or SIGTERM (container stop).
#[allow(clippy::expect_used, reason = "a process that cannot be stopped must not start")]
pub async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be listened for");
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be listened for");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
