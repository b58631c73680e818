//! What lies behind a door: hostile headers, half uploads, limits, and names that others have too.

use bytes::Bytes;
use e2e_tests::{eventually, seconds};
use events::{CHUNK_BYTES, DecisionResult, Digest};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::place::{Place, id, sbom};

/// Stores a message whose headers no client can read: the broker keeps any bytes.
async fn inject_headers(place: &Place, subject: &str, headers: &[u8], payload: &[u8]) {
    let stream = TcpStream::connect(("127.0.0.1", place.broker.server.port())).await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let (length, all) = (headers.len(), headers.len() + payload.len());
    let head = format!(
        "CONNECT {{\"verbose\":false,\"headers\":true}}\r\nSUB reply 1\r\nHPUB {subject} reply {length} {all}\r\n"
    );
    let message = [head.as_bytes(), headers, payload, b"\r\n"].concat();
    writer.write_all(&message).await.unwrap();
    let mut lines = BufReader::new(reader).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if line.starts_with('{') {
            assert!(line.contains("\"seq\""), "{line}");
            return;
        }
    }
    panic!("the broker closed the connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_no_client_can_read_keep_nobody_waiting() {
    let place = Place::busy(&["acme", "other"], 1).await;
    let headers: [&[u8]; 5] = [
        b"\xff\xfe\0garbage\r\n\r\n",
        b"NATS/1.0\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"NATS/1.0 503\r\n\r\n",
        b"NATS/1.0 409 Consumer Deleted\r\nNats-Sequence: x\r\nNats-Subject: y\r\n\r\n",
    ];
    let document = sbom("widget", "1.0", "left@1.0");
    let manifest = place.uploaded("acme", &document).await;
    let manifest_bytes = serde_json::to_vec(&manifest).unwrap();
    let chunk = format!("ingest.acme.chunk.{}.0", manifest.document.digest.hex());
    for (number, headers) in headers.into_iter().enumerate() {
        inject_headers(&place, &chunk, headers, &document).await;
        let subject = format!("ingest.acme.manifest.s-{number}");
        inject_headers(&place, &subject, headers, &manifest_bytes).await;
        // It is judged by what it says, as any other.
        let answer = place.answer("acme", &format!("s-{number}")).await;
        assert_eq!(answer.receipt.decision.result, DecisionResult::Accepted, "{number}");
    }
    place.submit("other", "s-1", &document).await;
    let answer = place.answer("other", "s-1").await;
    assert_eq!(answer.receipt.decision.result, DecisionResult::Accepted);
    place.assert_nothing_in_quarantine().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upload_goes_on_where_it_stopped() {
    let place = Place::start(&["acme"]).await;
    let document = Bytes::from(vec![b'x'; 5 * CHUNK_BYTES + 1]);
    let (acme, digest) = (id("acme"), Digest::of(&document));
    for number in [0, 3] {
        let chunk = document.slice(number * CHUNK_BYTES..(number + 1) * CHUNK_BYTES);
        place.broker.inject(&format!("ingest.acme.chunk.{}.{number}", digest.hex()), chunk).await;
    }
    let mut told = Vec::new();
    let upload = place.bus.drop_missing(&acme, digest, &document, 3, |done, all| {
        told.push((done, all));
    });
    upload.await.unwrap();

    assert_eq!(told, [(1, 6), (2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]);
    assert_eq!(place.bus.doors().await.unwrap()[&acme], 6, "what was there was not sent again");
    place.bus.drop_missing(&acme, digest, &document, 3, |_, _| {}).await.unwrap();
    assert_eq!(place.bus.doors().await.unwrap()[&acme], 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn chunk_that_was_exchanged_makes_no_other_document() {
    let place = Place::start(&["acme"]).await;
    let document = Bytes::from(vec![b' '; CHUNK_BYTES + 10]);
    let manifest = place.uploaded("acme", &document).await;
    let chunk = format!("ingest.acme.chunk.{}.1", manifest.document.digest.hex());
    place.drop_raw("acme", "s-1", serde_json::to_vec(&manifest).unwrap()).await;
    place.broker.inject(&chunk, "other byte").await;
    let place = place.at_work(1).await;

    let answer = place.answer("acme", "s-1").await;
    let rule = answer.receipt.decision.rule.unwrap();
    assert_eq!(rule.as_str(), "upload-wrong-digest");
}

#[tokio::test(flavor = "multi_thread")]
async fn name_that_another_supplier_uses_is_free() {
    let place = Place::busy(&["acme", "other"], 1).await;
    let documents = ["1.0", "2.0"].map(|version| sbom("widget", version, "left@1.0"));
    for (supplier, document) in ["acme", "other"].into_iter().zip(&documents) {
        place.submit(supplier, "s-1", document).await;
    }
    for (supplier, document) in ["acme", "other"].into_iter().zip(&documents) {
        let decision = place.answer(supplier, "s-1").await.receipt.decision;
        assert_eq!(decision.document, Some(Digest::of(document)), "{supplier}");
        assert_eq!(decision.result, DecisionResult::Accepted, "{supplier}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_a_passport_count_while_it_is_read_and_cost_no_message() {
    let place = Place::busy(&["acme"], 1).await;
    let document = sbom("widget", "1.0", "left@1.0");
    place.submit("acme", "s-1", &document).await;
    place.answer("acme", "s-1").await;
    let kept = place.broker.subjects_of("ATTESTRY_INGEST_ACME").await;

    place.limit("acme", "max_mib = 3\nmax_messages = 2");
    let stream = place.broker.raw().await.get_stream("ATTESTRY_INGEST_ACME").await.unwrap();
    eventually(seconds(30), "the limits count", async || {
        let config = stream.get_info().await.unwrap().config;
        (config.max_bytes, config.max_messages) == (3 << 20, 2)
    })
    .await;
    assert_eq!(place.broker.subjects_of("ATTESTRY_INGEST_ACME").await, kept);
    assert!(kept.len() > 2, "more than it may keep from now on");
}

#[tokio::test(flavor = "multi_thread")]
async fn supplier_in_a_hurry_keeps_only_itself_waiting() {
    let place = Place::start(&["acme", "other"]).await;
    place.limit("acme", "submissions_per_minute = 1");
    let place = place.at_work(1).await;
    let document = sbom("widget", "1.0", "left@1.0");
    for submission in ["s-1", "s-2", "s-3"] {
        place.submit("acme", submission, &document).await;
    }
    place.answer("acme", "s-1").await;
    place.submit("other", "s-1", &document).await;
    place.answer("other", "s-1").await;

    let let_in = place.broker.subjects_of("ATTESTRY_DOCUMENT_SUBMITTED").await;
    assert_eq!(let_in.len(), 2, "{let_in:?}");
    let waits = place.broker.subjects_of("ATTESTRY_INGEST_ACME").await;
    let waits = waits.keys().filter(|it| it.contains("manifest")).count();
    assert_eq!(waits, 3, "nothing is lost");
}
