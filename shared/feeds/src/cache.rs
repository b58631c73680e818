//! A directory that holds what each feed served last, and what to ask with the next time.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use events::{Digest, Digester};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::{Feed, FeedError};

const ABOUT: &str = "about.json";
const INCOMING: &str = ".incoming";
/// No file is fetched for so long.
const ABANDONED: SignedDuration = SignedDuration::from_hours(2);
/// Longest tag of a server that is kept, in bytes.
const MAX_TAG_BYTES: usize = 1024;

/// What a feed served last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cached {
    /// The file; its name ends as its format wants.
    pub path: PathBuf,
    /// Where it was fetched from.
    pub url: String,
    /// SHA-256 of the file.
    pub digest: Digest,
    /// When the server gave it.
    pub fetched: Timestamp,
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

/// The place of one feed.
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

impl Place {
    pub(crate) fn of(feed: &Feed, cache: &Path) -> Self {
        let url = feed.url.to_string();
        let directory = cache.join(Digest::of(url.as_bytes()).hex());
        let file = directory.join("served").with_extension(feed.format.extension());
        Self { directory, file, url }
    }

    /// What lies there from before, if it is whole.
    pub(crate) fn about(&self) -> Option<About> {
        let text = fs::read(self.directory.join(ABOUT)).ok()?;
        let about: About = serde_json::from_slice(&text).ok()?;
        let is_whole = fs::metadata(&self.file).is_ok_and(|it| it.len() == about.bytes);
        (is_whole && about.url == self.url).then_some(about)
    }

    pub(crate) fn cached(&self, about: &About) -> Cached {
        let About { digest, fetched, .. } = *about;
        Cached { path: self.file.clone(), url: self.url.clone(), digest, fetched }
    }

    pub(crate) fn begin(&self, now: Timestamp) -> Result<Incoming, FeedError> {
        let begin = || {
            fs::create_dir_all(&self.directory)?;
            self.remove_abandoned(now)?;
            tempfile::Builder::new().prefix(INCOMING).tempfile_in(&self.directory)
        };
        let file = begin().map_err(|error| FeedError::io(&self.directory, error))?;
        Ok(Incoming { file, digester: Digester::default(), bytes: 0 })
    }

    /// Removes what a process left that was killed.
    fn remove_abandoned(&self, now: Timestamp) -> io::Result<()> {
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            let is_incoming = entry.file_name().to_string_lossy().starts_with(INCOMING);
            // Another process may finish or remove it meanwhile.
            let written = entry.metadata().and_then(|it| it.modified()).map(Timestamp::try_from);
            let is_old = matches!(written, Ok(Ok(it)) if now.duration_since(it) > ABANDONED);
            if is_incoming && is_old {
                fs::remove_file(entry.path()).ok();
            }
        }
        Ok(())
    }

    /// Puts what came in the place of what is there.
    pub(crate) fn finish(
        &self,
        incoming: Incoming,
        [tag, modified]: [Option<String>; 2],
        now: Timestamp,
    ) -> Result<About, FeedError> {
        let kept = |it: Option<String>| it.filter(|it| it.len() <= MAX_TAG_BYTES);
        let about = About {
            url: self.url.clone(),
            digest: incoming.digester.finish(),
            bytes: incoming.bytes,
            fetched: now,
            tag: kept(tag),
            modified: kept(modified),
        };
        let put = |file: NamedTempFile, to: &Path| -> io::Result<()> {
            file.as_file().sync_all()?;
            file.persist(to).map_err(|error| error.error)?;
            File::open(&self.directory)?.sync_all()
        };
        let write = || -> io::Result<()> {
            put(incoming.file, &self.file)?;
            let mut file = NamedTempFile::new_in(&self.directory)?;
            file.write_all(&serde_json::to_vec_pretty(&about)?)?;
            put(file, &self.directory.join(ABOUT))
        };
        write().map_err(|error| FeedError::io(&self.directory, error))?;
        Ok(about)
    }
}

impl About {
    pub(crate) fn digest(&self) -> Digest {
        self.digest
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
