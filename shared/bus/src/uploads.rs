//! Claim check: documents travel in chunks beside the events that name them.

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use events::{CHUNK_BYTES, Digest, Input, Scope, subject};

use crate::{Bus, BusError, streams::UPLOADS};

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
        "`{path}`: the uploaded bytes have digest {found}, the event says {expected}; submit the build again, then replay this event"
    )]
    WrongDigest {
        /// Path of the document.
        path: String,
        /// Digest in the event.
        expected: Digest,
        /// Digest of the bytes.
        found: Digest,
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

impl Bus {
    /// Uploads a document; the same one again replaces itself.
    pub async fn upload(
        &self,
        scope: &Scope,
        digest: Digest,
        bytes: &Bytes,
    ) -> Result<u32, BusError> {
        let mut count = 0;
        for start in (0..bytes.len()).step_by(CHUNK_BYTES) {
            let chunk = bytes.slice(start..bytes.len().min(start + CHUNK_BYTES));
            let subject = chunk_subject(scope, digest, count);
            self.store("upload a chunk", subject, PublishMessage::build(), chunk).await?;
            count += 1;
        }
        Ok(count)
    }

    /// Puts an uploaded document together and checks its digest. At most `max` bytes are held.
    pub async fn download(
        &self,
        scope: &Scope,
        input: &Input,
        max: u64,
    ) -> Result<Bytes, UploadError> {
        let path = || input.path.to_string();
        if input.size > max || input.size.div_ceil(CHUNK_BYTES as u64) != u64::from(input.chunks) {
            let (size, chunks) = (input.size, input.chunks);
            return Err(UploadError::BadSize { path: path(), size, chunks, max });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(input.size).unwrap_or_default());
        for index in 0..input.chunks {
            let subject = chunk_subject(scope, input.digest, index);
            let Some(chunk) = self.last_on(UPLOADS, &subject).await? else {
                return Err(UploadError::MissingChunk {
                    path: path(),
                    index,
                    chunks: input.chunks,
                });
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
        Ok(bytes.into())
    }
}

fn chunk_subject(scope: &Scope, digest: Digest, index: u32) -> String {
    let scope = subject::token(scope.as_str());
    format!("{}.upload.chunk.{scope}.{}.{index}", subject::ROOT, digest.hex())
}
