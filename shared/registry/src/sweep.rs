//! Removes evidence whose time is over and that no live build needs.

use std::collections::BTreeMap;

use archive::{Archive, ArchiveError, Class, Metadata};
use events::Digest;
use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::{RegistryError, View};

/// A build is live for this long after its verdict, a submission after its receipt: a year.
const LIVE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// What a sweep found, or left, of each class of evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// By the class's name.
    pub classes: BTreeMap<String, ClassAccount>,
    /// Documents whose metadata cannot be read: they stay, and `attestry doctor` is told.
    pub damaged: u64,
}

/// Documents of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClassAccount {
    /// All of them.
    pub documents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Those whose time is over and that no live build needs.
    pub due: u64,
    /// Their bytes.
    pub due_bytes: u64,
    /// Those whose time is over, and that stay because a live build needs them.
    pub needed: u64,
    /// When the next one's time is over.
    pub next: Option<Timestamp>,
}

/// Why a sweep stopped. What it removed until then stays removed, and the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The archive refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The registry refused.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Looks at every document in `archive` as of `now`, calls `due` for each that may go, and removes
/// those for which it says so.
///
/// The registry behind `view` must have recorded everything: what a build needs is known from there.
pub async fn sweep(
    archive: &Archive,
    view: &View,
    now: Timestamp,
    mut due: impl FnMut(&Metadata) -> bool,
) -> Result<Swept, SweepError> {
    let cutoff = now.saturating_sub(LIVE).unwrap_or(Timestamp::MIN);
    let mut swept = Swept::default();
    let mut entries = archive.entries();
    loop {
        let metadata = match entries.try_next().await {
            Ok(Some(metadata)) => metadata,
            Ok(None) => return Ok(swept),
            Err(ArchiveError::DamagedMetadata { .. }) => {
                swept.damaged += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let account = swept.classes.entry(name_of(metadata.class)).or_default();
        account.documents += 1;
        account.bytes += metadata.size;
        if metadata.class == Class::Segment {
            continue;
        }
        if metadata.retain_until > now {
            let next = account.next.unwrap_or(Timestamp::MAX);
            account.next = Some(next.min(metadata.retain_until));
        } else if view.needed(metadata.digest, cutoff)? {
            account.needed += 1;
        } else {
            account.due += 1;
            account.due_bytes += metadata.size;
            if due(&metadata) {
                remove(archive, view, metadata.digest, now).await?;
            }
        }
    }
}

/// The claims go first: a claim must never name a document that is gone.
async fn remove(
    archive: &Archive,
    view: &View,
    digest: Digest,
    now: Timestamp,
) -> Result<(), SweepError> {
    let mut claims = view.claims_on(digest)?;
    let signatures = format!("signatures/{}", digest.hex());
    let signatures: Vec<archive::Claim> = archive.claims(&signatures).try_collect().await?;
    claims.extend(signatures.into_iter().map(|claim| claim.name));
    for name in claims {
        archive.release(&name).await?;
    }
    archive.remove(digest, now).await?;
    Ok(())
}

/// As it is written in metadata.
fn name_of(class: Class) -> String {
    let value = serde_json::to_value(class).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}
