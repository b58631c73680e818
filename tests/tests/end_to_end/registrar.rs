//! The registrar keeps the books whatever dies, and tells what nobody can account for.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::path::PathBuf;

use archive::Archive;
use bus::Bus;
use e2e_tests::{Broker, build, builds, eventually, publish_all, seconds};
use events::{BuildCompleted, Digest, Priority};
use registrar::{
    Registrar, RegistrarArgs,
    queries::{Answer, EXPLAIN, ExplainQuery, RECONCILE, Reconciled, Subject},
};
use registry::{Explanation, View, journal, story::State};
use serde::{Serialize, de::DeserializeOwned};
use tempfile::TempDir;
use tokio::{sync::oneshot, task::JoinHandle};
use worker::Health;

/// A place for one registry and its archive.
struct Place {
    broker: Broker,
    bus: Bus,
    area: TempDir,
}

/// A registrar that runs.
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
    health: Health,
}

impl Place {
    async fn new() -> Self {
        let broker = Broker::start().await;
        let bus = broker.bus().await;
        Self { broker, bus, area: tempfile::tempdir().unwrap() }
    }

    fn registry(&self) -> PathBuf {
        self.area.path().join("registry/registry.db")
    }

    fn archive(&self) -> Archive {
        Archive::open(self.area.path().join("archive").to_str().unwrap()).unwrap()
    }

    async fn start(&self) -> Running {
        let args =
            RegistrarArgs { registry: self.registry(), seal_after: 1, ..RegistrarArgs::default() };
        let registrar = Registrar::new(self.archive(), args);
        let (bus, health) = (self.broker.bus().await, Health::default());
        let (stop, stopped) = oneshot::channel();
        let ready = health.clone();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            registrar.run(stopped, &bus, &ready).await.unwrap();
        });
        Running { stop, task, health }
    }

    async fn ask<T: DeserializeOwned>(&self, topic: &str, question: &impl Serialize) -> Option<T> {
        let question = serde_json::to_vec(question).unwrap();
        let answer = self.bus.ask(topic, question.into(), seconds(10)).await.ok()?;
        match serde_json::from_slice(&answer).unwrap() {
            Answer::Known(answer) => Some(answer),
            Answer::Error(_) => None,
        }
    }

    async fn reconciled(&self) -> Option<Reconciled> {
        self.ask(RECONCILE, &()).await
    }

    async fn until_entered(&self, builds: u64) {
        eventually(seconds(20), "recorded", async || {
            self.reconciled().await.is_some_and(|it| it.reconciliation.builds.entered == builds)
        })
        .await;
    }

    fn dump(&self) -> Digest {
        View::open(&self.registry()).unwrap().dump(&mut std::io::sink()).unwrap()
    }
}

