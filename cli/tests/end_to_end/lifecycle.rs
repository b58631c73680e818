//! `attestry up`: starts, refuses to start, stops, and comes back from a crash.

use std::{fs, os::unix::fs::PermissionsExt, thread, time::Duration};

use crate::place::{LOCK, Place, lives, wait_until};

const HOTPASS_LOCK: &str =
    include_str!("../../../shared/documents/fixtures/lockfiles/hotpass.uv.lock");

#[test]
fn terminated_pipeline_stops_soon_and_takes_its_broker_along() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    place.submit("").expect(0);
    assert_eq!(up.get("/ready"), (200, "ready\n".to_owned()));
    assert_eq!(up.get("/live").0, 200);
    let (status, metrics) = up.get("/metrics");
    assert_eq!(status, 200);
    for worker in ["generator", "signer", "policy-gate"] {
        let handled = format!("outcome=\"handled\",worker=\"{worker}\"");
        assert!(metrics.contains(&handled), "no {handled} in {metrics}");
    }
    let broker = place.read("data/nats/nats-server.pid");
    assert!(lives(&broker));

    let (code, took) = up.terminate();

    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(!lives(&broker), "nats-server {broker} was left behind");
}

#[test]
fn second_pipeline_on_the_same_data_is_refused_and_harms_nothing() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    place.submit("--out first").expect(0);

    let second = place.attestry("up --nats-port 0 --metrics 127.0.0.1:0").expect(2);
    second.says(&["is in use by another", "choose another --data"]);

    place.submit("--out second --key data/keys/signer.pub").expect(0);
}

#[test]
fn development_key_is_private_and_outlives_a_restart() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    let key = fs::metadata(place.path("data/keys/development-key.pem")).expect("there");
    assert_eq!(key.permissions().mode() & 0o777, 0o600);
    let public = place.read("data/keys/signer.pub");
    place.submit("--out first").expect(0);
    up.terminate();

    let _up = place.up();

    assert_eq!(place.read("data/keys/signer.pub"), public);
    place.submit("--out second").expect(0);
    let bundle = "bundles/verdict.sigstore.json";
    let [first, second] = ["first", "second"].map(|it| place.read(&format!("{it}/{bundle}")));
    assert_eq!(first, second, "the verdict was made before the restart");
}

#[test]
fn exposed_key_is_refused_with_the_remedy() {
    let place = Place::new();
    let key = attestation::SigningKey::generate().expect("a key").to_pem();
    let path = place.write("key.pem", key.as_str());
    fs::set_permissions(path, PermissionsExt::from_mode(0o644)).expect("changed");

    let said = place.attestry("up --signing-key key.pem --metrics 127.0.0.1:0").expect(2);

    said.says(&["key.pem", "0644", "chmod 600"]);
}

#[test]
fn policy_that_does_not_compile_is_refused_with_file_and_line() {
    let place = Place::new();
    place.write(
        "rules/mine.rego",
        "package mine\n\nimport rego.v1\n\ndeny contains x if {\n\tx :=\n}\n",
    );

    let said = place.attestry("up --policy rules --metrics 127.0.0.1:0").expect(2);
    said.says(&["policy rules", "mine.rego:"]);
    assert!(said.stderr.contains("mine.rego:6") || said.stderr.contains("mine.rego:7"), "{said:?}");

    place.attestry("up --policy missing --metrics 127.0.0.1:0").expect(2).says(&["missing"]);
}

#[test]
fn archive_that_cannot_be_written_is_refused_at_the_start() {
    let place = Place::new();
    place.write("file", "no directory");

    let said = place.attestry("up --data file/data --metrics 127.0.0.1:0").expect(2);
    said.says(&["file/data/artifacts/supply-chain", "writable"]);
    let said = place.attestry("up --data /proc/attestry --metrics 127.0.0.1:0").expect(2);
    said.says(&["/proc/attestry/artifacts/supply-chain", "writable"]);
}

#[test]
fn server_that_is_too_old_is_refused_by_name() {
    let place = Place::new();
    let server = place.write("nats-server", "#!/bin/sh\necho 'nats-server: v2.9.10'\n");
    fs::set_permissions(server, PermissionsExt::from_mode(0o755)).expect("changed");

    let said = place.attestry("up --nats-server ./nats-server --metrics 127.0.0.1:0").expect(2);

    said.says(&["./nats-server is nats-server 2.9.10", "needs 2.12.0 or newer"]);
}

#[test]
fn address_in_use_is_refused_with_the_remedy() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("free");
    let taken = taken.local_addr().expect("bound");

    let said = place.attestry(&format!("up --metrics {taken}")).expect(2);

    said.says(&[&taken.to_string(), "--metrics"]);
}

/// Wherever the crash hits the build, its verdict arrives.
#[test]
fn build_in_flight_when_the_process_dies_gets_its_verdict_after_the_restart() {
    thread::scope(|scope| {
        for wait_ms in [0, 100, 250] {
            scope.spawn(move || crash_after(Duration::from_millis(wait_ms)));
        }
    });
}

fn crash_after(wait: Duration) {
    let place = Place::with_lock(HOTPASS_LOCK);
    let up = place.up();
    let broker = place.read("data/nats/nats-server.pid");
    place.attestry("build submit --source app --artifact app.whl").expect(0);
    thread::sleep(wait);
    up.kill();
    wait_until("the broker of a dead process ends", || !lives(&broker));

    let _up = place.up();
    let said = place.submit("--key data/keys/signer.pub --out out").expect(0);

    said.says(&["PASSED"]);
    assert_eq!(place.files("out").len(), 8);
    place.attestry("quarantine list").expect(0).says(&["Nothing"]);
}

#[test]
fn broker_that_dies_under_the_pipeline_is_started_again() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    let broker = place.read("data/nats/nats-server.pid");
    let pid: i32 = broker.trim().parse().expect("a process");
    let pid = rustix::process::Pid::from_raw(pid).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");

    wait_until("the broker is started again", || up.said().contains("starting it again"));

    place.submit("").expect(0);
}
