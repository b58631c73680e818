//! What cannot be handled is kept, told, and can be replayed.

use ::events::{CHUNK_BYTES, Digest};
use serde_json::json;

use crate::place::{BROKEN_LOCK, LOCK, Place};

#[test]
fn broken_lockfile_is_code_2_with_its_line_and_lies_in_quarantine() {
    let place = Place::with_lock(BROKEN_LOCK);
    let _up = place.up();

    let said = place.submit("").expect(2);
    said.says(&["uv.lock:2:", "run `uv lock`", "lockfile-unreadable", "quarantine show 1"]);
    place.submit("").expect(2).says(&["uv.lock:2:"]);

    let entries = place.attestry("quarantine list --format json").expect(0).json_lines();
    assert_eq!(entries.len(), 1, "submitted twice, in quarantine once");
    let entry = &entries[0];
    for field in ["attempts", "bytes", "position", "subject", "time", "traceparent"] {
        assert!(entry.get(field).is_some(), "no {field} in {entry}");
    }
    assert_eq!(entry["id"], 1);
    assert_eq!(entry["worker"], "generator");
    assert_eq!(entry["reason"], "lockfile-unreadable");
    assert!(entry["detail"].as_str().expect("a text").starts_with("uv.lock:2:"));

    let list = place.attestry("quarantine list").expect(0);
    list.says(&["1  ", "generator", "lockfile-unreadable", "uv.lock:2:"]);
    let show = place.attestry("quarantine show 1").expect(0);
    show.says(&["Entry 1", "attempts  1", "\"project\": \"app\""]);
    let show = place.attestry("quarantine show 1 --format json").expect(0).json();
    assert_eq!(show["entry"]["id"], 1);
    assert_eq!(show["event"]["data"]["project"], "app");
    place.attestry("quarantine show 7").expect(2).says(&["no entry 7"]);

    for (selection, found) in [
        ("--reason lockfile-unreadable", 1),
        ("--reason event-not-json", 0),
        ("--since 2020-01-01T00:00:00Z", 1),
        ("--since 2999-01-01T00:00:00Z", 0),
    ] {
        let list = format!("quarantine list --format json {selection}");
        assert_eq!(place.attestry(&list).expect(0).json_lines().len(), found, "{selection}");
    }
}

#[test]
fn missing_upload_is_replayed_once_the_chunks_are_there() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    let id = "00000000-0000-0000-0000-000000000000";
    let event = json!({
        "specversion": "1.0", "id": id, "source": "/ci", "type": "attestry.v1.build.completed",
        "time": "2026-11-22T10:00:00Z", "correlation": id, "priority": "pr", "scope": "app",
        "data": {
            "project": "app", "kind": "pr", "run": "run-1",
            "builder": { "id": "https://ci.example" },
            "artifacts": [{ "name": "app.whl", "digest": Digest::of(b"wheel") }],
            "inputs": [{ "path": "uv.lock", "digest": Digest::of(LOCK.as_bytes()),
                "size": LOCK.len(), "chunks": LOCK.len().div_ceil(CHUNK_BYTES) }],
        },
    });
    place.write("event.json", event.to_string());

    let submit = "build submit --event event.json --wait=90s";
    let said = place.attestry(submit).expect(2);
    said.says(&["not below --source", "upload-missing-chunk", "chunk 0 of 1", "then replay"]);
    place.attestry("quarantine replay").expect(2).says(&["--reason", "--all"]);

    // Submitted with its lockfile: the event is known, its outcome stands, the chunks are new.
    place.attestry(&format!("{submit} --source app")).expect(2);
    let replay = "quarantine replay --reason upload-missing-chunk --format json";
    let replayed = place.attestry(replay).expect(0).json();
    assert_eq!(replayed["done"], "replayed");
    assert_eq!(replayed["entry"]["reason"], "upload-missing-chunk");

    place.attestry(submit).expect(0).says(&["PASSED"]);
    place.attestry("quarantine list").expect(0).says(&["Nothing is in quarantine"]);
}

#[test]
fn doctor_is_well_without_quarantine_and_says_how_to_mend_it() {
    let place = Place::with_lock(BROKEN_LOCK);
    let _up = place.up();
    place.attestry("doctor").expect(0).says(&[
        "nats-server 2.",
        "policy-gate",
        "quarantine   empty",
    ]);

    place.submit("").expect(2);
    let said = place.attestry("doctor").expect(1);
    said.says(&["WRONG quarantine", "attestry quarantine list", "1 thing is wrong"]);
    let checks = place.attestry("doctor --format json").expect(1).json_lines();
    let wrong: Vec<_> = checks.iter().filter(|check| check["ok"] == false).collect();
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0]["name"], "quarantine");
    assert!(wrong[0]["remedy"].is_string());

    place.attestry("quarantine drop 1").expect(0).says(&["Dropped 1"]);
    place.attestry("quarantine drop 1").expect(2).says(&["no entry 1"]);
    place.attestry("doctor").expect(0);
}
