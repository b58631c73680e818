//! Processes that judge, as many at once as there are processors, kept for the next question.

use std::{
    io::{self, BufReader},
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{Condvar, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;

use super::{
    ARGUMENT, SandboxError,
    child::{Bounds, Loaded},
    frame,
};
use crate::{Limits, LoadError};

/// Longest answer; a report has at most 3,000 findings.
const MAX_ANSWER_BYTES: usize = 256 * 1024 * 1024;
/// How often a process is looked at that takes long.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How much longer than its limit a process may compute: it stops by itself, with a better reason.
const GRACE: u32 = 3;
/// However busy or asleep the machine is.
const LONGEST: Duration = Duration::from_secs(15 * 60);
const ABORTED: i32 = 6;

/// What an answer failed at.
pub(crate) enum Death {
    /// It took more memory than it may have, or more stack.
    Memory,
    /// It computed for longer than it may.
    Time,
    /// Somebody or something else ended it.
    Other(String),
}

pub(crate) struct Pool {
    program: PathBuf,
    bounds: Vec<u8>,
    policies: Vec<u8>,
    limits: Limits,
    idle: Mutex<Vec<Worker>>,
    places: Places,
}

/// One process, with the policies loaded.
struct Worker {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    /// Whether it has judged before: what it keeps of that counts against its limit.
    used: bool,
}

impl Pool {
    /// Starts the first process, which refuses policies that cannot judge.
    pub(crate) fn start(
        program: PathBuf,
        policies: Vec<u8>,
        limits: Limits,
    ) -> Result<Self, LoadError> {
        let time_ms = u64::try_from(limits.time.as_millis()).unwrap_or(u64::MAX);
        let bounds = serde_json::to_vec(&Bounds { time_ms, memory_bytes: limits.memory });
        let bounds = bounds.unwrap_or_default();
        let pool = Self {
            program,
            bounds,
            policies,
            limits,
            idle: Mutex::default(),
            places: Places::new(),
        };
        let first = pool.worker()?;
        pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(first);
        Ok(pool)
    }

    /// What a process answers to `question`; the outer error is nobody's fault here.
    pub(crate) fn ask<T: DeserializeOwned>(
        &self,
        kind: u8,
        input: &str,
    ) -> Result<Result<T, Death>, SandboxError> {
        let _place = self.places.take();
        let mut question = Vec::with_capacity(input.len() + 1);
        question.push(kind);
        question.extend_from_slice(input.as_bytes());
        let mut ended_once = false;
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let (mut worker, is_fresh) = match idle {
                Some(worker) => {
                    let is_fresh = !worker.used;
                    (worker, is_fresh)
                }
                None => match self.worker() {
                    Ok(worker) => (worker, true),
                    Err(LoadError::Sandbox(error)) => return Err(error),
                    // It loaded before, so the machine has changed.
                    Err(error) => return Err(SandboxError::Garbled(error.to_string())),
                },
            };
            match worker.ask(&question, self.limits.time) {
                Ok(answer) => {
                    worker.used = true;
                    let answer = serde_json::from_slice(&answer)
                        .map_err(|error| SandboxError::Garbled(error.to_string()))?;
                    self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
                    return Ok(Ok(answer));
                }
                // It may have died long ago, or of what it kept: only a new one tells.
                Err(Death::Memory | Death::Other(_)) if !is_fresh => {}
                // Somebody else's doing is no fault of the policy, unless it happens again.
                Err(Death::Other(_)) if !ended_once => ended_once = true,
                Err(death) => return Ok(Err(death)),
            }
        }
    }

    fn worker(&self) -> Result<Worker, LoadError> {
        let start = |source| SandboxError::Start { program: self.program.clone(), source };
        let mut worker = Worker::spawn(&self.program).map_err(start)?;
        let handed = frame::write(&mut worker.to, &self.bounds);
        let loaded = match handed {
            Ok(()) => worker.ask(&self.policies, self.limits.time),
            Err(error) => Err(Death::Other(error.to_string())),
        };
        let loaded =
            loaded.map_err(|death| LoadError::Sample { reason: death.reason(&self.limits) })?;
        match serde_json::from_slice(&loaded) {
            Ok(Loaded::Ready) => Ok(worker),
            Ok(Loaded::Refused(reason)) => Err(LoadError::Refused(reason)),
            Err(error) => Err(SandboxError::Garbled(error.to_string()).into()),
        }
    }
}

impl Worker {
    fn spawn(program: &PathBuf) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(ARGUMENT)
            .env_clear()
            // The allocator would take a gigabyte in advance, which counts.
            .env("MIMALLOC_ARENA_RESERVE", "32M")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(to), Some(from)) => {
                Ok(Self { child, to, from: BufReader::new(from), used: false })
            }
            _ => Err(io::Error::other("it has no pipes")),
        }
    }

    /// Sends a frame and waits for the answer, at most as long as the process computes `limit`.
    fn ask(&mut self, question: &[u8], limit: Duration) -> Result<Vec<u8>, Death> {
        let Self { child, to, from, .. } = self;
        let (done, answer) = mpsc::sync_channel(1);
        let mut too_long = false;
        let answered = thread::scope(|scope| {
            scope.spawn(move || {
                let exchanged =
                    frame::write(to, question).and_then(|()| frame::read(from, MAX_ANSWER_BYTES));
                // The other side waits for nothing else.
                done.send(exchanged).unwrap_or_default();
            });
            let (began, computed_before) = (Instant::now(), processor_time(child.id()));
            loop {
                match answer.recv_timeout(LOOK_EVERY) {
                    Ok(exchanged) => break exchanged,
                    Err(mpsc::RecvTimeoutError::Disconnected) => break Ok(None),
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                }
                let computed = processor_time(child.id()).saturating_sub(computed_before);
                if !too_long && (computed > limit * GRACE || began.elapsed() > LONGEST) {
                    too_long = true;
                    // Its pipes close with it, so the exchange ends.
                    child.kill().unwrap_or_default();
                }
            }
        });
        match answered {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) | Err(_) if too_long => Err(Death::Time),
            Ok(None) => Err(death(child.wait())),
            Err(error) => {
                child.kill().unwrap_or_default();
                match death(child.wait()) {
                    Death::Memory => Err(Death::Memory),
                    _ => Err(Death::Other(error.to_string())),
                }
            }
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}

