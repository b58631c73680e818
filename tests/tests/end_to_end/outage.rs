//! While the world is away the worker waits and says so, and no event pays for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bus::{Bus, BusError, BusOptions};
use e2e_tests::{
    Broker, Journal, Replica, Tested, build, builds, eventually, publish_all, quarantined, seconds,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use worker::HandleError;

#[tokio::test(flavor = "multi_thread")]
async fn outage_pauses_the_worker_and_costs_no_attempt() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let (journal, archive) = (Journal::default(), Dependency::default());
    let replica = Replica::start(&broker, archive.handler(&journal), 4, 1).await;
    let address = replica.health.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    archive.set_away(true);
    let events = builds(10);
    publish_all(&bus, &events).await;

    tokio::time::sleep(seconds(5)).await;
    let runs = journal.begun().len();
    assert!((3..=12).contains(&runs), "{runs} runs in five seconds");
    let (status, body) = e2e_tests::get(address, "/ready").await;
    assert_eq!((status, body.as_str()), (503, "tested: archive is away: the disk is gone\n"));
    assert_eq!(e2e_tests::get(address, "/live").await.0, 200);

    archive.set_away(false);
    eventually(seconds(10), "resumed", async || broker.outputs().await.len() == 10).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    assert_eq!(e2e_tests::get(address, "/ready").await, (200, "ready\n".to_owned()));
    assert_eq!(broker.failed_attempts().await, 0);
    assert!(quarantined(&bus).await.is_empty());
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_resumes_when_broker_and_archive_were_away_together() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let (journal, archive) = (Journal::default(), Dependency::default());
    let replica = Replica::start(&broker, archive.handler(&journal), 4, 1).await;
    archive.set_away(true);
    archive.slow.store(true, Ordering::Relaxed);
    publish_all(&bus, &builds(4)).await;
    eventually(seconds(5), "begun", async || journal.begun().len() == 4).await;

    // The outage is reported while nobody can hear that the events are given back.
    broker.server.pause().unwrap();
    tokio::time::sleep(seconds(3)).await;
    broker.server.resume().unwrap();
    archive.set_away(false);

    eventually(seconds(20), "resumed", async || broker.outputs().await.len() == 4).await;
    assert!(quarantined(&bus).await.is_empty());
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_that_hangs_for_a_while_costs_no_attempt() {
    let mut broker = Broker::start().await;
    let (journal, archive) = (Journal::default(), Dependency::default());
    archive.slow.store(true, Ordering::Relaxed);
    let bus = broker.bus().await;
    let replica = Replica::start(&broker, archive.handler(&journal), 4, 1).await;
    publish_all(&bus, &builds(20)).await;
    eventually(seconds(5), "begun", async || journal.begun().len() >= 4).await;

    broker.server.pause().unwrap();
    tokio::time::sleep(seconds(12)).await;
    broker.server.resume().unwrap();

    eventually(seconds(30), "settled", async || {
        broker.outputs().await.len() == 20 && broker.all_settled().await
    })
    .await;
    assert!(quarantined(&bus).await.is_empty());
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_away_for_a_minute_costs_no_attempt() {
    let mut broker = Broker::start().await;
    let (journal, archive) = (Journal::default(), Dependency::default());
    archive.slow.store(true, Ordering::Relaxed);
    let bus = broker.bus().await;
    let replica = Replica::start(&broker, archive.handler(&journal), 4, 1).await;
    publish_all(&bus, &builds(20)).await;
    eventually(seconds(5), "begun", async || journal.begun().len() >= 4).await;

    broker.server.kill();
    eventually(seconds(10), "it says so", async || {
        replica.health.problems().join("\n").contains("tested: broker is away")
    })
    .await;
    tokio::time::sleep(seconds(55)).await;
    assert!(replica.is_running());
    broker.restart().await;

    eventually(seconds(20), "settled", async || {
        broker.outputs().await.len() == 20 && broker.all_settled().await
    })
    .await;
    assert!(quarantined(&bus).await.is_empty());
    eventually(seconds(10), "ready", async || replica.health.problems().is_empty()).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_without_events_says_that_the_broker_is_away() {
    let mut broker = Broker::start().await;
    let replica = Replica::start(&broker, Tested::obliging(&Journal::default()), 1, 1).await;
    eventually(seconds(5), "ready", async || replica.health.problems().is_empty()).await;

    broker.server.kill();
    eventually(seconds(10), "away", async || {
        replica.health.problems().join("\n").starts_with("broker: the broker did not answer")
    })
    .await;
    broker.restart().await;
    eventually(seconds(10), "back", async || replica.health.problems().is_empty()).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_waits_for_a_broker_that_is_away_at_its_start() {
    let mut broker = Broker::start().await;
    broker.server.kill();
    let options = BusOptions { url: broker.server.url(), creds: None, name: "early".to_owned() };
    let impatient = Bus::connect(&options, Some(Duration::from_millis(300))).await;
    let error = impatient.err().unwrap().to_string();
    assert!(error.contains(&format!("nothing answers at {}", options.url)), "{error}");

    let patient = tokio::spawn(async move { Bus::connect(&options, None).await });
    tokio::time::sleep(seconds(3)).await;
    assert!(!patient.is_finished());
    broker.restart().await;
    let bus = tokio::time::timeout(seconds(5), patient).await.unwrap().unwrap().unwrap();
    bus.set_up().await.unwrap();

    let journal = Journal::default();
    let replica = Replica::start_on(bus.clone(), Tested::obliging(&journal), 1, 1);
    bus.publish(&build("run-1"), None).await.unwrap();
    eventually(seconds(5), "handled", async || broker.outputs().await.len() == 1).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_waits_for_a_broker_that_leaves_while_it_starts() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    broker.server.kill();
    let journal = Journal::default();
    let replica = Replica::start_on(bus.clone(), Tested::obliging(&journal), 1, 1);
    tokio::time::sleep(seconds(4)).await;
    assert!(replica.is_running());
    assert!(!replica.health.problems().is_empty());

    broker.restart().await;
    publish_all(&bus, &[build("run-1")]).await;
    eventually(seconds(10), "handled", async || broker.outputs().await.len() == 1).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_is_too_old_is_refused_by_name() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let info = r#"{"server_id":"old","server_name":"old","version":"2.9.10","go":"go1.19","host":"127.0.0.1","port":4222,"headers":true,"max_payload":1048576,"proto":1,"jetstream":true,"client_id":1}"#;
        client.write_all(format!("INFO {info}\r\n").as_bytes()).await.unwrap();
        let mut bytes = [0; 4096];
        while client.read(&mut bytes).await.is_ok_and(|count| count > 0) {
            client.write_all(b"PONG\r\n").await.unwrap();
        }
    });
    let options = BusOptions { url: url.clone(), creds: None, name: "test".to_owned() };
    let refused = tokio::time::timeout(seconds(5), Bus::connect(&options, None)).await.unwrap();

    let error = refused.err().unwrap();
    assert!(matches!(&error, BusError::OldServer { found, .. } if found == "2.9.10"), "{error}");
    let message = error.to_string();
    assert!(message.starts_with(&format!("nats-server 2.9.10 at {url} is too old")), "{message}");
    assert!(message.contains("run 2.12.0 or newer"), "{message}");
}

/// Something that the handler needs.
#[derive(Clone, Default)]
struct Dependency {
    away: Arc<AtomicBool>,
    slow: Arc<AtomicBool>,
}

impl Dependency {
    fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    fn handler(&self, journal: &Journal) -> Tested {
        let dependency = self.clone();
        Tested::new(journal, move |_| {
            let dependency = dependency.clone();
            async move {
                let away = dependency.away.load(Ordering::Relaxed);
                if dependency.slow.load(Ordering::Relaxed) {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
                let detail = "the disk is gone".to_owned();
                if away {
                    Err(HandleError::Outage { dependency: "archive", detail })
                } else {
                    Ok(())
                }
            }
        })
    }
}
