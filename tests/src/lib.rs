//! What the end-to-end tests stand on: a real broker each, events, and a worker that does as told.

#![allow(clippy::expect_used, reason = "a harness that cannot go on fails its test")]

mod server;
mod small_disk;
mod tested;
mod workers;

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use events::{
    Artifact, BuildCompleted, BuildKind, Builder, Digest, Envelope, Label, Listing, Priority,
    Scope, Uri,
};
use jiff::Timestamp;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

pub use server::{Broker, LaneState, Stream, publish_all, quarantined};
pub use small_disk::SmallDisk;
pub use tested::{Call, Journal, Replica, Tested};
pub use workers::Workers;

/// A build of `acme/hotpass` that a pull request waits for.
pub fn build(run: &str) -> Envelope<BuildCompleted> {
    build_of("acme/hotpass", run, Priority::Pr)
}

/// A build of `project`, in a hurry of `priority`.
pub fn build_of(project: &str, run: &str, priority: Priority) -> Envelope<BuildCompleted> {
    let project: Scope = project.parse().expect("a project's name");
    let name = "hotpass-0.1.0-py3-none-any.whl".parse().expect("a path");
    let artifact = Artifact { name, digest: Digest::of(b"wheel"), size: Some(5) };
    let data = BuildCompleted {
        environment: None,
        project: project.clone(),
        kind: if priority == Priority::Release { BuildKind::Release } else { BuildKind::Pr },
        run: run.parse().expect("a run"),
        version: None,
        source: None,
        builder: Builder::new(Uri::of("urn:ci")),
        started_at: None,
        finished_at: None,
        parameters: Default::default(),
        internal_parameters: Default::default(),
        dependencies: Default::default(),
        artifacts: vec![artifact].try_into().expect("one artifact"),
        inputs: Listing::default(),
        sboms: Default::default(),
    };
    Envelope::root(Label::of("/ci"), Timestamp::UNIX_EPOCH, priority, project, data)
}

/// `count` builds with runs of their own.
pub fn builds(count: usize) -> Vec<Envelope<BuildCompleted>> {
    (0..count).map(|index| build(&format!("run-{index}"))).collect()
}

/// The bytes of `event` on the bus.
pub fn encoded(event: &Envelope<BuildCompleted>) -> Bytes {
    serde_json::to_vec(event).expect("events encode").into()
}

/// Waits until `condition` holds, and fails the test with `what` when it does not within `limit`.
pub async fn eventually(limit: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let held = tokio::time::timeout(limit, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(held.await.is_ok(), "not within {} s: {what}", limit.as_secs_f32());
}

/// `count` seconds.
pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Status and body of `http://<address><path>`.
pub async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    let request = format!("GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    (status, body.to_owned())
}
