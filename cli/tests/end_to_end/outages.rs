//! Something goes away while the pipeline runs, and comes back.

use std::fs;

use crate::place::{LOCK, Place, wait_until};

const ARCHIVE: &str = "data/artifacts/supply-chain";

#[test]
fn lost_archive_pauses_the_workers_and_the_verdict_arrives_when_it_is_back() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    fs::rename(place.path(ARCHIVE), place.path("moved")).expect("moved away");
    fs::write(place.path(ARCHIVE), "a file where the archive was").expect("written");

    place.attestry("build submit --source app --artifact app.whl").expect(0);
    wait_until("/ready tells of the archive", || {
        let (status, body) = up.get("/ready");
        status == 503 && body.contains("generator: archive is away")
    });
    place
        .attestry("build submit --source app --artifact app.whl --wait=1s")
        .expect(3)
        .says(&["still pending"]);
    assert_eq!(up.get("/live").0, 200);

    fs::remove_file(place.path(ARCHIVE)).expect("removed");
    fs::rename(place.path("moved"), place.path(ARCHIVE)).expect("moved back");

    place.submit("").expect(0).says(&["PASSED"]);
    wait_until("/ready says ready", || up.get("/ready").0 == 200);
    place.attestry("quarantine list").expect(0).says(&["Nothing"]);
}

#[test]
fn release_directory_that_cannot_be_written_is_named() {
    let place = Place::with_lock(LOCK);
    place.write("out", "a file");
    let _up = place.up();

    place.submit("--out out").expect(2).says(&["--out out/"]);
}

#[test]
fn broker_that_was_killed_with_its_pipeline_leaves_an_address_that_says_so() {
    let place = Place::with_lock(LOCK);
    place.up().kill();

    place
        .attestry("doctor")
        .expect(3)
        .says(&["nothing answers at nats://127.0.0.1:", "attestry up"]);
}

#[test]
fn lost_broker_is_told_and_the_verdict_arrives_when_it_is_back() {
    let place = Place::with_lock(LOCK);
    let search = broker::Search::new(broker::default_cache_dir().expect("a home"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let mut server = runtime.block_on(async {
        let binary = broker::find_or_fetch(&search).await.expect("a nats-server");
        let options = broker::Options::new(place.path("broker"));
        broker::Server::start(&binary, options).await.expect("starts")
    });
    let url = server.url();
    let up = place.up_on(&url);
    place.submit(&format!("--nats-url {url}")).expect(0);

    server.kill();
    let said = place.attestry(&format!("doctor --nats-url {url}")).expect(3);
    said.says(&["nothing answers at nats://127.0.0.1:", "attestry up"]);
    assert_eq!(up.get("/live").0, 200);
    runtime.block_on(server.restart()).expect("starts again");

    place.write("app.whl", "the bytes of another wheel");
    place.submit(&format!("--nats-url {url}")).expect(0).says(&["PASSED"]);
    up.terminate();
}
