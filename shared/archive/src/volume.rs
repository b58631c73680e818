//! Whether the archive's volume is there, and how much room it has.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Write},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use rustix::{fs::StatVfs, io::Errno};
use serde::Deserialize;

use crate::{Archive, ArchiveError, Class, Entry};

/// Format of archives that this release reads and writes.
pub(crate) const FORMAT: &str = "attestry.archive.v1";

/// A file that tells an archive from the empty directory that an unmounted volume leaves.
pub(crate) const MARKER: &str = "archive.json";

/// Most bytes that documents leave free unless told otherwise: claims and hundreds of segments, so
/// that what was stored until then can be told, judged and recorded.
const RESERVE_MAX: u64 = 64 << 20;

/// On small volumes, of less than 1 GiB, the reserve is this part, or nothing could be stored.
const RESERVE_PART: u64 = 16;

/// Room on the archive's volume, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// What may still be written, the reserve included.
    pub free: u64,
    /// The volume's size.
    pub total: u64,
    /// What documents leave free.
    pub reserve: u64,
}

impl Archive {
    /// Room on the archive's volume: one system call.
    pub fn room(&self) -> Result<Room, ArchiveError> {
        let volume = volume_of(&self.root);
        let volume = volume.map_err(|reason| self.unavailable("tell its room", reason))?;
        Ok(self.room_of(&volume))
    }

    /// Whether the archive's volume is there.
    ///
    /// Asked before writes, because the store creates directories that are missing, and whenever
    /// something is not found.
    pub(crate) async fn present(&self, action: &'static str) -> Result<(), ArchiveError> {
        self.look(action).await.map(drop)
    }

    /// Whether the archive's volume is there and `entries` fit in.
    ///
    /// Those who store at once may overdraw the reserve together, each by what it stores.
    pub(crate) async fn room_for(&self, entries: &[Entry]) -> Result<(), ArchiveError> {
        const ACTION: &str = "store documents";
        let volume = self.look(ACTION).await?;
        let room = self.room_of(&volume);
        let block = volume.f_frsize.max(1);
        // Each takes whole blocks, and one more for its metadata.
        let size = |entry: &Entry| (entry.bytes.len() as u64).div_ceil(block).saturating_add(1);
        let blocks = entries.iter().map(size).fold(0, u64::saturating_add);
        let needed = blocks.saturating_mul(block);
        // The reserve is there for segments: without them the journal would stand still.
        let all_segments = entries.iter().all(|entry| entry.class == Class::Segment);
        let reserve = if all_segments { 0 } else { room.reserve };
        if room.free.checked_sub(needed).is_some_and(|left| left >= reserve) {
            return Ok(());
        }
        let free = room.free;
        let reason = format!(
            "its volume has {free} bytes free, {needed} are needed and {reserve} are reserved; \
             remove something, enlarge the volume or lower the reserve"
        );
        Err(self.unavailable(ACTION, reason))
    }

    async fn look(&self, action: &'static str) -> Result<StatVfs, ArchiveError> {
        let root = self.root.clone();
        // A network volume may hang.
        let looked = tokio::task::spawn_blocking(move || volume_of(&root)).await;
        let looked = looked.unwrap_or_else(|error| Err(error.to_string()));
        looked.map_err(|reason| self.unavailable(action, reason))
    }

    fn room_of(&self, volume: &StatVfs) -> Room {
        let total = volume.f_blocks.saturating_mul(volume.f_frsize);
        Room {
            free: volume.f_bavail.saturating_mul(volume.f_frsize),
            total,
            reserve: self.reserve.unwrap_or(RESERVE_MAX.min(total / RESERVE_PART)),
        }
    }
}

/// The format of the archive in `root`, which gets a marker if it has none.
pub(crate) fn mark(root: &Path) -> io::Result<String> {
    #[derive(Deserialize)]
    struct Marker {
        format: String,
    }

    let marker = match File::open(root.join(MARKER)) {
        Ok(marker) => marker,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            write_marker(root)?;
            return Ok(FORMAT.to_owned());
        }
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    marker.take(4096).read_to_end(&mut bytes)?;
    let marker = serde_json::from_slice::<Marker>(&bytes);
    Ok(marker.map_or_else(|_| "unreadable".to_owned(), |marker| marker.format))
}

/// What to say when the marker is not there.
pub(crate) fn gone() -> String {
    format!("the archive's marker {MARKER} is gone; is the volume mounted?")
}

/// The volume that the archive's marker lies on.
fn volume_of(root: &Path) -> Result<StatVfs, String> {
    // Of the marker, not of the directory: one call says whether it is there, and on what volume.
    rustix::fs::statvfs(root.join(MARKER)).map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR => gone(),
        _ => io::Error::from(error).to_string(),
    })
}

fn write_marker(root: &Path) -> io::Result<()> {
    static OPENED: AtomicU64 = AtomicU64::new(0);

    // Whoever opens the archive at the same time writes the same bytes under another name.
    let (process, opened) = (std::process::id(), OPENED.fetch_add(1, Ordering::Relaxed));
    let staged = root.join(format!("{MARKER}.{process}-{opened}"));
    let mut file = File::create(&staged)?;
    file.write_all(format!("{{\"format\":\"{FORMAT}\"}}\n").as_bytes())?;
    file.sync_all()?;
    fs::rename(&staged, root.join(MARKER))?;
    File::open(root)?.sync_all()
}
