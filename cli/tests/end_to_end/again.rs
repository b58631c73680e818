//! Verdicts that are asked for again, and how much a denial counts.

use ::events::Digest;

use crate::place::{LIMIT, LOCK, Place};

/// Asks until the answer has these words.
fn until(place: &Place, command: &str, words: &[&str]) -> crate::place::Said {
    let started = std::time::Instant::now();
    loop {
        let said = place.attestry(command);
        if words.iter().all(|it| said.stdout.contains(it)) {
            return said;
        }
        assert!(started.elapsed() < LIMIT, "`{command}` never said {words:?}: {said:?}");
    }
}

#[test]
fn what_was_promoted_is_judged_again_when_the_policy_changes_and_once_for_each_change() {
    let place = Place::with_lock(LOCK);
    place.attestry("policy new acme").expect(0);
    let denying = place.read("policy/acme.rego");
    let rule = denying.replace("deny contains", "warn contains");
    place.write("policy/acme.rego", &rule);
    let up = place.up_with(&["--policy", "policy", "--judge-again", "1"]);
    let digest = Digest::of(b"the bytes of a wheel");

    place.submit("--kind release").expect(0).says(&["PASSED"]);
    place.attestry("verdict --promoted").expect(0).says(&["PASSED", "app"]);
    place.write("policy/acme.rego", &denying);
    let failing = until(&place, "verdict --promoted", &["FAILED", "though it was promoted"]);
    failing.expect(1);
    let said = until(&place, &format!("verdict {digest}"), &["FAILED", "Supersedes"]);
    said.expect(1).says(&["ACME-001"]);

    place.write("policy/acme.rego", &rule);
    until(&place, "verdict --promoted", &["PASSED"]).expect(0);
    // Both verdicts are signed, and theirs is a story each, with the artifact in it.
    let told =
        until(&place, &format!("explain {digest}"), &["FAILED", "PASSED", "asked for again"]);
    told.expect(0);
    place.attestry("doctor").expect(0);
    up.terminate();
}

#[test]
fn a_release_goes_on_from_staging_to_production_when_it_is_asked_for() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    let digest = Digest::of(b"the bytes of a wheel");
    place.submit("--kind release --environment staging").expect(0);
    place.attestry("verdict --promoted").expect(0).says(&[]);
    place.attestry(&format!("verdict {digest} --for staging")).expect(0);
    place.attestry(&format!("verdict {digest} --for production")).expect(3).says(&["production"]);

    let asked = format!("verdict {digest} --again --environment production --wait");
    place.attestry(&asked).expect(0).says(&["Supersedes", "PASSED"]);
    place.attestry(&format!("verdict {digest} --for production")).expect(0);
    place.attestry("verdict --promoted").expect(0).says(&["PASSED", "app"]);
    place.attestry("verdict --promoted --again").expect(0).says(&["Asked"]);
    let unknown = Digest::of(b"unknown");
    place.attestry(&format!("verdict {unknown} --again")).expect(3).says(&["submit its build"]);
    up.terminate();
}

#[test]
fn a_pull_request_is_never_judged_for_production() {
    let place = Place::with_lock(LOCK);
    let up = place.up();
    let digest = Digest::of(b"the bytes of a wheel");
    place.submit("--kind pr --environment production").expect(2).says(&["--kind release"]);
    place.submit("--kind pr").expect(0);
    let asked = format!("verdict {digest} --again --environment production --wait");
    place.attestry(&asked).expect(0);
    place.attestry(&format!("verdict {digest} --for production")).expect(3);
    place.attestry("verdict --promoted").expect(0);
    assert!(place.attestry("verdict --promoted").stdout.is_empty());
    up.terminate();
}

#[test]
#[allow(clippy::disallowed_methods, reason = "an override is about now")]
fn modes_shadow_and_override_say_so_in_the_report() {
    let place = Place::with_lock(LOCK);
    place.attestry("policy new acme").expect(0);
    place.attestry("policy new acme --policy shadow").expect(0);
    let strict = place.read("shadow/acme.rego");
    place.write("shadow/acme.rego", strict.replace("The version is told", "Another title"));
    place.write(
        "modes.toml",
        "[[mode]]\nproject = \"soft*\"\nmode = \"warn\"\n\n[[mode]]\nproject = \"new\"\nmode = \"dry-run\"\n",
    );
    place.write("data/approvers.toml", "[[keys]]\nlabel = \"boss\"\nfile = \"boss.pub\"\n");
    let boss = attestation::SigningKey::generate().expect("a key");
    place.write("data/boss.pub", boss.public_key().to_pem());
    let settings = ["--policy", "policy", "--modes", "modes.toml", "--shadow-policy", "shadow"];
    let up = place.up_with(&settings);

    let failed = place.submit("--project app --run 1").expect(1);
    failed.says(&[
        "violation: ACME-001",
        "Shadow policy",
        "would say FAILED; 1 new denial, 1 gone",
    ]);
    let warned = place.submit("--project software --run 1").expect(0);
    warned.says(&["PASSED", "Mode warn", "warning: ACME-001"]);
    let dry = place.submit("--project new --run 1").expect(0);
    dry.says(&["FAILED", "Mode dry-run", "violation: ACME-001"]);

    let digest = Digest::of(b"the bytes of a wheel");
    let words = "--owner team --requested-by dev --reason outage --development-key boss.pem";
    let hours = |hours| jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
    let add = |artifact: &str, hours_on: i64| {
        let expires = hours(hours_on);
        place.attestry(&format!("waiver add --break-glass {artifact} {words} --expires {expires}"))
    };
    add("", 2).expect(2).says(&["--artifact"]);
    add(&format!("--artifact {digest}"), 48).expect(2).says(&["24 hours"]);
    add(&format!("--artifact {digest}"), 2).expect(0);
    place.submit("--project app --run 2").expect(1);
    place.write("data/boss.pub", place.read("boss.pem.pub"));
    let passed = place.submit("--project app --run 3").expect(0);
    passed.says(&["PASSED", "OVERRIDDEN by boss", "waived: ACME-001"]);
    up.terminate();
}
