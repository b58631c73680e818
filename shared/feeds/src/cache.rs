//! A directory that holds what each feed served last, and what to ask with the next time.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use events::{Digest, Digester};
use jiff::Timestamp;
use reqwest::Url;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::{FeedError, Format, files};

const ABOUT: &str = "about.json";
/// Longest tag of a server that is kept, in bytes.
const MAX_TAG_BYTES: usize = 1024;

/// What a feed served last, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// The file, whose name ends as its format wants; or a directory of such files.
    pub path: PathBuf,
    /// The feed that it came from.
    pub url: String,
    /// Of the file's content; of a directory, what differs as soon as anything in it does.
    pub digest: Digest,
    /// When the server gave it.
    pub fetched: Timestamp,
}

/// What differs as soon as anything differs that is there.
pub fn content_of(cached: &[Cached]) -> Digest {
    let parts = cached.iter().map(|it| format!("{} {}\n", it.digest, it.url));
    Digest::of(parts.collect::<String>().as_bytes())
}

/// What lies beside the file. Written after it, so that it may be older, never newer.
#[derive(Serialize, Deserialize)]
pub(crate) struct About {
    url: String,
    digest: Digest,
    bytes: u64,
    fetched: Timestamp,
    /// `ETag` of the answer.
    pub(crate) tag: Option<String>,
    /// `Last-Modified` of the answer.
    pub(crate) modified: Option<String>,
}

/// The place of one URL.
pub(crate) struct Place {
    directory: PathBuf,
    file: PathBuf,
    url: String,
}

/// A file that is being fetched.
pub(crate) struct Incoming {
    file: NamedTempFile,
    digester: Digester,
    bytes: u64,
}

/// The directory of what is served at `url`.
pub(crate) fn directory_of(url: &Url, cache: &Path) -> PathBuf {
    cache.join(Digest::of(url.as_str().as_bytes()).hex())
}

impl Place {
    pub(crate) fn of(url: &Url, format: Format, cache: &Path) -> Self {
        let directory = directory_of(url, cache);
        let file = directory.join("served").with_extension(format.extension());
        Self { directory, file, url: url.to_string() }
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.file
    }

    /// What lies there, as it is told of the feed at `url`.
    pub(crate) fn cached(&self, url: &Url, about: &About) -> Cached {
        let About { digest, fetched, .. } = *about;
        Cached { path: self.file.clone(), url: url.to_string(), digest, fetched }
    }

    /// What lies there from before, if it is whole.
    pub(crate) fn about(&self) -> Option<About> {
        let text = fs::read(self.directory.join(ABOUT)).ok()?;
        let about: About = serde_json::from_slice(&text).ok()?;
        let is_whole = fs::metadata(&self.file).is_ok_and(|it| it.len() == about.bytes);
        (is_whole && about.url == self.url).then_some(about)
    }

    pub(crate) fn begin(&self, now: Timestamp) -> Result<Incoming, FeedError> {
        let file = files::begin(&self.directory, now);
        let file = file.map_err(|error| FeedError::io(&self.directory, error))?;
        Ok(Incoming { file, digester: Digester::default(), bytes: 0 })
    }

    /// Puts what came in the place of what is there.
    pub(crate) fn finish(
        &self,
        incoming: Incoming,
        [tag, modified]: [Option<String>; 2],
        now: Timestamp,
    ) -> Result<(), FeedError> {
        let kept = |it: Option<String>| it.filter(|it| it.len() <= MAX_TAG_BYTES);
        let about = About {
            url: self.url.clone(),
            digest: incoming.digester.finish(),
            bytes: incoming.bytes,
            fetched: now,
            tag: kept(tag),
            modified: kept(modified),
        };
        let write = || {
            files::put(incoming.file, &self.file)?;
            files::settle(&self.directory)?;
            let text = serde_json::to_vec_pretty(&about)?;
            files::replace(&self.directory, &self.directory.join(ABOUT), &text, now)
        };
        write().map_err(|error| FeedError::io(&self.directory, error))
    }
}

impl About {
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    /// When the server gave it.
    pub(crate) fn fetched(&self) -> Timestamp {
        self.fetched
    }
}

impl Incoming {
    /// How much came so far.
    pub(crate) fn len(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), FeedError> {
        self.digester.update(bytes);
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|error| FeedError::io(self.file.path(), error))
    }
}
