//! What an archive covers: the lines of the list that were there when it was taken, but for the latest.

use std::{fs, io, path::Path};

use events::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::lines::{Key, MAX_LINES};
use crate::files;

const FILE: &str = "noted";
const MAX_HEAD_BYTES: usize = 1024;

/// The lines of a list that one archive covers.
pub(crate) struct Noted {
    /// The archive.
    pub(crate) archive: Digest,
    /// Sorted.
    keys: Vec<Key>,
}

/// The first line of the file; the keys follow.
#[derive(Serialize, Deserialize)]
struct Head {
    archive: Digest,
    lines: usize,
}

impl Noted {
    pub(crate) fn new(archive: Digest, mut keys: Vec<Key>) -> Self {
        keys.sort_unstable();
        Self { archive, keys }
    }

    pub(crate) fn has(&self, key: &Key) -> bool {
        self.keys.binary_search(key).is_ok()
    }

    /// What is noted in `directory`; none if nothing is, or nothing that can be used.
    pub(crate) fn read(directory: &Path) -> Option<Self> {
        let path = directory.join(FILE);
        let most = MAX_HEAD_BYTES + MAX_LINES * size_of::<Key>();
        let is_possible = fs::metadata(&path).is_ok_and(|it| it.len() <= most as u64);
        let bytes = if is_possible { fs::read(&path).ok()? } else { return None };
        let end = bytes.iter().take(MAX_HEAD_BYTES).position(|it| *it == b'\n')?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let (keys, rest) = bytes[end + 1..].as_chunks();
        let is_whole = rest.is_empty() && keys.len() == head.lines && keys.is_sorted();
        is_whole.then(|| Self { archive: head.archive, keys: keys.to_vec() })
    }

    /// Puts it in the place of what is noted in `directory`.
    pub(crate) fn write(&self, directory: &Path, now: Timestamp) -> io::Result<()> {
        let head = Head { archive: self.archive, lines: self.keys.len() };
        let mut content = serde_json::to_vec(&head)?;
        content.push(b'\n');
        content.extend_from_slice(self.keys.as_flattened());
        files::replace(directory, &directory.join(FILE), &content, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_not_believed() {
        let directory = tempfile::tempdir().unwrap();
        let noted = Noted::new(Digest::of(b"zip"), vec![[2; 16], [1; 16]]);
        noted.write(directory.path(), Timestamp::UNIX_EPOCH).unwrap();
        let read = || Noted::read(directory.path());
        let sound = read().unwrap();
        assert_eq!(sound.archive, Digest::of(b"zip"));
        assert!(sound.has(&[1; 16]) && sound.has(&[2; 16]) && !sound.has(&[3; 16]));

        let path = directory.path().join(FILE);
        let bytes = fs::read(&path).unwrap();
        for size in 0..bytes.len() {
            fs::write(&path, &bytes[..size]).unwrap();
            assert!(read().is_none(), "{size}");
        }
        let (head, keys) = bytes.split_at(bytes.len() - 32);
        fs::write(&path, [head, &keys[16..], &keys[..16]].concat()).unwrap();
        assert!(read().is_none(), "out of order");
        fs::write(&path, [&bytes[..], &[0; 16]].concat()).unwrap();
        assert!(read().is_none(), "too long");
    }
}
