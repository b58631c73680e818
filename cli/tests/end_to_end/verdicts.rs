//! A build goes in, a verdict comes out.

use std::path::Path;

use ::events::Digest;
use documents::schema::validate_cyclonedx;
use serde_json::Value;

use crate::place::{LOCK, Place};

const HOTPASS_LOCK: &str =
    include_str!("../../../shared/documents/fixtures/lockfiles/hotpass.uv.lock");

#[test]
fn passing_build_leaves_its_evidence_in_the_release_directory() {
    let place = Place::with_lock(HOTPASS_LOCK);
    let wheel = "dist/hotpass-0.1.0-py3-none-any.whl";
    place.write(wheel, "the bytes of a wheel");
    let _up = place.up();

    let submit = "build submit --project hotpass --source app --artifact dist/*.whl \
                  --kind release --wait=90s --out dist --key data/keys/signer.pub";
    place.attestry(submit).expect(0).says(&["PASSED", "wrote dist/checksums.txt"]);

    let expected = [
        "build.json",
        "bundles/provenance.sigstore.json",
        "bundles/sbom.sigstore.json",
        "bundles/verdict.sigstore.json",
        "checksums.txt",
        "hotpass-0.1.0-py3-none-any.whl",
        "provenance/provenance.json",
        "sbom/hotpass-sbom.json",
        "verdict/report.json",
    ];
    assert_eq!(place.files("dist"), expected);
    let sbom = place.read("dist/sbom/hotpass-sbom.json");
    validate_cyclonedx(sbom.as_bytes()).expect("valid CycloneDX");
    let sbom: Value = serde_json::from_str(&sbom).expect("JSON");
    let packages = HOTPASS_LOCK.matches("[[package]]").count();
    let components = sbom["components"].as_array().expect("a list").len();
    // Hotpass itself is the subject of the SBOM, not a part of it.
    assert!(components + 1 >= packages, "{components} components of {packages} packages");
    checksums_hold(&place.path("dist"), 3);
    let report: Value =
        serde_json::from_str(&place.read("dist/verdict/report.json")).expect("JSON");
    assert_eq!(report["result"], "PASSED");
}

#[test]
fn build_tells_what_else_went_into_it_and_brings_an_sbom_of_its_own() {
    let place = Place::with_lock(LOCK);
    place.write("dist/app.whl", "the bytes of a wheel");
    let theirs = r#"{"bomFormat":"CycloneDX","specVersion":"1.6","components":[
        {"type":"library","name":"six","purl":"pkg:pypi/six@1.16.0"}]} "#;
    place.write("syft.json", theirs);
    place.write("empty.json", "");
    let _up = place.up();
    let submit =
        "build submit --project app --source app --artifact dist/app.whl --wait=90s --out dist";
    let image = format!("debian:12@{}", Digest::of(b"image"));

    place.attestry(&format!("{submit} --sbom empty.json")).expect(2).says(&["is empty"]);
    place.attestry(&format!("{submit} --parameter NPM_TOKEN=x")).expect(2).says(&["secret"]);
    let told = format!(
        "{submit} --sbom syft.json --base-image {image} --parameter target=linux \
         --internal-parameter executor=docker --builder-version runner=1.2"
    );
    place.attestry(&told).expect(0).says(&["SBOM-013", "1.16.0 instead of 1.17.0"]);

    assert_eq!(place.read("dist/sbom/supplied/syft.json"), theirs);
    let mut check = std::process::Command::new("sha256sum");
    check.args(["--check", "--strict", "checksums.txt"]).current_dir(place.path("dist"));
    let output = check.output().expect("sha256sum runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).matches(": OK").count(), 5);

    let provenance: Value =
        serde_json::from_str(&place.read("dist/provenance/provenance.json")).expect("JSON");
    let definition = &provenance["predicate"]["buildDefinition"];
    assert_eq!(definition["externalParameters"]["parameters"]["target"], "linux");
    assert_eq!(definition["internalParameters"]["executor"], "docker");
    let dependencies = definition["resolvedDependencies"].as_array().expect("a list");
    let image = dependencies.iter().find(|it| it["name"] == "base-image").expect("named");
    assert_eq!(image["digest"]["sha256"], Digest::of(b"image").hex());
    assert_eq!(provenance["predicate"]["runDetails"]["builder"]["version"]["runner"], "1.2");
}

/// Every line is `<digest>  <path>`, and names a file with that digest.
fn checksums_hold(directory: &Path, count: usize) {
    let sums = std::fs::read_to_string(directory.join("checksums.txt")).expect("there");
    for line in sums.lines() {
        let (digest, name) = line.split_once("  ").expect("two columns");
        let bytes = std::fs::read(directory.join(name)).expect(name);
        assert_eq!(Digest::of(&bytes).hex(), digest, "{name}");
    }
    assert_eq!(sums.lines().count(), count, "{sums}");
}

