//! Evidence by digest: what was stored stays as it came, and every read is checked.
//!
//! Documents are content-addressed; a claim is a name that the first writer wins. Both are durable
//! when the call returns, so an acknowledgement may follow.

mod claims;
mod document;
mod error;
mod group_sync;
mod ledger;
mod pointers;
mod removal;
mod shard_lock;
mod store;
mod verify;
mod volume;
mod walk;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use events::Digest;
use jiff::Timestamp;
use object_store::{
    GetResult, ObjectStore, ObjectStoreExt, local::LocalFileSystem, path::Path as Location,
};

pub use crate::{
    claims::Claim,
    document::{Class, Entry, Metadata},
    error::ArchiveError,
    ledger::lose_unsynced,
    verify::Findings,
    volume::Room,
};
use crate::{
    document::{document_location, metadata_location},
    group_sync::GroupSync,
    ledger::Ledger,
};

/// A content-addressed store of evidence.
#[derive(Clone)]
pub struct Archive {
    documents: Arc<dyn ObjectStore>,
    claims: Arc<dyn ObjectStore>,
    sync: GroupSync,
    ledger: Option<Arc<Ledger>>,
    reserve: Option<u64>,
    root: Arc<Path>,
    place: String,
}

/// What may be set when an archive is opened.
#[derive(Clone, Debug, Default)]
pub struct ArchiveOptions {
    /// Bytes of the volume that documents leave free, for claims and the journal's segments. Unless
    /// set: a sixteenth of the volume, at most 64 MiB.
    pub reserve: Option<u64>,
    /// Directory that notes what is not durable yet. For tests only: see [`lose_unsynced`].
    pub ledger: Option<PathBuf>,
}

impl Archive {
    /// Opens the archive in the directory `address`, creating it if need be.
    pub fn open(address: &str) -> Result<Self, ArchiveError> {
        Self::open_with(address, ArchiveOptions::default())
    }

    /// Opens the archive in the directory `address` with `options`, creating it if need be.
    pub fn open_with(address: &str, options: ArchiveOptions) -> Result<Self, ArchiveError> {
        if address.is_empty() || address.contains("://") {
            return Err(ArchiveError::BadAddress(address.to_owned()));
        }
        let unavailable = |reason: String| ArchiveError::Unavailable {
            place: address.to_owned(),
            action: "be opened",
            reason,
        };
        let failed = |error: std::io::Error| unavailable(error.to_string());
        std::fs::create_dir_all(address).map_err(failed)?;
        let root = std::fs::canonicalize(address).map_err(failed)?;
        let format = volume::mark(&root).map_err(failed)?;
        if format != volume::FORMAT {
            return Err(ArchiveError::OtherFormat { place: address.to_owned(), found: format });
        }
        let local = || {
            LocalFileSystem::new_with_prefix(&root).map_err(|error| unavailable(error.to_string()))
        };
        let ledger = options.ledger.map(|directory| Ledger::open(directory, &root)).transpose();
        Ok(Self {
            documents: Arc::new(local()?.with_fsync(!GroupSync::COVERS_FILES)),
            claims: Arc::new(local()?.with_fsync(!GroupSync::COVERS_FILES)),
            sync: GroupSync::start(&root).map_err(failed)?,
            ledger: ledger.map_err(failed)?.map(Arc::new),
            reserve: options.reserve,
            root: root.into(),
            place: address.to_owned(),
        })
    }

    /// The document with this digest; its bytes were checked against it.
    pub async fn get(&self, digest: Digest, max: u64) -> Result<Bytes, ArchiveError> {
        const ACTION: &str = "read a document";
        let found = self.find(&self.documents, &document_location(digest), ACTION).await?;
        let result = found.ok_or(ArchiveError::NotFound(digest))?;
        let size = result.meta.size;
        if size > max {
            return Err(ArchiveError::TooLarge { digest, size, max });
        }
        let bytes = result.bytes().await;
        let bytes = bytes.map_err(|error| self.unavailable(ACTION, error.to_string()))?;
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(ArchiveError::Corrupt { expected: digest, found });
        }
        Ok(bytes)
    }

    /// Whether a document with this digest is stored; its bytes are not looked at.
    pub async fn contains(&self, digest: Digest) -> Result<bool, ArchiveError> {
        let location = document_location(digest);
        let found = self.find(&self.documents, &location, "look for a document").await?;
        Ok(found.is_some())
    }

    /// Whether a document with this digest is stored and kept at least until `until`. Where it is
    /// not, storing the document (again) sees to it.
    ///
    /// Another process may have stored it just now: it is durable with the next [`Self::put`].
    pub async fn keeps(&self, digest: Digest, until: Timestamp) -> Result<bool, ArchiveError> {
        if !self.contains(digest).await? {
            return Ok(false);
        }
        let kept = match self.metadata(digest).await {
            Ok(metadata) => metadata.retain_until >= until,
            Err(ArchiveError::NotFound(_) | ArchiveError::DamagedMetadata { .. }) => false,
            Err(error) => return Err(error),
        };
        // Asked last, because a note is older than the file that it is about.
        Ok(kept && !self.ledger.as_ref().is_some_and(|ledger| ledger.names(digest)))
    }

    /// What is known about the document with this digest.
    pub async fn metadata(&self, digest: Digest) -> Result<Metadata, ArchiveError> {
        const ACTION: &str = "read metadata";
        let found = self.find(&self.documents, &metadata_location(digest), ACTION).await?;
        let bytes = found.ok_or(ArchiveError::NotFound(digest))?.bytes().await;
        let bytes = bytes.map_err(|error| self.unavailable(ACTION, error.to_string()))?;
        let damaged = |reason| ArchiveError::DamagedMetadata { digest, reason };
        let metadata: Metadata =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if metadata.digest != digest {
            return Err(damaged(format!("it is that of {}", metadata.digest)));
        }
        Ok(metadata)
    }

    /// Whether the archive can be written to now.
    pub async fn check(&self) -> Result<(), ArchiveError> {
        const ACTION: &str = "be written to";
        self.present(ACTION).await?;
        let location = Location::from("check");
        let written = self.claims.put(&location, Bytes::from_static(b"ok").into()).await;
        written.map(drop).map_err(|error| self.unavailable(ACTION, error.to_string()))
    }

    /// What lies at `location`. Nothing only if nothing is there while the volume is.
    async fn find(
        &self,
        store: &Arc<dyn ObjectStore>,
        location: &Location,
        action: &'static str,
    ) -> Result<Option<GetResult>, ArchiveError> {
        // Twice: the volume may have been away for the first look and back when that was checked.
        for _ in 0..2 {
            match store.get(location).await {
                Ok(found) => return Ok(Some(found)),
                Err(object_store::Error::NotFound { .. }) => self.present(action).await?,
                Err(error) => return Err(self.unavailable(action, error.to_string())),
            }
        }
        Ok(None)
    }

    fn unavailable(&self, action: &'static str, reason: String) -> ArchiveError {
        ArchiveError::Unavailable { place: self.place.clone(), action, reason }
    }
}
