//! Verdicts on a small build.

use attestation::Trust;
use policy::{CurrentPolicy, Limits};
use serde_json::{Value, json};

use super::*;
use crate::{
    input::Config,
    known::Known,
    trust::CurrentTrust,
    vulnerabilities::tests::{index, sbom},
};

fn evidence() -> Evidence {
    let digest = Digest::of(b"left.whl");
    let build = json!({
        "project": "left",
        "kind": "release",
        "run": "1",
        "builder": { "id": "https://ci.example/builder" },
        "artifacts": [{ "name": "left.whl", "digest": digest, "size": 8 }],
    });
    let sbom = sbom(&["pkg:pypi/left@1.0"]);
    Evidence {
        build: serde_json::from_value(build).expect("a build"),
        sbom: Some((Digest::of(&sbom), sbom.into())),
        provenance: None,
        comparison: None,
        signatures: vec![],
        bundles: vec![],
        environment: Environment::Production,
        known: Known::default(),
        quality: false,
    }
}

fn by<'a>(settings: &'a Settings, policy: &'a Evaluator) -> By<'a> {
    By { settings, policy, waivers: &[], shadow: None, mode: Mode::Enforce, supersedes: None }
}

fn settings() -> Settings {
    Settings {
        policy: CurrentPolicy::load(None, Limits::default()).expect("loads"),
        trust: CurrentTrust::Fixed(Trust::new()),
        config: Config::default(),
        advisories: None,
        waivers: None,
        modes: None,
        shadow: None,
        judge_again: None,
    }
}

/// The report and the summary of a judgement with `index`.
fn judged(index: Option<&Index>) -> (Report, Value) {
    let settings = settings();
    let policy = settings.policy.get();
    let by = By { waivers: &[], ..by(&settings, &policy) };
    let judged = Judgement::of(&evidence(), index, &by, Timestamp::UNIX_EPOCH);
    let judged = judged.expect("judges");
    let read = |text| serde_json::from_str(text).expect("JSON");
    (serde_json::from_str(&judged.report).expect("a report"), read(&judged.summary))
}

#[test]
fn what_advisories_say_is_judged_and_their_index_named() {
    let index = index(&[("CVE-2026-1", "CRITICAL", Some("2.0"))]);
    let (report, summary) = judged(Some(&index));

    assert!(report.errors.is_empty(), "{}", report.text());
    let warned = report.warnings.iter().find(|it| it.id == "VULN-001").expect("a warning");
    assert_eq!(warned.component.as_deref(), Some("pkg:pypi/left@1.0"));
    assert!(warned.message.contains("CVE-2026-1"), "{}", warned.message);
    assert!(warned.remedy.contains("2.0"), "{}", warned.remedy);
    assert!(report.infos.iter().all(|it| it.id != "VULN-002"), "{}", report.text());
    assert_eq!(report.advisories, Some(named(&index)));
    let version = &summary["predicate"]["verifier"]["version"];
    assert_eq!(version["advisories"], json!(index.digest()));
}

#[test]
fn a_build_that_was_matched_with_nothing_says_so() {
    let (report, summary) = judged(None);

    assert!(report.errors.is_empty(), "{}", report.text());
    assert!(report.infos.iter().any(|it| it.id == "VULN-002"), "{}", report.text());
    assert!(report.warnings.iter().all(|it| it.id != "VULN-001"), "{}", report.text());
    assert_eq!(report.advisories, None);
    assert_eq!(summary["predicate"]["verifier"]["version"]["advisories"], Value::Null);
}

fn approved(rule: &str, issued: Timestamp, expires: Timestamp) -> waivers::Approved {
    let scope = waivers::Scope {
        rule: rule.to_owned(),
        component: None,
        vulnerability: None,
        project: Some("left".to_owned()),
        artifact: None,
    };
    let (owner, requested_by, reason) = ("team".into(), "dev".into(), "tried".into());
    let waiver = waivers::Waiver {
        schema: waivers::Schema::V1,
        owner,
        requested_by,
        reason,
        scope,
        issued,
        expires,
        renewal: 0,
    };
    waivers::Approved { waiver, id: Digest::of(rule.as_bytes()), approver: "boss".to_owned() }
}

#[test]
fn a_waiver_counts_to_the_second_and_the_denial_stays_on_record() {
    let settings = settings();
    let policy = settings.policy.get();
    let [issued, expires]: [Timestamp; 2] =
        ["2026-12-01T00:00:00Z", "2026-12-31T00:00:00Z"].map(|it| it.parse().expect("valid"));
    let denied = |now| {
        let by = By { waivers: &[], ..by(&settings, &policy) };
        let judged = Judgement::of(&evidence(), None, &by, now).expect("judges");
        serde_json::from_str::<Report>(&judged.report).expect("a report").violations
    };
    let violations = denied(issued);
    let judged = |now: Timestamp| {
        let all = violations.iter().map(|it| approved(&it.id, issued, expires));
        let active: Vec<_> = all.filter(|it| it.waiver.is_active(now)).collect();
        let by = By { waivers: &active, ..by(&settings, &policy) };
        let judged = Judgement::of(&evidence(), None, &by, now).expect("judges");
        serde_json::from_str::<Report>(&judged.report).expect("a report")
    };

    let second = jiff::SignedDuration::from_secs(1);
    let before = judged(expires - second);
    assert_eq!(before.result, VerdictResult::Passed, "{}", before.text());
    assert_eq!(before.waived.len(), violations.len());
    assert!(before.waived.iter().all(|it| it.grant.approver == "boss"));
    let after = judged(expires);
    assert_eq!((after.result, after.waived.len()), (VerdictResult::Failed, 0));
    assert_eq!(judged(issued).result, VerdictResult::Passed);
    assert_eq!(judged(issued - second).result, VerdictResult::Failed);
}
