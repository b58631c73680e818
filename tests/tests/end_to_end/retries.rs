//! What fails is tried again, counted, and in the end set aside.

use e2e_tests::{Broker, Journal, Replica, Tested, build, eventually, quarantined, seconds};
use worker::HandleError;

#[tokio::test(flavor = "multi_thread")]
async fn transient_failure_is_retried_until_it_succeeds() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    bus.publish(&event, None).await.unwrap();
    let journal = Journal::default();
    let handler = Tested::new(&journal, async |call| match call.run {
        1 | 2 => Err(HandleError::transient("not yet")),
        _ => Ok(()),
    });
    let replica = Replica::start(&broker, handler, 1, 3).await;

    eventually(seconds(8), "handled", async || broker.outputs().await.len() == 1).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    assert_eq!((journal.runs(event.id), journal.effects().len()), (3, 1));
    assert!(quarantined(&bus).await.is_empty());
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_always_fails_is_set_aside_after_exactly_max_attempts() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    bus.publish(&event, None).await.unwrap();
    let journal = Journal::default();
    let handler = Tested::new(&journal, async |call| {
        Err(HandleError::transient(format!("attempt {} found no disk", call.run)))
    });
    let replica = Replica::start(&broker, handler, 1, 3).await;

    eventually(seconds(10), "set aside", async || quarantined(&bus).await.len() == 1).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    let entry = &quarantined(&bus).await[0];
    assert_eq!((entry.reason.as_str(), entry.attempts), ("attempts-exhausted", 3));
    assert_eq!(entry.detail, "3 attempts failed; the last one: attempt 3 found no disk");
    assert_eq!(journal.runs(event.id), 3);
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_still_counted_after_worker_and_broker_restart() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    bus.publish(&event, None).await.unwrap();
    let journal = Journal::default();
    let failing = || Tested::new(&journal, async |_| Err(HandleError::transient("still no disk")));

    let first = Replica::start(&broker, failing(), 1, 3).await;
    eventually(seconds(5), "failed once", async || broker.failed_attempts().await == 1).await;
    first.stop().await;
    let before = journal.runs(event.id);
    broker.crash().await;

    let second = Replica::start(&broker, failing(), 1, 3).await;
    eventually(seconds(25), "set aside", async || quarantined(&bus).await.len() == 1).await;
    assert_eq!(quarantined(&bus).await[0].attempts, 3);
    assert_eq!((before, journal.runs(event.id)), (1, 3));
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_event_does_not_hold_up_the_ones_behind_it() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let events = e2e_tests::builds(20);
    let stubborn = events[0].id;
    e2e_tests::publish_all(&bus, &events).await;
    let journal = Journal::default();
    let handler = Tested::new(&journal, move |call| async move {
        if call.event.id == stubborn { Err(HandleError::transient("never")) } else { Ok(()) }
    });
    let replica = Replica::start(&broker, handler, 1, 10).await;

    eventually(seconds(3), "the others", async || journal.effects().len() == 19).await;
    replica.stop().await;
}
