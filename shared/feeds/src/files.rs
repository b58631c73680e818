//! Files of the cache: each is there whole, or not at all, whenever the process dies.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use jiff::{SignedDuration, Timestamp};
use tempfile::NamedTempFile;

const INCOMING: &str = ".incoming";
/// No file is fetched for so long.
const ABANDONED: SignedDuration = SignedDuration::from_hours(2);

/// A file that is not there yet, in `directory`, which is made if need be. Removes what a process left that was killed.
pub(crate) fn begin(directory: &Path, now: Timestamp) -> io::Result<NamedTempFile> {
    step()?;
    fs::create_dir_all(directory)?;
    remove_abandoned(directory, now)?;
    tempfile::Builder::new().prefix(INCOMING).tempfile_in(directory)
}

/// Puts the file in the place of what is at `to`, on the same file system. Whether it is there after a loss of power is
/// told by [`settle`]; if it is, it is whole.
pub(crate) fn put(file: NamedTempFile, to: &Path) -> io::Result<()> {
    step()?;
    file.as_file().sync_all()?;
    step()?;
    file.persist(to).map(drop).map_err(|error| error.error)
}

/// Makes that files were put into `directory`, and removed from it, outlive a loss of power.
pub(crate) fn settle(directory: &Path) -> io::Result<()> {
    step()?;
    File::open(directory)?.sync_all()
}

/// [`begin`], [`put`] and [`settle`] of a file with this content.
pub(crate) fn replace(
    directory: &Path,
    to: &Path,
    content: &[u8],
    now: Timestamp,
) -> io::Result<()> {
    let mut file = begin(directory, now)?;
    step()?;
    file.write_all(content)?;
    put(file, to)?;
    settle(directory)
}

/// Removes a file that somebody else may have removed.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    step()?;
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_abandoned(directory: &Path, now: Timestamp) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_incoming = entry.file_name().to_string_lossy().starts_with(INCOMING);
        // Another process may finish or remove it meanwhile.
        let written = entry.metadata().and_then(|it| it.modified()).map(Timestamp::try_from);
        let is_old = matches!(written, Ok(Ok(it)) if now.duration_since(it) > ABANDONED);
        if is_incoming && is_old {
            fs::remove_file(entry.path()).ok();
        }
    }
    Ok(())
}

/// Where the process may die in a test: nothing is done then, here and after it.
#[cfg(test)]
fn step() -> io::Result<()> {
    tests::step()
}

#[cfg(not(test))]
#[allow(clippy::unnecessary_wraps, reason = "it fails in tests")]
fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{cell::Cell, io};

    thread_local! {
        static LEFT: Cell<u32> = const { Cell::new(u32::MAX) };
        static DEAD: Cell<bool> = const { Cell::new(false) };
    }

    /// After so many steps this thread's process is dead; it lives until then.
    pub(crate) fn die_after(steps: u32) {
        LEFT.set(steps);
        DEAD.set(false);
    }

    /// Whether it died.
    pub(crate) fn is_dead() -> bool {
        DEAD.get()
    }

    pub(super) fn step() -> io::Result<()> {
        let left = LEFT.get().checked_sub(1);
        DEAD.set(left.is_none());
        LEFT.set(left.unwrap_or_default());
        left.map(drop).ok_or_else(|| io::Error::other("killed"))
    }
}
