//! Ready events: our own and CDEvents, from a file and from standard input, right and wrong.

use ::events::Digest;
use serde_json::{Value, json};

use crate::place::{LOCK, Place};

/// `dev.cdevents.build.finished` as the specification has it, with the digest of an image of ours.
fn cdevent(id: &str) -> Value {
    let digest = Digest::of(b"an image").hex();
    json!({
        "context": {
            "specversion": "0.5.1",
            "id": id,
            "chainId": "4c8cb7dd-3448-41de-8768-eec704e2829b",
            "source": "https://ci.example/pipelines/7",
            "type": "dev.cdevents.build.finished.0.2.0",
            "timestamp": "2026-11-22T10:00:00.315384Z",
            "links": [{ "linkType": "RELATION", "linkKind": "TRIGGER",
                "target": { "contextId": "5328c37f-bb7e-4bb7-84ea-9f5f85e4a7ce" } }]
        },
        "subject": {
            "id": "build-7",
            "source": "https://ci.example/pipelines/7",
            "content": { "artifactId": format!("pkg:oci/myapp@sha256%3A{digest}") }
        }
    })
}

/// An event of our own, as `docs/schemas/build.completed.schema.json` has it.
fn build_completed() -> Value {
    let id = "00000000-0000-0000-0000-000000000000";
    json!({
        "specversion": "1.0", "id": id, "source": "/ci", "type": "attestry.v1.build.completed",
        "time": "2026-11-22T10:00:00Z", "correlation": id, "priority": "pr", "scope": "app",
        "data": {
            "project": "app", "kind": "pr", "run": "run-1",
            "builder": { "id": "https://ci.example" },
            "artifacts": [{ "name": "app.whl", "digest": Digest::of(b"wheel") }],
        },
    })
}

#[test]
fn cdevent_is_judged_from_a_file_and_from_standard_input() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    let event = cdevent("271069a8-fc18-44f1-b38f-9d70a1695819").to_string();
    place.write("event.json", &event);
    let with_lockfile = "--source app --kind pr --wait=90s --format json";

    let submit = format!("build submit --event event.json {with_lockfile}");
    let from_file = place.attestry(&submit).expect(0).json();
    let submit = format!("build submit --event - {with_lockfile}");
    let words: Vec<&str> = submit.split_whitespace().collect();
    let from_input = place.run(&words, &event).expect(0).json();

    assert_eq!(from_file["project"], "myapp");
    assert_eq!(from_file["build"], from_input["build"], "the same event is the same build");
    let image = Digest::of(b"an image");
    place.attestry(&format!("verdict {image}")).expect(0).says(&["PASSED"]);
}

#[test]
fn event_of_our_own_is_judged_whatever_id_it_carries() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    place.write("event.json", build_completed().to_string());

    let submit = "build submit --event event.json --source app --wait=90s --format json";
    let outcome = place.attestry(submit).expect(0).json();

    assert_eq!(outcome["project"], "app");
    assert_ne!(outcome["build"], "00000000-0000-0000-0000-000000000000", "ids are derived");
}

#[test]
fn wrong_event_is_refused_with_the_name_of_the_field() {
    let place = Place::new();
    let refused = |event: &str, words: &[&str]| {
        let said = place.run(&["build", "submit", "--event", "-"], event).expect(2);
        said.says(&[&["--event -"], words].concat());
        let steering = said.stderr.chars().any(|c| c.is_control() && c != '\n');
        assert!(!steering, "{:?}", said.stderr);
        assert!(said.stderr.len() < 2000, "{} bytes", said.stderr.len());
    };
    let ours = |pointer: &str, value: Value| {
        let mut event = build_completed();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        event.pointer_mut(parent).expect("there")[name] = value;
        event.to_string()
    };
    let text = build_completed().to_string();
    let twice = text.replacen(r#""run":"run-1""#, r#""run":"run-1","run":"run-2""#, 1);
    assert_ne!(twice, text);

    refused("", &["not JSON"]);
    refused("not JSON", &["not JSON"]);
    refused(&text[..text.len() - 1], &["not JSON"]);
    refused(&twice, &["run", "duplicate"]);
    refused(&ours("/specversion", json!("2.0")), &["specversion", "2.0"]);
    refused(&ours("/type", json!("attestry.v9.build.completed")), &["type", "attestry.v9"]);
    refused(&ours("/data/kind", json!("nightly")), &["data.kind", "nightly"]);
    refused(&ours("/data/artifacts", json!([])), &["data.artifacts", "0 entries"]);
    let artifacts = |name: &str, digest: &str| json!([{ "name": name, "digest": digest }]);
    let digest = Digest::of(b"wheel").to_string();
    for name in ["../etc/passwd", "/etc/passwd", "a\0b", "a\u{1b}[2Jb", &"x".repeat(900_000)] {
        let event = ours("/data/artifacts", artifacts(name, &digest));
        refused(&event, &["data.artifacts[0].name"]);
    }
    let event = ours("/data/artifacts", artifacts("app.whl", "sha256:beef"));
    refused(&event, &["data.artifacts[0].digest"]);
    refused(&ours("/data/project", json!("x".repeat(1_100_000))), &["at most 1048576"]);

    let mut undated = cdevent("x");
    undated["context"].as_object_mut().expect("an object").remove("timestamp");
    refused(&undated.to_string(), &["context", "timestamp"]);
    let mut tag = cdevent("x");
    tag["subject"]["content"]["artifactId"] = json!("pkg:oci/myapp@1.0.0");
    refused(&tag.to_string(), &["subject.content.artifactId", "--artifact"]);
    let mut other = cdevent("x");
    other["context"]["type"] = json!("dev.cdevents.incident.detected.0.1.0");
    refused(&other.to_string(), &["incident.detected", "build.finished"]);
}
