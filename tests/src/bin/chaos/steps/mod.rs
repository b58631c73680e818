//! Kills at every step of a submission: not at some moment, but when the step is reached.
//!
//! supplier-ingest talks to the broker through a [`proxy`] that stops at the message which takes a step. What
//! happens in the archive alone is seen there by [`archive`], and looked at with the process stopped.

pub(crate) mod archive;
pub(crate) mod proxy;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use tokio::{
    sync::{Semaphore, oneshot, watch},
    time::sleep,
};

use crate::world::World;

/// What the steps are steps of.
pub(crate) const VICTIM: &str = "supplier-ingest";
/// Pieces of work that are under way before the first kill.
const HEAD_START: usize = 8;
/// How long a step may fail to come before more work is let in.
const PATIENCE: Duration = Duration::from_millis(300);
/// While so many pieces are under way, the step will come of one of them.
const MOST_UNDER_WAY: usize = 8;
/// Most of them that pass before one is taken, so that not always the first one after a start is hit.
const MOST_PASSED: usize = 3;
/// Longest pause after a kill.
const LONGEST_REST: Duration = Duration::from_millis(300);

/// Something after which there is more than before, and less than there will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Some chunks of a document are stored, others are not.
    Upload,
    /// A manifest is being stored.
    Manifest,
    /// The door asks for the next manifest.
    Look,
    /// The door publishes `document.submitted`.
    Submitted,
    /// Document and bundle are being fetched.
    Fetch,
    /// The decision is claimed; nothing of it is stored.
    Claimed,
    /// Document and receipt are stored; the document is not on record.
    Stored,
    /// `evidence.ready` is being published.
    Ready,
    /// `document.submitted` is being acknowledged.
    ReadyAck,
    /// The signed receipt is being laid out.
    Receipt,
    /// `evidence.signed` is being acknowledged.
    ReceiptAck,
}

/// Who is killed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Victim {
    /// supplier-ingest.
    Ingest,
    /// The broker.
    Broker,
}

/// On which side of the broker a message is when somebody dies of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// It never reached the broker.
    Before,
    /// The broker has dealt with it, and its answer was not heard.
    After,
}

/// Kills by step and victim.
pub(crate) type Hits = BTreeMap<(Step, Victim), usize>;

/// A kill that is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aim {
    pub(crate) step: Step,
    pub(crate) victim: Victim,
    pub(crate) side: Side,
    /// So many pass by unharmed.
    passed: usize,
    /// What follows the kill.
    rest: Duration,
}

/// Where whoever takes a step asks whether it is the last one.
#[derive(Default)]
pub(crate) struct Trap(Mutex<Option<Armed>>);

struct Armed {
    aim: Aim,
    sprung: oneshot::Sender<Caught>,
}

/// Somebody stands at a step, and goes on when this is dropped.
type Caught = oneshot::Sender<()>;

/// A step that was reached while somebody waited for it.
pub(crate) struct Reached {
    pub(crate) side: Side,
    sprung: oneshot::Sender<Caught>,
}

impl Step {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 11] = [
        Self::Upload,
        Self::Manifest,
        Self::Look,
        Self::Submitted,
        Self::Fetch,
        Self::Claimed,
        Self::Stored,
        Self::Ready,
        Self::ReadyAck,
        Self::Receipt,
        Self::ReceiptAck,
    ];

    /// Whether it comes of new work alone, of which there is only so much, and not of what is under way.
    fn is_senders(self) -> bool {
        matches!(self, Self::Upload | Self::Manifest)
    }
}

