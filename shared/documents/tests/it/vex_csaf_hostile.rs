//! CSAF that is made to take time or memory is refused, or read in little of both.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::vex_csaf::{judge, named, vex};

/// Far more than any of these takes, far less than what is quadratic would.
const PATIENCE: Duration = Duration::from_secs(60);

fn fixed(ids: &[&str]) -> Value {
    json!([{ "cve": "CVE-2026-0001", "product_status": { "fixed": ids } }])
}

fn code(document: &Value) -> &'static str {
    let start = Instant::now();
    let code = judge(document).map_or_else(|error| error.code(), |_| "read");
    assert!(start.elapsed() < PATIENCE, "{:?}", start.elapsed());
    code
}

fn nested(depth: usize) -> Value {
    let leaf = json!([{ "category": "product_version", "name": "1", "product": named("A", "pkg:pypi/a@1") }]);
    let tree = (0..depth).fold(
        leaf,
        |inner, _| json!([{ "category": "product_family", "name": "f", "branches": inner }]),
    );
    vex(&json!({ "branches": tree }), &fixed(&["A"]))
}

#[test]
fn branches_are_read_as_deep_as_json_is() {
    assert_eq!(code(&nested(25)), "read");
    assert_eq!(code(&nested(40)), "too-deep");
    let open = "{\"branches\":[".repeat(100_000);
    let text = format!("{{\"document\":{{\"csaf_version\":\"2.0\"}},\"product_tree\":{open}");
    assert_eq!(documents::vex::read(text.as_bytes()).unwrap_err().code(), "too-deep");
}

/// A chain: each relationship refers to the one before.
fn chain(length: usize, first: &str) -> Value {
    let id = |nth: usize| if nth == 0 { first.to_owned() } else { format!("r{nth}") };
    let relationships = (1..=length).map(|nth| {
        json!({ "category": "installed_on", "full_product_name": { "name": "n", "product_id": id(nth) },
                "product_reference": id(nth - 1), "relates_to_product_reference": "B" })
    });
    let relationships: Vec<_> = relationships.collect();
    let names = [named("A", "pkg:pypi/a@1"), named("B", "pkg:pypi/b@1")];
    vex(&json!({ "full_product_names": names, "relationships": relationships }), &fixed(&["A"]))
}

#[test]
fn chains_and_circles_of_relationships_take_no_stack_and_little_time() {
    assert_eq!(code(&chain(50_000, "A")), "read");
    // The first refers to the last.
    assert_eq!(code(&chain(50_000, "r50000")), "unsound");
}

#[test]
fn a_million_relationships_are_refused_before_they_are_kept() {
    let relationship = r#"{"category":"installed_on","full_product_name":{"name":"n","product_id":"r"},"product_reference":"A","relates_to_product_reference":"A"},"#;
    let read = |count: usize| {
        let relationships = relationship.repeat(count);
        let relationships = relationships.trim_end_matches(',');
        let text = format!(
            r#"{{"document":{{"csaf_version":"2.0"}},"product_tree":{{"relationships":[{relationships}]}}}}"#
        );
        documents::vex::read(text.as_bytes()).unwrap_err().code()
    };
    assert_eq!(read(1_000_000), "too-large");
    assert_eq!(read(400_000), "too-many-values");
}

#[test]
fn a_product_defined_again_and_again_is_told_of_twenty_times() {
    let names: Vec<_> = (0..50_000).map(|_| named("A", "pkg:pypi/a@1")).collect();
    let document = vex(&json!({ "full_product_names": names }), &fixed(&["A"]));
    let error = judge(&document).unwrap_err();
    assert_eq!(error.code(), "unsound");
    assert_eq!(error.to_string().matches("6.1.2").count(), 20);
    assert!(error.to_string().len() < 5_000);
}

#[test]
fn huge_texts_are_shortened_where_they_are_told() {
    let id = "x".repeat(5_000_000);
    let document =
        vex(&json!({ "full_product_names": [named("A", "pkg:pypi/a@1")] }), &fixed(&[&id]));
    let message = judge(&document).unwrap_err().to_string();
    assert!(message.contains("is no product of the tree") && message.len() < 500, "{message:.600}");
    let purl = format!("pkg:pypi/{}", "a".repeat(5_000_000));
    let names = [named("A", &purl), named("B", "pkg:pypi/b@1")];
    assert_eq!(code(&vex(&json!({ "full_product_names": names }), &fixed(&["A", "B"]))), "read");
}

/// `count` vulnerabilities of which one thing is said of the products of one group.
fn grouped(members: usize, count: usize) -> Value {
    let ids: Vec<_> = (0..members).map(|nth| format!("p{nth}")).collect();
    let names: Vec<_> = ids.iter().map(|id| named(id, "pkg:pypi/a@1")).collect();
    let threat = json!({ "category": "impact", "details": "none", "group_ids": ["G"] });
    let said = json!({ "cve": "CVE-2026-0001", "threats": [threat], "product_status": { "known_not_affected": ["p0"] } });
    let tree = json!({ "full_product_names": names, "product_groups": [{ "group_id": "G", "product_ids": ids }] });
    vex(&tree, &Value::from(vec![said; count]))
}

#[test]
fn groups_are_not_multiplied_without_limit() {
    assert_eq!(code(&grouped(1_000, 150)), "read");
    assert_eq!(code(&grouped(1_000, 250)), "too-many-values");
    assert_eq!(code(&grouped(20_000, 20_000)), "too-many-values");
}

#[test]
fn long_names_and_texts_are_not_multiplied_without_limit() {
    let purl = format!("pkg:pypi/{}@1", "a".repeat(2_000));
    let tree = json!({ "full_product_names": [named("A", &purl)] });
    let said = |count: usize| {
        let one = json!({ "cve": "CVE-2026-0001", "product_status": { "fixed": ["A"] } });
        code(&vex(&tree, &Value::from(vec![one; count])))
    };
    assert_eq!(said(8_000), "read");
    assert_eq!(said(9_000), "too-many-values");

    // One text, in a statement for each of many flags.
    let ids: Vec<_> = (0..5_000).map(|nth| format!("p{nth}")).collect();
    let names: Vec<_> = ids.iter().map(|id| named(id, "pkg:pypi/a@1")).collect();
    let flags: Vec<_> = ids
        .iter()
        .map(|id| json!({ "label": "component_not_present", "product_ids": [id] }))
        .collect();
    let threat = json!({ "category": "impact", "details": "x".repeat(10_000), "product_ids": ids });
    let said = json!([{ "cve": "CVE-2026-0001", "flags": flags, "threats": [threat], "product_status": { "known_not_affected": ids } }]);
    assert_eq!(code(&vex(&json!({ "full_product_names": names }), &said)), "too-many-values");
}
