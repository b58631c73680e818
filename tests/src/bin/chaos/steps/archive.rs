//! Steps that no message tells of: files of the archive that are there, or not yet.

use std::{
    collections::HashSet,
    ffi::OsString,
    fs,
    os::fd::{AsFd, OwnedFd},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use events::{Accepted, Decision, DecisionResult, Digest, Text};
use jiff::Timestamp;
use rustix::process::{Signal, WaitId, WaitIdOptions, pidfd_send_signal, waitid};
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::Step;
use crate::area::Area;

/// Far shorter than a sync of the disk, which lies between the steps.
const LOOK_EVERY: Duration = Duration::from_micros(150);
/// How long a process is watched before it is asked for again: it may be another one by then.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// Claims of decisions, as they come.
pub(crate) struct Watching {
    area: Area,
    /// Whether nobody waits any more.
    over: Arc<AtomicBool>,
}

/// A process that was stopped, and whether it stands at the step; it goes on when this is dropped.
pub(crate) struct Stopped {
    pub(crate) is_there: bool,
    process: OwnedFd,
}

/// What a claim says, as far as it matters here.
#[derive(Deserialize)]
struct Claim {
    decision: Decision,
    receipt: String,
    product: Option<Text<1024>>,
    made_at: Option<Timestamp>,
}

impl Watching {
    /// Nothing is watched yet.
    pub(crate) fn new(area: &Area) -> Self {
        Self { area: area.clone(), over: Arc::default() }
    }

    /// Stops `process` as soon as it may be at `step`; none if it was not for a while.
    pub(crate) async fn stop_at(
        &mut self,
        step: Step,
        process: OwnedFd,
    ) -> anyhow::Result<Option<Stopped>> {
        let look = Look { area: self.area.clone(), over: self.over.clone(), process };
        spawn_blocking(move || look.stop_at(step)).await?
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

struct Look {
    area: Area,
    over: Arc<AtomicBool>,
    process: OwnedFd,
}

impl Look {
    fn stop_at(self, step: Step) -> anyhow::Result<Option<Stopped>> {
        let old = self.claims()?;
        let find = || Ok(self.claims()?.difference(&old).next().cloned());
        let Some(name) = self.until(find)? else { return Ok(None) };
        let claim = || self.read(&name);
        if step == Step::Claimed {
            if !self.stop()? {
                return Ok(None);
            }
            let is_there =
                claim()?.is_some_and(|it| !self.is_stored(Digest::of(it.receipt.as_bytes())));
            return Ok(Some(Stopped { is_there, process: self.process }));
        }
        let Some(claim) = self.until(claim)? else { return Ok(None) };
        let Some(accepted) = claim.accepted() else { return Ok(None) };
        let receipt = Digest::of(claim.receipt.as_bytes());
        let stored =
            || Ok((self.is_stored(receipt) && self.is_stored(accepted.document)).then_some(()));
        if self.until(stored)?.is_none() || !self.stop()? {
            return Ok(None);
        }
        let is_there = !self.is_on_record(&accepted);
        Ok(Some(Stopped { is_there, process: self.process }))
    }

    /// What `find` finds, unless that takes too long.
    fn until<T>(&self, find: impl Fn() -> anyhow::Result<Option<T>>) -> anyhow::Result<Option<T>> {
        let deadline = Instant::now() + LONGEST_LOOK;
        while !self.over.load(Ordering::Relaxed) && Instant::now() < deadline {
            if let Some(found) = find()? {
                return Ok(Some(found));
            }
            thread::sleep(LOOK_EVERY);
        }
        Ok(None)
    }

    fn directory(&self) -> PathBuf {
        self.area.archive().join("claims/receipts")
    }

    fn claims(&self) -> anyhow::Result<HashSet<OsString>> {
        // It is made with the first claim, and not there while the archive is away.
        let Ok(entries) = fs::read_dir(self.directory()) else { return Ok(HashSet::new()) };
        let names = entries.filter_map(|it| Some(it.ok()?.file_name()));
        Ok(names.filter(|it| !it.to_string_lossy().contains('#')).collect())
    }

    fn read(&self, name: &OsString) -> anyhow::Result<Option<Claim>> {
        let bytes = fs::read(self.directory().join(name)).unwrap_or_default();
        Ok(serde_json::from_slice(&bytes).ok())
    }

    fn is_stored(&self, digest: Digest) -> bool {
        self.area.place_of(digest).exists()
    }

    fn is_on_record(&self, accepted: &Accepted) -> bool {
        let pointer = self.area.archive().join("pointers").join(accepted.pointer());
        let standing = fs::read(pointer).ok();
        let standing = standing.and_then(|it| serde_json::from_slice::<Accepted>(&it).ok());
        standing.is_some_and(|it| !accepted.replaces(&it))
    }

    /// Whether the process stands still now; one that has ended does not.
    fn stop(&self) -> anyhow::Result<bool> {
        if pidfd_send_signal(&self.process, Signal::STOP).is_err() {
            return Ok(false);
        }
        // The signal only asks: until all threads have heard it, the process goes on.
        let ended = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status = waitid(WaitId::PidFd(self.process.as_fd()), ended);
        let status = status.context("cannot wait for a process to stop")?;
        Ok(status.is_some_and(|it| it.stopped()))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // One that has ended hears nothing.
        pidfd_send_signal(&self.process, Signal::CONT).ok();
    }
}

impl Claim {
    /// What will be put on record, if anything.
    fn accepted(&self) -> Option<Accepted> {
        let decision = &self.decision;
        Some(Accepted {
            from: decision.from.clone(),
            document: decision.document.filter(|_| decision.result == DecisionResult::Accepted)?,
            kind: decision.kind?,
            product: self.product.clone(),
            made_at: self.made_at,
            accepted_at: decision.ingested_at,
            signed: true,
        })
    }
}
