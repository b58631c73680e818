//! What commands say without a pipeline: wrong usage, wrong input, nobody there.

use std::{fs::File, thread, time::Instant};

use ::events::Digest;
use serde_json::Value;

use crate::place::{BROKEN_LOCK, LOCK, Place};

#[test]
fn wrong_usage_is_code_2_and_names_the_flag() {
    let place = Place::with_lock(LOCK);
    for (arguments, word) in [
        ("build submit --source app", "--artifact"),
        ("build submit --artifact app.whl --kind nightly", "nightly"),
        ("build submit --artifact app.whl --out dist", "--wait"),
        ("build submit --project p --artifact app.whl --commit beef", "--commit"),
        ("build submit --artifact app.whl", "--project"),
        ("build submit --artifact app.whl --wait=soon", "--wait"),
        ("build submit --artifact app.whl --wait=-5s", "between 0s and 7d"),
        ("build submit --artifact app.whl --wait=9000000h", "between 0s and 7d"),
        ("build submit --artifact missing.whl", "missing.whl"),
        ("build submit --artifact dist/*.whl", "dist/*.whl"),
        ("build submit --artifact app.whl --source missing", "missing"),
        ("build submit --artifact app.whl --source app.whl", "is no directory"),
        ("build submit --event missing.json", "missing.json"),
        ("verify app.whl --bundle missing.json --key app.whl", "app.whl"),
        ("quarantine drop", "--all"),
        ("quarantine show nothing", "nothing"),
        ("sbom generate missing.lock", "missing.lock"),
        ("sbom validate missing.json", "missing.json"),
        ("sbom score missing.json", "missing.json"),
        ("sbom score app/uv.lock", "not JSON"),
        ("sbom score app/uv.lock --minimum 101", "--minimum"),
        ("sbom diff app/uv.lock missing.json", "missing.json"),
        ("sbom convert app/uv.lock --to spdx-2.3", "not JSON"),
        ("sbom convert app/uv.lock --to spdx-9", "spdx-9"),
        ("link --step a/b --product app.whl --development-key key.pem", "slashes"),
        ("link --step build --product missing.whl --development-key key.pem", "missing.whl"),
        ("link --step build --product app.whl", "--signing-key"),
        ("trusted-root refresh --tuf-url http://127.0.0.1:1", "--tuf-root"),
        (
            "trusted-root refresh --tuf-url http://127.0.0.1:1 --tuf-root missing.json",
            "missing.json",
        ),
        ("up --nats-server missing", "missing is not a working nats-server"),
        ("frobnicate", "frobnicate"),
    ] {
        let said = place.attestry(arguments);
        assert_eq!(said.code, 2, "{arguments}: {said:?}");
        assert!(said.stderr.contains(word), "{arguments}: no `{word}` in {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments}");
    }
}

