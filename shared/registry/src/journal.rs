//! The journal in the archive: segments that hold every message ever recorded, each bound to the
//! one before by its digest.
//!
//! A segment is a document; the claim `segments/<number>` names it, and the first one claimed is
//! the segment for good. These functions wait for the archive and compute for long stretches: give
//! them a task of their own.

mod check;

use std::{
    io,
    path::{Path, PathBuf},
};

use archive::{Archive, ArchiveError, Class, Entry};
use events::Digest;
use jiff::Timestamp;

pub use self::check::{Checked, check};
use crate::{
    Registry, RegistryError,
    segment::{self, MAX_BYTES, MEDIA_TYPE, Segment, SegmentError},
};

/// A segment that the archive holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its number.
    pub number: u64,
    /// Digest of its bytes as they are stored.
    pub digest: Digest,
    /// How many records it holds.
    pub records: u64,
}

/// A registry that was made from the archive alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Segments read.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Digest of its dump.
    pub dump: Digest,
}

/// Why the journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The archive refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The registry refused.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A segment is not what it should be.
    #[error("segment {number} of the journal: {problem}")]
    Segment {
        /// The segment.
        number: u64,
        /// What is wrong with it.
        problem: SegmentError,
    },
    /// A claim names no digest.
    #[error("the archive's claim `{0}` names no digest; restore it from a backup")]
    Claim(String),
}

/// Seals at most `at_most` pending records into the next segment, or what an interrupted call
/// planned. None when nothing is pending. `now` is when the archive is told that it comes.
///
/// May die anywhere and be called again.
pub async fn seal(
    registry: &mut Registry,
    archive: &Archive,
    at_most: usize,
    now: Timestamp,
) -> Result<Option<Sealed>, JournalError> {
    let Some(planned) = registry.plan_segment(at_most)? else { return Ok(None) };
    let (number, records) = (planned.header.number, planned.header.records);
    let digest = Digest::of(&planned.bytes);
    let entry = Entry {
        class: Class::Segment,
        media_type: MEDIA_TYPE.to_owned(),
        event_time: planned.header.until,
        bytes: planned.bytes.into(),
    };
    archive.put(&[entry], now).await?;
    let name = claim_name(number);
    let first = archive.claim(&name, digest.to_string().into()).await?;
    let first = claimed_digest(&name, &first)?;
    if first == digest {
        registry.mark_sealed(&planned.header, digest)?;
        return Ok(Some(Sealed { number, digest, records }));
    }
    // Sealed before, by a release that compressed differently or a registry that is not this one:
    // the records themselves tell.
    let segment = fetch(archive, number, first).await?;
    registry.apply(first, &segment)?;
    Ok(Some(Sealed { number, digest: first, records: segment.header.records }))
}

/// Applies the segments that the archive holds beyond the registry's last, and returns how many.
/// Belongs before the first record of a run: a database that a crash or a restored backup threw
/// back learns here what it knew before.
pub async fn catch_up(registry: &mut Registry, archive: &Archive) -> Result<u64, JournalError> {
    let mut applied = 0;
    loop {
        let number = registry.sealed_end()?.map_or(1, |it| it.number + 1);
        let name = claim_name(number);
        let Some(claim) = archive.held(&name).await? else { return Ok(applied) };
        let digest = claimed_digest(&name, &claim)?;
        let segment = fetch(archive, number, digest).await?;
        registry.apply(digest, &segment)?;
        applied += 1;
    }
}

/// Makes a registry at `path`, where nothing may lie, from the archive alone. One segment at a time
/// is in memory. What fails leaves nothing behind.
pub async fn rebuild(archive: &Archive, path: &Path) -> Result<Rebuilt, JournalError> {
    if path.exists() {
        return Err(RegistryError::Exists(path.to_owned()).into());
    }
    let rebuilt = rebuild_into(archive, path).await;
    if rebuilt.is_err() {
        remove_database(path)?;
    }
    rebuilt
}

async fn rebuild_into(archive: &Archive, path: &Path) -> Result<Rebuilt, JournalError> {
    let mut registry = Registry::open(path)?;
    let segments = catch_up(&mut registry, archive).await?;
    let records = registry.sealed_end()?.map_or(0, |it| it.last);
    let dump = registry.dump(&mut io::sink())?;
    Ok(Rebuilt { segments, records, dump })
}

fn remove_database(path: &Path) -> Result<(), RegistryError> {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        let file = PathBuf::from(name);
        match std::fs::remove_file(&file) {
            Err(reason) if reason.kind() != io::ErrorKind::NotFound => {
                let action = "remove the unfinished";
                return Err(RegistryError::File { action, path: file, reason });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The segment `number`, which is stored under `digest`.
async fn fetch(archive: &Archive, number: u64, digest: Digest) -> Result<Segment, JournalError> {
    let bytes = archive.get(digest, MAX_BYTES).await?;
    segment::decode(&bytes).map_err(|problem| JournalError::Segment { number, problem })
}

fn claim_name(number: u64) -> String {
    format!("segments/{number:010}")
}

fn claimed_digest(name: &str, claim: &[u8]) -> Result<Digest, JournalError> {
    let digest = std::str::from_utf8(claim).ok().and_then(|it| it.parse().ok());
    digest.ok_or_else(|| JournalError::Claim(name.to_owned()))
}