impl Running {
    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }

    /// As a crash would.
    async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_a_worker_swallowed_is_named_and_one_in_hand_is_not() {
    let place = Place::new().await;
    let running = place.start().await;
    let (swallowed, in_hand) = (build("swallowed"), build("in-hand"));
    place.bus.publish(&swallowed, None).await.unwrap();
    place.bus.publish(&in_hand, None).await.unwrap();
    let lane = place.bus.lane::<BuildCompleted>("generator", &[], Priority::Pr, 2);
    let mut lane = lane.await.unwrap();
    let first = lane.next().await.unwrap().take();
    let _second = lane.next().await.unwrap().take();

    first.acknowledge().await.unwrap();

    eventually(seconds(10), "noticed", async || {
        place.reconciled().await.is_some_and(|it| it.reconciliation.unaccounted_events > 0)
    })
    .await;
    let found = place.reconciled().await.unwrap().reconciliation;
    assert_eq!(found.unaccounted_events, 1);
    assert_eq!(found.unaccounted[0].event, Some(swallowed.id));
    assert_eq!(
        found.unaccounted[0].last_seen,
        "acknowledged by generator at ATTESTRY_BUILD_COMPLETED-1; no evidence.ready followed"
    );
    assert_eq!((found.builds.unaccounted, found.builds.in_progress), (1, 1));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn story_is_told_by_digest_and_by_id_and_as_it_was_known() {
    let place = Place::new().await;
    let running = place.start().await;
    let build = build("told");
    place.bus.publish(&build, None).await.unwrap();
    place.until_entered(1).await;

    let explain = async |of, as_of| {
        place.ask::<Explanation>(EXPLAIN, &ExplainQuery { of, as_of }).await.unwrap()
    };
    let artifact = build.data.artifacts.iter().next().unwrap().digest;
    let told = explain(Subject::Digest(artifact), None).await;
    assert_eq!(told.builds[0].correlation, build.id);
    assert_eq!(told.builds[0].state, State::InProgress);
    let by_id = explain(Subject::Id(build.id), None).await;
    assert_eq!(by_id.builds, told.builds);
    let before = told.builds[0].events[0].known_at - jiff::SignedDuration::from_micros(1);
    assert!(explain(Subject::Digest(artifact), Some(before)).await.builds.is_empty());
    assert!(explain(Subject::Digest(Digest::of(b"nobody")), None).await.builds.is_empty());
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registrar_that_stands_by_takes_over() {
    let place = Place::new().await;
    let first = place.start().await;
    publish_all(&place.bus, &builds(50)).await;
    place.until_entered(50).await;
    let second = place.start().await;
    eventually(seconds(10), "stands by", async || second.health.problems().is_empty()).await;

    first.kill().await;
    publish_all(&place.bus, &builds(100)[50..]).await;
    place.until_entered(100).await;
    second.stop().await;
    let checked = journal::check(&place.archive()).await.unwrap();
    assert_eq!((checked.records, checked.problems), (100, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_that_was_killed_often_is_what_the_archive_alone_makes() {
    let place = Place::new().await;
    let all = builds(400);
    for part in all.chunks(100) {
        let running = place.start().await;
        publish_all(&place.bus, part).await;
        running.kill().await;
    }
    let running = place.start().await;
    place.until_entered(400).await;
    running.stop().await;

    let rebuilt = place.area.path().join("rebuilt.db");
    let rebuilt = journal::rebuild(&place.archive(), &rebuilt).await.unwrap();
    assert_eq!(rebuilt.records, 400);
    assert_eq!(rebuilt.dump, place.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn registry_that_was_lost_comes_back_from_archive_and_streams() {
    let place = Place::new().await;
    let running = place.start().await;
    publish_all(&place.bus, &builds(50)).await;
    place.until_entered(50).await;
    running.stop().await;
    let before = place.dump();
    std::fs::remove_dir_all(place.registry().parent().unwrap()).unwrap();

    let running = place.start().await;
    place.until_entered(50).await;
    publish_all(&place.bus, &builds(60)[50..]).await;
    place.until_entered(60).await;
    running.stop().await;
    let checked = journal::check(&place.archive()).await.unwrap();
    assert_eq!((checked.records, checked.problems), (60, vec![]));
    assert_ne!(before, place.dump());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_wait_for_an_archive_that_is_away() {
    let place = Place::new().await;
    let running = place.start().await;
    place.until_entered(0).await;
    let (archive, away) = (place.area.path().join("archive"), place.area.path().join("away"));
    std::fs::rename(&archive, &away).unwrap();
    std::fs::write(&archive, "no directory").unwrap();
    publish_all(&place.bus, &builds(10)).await;
    place.until_entered(10).await;
    eventually(seconds(10), "says so", async || {
        running.health.problems().iter().any(|it| it.contains("archive"))
    })
    .await;

    std::fs::remove_file(&archive).unwrap();
    std::fs::rename(&away, &archive).unwrap();
    eventually(seconds(10), "sealed", async || {
        journal::check(&place.archive()).await.is_ok_and(|it| it.records == 10)
    })
    .await;
    eventually(seconds(5), "well again", async || running.health.problems().is_empty()).await;
    running.stop().await;
}
