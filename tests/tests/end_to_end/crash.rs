//! Worker processes that are killed in the middle of an event.

#![allow(clippy::expect_used, reason = "helpers of tests fail their test")]

use std::process::Stdio;

use e2e_tests::{Broker, build, eventually, quarantined, seconds};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

#[tokio::test(flavor = "multi_thread")]
async fn event_of_a_killed_worker_is_handled_by_the_next_one() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    bus.publish(&event, None).await.unwrap();

    let mut victim = Mortal::start(&broker, 10, "hang");
    assert_eq!(victim.next_event().await, "handling run-1");
    victim.process.kill().await.unwrap();

    let mut heir = Mortal::start(&broker, 10, "oblige");
    assert_eq!(heir.next_event().await, "handling run-1");
    eventually(seconds(5), "published", async || broker.outputs().await.len() == 1).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    assert!(quarantined(&bus).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_kills_every_worker_ends_in_quarantine() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    bus.publish(&build("deadly"), None).await.unwrap();

    // The first delivery is not counted ahead, so one limit of attempts is two deaths.
    for _ in 0..2 {
        let mut victim = Mortal::start(&broker, 1, "hang");
        assert_eq!(victim.next_event().await, "handling deadly");
        victim.process.kill().await.unwrap();
    }
    let _survivor = Mortal::start(&broker, 1, "hang");
    eventually(seconds(15), "set aside", async || quarantined(&bus).await.len() == 1).await;

    let entry = &quarantined(&bus).await[0];
    assert_eq!(entry.reason, "attempts-exhausted");
    assert!(entry.detail.contains("the worker died while handling the event"), "{entry:?}");
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
}

/// A worker process; killed when dropped.
struct Mortal {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Mortal {
    fn start(broker: &Broker, max_attempts: u32, manner: &str) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_mortal-worker"))
            .args([&broker.server.url(), &max_attempts.to_string(), manner])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the worker's program is built with the tests");
        let lines = BufReader::new(process.stdout.take().expect("piped")).lines();
        Self { process, lines }
    }

    async fn next_event(&mut self) -> String {
        let line = tokio::time::timeout(seconds(15), self.lines.next_line()).await;
        line.expect("an event within the ack wait").expect("readable").expect("alive")
    }
}
