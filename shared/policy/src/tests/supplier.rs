//! Suppliers' documents are judged by rules of their own.

use events::VerdictResult::{Failed, Passed};

use super::*;

/// A bundle whose package `attestry.sbom` has these rules beside a `deny`.
fn load_sbom(rules: &str) -> Result<Bundle, LoadError> {
    let text =
        format!("package attestry.sbom\n\ndeny contains {FINDING} if input.bad_build\n{rules}\n");
    load(&[("sbom.rego", &text)])
}

fn sbom(rules: &str) -> Bundle {
    load_sbom(rules).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn builds_and_suppliers_are_asked_by_their_own_rules_only() {
    let bundle = sbom(&format!(
        "supplier contains {FINDING} if input.bad\nsupplier_warn contains {FINDING} if input.odd"
    ));
    let everything = r#"{"bad": true, "odd": true}"#;

    let build = bundle.evaluate(everything);
    assert_eq!((build.result, build.rules_evaluated, build.warnings.len()), (Passed, 1, 0));
    let supplier = bundle.evaluate_supplier(everything);
    assert_eq!((supplier.result, supplier.rules_evaluated), (Failed, 2));
    assert_eq!((supplier.violations.len(), supplier.warnings.len()), (1, 1));
    let build = bundle.evaluate(r#"{"bad_build": true}"#);
    assert_eq!((build.result, build.violations.len()), (Failed, 1));
    assert_eq!(bundle.evaluate_supplier(r#"{"bad_build": true}"#).result, Passed);
}

#[test]
fn a_policy_without_supplier_rules_judges_builds_and_fails_every_supplier() {
    let bundle = sbom("");

    assert_eq!(bundle.evaluate("{}").result, Passed);
    let report = bundle.evaluate_supplier("{}");
    assert_eq!((report.result, report.rules_evaluated), (Failed, 0));
    assert!(report.errors[0].contains("no rule set `data.attestry.sbom.supplier`"), "{report:?}");
}

#[test]
fn supplier_rules_that_could_refuse_nothing_are_refused() {
    let error = load_sbom(&format!("supplier_warn contains {FINDING} if input.odd")).err();

    let error = error.expect("is refused").to_string();
    assert!(error.contains("no rule set `data.attestry.sbom.supplier`"), "{error}");
}

#[test]
fn a_bundle_of_supplier_rules_alone_is_refused() {
    let rules = format!("package attestry.sbom\n\nsupplier contains {FINDING} if input.bad\n");

    assert!(matches!(load(&[("sbom.rego", &rules)]), Err(LoadError::Empty)));
}

#[test]
fn supplier_rules_elsewhere_are_refused() {
    let rules = format!("deny contains {FINDING} if input.bad\nsupplier contains {FINDING} if 1");
    let error = refusal(&rules);

    assert!(error.starts_with("a.rego:4:1: rule `attestry.a.supplier` is used by no"), "{error}");
}

#[test]
fn a_package_may_judge_suppliers_alone() {
    let files = [
        ("a.rego", format!("package attestry.a\n\ndeny contains {FINDING} if input.bad\n")),
        ("s.rego", format!("package attestry.sbom\n\nsupplier contains {FINDING} if input.bad\n")),
    ];
    let bundle = load(&files.each_ref().map(|(name, text)| (*name, text.as_str())));

    let report = bundle.unwrap_or_else(|error| panic!("{error}")).evaluate_supplier("{}");
    assert_eq!((report.result, report.rules_evaluated), (Passed, 1));
}

#[test]
fn supplier_rules_of_another_form_are_refused_at_load() {
    for (rules, problem) in [
        ("supplier := true if input.schema", "`data.attestry.sbom.supplier` is not a set"),
        ("supplier := set() if input.nothing", "`data.attestry.sbom.supplier` is undefined"),
        ("supplier contains \"no\" if input.schema", "holds something that is no finding"),
        ("supplier contains 1 if to_number(input.schema) > 1", "sbom.rego:4:"),
    ] {
        let error = load_sbom(rules).err().expect("is refused").to_string();
        assert!(error.contains(problem), "{rules}: {error}");
    }
}

#[test]
fn a_supplier_document_that_cannot_be_judged_is_failed() {
    let bundle = sbom(
        "supplier := set() if not input.odd\nsupplier := true if input.odd == 1\nsupplier := {1} if input.odd == 2",
    );
    for (input, problem) in [
        (r#"{"odd": 1}"#, "is not a set"),
        (r#"{"odd": 2}"#, "is no finding"),
        (r#"{"odd": 3}"#, "is undefined"),
        (r#"{"odd": 3, "odd": 3}"#, "stands twice"),
    ] {
        let report = bundle.evaluate_supplier(input);
        assert_eq!(report.result, Failed);
        assert!(report.errors[0].contains(problem), "{report:?}");
    }
}

#[test]
fn a_runaway_supplier_rule_is_stopped() {
    let bundle = sbom(&format!(
        "supplier contains {FINDING} if {{ some a in input.l; some b in input.l; some c in input.l; a + b + c == 7000 }}"
    ));
    let numbers: Vec<u32> = (0..2000).collect();
    let report = bundle.evaluate_supplier(&format!("{{\"l\": {numbers:?}}}"));

    assert_eq!(report.result, Failed);
    assert!(report.errors[0].contains("longer than 300 ms"), "{report:?}");
}

#[test]
fn findings_may_name_the_field() {
    let placed = FINDING.replace("\"message\"", "\"field\": \"/metadata\", \"message\"");
    let bundle = sbom(&format!("supplier contains {placed} if input.bad"));
    let report = bundle.evaluate_supplier(r#"{"bad": true}"#);

    assert_eq!(report.violations[0].field.as_deref(), Some("/metadata"));
    assert!(report.text().contains("field:     /metadata\n"), "{}", report.text());
    let json = serde_json::to_string(&report).expect("serialises");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("reads"), report);
}

/// The library judges the documented sample: signed by a development key, with a problem.
#[test]
fn the_sample_is_refused_for_what_is_wrong_with_it() {
    let bundle = Bundle::shipped(DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}"));
    let report = bundle.evaluate_supplier(SUPPLIER_SAMPLE);

    let ids: Vec<&str> = report.violations.iter().map(|finding| finding.id.as_str()).collect();
    assert_eq!(ids, ["SUP-005", "SUP-014"], "{}", report.text());
    assert_eq!(bundle.evaluate(SUPPLIER_SAMPLE).result, Failed);
    assert_eq!(bundle.evaluate_supplier(BUILD_SAMPLE).result, Failed);
}

#[test]
fn a_supplier_document_of_5000_components_is_judged_in_measured_time() {
    let bundle = Bundle::shipped(DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}"));
    let mut input: serde_json::Value = serde_json::from_str(SUPPLIER_SAMPLE).expect("parses");
    input["signature"]["development_key"] = false.into();
    input["document"]["problems"] = serde_json::json!([]);
    input["document"]["problem_count"] = 0.into();
    let component = |index: usize| {
        let (name, version) = (format!("package-{index}"), format!("1.{index}.0"));
        let purl = format!("pkg:pypi/{name}@{version}");
        serde_json::json!({"ref": purl, "name": name, "version": version, "purl": purl})
    };
    input["document"]["components"] = (0..5000).map(component).collect();
    let begun = Instant::now();
    let report = bundle.evaluate_supplier(&input.to_string());

    println!("5000 components of a supplier: {:?}", begun.elapsed());
    assert_eq!(report.result, Passed, "{}", report.text());
}
