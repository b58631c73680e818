//! `attestry policy`: writing, trying and repeating judgements.

use ::events::Digest;
use serde_json::Value;

use crate::place::{LOCK, Place};

#[test]
fn a_new_policy_passes_its_tests_until_its_rule_is_gone() {
    let place = Place::with_lock(LOCK);
    place.attestry("policy new acme").expect(0).says(&["acme.rego", "acme_test.rego", "data.json"]);
    place.attestry("policy test").expect(0).says(&["2 of 2 tests passed"]);
    let lines = place.attestry("policy test --format json").expect(0).json_lines();
    assert!(lines.iter().all(|it| it["passed"] == true), "{lines:?}");

    let rule = place.read("policy/acme.rego");
    place.write("policy/acme.rego", rule.replace("not lib.has", "lib.has"));
    place.attestry("policy test").expect(1).says(&["acme_test.rego:7:1", "is not true"]);
    place.write("policy/acme.rego", rule.replace("deny contains", "denied contains"));
    place.attestry("policy eval --sbom app.whl --policy policy").expect(2);
    place.attestry("policy new acme").expect(2).says(&["exists"]);
    place.attestry("policy new Acme").expect(2).says(&["lower-case"]);
    place.attestry("policy test app").expect(2).says(&["no test"]);
}

#[test]
fn a_judgement_is_repeated_and_another_policy_shows_what_it_would_say() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    let sarif = place.submit("--out out --report sarif").expect(0).json();
    assert_eq!(sarif["runs"][0]["properties"]["verdict"], "PASSED");
    let digest = Digest::of(b"the bytes of a wheel");

    let same = place.attestry(&format!("policy replay {digest}")).expect(0);
    same.says(&["then  PASSED", "now   PASSED", "the same in every finding"]);
    place.attestry("policy new acme --policy strict").expect(0);
    let replay = format!("policy replay {digest} --policy strict --format json");
    let stricter = place.attestry(&replay).expect(1).json();
    assert_eq!(
        (&stricter["same"], &stricter["now"]["result"]),
        (&Value::Bool(false), &"FAILED".into())
    );
    assert_eq!(stricter["new"][0]["id"], "ACME-001");
    up.terminate();

    let eval =
        "policy eval --sbom out/sbom/app-sbom.json --provenance out/provenance/provenance.json";
    let judged = place.attestry(eval).expect(0);
    judged.says(&["PASSED", "signatures are taken for granted"]);
    place.attestry(&format!("{eval} --policy strict")).expect(1).says(&["ACME-001"]);
    let unproven =
        place.attestry("policy eval --sbom out/sbom/app-sbom.json --report json").expect(1);
    assert!(unproven.stdout.contains("PROV-001"), "{}", unproven.stdout);
}
