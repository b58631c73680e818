//! Judging in a process of its own, so that no policy and no document takes the worker down: the engine looks at
//! its timer between instructions only, and bounds no memory.

mod child;
mod frame;
mod pool;

use std::{
    ffi::OsStr,
    path::PathBuf,
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

pub(crate) use self::{
    child::{BUILD, SUPPLIER},
    pool::Pool,
};

/// First argument of the process that judges.
const ARGUMENT: &str = "judge-in-a-sandbox";

static CAN_ENTER: AtomicBool = AtomicBool::new(false);

/// Becomes the process that judges, if this one was started as such: call it first of all in `main`, and return what
/// it returns. Whoever does not call it judges within its own process.
pub fn enter() -> Option<ExitCode> {
    if std::env::args_os().nth(1).as_deref() == Some(OsStr::new(ARGUMENT)) {
        return Some(child::run());
    }
    CAN_ENTER.store(true, Ordering::Relaxed);
    None
}

/// The program to start, if this one can be entered.
pub(crate) fn program() -> Option<PathBuf> {
    CAN_ENTER.load(Ordering::Relaxed).then(std::env::current_exe)?.ok()
}

/// Why nothing could be judged: the machine's fault, not the policy's.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No process could be started.
    #[error(
        "no process could be started to judge in: {program}: {source}; free some memory or processes"
    )]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The process answered nothing that can be read.
    #[error("the process that judges is of another release: {0}; restart the worker")]
    Garbled(String),
}