#[test]
fn hostile_artifact_name_is_refused_and_cannot_steer_the_terminal() {
    let place = Place::with_lock(LOCK);
    for name in ["new\nline.whl", "escape\u{1b}[2J.whl", "bell\u{7}.whl"] {
        place.write(name, "bytes");
        let said = place.run(&["build", "submit", "--artifact", name], "").expect(2);
        said.says(&["--artifact", "its name"]);
        assert!(!said.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", said.stderr);
    }
}

#[test]
fn lockfile_of_100_mb_is_refused_before_it_is_read_whole() {
    let place = Place::with_lock(LOCK);
    File::create(place.path("app/uv.lock")).expect("made").set_len(100_000_000).expect("grown");
    for arguments in [
        "build submit --source app --artifact app.whl",
        "sbom generate app",
        "sbom generate app/uv.lock",
    ] {
        let said = place.attestry(arguments).expect(2);
        said.says(&["uv.lock", "more than the 67108864 that are read"]);
    }
}

#[test]
fn absent_broker_is_code_3_soon_and_with_the_remedy() {
    let place = Place::with_lock(LOCK);
    let ask = |arguments: &str| {
        let began = Instant::now();
        let said = place.attestry(&format!("{arguments} --nats-url nats://127.0.0.1:1")).expect(3);
        assert!(began.elapsed().as_secs() < 20, "{arguments} took {:?}", began.elapsed());
        said.says(&["nats://127.0.0.1:1", "attestry up", "--nats-url"]);
    };
    let digest = Digest::of(b"anything");
    thread::scope(|scope| {
        scope.spawn(|| ask("build submit --source app --artifact app.whl --wait"));
        scope.spawn(|| ask(&format!("verdict {digest}")));
        scope.spawn(|| ask("quarantine list"));
        scope.spawn(|| ask("doctor"));
    });
}

#[test]
fn failure_in_json_is_one_object_on_standard_error() {
    let place = Place::with_lock(LOCK);

    let said = place.attestry("sbom validate missing.json --format json").expect(2);

    let failure: Value = serde_json::from_str(&said.stderr).expect("JSON");
    assert_eq!(failure["exit_code"], 2);
    assert!(failure["error"].as_str().expect("a text").contains("missing.json"));
}

#[test]
fn sbom_is_made_and_validated_without_a_pipeline() {
    let place = Place::with_lock(LOCK);
    for version in ["1.6", "1.7"] {
        let generate = format!("sbom generate app --spec-version {version} -o {version}.json");
        place.attestry(&generate).expect(0);
        let said = place.attestry(&format!("sbom validate {version}.json")).expect(0);
        said.says(&[&format!("valid CycloneDX {version}")]);
        assert!(place.read(&format!("{version}.json")).contains("pkg:pypi/six@1.17.0"));
    }

    let epoch = "sbom generate app --source-date-epoch 1700000000";
    assert_eq!(place.attestry(epoch).expect(0).stdout, place.attestry(epoch).expect(0).stdout);

    place.write("bad.json", r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "version": "x"}"#);
    place.attestry("sbom validate bad.json").expect(1).says(&["bad.json", "version"]);
    let judged = place.attestry("sbom validate bad.json --format json").expect(1).json();
    assert_eq!(judged["valid"], false);
}

#[test]
fn sbom_has_what_a_list_of_requirements_includes_by_any_name() {
    let place = Place::with_lock(LOCK);
    place.write("web/requirements.txt", "-r deps/base.in\nidna==3.15\n");
    place.write("web/deps/base.in", "attrs==26.1.0\n");
    for source in ["web", "web/requirements.txt"] {
        let sbom: Value = place.attestry(&format!("sbom generate {source}")).expect(0).json();
        let names: Vec<_> =
            sbom["components"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(names, ["attrs", "idna"], "{source}");
        assert!(!sbom.to_string().contains("attestry:missing"), "{source}");
    }
}

#[test]
fn sbom_of_anybody_is_scored_compared_and_converted() {
    let place = Place::with_lock(LOCK);
    place.attestry("sbom generate app -o old.json").expect(0);

    let said = place.attestry("sbom score old.json").expect(0);
    said.says(&["NTIA minimum elements 2021", "of 100", "Component licence"]);
    place.attestry("sbom score old.json --minimum 100").expect(1).says(&["is less than 100"]);
    place.attestry("sbom score old.json --require bsi").expect(1).says(&["is not met"]);
    let judged =
        place.attestry("sbom score old.json --standard ntia --format json").expect(0).json();
    assert_eq!(judged["scores"].as_array().map(Vec::len), Some(1));

    place.attestry("sbom diff old.json old.json").expect(0).says(&["Nothing changed"]);
    place.attestry("sbom diff old.json app/uv.lock").expect(0);
    let old = place.read("old.json");
    place.write("new.json", old.replace("six@1.17.0", "six@1.9.0").replace("1.17.0", "1.9.0"));
    let said = place.attestry("sbom diff old.json new.json").expect(1);
    said.says(&["Downgraded (1)", "pkg:pypi/six", "1.17.0 → 1.9.0"]);

    place.attestry("sbom convert old.json --to spdx-2.3 -o old.spdx.json").expect(0);
    assert!(place.read("old.spdx.json").contains("SPDX-2.3"));
    place.attestry("sbom convert old.json --to cyclonedx-1.7 -o new.json").expect(0);
    place.attestry("sbom validate new.json").expect(0).says(&["valid CycloneDX 1.7"]);
    place.attestry("sbom convert old.spdx.json --to cyclonedx-1.7").expect(2).says(&["bomFormat"]);
    place.attestry("sbom validate old.spdx.json").expect(0).says(&["valid SPDX 2.3"]);
    place.attestry("sbom score old.spdx.json").expect(2).says(&["SPDX, not CycloneDX"]);

    let dangling =
        r#"{"bomFormat": "CycloneDX", "specVersion": "1.6", "dependencies": [{"ref": "x"}]}"#;
    place.write("dangling.json", dangling);
    place
        .attestry("sbom validate dangling.json")
        .expect(0)
        .says(&["/dependencies/0/ref", "dangling-reference"]);
    let judged = place.attestry("sbom validate dangling.json --format json").expect(0).json();
    assert_eq!(judged["warning_counts"]["dangling-reference"], 1);
}

#[test]
fn broken_lock_names_its_line_without_a_pipeline() {
    let place = Place::with_lock(BROKEN_LOCK);
    place.attestry("sbom generate app").expect(2).says(&["uv.lock:2:", "uv lock"]);
}

#[test]
fn every_command_shows_an_example() {
    let place = Place::new();
    for command in [
        "",
        "up",
        "build submit",
        "verdict",
        "sbom generate",
        "sbom validate",
        "sbom score",
        "sbom diff",
        "sbom convert",
        "verify",
        "quarantine list",
        "quarantine show",
        "quarantine replay",
        "quarantine drop",
        "doctor",
    ] {
        let said = place.attestry(&format!("{command} --help")).expect(0);
        assert!(said.stdout.contains("Example"), "{command} --help has no example");
    }
}

#[test]
fn what_would_be_decided_about_a_document_is_told_without_a_pipeline() {
    let place = Place::new();
    let document = serde_json::json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "metadata": {
            "timestamp": "2026-01-01T00:00:00Z",
            "component": { "type": "application", "name": "widget", "version": "1" },
        },
        "components": [{ "type": "library", "name": "left", "version": "1", "purl": "pkg:pypi/left@1", "scope": null }],
    });
    place.write("widget.json", document.to_string());
    place.attestry("supplier check widget.json --at 2026-02-01T00:00:00Z").expect(1).says(&[
        "WOULD BE REJECTED",
        "schema    warned: valid but for what is tolerated: null-field (1)",
        "rejects SUP-002",
        "remedy:",
    ]);
    let told = place.attestry("supplier check widget.json --format json").expect(1).json();
    assert_eq!(told["accepted"], false);
    assert_eq!(told["document"]["grade"]["standard"], "ntia", "{told}");
    place.write("text.json", "hello");
    place.attestry("supplier check text.json").expect(1).says(&["bytes     failed", "not-json"]);
    place.attestry("supplier check missing.json").expect(2).says(&["missing.json"]);
    place.attestry("supplier check widget.json --supplier nobody").expect(2).says(&["nobody"]);
}
