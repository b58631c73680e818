//! What the archive's tests share.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::path::{Path, PathBuf};

use archive::{Archive, ArchiveOptions, Class, Entry};
use bytes::Bytes;
use events::Digest;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// Most bytes that are read.
pub(crate) const MAX: u64 = 1 << 20;

/// A moment, in seconds of the Unix epoch.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A moment, in days of the Unix epoch.
pub(crate) fn day(day: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * day)
}

/// A document as SBOM.
pub(crate) fn entry(bytes: impl Into<Bytes>) -> Entry {
    Entry {
        class: Class::Sbom,
        media_type: "application/vnd.cyclonedx+json".to_owned(),
        event_time: at(1),
        bytes: bytes.into(),
    }
}

/// A document as segment of the journal.
pub(crate) fn segment(bytes: impl Into<Bytes>) -> Entry {
    Entry { class: Class::Segment, ..entry(bytes) }
}

/// An archive in a directory of its own.
pub(crate) fn open() -> (TempDir, Archive) {
    open_with(ArchiveOptions::default())
}

/// An archive with options in a directory of its own.
pub(crate) fn open_with(options: ArchiveOptions) -> (TempDir, Archive) {
    let directory = tempfile::tempdir().unwrap();
    let archive = Archive::open_with(directory.path().to_str().unwrap(), options).unwrap();
    (directory, archive)
}

/// Where the bytes of a document lie.
pub(crate) fn file_of(root: &Path, digest: Digest) -> PathBuf {
    let hex = digest.hex();
    root.join("documents/sha256").join(&hex[..2]).join(&hex[2..])
}

/// Where its metadata lie.
pub(crate) fn metadata_file_of(root: &Path, digest: Digest) -> PathBuf {
    let hex = digest.hex();
    root.join("metadata/sha256").join(&hex[..2]).join(format!("{}.json", &hex[2..]))
}
