//! The index in use: the one that the directory's pointer names now.

use std::{
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
    /// As for [`Index::current`].
    pub fn get(&self) -> Result<Option<Index>, IndexError> {
        let Some(pointer) = store::pointer(&self.directory)? else { return Ok(None) };
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, index)) = loaded.as_ref().filter(|(known, _)| *known == pointer) {
            return Ok(Some(index.clone()));
        }
        // The pointer was read first: if it is swapped now, the next call notices.
        let index = Index::current(&self.directory)?;
        *loaded = index.clone().map(|index| (pointer, index));
        Ok(index)
    }
}
