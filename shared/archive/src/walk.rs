//! Walks over everything, one shard of 256 at a time.

use events::Digest;
use futures::{StreamExt, TryStreamExt, future, stream, stream::BoxStream};
use object_store::{ObjectStore, path::Path as Location};

use crate::{Archive, ArchiveError, Metadata};

/// Reads that are under way at once.
const READS: usize = 16;

impl Archive {
    /// What is known about every stored document, by the order of digests. Memory holds the names
    /// of a 256th of them at a time.
    ///
    /// The walk goes on after damaged metadata. What is stored or removed meanwhile may be missing.
    pub fn entries(&self) -> BoxStream<'_, Result<Metadata, ArchiveError>> {
        let shards = stream::iter(0..=u8::MAX).then(|shard| self.shard(Kind::Metadata, shard));
        let entries = shards.map_ok(|shard| {
            let reads = stream::iter(shard.digests).map(|digest| self.metadata(digest));
            reads
                .buffered(READS)
                .filter(|read| future::ready(!matches!(read, Err(ArchiveError::NotFound(_)))))
        });
        entries.try_flatten().boxed()
    }

    /// The names of a kind whose digests begin with the byte `shard`, in order.
    pub(crate) async fn shard(&self, kind: Kind, shard: u8) -> Result<Shard, ArchiveError> {
        const ACTION: &str = "list documents";
        let (directory, suffix) = match kind {
            Kind::Documents => ("documents", ""),
            Kind::Metadata => ("metadata", ".json"),
        };
        let prefix = Location::from(format!("{directory}/sha256/{shard:02x}"));
        let listed = self.documents.list_with_delimiter(Some(&prefix)).await;
        let listed = listed.map_err(|error| self.unavailable(ACTION, error.to_string()))?;
        // An absent directory lists like an empty one.
        self.present(ACTION).await?;
        let mut found = Shard::default();
        for object in listed.objects {
            let name = object.location.filename().and_then(|name| name.strip_suffix(suffix));
            let digest = name.and_then(|name| format!("sha256:{shard:02x}{name}").parse().ok());
            match digest {
                Some(digest) => found.digests.push(digest),
                None => found.strays.push(object.location.to_string()),
            }
        }
        found.digests.sort_unstable();
        found.strays.sort_unstable();
        Ok(found)
    }
}

/// What a shard holds.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Documents,
    Metadata,
}

/// A 256th of all names of a kind.
#[derive(Default)]
pub(crate) struct Shard {
    pub(crate) digests: Vec<Digest>,
    /// Files with other names.
    pub(crate) strays: Vec<String>,
}
