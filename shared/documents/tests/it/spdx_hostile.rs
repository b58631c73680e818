//! SPDX that means harm: refused or told, in bounded time and memory.

use std::collections::BTreeMap;

use documents::bom::{Bom, BomError, MAX_PURL_BYTES, read};
use documents::schema::{MAX_DEPTH, MAX_DOCUMENT_BYTES};
use serde_json::{Value, json};

use crate::fixture;
use crate::samples::mutate_often;
use crate::spdx_read::{document, package, purl, read_value};

const TEXT: &str = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: x\n\
    DocumentNamespace: https://acme.example/x\nCreator: Tool: x\nCreated: 2026-01-02T03:04:05Z\n";

fn code(result: &Result<Bom, BomError>) -> &'static str {
    result.as_ref().map_or_else(BomError::code, |_| "read")
}

fn json_with(relationships: &str) -> String {
    let text = document(&json!({ "relationships": [] })).to_string();
    text.replace("\"relationships\":[]", &format!("\"relationships\":[{relationships}]"))
}

#[test]
fn json_is_bounded_like_any_other() {
    let begin = r#"{"spdxVersion":"SPDX-2.3","packages":"#;
    let deep = format!("{begin}{}", "[".repeat(100_000));
    assert_eq!(code(&read(deep.as_bytes())), "too-deep");
    let deep = format!("{begin}{}{}}}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert_eq!(code(&read(deep.as_bytes())), "too-deep");
    let twice = document(&json!({})).to_string().replacen('{', "{\"n\\u0061me\":\"y\",", 1);
    assert_eq!(code(&read(twice.as_bytes())), "duplicate-key");
    let relationship =
        r#"{"spdxElementId":"a","relationshipType":"OTHER","relatedSpdxElement":"a"},"#;
    let many = json_with(relationship.repeat(700_000).trim_end_matches(','));
    assert!(many.len() < MAX_DOCUMENT_BYTES);
    assert_eq!(code(&read(many.as_bytes())), "too-many-values");
}

#[test]
fn tag_value_is_bounded_as_json_is() {
    let many = format!("{TEXT}{}", "Relationship: a OTHER b\n".repeat(1_000_000));
    assert_eq!(code(&read(many.as_bytes())), "too-many-values");
    let many = format!("{TEXT}{}", "FileName: x\n".repeat(900_000));
    assert_eq!(code(&read(many.as_bytes())), "too-many-values");
    let line = format!("{TEXT}DocumentComment: {}", "x".repeat(100 << 20));
    assert_eq!(code(&read(line.as_bytes())), "too-large");
    for value in ["x".repeat(5 << 20), format!("<text>{}</text>", "x\n".repeat(5 << 20))] {
        let line = format!("{TEXT}DocumentComment: {value}");
        assert_eq!(code(&read(line.as_bytes())), "spdx-syntax");
    }
    // Neither an empty line nor a comment costs more than its bytes.
    let empty = format!("{}{TEXT}", "\n#\n".repeat(2 << 20));
    assert_eq!(code(&read(empty.as_bytes())), "read");
    let not_utf8 = [TEXT.as_bytes(), b"DocumentComment: \xFF\n"].concat();
    assert_eq!(code(&read(&not_utf8)), "not-utf8");
    let unclosed = format!("{TEXT}{}", "DocumentComment: <text>\n".repeat(1_000_000));
    assert_eq!(code(&read(unclosed.as_bytes())), "spdx-syntax");
}

#[test]
fn a_chain_of_a_hundred_thousand_relationships_is_no_cycle_until_it_is_closed() {
    let chain = |last: &str| {
        let mut lines = TEXT.to_owned();
        for nth in 0..100_000 {
            lines += &format!("Relationship: SPDXRef-{nth} DEPENDS_ON SPDXRef-{}\n", nth + 1);
        }
        read(format!("{lines}{last}").as_bytes()).unwrap()
    };
    let open = chain("");
    assert_eq!(open.edges, 100_000);
    assert_eq!(open.problem_counts, BTreeMap::from([("dangling-reference", 200_000)]));
    let closed = chain("Relationship: SPDXRef-0 TEST_DEPENDENCY_OF SPDXRef-100000\n");
    let cycle = closed.problems.iter().find(|it| it.code == "dependency-cycle").unwrap();
    assert!(cycle.message.starts_with("100001 elements depend"), "{}", cycle.message);
    assert_eq!(cycle.pointer, "/relationships/0");
}

#[test]
fn bombs_in_names_are_not_read() {
    let long = "x".repeat(MAX_PURL_BYTES + 1);
    let mut bomb = package("a");
    bomb["externalRefs"] = json!([purl(&format!("pkg:npm/{long}@1"))]);
    bomb["SPDXID"] = format!("SPDXRef-{long}").into();
    let document = document(&json!({
        "packages": [bomb], "documentNamespace": format!("https://acme.example/{long}"),
    }));
    let bom = read_value(&document);
    let subject = bom.subject.unwrap();
    assert_eq!((subject.purl, subject.bom_ref, bom.serial), (None, None, None));
    assert_eq!(bom.problem_counts, BTreeMap::from([("purl-bomb", 3)]));
    let places: Vec<_> = bom.problems.iter().map(|it| it.pointer.as_str()).collect();
    assert!(places.contains(&"/packages/0/externalRefs/0/referenceLocator"), "{places:?}");
}

#[test]
fn names_that_may_not_show_as_what_they_are_are_told() {
    let mut package = package("a");
    package["name"] = "a\u{202E}b".into();
    package["versionInfo"] = "1\u{0}".into();
    package["externalRefs"] = json!([purl("pkg:pypi/a\u{200B}@1")]);
    let bom = read_value(&document(&json!({ "packages": [package] })));
    assert_eq!(bom.problem_counts["control-character"], 3, "{:?}", bom.problems);
    let lines =
        "PackageName: <text>a\u{1b}[2J</text>\nSPDXID: SPDXRef-a\nPackageDownloadLocation: NONE\n";
    let bom = read(format!("{TEXT}{lines}").as_bytes()).unwrap();
    assert_eq!(bom.problem_counts["control-character"], 1);
}

#[test]
fn another_purl_cannot_hide_behind_the_first() {
    let mut package = package("a");
    package["externalRefs"] =
        json!([purl("pkg:pypi/a@1"), purl("pkg:pypi/a@1"), purl("pkg:pypi/b@1")]);
    let bom = read_value(&document(&json!({ "packages": [package] })));
    assert_eq!(bom.subject.unwrap().purl.as_deref(), Some("pkg:pypi/a@1"));
    assert_eq!(bom.problem_counts, BTreeMap::from([("several-purls", 1)]));
    assert_eq!(bom.problems[0].pointer, "/packages/0/externalRefs/2/referenceLocator");
}

#[test]
fn mutated_documents_never_panic() {
    for name in ["maven-plugin.spdx.json", "acme.spdx.json", "example-2.3.spdx"] {
        mutate_often(&fixture(&format!("spdx/{name}")), |bytes| {
            read(bytes).map(drop).map_err(|error| error.to_string())
        });
    }
}

#[test]
fn values_of_other_types_anywhere_are_refused_by_the_schema() {
    let sound: Value = serde_json::from_slice(&fixture("spdx/maven-plugin.spdx.json")).unwrap();
    let pointers = [
        "/packages",
        "/packages/0",
        "/packages/0/name",
        "/relationships/0",
        "/creationInfo",
        "/name",
        "/files/0/checksums",
    ];
    for pointer in pointers {
        for odd in [json!(null), json!(1), json!([[]]), json!({ "x": 1 })] {
            // An optional field that is null is read as absent.
            if odd.is_null() && ["/packages", "/files/0/checksums"].contains(&pointer) {
                continue;
            }
            let mut document = sound.clone();
            *document.pointer_mut(pointer).unwrap() = odd;
            assert_eq!(code(&read(document.to_string().as_bytes())), "schema", "{pointer}");
        }
    }
}