impl Victim {
    pub(crate) const ALL: [Self; 2] = [Self::Ingest, Self::Broker];
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Upload => "between two chunks of an upload",
            Self::Manifest => "storing a manifest",
            Self::Look => "asking for the next manifest",
            Self::Submitted => "publishing document.submitted",
            Self::Fetch => "fetching document and bundle",
            Self::Claimed => "decision claimed, nothing stored",
            Self::Stored => "document stored, not on record",
            Self::Ready => "publishing evidence.ready",
            Self::ReadyAck => "acknowledging document.submitted",
            Self::Receipt => "laying out a receipt",
            Self::ReceiptAck => "acknowledging evidence.signed",
        })
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ingest => VICTIM,
            Self::Broker => "broker",
        })
    }
}

impl fmt::Display for Aim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        match (self.step, self.side) {
            (Step::Upload | Step::Manifest | Step::Claimed | Step::Stored, _) => Ok(()),
            (_, Side::Before) => f.write_str(", which never leaves"),
            (_, Side::After) => f.write_str(", and its answer is not heard"),
        }
    }
}

/// Every victim at every step, `times` over, in an order that the seed decides. Sides take turns.
pub(crate) fn plan(times: usize, seed: u64) -> Vec<Aim> {
    let mut rng = Rng::with_seed(seed);
    let mut aims = Vec::new();
    for round in 0..times {
        let mut all: Vec<(Step, Victim)> =
            Step::ALL.iter().flat_map(|step| Victim::ALL.map(|victim| (*step, victim))).collect();
        rng.shuffle(&mut all);
        for (step, victim) in all {
            let turn = round + usize::from(victim == Victim::Broker);
            let side = if turn.is_multiple_of(2) { Side::Before } else { Side::After };
            let passed = if step.is_senders() { 0 } else { rng.usize(..=MOST_PASSED) };
            let rest = LONGEST_REST.mul_f64(rng.f64());
            aims.push(Aim { step, victim, side, passed, rest });
        }
    }
    aims
}

impl Trap {
    /// Says whether this step is one that somebody waits for; whoever took it then calls [`Reached::die`].
    pub(crate) fn reached(&self, step: Step) -> Option<Reached> {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = armed.as_mut().filter(|it| it.aim.step == step)?;
        if waiting.aim.passed > 0 {
            waiting.aim.passed -= 1;
            return None;
        }
        let Armed { aim, sprung } = armed.take()?;
        Some(Reached { side: aim.side, sprung })
    }

    fn set(&self, aim: Aim) -> oneshot::Receiver<Caught> {
        let (sprung, caught) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Armed { aim, sprung });
        caught
    }

    fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Reached {
    /// Completes once the victim is dead, or nobody waits any more.
    pub(crate) async fn die(self) {
        let (caught, over) = oneshot::channel();
        if self.sprung.send(caught).is_ok() {
            over.await.ok();
        }
    }
}

/// Lets work in at the pace of the kills, so that none is left without.
pub(crate) struct Pace {
    permits: Semaphore,
    let_in: AtomicUsize,
}

impl Pace {
    /// For so many `pieces` of work; all of them at once, if nothing is aimed at.
    pub(crate) fn of(aims: &[Aim], pieces: usize) -> Self {
        let count = if aims.is_empty() { pieces } else { HEAD_START };
        Self { permits: Semaphore::new(count), let_in: AtomicUsize::new(0) }
    }

