//! Names that the first writer wins: how work that cannot be repeated byte for byte happens once.

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path as Location};

use crate::{Archive, ArchiveError};

impl Archive {
    /// Claims `name` for `value`, and returns the value that holds it: the first one ever claimed.
    ///
    /// `name` is `/`-separated. What `value` refers to must be durable already.
    pub async fn claim(&self, name: &str, value: Bytes) -> Result<Bytes, ArchiveError> {
        let create = PutOptions { mode: PutMode::Create, ..Default::default() };
        match self.claims.put_opts(&location(name), value.clone().into(), create).await {
            Ok(_) => Ok(value),
            Err(object_store::Error::AlreadyExists { .. }) => match self.claimed(name).await? {
                Some(first) => Ok(first),
                None => Err(self.unavailable("read a claim", "it vanished".to_owned())),
            },
            Err(error) => Err(self.unavailable("store a claim", error.to_string())),
        }
    }

    /// The value that holds `name`, if it was claimed.
    pub async fn claimed(&self, name: &str) -> Result<Option<Bytes>, ArchiveError> {
        let failed =
            |error: object_store::Error| self.unavailable("read a claim", error.to_string());
        match self.claims.get(&location(name)).await {
            Ok(result) => result.bytes().await.map(Some).map_err(failed),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Values of every claim below `prefix`.
    pub async fn claims_below(&self, prefix: &str) -> Result<Vec<Bytes>, ArchiveError> {
        let failed =
            |error: object_store::Error| self.unavailable("list claims", error.to_string());
        let listed = self.claims.list(Some(&location(prefix))).try_collect::<Vec<_>>().await;
        let mut values = Vec::new();
        for meta in listed.map_err(failed)? {
            let result = self.claims.get(&meta.location).await.map_err(failed)?;
            values.push(result.bytes().await.map_err(failed)?);
        }
        Ok(values)
    }
}

fn location(name: &str) -> Location {
    Location::from(format!("claims/{name}"))
}
