//! Keeps a document that is being stored from being removed: whoever stores shares a lock on its
//! shard, whoever removes holds it alone.

use std::{fs, fs::File, fs::OpenOptions, io, io::ErrorKind, path::Path};

use events::Digest;

use crate::{Archive, ArchiveError};

/// A lock that ends when it is dropped, or its process dies.
pub(crate) struct ShardLock {
    _file: File,
}

impl Archive {
    /// Holds the shard of `digest` together with others that store.
    pub(crate) async fn share(&self, digest: Digest) -> Result<ShardLock, ArchiveError> {
        self.lock(digest, File::lock_shared).await
    }

    /// Holds the shard of `digest` alone.
    pub(crate) async fn alone(&self, digest: Digest) -> Result<ShardLock, ArchiveError> {
        self.lock(digest, File::lock).await
    }

    async fn lock(
        &self,
        digest: Digest,
        lock: fn(&File) -> io::Result<()>,
    ) -> Result<ShardLock, ArchiveError> {
        let root = self.root.clone();
        let locked = tokio::task::spawn_blocking(move || {
            let file = open(&root, &digest.hex()[..2])?;
            lock(&file)?;
            Ok::<_, io::Error>(ShardLock { _file: file })
        });
        let locked = locked.await.map_err(io::Error::other).flatten();
        locked.map_err(|error| self.unavailable("lock a document", error.to_string()))
    }
}

fn open(root: &Path, shard: &str) -> io::Result<File> {
    let locks = root.join("locks");
    let open = || OpenOptions::new().create(true).append(true).open(locks.join(shard));
    match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            // Never the archive's own directory: that would hide that the volume is gone.
            match fs::create_dir(&locks) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => open(),
            }
        }
        opened => opened,
    }
}