fn death(ended: io::Result<ExitStatus>) -> Death {
    match ended {
        Ok(status) if status.signal() == Some(ABORTED) => Death::Memory,
        Ok(status) => Death::Other(status.to_string()),
        Err(error) => Death::Other(error.to_string()),
    }
}

impl Death {
    pub(crate) fn reason(&self, limits: &Limits) -> String {
        match self {
            Self::Memory => format!(
                "the policy took more than {} MiB of memory and was stopped; join no lists with each other, and build no text or set that grows with their product",
                limits.memory / (1024 * 1024)
            ),
            Self::Time => crate::evaluate::too_slow(limits.time),
            Self::Other(why) => format!(
                "the process that judges was ended from outside ({why}), twice; look for what ended it, such as the system's lack of memory, and judge again"
            ),
        }
    }
}

/// How long a process has computed; zero where the system does not tell.
fn processor_time(process: u32) -> Duration {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{process}/stat")) else {
        return Duration::ZERO;
    };
    // The name in parentheses may hold anything; user and system time are fields 14 and 15 (proc(5)).
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks =
        after_name.split_whitespace().skip(11).take(2).filter_map(|it| it.parse::<u64>().ok());
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Duration::from_millis(ticks.sum::<u64>().saturating_mul(1000) / per_second)
}

/// As many at once as there are processors.
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

struct Place<'a>(&'a Places);

impl Places {
    fn new() -> Self {
        let free = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self { free: Mutex::new(free), freed: Condvar::new() }
    }

    fn take(&self) -> Place<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.freed.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
