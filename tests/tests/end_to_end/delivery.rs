//! An event is handled, its consequence stored once, and only then acknowledged.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use async_nats::jetstream::consumer::PullConsumer;
use bus::{BusError, Delivery, Lane, Published};
use e2e_tests::{Broker, Journal, Replica, Stream, Tested, build, encoded, eventually, seconds};
use events::{BuildCompleted, Envelope, EvidenceReady, Priority, Producer};

#[tokio::test(flavor = "multi_thread")]
async fn handled_event_is_published_once_and_acknowledged() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    let journal = Journal::default();
    let replica = Replica::start(&broker, Tested::obliging(&journal), 4, 10).await;

    assert_eq!(bus.publish(&event, None).await.unwrap(), Published::Stored);
    let found =
        bus.wait_for::<EvidenceReady>(&event.scope, Some(Producer::Generator), event.correlation);
    let output = tokio::time::timeout(seconds(5), found).await.unwrap().unwrap().unwrap();

    assert_eq!((output.cause, output.correlation), (Some(event.id), event.id));
    assert_eq!(output.source.as_str(), "/attestry/tested");
    assert!(output.id_is_derived());
    eventually(seconds(5), "acknowledged", async || broker.all_settled().await).await;
    replica.stop().await;
    assert_eq!(journal.effects(), [event.id]);
    assert_eq!(broker.outputs().await, [(output.subject(), 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn event_published_twice_is_stored_once_under_its_id() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");

    assert_eq!(bus.publish(&event, None).await.unwrap(), Published::Stored);
    assert_eq!(bus.publish(&event, None).await.unwrap(), Published::AlreadyThere);
    assert_eq!(broker.subjects(Stream::Builds).await, [(event.subject(), 1)].into());

    let stream = broker.raw().await.get_stream(Stream::Builds.name()).await.unwrap();
    let stored = stream.direct_get_last_for_subject(event.subject()).await.unwrap();
    assert_eq!(stored.headers.get("Nats-Msg-Id").unwrap().as_str(), event.id.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicate_is_recognised_after_a_broker_crash() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    bus.publish(&event, None).await.unwrap();

    broker.crash().await;
    bus.until_connected().await;
    let mut again = Err(None);
    eventually(seconds(10), "the broker answers", async || {
        again = bus.publish(&event, None).await.map_err(Some);
        again.is_ok()
    })
    .await;

    assert_eq!(again.unwrap(), Published::AlreadyThere);
    assert_eq!(broker.subjects(Stream::Builds).await, [(event.subject(), 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn duplicate_is_recognised_when_its_message_id_is_forgotten() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    // Stored without a message id: what remains when the broker's window has passed.
    broker.inject(&event.subject(), encoded(&event)).await;

    assert_eq!(bus.publish(&event, None).await.unwrap(), Published::AlreadyThere);
    assert_eq!(broker.subjects(Stream::Builds).await, [(event.subject(), 1)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgement_that_no_broker_heard_is_not_believed() {
    let mut broker = Broker::start().await;
    let (_, _lane, delivery) = in_hand(&broker).await;
    broker.server.kill();

    let error = delivery.acknowledge().await.unwrap_err();
    assert!(matches!(error, BusError::Away { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledgement_that_no_consumer_heard_is_not_believed() {
    let broker = Broker::start().await;
    let (_, _lane, delivery) = in_hand(&broker).await;
    let stream = broker.raw().await.get_stream(Stream::Builds.name()).await.unwrap();
    let consumer: PullConsumer = stream.get_consumer("direct-pr").await.unwrap();
    stream.delete_consumer(&consumer.cached_info().name).await.unwrap();

    delivery.acknowledge().await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_event_does_not_come_back_after_the_ack_wait() {
    let broker = Broker::start().await;
    let (_, mut lane, delivery) = in_hand(&broker).await;
    delivery.acknowledge().await.unwrap();
    drop(delivery);

    let again = tokio::time::timeout(seconds(12), lane.next()).await;
    assert!(again.is_err(), "it was delivered again");
}

async fn in_hand(broker: &Broker) -> (Envelope<BuildCompleted>, Lane, Delivery) {
    let event = build("run-1");
    broker.bus().await.publish(&event, None).await.unwrap();
    let mut lane = lane(broker).await;
    let delivery = lane.next().await.unwrap().take();
    (event, lane, delivery)
}

async fn lane(broker: &Broker) -> Lane {
    broker.bus().await.lane::<BuildCompleted>("direct", &[], Priority::Pr, 1).await.unwrap()
}
