//! Removing documents whose time is over.

use events::Digest;
use jiff::Timestamp;
use object_store::{ObjectStoreExt, path::Path as Location};

use crate::{
    Archive, ArchiveError, Class,
    document::{document_location, metadata_location},
};

const ACTION: &str = "remove a document";

impl Archive {
    /// Removes the document with this digest if `now` it need not be kept any more, and says
    /// whether it did. Segments are refused.
    ///
    /// Whoever stores the document at the same time either keeps it from being removed or stores
    /// it anew afterwards. A removal that was cut short is repeated by the next.
    pub async fn remove(&self, digest: Digest, now: Timestamp) -> Result<bool, ArchiveError> {
        self.present(ACTION).await?;
        let _alone = self.alone(digest).await?;
        let metadata = match self.metadata(digest).await {
            Ok(metadata) => metadata,
            // Nobody knows whether a document without metadata is a segment.
            Err(ArchiveError::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error),
        };
        if metadata.class == Class::Segment {
            return Err(ArchiveError::NeverRemoved(digest));
        }
        if metadata.retain_until > now {
            return Ok(false);
        }
        // Metadata last: as long as it is there, a sweep finds the document again.
        self.delete(&document_location(digest)).await?;
        self.delete(&metadata_location(digest)).await?;
        Ok(true)
    }

    async fn delete(&self, location: &Location) -> Result<(), ArchiveError> {
        match self.documents.delete(location).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.unavailable(ACTION, error.to_string())),
        }
    }
}
