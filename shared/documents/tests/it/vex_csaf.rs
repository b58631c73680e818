//! CSAF 2.0: what it says of which products, and what is refused for which reason.

use documents::vex::{Document, Part, Product, Status, Target, VexError, read};
use serde_json::{Value, json};

use crate::fixture;
use crate::samples::{files_below, mutate_often};
use crate::vex_target::finding;

/// A sound document of the VEX profile around a product tree and vulnerabilities.
pub(crate) fn vex(tree: &Value, vulnerabilities: &Value) -> Value {
    json!({
        "document": {
            "category": "csaf_vex", "csaf_version": "2.0", "title": "t",
            "distribution": { "tlp": { "label": "GREEN" } },
            "publisher": { "category": "vendor", "name": "Acme", "namespace": "https://acme.example" },
            "tracking": {
                "id": "ACME-1", "status": "final", "version": "1",
                "initial_release_date": "2026-11-01T00:00:00Z",
                "current_release_date": "2026-11-23T00:00:00Z",
                "revision_history": [{ "date": "2026-11-01T00:00:00Z", "number": "1", "summary": "s" }]
            }
        },
        "product_tree": tree, "vulnerabilities": vulnerabilities
    })
}

pub(crate) fn judge(document: &Value) -> Result<Document, VexError> {
    read(document.to_string().as_bytes())
}

/// A product with a purl.
pub(crate) fn named(id: &str, purl: &str) -> Value {
    json!({ "name": id, "product_id": id, "product_identification_helper": { "purl": purl } })
}

/// `A` and `B`, each with a purl, and what is said of them.
fn said(vulnerability: Value) -> Result<Document, VexError> {
    let names = [named("A", "pkg:pypi/a@1"), named("B", "pkg:pypi/b@2")];
    let groups = json!([{ "group_id": "G", "product_ids": ["A", "B"] }]);
    let tree = json!({ "full_product_names": names, "product_groups": groups });
    judge(&vex(&tree, &json!([vulnerability])))
}

/// The official test files are of the base profile and name no vulnerability.
fn official(name: &str) -> Result<Document, VexError> {
    let bytes = fixture(&format!("csaf/mandatory/{name}.json"));
    let mut document: Value = serde_json::from_slice(&bytes).unwrap();
    document["document"]["category"] = json!("csaf_security_advisory");
    for vulnerability in
        document.get_mut("vulnerabilities").and_then(Value::as_array_mut).into_iter().flatten()
    {
        vulnerability["cve"] = json!("CVE-2026-0001");
    }
    judge(&document)
}

