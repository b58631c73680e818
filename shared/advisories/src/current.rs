//! The index in use: the one that the directory's pointer names now.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use crate::{Index, IndexError, store};

/// A directory of indexes, and the last one that was read.
#[derive(Debug)]
pub struct CurrentIndex {
    directory: PathBuf,
    loaded: Mutex<Option<(String, Index)>>,
}

impl CurrentIndex {
    /// The current index of `directory`, which need not be there yet.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), loaded: Mutex::new(None) }
    }

    /// The index that the pointer names; none before the first [`Index::save`]. Reads it only when the pointer has
    /// changed. May wait for the disk.
    ///
    /// # Errors
    /// As for [`Index::current`]. The pointer is gone, although there was an index before: nobody takes back what
    /// is known about vulnerabilities.
    pub fn get(&self) -> Result<Option<Index>, IndexError> {
        let pointer = store::pointer(&self.directory)?;
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pointer) = pointer else { return self.none(loaded.is_some()) };
        if let Some((_, index)) = loaded.as_ref().filter(|(known, _)| *known == pointer) {
            return Ok(Some(index.clone()));
        }
        // The pointer was read first: if it is swapped now, the next call notices.
        let Some(index) = Index::current(&self.directory)? else {
            return self.none(loaded.is_some());
        };
        *loaded = Some((pointer, index.clone()));
        Ok(Some(index))
    }

    fn none(&self, was_there: bool) -> Result<Option<Index>, IndexError> {
        if !was_there {
            return Ok(None);
        }
        let gone = "the advisory index that was in use is gone; mount its volume again, or run `attestry advisories sync`";
        Err(IndexError::io(&self.directory, io::Error::new(io::ErrorKind::NotFound, gone)))
    }
}
