//! A stream without room means waiting, not loss.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use async_nats::jetstream::stream::Config;
use bus::{Bus, BusError};
use e2e_tests::{
    Broker, Journal, Replica, Stream, Tested, builds, eventually, publish_all, quarantined, seconds,
};
use events::{BuildCompleted, Envelope};

#[tokio::test(flavor = "multi_thread")]
async fn full_stream_refuses_events_and_takes_them_once_there_is_room() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    set_room(&broker, Stream::Builds, 8 * 1024).await;
    let events = builds(40);

    let refused = refused(&bus, &events).await;
    assert!((20..40).contains(&refused.len()), "{} refused", refused.len());
    bus.set_up().await.expect("limits belong to the operator");
    let kept = broker.subjects(Stream::Builds).await;
    assert_eq!(kept.len() + refused.len(), 40, "what was accepted is still there");

    set_room(&broker, Stream::Builds, 1024 * 1024).await;
    publish_all(&bus, &refused).await;
    let kept = broker.subjects(Stream::Builds).await;
    assert_eq!(kept.len(), 40);
    assert!(kept.values().all(|count| *count == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_waits_for_room_downstream_and_no_event_pays_for_it() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    set_room(&broker, Stream::Evidence, 4 * 1024).await;
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

    set_room(&broker, Stream::Evidence, 1024 * 1024).await;
    eventually(seconds(15), "settled", async || {
        broker.outputs().await.len() == 30 && broker.all_settled().await
    })
    .await;
    assert_eq!(journal.begun().len(), 30, "nothing was handled twice");
    assert!(quarantined(&bus).await.is_empty());
    replica.stop().await;
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

/// Lets `stream` keep at most `bytes`, as an operator would.
async fn set_room(broker: &Broker, stream: Stream, bytes: i64) {
    let raw = broker.raw().await;
    let found = raw.get_stream(stream.name()).await.unwrap();
    let config = Config { max_bytes: bytes, ..found.cached_info().config.clone() };
    raw.update_stream(&config).await.unwrap();
}
