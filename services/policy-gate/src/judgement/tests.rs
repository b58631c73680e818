//! Verdicts on a small build.

use attestation::Trust;
use policy::{CurrentPolicy, Limits};
use serde_json::{Value, json};

use super::*;
use crate::{
    input::Config,
    known::Known,
    trust::CurrentTrust,
    vulnerabilities::tests::{index, index_of_debian, sbom},
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
    let by = by(&settings, &policy);
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
fn a_policy_tells_what_is_sure_from_what_is_not() {
    let place = tempfile::tempdir().expect("temporary");
    std::fs::create_dir(place.path().join("lib")).expect("makes");
    for (path, text) in policy::library() {
        std::fs::write(place.path().join(path), text).expect("writes");
    }
    let judged = |least: &str, purl: &str| {
        let data = place.path().join("data.json");
        let text = std::fs::read_to_string(&data).expect("reads");
        let mut settings: Value = serde_json::from_str(&text).expect("JSON");
        settings["denied_severities"] = json!(["critical"]);
        settings["vulnerabilities"]["minimum_confidence"] = json!(least);
        std::fs::write(&data, settings.to_string()).expect("writes");
        let policy = CurrentPolicy::load(Some(place.path()), Limits::default()).expect("loads");
        let settings = Settings { policy, ..self::settings() };
        let sbom = sbom(&[purl]);
        let evidence = Evidence { sbom: Some((Digest::of(&sbom), sbom.into())), ..evidence() };
        let (policy, now) = (settings.policy.get(), Timestamp::UNIX_EPOCH);
        let by = by(&settings, &policy);
        let report = report_of(Judgement::of(&evidence, Some(&index_of_debian()), &by, now));
        assert!(report.errors.is_empty(), "{}", report.text());
        let told = |list: &[policy::Finding]| {
            let ours = list.iter().filter(|it| it.id == "VULN-001");
            ours.map(|it| it.message.clone()).collect::<Vec<_>>()
        };
        (told(&report.violations), told(&report.warnings))
    };

    let sure = "pkg:deb/debian/left@1.0?distro=debian-12&upstream=left";
    let unsure = "pkg:deb/debian/left@1.0?upstream=left";
    let plain = "CVE-2026-1, severity critical".to_owned();
    let doubted = "CVE-2026-1, severity critical, low confidence (no-release)".to_owned();
    let excused = format!("{doubted}; does not stop the build yet: its confidence is below medium");
    assert_eq!(judged("low", sure), (vec![plain.clone()], vec![]));
    assert_eq!(judged("low", unsure), (vec![doubted], vec![]));
    assert_eq!(judged("medium", sure), (vec![plain], vec![]));
    assert_eq!(judged("medium", unsure), (vec![], vec![excused]));
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

fn report_of(judged: Result<Judgement, HandleError>) -> Report {
    serde_json::from_str(&judged.expect("judges").report).expect("a report")
}

#[test]
fn an_override_passes_whatever_was_found_and_only_for_its_artifact() {
    let settings = settings();
    let policy = settings.policy.get();
    let [issued, now, expires]: [Timestamp; 3] =
        ["2026-12-01T00:00:00Z", "2026-12-01T01:00:00Z", "2026-12-01T02:00:00Z"]
            .map(|it| it.parse().expect("valid"));
    let judged = |artifact: &[u8]| {
        let mut overriding = approved(waivers::EVERY_RULE, issued, expires);
        overriding.waiver.scope.artifact = Some(Digest::of(artifact));
        overriding.waiver.check().expect("sound");
        let by = By { waivers: &[overriding], ..by(&settings, &policy) };
        let judgement = Judgement::of(&evidence(), None, &by, now).expect("judges");
        let summary: Value = serde_json::from_str(&judgement.summary).expect("JSON");
        let overridden = summary["predicate"]["verifier"]["version"]["override"].is_string();
        assert_eq!(overridden, judgement.is_overridden);
        report_of(Ok(judgement))
    };

    let passed = judged(b"left.whl");
    assert_eq!(passed.result, VerdictResult::Passed, "{}", passed.text());
    assert!(passed.waived.iter().any(|it| it.finding.id.starts_with("SIG-")), "{}", passed.text());
    assert!(passed.text().contains("OVERRIDDEN by boss"), "{}", passed.text());
    let failed = judged(b"right.whl");
    assert_eq!((failed.result, failed.overridden), (VerdictResult::Failed, None));
}

#[test]
fn a_warning_mode_softens_all_but_what_is_never_waived() {
    let settings = settings();
    let policy = settings.policy.get();
    let by = By { mode: Mode::Warn, ..by(&settings, &policy) };
    let report = report_of(Judgement::of(&evidence(), None, &by, Timestamp::UNIX_EPOCH));

    assert_eq!(report.result, VerdictResult::Failed, "nobody signed the evidence");
    assert!(report.violations.iter().all(|it| it.id.starts_with("SIG-")), "{}", report.text());
    assert!(report.warnings.iter().any(|it| it.id == "PROV-001"), "{}", report.text());
}

#[test]
fn what_is_known_beside_is_part_of_the_input() {
    let index = index(&[("CVE-2026-1", "CRITICAL", Some("2.0"))]);
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://acme.example/vex/1",
        "author": "Acme", "timestamp": "2026-01-01T00:00:00Z", "version": 1,
        "statements": [{
            "vulnerability": { "name": "CVE-2026-1" }, "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path",
            "products": [{ "@id": "pkg:pypi/left@1.0" }],
        }],
    });
    let read = documents::vex::read(vex.to_string().as_bytes()).expect("reads");
    let mut evidence = evidence();
    let scope = "left".parse().expect("valid");
    let said = Digest::of(b"vex");
    evidence.known.add_vex(&scope, Timestamp::UNIX_EPOCH, said, &read);
    // Another document of the same time about everything: it weighs less, and is shown.
    let mut other = read.clone();
    other.edition = None;
    other.statements[0].status = documents::vex::Status::Affected;
    let everything = events::Scope::of(events::OPERATOR);
    let contradicting = Digest::of(b"other vex");
    evidence.known.add_vex(&everything, Timestamp::UNIX_EPOCH, contradicting, &other);
    let before = sbom(&["pkg:pypi/left@0.9", "pkg:pypi/gone@1.0"]);
    let standing = crate::promoted::Before {
        time: Timestamp::UNIX_EPOCH,
        version: None,
        sbom: Digest::of(&before),
    };
    evidence.known.previous = Some((standing, before.into()));
    evidence.quality = true;

    let judged = input(&evidence, Some(&index), Config::default(), Timestamp::UNIX_EPOCH);
    let judged: Value = serde_json::from_str(&judged.expect("judged").input).expect("JSON");
    let finding = &judged["findings"][0];
    assert_eq!(finding["new"], true);
    assert_eq!(finding["vex"]["status"], "not_affected");
    assert_eq!(finding["vex"]["who"], "operator");
    let shown = json!([{ "status": "affected", "who": "operator", "document": contradicting }]);
    assert_eq!(finding["vex"]["contradicted_by"], shown);
    assert_eq!(judged["environment"], "production");
    assert_eq!(judged["difference"]["changed"][0]["package"], "pkg:pypi/left");
    assert_eq!(judged["difference"]["removed"], json!(["pkg:pypi/gone@1.0"]));
    assert_eq!(judged["vex"][0]["document"], json!(said));
    assert_eq!(judged["vex"][1]["document"], json!(contradicting));
    assert!(judged["quality"]["ntia"]["score"].is_number(), "{}", judged["quality"]);

    evidence.known.previous.as_mut().expect("one stands").1 = sbom(&["pkg:pypi/left@1.0"]).into();
    let judged = input(&evidence, Some(&index), Config::default(), Timestamp::UNIX_EPOCH);
    let judged: Value = serde_json::from_str(&judged.expect("judged").input).expect("JSON");
    assert_eq!(judged["findings"][0]["new"], false);

    let schema = include_str!("../../../../policy/input.schema.json");
    let schema: Value = serde_json::from_str(schema).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let problems: Vec<_> = validator.iter_errors(&judged).map(|it| it.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let strange = json!({ "schema": "attestry.policy-input/v2" });
    assert!(!validator.is_valid(&strange));
}
