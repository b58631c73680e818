//! A stream, a store or a disk without room means waiting, not loss.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use bus::{Bus, BusError, Published};
use e2e_tests::{
    Broker, Journal, Replica, SmallDisk, Stream, Tested, build, builds, eventually, get,
    publish_all, quarantined, seconds,
};
use events::{BuildCompleted, Envelope};
use futures::future::join_all;
use tokio::sync::watch;

#[tokio::test(flavor = "multi_thread")]
async fn full_stream_refuses_events_and_takes_them_once_there_is_room() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    broker.set_room(Stream::Builds.name(), 8 * 1024).await;
    let events = builds(40);

    let refused = refused(&bus, &events).await;
    assert!((20..40).contains(&refused.len()), "{} refused", refused.len());
    bus.set_up().await.expect("limits belong to the operator");
    let kept = broker.subjects(Stream::Builds).await;
    assert_eq!(kept.len() + refused.len(), 40, "what was accepted is still there");

    broker.set_room(Stream::Builds.name(), 1024 * 1024).await;
    publish_all(&bus, &refused).await;
    let kept = broker.subjects(Stream::Builds).await;
    assert_eq!(kept.len(), 40);
    assert!(kept.values().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_waits_for_room_downstream_and_no_event_pays_for_it() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    broker.set_room(Stream::Evidence.name(), 4 * 1024).await;
    let events = builds(30);
    publish_all(&bus, &events).await;
    let journal = Journal::default();
    let replica = Replica::start(&broker, Tested::obliging(&journal), 4, 1).await;

    eventually(seconds(10), "it says why it waits", async || {
        replica.health.problems().join("\n").contains("the broker has no room")
    })
    .await;
    tokio::time::sleep(seconds(2)).await;
    let begun = journal.begun().len();
    assert!(begun < 30, "{begun} begun although nothing can be published");

    broker.set_room(Stream::Evidence.name(), 1024 * 1024).await;
    eventually(seconds(15), "settled", async || {
        broker.outputs().await.len() == 30 && broker.all_settled().await
    })
    .await;
    assert_eq!(journal.begun().len(), 30, "nothing was handled twice");
    assert!(quarantined(&bus).await.is_empty());
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_store_refuses_for_every_stream_and_takes_events_once_it_is_larger() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    broker.set_room(Stream::Builds.name(), -1).await;
    broker.server.set_max_store(Some(32 * 1024));
    broker.restart().await;
    let (journal, events) = (Journal::default(), builds(60));
    bus.until_connected().await;
    let refused = refused(&bus, &events).await;
    assert!((1..60).contains(&refused.len()), "{} refused", refused.len());
    let replica = Replica::start_on(bus.clone(), Tested::obliging(&journal), 4, 1);
    eventually(seconds(10), "it says why it waits", async || {
        replica.health.problems().join("\n").contains("the broker has no room")
    })
    .await;

    broker.server.set_max_store(Some(8 << 30));
    broker.restart().await;
    publish_all(&bus, &refused).await;
    eventually(seconds(20), "settled", async || {
        broker.outputs().await.len() == 60 && broker.all_settled().await
    })
    .await;
    assert!(quarantined(&bus).await.is_empty());
    assert_eq!(broker.failed_attempts().await, 0);
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn store_too_small_for_the_streams_is_named_instead_of_awaited_in_silence() {
    let broker = Broker::start_with(|_, options| options.max_store = Some(1 << 20)).await;
    let error = broker.connect().await.set_up().await.unwrap_err();
    assert!(matches!(error, BusError::Full { .. }), "{error}");
    assert!(error.to_string().contains("max_file_store"), "{error}");
}

/// nats-server 2.14.6. A server that recovers by itself fails this test: then messages and
/// documentation say too much.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stderr, reason = "a test that cannot run must not look like one that did")]
async fn full_disk_blocks_streams_by_name_until_the_restart_and_loses_nothing() {
    let disk = match SmallDisk::mount() {
        Ok(disk) => disk,
        Err(why) => {
            eprintln!("SKIPPED, NOT TESTED: this machine mounts no disk that may be full: {why}");
            return;
        }
    };
    let mut broker = Broker::start_with(|binary, options| disk.carries(binary, options)).await;
    let bus = broker.bus().await;
    let (go, going) = watch::channel(false);
    let journal = Journal::default();
    let replica = Replica::start(&broker, waiting(&journal, going), 4, 1).await;
    let address = replica.health.serve("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let events = builds(50);
    publish_all(&bus, &events[..40]).await;
    eventually(seconds(5), "begun", async || journal.begun().len() == 4).await;

    disk.fill();
    go.send_replace(true);
    eventually(seconds(15), "the worker says what it waits for", async || {
        let problems = replica.health.problems().join("\n");
        problems.contains("stream ATTESTRY_EVIDENCE_READY takes nothing")
            && problems.contains("restart nats-server")
    })
    .await;
    let unstored = blocked(&bus, &events[40..]).await;
    assert!(!unstored.is_empty());
    eventually(seconds(10), "metrics name both", async || {
        says_blocked(&get(address, "/metrics").await.1, 1)
    })
    .await;

    disk.free().unwrap();
    assert_eq!(blocked(&bus, &unstored).await.len(), unstored.len(), "room alone does not help");
    let begun = journal.begun().len();
    assert!(begun < 20, "{begun} begun although nothing can be published");

    broker.crash().await;
    publish_all(&bus, &unstored).await;
    eventually(seconds(30), "settled", async || {
        broker.outputs().await.len() == 50 && broker.all_settled().await
    })
    .await;
    let stored = broker.subjects(Stream::Builds).await;
    assert_eq!(stored.len(), 50);
    assert!(stored.values().chain(broker.outputs().await.values()).all(|count| *count == 1));
    assert_eq!(journal.handled(), 50);
    assert!(quarantined(&bus).await.is_empty());
    assert_eq!(broker.failed_attempts().await, 0);
    assert!(bus.streams().await.unwrap().iter().all(|stream| !stream.blocked));
    eventually(seconds(10), "metrics know", async || {
        says_blocked(&get(address, "/metrics").await.1, 0)
    })
    .await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_that_only_hangs_is_away_and_its_streams_are_not_blocked() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    broker.server.pause().unwrap();
    let error = bus.publish(&build("run-1"), None).await.unwrap_err();
    assert!(matches!(error, BusError::Away { .. }), "{error}");

    let late = tokio::spawn({
        let bus = bus.clone();
        async move { bus.publish(&build("run-2"), None).await }
    });
    tokio::time::sleep(seconds(11) / 5).await;
    broker.server.resume().unwrap();
    assert_eq!(late.await.unwrap().unwrap(), Published::Stored, "an answer may come late");
    assert_eq!(broker.subjects(Stream::Builds).await.len(), 2);
    let states = bus.streams().await.unwrap();
    assert!(states.iter().all(|stream| !stream.blocked), "{states:?}");
    assert_eq!(states.iter().map(|stream| stream.messages).sum::<u64>(), 2, "probes are not kept");
}

/// A handler that ends once `going` says so.
fn waiting(journal: &Journal, going: watch::Receiver<bool>) -> Tested {
    Tested::new(journal, move |_| {
        let mut going = going.clone();
        async move {
            drop(going.wait_for(|it| *it).await);
            Ok(())
        }
    })
}

/// Whether metrics say of what goes into the worker and of what comes out that it is blocked or not.
fn says_blocked(metrics: &str, is: u8) -> bool {
    [Stream::Builds, Stream::Evidence].into_iter().all(|stream| {
        let gauge = format!("attestry_stream_blocked{{stream=\"{}\"}} {is}", stream.name());
        metrics.lines().any(|line| line == gauge)
    })
}

/// Publishes `events` at once, and says which of them met a blocked stream.
async fn blocked(bus: &Bus, events: &[Envelope<BuildCompleted>]) -> Vec<Envelope<BuildCompleted>> {
    let publish = async |event: &Envelope<BuildCompleted>| match bus.publish(event, None).await {
        Ok(_) => None,
        Err(error @ BusError::Blocked { .. }) => {
            let said = error.to_string();
            assert!(said.starts_with("stream ATTESTRY_BUILD_COMPLETED takes nothing"), "{said}");
            Some(event.clone())
        }
        Err(error) => panic!("{error}"),
    };
    join_all(events.iter().map(publish)).await.into_iter().flatten().collect()
}

async fn refused(bus: &Bus, events: &[Envelope<BuildCompleted>]) -> Vec<Envelope<BuildCompleted>> {
    let mut refused = Vec::new();
    for event in events {
        match bus.publish(event, None).await {
            Ok(_) => {}
            Err(error @ BusError::Full { .. }) => {
                assert!(error.to_string().contains("raise the stream's max_bytes"), "{error}");
                refused.push(event.clone());
            }
            Err(error) => panic!("{error}"),
        }
    }
    refused
}
