//! How long judging takes, and rules that begin to deny at a time.

use super::*;

#[test]
fn an_sbom_of_5000_components_is_judged_in_measured_time() {
    let library = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy"));
    let begun = Instant::now();
    let bundle =
        Bundle::load(library, DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}"));
    println!("load: {:?}", begun.elapsed());
    for count in [200, 5000] {
        let input = large_input(count);
        let begun = Instant::now();
        json::parse(&input).expect("parses");
        let parsed = begun.elapsed();
        let begun = Instant::now();
        let report = bundle.evaluate(&input);
        println!(
            "{count} components, {} bytes: parse {parsed:?}, all {:?}",
            input.len(),
            begun.elapsed()
        );
        assert_eq!(report.result, Passed, "{}", report.text());
    }
}

#[test]
fn two_thousand_vulnerabilities_are_judged_in_measured_time() {
    let bundle = Bundle::shipped(DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}"));
    let mut input: serde_json::Value = serde_json::from_str(&large_input(200)).expect("parses");
    let vulnerability = |index: usize| {
        let purl = format!("pkg:pypi/package-{}@1.0", index % 200);
        serde_json::json!({"id": format!("CVE-2026-{index}"), "aliases": [], "severity": "high", "purl": purl, "fixed": "2.0"})
    };
    input["findings"] = (0..2_000).map(vulnerability).collect();
    input["finding_count"] = 10_000.into();
    let begun = Instant::now();
    let report = bundle.evaluate(&input.to_string());

    println!("2,000 vulnerabilities: {:?}", begun.elapsed());
    assert_eq!(report.result, Passed, "{:?}", report.errors);
    assert!(report.omitted >= 1_000, "{}", report.omitted);
}

#[test]
fn a_rule_denies_from_its_time_on_to_the_second() {
    let finding =
        FINDING.replace("\"id\"", "\"effective_on\": \"2027-01-01T01:00:00+01:00\", \"id\"");
    let files = [
        ("a.rego", format!("package attestry.a\n\ndeny contains {finding} if true\n")),
        ("s.rego", format!("package attestry.sbom\n\nsupplier contains {finding} if true\n")),
    ];
    let bundle = load(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    let bundle = bundle.unwrap_or_else(|error| panic!("{error}"));
    for judge in [Bundle::evaluate, Bundle::evaluate_supplier] {
        let before = judge(&bundle, r#"{"time": "2026-12-31T23:59:59Z"}"#);
        assert_eq!((before.result, before.violations.len()), (Passed, 0));
        assert_eq!(before.warnings[0].message, "m (denies from 2027-01-01T00:00:00Z)");
        assert_eq!(before, judge(&bundle, r#"{"time": "2026-12-31T23:59:59Z"}"#));
        let json = serde_json::to_string(&before).expect("writes");
        assert_eq!(serde_json::from_str::<Report>(&json).expect("reads"), before);
        for input in [
            r#"{"time": "2027-01-01T00:00:00Z"}"#,
            r#"{"time": "2027-01-01T00:00:01Z"}"#,
            r#"{"time": "tomorrow"}"#,
            r#"{"time": 1}"#,
            "{}",
        ] {
            let report = judge(&bundle, input);
            assert_eq!((report.result, report.warnings.len()), (Failed, 0), "{input}");
            assert_eq!(report.violations[0].message, "m", "{input}");
        }
    }
}

#[test]
fn a_time_that_is_none_is_no_reason_to_pass() {
    let finding = FINDING.replace("\"id\"", "\"effective_on\": \"next year\", \"id\"");
    let error = refusal(&format!("deny contains {finding} if true"));

    assert!(error.contains("holds something that is no finding"), "{error}");
}

/// The sample with as many components.
fn large_input(count: usize) -> String {
    let mut input: serde_json::Value = serde_json::from_str(BUILD_SAMPLE).expect("parses");
    let component = |index: usize| {
        let purl = format!("pkg:pypi/package-{index}@1.{index}.0");
        let digest = Digest::of(purl.as_bytes()).hex();
        serde_json::json!({
            "bom-ref": purl, "type": "library", "name": format!("package-{index}"),
            "version": format!("1.{index}.0"), "purl": purl,
            "licenses": [{"license": {"id": "MIT"}}],
            "hashes": [{"alg": "SHA-256", "content": digest}],
        })
    };
    let components = input["sbom"]["components"].as_array_mut().expect("is an array");
    components.extend((0..count).map(component));
    let (first, all) = (components.len() - count, components.len());
    let mit = serde_json::json!({"components": (first..all).collect::<Vec<_>>(), "alternatives": [["MIT"]]});
    input["index"]["licenses"] = serde_json::json!({ "MIT": mit });
    input["signatures"] = serde_json::json!([
        {"predicate_type": "https://slsa.dev/provenance/v1", "verified": true, "development_key": false},
        {"predicate_type": "https://in-toto.io/attestation/reference/v0.1", "verified": true, "development_key": false},
    ]);
    let commit = serde_json::json!({"digest": {"gitCommit": input["build"]["source"]["commit"]}});
    let resolved = &mut input["provenance"]["predicate"]["buildDefinition"]["resolvedDependencies"];
    resolved.as_array_mut().expect("is an array").push(commit);
    input.to_string()
}