#[test]
fn build_that_is_submitted_again_keeps_its_verdict_and_its_signatures() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    let before = place.submit("--out first --format json").expect(0).json();
    let documents = place.files("data/artifacts/supply-chain/documents");

    let after = place.submit("--out second --format json").expect(0).json();
    let handed_over = "build submit --source app --artifact app.whl --format json";
    let handed_over = place.attestry(handed_over).expect(0).json();

    assert_eq!(handed_over["submitted_before"], true);
    assert_eq!(handed_over["build"], before["build"]);
    for field in ["build", "project", "result", "policy", "report"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    for file in place.files("first") {
        assert_eq!(
            place.read(&format!("first/{file}")),
            place.read(&format!("second/{file}")),
            "{file}"
        );
    }
    assert_eq!(place.files("data/artifacts/supply-chain/documents"), documents);
}

#[test]
fn banned_component_fails_with_rule_component_and_remedy() {
    let place = Place::with_lock(&LOCK.replace("six", "colourama").replace("1.17.0", "0.1.6"));
    let _up = place.up();

    for kind in ["pr", "release"] {
        let said = place.submit(&format!("--kind {kind} --out {kind}")).expect(1);
        said.says(&["FAILED", "SBOM-007", "pkg:pypi/colourama@0.1.6", "remedy:    Remove"]);
        assert!(place.files(kind).contains(&"bundles/verdict.sigstore.json".to_owned()));
    }

    let outcome = place.submit("--format json").expect(1).json();
    assert_eq!(outcome["result"], "FAILED");
    let violation = &outcome["report"]["violations"][0];
    assert_eq!(violation["id"], "SBOM-007");
    assert_eq!(violation["component"], "pkg:pypi/colourama@0.1.6");
    assert!(violation["remedy"].as_str().expect("a text").contains("Remove"));

    let table = place.submit("--report markdown").expect(1).stdout;
    assert!(table.starts_with("**FAILED") && table.contains("| violation | SBOM-007 |"), "{table}");
}

#[test]
fn json_outcome_has_the_documented_fields() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();

    let outcome = place.submit("--format json --out out").expect(0).json();

    let fields: Vec<&String> = outcome.as_object().expect("an object").keys().collect();
    for field in ["build", "files", "policy", "project", "report", "result", "signature_checked"] {
        assert!(fields.iter().any(|it| *it == field), "no {field} among {fields:?}");
    }
    assert_eq!(outcome["project"], "app");
    assert_eq!(outcome["result"], "PASSED");
    assert_eq!(outcome["signature_checked"], false);
    assert_eq!(outcome["report"]["schema"], "attestry.policy-report/v1");
    assert!(outcome["policy"].as_str().expect("a text").starts_with("sha256:"));
    assert!(outcome["files"].as_array().expect("a list").contains(&"out/checksums.txt".into()));
}

#[test]
fn verdict_on_an_artifact_is_found_by_its_digest() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    let build = place.submit("--format json").expect(0).json()["build"].clone();
    let artifact = Digest::of(b"the bytes of a wheel");

    let ask = format!("verdict {artifact} --format json --key data/keys/signer.pub");
    let verdict = place.attestry(&ask).expect(0).json();
    assert_eq!(verdict["build"], build);
    assert_eq!(verdict["result"], "PASSED");
    assert_eq!(verdict["signature_checked"], true);

    let unknown = Digest::of(b"nobody built this");
    let said = place.attestry(&format!("verdict {unknown}")).expect(3);
    said.says(&["no verdict on sha256:", "submit its build"]);
    place.attestry("verdict sha256:beef").expect(2).says(&["sha256:beef"]);
    place.attestry(&format!("verdict {unknown} --wait=1s")).expect(3);
}

#[test]
fn verdict_signed_with_another_key_is_refused() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    let stranger = attestation::SigningKey::generate().expect("a key");
    place.write("stranger.pub", stranger.public_key().to_pem());

    place.submit("--key data/keys/signer.pub").expect(0);
    place.submit("--key stranger.pub").expect(1).says(&["the verdict's signature"]);
}

#[test]
fn build_without_lockfile_is_told_about_it() {
    let place = Place::with_lock(LOCK);
    place.write("empty/README", "nothing");
    let _up = place.up();

    let said = place.attestry("build submit --source empty --artifact app.whl --wait=90s");

    said.says(&["No lockfile", "empty"]);
    assert!([0, 1].contains(&said.code), "judged, one way or the other: {said:?}");
}

#[test]
fn run_of_a_passed_build_is_no_pass_for_other_content() {
    let place = Place::with_lock(LOCK);
    let _up = place.up();
    place.submit("--project app --run 7").expect(0);

    place.write("app.whl", "the bytes of another wheel");

    let said = place.submit("--project app --run 7").expect(2);
    said.says(&["run `7` of app was submitted before with other content", "--run"]);
    assert!(!said.stdout.contains("PASSED"), "{said:?}");
}

#[test]
fn dropped_build_that_is_submitted_again_is_answered_again() {
    let place = Place::with_lock(crate::place::BROKEN_LOCK);
    let _up = place.up();
    place.submit("").expect(2);
    place.attestry("quarantine drop --all").expect(0);

    place.submit("").expect(2).says(&["uv.lock:2"]);
}
