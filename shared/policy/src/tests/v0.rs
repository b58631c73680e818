//! Policies in Rego v0 judge the SBOM.

use events::VerdictResult::{Failed, Passed};
use serde_json::{Value, json};

use super::*;

const HOTPASS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hotpass");

/// The input of a build with this SBOM.
fn input(sbom: &Value) -> String {
    json!({ "schema": "attestry.policy-input/v1", "sbom": sbom }).to_string()
}

fn load_v0(rules: &str) -> Result<Bundle, LoadError> {
    load(&[("v0/old.rego", rules)])
}

/// What a policy in Rego v0 says of an empty SBOM.
fn judged(rules: &str) -> Report {
    load_v0(rules).unwrap_or_else(|error| panic!("{error}")).evaluate(&input(&json!({})))
}

fn messages(report: &Report) -> Vec<&str> {
    report.violations.iter().map(|finding| finding.message.as_str()).collect()
}

#[test]
fn the_rule_of_hotpass_judges_its_sbom_as_opa_did() {
    let bundle = Bundle::load(Path::new(HOTPASS), DEFAULT_TIME_LIMIT);
    let bundle = bundle.unwrap_or_else(|error| panic!("{error}"));
    let text = fs::read_to_string(format!("{HOTPASS}/sbom.json")).expect("reads");
    let sbom: Value = serde_json::from_str(&text).expect("is JSON");

    let report = bundle.evaluate(&input(&sbom));
    assert_eq!((report.result, report.rules_evaluated), (Passed, 3), "{}", report.text());
    let mut other = sbom.clone();
    other["metadata"]["component"]["name"] = "coldpass".into();
    let mut empty = sbom;
    empty["components"] = json!([]);
    for spoilt in [other, empty] {
        let report = bundle.evaluate(&input(&spoilt));
        assert_eq!(report.result, Failed);
        let expected = ["SBOM missing Hotpass component entry", "data.hotpass.allow is not true"];
        assert_eq!(messages(&report), expected, "{}", report.text());
        let first = &report.violations[0];
        assert_eq!((first.id.as_str(), first.severity), ("V0-HOTPASS", Severity::High));
        assert_eq!(first.remedy, "See the policy data.hotpass, or rewrite it in Rego v1");
    }
    for missing in [input(&Value::Null), "{}".to_owned()] {
        let report = bundle.evaluate(&missing);
        assert_eq!(report.result, Failed);
        assert_eq!(messages(&report), ["there is no SBOM to judge"], "{}", report.text());
    }
    let again = Files::from_canonical(bundle.canonical()).expect("reads");
    let again = Bundle::checked(&again, DEFAULT_TIME_LIMIT).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(again.evaluate(&input(&json!({}))), bundle.evaluate(&input(&json!({}))));
}

#[test]
fn both_dialects_judge_in_one_bundle_each_by_its_own_input() {
    let new = format!("package attestry.a\n\ndeny contains {FINDING} if input.bad\n");
    let old = "package old.rules\n\ndeny[msg] { input.bad; msg := \"old\" }\n";
    let bundle = load(&[("a.rego", &new), ("v0/old.rego", old)]);
    let bundle = bundle.unwrap_or_else(|error| panic!("{error}"));
    let ids = |document: Value| {
        let report = bundle.evaluate(&document.to_string());
        assert_eq!(report.rules_evaluated, 2);
        report.violations.into_iter().map(|finding| finding.id).collect::<Vec<_>>()
    };

    assert_eq!(ids(json!({ "bad": true, "sbom": {} })), ["T-1"]);
    assert_eq!(ids(json!({ "sbom": { "bad": true } })), ["V0-OLD-RULES"]);
    assert_eq!(ids(json!({ "sbom": {} })), [""; 0]);
}

