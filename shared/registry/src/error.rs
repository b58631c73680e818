//! Why the registry did not do as asked.

use std::path::PathBuf;

/// Why the registry did not do as asked. What a message holds is never a reason: whatever was
/// stored on a stream is recorded as what it is.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Another process writes to it.
    #[error(
        "the registry {0} is in use by another process; only one may write: stop the other, or wait until it ends"
    )]
    InUse(PathBuf),
    /// There is no registry to read.
    #[error(
        "there is no registry at {0}; start the registrar, or rebuild it with `attestry registry rebuild`"
    )]
    Missing(PathBuf),
    /// There is a file where a new registry should be made.
    #[error("{0} exists already; give a path where nothing lies, or move it away")]
    Exists(PathBuf),
    /// A newer release made it.
    #[error(
        "the registry {path} has schema version {found}, this release knows up to {known}; use the release that made it, or rebuild it with this one"
    )]
    Newer {
        /// Where it lies.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The newest version that this release knows.
        known: i64,
    },
    /// Its schema must be brought up to date by its writer first.
    #[error(
        "the registry {path} has schema version {found}, this release reads {known}; start this release's registrar, which brings it up to date"
    )]
    Older {
        /// Where it lies.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// The version that this release reads.
        known: i64,
    },
    /// Segments in the archive and this database tell different stories.
    #[error(
        "segment {number} does not continue this registry: {reason}; this archive's journal belongs to another registry: give the right archive, or move this registry away and rebuild it"
    )]
    ForeignJournal {
        /// The segment.
        number: u64,
        /// Where they part.
        reason: String,
    },
    /// The file system refused.
    #[error("cannot {action} {path}: {reason}; check that the directory exists and is writable")]
    File {
        /// What was tried.
        action: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A segment could not be made.
    #[error(transparent)]
    Segment(#[from] crate::segment::SegmentError),
    /// The database refused: disk, memory, or damage.
    #[error(
        "the registry's database failed: {0}; check its disk, and if the file is damaged, rebuild it with `attestry registry rebuild`"
    )]
    Database(#[from] rusqlite::Error),
}
