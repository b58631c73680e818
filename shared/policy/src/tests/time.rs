//! How long judging takes.

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
