//! Storing: everything is written, then one sync makes it durable.

use events::Digest;
use futures::future::try_join_all;
use jiff::Timestamp;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path as Location};

use crate::{
    Archive, ArchiveError, Entry, Metadata,
    document::{document_location, metadata_location},
    ledger::locations,
};

const ACTION: &str = "store a document";

impl Archive {
    /// Stores `entries` and returns their digests, in order. They are durable together, and kept
    /// for at least 11 months from `now`.
    ///
    /// A document that is there already is written again, which also mends a damaged one. Of its
    /// metadata only `retain_until` changes, and only if it would end within 11 months.
    pub async fn put(
        &self,
        entries: &[Entry],
        now: Timestamp,
    ) -> Result<Vec<Digest>, ArchiveError> {
        self.room_for(entries).await?;
        let writes = entries.iter().map(|entry| self.write(entry, now));
        let digests = try_join_all(writes).await?;
        let documents = digests.iter().map(|digest| document_location(*digest)).collect();
        let synced = self.sync.wait(documents).await;
        synced.map_err(|reason| self.unavailable("make documents durable", reason))?;
        for digest in &digests {
            self.settle(&locations(*digest))?;
        }
        Ok(digests)
    }

    /// Notes files that are about to be written, where somebody keeps a ledger.
    pub(crate) fn note(&self, files: &[Location]) -> Result<(), ArchiveError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let noted = ledger.note(files);
        noted.map_err(|error| self.unavailable("write its ledger", error.to_string()))
    }

    /// Forgets files that are durable now.
    pub(crate) fn settle(&self, files: &[Location]) -> Result<(), ArchiveError> {
        let Some(ledger) = &self.ledger else { return Ok(()) };
        let settled = ledger.settle(files);
        settled.map_err(|error| self.unavailable("settle its ledger", error.to_string()))
    }

    async fn write(&self, entry: &Entry, now: Timestamp) -> Result<Digest, ArchiveError> {
        let digest = Digest::of(&entry.bytes);
        let _shared = self.share(digest).await?;
        self.note(&locations(digest))?;
        // Before the document: whoever sweeps by metadata then finds also what a crash left here.
        self.write_metadata(digest, entry, now).await?;
        let bytes = entry.bytes.clone().into();
        let stored = self.documents.put(&document_location(digest), bytes).await;
        stored.map_err(|error| self.unavailable(ACTION, error.to_string()))?;
        Ok(digest)
    }

    async fn write_metadata(
        &self,
        digest: Digest,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let (metadata, mode) = match self.metadata(digest).await {
            Ok(stored) => match stored.renewed(entry.class, now) {
                Some(renewed) => (renewed, PutMode::Overwrite),
                None => return Ok(()),
            },
            Err(ArchiveError::NotFound(_)) => (Metadata::new(digest, entry, now), PutMode::Create),
            Err(ArchiveError::DamagedMetadata { .. }) => {
                (Metadata::new(digest, entry, now), PutMode::Overwrite)
            }
            Err(error) => return Err(error),
        };
        let failed = |error: String| self.unavailable(ACTION, error);
        let bytes = serde_json::to_vec(&metadata).map_err(|error| failed(error.to_string()))?;
        let options = PutOptions { mode, ..Default::default() };
        match self.documents.put_opts(&metadata_location(digest), bytes.into(), options).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}
