//! Follows what becomes of the builds, and notices when nothing becomes of them any more.

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

use crate::{builds::Build, diagnosis, streams};

/// How long nothing may happen.
const STALL_LIMIT: Duration = Duration::from_secs(120);
/// How long nothing may happen while nobody has anything to do: what has no verdict by then is lost.
const IDLE_LIMIT: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Builds of which something became: their ids.
pub(crate) type Ended = HashSet<Uuid>;

/// Follows the streams until every build has its verdict or lies in quarantine.
///
/// For each of them `window` gets room for one more, and `answered` says how many there are.
pub(crate) async fn follow(
    jetstream: &Context,
    builds: &[Build],
    window: &Semaphore,
    answered: &watch::Sender<usize>,
) -> anyhow::Result<()> {
    let known: HashMap<Uuid, &Build> = builds.iter().map(|it| (it.event.id, it)).collect();
    let verdict = format!("{}.*.*.policy-gate.*", subject::stage::<EvidenceSigned>());
    let entry = format!("{}.quarantine.>", subject::ROOT);
    let mut verdicts =
        Cursor { stream: stage_stream::<EvidenceSigned>(), filter: verdict, next: 1 };
    let mut entries = Cursor { stream: QUARANTINE_STREAM.to_owned(), filter: entry, next: 1 };
    let mut ended = Ended::new();
    let mut progress = Instant::now();
    let mut idle = None;
    while ended.len() < builds.len() {
        let verdict = verdicts.next(jetstream).await.and_then(|it| id_in(&it, 0));
        let entry = entries.next(jetstream).await.and_then(|it| id_in(&it, 1));
        let found = [verdict, entry].into_iter().flatten();
        let new: Vec<Uuid> =
            found.filter(|id| known.contains_key(id) && ended.insert(*id)).collect();
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
                let lost = diagnosis::of(jetstream, builds, &ended).await?;
                bail!("no worker has anything to do, and builds have no verdict\n{lost}");
            }
        } else {
            idle = None;
        }
        if quiet > STALL_LIMIT {
            let stuck = diagnosis::of(jetstream, builds, &ended).await?;
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