    /// Completes when one more piece of work may be submitted.
    pub(crate) async fn next(&self) -> anyhow::Result<()> {
        self.permits.acquire().await?.forget();
        self.let_in.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Lets in whatever `step` may be waiting for, as long as it does not come.
    async fn hurry(&self, step: Step, answered: &watch::Receiver<usize>) -> Infallible {
        loop {
            sleep(PATIENCE).await;
            let let_in = self.let_in.load(Ordering::Relaxed) + self.permits.available_permits();
            if step.is_senders() || let_in < *answered.borrow() + MOST_UNDER_WAY {
                self.permits.add_permits(1);
            }
        }
    }
}

/// Lets everything in `aims` happen in order, until `answered` says that all of the `pieces` are.
pub(crate) async fn kill_at(
    world: &Arc<World>,
    aims: &[Aim],
    pace: &Pace,
    pieces: usize,
    mut answered: watch::Receiver<usize>,
) -> anyhow::Result<Hits> {
    let mut hits = Hits::new();
    // The other half is for steps that do not come at once.
    let share = pieces.saturating_sub(HEAD_START) / aims.len().max(1) / 2;
    let progress = answered.clone();
    for aim in aims {
        let mut watching = archive::Watching::new(&world.area);
        let standing = tokio::select! {
            standing = catch(world, aim, &mut watching) => standing?,
            never = pace.hurry(aim.step, &progress) => match never {},
            all = answered.wait_for(|it| *it >= pieces) => {
                all?;
                world.trap.clear();
                break;
            }
        };
        world.kill_now(aim).await?;
        drop(standing);
        *hits.entry((aim.step, aim.victim)).or_default() += 1;
        pace.permits.add_permits(share);
        sleep(aim.rest).await;
    }
    pace.permits.add_permits(pieces);
    Ok(hits)
}

/// Somebody who stands at a step, and goes on when this is dropped.
enum Standing {
    /// At a message.
    Asked { _caught: Caught },
    /// Anywhere.
    Stopped { _process: archive::Stopped },
}

/// Waits until somebody stands at the step.
async fn catch(
    world: &World,
    aim: &Aim,
    watching: &mut archive::Watching,
) -> anyhow::Result<Standing> {
    if !matches!(aim.step, Step::Claimed | Step::Stored) {
        return Ok(Standing::Asked { _caught: world.trap.set(*aim).await? });
    }
    loop {
        // Its successor is there in a moment.
        let Some(process) = world.fleet.lock().await.handle(VICTIM)? else {
            sleep(LONGEST_REST).await;
            continue;
        };
        match watching.stop_at(aim.step, process).await? {
            Some(stopped) if stopped.is_there => {
                return Ok(Standing::Stopped { _process: stopped });
            }
            // It was not, or went on already.
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn everybody_dies_at_every_step_equally_often_and_on_both_sides() {
        let aims = plan(4, 7);
        assert_eq!(aims.len(), 4 * Step::ALL.len() * Victim::ALL.len());
        for step in Step::ALL {
            for victim in Victim::ALL {
                for side in [Side::Before, Side::After] {
                    let is_it = |it: &&Aim| (it.step, it.victim, it.side) == (step, victim, side);
                    assert_eq!(aims.iter().filter(is_it).count(), 2, "{step} {victim} {side:?}");
                }
            }
        }
        assert_eq!(plan(4, 7), aims);
        assert_ne!(plan(4, 8), aims);
    }

    #[tokio::test]
    async fn work_waits_for_kills_that_are_aimed_and_for_nothing_else() {
        let free = Pace::of(&[], 100);
        for _ in 0..100 {
            assert!(free.next().now_or_never().is_some());
        }
        let aimed = Pace::of(&plan(1, 7), 100);
        for _ in 0..HEAD_START {
            assert!(aimed.next().now_or_never().is_some());
        }
        assert!(aimed.next().now_or_never().is_none());
        aimed.permits.add_permits(1);
        assert!(aimed.next().now_or_never().is_some());
    }

    #[tokio::test]
    async fn trap_takes_the_step_that_it_waits_for_once_and_after_as_many_as_it_should() {
        let trap = Trap::default();
        assert!(trap.reached(Step::Ready).is_none());
        let aim = Aim {
            step: Step::Ready,
            victim: Victim::Ingest,
            side: Side::After,
            passed: 1,
            rest: Duration::ZERO,
        };
        let caught = trap.set(aim);
        assert!(trap.reached(Step::Receipt).is_none());
        assert!(trap.reached(Step::Ready).is_none());
        let reached = trap.reached(Step::Ready).unwrap();
        assert!(trap.reached(Step::Ready).is_none());
        let dying = tokio::spawn(reached.die());
        drop(caught.await.unwrap());
        dying.await.unwrap();
    }
}
