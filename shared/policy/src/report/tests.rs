use super::*;

fn finding(severity: Severity, message: &str) -> Finding {
    Finding {
        severity,
        id: "T-1".into(),
        component: Some("pkg:pypi/left@1".into()),
        field: None,
        message: message.into(),
        title: "Title".into(),
        remedy: "Mend it".into(),
        effective_on: None,
        place: None,
        path: vec![],
    }
}

fn report() -> Report {
    Report::new(Digest::of(b"policy"), 3)
}

#[test]
fn no_violation_and_no_error_is_passed() {
    let mut report = report();
    report.warnings = vec![finding(Severity::Low, "hm")];
    report.settle();

    assert_eq!(report.result, VerdictResult::Passed);
}

#[test]
fn a_violation_or_an_error_is_failed() {
    let mut violated = report();
    violated.violations = vec![finding(Severity::Info, "no")];
    violated.settle();
    let mut broken = report();
    broken.fail("broken".into());
    broken.settle();

    assert_eq!(violated.result, VerdictResult::Failed);
    assert_eq!(broken.result, VerdictResult::Failed);
}

#[test]
fn no_rule_asked_is_failed() {
    let mut report = Report::new(Digest::of(b"policy"), 0);
    report.settle();

    assert_eq!(report.result, VerdictResult::Failed);
}

#[test]
fn the_worst_comes_first_and_the_rest_is_counted() {
    let mut report = report();
    report.violations =
        (0..1002).map(|index| finding(Severity::Low, &format!("{index:04}"))).collect();
    report.violations.push(finding(Severity::Critical, "worst"));
    report.settle();

    assert_eq!(report.violations[0].message, "worst");
    assert_eq!((report.violations.len(), report.omitted), (1000, 3));
    assert!(report.text().ends_with("3 more findings are left out\n"));
}

#[test]
fn the_advisory_index_is_named_if_there_was_one() {
    let mut report = report();
    assert!(!report.text().contains("advisories"), "{}", report.text());
    report.advisories =
        Some(AdvisoryIndex { digest: Digest::of(b"index"), records: 7, kev: 1, epss: 2 });

    let line = format!("Matched with 7 advisories: index {}\n", Digest::of(b"index"));
    assert_eq!(report.text().lines().nth(1), Some(line.trim_end()));
    assert!(report.markdown().contains(&format!("\n\n{line}")), "{}", report.markdown());
    let json = serde_json::to_string(&report).expect("serialises");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("reads"), report);
}

#[test]
fn names_from_outside_stay_on_their_line() {
    let mut report = report();
    report.violations = vec![finding(Severity::High, "evil\n\nPASSED \u{1b}[2J\u{202e}| <b> @all")];
    report.settle();

    let text = report.text();
    assert!(
        text.contains("found:     evil\\u{a}\\u{a}PASSED \\u{1b}[2J\\u{202e}| <b> @all\n"),
        "{text}"
    );
    let markdown = report.markdown();
    assert!(!markdown.contains("<b>") && !markdown.contains('@'), "{markdown}");
    assert_eq!(markdown.lines().count(), 5, "{markdown}");
}

#[test]
fn a_text_of_any_length_is_shortened() {
    let mut report = report();
    report.violations = vec![finding(Severity::High, &"ä".repeat(5000))];
    report.settle();

    assert_eq!(report.violations[0].message.chars().count(), 2001);
}

#[test]
fn a_report_survives_a_round_trip_through_json() {
    let mut report = report();
    report.violations = vec![finding(Severity::High, "no")];
    report.settle();
    let json = serde_json::to_string(&report).expect("serialises");

    assert!(
        json.starts_with(r#"{"schema":"attestry.policy-report/v1","result":"FAILED""#),
        "{json}"
    );
    assert_eq!(serde_json::from_str::<Report>(&json).expect("reads"), report);
}

#[test]
fn sarif_is_what_its_schema_asks_for() {
    let schema = include_str!("../../fixtures/sarif-schema-2.1.0.json");
    let schema: serde_json::Value = serde_json::from_str(schema).expect("JSON");
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).expect("a schema");
    let mut full = report();
    full.violations = vec![Finding {
        place: Some(Place { file: "a folder/uv.lock".into(), line: Some(7) }),
        path: vec!["app".into(), "left 1".into()],
        ..finding(Severity::Critical, "bad \u{1b} <b>")
    }];
    full.warnings = vec![finding(Severity::Low, "hm"), finding(Severity::Info, "hm hm")];
    full.errors = vec!["broken".into()];
    for report in [report(), full] {
        let sarif = report.sarif("/dist/sbom file.json");
        let problems: Vec<String> = validator
            .iter_errors(&sarif)
            .map(|it| format!("{}: {it}", it.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{problems:?}");
        let results = sarif["runs"][0]["results"].as_array().expect("a list");
        assert_eq!(results.len(), report.violations.len() + report.warnings.len());
        for result in results {
            let place = &result["locations"][0]["physicalLocation"];
            let uri = place["artifactLocation"]["uri"].as_str().expect("a place");
            assert!(["a%20folder/uv.lock", "dist/sbom%20file.json"].contains(&uri), "{uri}");
        }
    }
}
