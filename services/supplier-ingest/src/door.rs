//! The doors: manifests that suppliers drop become `document.submitted`.
//!
//! A door reads its stream by position and remembers none: whoever starts begins at the oldest manifest,
//! and what was let in before is there already, as its event's subject guards.

use std::{collections::BTreeMap, time::Duration};

use bus::{Bus, DoorLimits, MAX_MANIFEST_BYTES, Published};
use events::{
    Content, DocumentSubmitted, Envelope, Label, Manifest, Priority, Record, Sender, SubmissionId,
    SupplierId,
};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep},
};
use tracing::{info, warn};

use crate::{PassportDirectory, limits::Pace};

/// How soon a new passport gets its door, and changed limits count.
const READ_PASSPORTS_EVERY: Duration = Duration::from_secs(2);
/// How soon something new in a stream is noticed: one question for all of them.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Stands at the door of every supplier that has a passport, or had one. Does not end.
pub async fn stand_at_doors(bus: &Bus, passports: &PassportDirectory) {
    let mut standing: BTreeMap<SupplierId, watch::Sender<u64>> = BTreeMap::new();
    let mut opened = BTreeMap::new();
    let mut doors = JoinSet::new();
    let mut next_reading = Instant::now();
    loop {
        if Instant::now() >= next_reading {
            next_reading = Instant::now() + READ_PASSPORTS_EVERY;
            if let Err(problem) = open_doors(bus, passports, &mut opened).await {
                warn!(problem, "Failed to look for suppliers; trying again");
            }
        }
        match bus.doors().await {
            Ok(found) => {
                opened.retain(|supplier, _| found.contains_key(supplier));
                for (supplier, last) in found {
                    let stand = || {
                        info!(%supplier, "Stands at the door of a supplier");
                        let (sender, news) = watch::channel(last);
                        let (bus, passports) = (bus.clone(), passports.clone());
                        doors.spawn(stand_at_door(bus, passports, supplier.clone(), news));
                        sender
                    };
                    let news = standing.entry(supplier.clone()).or_insert_with(stand);
                    news.send_if_modified(|known| std::mem::replace(known, last) != last);
                }
            }
            Err(error) => {
                warn!(%error, "Failed to look at the doors; trying again");
                bus.until_connected().await;
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Opens the doors of new passports, and has changed limits count.
async fn open_doors(
    bus: &Bus,
    passports: &PassportDirectory,
    opened: &mut BTreeMap<SupplierId, DoorLimits>,
) -> Result<(), String> {
    let directory = passports.clone();
    let listed = tokio::task::spawn_blocking(move || directory.suppliers()).await;
    let listed = listed.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    for supplier in listed {
        let limits = passports.limits(&supplier).await.of_door();
        if opened.get(&supplier) == Some(&limits) {
            continue;
        }
        match bus.open_door(&supplier, &limits).await {
            Ok(()) => drop(opened.insert(supplier, limits)),
            // The others' doors are open.
            Err(error) => {
                warn!(%supplier, %error, "Failed to open a supplier's door; trying again")
            }
        }
    }
    Ok(())
}

async fn stand_at_door(
    bus: Bus,
    passports: PassportDirectory,
    supplier: SupplierId,
    mut news: watch::Receiver<u64>,
) {
    let (mut pace, mut from) = (Pace::default(), 1);
    let mut connection = bus.connection();
    loop {
        let last = *news.borrow_and_update();
        // A stream that was lost, or a broker that forgot what it had not synced, gives numbers anew.
        if last + 1 < from || bus.connection() != connection {
            (from, connection) = (1, bus.connection());
        }
        match bus.next_manifest(&supplier, from).await {
            Ok(Some(manifest)) => {
                let stored = let_in(&bus, &supplier, &manifest).await;
                from = manifest.sequence + 1;
                if stored == Published::Stored {
                    let per_minute = passports.limits(&supplier).await.submissions_per_minute;
                    // Nobody but this supplier waits, and nothing is lost: it lies in its own stream.
                    sleep(pace.pause(Instant::now(), per_minute)).await;
                }
            }
            // The sender lives as long as this task.
            Ok(None) => drop(news.changed().await),
            Err(error) => {
                warn!(%supplier, %error, "Failed to look behind a door; trying again");
                bus.until_connected().await;
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
    }
}

/// Publishes what a manifest says, however long that takes.
async fn let_in(bus: &Bus, supplier: &SupplierId, manifest: &Record) -> Published {
    let event = submitted(supplier, manifest);
    loop {
        match bus.publish(&event, None).await {
            Ok(stored) => return stored,
            Err(error) => {
                warn!(%supplier, %error, "Failed to let a manifest in; trying again");
                bus.until_connected().await;
                sleep(TRY_AGAIN_AFTER).await;
            }
        }
    }
}

fn submitted(supplier: &SupplierId, manifest: &Record) -> Envelope<DocumentSubmitted> {
    let token = manifest.subject.rsplit('.').next().unwrap_or_default();
    let (submission, content) = match token.parse::<SubmissionId>() {
        Ok(submission) => (submission, content(&manifest.payload)),
        Err(error) => {
            // It still gets an answer, under a name that can be written.
            let reason =
                format!("the submission's name {error}; choose another, a UUID for example");
            (SubmissionId::for_text(token), Content::Unreadable { reason: Label::of(&reason) })
        }
    };
    let from = Sender::Supplier(supplier.clone());
    let data = DocumentSubmitted { from, submission, content };
    let source = Label::of("/attestry/supplier-ingest");
    Envelope::root(source, manifest.stored_at, Priority::Background, data.from.scope(), data)
}

fn content(payload: &[u8]) -> Content {
    let unreadable = |reason: String| Content::Unreadable { reason: Label::of(&reason) };
    if payload.len() > MAX_MANIFEST_BYTES {
        return unreadable(format!(
            "the manifest has {} bytes; at most {MAX_MANIFEST_BYTES} are read",
            payload.len()
        ));
    }
    match serde_json::from_slice::<Manifest>(payload) {
        Ok(manifest) => Content::Named(manifest),
        Err(error) => unreadable(format!(
            "the manifest is not as ingest-manifest.schema.json has it: {error}; see docs/suppliers.md"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_that_cannot_be_read_is_still_a_submission() {
        let reason = |payload: &[u8]| match content(payload) {
            Content::Named(manifest) => format!("{manifest:?}"),
            Content::Unreadable { reason } => reason.to_string(),
        };
        assert!(reason(b"\xff").contains("the manifest is not as"));
        assert!(reason(b"{}").contains("missing field `document`"));
        assert!(reason(&vec![b' '; MAX_MANIFEST_BYTES + 1]).contains("at most"));
        let path = r#"{"document":{"path":"../x","digest":"sha256:00","size":1,"chunks":1}}"#;
        assert!(reason(path.as_bytes()).contains("relative path"), "{}", reason(path.as_bytes()));
    }
}
