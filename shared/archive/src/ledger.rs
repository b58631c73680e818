//! A test instrument: notes which files no sync has covered yet, so that a test can do what a power
//! loss does after everything was killed.
//!
//! A kill alone loses nothing that was written; only losing what was never synced shows whether
//! something was acknowledged too early. A note is an empty file named after the location that it
//! is about, so that it is there whole or not at all, and all who store one document share it.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use events::Digest;
use object_store::path::Path as Location;

use crate::document::{document_location, metadata_location};

/// Stands in a note's name for `/`; no location holds one.
const SEPARATOR: &str = "+";

/// Deletes from the archive in `root` every file that `ledger` notes, and the notes; returns how
/// many files were lost. For tests, once every process that had the archive open was killed.
pub fn lose_unsynced(ledger: &Path, root: &Path) -> io::Result<usize> {
    let mut lost = 0;
    for note in fs::read_dir(ledger)? {
        let note = note?;
        let location = note.file_name().to_string_lossy().replace(SEPARATOR, "/");
        // Parsed, so that no name leads out of the archive.
        let location = Location::parse(location).map_err(io::Error::other)?;
        lost += usize::from(delete(&root.join(location.as_ref()))?);
        delete(&note.path())?;
    }
    Ok(lost)
}

/// A directory of notes.
pub(crate) struct Ledger {
    notes: PathBuf,
    root: PathBuf,
}

impl Ledger {
    /// Notes in the directory `notes`, created if need be, about the archive in `root`.
    pub(crate) fn open(notes: PathBuf, root: &Path) -> io::Result<Self> {
        fs::create_dir_all(&notes)?;
        Ok(Self { notes, root: root.to_owned() })
    }

    /// Notes files that are about to be written, unless they are durable already.
    pub(crate) fn note(&self, locations: &[Location]) -> io::Result<()> {
        for location in locations {
            let (file, note) = (self.root.join(location.as_ref()), self.note_of(location));
            // A note is older than its file: a file without one is durable.
            if file.try_exists()? {
                continue;
            }
            match File::create_new(&note) {
                // Another process wrote and synced it in between.
                Ok(_) if file.try_exists()? => drop(delete(&note)?),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Forgets files: a sync that began after they were written has ended.
    pub(crate) fn settle(&self, locations: &[Location]) -> io::Result<()> {
        locations.iter().try_for_each(|location| delete(&self.note_of(location)).map(drop))
    }

    /// Whether a file of this document is noted.
    pub(crate) fn names(&self, digest: Digest) -> bool {
        locations(digest).iter().any(|location| self.note_of(location).exists())
    }

    fn note_of(&self, location: &Location) -> PathBuf {
        self.notes.join(location.as_ref().replace('/', SEPARATOR))
    }
}

/// The files of a document.
pub(crate) fn locations(digest: Digest) -> [Location; 2] {
    [metadata_location(digest), document_location(digest)]
}

/// Deletes a file; says whether it was there.
fn delete(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
