//! What the registrar knows: the story of a digest, the books, and what may be removed.

use std::fs;

use ::events::Digest;
use serde_json::Value;

use crate::place::{BROKEN_LOCK, LOCK, Place, wait_until};

/// Waits until the registrar has recorded everything.
fn until_recorded(place: &Place) {
    wait_until("everything is recorded", || {
        place.attestry("doctor").stdout.contains("has recorded everything")
    });
}

/// Waits until the mapper has answered, which nobody who submits waits for, and that is recorded.
fn until_mapped(place: &Place) {
    wait_until("the verdict is mapped", || {
        !place.attestry("doctor").stdout.contains("ATTESTRY_BACKLOG_MAPPED: 0 messages")
    });
    until_recorded(place);
}

/// The archive's metadata files, each with its content.
fn metadata(place: &Place) -> Vec<(String, Value)> {
    let read = |path: String| {
        let text = fs::read_to_string(place.path(&path)).unwrap();
        (path, serde_json::from_str(&text).unwrap())
    };
    let files = place.files("data/artifacts/supply-chain/metadata").into_iter();
    files.map(|it| read(format!("data/artifacts/supply-chain/metadata/{it}"))).collect()
}

#[test]
fn story_of_an_artifact_names_who_signed_and_which_policy() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    place.submit("--project acme/app --kind release --out dist").expect(0);
    until_mapped(&place);

    let told = place.attestry("explain app.whl").expect(0);
    told.says(&["PASSED  acme/app", "the artifact app.whl", "evidence.signed of policy-gate"]);
    told.says(&["by policy  sha256:", "signed by ", "https://slsa.dev/verification_summary/v1"]);
    let digest = Digest::of(&fs::read(place.path("app.whl")).unwrap());
    let json = place.attestry(&format!("explain {digest} --format json")).expect(0).json();
    let build = &json["builds"][0];
    assert_eq!((&build["state"], &build["project"]), (&"passed".into(), &"acme/app".into()));
    assert_eq!(build["events"].as_array().unwrap().len(), 6);
    assert_eq!(build["statements"].as_array().unwrap().len(), 3);
    for statement in build["statements"].as_array().unwrap() {
        assert!(statement["bundle"]["signer"].is_string(), "{statement}");
    }
    let correlation = build["correlation"].as_str().unwrap();
    place.attestry(&format!("explain {correlation}")).expect(0).says(&["PASSED  acme/app"]);
    let sbom = Digest::of(&fs::read(place.path("dist/sbom/app-sbom.json")).unwrap());
    place.attestry(&format!("explain {sbom}")).expect(0).says(&["the sbom sbom/app-sbom.json"]);

    let submitted = build["events"][0]["known_at"].as_str().unwrap();
    let then = format!("explain app.whl --as-of {submitted} --format json");
    assert_eq!(place.attestry(&then).expect(0).json()["builds"][0]["state"], "in-progress");
    let before = "explain app.whl --as-of 2020-01-01T00:00:00Z";
    place.attestry(before).expect(1).says(&["no build or submission names app.whl as of 2020"]);
    let nobody = format!("explain {}", Digest::of(b"nobody"));
    place.attestry(&nobody).expect(1).says(&["no build or submission names"]);
    let unsubmitted = "no build or submission names nonsense";
    place.attestry("explain nonsense").expect(1).says(&[unsubmitted]);
    place.attestry("explain no/such.whl").expect(2).says(&["write a digest as sha256:HEX"]);
}

#[test]
fn story_tells_what_lay_in_quarantine_and_how_it_left() {
    let place = Place::with_lock(BROKEN_LOCK);
    let _up = place.up();
    place.submit("").expect(2);
    until_recorded(&place);
    place.attestry("explain app.whl").expect(0).says(&["QUARANTINED", "lockfile-unreadable"]);
    let doctor = place.attestry("doctor").expect(1);
    doctor.says(&["1 in quarantine", "0 events are unaccounted for"]);

    place.attestry("quarantine drop 1").expect(0);
    until_recorded(&place);
    let told = place.attestry("explain app.whl").expect(0);
    told.says(&["DROPPED", "uv.lock:2:", "entry 1 was dropped"]);
    place.attestry("doctor").expect(0).says(&["1 dropped"]);
}

