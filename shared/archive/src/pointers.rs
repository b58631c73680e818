//! Names whose value may be exchanged: what is current, of which the last word counts.

use bytes::Bytes;
use events::Digest;
use futures::stream::BoxStream;
use object_store::{ObjectStoreExt, path::Path as Location};

use crate::{Archive, ArchiveError, Claim};

const POINTERS: &str = "pointers";

impl Archive {
    /// Gives `name` this value, whatever it had before; durable when the call returns. Of two who do so at once, one
    /// counts.
    ///
    /// # Errors
    /// The archive is away.
    pub async fn point(&self, name: &str, value: Bytes) -> Result<(), ArchiveError> {
        const ACTION: &str = "store a pointer";
        self.present(ACTION).await?;
        let file = [location(name)];
        self.note(&file)?;
        let stored = self.claims.put(&file[0], value.into()).await;
        stored.map_err(|error| self.unavailable(ACTION, error.to_string()))?;
        self.present(ACTION).await?;
        self.make_durable(&file).await
    }

    /// Gives `name` the value that `next` makes of the one it has, or leaves that if it makes none; whichever stands is
    /// durable when the call returns. Of many who do so at once, in whatever process, each sees what the one before has
    /// left.
    ///
    /// # Errors
    /// The archive is away.
    pub async fn exchange(
        &self,
        name: &str,
        next: impl FnOnce(Option<&[u8]>) -> Option<Bytes> + Send,
    ) -> Result<(), ArchiveError> {
        let _alone = self.alone(Digest::of(name.as_bytes())).await?;
        let standing = self.pointed(name).await?;
        match next(standing.as_deref()) {
            Some(value) => self.point(name, value).await,
            // Whoever gave it may have died before it was durable.
            None => self.make_durable(&[location(name)]).await,
        }
    }

    /// The value of `name`, if it has one.
    ///
    /// # Errors
    /// The archive is away.
    pub async fn pointed(&self, name: &str) -> Result<Option<Bytes>, ArchiveError> {
        self.value(&location(name), "read a pointer").await
    }

    /// All names below `prefix` with their values, in no order.
    pub fn pointers<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<Claim, ArchiveError>> {
        self.named(POINTERS, location(prefix), "list pointers")
    }
}

fn location(name: &str) -> Location {
    Location::from(format!("{POINTERS}/{name}"))
}
