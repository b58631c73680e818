//! Turns a [`Handler`] into a process.
//!
//! A handler decides; everything around it lives here once: arguments, the connection, decoding,
//! priorities, retries, outages, quarantine, drain, metrics, health and tracing.

mod args;
mod budget;
mod handler;
mod health;
mod lanes;
pub mod metrics;
mod outage;
mod process;
mod run;
mod settle;
mod telemetry;

pub use crate::{
    args::{BusArgs, LogFormat, LoopArgs, ProcessArgs, WorkerArgs},
    budget::{Budget, Share},
    handler::{Context, HandleError, Handler, off_thread},
    health::Health,
    process::{Connected, Process, WorkerError, exit, measure_archive, shutdown_signal},
    run::run_until,
    settle::now,
    telemetry::Telemetry,
};