#[test]
fn what_allow_deny_and_violation_say_becomes_violations() {
    for (rules, expected) in [
        ("allow { input.never }", vec!["data.old.allow is not true"]),
        ("allow = \"yes\" { true }", vec!["data.old.allow is not true"]),
        ("allow { true }", vec![]),
        ("allow { true }\nviolation[{\"msg\": msg, \"x\": 1}] { msg := \"v\" }", vec!["v"]),
        ("deny[msg] { msg := [\"d\", \"e\"][_] }", vec!["d", "e"]),
        ("deny[msg] { input.never; msg := \"d\" }", vec![]),
    ] {
        let report = judged(&format!("package old\n\n{rules}\n"));
        assert_eq!(messages(&report), expected, "{rules}: {}", report.text());
        assert_eq!(report.errors, [""; 0]);
        assert_eq!(report.result == Passed, expected.is_empty());
    }
}

#[test]
fn what_cannot_be_judged_in_rego_v0_is_failed() {
    let rule = "package old\n\nallow { true }\nviolation[x] { x := input.x }\n";
    let bundle = load_v0(rule).unwrap_or_else(|error| panic!("{error}"));
    let report = bundle.evaluate(&input(&json!({ "x": 1 })));

    assert_eq!(report.result, Failed);
    assert!(report.errors[0].contains("holds something that is no text"), "{report:?}");
    let rule = "package old\n\nallow { to_number(input.x) > 1 }\n";
    let report = load_v0(&rule.replace("allow {", "allow { input.x; "))
        .unwrap_or_else(|error| panic!("{error}"))
        .evaluate(&input(&json!({ "x": "y" })));
    assert!(report.errors[0].contains("v0/old.rego:3:"), "{report:?}");
}

#[test]
fn rego_v0_that_could_pass_by_mistake_is_refused() {
    let rule = |body: &str| format!("package old\n\nviolation[msg] {{ {body}; msg := \"m\" }}\n");
    for (text, problem) in [
        ("package attestry.a\n\nallow { true }\n".to_owned(), "may not be Rego v0"),
        ("package old[\"a.b\"]\n\nallow { true }\n".to_owned(), "may not be Rego v0"),
        (
            "package old\n\nalow { true }\n".to_owned(),
            "v0/old.rego:1:1: no policy in `v0/` defines",
        ),
        ("package old\n\nallow if { true }\n".to_owned(), "v0/old.rego:3:1: `allow` is no rule"),
        ("package old\n\ndeny contains \"m\" if { input.x }\n".to_owned(), "Rego v0 is expected"),
        ("package old\n\nallow := true if { input.x }\n".to_owned(), "Rego v0 is expected"),
        (rule("frobnicate(1)"), "v0/old.rego:3:28: `frobnicate` is no known function"),
        (rule("time.now_ns() > 1"), "`time.now_ns` may not be used"),
        (rule("f(1)") + "f(x) { f(x + 1) }\n", "recursion: old.f → old.f"),
        ("package old\n\nviolation[c.x] { c := input.components[_] }\n".to_owned(), "the head of"),
        (
            "package old\n\nviolation = \"x\" { input }\n".to_owned(),
            "`data.old.violation` is not a set",
        ),
    ] {
        let error = load_v0(&text).err().unwrap_or_else(|| panic!("{text}")).to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
    let data = ("data.json", r#"{"old": {"violation": []}}"#);
    let error = load(&[("v0/old.rego", "package old\n\nallow { true }\n"), data]).err();
    assert!(error.expect("is refused").to_string().contains("key `old` is the name of a package"));
}

#[test]
fn a_runaway_policy_in_rego_v0_is_stopped() {
    let rule = "package old\n\nallow { a := input.l[_]; b := input.l[_]; c := input.l[_]; a + b + c == 7000 }\n";
    let bundle = load_v0(rule).unwrap_or_else(|error| panic!("{error}"));
    let numbers: Vec<u32> = (0..2000).collect();
    let report = bundle.evaluate(&input(&json!({ "l": numbers })));

    assert!(report.errors[0].contains("longer than 300 ms"), "{report:?}");
}