#[test]
fn registry_is_rebuilt_from_the_archive_and_damage_is_noticed() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    place.submit("").expect(0);
    until_mapped(&place);
    place.attestry("registry rebuild").expect(3).says(&["in use", "stop the other"]);
    assert_eq!(up.terminate().0, Some(0));

    place.attestry("registry check").expect(0).says(&["6 records in 1 segments"]);
    let dump = place.attestry("registry dump").expect(0).stdout;
    let rebuilt = place.attestry("registry rebuild").expect(0);
    rebuilt.says(&["6 records of 1 segments", "The same as before, byte for byte"]);
    assert_eq!(place.attestry("registry dump").expect(0).stdout, dump);
    fs::remove_dir_all(place.path("data/registry")).unwrap();
    fs::create_dir(place.path("data/registry")).unwrap();
    place.attestry("registry dump").expect(2).says(&["there is no registry"]);
    let anew = place.attestry("registry rebuild --format json").expect(0).json();
    assert_eq!(anew["dump"], Digest::of(dump.as_bytes()).to_string());
    assert_eq!(anew["same"], Value::Null);
    place.attestry("registry rebuild --to data/registry/registry.db").expect(2).says(&["exists"]);

    let segment = metadata(&place).into_iter().find(|(_, it)| it["class"] == "segment").unwrap();
    let hex = segment.1["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let path = format!("data/artifacts/supply-chain/documents/sha256/{}/{}", &hex[..2], &hex[2..]);
    place.write(&path, "damaged");
    place.attestry("registry check").expect(1).says(&["WRONG segment 1", "damaged"]);
    place.attestry("registry rebuild --archive elsewhere").expect(2).says(&["no archive"]);
}

#[test]
fn sweep_takes_what_is_over_and_leaves_what_a_live_verdict_needs() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    place.submit("").expect(0);
    place.write("other/app/uv.lock", BROKEN_LOCK);
    until_mapped(&place);
    let list = place.attestry("retention list").expect(0);
    list.says(&["ATTESTRY_BUILD_COMPLETED", "kept 30 days", "bundle", "kept 365 days", "0 due"]);
    place.attestry("retention sweep").expect(0).says(&["removed 0 documents"]);

    // A year passes, as far as the archive can tell; and something lies there that nobody names.
    let orphan = Digest::of(b"nobody names me").hex();
    let (shard, rest) = orphan.split_at(2);
    let archive = "data/artifacts/supply-chain";
    place.write(&format!("{archive}/documents/sha256/{shard}/{rest}"), "nobody names me");
    let (_, mut of_orphan) = metadata(&place).remove(0);
    of_orphan["digest"] = format!("sha256:{orphan}").into();
    of_orphan["class"] = "input".into();
    let path = format!("{archive}/metadata/sha256/{shard}/{rest}.json");
    place.write(&path, of_orphan.to_string());
    for (path, mut it) in metadata(&place) {
        if it["class"] != "segment" {
            it["retain_until"] = "2020-01-01T00:00:00Z".into();
            place.write(&path, it.to_string());
        }
    }

    let before = metadata(&place).len();
    let dry = place.attestry("retention sweep --dry-run").expect(0);
    dry.says(&[&orphan, "would remove 1 documents"]);
    assert_eq!(metadata(&place).len(), before);
    let swept = place.attestry("retention sweep --format json").expect(0).json_lines();
    assert_eq!(swept.last().unwrap()["due"], 1);
    assert_eq!(metadata(&place).len(), before - 1, "everything else is needed");
    assert!(!place.path(&format!("{archive}/documents/sha256/{shard}/{rest}")).exists());
    let key = "data/keys/signer.pub";
    let digest = Digest::of(&fs::read(place.path("app.whl")).unwrap());
    place.attestry(&format!("verdict {digest} --key {key}")).expect(0).says(&["PASSED"]);
    place.attestry("doctor").expect(0);
}

#[test]
fn commands_that_ask_the_registrar_say_when_nobody_answers() {
    let place = Place::with_lock(LOCK);
    let told = place.attestry("explain app.whl --nats-url nats://127.0.0.1:9").expect(3);
    told.says(&["nothing answers at nats://127.0.0.1:9"]);
}
