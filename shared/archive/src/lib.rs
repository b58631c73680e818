//! Evidence by digest: what was stored stays as it came, and every read is checked.
//!
//! Documents are content-addressed; a claim is a name that the first writer wins. Both are durable
//! when the call returns, so an acknowledgement may follow.

mod claims;
mod group_sync;

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use events::Digest;
use jiff::{SignedDuration, Timestamp};
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, local::LocalFileSystem,
    path::Path as Location,
};
use serde::{Deserialize, Serialize};

use crate::group_sync::GroupSync;

/// How long evidence is kept unless its class says otherwise.
const RETENTION: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A content-addressed store of evidence.
#[derive(Clone)]
pub struct Archive {
    documents: Arc<dyn ObjectStore>,
    claims: Arc<dyn ObjectStore>,
    sync: GroupSync,
    place: String,
}

/// A document to be stored.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What kind of evidence it is; decides how long it is kept.
    pub class: Class,
    /// Its media type (RFC 6838).
    pub media_type: String,
    /// When the fact that it records came to be.
    pub event_time: Timestamp,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Kinds of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// What came in: build descriptions, lockfiles.
    Input,
    /// SBOMs.
    Sbom,
    /// In-toto statements and other signed content.
    Statement,
    /// Sigstore bundles.
    Bundle,
    /// Checksums, reports and other documents for people.
    Report,
    /// Policy bundles that judged.
    Policy,
}

/// What is known about a stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What kind of evidence it is.
    pub class: Class,
    /// Its media type.
    pub media_type: String,
    /// When the fact that it records came to be.
    pub event_time: Timestamp,
    /// When it was stored first.
    pub ingested_at: Timestamp,
    /// It is kept at least until then.
    pub retain_until: Timestamp,
}

/// Why the archive did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The store is away, read-only or full: worth retrying once that is mended.
    #[error(
        "the archive at {place} cannot {action}: {reason}; check that it is mounted, writable and has space"
    )]
    Unavailable {
        /// Where the archive lies.
        place: String,
        /// What was tried.
        action: &'static str,
        /// What the store says.
        reason: String,
    },
    /// No document has this digest.
    #[error("the archive holds no document {0}")]
    NotFound(Digest),
    /// The stored bytes are not what their name says.
    #[error(
        "the archive's document {expected} is damaged: its bytes have digest {found}; restore it from a backup"
    )]
    Corrupt {
        /// Digest asked for.
        expected: Digest,
        /// Digest of what lies there.
        found: Digest,
    },
    /// Larger than the reader takes.
    #[error("document {digest} has {size} bytes, more than the {max} that are read here")]
    TooLarge {
        /// Digest asked for.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// Most bytes that the reader takes.
        max: u64,
    },
    /// The address is not one that this build can open.
    #[error("`{0}` is no archive address; give a directory")]
    BadAddress(String),
}

impl Archive {
    /// Opens the archive in the directory `address`, creating it if need be.
    pub fn open(address: &str) -> Result<Self, ArchiveError> {
        if address.is_empty() || address.contains("://") {
            return Err(ArchiveError::BadAddress(address.to_owned()));
        }
        let unavailable = |reason: String| ArchiveError::Unavailable {
            place: address.to_owned(),
            action: "be opened",
            reason,
        };
        let root = Path::new(address);
        std::fs::create_dir_all(root).map_err(|error| unavailable(error.to_string()))?;
        let local = || LocalFileSystem::new_with_prefix(root);
        let documents = local().map_err(|error| unavailable(error.to_string()))?;
        let claims = local().map_err(|error| unavailable(error.to_string()))?;
        let sync = GroupSync::start(root).map_err(|error| unavailable(error.to_string()))?;
        Ok(Self {
            documents: Arc::new(documents.with_fsync(!GroupSync::COVERS_FILES)),
            claims: Arc::new(claims.with_fsync(true)),
            sync,
            place: address.to_owned(),
        })
    }

