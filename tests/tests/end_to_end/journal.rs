//! Whoever keeps the books reads every stream in order, from where it left off.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::BTreeMap;

use bus::{Bus, BusError, Journal, Mark};
use e2e_tests::{
    Broker, Journal as Runs, Replica, Tested, builds, eventually, publish_all, seconds,
};
use events::{Ended, Quarantined, Record};

/// Reads until `count` records came.
async fn read(journal: &mut Journal, count: usize) -> Vec<Record> {
    let mut records = Vec::new();
    let all = async {
        while records.len() < count {
            records.extend(journal.next(100).await.unwrap());
        }
    };
    let ended = tokio::time::timeout(seconds(30), all).await;
    assert!(ended.is_ok(), "{} of {count} records within 30 s", records.len());
    records
}

fn numbers(records: &[Record], stream: &str) -> Vec<u64> {
    records.iter().filter(|it| it.stream == stream).map(|it| it.sequence).collect()
}

fn marks(records: &[Record]) -> BTreeMap<String, Mark> {
    records.iter().map(|it| (it.stream.clone(), (it.sequence, it.stored_at))).collect()
}

const BUILDS: &str = "ATTESTRY_BUILD_COMPLETED";

#[tokio::test(flavor = "multi_thread")]
async fn journal_goes_on_where_its_reader_left_off_whatever_the_broker_does() {
    let mut broker = Broker::start().await;
    let bus = broker.bus().await;
    let events = builds(600);
    publish_all(&bus, &events[..200]).await;

    let mut journal = bus.journal(&BTreeMap::new());
    let first = read(&mut journal, 200).await;
    assert_eq!(numbers(&first, BUILDS), (1..=200).collect::<Vec<_>>());
    broker.crash().await;
    publish_all(&bus, &events[200..400]).await;
    let second = read(&mut journal, 200).await;
    assert_eq!(numbers(&second, BUILDS), (201..=400).collect::<Vec<_>>(), "over a crash");

    drop(journal);
    publish_all(&bus, &events[400..]).await;
    let mut journal = bus.journal(&marks(&second));
    let third = read(&mut journal, 200).await;
    assert_eq!(numbers(&third, BUILDS), (401..=600).collect::<Vec<_>>(), "from a mark on");
    let subjects: Vec<_> = third.iter().map(|it| it.subject.clone()).collect();
    assert!(events[400..].iter().all(|event| subjects.contains(&event.subject())));
}

#[tokio::test(flavor = "multi_thread")]
async fn journal_says_how_an_entry_left_the_quarantine() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    let runs = Runs::default();
    let replica = Replica::start(&broker, Tested::obliging(&runs), 1, 1).await;
    broker.inject(&builds(1)[0].subject(), "garbage").await;
    eventually(seconds(5), "set aside", async || !entries(&bus).await.is_empty()).await;

    let (entry, _) = entries(&bus).await.remove(0);
    bus.drop_quarantined(&entry).await.unwrap();
    assert!(entries(&bus).await.is_empty());

    let mut journal = bus.journal(&BTreeMap::new());
    let records = read(&mut journal, 2).await;
    let ended = records.iter().find_map(Quarantined::read_ended);
    assert_eq!(ended, Some((entry, Ended::Dropped)), "although the entry itself is gone");
    replica.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stream_that_was_made_anew_is_refused_by_name() {
    let broker = Broker::start().await;
    let bus = broker.bus().await;
    publish_all(&bus, &builds(3)).await;
    let known = marks(&read(&mut bus.journal(&BTreeMap::new()), 3).await);

    broker.raw().await.delete_stream(BUILDS).await.unwrap();
    bus.set_up().await.unwrap();
    let shorter = bus.journal(&known).next(10).await;
    publish_all(&bus, &builds(3)).await;
    let other = bus.journal(&known).next(10).await;

    for refused in [shorter, other] {
        let Err(BusError::Refused { reason, .. }) = refused else { panic!("{refused:?}") };
        assert!(reason.contains("ATTESTRY_BUILD_COMPLETED-3"), "{reason}");
        assert!(reason.contains("docs/operations.md"), "{reason}");
    }
}

async fn entries(bus: &Bus) -> Vec<(Quarantined, Record)> {
    bus.quarantined(&bus::QuarantineFilter::default()).await.unwrap()
}
