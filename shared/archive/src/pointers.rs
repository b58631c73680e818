//! Names whose value may be exchanged: what is current, of which the last word counts.

use bytes::Bytes;
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