    /// Stores `entries` and returns their digests, in order. They are durable together.
    ///
    /// A document that is there already is written again, which also mends a damaged one; its
    /// metadata stays as it was.
    pub async fn put(
        &self,
        entries: &[Entry],
        now: Timestamp,
    ) -> Result<Vec<Digest>, ArchiveError> {
        let writes = entries.iter().map(|entry| self.write(entry, now));
        let digests = futures::future::try_join_all(writes).await?;
        self.sync
            .wait()
            .await
            .map_err(|reason| self.unavailable("make documents durable", reason))?;
        Ok(digests)
    }

    /// The document with this digest; its bytes were checked against it.
    pub async fn get(&self, digest: Digest, max: u64) -> Result<Bytes, ArchiveError> {
        let result = match self.documents.get(&document_location(digest)).await {
            Ok(result) => result,
            Err(object_store::Error::NotFound { .. }) => {
                return Err(ArchiveError::NotFound(digest));
            }
            Err(error) => return Err(self.unavailable("read a document", error.to_string())),
        };
        let size = result.meta.size;
        if size > max {
            return Err(ArchiveError::TooLarge { digest, size, max });
        }
        let bytes = result.bytes().await;
        let bytes =
            bytes.map_err(|error| self.unavailable("read a document", error.to_string()))?;
        let found = Digest::of(&bytes);
        if found != digest {
            return Err(ArchiveError::Corrupt { expected: digest, found });
        }
        Ok(bytes)
    }

    /// Whether a document with this digest is stored; its bytes are not looked at.
    pub async fn contains(&self, digest: Digest) -> Result<bool, ArchiveError> {
        match self.documents.head(&document_location(digest)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.unavailable("look for a document", error.to_string())),
        }
    }

    /// What is known about the document with this digest.
    pub async fn metadata(&self, digest: Digest) -> Result<Metadata, ArchiveError> {
        let found = self.documents.get(&metadata_location(digest)).await;
        let bytes = match found {
            Ok(result) => result.bytes().await,
            Err(object_store::Error::NotFound { .. }) => {
                return Err(ArchiveError::NotFound(digest));
            }
            Err(error) => Err(error),
        };
        let bytes = bytes.map_err(|error| self.unavailable("read metadata", error.to_string()))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.unavailable("read metadata", error.to_string()))
    }

    /// Whether the archive can be written to now.
    pub async fn check(&self) -> Result<(), ArchiveError> {
        let location = Location::from("check");
        let written = self.claims.put(&location, Bytes::from_static(b"ok").into()).await;
        written.map(drop).map_err(|error| self.unavailable("be written to", error.to_string()))
    }

    async fn write(&self, entry: &Entry, now: Timestamp) -> Result<Digest, ArchiveError> {
        let digest = Digest::of(&entry.bytes);
        let metadata = Metadata {
            digest,
            size: entry.bytes.len() as u64,
            class: entry.class,
            media_type: entry.media_type.clone(),
            event_time: entry.event_time,
            ingested_at: now,
            retain_until: now.saturating_add(RETENTION).unwrap_or(Timestamp::MAX),
        };
        let failed = |error: String| self.unavailable("store a document", error);
        let bytes = entry.bytes.clone().into();
        let stored = self.documents.put(&document_location(digest), bytes).await;
        stored.map_err(|error| failed(error.to_string()))?;
        let metadata = serde_json::to_vec(&metadata).map_err(|error| failed(error.to_string()))?;
        let create = PutOptions { mode: PutMode::Create, ..Default::default() };
        let location = metadata_location(digest);
        match self.documents.put_opts(&location, metadata.into(), create).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(digest),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn unavailable(&self, action: &'static str, reason: String) -> ArchiveError {
        ArchiveError::Unavailable { place: self.place.clone(), action, reason }
    }
}

/// Two levels, so that no directory holds more than a 256th of the documents.
fn document_location(digest: Digest) -> Location {
    let hex = digest.hex();
    Location::from(format!("documents/sha256/{}/{}", &hex[..2], &hex[2..]))
}

fn metadata_location(digest: Digest) -> Location {
    let hex = digest.hex();
    Location::from(format!("metadata/sha256/{}/{}.json", &hex[..2], &hex[2..]))
}
