//! Claim check: documents travel in chunks beside the events that name them.

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use events::{CHUNK_BYTES, Digest, Input, Record, Scope, SupplierId, subject};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    Bus, BusError,
    streams::{UPLOADS, ingest_stream_name},
};

/// Chunks that are fetched at once.
const CHUNKS_AT_ONCE: usize = 4;

/// Why an uploaded document cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The broker is the problem, not the upload.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// A chunk never came or has expired.
    #[error(
        "`{path}`: chunk {index} of {chunks} is missing; submit the build again to upload it, then replay this event"
    )]
    MissingChunk {
        /// Path of the document.
        path: String,
        /// Number of the chunk, from 0.
        index: u32,
        /// Number of chunks.
        chunks: u32,
    },
    /// The chunks are there, but are not the document that the event names.
    #[error(
        "`{path}`: the uploaded bytes have digest {found}, its manifest says {expected}; submit the build again, then replay this event"
    )]
    WrongDigest {
        /// Path of the document.
        path: String,
        /// Digest in the event.
        expected: Digest,
        /// Digest of the bytes.
        found: Digest,
    },
    /// The chunks are the document, but there are more or fewer bytes of it than the event says.
    #[error(
        "`{path}`: {found} bytes were uploaded, its manifest says {expected}; submit it again with its true size"
    )]
    WrongSize {
        /// Path of the document.
        path: String,
        /// Size in the event.
        expected: u64,
        /// Size of the document.
        found: u64,
    },
    /// The event's own numbers do not fit together, or are too large.
    #[error(
        "`{path}`: {size} bytes in {chunks} chunks; a document has at most {max} bytes and chunks of {CHUNK_BYTES} bytes"
    )]
    BadSize {
        /// Path of the document.
        path: String,
        /// Size in the event.
        size: u64,
        /// Chunks in the event.
        chunks: u32,
        /// Largest size allowed.
        max: u64,
    },
}

impl UploadError {
    /// What is wrong with the upload in a word; none if it is not the upload's fault.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::Bus(_) => None,
            Self::MissingChunk { .. } => Some("upload-missing-chunk"),
            Self::WrongDigest { .. } => Some("upload-wrong-digest"),
            Self::WrongSize { .. } | Self::BadSize { .. } => Some("upload-bad-size"),
        }
    }
}

/// Where the chunks of some sender lie.
pub(crate) struct Shelf {
    stream: String,
    /// What stands before `<digest>.<n>` in the subjects.
    prefix: String,
    /// Whether a stranger wrote what lies there.
    strange: bool,
}

impl Shelf {
    /// Of what CI and operators upload.
    fn of_scope(scope: &Scope) -> Self {
        let scope = subject::token(scope.as_str());
        let prefix = format!("{}.upload.chunk.{scope}", subject::ROOT);
        Self { stream: UPLOADS.to_owned(), prefix, strange: false }
    }

    /// Of what a supplier drops.
    pub(crate) fn of_supplier(supplier: &SupplierId) -> Self {
        let prefix = format!("ingest.{supplier}.chunk");
        Self { stream: ingest_stream_name(supplier), prefix, strange: true }
    }

    fn chunk(&self, digest: Digest, index: u32) -> String {
        format!("{}.{}.{index}", self.prefix, digest.hex())
    }
}

impl Bus {
    /// Uploads a document; the same one again replaces itself.
    pub async fn upload(
        &self,
        scope: &Scope,
        digest: Digest,
        bytes: &Bytes,
    ) -> Result<u32, BusError> {
        self.upload_to(&Shelf::of_scope(scope), digest, bytes).await
    }

    /// Puts an uploaded document together and checks its digest. At most `max` bytes are held.
    pub async fn download(
        &self,
        scope: &Scope,
        input: &Input,
        max: u64,
    ) -> Result<Bytes, UploadError> {
        self.download_from(&Shelf::of_scope(scope), input, max).await
    }

    pub(crate) async fn upload_to(
        &self,
        shelf: &Shelf,
        digest: Digest,
        bytes: &Bytes,
    ) -> Result<u32, BusError> {
        let mut count = 0;
        for (index, chunk) in chunks(bytes) {
            let subject = shelf.chunk(digest, index);
            self.store("upload a chunk", subject, PublishMessage::build(), chunk).await?;
            count += 1;
        }
        Ok(count)
    }

    /// Uploads the chunks that are not there. What is there is asked for without its bytes, and whether
    /// they are the right ones is seen when the document is put together.
    pub(crate) async fn upload_missing(
        &self,
        shelf: &Shelf,
        digest: Digest,
        bytes: &Bytes,
        at_once: usize,
        mut progress: impl FnMut(usize, usize),
    ) -> Result<(), BusError> {
        let upload = async |(index, chunk): (u32, Bytes)| {
            let subject = shelf.chunk(digest, index);
            if self.number_on(&subject).await?.is_some_and(|number| number > 0) {
                return Ok(());
            }
            let stored = self.store("upload a chunk", subject, PublishMessage::build(), chunk);
            self.unless_forbidden("upload a chunk", stored).await.map(drop)
        };
        let (mut done, all) = (0, bytes.len().div_ceil(CHUNK_BYTES));
        let mut uploads = stream::iter(chunks(bytes)).map(upload).buffer_unordered(at_once.max(1));
        while let Some(()) = uploads.try_next().await? {
            done += 1;
            progress(done, all);
        }
        Ok(())
    }

    pub(crate) async fn download_from(
        &self,
        shelf: &Shelf,
        input: &Input,
        max: u64,
    ) -> Result<Bytes, UploadError> {
        let path = || input.path.to_string();
        if input.size > max || input.size.div_ceil(CHUNK_BYTES as u64) != u64::from(input.chunks) {
            let (size, chunks) = (input.size, input.chunks);
            return Err(UploadError::BadSize { path: path(), size, chunks, max });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(input.size).unwrap_or_default());
        let look = |index| async move {
            let subject = shelf.chunk(input.digest, index);
            (index, self.chunk_on(shelf, &subject).await)
        };
        let mut found = stream::iter(0..input.chunks).map(look).buffered(CHUNKS_AT_ONCE);
        while let Some((index, chunk)) = found.next().await {
            let Some(chunk) = chunk? else {
                let chunks = input.chunks;
                return Err(UploadError::MissingChunk { path: path(), index, chunks });
            };
            bytes.extend_from_slice(&chunk.payload);
            if bytes.len() as u64 > input.size {
                break;
            }
        }
        let found = Digest::of(&bytes);
        if found != input.digest {
            let expected = input.digest;
            return Err(UploadError::WrongDigest { path: path(), expected, found });
        }
        let (expected, found) = (input.size, bytes.len() as u64);
        if found != expected {
            return Err(UploadError::WrongSize { path: path(), expected, found });
        }
        Ok(bytes.into())
    }
    async fn chunk_on(&self, shelf: &Shelf, subject: &str) -> Result<Option<Record>, BusError> {
        match shelf.strange {
            true => self.last_of_stranger(&shelf.stream, subject).await,
            false => self.last_on(&shelf.stream, subject).await,
        }
    }
}

/// The chunks of a document, numbered from 0. A document longer than numbers go is taken by nobody.
fn chunks(bytes: &Bytes) -> impl Iterator<Item = (u32, Bytes)> {
    let starts = (0..bytes.len()).step_by(CHUNK_BYTES);
    (0_u32..)
        .zip(starts)
        .map(|(index, start)| (index, bytes.slice(start..bytes.len().min(start + CHUNK_BYTES))))
}
