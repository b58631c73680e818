//! Names that the first writer wins: how work that cannot be repeated byte for byte happens once.

use bytes::Bytes;
use events::Digest;
use futures::{StreamExt, TryStreamExt, stream, stream::BoxStream};
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, path::Path as Location};

use crate::{Archive, ArchiveError};

/// Directory of all claims.
const CLAIMS: &str = "claims";

/// A name, and the value that holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Its name, `/`-separated.
    pub name: String,
    /// The first value ever claimed.
    pub value: Bytes,
}

impl Archive {
    /// Claims `name` for `value`, and returns the value that holds it: the first one ever claimed.
    ///
    /// `name` is `/`-separated, of letters, digits, `-`, `_` and `.`; `value` is not empty. What `value` refers to must be
    /// durable already. The claim is durable when the call returns, whoever made it; claims and
    /// documents that are stored at once share one sync.
    pub async fn claim(&self, name: &str, value: Bytes) -> Result<Bytes, ArchiveError> {
        const ACTION: &str = "store a claim";
        self.present(ACTION).await?;
        let file = [location(name)];
        self.note(&file)?;
        let create = PutOptions { mode: PutMode::Create, ..Default::default() };
        match self.claims.put_opts(&file[0], value.clone().into(), create).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(self.unavailable(ACTION, error.to_string())),
        }
        // In this order, and read also by whoever was first: a claim that was written while the
        // volume was away is not there now that it is back.
        self.present(ACTION).await?;
        let first = match self.claimed(name).await? {
            Some(first) => first,
            None => self.mend(name, value).await?,
        };
        self.make_durable(&file).await?;
        Ok(first)
    }

    /// The value that holds `name`, if it was claimed; durable when the call returns, although
    /// another process, or a call that failed late, may have claimed it just now.
    pub async fn held(&self, name: &str) -> Result<Option<Bytes>, ArchiveError> {
        let Some(value) = self.claimed(name).await? else { return Ok(None) };
        self.make_durable(&[location(name)]).await?;
        Ok(Some(value))
    }

    pub(crate) async fn make_durable(&self, claim: &[Location]) -> Result<(), ArchiveError> {
        let synced = self.sync.wait(claim.to_vec()).await;
        synced.map_err(|reason| self.unavailable("make a claim durable", reason))?;
        self.settle(claim)
    }

    /// The value that holds `name`, if it was claimed, to be looked at: see [`Self::held`] before
    /// anything follows from it.
    pub async fn claimed(&self, name: &str) -> Result<Option<Bytes>, ArchiveError> {
        self.value(&location(name), "read a claim").await
    }

    pub(crate) async fn value(
        &self,
        location: &Location,
        action: &'static str,
    ) -> Result<Option<Bytes>, ArchiveError> {
        let Some(found) = self.find(&self.claims, location, action).await? else {
            return Ok(None);
        };
        let value = found.bytes().await;
        let value = value.map_err(|error| self.unavailable(action, error.to_string()))?;
        // A power loss may leave a name without content: nobody was promised anything by it.
        Ok(Some(value).filter(|value| !value.is_empty()))
    }

    /// Gives a claim that lost its content to `value`, unless somebody else just did.
    async fn mend(&self, name: &str, value: Bytes) -> Result<Bytes, ArchiveError> {
        let _alone = self.alone(Digest::of(name.as_bytes())).await?;
        if let Some(first) = self.claimed(name).await? {
            return Ok(first);
        }
        let mended = self.claims.put(&location(name), value.clone().into()).await;
        mended.map_err(|error| self.unavailable("mend a claim", error.to_string()))?;
        Ok(value)
    }

    /// Every claim below `prefix`, or every claim if that is empty, in no particular order.
    pub fn claims<'a>(&'a self, prefix: &str) -> BoxStream<'a, Result<Claim, ArchiveError>> {
        self.named(CLAIMS, location(prefix), "list claims")
    }

    /// What has a name below `prefix`, which lies below `root`.
    pub(crate) fn named<'a>(
        &'a self,
        root: &'static str,
        prefix: Location,
        action: &'static str,
    ) -> BoxStream<'a, Result<Claim, ArchiveError>> {
        let listed = self.claims.list(Some(&prefix));
        let listed = listed.map_err(move |error| self.unavailable(action, error.to_string()));
        let named = listed.try_filter_map(move |meta| async move {
            let name = meta.location.as_ref().strip_prefix(root);
            let Some(name) = name.and_then(|it| it.strip_prefix('/')) else { return Ok(None) };
            // Released since it was listed, if there is none.
            let value = self.value(&meta.location, action).await?;
            Ok(value.map(|value| Claim { name: name.to_owned(), value }))
        });
        // An absent directory lists like an empty one.
        let absent = stream::once(self.present(action));
        let absent = absent.filter_map(async |present| present.err().map(Err));
        named.chain(absent).boxed()
    }

    /// Values of every claim below `prefix`, by the order of their names.
    pub async fn claims_below(&self, prefix: &str) -> Result<Vec<Bytes>, ArchiveError> {
        let mut claims: Vec<Claim> = self.claims(prefix).try_collect().await?;
        claims.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(claims.into_iter().map(|claim| claim.value).collect())
    }

    /// Frees `name`, so that it may be claimed anew; nothing happens if nobody claimed it.
    pub async fn release(&self, name: &str) -> Result<(), ArchiveError> {
        const ACTION: &str = "release a claim";
        self.present(ACTION).await?;
        match self.claims.delete(&location(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.unavailable(ACTION, error.to_string())),
        }
    }
}

fn location(name: &str) -> Location {
    Location::from(format!("{CLAIMS}/{name}"))
}
