//! Why the archive did not do as asked.

use events::Digest;

/// Why the archive did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store is away, read-only or full: worth retrying once that is mended.
    #[error(
        "the archive at {place} cannot {action}: {reason}; check that it is mounted, writable and has space"
    )]
    Unavailable {
        /// Where the archive lies.
        place: String,
        /// What was tried.
        action: &'static str,
        /// What the store says.
        reason: String,
    },
    /// No document has this digest.
    #[error("the archive holds no document {0}")]
    NotFound(Digest),
    /// The stored bytes are not what their name says.
    #[error(
        "the archive's document {expected} is damaged: its bytes have digest {found}; restore it from a backup"
    )]
    Corrupt {
        /// Digest asked for.
        expected: Digest,
        /// Digest of what lies there.
        found: Digest,
    },
    /// What is known about a document cannot be read; storing the document again mends it.
    #[error(
        "the archive's metadata of {digest} is damaged: {reason}; restore it from a backup, or store the document again"
    )]
    DamagedMetadata {
        /// Digest asked for.
        digest: Digest,
        /// What is wrong with it.
        reason: String,
    },
    /// Larger than the reader takes.
    #[error("document {digest} has {size} bytes, more than the {max} that are read here")]
    TooLarge {
        /// Digest asked for.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// Most bytes that the reader takes.
        max: u64,
    },
    /// Its class is kept for good.
    #[error("document {0} is a segment of the journal, and those are never removed")]
    NeverRemoved(Digest),
    /// The address is not one that this build can open.
    #[error("`{0}` is no archive address; give a directory")]
    BadAddress(String),
    /// The directory is an archive of another release, or another thing altogether.
    #[error(
        "the marker archive.json at {place} says format `{found}`, which this release does not know; run the release that wrote it, or give another directory"
    )]
    OtherFormat {
        /// Where the archive lies.
        place: String,
        /// The format that the marker names.
        found: String,
    },
}
