//! Settings that every worker shares.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use archive::{Archive, ArchiveError, ArchiveOptions};
use bus::BusOptions;
use clap::{Args, ValueEnum};

/// Flatten this into the arguments of a service that handles events.
#[derive(Args, Clone, Debug)]
pub struct WorkerArgs {
    /// What every process needs.
    #[command(flatten)]
    pub process: ProcessArgs,
    /// How events are handled.
    #[command(flatten)]
    pub events: LoopArgs,
}

/// What every process needs, whatever it does.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Worker")]
pub struct ProcessArgs {
    /// How to reach the broker.
    #[command(flatten)]
    pub bus: BusArgs,
    /// Directory of the evidence archive
    #[arg(long, env, value_name = "DIR", default_value = "data/artifacts/supply-chain")]
    pub archive: String,
    /// Bytes of the archive's volume that documents leave free; below it workers pause
    /// [default: a sixteenth of the volume, at most 64 MiB]
    #[arg(long, env, value_name = "BYTES")]
    pub archive_reserve: Option<u64>,
    /// Directory that notes what is not durable yet: an instrument of the chaos run
    #[arg(long, value_name = "DIR", hide = true)]
    pub archive_ledger: Option<PathBuf>,
    /// Address of /live, /ready and /metrics; port 0 picks a free one
    #[arg(long, env, value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub metrics: SocketAddr,
    /// Format of the log lines
    #[arg(long, env, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Which log lines are written, for example `info` or `bus=debug,info`
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,
    /// OTLP/HTTP endpoint that traces are sent to, for example http://127.0.0.1:4318
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

/// How to reach the broker.
#[derive(Args, Clone, Debug)]
pub struct BusArgs {
    /// NATS server; several separated by commas
    #[arg(long, env, value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    pub nats_url: String,
    /// Seed of an nkey, or NATS credentials
    #[arg(long, env, value_name = "FILE")]
    pub creds: Option<PathBuf>,
}

/// How events are handled.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Worker")]
pub struct LoopArgs {
    /// Events handled at once
    #[arg(long, env, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub concurrency: u16,
    /// Failed attempts, crashes included, before an event goes to quarantine
    #[arg(long, env, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub max_attempts: u32,
    /// Seconds that one attempt may take
    #[arg(long, env, value_name = "SECONDS", default_value_t = 600)]
    pub attempt_timeout: u64,
    /// Seconds that events in hand may take to end after SIGTERM
    #[arg(long, env, value_name = "SECONDS", default_value_t = 20)]
    pub drain_timeout: u64,
}

/// Format of the log lines.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl ProcessArgs {
    pub(crate) fn open_archive(&self) -> Result<Archive, ArchiveError> {
        let options =
            ArchiveOptions { reserve: self.archive_reserve, ledger: self.archive_ledger.clone() };
        Archive::open_with(&self.archive, options)
    }
}

impl BusArgs {
    /// Options for a connection that calls itself `name`.
    pub fn options(&self, name: &str) -> BusOptions {
        BusOptions { url: self.nats_url.clone(), creds: self.creds.clone(), name: name.to_owned() }
    }
}

impl Default for LoopArgs {
    fn default() -> Self {
        Self { concurrency: 8, max_attempts: 10, attempt_timeout: 600, drain_timeout: 20 }
    }
}

impl LoopArgs {
    pub(crate) fn attempt_timeout(&self) -> Duration {
        Duration::from_secs(self.attempt_timeout)
    }

    pub(crate) fn drain_timeout(&self) -> Duration {
        Duration::from_secs(self.drain_timeout)
    }
}
