//! Documents travel in chunks beside the events that name them.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use bus::UploadError;
use bytes::Bytes;
use e2e_tests::Broker;
use events::{CHUNK_BYTES, Digest, Input, Scope};

fn scope() -> Scope {
    "acme/hotpass".parse().unwrap()
}

/// Bytes that differ from chunk to chunk.
fn document(size: usize) -> Bytes {
    (0..size).map(|index| u8::try_from(index / 1000 % 251).unwrap()).collect()
}

fn input(document: &Bytes, chunks: u32) -> Input {
    let path = "apps/web/uv.lock".parse().unwrap();
    Input { path, digest: Digest::of(document), size: document.len() as u64, chunks }
}

#[tokio::test(flavor = "multi_thread")]
async fn document_survives_the_way_in_chunks() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    for (size, chunks) in [(0, 0), (1, 1), (CHUNK_BYTES, 1), (3 * CHUNK_BYTES + 7, 4)] {
        let document = document(size);
        let digest = Digest::of(&document);
        for _ in 0..2 {
            assert_eq!(bus.upload(&scope(), digest, &document).await.unwrap(), chunks);
        }
        let input = input(&document, chunks);
        assert_eq!(bus.download(&scope(), &input, 1 << 24).await.unwrap(), document);
    }
    let stranger: Scope = "acme/other".parse().unwrap();
    let input = input(&document(1), 1);
    let error = bus.download(&stranger, &input, 1 << 24).await.unwrap_err();
    assert!(matches!(error, UploadError::MissingChunk { .. }), "of another project: {error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_chunk_is_named() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let document = document(3 * CHUNK_BYTES);
    for index in [0, 2] {
        let start = usize::try_from(index).unwrap() * CHUNK_BYTES;
        let chunk = document.slice(start..start + CHUNK_BYTES);
        broker.inject(&chunk_subject(&document, index), chunk).await;
    }

    let error = bus.download(&scope(), &input(&document, 3), 1 << 24).await.unwrap_err();
    assert!(matches!(error, UploadError::MissingChunk { index: 1, chunks: 3, .. }), "{error}");
    assert!(error.to_string().starts_with("`apps/web/uv.lock`: chunk 1 of 3 is missing"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_the_document_are_refused() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let document = document(2 * CHUNK_BYTES);
    bus.upload(&scope(), Digest::of(&document), &document).await.unwrap();
    let input = input(&document, 2);

    for forged in [Bytes::from_static(b"short"), Bytes::from(vec![1; CHUNK_BYTES + 1])] {
        broker.inject(&chunk_subject(&document, 1), forged).await;
        let error = bus.download(&scope(), &input, 1 << 24).await.unwrap_err();
        assert!(matches!(error, UploadError::WrongDigest { .. }), "{error}");
    }
    bus.upload(&scope(), Digest::of(&document), &document).await.unwrap();
    assert_eq!(bus.download(&scope(), &input, 1 << 24).await.unwrap(), document);
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_that_do_not_fit_together_are_refused_before_anything_is_held() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let honest = input(&document(10), 1);
    let claims = [
        Input { chunks: 2, ..honest.clone() },
        Input { size: u64::MAX, chunks: u32::MAX, ..honest.clone() },
        Input { size: 101, ..honest },
    ];
    for claim in claims {
        let error = bus.download(&scope(), &claim, 100).await.unwrap_err();
        assert!(matches!(error, UploadError::BadSize { max: 100, .. }), "{error}");
    }
}

fn chunk_subject(document: &Bytes, index: u32) -> String {
    let hex = Digest::of(document).hex();
    format!("attestry.v1.upload.chunk.acme%2Fhotpass.{hex}.{index}")
}