#[test]
fn official_tests_about_products_fail_and_pass_as_they_should() {
    let failing = [
        ("6-1-01-01", "/product_tree/product_groups/0/product_ids/0"),
        ("6-1-01-02", "/vulnerabilities/0/flags/0/product_ids/1"),
        ("6-1-02-01", "/product_tree/full_product_names/1/product_id"),
        ("6-1-03-01", "/product_tree/relationships/0/full_product_name"),
        ("6-1-04-01", "/vulnerabilities/0/threats/0/group_ids/0"),
        ("6-1-04-02", "/vulnerabilities/0/flags/0/group_ids/0"),
        ("6-1-05-01", "/product_tree/product_groups/1/group_id"),
        ("6-1-06-01", "/vulnerabilities/0/product_status/known_affected/0"),
        ("6-1-06-02", "/vulnerabilities/0/product_status/first_affected/0"),
        ("6-1-06-03", "/vulnerabilities/0/product_status/last_affected/0"),
        ("6-1-06-04", "/vulnerabilities/0/product_status/fixed/0"),
        ("6-1-06-05", "/vulnerabilities/0/product_status/first_fixed/0"),
        ("6-1-33-01", "/vulnerabilities/0/flags/1"),
    ];
    for (name, pointer) in failing {
        let error = official(name).unwrap_err();
        let VexError::Unsound { violations } = &error else { panic!("{name}: {error}") };
        assert_eq!(violations[0].pointer, pointer, "{name}: {error}");
        // `6-1-06-01` fails 6.1.6.
        let number: u8 = name[4..6].parse().unwrap();
        assert!(violations[0].message.ends_with(&format!("(6.1.{number})")), "{name}: {error}");
        assert!(violations[0].message.contains("; "), "a remedy: {error}");
    }
    for name in ["6-1-06-11", "6-1-06-12", "6-1-06-13", "6-1-06-14", "6-1-06-15", "6-1-33-11"] {
        official(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    // Sound, but without any status.
    for name in ["6-1-01-11", "6-1-01-12", "6-1-04-11", "6-1-04-12"] {
        assert_eq!(official(name).unwrap_err(), VexError::NoStatus, "{name}");
    }
}

#[test]
fn flags_and_groups_explain_what_is_not_affected() {
    let document = said(json!({
        "cve": "CVE-2026-0001", "ids": [{ "system_name": "GitHub", "text": "GHSA-1" }],
        "product_status": { "known_not_affected": ["A", "B"] },
        "flags": [{ "label": "component_not_present", "group_ids": ["G"], "date": "2026-11-20T00:00:00Z" }],
        "threats": [
            { "category": "exploit_status", "details": "none known", "group_ids": ["G"] },
            { "category": "impact", "details": "no such code", "product_ids": ["B"] },
            { "category": "impact", "details": "Moderate" }
        ]
    }));
    let document = document.unwrap();
    assert_eq!((document.id.as_str(), document.tlp.as_deref()), ("ACME-1", Some("GREEN")));
    let [a, b] = &document.statements[..] else { panic!("not two statements") };
    for it in [a, b] {
        assert_eq!(
            (it.vulnerability.as_str(), &it.aliases[..]),
            ("CVE-2026-0001", &["GHSA-1".into()][..])
        );
        assert_eq!(it.justification.as_deref(), Some("component_not_present"));
        assert_eq!(it.timestamp, Some("2026-11-20T00:00:00Z".parse().unwrap()));
    }
    assert_eq!((a.products[0].id.as_str(), a.statement.as_deref()), ("pkg:pypi/a@1", None));
    assert_eq!(
        (b.products[0].id.as_str(), b.statement.as_deref()),
        ("pkg:pypi/b@2", Some("no such code"))
    );
    let unnamed = |status: &str| json!({ "ids": [{ "system_name": "x", "text": "X-1" }], "product_status": { status: ["A"] } });
    let fixed = said(unnamed("first_fixed")).unwrap().statements.remove(0);
    assert_eq!((fixed.vulnerability.as_str(), fixed.status), ("X-1", Status::Fixed));
    assert_eq!(fixed.timestamp, Some("2026-11-23T00:00:00Z".parse().unwrap()));
    assert_eq!(said(unnamed("recommended")).unwrap_err(), VexError::NoStatus);
}

#[test]
fn what_is_no_sound_csaf_is_refused_for_its_own_reason() {
    let changed = |pointer: &str, value: Value| {
        let tree = json!({ "full_product_names": [named("A", "pkg:pypi/a@1")] });
        let status = json!({ "cve": "CVE-2026-0001", "product_status": { "fixed": ["A"] } });
        let mut document = vex(&tree, &json!([status]));
        *document.pointer_mut(pointer).unwrap() = value;
        judge(&document)
    };
    changed("/document/tracking/status", json!("interim")).unwrap();
    let vulnerability = |value: Value| json!([value]);
    for (pointer, value, code, part) in [
        ("/document/csaf_version", json!("2.1"), "unsupported-version", "2.1"),
        ("/document/category", json!("csaf_base"), "not-vex", "csaf_base"),
        ("/document/tracking/status", json!("draft"), "draft", "interim or final"),
        ("/document/tracking/current_release_date", json!("today"), "schema", "date-time"),
        ("/document/publisher/name", json!(1), "schema", "/document/publisher/name"),
        ("/product_tree/full_product_names/0/product_id", json!(""), "schema", "product_id"),
        ("/product_tree", json!({}), "schema", "/product_tree"),
        ("/vulnerabilities/0/cve", json!("CVE-1"), "schema", "/vulnerabilities/0/cve"),
        ("/vulnerabilities/0/product_status", json!({ "harmless": ["A"] }), "schema", "harmless"),
        ("/vulnerabilities/0/product_status/fixed", json!(["C"]), "unsound", "\"C\" is no product"),
        (
            "/vulnerabilities",
            vulnerability(json!({ "product_status": { "fixed": ["A"] } })),
            "unsound",
            "6.1.27.8",
        ),
        (
            "/vulnerabilities",
            vulnerability(
                json!({ "cve": "CVE-2026-0001", "product_status": { "known_not_affected": ["A"] } }),
            ),
            "unsound",
            "6.1.27.9",
        ),
        (
            "/vulnerabilities",
            vulnerability(
                json!({ "cve": "CVE-2026-0001", "scores": [{ "products": ["S"] }], "product_status": { "fixed": ["A"] } }),
            ),
            "unsound",
            "/scores/0/products/0",
        ),
    ] {
        let error = changed(pointer, value).expect_err(pointer);
        assert_eq!(error.code(), code, "{pointer}: {error}");
        assert!(error.to_string().contains(part), "{pointer}: {error}");
        assert!(error.to_string().contains("; "), "no remedy: {error}");
    }
}

/// Whether a statement about product `id` of a tree counts for `component` in `subject`.
fn counts(tree: &Value, id: &str, [subject, component]: [&str; 2]) -> bool {
    let status = json!({ "cve": "CVE-2026-0001", "product_status": { "fixed": [id] } });
    let document = judge(&vex(tree, &json!([status]))).unwrap();
    let part = |purl| Part { purl: Some(purl), version: None, bom_ref: Some("mediawiki") };
    let (component, subject) = (part(component), part(subject));
    let target = Target { component, subject, ..finding("CVE-2026-0001", &[]) };
    document.statements[0].applies_to(&target)
}

#[test]
fn a_component_is_meant_only_within_the_product_it_is_related_to() {
    let combined = |id: &str| json!({ "name": id, "product_id": id });
    let related = |id: &str, part: &str, whole: &str| {
        json!({ "category": "default_component_of", "full_product_name": combined(id),
                "product_reference": part, "relates_to_product_reference": whole })
    };
    let names = [
        named("lib", "pkg:pypi/lib@1"),
        named("app", "pkg:pypi/app@2"),
        named("os", "pkg:oci/os"),
        combined("mediawiki"),
    ];
    let tree = json!({ "full_product_names": names, "relationships": [
        // It refers to one that comes later.
        related("deep", "in", "os"),
        related("in", "lib", "app"),
        related("unnamed", "mediawiki", "app"),
    ]});
    let (lib, app) = ("pkg:pypi/lib@1", "pkg:pypi/app@2");
    assert!(counts(&tree, "in", [app, lib]));
    assert!(!counts(&tree, "in", ["pkg:pypi/other@2", lib]), "another product");
    assert!(!counts(&tree, "in", [app, "pkg:pypi/other@1"]), "another part");
    assert!(!counts(&tree, "in", ["pkg:pypi/app@3", lib]), "another version of the product");
    assert!(counts(&tree, "lib", ["pkg:pypi/other@2", lib]), "said of it wherever it is");
    assert!(!counts(&tree, "deep", ["pkg:oci/os", lib]), "not said of all libraries in the system");
    assert!(!counts(&tree, "unnamed", [app, lib]), "not said of all parts of the product");
    assert!(!counts(&tree, "mediawiki", [app, lib]), "a Product ID is no bom-ref");
}

#[test]
fn a_purl_without_version_means_the_version_of_its_branch() {
    let branch = |category: &str, name: &str, purl: &str, inner: Value| {
        let product = named("A", purl);
        json!({ "branches": [{ "category": category, "name": name, "product": product }], "full_product_names": [inner] })
    };
    let other = named("app", "pkg:pypi/app@2");
    let tree = |category: &str, name: &str, purl: &str| branch(category, name, purl, other.clone());
    let is = |version: &str| format!("pkg:pypi/lib@{version}");
    let covers = |tree: &Value, version: &str| counts(tree, "A", ["pkg:pypi/x@1", &is(version)]);

    let one = tree("product_version", "1.0", "pkg:pypi/lib");
    assert!(covers(&one, "1.0") && !covers(&one, "1.1"));
    let exact = tree("product_version", "release one", "pkg:pypi/lib@1.0");
    assert!(covers(&exact, "1.0") && !covers(&exact, "1.1"));
    let range = tree("product_version_range", "vers:pypi/<1.0", "pkg:pypi/lib");
    assert!(!covers(&range, "0.9") && !covers(&range, "1.1"), "a range is not judged");
    let all = tree("product_name", "lib", "pkg:pypi/lib");
    assert!(covers(&all, "0.9") && covers(&all, "1.1"));

    let mut part = one.clone();
    part["relationships"] = json!([{ "category": "optional_component_of", "full_product_name": { "name": "x", "product_id": "in" },
        "product_reference": "A", "relates_to_product_reference": "app" }]);
    for version in ["1.0", "1.1"] {
        assert!(!counts(&part, "in", ["pkg:pypi/app@2", &is(version)]), "a part has no versions");
    }
}

#[test]
fn products_are_known_by_purl_digest_bom_link_and_cpe() {
    let hex = "AB".repeat(32);
    let file = |algorithm: &str, value: &str| json!({ "filename": "f", "file_hashes": [{ "algorithm": algorithm, "value": value }] });
    let helper = json!({
        "cpe": "cpe:/a:e:a:1", "purl": "pkg:pypi/a@1",
        "hashes": [file("sha256", &hex), file("md5", &"0".repeat(32)), file("sha256", &"1".repeat(40))],
        "x_generic_uris": [
            { "namespace": "https://cyclonedx.org/capabilities/bomlink/", "uri": "urn:cdx:a/1#b" },
            { "namespace": "https://e.example", "uri": "https://e.example/a" }
        ]
    });
    let tree = json!({ "full_product_names": [{ "name": "A", "product_id": "A", "product_identification_helper": helper }] });
    let status = json!([{ "cve": "CVE-2026-0001", "product_status": { "fixed": ["A"] } }]);
    let product = judge(&vex(&tree, &status)).unwrap().statements.remove(0).products.remove(0);
    let digest = format!("sha256:{}", hex.to_lowercase());
    let aliases = vec![digest, "urn:cdx:a/1#b".into(), "cpe:/a:e:a:1".into()];
    assert_eq!(product, Product { id: "pkg:pypi/a@1".into(), aliases, ..Product::default() });
}

#[test]
fn the_wider_collection_of_csaf_is_read_or_refused_where_it_is_at_hand() {
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/vex/csaf");
    let mut codes = std::collections::BTreeMap::new();
    for bytes in files_below(data) {
        let code = read(&bytes).map_or_else(|error| error.code(), |_| "read");
        *codes.entry(code).or_insert(0) += 1;
    }
    // Twelve say something of products; the schemas, the official tests and one advisory do not.
    let expected = [("not-vex", 68), ("read", 12)];
    assert!(codes.is_empty() || codes == expected.into(), "{codes:?}");
}

#[test]
fn mutated_csaf_never_panics() {
    for name in ["2022-evd-uc-07-001", "CVE-2024-34500", "rhsa-2021_5186"] {
        mutate_often(&fixture(&format!("csaf/{name}.json")), |bytes| {
            let document = read(bytes).map_err(|error| error.to_string())?;
            for statement in &document.statements {
                statement.applies_to(&finding(&statement.vulnerability, &[]));
            }
            Ok(())
        });
    }
}
