//! Checks every document against its digest and its metadata.

use events::{Digest, Digester};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    Archive, ArchiveError,
    document::document_location,
    walk::{Kind, Shard},
};

/// Documents that are read at once.
const READS: usize = 4;

/// What a check of everything found; each list by the order of digests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// How many documents were read.
    pub documents: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// Documents that cannot be read, or whose bytes are not what their name says.
    pub corrupt: Vec<Digest>,
    /// Documents of which nothing is known: how long they are kept, and whether as segments.
    pub without_metadata: Vec<Digest>,
    /// Metadata whose document is not there. A crash while it was stored or removed leaves such;
    /// lost is only what something else names.
    pub without_document: Vec<Digest>,
    /// Documents whose metadata cannot be read.
    pub damaged_metadata: Vec<Digest>,
    /// Files that are no documents and no metadata, by their locations.
    pub strays: Vec<String>,
}

impl Archive {
    /// Reads every document and its metadata, and says which are not as they should be.
    ///
    /// Memory holds the names of a 256th of the documents, and what was found. The archive may be
    /// in use meanwhile: only what is removed just then may be reported wrongly.
    pub async fn verify_all(&self) -> Result<Findings, ArchiveError> {
        let mut findings = Findings::default();
        for shard in 0..=u8::MAX {
            // In this order, because whoever stores a document writes its metadata first.
            let documents = self.shard(Kind::Documents, shard).await?;
            let metadata = self.shard(Kind::Metadata, shard).await?;
            self.verify_documents(&documents, &metadata, &mut findings).await?;
            self.verify_metadata(&documents, &metadata, &mut findings).await?;
            findings.strays.extend(documents.strays.into_iter().chain(metadata.strays));
        }
        Ok(findings)
    }

    async fn verify_documents(
        &self,
        documents: &Shard,
        metadata: &Shard,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        let hashes = stream::iter(&documents.digests)
            .map(async |digest| self.hash(*digest).await.map(|hash| (*digest, hash)));
        let mut hashes = hashes.buffered(READS);
        while let Some((digest, hash)) = hashes.try_next().await? {
            let read = match hash {
                Hash::Gone => continue,
                Hash::Unreadable => None,
                Hash::Of(found, bytes) => {
                    findings.bytes = findings.bytes.saturating_add(bytes);
                    Some(found)
                }
            };
            findings.documents += 1;
            if read != Some(digest) {
                findings.corrupt.push(digest);
            }
            if metadata.digests.binary_search(&digest).is_err() {
                findings.without_metadata.push(digest);
            }
        }
        Ok(())
    }

    async fn verify_metadata(
        &self,
        documents: &Shard,
        metadata: &Shard,
        findings: &mut Findings,
    ) -> Result<(), ArchiveError> {
        for digest in &metadata.digests {
            match self.metadata(*digest).await {
                Ok(_) => {}
                Err(ArchiveError::DamagedMetadata { .. }) => {
                    findings.damaged_metadata.push(*digest);
                }
                Err(ArchiveError::NotFound(_)) => continue,
                Err(error) => return Err(error),
            }
            let listed = documents.digests.binary_search(digest).is_ok();
            if !listed && !self.contains(*digest).await? {
                findings.without_document.push(*digest);
            }
        }
        Ok(())
    }

    async fn hash(&self, digest: Digest) -> Result<Hash, ArchiveError> {
        const ACTION: &str = "check a document";
        let location = document_location(digest);
        let Some(found) = self.find(&self.documents, &location, ACTION).await? else {
            return Ok(Hash::Gone);
        };
        let mut parts = found.into_stream();
        let (mut digester, mut size) = (Digester::default(), 0_u64);
        while let Some(part) = parts.next().await {
            // One bad file must not hide the others.
            let Ok(part) = part else { return Ok(Hash::Unreadable) };
            digester.update(&part);
            size = size.saturating_add(part.len() as u64);
        }
        Ok(Hash::Of(digester.finish(), size))
    }
}

/// What reading a document gave.
enum Hash {
    /// Its digest and size.
    Of(Digest, u64),
    /// It was removed meanwhile.
    Gone,
    /// The disk does not give it.
    Unreadable,
}
