//! The index in use: the one that the directory's pointer names now.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, Weak},
};

use events::Digest;

use crate::{
    Index, IndexError,
    store::{self, Opened},
};

/// Indexes in use in this process, by directory and digest: all workers of one process have the same one.
static IN_USE: Mutex<BTreeMap<(PathBuf, Digest), Weak<Opened>>> = Mutex::new(BTreeMap::new());

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
        let Some(index) = self.shared(&pointer)? else {
            return self.none(loaded.is_some());
        };
        *loaded = Some((pointer, index.clone()));
        Ok(Some(index))
    }

    /// The index that somebody in this process uses, or else that in the file. Whoever comes second waits for it.
    fn shared(&self, pointer: &str) -> Result<Option<Index>, IndexError> {
        let named = store::digest_in(&self.directory, pointer)?;
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        let key = |digest| (self.directory.clone(), digest);
        if let Some(index) = in_use.get(&key(named)).and_then(Index::upgrade) {
            return Ok(Some(index));
        }
        let index = Index::current(&self.directory)?;
        in_use.retain(|_, it| it.strong_count() > 0);
        in_use.extend(index.iter().map(|it| (key(it.digest()), it.downgrade())));
        Ok(index)
    }

    fn none(&self, was_there: bool) -> Result<Option<Index>, IndexError> {
        if !was_there {
            return Ok(None);
        }
        let gone = "the advisory index that was in use is gone; mount its volume again, or run `attestry advisories sync`";
        Err(IndexError::io(&self.directory, io::Error::new(io::ErrorKind::NotFound, gone)))
    }
}
