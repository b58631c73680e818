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
    place.attestry("policy test --run without_one").expect(0).says(&["1 of 1 tests passed"]);
    place.attestry("policy test --run no_such_test").expect(2).says(&["no_such_test"]);
    place.attestry("policy test --coverage").expect(0).says(&["acme.rego: 100% covered"]);
    let little = place.attestry("policy test --coverage --threshold 90 --format json").expect(1);
    little.says(&["and not 90%"]);
    assert!(little.json_lines().iter().any(|it| it["coverage"].is_f64()));

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

#[test]
#[allow(clippy::disallowed_methods, reason = "a waiver is about now")]
fn a_waiver_of_an_approver_lets_a_build_pass_until_it_is_revoked() {
    let place = Place::with_lock(LOCK);
    place.attestry("policy new acme").expect(0);
    let approver = attestation::SigningKey::generate().expect("a key");
    place.write("data/boss.pub", approver.public_key().to_pem());
    place.write("data/approvers.toml", "[[keys]]\nlabel = \"boss\"\nfile = \"boss.pub\"\n");
    let up = place.up_with(&["--policy", "policy"]);
    place.submit("--run 1").expect(1).says(&["ACME-001"]);

    let asked = "--owner team --reason tried --rule ACME-001 --development-key boss.pem";
    let expires = "--expires 2020-01-01";
    place
        .attestry(&format!("waiver add {asked} --requested-by dev {expires}"))
        .expect(2)
        .says(&["90 days"]);
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24);
    let add = |who: &str| {
        let words =
            format!("waiver add {asked} --requested-by {who} --expires {soon} --format json");
        place.attestry(&words).expect(0).json()["id"].as_str().expect("an id").to_owned()
    };
    // Somebody who may not, for the key is made on first use.
    let stranger = add("dev");
    place.attestry("waiver list --approvers data/approvers.toml").expect(0).says(&["invalid"]);
    place.submit("--run 2").expect(1).says(&["ACME-001"]);
    place.attestry(&format!("waiver revoke {stranger}")).expect(0);

    place.write("data/boss.pub", place.read("boss.pem.pub"));
    let id = add("dev");
    place
        .attestry("waiver list --approvers data/approvers.toml")
        .expect(0)
        .says(&["active", "boss", &id]);
    place.submit("--run 3").expect(0).says(&["PASSED", "1 waived", "by:        boss"]);
    // It ends within two weeks.
    let report = place.attestry("waiver report").expect(1);
    report.says(&["active, expiring", "excepted something of app"]);
    place.attestry(&format!("waiver revoke {}", &id[..20])).expect(0);
    place.submit("--run 4").expect(1).says(&["ACME-001"]);
    up.terminate();
}
