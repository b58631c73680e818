//! A broker of one test's own, and what lies in its streams.

use std::collections::BTreeMap;

use async_nats::jetstream::{self, consumer::PullConsumer, stream::Config};
use broker::{Binary, Options, Search, Server};
use bus::{Bus, BusOptions, QuarantineFilter};
use bytes::Bytes;
use events::{BuildCompleted, Envelope, Priority, Quarantined};
use futures::{StreamExt, TryStreamExt, stream};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use worker::Handler;

use crate::Tested;

static BINARY: OnceCell<Binary> = OnceCell::const_new();

/// A running `nats-server` with an empty store; both are gone when the test is.
pub struct Broker {
    /// The process, to be killed, paused and started again.
    pub server: Server,
    raw: OnceCell<jetstream::Context>,
    _store: TempDir,
}

/// The streams that the tests look into.
#[derive(Clone, Copy)]
pub enum Stream {
    /// What goes into the tested worker.
    Builds,
    /// What comes out of it.
    Evidence,
    /// How often its events failed.
    Attempts,
}

/// How far the tested worker is in one lane.
#[derive(Debug, PartialEq, Eq)]
pub struct LaneState {
    /// Events that no replica was given yet.
    pub pending: u64,
    /// Events that a replica was given and has not settled.
    pub in_hand: usize,
}

impl Broker {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        Self::start_with(|_, _| {}).await
    }

    /// Starts one after `change` has had its way with its program and its options.
    pub async fn start_with(change: impl FnOnce(&mut Binary, &mut Options)) -> Self {
        let binary = BINARY.get_or_init(async || {
            let cache = broker::default_cache_dir().expect("a home for the cache");
            broker::find_or_fetch(&Search::new(cache)).await.expect("a nats-server")
        });
        let mut binary = binary.await.clone();
        let store = tempfile::tempdir().expect("a temporary directory");
        let mut options = Options::new(store.path());
        change(&mut binary, &mut options);
        let server = Server::start(&binary, options).await.expect("the broker starts");
        Self { server, raw: OnceCell::new(), _store: store }
    }

    /// A new connection, without a look at the streams.
    pub async fn connect(&self) -> Bus {
        let options = BusOptions { url: self.server.url(), creds: None, name: "test".to_owned() };
        Bus::connect(&options, None).await.expect("the broker answers")
    }

    /// A new connection on which every stream exists.
    pub async fn bus(&self) -> Bus {
        let bus = self.connect().await;
        bus.set_up().await.expect("the streams can be made");
        bus
    }

    /// The broker without our library in between.
    pub async fn raw(&self) -> &jetstream::Context {
        let connect = async || {
            let client = async_nats::connect(self.server.url()).await.expect("the broker answers");
            jetstream::new(client)
        };
        self.raw.get_or_init(connect).await
    }

    /// SIGKILL, then a new process on the same port and store.
    pub async fn crash(&mut self) {
        self.server.kill();
        self.restart().await;
    }

    /// A new process on the same port and store.
    pub async fn restart(&mut self) {
        self.server.restart().await.expect("the broker starts again");
        // The old connection needs a moment before it is one again.
        self.raw = OnceCell::new();
    }

    /// Stores `payload` on `subject` as a stranger would.
    pub async fn inject(&self, subject: &str, payload: impl Into<Bytes>) {
        let sent = self.raw().await.publish(subject.to_owned(), payload.into()).await;
        sent.expect("sent").await.expect("stored");
    }

    /// Lets the stream `name` keep at most `bytes`, as an operator would.
    pub async fn set_room(&self, name: &str, bytes: i64) {
        let raw = self.raw().await;
        let found = raw.get_stream(name).await.expect("the stream exists");
        let config = Config { max_bytes: bytes, ..found.cached_info().config.clone() };
        raw.update_stream(&config).await.expect("its limits can be changed");
    }

    /// Every subject of `stream` with the number of messages on it.
    pub async fn subjects(&self, stream: Stream) -> BTreeMap<String, usize> {
        self.subjects_of(stream.name()).await
    }

    /// Every subject of the stream `name` with the number of messages on it.
    pub async fn subjects_of(&self, name: &str) -> BTreeMap<String, usize> {
        let found = self.raw().await.get_stream(name).await.expect("the stream exists");
        let subjects = found.info_with_subjects(">").await.expect("the stream answers");
        subjects.try_collect().await.expect("the stream answers")
    }

    /// What the tested worker published: subjects, each with the number of messages on it.
    pub async fn outputs(&self) -> BTreeMap<String, usize> {
        self.subjects(Stream::Evidence).await
    }

    /// Failed attempts that are remembered, of all events together.
    pub async fn failed_attempts(&self) -> u64 {
        let stream = self.raw().await.get_stream(Stream::Attempts.name()).await.expect("exists");
        let mut failed = 0;
        for subject in self.subjects(Stream::Attempts).await.into_keys() {
            let record = stream.direct_get_last_for_subject(subject).await.expect("is there");
            let record: serde_json::Value = serde_json::from_slice(&record.payload).expect("JSON");
            failed += record["failed"].as_u64().expect("a number");
        }
        failed
    }

    /// How far the tested worker is with events of `priority`; none before it first ran.
    pub async fn lane(&self, priority: Priority) -> Option<LaneState> {
        let stream = self.raw().await.get_stream(Stream::Builds.name()).await.expect("exists");
        let name = format!("{}-{priority}", Tested::NAME);
        let consumer: PullConsumer = stream.get_consumer(&name).await.ok()?;
        let info = consumer.cached_info();
        Some(LaneState { pending: info.num_pending, in_hand: info.num_ack_pending })
    }

    /// Whether the tested worker has settled everything.
    pub async fn all_settled(&self) -> bool {
        for priority in Priority::ALL {
            if self.lane(priority).await != Some(LaneState { pending: 0, in_hand: 0 }) {
                return false;
            }
        }
        true
    }
}

impl Stream {
    /// Its name at the broker.
    pub fn name(self) -> &'static str {
        match self {
            Self::Builds => "ATTESTRY_BUILD_COMPLETED",
            Self::Evidence => "ATTESTRY_EVIDENCE_READY",
            Self::Attempts => "ATTESTRY_ATTEMPTS",
        }
    }
}

/// Stores `events` through `bus`, many at once, and insists while the broker is away.
pub async fn publish_all(bus: &Bus, events: &[Envelope<BuildCompleted>]) {
    let publish = async |event: &Envelope<BuildCompleted>| {
        while bus.publish(event, None).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    stream::iter(events).for_each_concurrent(32, publish).await;
}

/// Everything in quarantine, oldest first.
pub async fn quarantined(bus: &Bus) -> Vec<Quarantined> {
    let entries = bus.quarantined(&QuarantineFilter::default()).await.expect("the broker answers");
    entries.into_iter().map(|(entry, _)| entry).collect()
}
