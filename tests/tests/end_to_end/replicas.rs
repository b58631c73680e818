//! Several copies of a worker share its events, and leave none behind.

use std::sync::Arc;

use e2e_tests::{
    Broker, Journal, LaneState, Replica, Tested, build, builds, eventually, publish_all,
    quarantined, seconds,
};
use events::Priority;
use tokio::sync::Semaphore;

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_handle_every_event_once() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let (left, right) = (Journal::default(), Journal::default());
    let replicas = [
        Replica::start(&broker, Tested::obliging(&left), 4, 1).await,
        Replica::start(&broker, Tested::obliging(&right), 4, 1).await,
    ];
    let events = builds(200);
    publish_all(&bus, &events).await;
    eventually(seconds(20), "settled", async || {
        broker.outputs().await.len() == events.len() && broker.all_settled().await
    })
    .await;

    assert!(broker.outputs().await.values().all(|count| *count == 1));
    let mut handled = [left.effects(), right.effects()].concat();
    handled.sort_unstable();
    let mut expected: Vec<_> = events.iter().map(|event| event.id).collect();
    expected.sort_unstable();
    assert_eq!(handled, expected);
    assert!(!left.effects().is_empty() && !right.effects().is_empty(), "both had a share");
    for replica in replicas {
        replica.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_longer_than_the_ack_wait_is_not_given_to_anybody_else() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("slow");
    let journal = Journal::default();
    let slow = || {
        Tested::new(&journal, async |_| {
            tokio::time::sleep(seconds(13)).await;
            Ok(())
        })
    };
    let replicas =
        [Replica::start(&broker, slow(), 1, 1).await, Replica::start(&broker, slow(), 1, 1).await];
    bus.publish(&event, None).await.unwrap();

    eventually(seconds(18), "handled", async || broker.outputs().await.len() == 1).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    assert_eq!(journal.begun(), [event.id]);
    for replica in replicas {
        replica.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_takes_no_more_than_it_can_begin() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    publish_all(&bus, &builds(100)).await;
    let stuck = Stuck::default();
    let replica = Replica::start(&broker, stuck.handler(), 3, 10).await;

    eventually(seconds(5), "three begun", async || stuck.journal.begun().len() == 3).await;
    // Three in hand, and one that waits in the lane.
    let expected = Some(LaneState { pending: 96, in_hand: 4 });
    eventually(seconds(1), "one waits", async || broker.lane(Priority::Pr).await == expected).await;
    stuck.release();
    eventually(seconds(10), "settled", async || broker.all_settled().await).await;
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replica_that_is_stuck_strands_nothing() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let stuck = Stuck::default();
    let slow = Replica::start(&broker, stuck.handler(), 1, 10).await;
    publish_all(&bus, &builds(50)).await;
    eventually(seconds(5), "stuck", async || stuck.journal.begun().len() == 1).await;

    let journal = Journal::default();
    let quick = Replica::start(&broker, Tested::obliging(&journal), 1, 10).await;
    eventually(seconds(6), "the rest", async || journal.handled() == 49).await;
    assert_eq!(stuck.journal.begun().len(), 1);
    stuck.release();
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    slow.stop().await;
    quick.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_worker_ends_what_it_began_and_gives_back_the_rest() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let events = builds(10);
    publish_all(&bus, &events).await;
    let stuck = Stuck::default();
    let stopping = Replica::start(&broker, stuck.handler(), 3, 1).await;
    eventually(seconds(5), "three begun", async || stuck.journal.begun().len() == 3).await;

    let stopped = stopping.ask_to_stop();
    let journal = Journal::default();
    let other = Replica::start(&broker, Tested::obliging(&journal), 3, 1).await;
    eventually(seconds(3), "the others", async || journal.handled() == 7).await;
    assert!(!stopped.is_finished(), "it waits for what it has in hand");

    stuck.release();
    stopped.await.unwrap().unwrap();
    assert_eq!(stuck.journal.effects().len(), 3);
    eventually(seconds(3), "settled", async || broker.all_settled().await).await;
    other.stop().await;
    assert_eq!((journal.effects().len(), broker.outputs().await.len()), (7, 10));
    assert!(quarantined(&bus).await.is_empty());
}

/// A handler that ends nothing before it is released.
struct Stuck {
    journal: Journal,
    gate: Arc<Semaphore>,
}

impl Default for Stuck {
    fn default() -> Self {
        Self { journal: Journal::default(), gate: Arc::new(Semaphore::new(0)) }
    }
}

impl Stuck {
    fn handler(&self) -> Tested {
        let gate = self.gate.clone();
        Tested::new(&self.journal, move |_| {
            let gate = gate.clone();
            async move {
                drop(gate.acquire().await);
                Ok(())
            }
        })
    }

    fn release(&self) {
        self.gate.add_permits(1);
    }
}
