//! The doors: manifests that suppliers drop become `document.submitted`.

use std::{collections::BTreeSet, time::Duration};

use bus::{Bus, BusError, Delivery, MAX_MANIFEST_BYTES};
use events::{
    Content, DocumentSubmitted, Envelope, Label, Manifest, Priority, Sender, SubmissionId,
    SupplierId,
};
use tokio::task::JoinSet;
use tracing::{info, warn};

use crate::PassportDirectory;

/// How soon a new passport gets its door.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// Manifests that wait here per supplier.
const ROOM: usize = 16;

/// Stands at the door of every supplier that has a passport, or had one. Does not end.
pub async fn stand_at_doors(bus: &Bus, passports: &PassportDirectory) {
    let mut standing = BTreeSet::new();
    let mut doors = JoinSet::new();
    loop {
        match open_doors(bus, passports).await {
            Ok(suppliers) => {
                for supplier in suppliers {
                    if standing.insert(supplier.clone()) {
                        info!(%supplier, "Stands at the door of a supplier");
                        doors.spawn(stand_at_door(bus.clone(), supplier));
                    }
                }
            }
            Err(problem) => warn!(problem, "Failed to look for suppliers; trying again"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Everybody who has a stream now.
async fn open_doors(
    bus: &Bus,
    passports: &PassportDirectory,
) -> Result<BTreeSet<SupplierId>, String> {
    let passports = passports.clone();
    let listed = tokio::task::spawn_blocking(move || passports.suppliers()).await;
    let listed = listed.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
    let doors = bus.doors().await.map_err(|error| error.to_string())?;
    let mut suppliers: BTreeSet<_> = doors.into_iter().collect();
    for supplier in listed {
        if suppliers.contains(&supplier) {
            continue;
        }
        match bus.open_door(&supplier).await {
            Ok(()) => drop(suppliers.insert(supplier)),
            // The others' doors are open.
            Err(error) => {
                warn!(%supplier, %error, "Failed to open a supplier's door; trying again")
            }
        }
    }
    Ok(suppliers)
}

async fn stand_at_door(bus: Bus, supplier: SupplierId) {
    loop {
        let mut lane = match bus.manifests(&supplier, ROOM).await {
            Ok(lane) => lane,
            Err(error) => {
                warn!(%supplier, %error, "Failed to open a supplier's lane; trying again");
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
                continue;
            }
        };
        while let Some(waiting) = lane.next().await {
            let delivery = waiting.take();
            if let Err(error) = let_in(&bus, &supplier, &delivery).await {
                warn!(%supplier, %error, "Failed to let a manifest in; it comes back");
                bus.until_connected().await;
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            }
        }
    }
}

/// Publishes what a manifest says, and only then tells the broker that it was seen.
async fn let_in(bus: &Bus, supplier: &SupplierId, delivery: &Delivery) -> Result<(), BusError> {
    bus.publish(&submitted(supplier, delivery), None).await?;
    delivery.acknowledge().await
}

fn submitted(supplier: &SupplierId, delivery: &Delivery) -> Envelope<DocumentSubmitted> {
    let token = delivery.subject().rsplit('.').next().unwrap_or_default();
    let (submission, content) = match token.parse::<SubmissionId>() {
        Ok(submission) => (submission, content(delivery.payload())),
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
    Envelope::root(source, delivery.stored_at(), Priority::Background, data.from.scope(), data)
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
