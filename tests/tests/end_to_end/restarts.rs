//! The broker is killed and started again in every phase of an event's way.

use std::{sync::Arc, time::Duration};

use e2e_tests::{
    Broker, Journal, Replica, Tested, build, builds, eventually, publish_all, quarantined, seconds,
};
use events::{BuildCompleted, Envelope};
use tokio::sync::Semaphore;

#[tokio::test(flavor = "multi_thread")]
async fn broker_killed_before_the_handler_begins() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let events = builds(10);
    publish_all(&bus, &events).await;
    broker.server.kill();
    let journal = Journal::default();
    let waiting = broker_comes_back(&mut broker, &journal).await;
    ended_well(&broker, &events, &journal).await;
    waiting.stop().await;
}

/// A worker whose connection was there before the broker died, and starts on the new one.
async fn broker_comes_back(broker: &mut Broker, journal: &Journal) -> Replica {
    broker.restart().await;
    Replica::start(broker, Tested::obliging(journal), 4, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_killed_while_the_worker_waits_for_events() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let journal = Journal::default();
    let replica = Replica::start(&broker, Tested::obliging(&journal), 4, 1).await;
    for round in 0..3 {
        let events = vec![build(&format!("round-{round}"))];
        publish_all(&bus, &events).await;
        eventually(seconds(15), "handled", async || journal.handled() == round + 1).await;
        broker.crash().await;
    }
    let events: Vec<_> = (0..3).map(|round| build(&format!("round-{round}"))).collect();
    ended_well(&broker, &events, &journal).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_killed_while_the_handler_runs() {
    killed_in_the_handler(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_killed_between_handler_and_publish() {
    killed_in_the_handler(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_killed_right_after_publish_and_acknowledgement() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let journal = Journal::default();
    let replica = Replica::start(&broker, Tested::obliging(&journal), 8, 1).await;
    let events = builds(20);
    publish_all(&bus, &events).await;
    eventually(seconds(15), "published", async || journal.handled() == events.len()).await;
    broker.crash().await;
    ended_well(&broker, &events, &journal).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broker_killed_again_and_again_loses_nothing_and_blames_nobody() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let journal = Journal::default();
    let brief = Tested::new(&journal, async |_| {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Ok(())
    });
    let replicas = [
        Replica::start(&broker, brief.clone(), 4, 1).await,
        Replica::start(&broker, brief, 4, 1).await,
    ];
    let events = builds(200);
    let publishing = tokio::spawn({
        let events = events.clone();
        async move { publish_all(&bus, &events).await }
    });
    for pause in [70, 5, 230, 110, 35, 350, 160] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        broker.crash().await;
    }
    publishing.await.unwrap();
    ended_well(&broker, &events, &journal).await;
    for replica in replicas {
        replica.stop().await;
    }
}

/// The broker dies while the handler runs; the handler ends when the broker is back, or before.
async fn killed_in_the_handler(back_before_the_end: bool) {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let journal = Journal::default();
    let gate = Arc::new(Semaphore::new(0));
    let held = gate.clone();
    let handler = Tested::new(&journal, move |_| {
        let held = held.clone();
        async move {
            drop(held.acquire().await);
            Ok(())
        }
    });
    let replica = Replica::start(&broker, handler, 3, 1).await;
    let events = builds(3);
    publish_all(&bus, &events).await;
    eventually(seconds(5), "in the handler", async || journal.begun().len() == 3).await;

    broker.server.kill();
    if back_before_the_end {
        broker.restart().await;
        gate.add_permits(1);
    } else {
        gate.add_permits(1);
        eventually(seconds(2), "handler ended", async || journal.handled() == 3).await;
        tokio::time::sleep(seconds(1)).await;
        broker.restart().await;
    }
    ended_well(&broker, &events, &journal).await;
    replica.stop().await;
}

/// One output per event, nothing in quarantine, nothing unsettled.
async fn ended_well(broker: &Broker, events: &[Envelope<BuildCompleted>], journal: &Journal) {
    eventually(seconds(40), "every event has its output and is settled", async || {
        broker.outputs().await.len() == events.len() && broker.all_settled().await
    })
    .await;
    assert!(broker.outputs().await.values().all(|count| *count == 1));
    assert_eq!(journal.handled(), events.len());
    let entries = quarantined(&broker.bus().await).await;
    assert!(entries.is_empty(), "{entries:?}");
}
