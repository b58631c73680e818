//! Follows what becomes of builds and drops, and notices when nothing becomes of them any more.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use anyhow::bail;
use async_nats::jetstream::Context;
use events::{EvidenceSigned, QUARANTINE_STREAM, stage_stream, subject};
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep},
};
use uuid::Uuid;

use crate::{
    diagnosis,
    streams::{self, RECEIPTS_STREAM},
    work::Work,
};

/// How long nothing may happen.
const STALL_LIMIT: Duration = Duration::from_secs(120);
/// How long nothing may happen while nobody has anything to do: what has no answer by then is lost.
const IDLE_LIMIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Builds and drops of which something became: their correlations.
pub(crate) type Ended = HashSet<Uuid>;

/// Follows the streams until every build has its verdict and every drop its receipt, or lies in quarantine.
///
/// For each of them `window` gets room for one more, and `answered` says how many there are.
pub(crate) async fn follow(
    jetstream: &Context,
    work: &Work,
    window: &Semaphore,
    answered: &watch::Sender<usize>,
) -> anyhow::Result<()> {
    let names = work.names();
    let submissions: HashMap<String, Uuid> =
        work.drops.iter().map(|it| (it.receipt_subject(), it.id())).collect();
    let verdict = format!("{}.*.*.policy-gate.*", subject::stage::<EvidenceSigned>());
    let entry = format!("{}.quarantine.>", subject::ROOT);
    let mut verdicts =
        Cursor { stream: stage_stream::<EvidenceSigned>(), filter: verdict, next: 1 };
    let mut entries = Cursor { stream: QUARANTINE_STREAM.to_owned(), filter: entry, next: 1 };
    let mut receipts =
        Cursor { stream: RECEIPTS_STREAM.to_owned(), filter: "receipts.*.*".to_owned(), next: 1 };
    let mut ended = Ended::new();
    let mut progress = Instant::now();
    let mut idle = None;
    while ended.len() < names.len() {
        let verdict = verdicts.next(jetstream).await.and_then(|it| id_in(&it, 0));
        let entry = entries.next(jetstream).await.and_then(|it| id_in(&it, 1));
        let receipt = receipts.next(jetstream).await;
        let receipt = receipt.and_then(|subject| submissions.get(&subject).copied());
        let found = [verdict, entry, receipt].into_iter().flatten();
        let new: Vec<Uuid> =
            found.filter(|id| names.contains_key(id) && ended.insert(*id)).collect();
        if !new.is_empty() {
            window.add_permits(new.len());
            answered.send_replace(ended.len());
            (progress, idle) = (Instant::now(), None);
            continue;
        }
        sleep(LOOK_EVERY).await;
        let quiet = progress.elapsed();
        if quiet > IDLE_LIMIT && streams::all_settled(jetstream).await.unwrap_or(false) {
            let since = *idle.get_or_insert_with(Instant::now);
            if since.elapsed() > IDLE_LIMIT {
                let lost = diagnosis::of(jetstream, &names, &ended).await?;
                bail!("no worker has anything to do, and these have no answer\n{lost}");
            }
        } else {
            idle = None;
        }
        if quiet > STALL_LIMIT {
            let stuck = diagnosis::of(jetstream, &names, &ended).await?;
            bail!("nothing happened for {} s\n{stuck}", STALL_LIMIT.as_secs());
        }
    }
    Ok(())
}

/// How far a stream was read.
struct Cursor {
    stream: String,
    filter: String,
    next: u64,
}

impl Cursor {
    /// Subject of the next message; none also while the broker or the stream is away.
    async fn next(&mut self, jetstream: &Context) -> Option<String> {
        let stream = jetstream.get_stream_no_info(&self.stream).await.ok()?;
        let next = stream.direct_get_builder().sequence(self.next).next_by_subject(&self.filter);
        let message = next.send().await.ok()?;
        self.next = message.sequence + 1;
        Some(message.subject.to_string())
    }
}

/// The correlation in the subject's last token but `after`.
fn id_in(subject: &str, after: usize) -> Option<Uuid> {
    subject.rsplit('.').nth(after)?.parse().ok()
}
