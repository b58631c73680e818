//! The advisory index in use: the one that the directory's pointer names now.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use advisories::{Index, IndexError};

/// The file that names the current index; swapped atomically.
const POINTER: &str = "current";

/// A directory of advisory indexes, and the last one that was read.
pub(crate) struct CurrentIndex {
    directory: PathBuf,
    loaded: Mutex<Option<(Vec<u8>, Index)>>,
}

impl CurrentIndex {
    pub(crate) fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), loaded: Mutex::new(None) }
    }

    /// The index that the pointer names; none before there was any. Reads it only when the pointer
    /// has changed. May wait for the disk.
    pub(crate) fn get(&self) -> Result<Option<Index>, IndexError> {
        let path = self.directory.join(POINTER);
        let pointer = match fs::read(&path) {
            Ok(pointer) => pointer,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(IndexError::Io { path, source }),
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::index;

    #[test]
    fn index_that_was_swapped_is_noticed() {
        let directory = tempfile::tempdir().expect("temporary");
        let current = CurrentIndex::new(directory.path());
        let digest = || current.get().expect("reads").map(|index| index.digest());
        assert_eq!(digest(), None);
        for prefixes in [["GHSA"], ["PYSEC"]] {
            let saved = index(&prefixes).save(directory.path()).expect("saves");
            assert_eq!((digest(), digest()), (Some(saved), Some(saved)));
        }
    }
}
