//! What cannot be handled is set aside with its reason, and nothing else suffers.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use bus::{Bus, Published, QuarantineFilter};
use e2e_tests::{
    Broker, Journal, Replica, Tested, build, encoded, eventually, publish_all, quarantined, seconds,
};
use events::{BuildCompleted, Envelope, Quarantined};
use serde_json::json;
use worker::HandleError;

#[tokio::test(flavor = "multi_thread")]
async fn malformed_events_are_set_aside_by_reason_and_the_event_behind_is_handled() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let subject = |run: &str| build(run).subject();
    let changed = |run: &str, change: fn(&mut serde_json::Value)| {
        let mut value = serde_json::to_value(build(run)).unwrap();
        change(&mut value);
        serde_json::to_vec(&value).unwrap()
    };
    broker.inject(&subject("garbage"), "{\"specversion\":").await;
    let incomplete = changed("incomplete", |it| {
        it["data"].as_object_mut().unwrap().remove("artifacts");
    });
    broker.inject(&subject("incomplete"), incomplete).await;
    broker.inject(&subject("elsewhere"), encoded(&build("astray"))).await;
    let claimed = changed("claimed", |it| it["data"]["run"] = json!("another"));
    broker.inject(&subject("claimed"), claimed).await;
    let unknown = changed("unknown", |it| it["type"] = json!("attestry.v9.build.completed"));
    broker.inject(&subject("unknown"), unknown).await;
    let good = build("good");
    bus.publish(&good, None).await.unwrap();

    let journal = Journal::default();
    let replica = Replica::start(&broker, Tested::obliging(&journal), 1, 10).await;
    eventually(seconds(5), "all settled", async || broker.all_settled().await).await;

    let found: Vec<_> = quarantined(&bus).await.into_iter().map(essentials).collect();
    let expected = [
        ("event-not-json", "garbage"),
        ("event-invalid", "incomplete"),
        ("event-subject-mismatch", "elsewhere"),
        ("event-foreign-id", "claimed"),
        ("event-unknown-type", "unknown"),
    ];
    let expected = expected.into_iter().zip(1..).map(|((reason, run), sequence)| {
        let position = format!("ATTESTRY_BUILD_COMPLETED-{sequence}");
        (reason.to_owned(), "tested".to_owned(), 1, subject(run), position)
    });
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert_eq!(journal.begun(), [good.id], "the handler sees none of them");
    let depth = bus.quarantine_depth("tested").await.unwrap();
    assert_eq!(depth.values().sum::<u64>(), 5);
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn event_as_large_as_the_broker_takes_can_be_set_aside_and_replayed() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("large");
    let garbage = vec![b'x'; (1 << 20) - 64];
    broker.inject(&event.subject(), garbage.clone()).await;
    let journal = Journal::default();
    let replica = Replica::start(&broker, Tested::obliging(&journal), 1, 1).await;

    eventually(seconds(5), "set aside", async || quarantined(&bus).await.len() == 1).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    replica.stop().await;
    let entries = bus.quarantined(&QuarantineFilter::default()).await.unwrap();
    let (entry, seen) = &entries[0];
    assert_eq!((entry.reason.as_str(), entry.bytes), ("event-not-json", garbage.len()));
    bus.replay(entry, seen).await.unwrap();
    let stream = broker.raw().await.get_stream("ATTESTRY_BUILD_COMPLETED").await.unwrap();
    let replayed = stream.direct_get_last_for_subject(event.subject()).await.unwrap();
    assert_eq!((replayed.sequence, replayed.payload.len()), (2, garbage.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn panic_is_set_aside_and_the_worker_goes_on() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let (bad, good) = (build("bad"), build("good"));
    let journal = Journal::default();
    let handler = Tested::new(&journal, async |call| {
        assert_ne!(call.event.data.run.as_str(), "bad", "as the test wants it");
        Ok(())
    });
    let replica = Replica::start(&broker, handler, 1, 10).await;

    publish_all(&bus, std::slice::from_ref(&bad)).await;
    eventually(seconds(5), "set aside", async || quarantined(&bus).await.len() == 1).await;
    publish_all(&bus, std::slice::from_ref(&good)).await;
    eventually(seconds(5), "handled", async || journal.effects() == [good.id]).await;
    assert!(replica.is_running());
    assert_eq!(journal.runs(bad.id), 1);
    let entry = &quarantined(&bus).await[0];
    assert_eq!((entry.reason.as_str(), entry.attempts), ("handler-panicked", 1));
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn permanent_failure_is_set_aside_after_one_run() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    bus.publish(&event, None).await.unwrap();
    let journal = Journal::default();
    let handler = Tested::new(&journal, async |_| Err(rotten()));
    let replica = Replica::start(&broker, handler, 1, 10).await;

    eventually(seconds(5), "set aside", async || quarantined(&bus).await.len() == 1).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    let entry = &quarantined(&bus).await[0];
    assert_eq!((entry.reason.as_str(), entry.detail.as_str()), ("lockfile-rotten", "it smells"));
    assert_eq!((journal.runs(event.id), entry.attempts), (1, 1));
    assert!(broker.outputs().await.is_empty());
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replay_by_id_and_by_reason_handles_the_same_event() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let mended = Arc::new(AtomicBool::new(false));
    let journal = Journal::default();
    let is_mended = mended.clone();
    let handler = Tested::new(&journal, move |call| {
        let failure = match call.event.data.run.as_str() {
            _ if is_mended.load(Ordering::Relaxed) => Ok(()),
            "rotten" => Err(rotten()),
            _ => Err(HandleError::permanent("lockfile-stale", "it is old")),
        };
        async { failure }
    });
    let replica = Replica::start(&broker, handler, 1, 10).await;
    let (rotten, stale) = (build("rotten"), build("stale"));
    publish_all(&bus, &[rotten.clone(), stale.clone()]).await;
    eventually(seconds(5), "set aside", async || quarantined(&bus).await.len() == 2).await;

    mended.store(true, Ordering::Relaxed);
    let id = quarantined(&bus).await.iter().find(|it| it.reason == "lockfile-rotten").unwrap().id;
    replay(&bus, QuarantineFilter { id: Some(id), ..Default::default() }).await;
    eventually(seconds(5), "by id", async || journal.effects() == [rotten.id]).await;
    let reason = Some("lockfile-stale".to_owned());
    replay(&bus, QuarantineFilter { reason, ..Default::default() }).await;
    eventually(seconds(5), "by reason", async || journal.effects() == [rotten.id, stale.id]).await;

    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    assert!(quarantined(&bus).await.is_empty());
    assert_eq!(broker.outputs().await.into_values().collect::<Vec<_>>(), [1, 1]);
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn replayed_event_that_was_handled_before_changes_nothing() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let event = build("run-1");
    let journal = Journal::default();
    let replica = Replica::start(&broker, Tested::obliging(&journal), 1, 10).await;
    bus.publish(&event, None).await.unwrap();
    eventually(seconds(5), "handled", async || broker.outputs().await.len() == 1).await;

    // The same bytes under another message id: what a replay is to the broker.
    broker.inject(&event.subject(), encoded(&event)).await;
    eventually(seconds(5), "handled again", async || journal.runs(event.id) == 2).await;
    eventually(seconds(5), "settled", async || broker.all_settled().await).await;
    assert_eq!(broker.outputs().await.into_values().collect::<Vec<_>>(), [1]);
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_entry_is_gone_and_its_event_stays_settled() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let events: [Envelope<BuildCompleted>; 2] = [build("run-1"), build("run-2")];
    publish_all(&bus, &events).await;
    let journal = Journal::default();
    let handler = Tested::new(&journal, async |_| Err(rotten()));
    let replica = Replica::start(&broker, handler, 1, 10).await;
    eventually(seconds(5), "set aside", async || quarantined(&bus).await.len() == 2).await;

    let entries = quarantined(&bus).await;
    bus.drop_quarantined(&entries[0]).await.unwrap();
    let left: Vec<u64> = quarantined(&bus).await.iter().map(|it| it.id).collect();
    assert_eq!(left, [entries[1].id]);
    assert!(bus.drop_quarantined(&entries[0]).await.is_err(), "it says so when there is none");
    assert_eq!(bus.publish(&events[0], None).await.unwrap(), Published::AlreadyThere);
    replica.stop().await;
    assert_eq!(journal.begun().len(), 2);
}

fn rotten() -> HandleError {
    HandleError::permanent("lockfile-rotten", "it smells")
}

fn essentials(entry: Quarantined) -> (String, String, u32, String, String) {
    (entry.reason, entry.worker, entry.attempts, entry.subject, entry.position)
}

async fn replay(bus: &Bus, filter: QuarantineFilter) {
    let entries = bus.quarantined(&filter).await.unwrap();
    assert_eq!(entries.len(), 1);
    bus.replay(&entries[0].0, &entries[0].1).await.unwrap();
}
