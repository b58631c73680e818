//! From one version of CycloneDX to another.

use documents::convert::{ConvertError, Converted, to_cyclonedx};
use documents::cyclonedx::SpecVersion;
use documents::schema::validate_cyclonedx;
use serde_json::{Value, json};

use crate::fixture;

fn read(converted: &Converted) -> Value {
    serde_json::from_slice(&converted.document).unwrap()
}

fn losses(converted: &Converted) -> Vec<String> {
    converted.losses.iter().map(ToString::to_string).collect()
}

fn convert(document: &Value, to: SpecVersion) -> Converted {
    to_cyclonedx(document.to_string().as_bytes(), to).unwrap()
}

/// A document of `version` with one component that has `more`.
fn bom(version: &str, more: Value) -> Value {
    let mut component = json!({ "type": "library", "name": "a", "version": "1" });
    component.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "bomFormat": "CycloneDX", "specVersion": version, "version": 1,
            "components": [component] })
}

#[test]
fn every_valid_document_becomes_a_valid_one_or_says_why_not() {
    let folder = format!("{}/fixtures/cyclonedx", env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for (to, name) in [(SpecVersion::V1_6, "1.6"), (SpecVersion::V1_7, "1.7")] {
            let converted = to_cyclonedx(&bytes, to);
            if validate_cyclonedx(&bytes).is_err() {
                assert!(matches!(converted, Err(ConvertError::Invalid(_))), "{}", path.display());
                continue;
            }
            let converted = converted.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(validate_cyclonedx(&converted.document).unwrap().as_str(), name);
            seen += 1;
        }
    }
    assert!(seen >= 24, "{seen}");
}

#[test]
fn upgrade_loses_nothing_and_comes_back_the_same() {
    for name in ["redhat-rpm-openssl-1.6", "cyclonedx-py-environment-1.6", "bsi-compliant-1.6"] {
        let bytes = fixture(&format!("sbom/{name}.json"));
        let up = to_cyclonedx(&bytes, SpecVersion::V1_7).unwrap();
        assert_eq!(losses(&up), Vec::<String>::new(), "{name}");
        let down = to_cyclonedx(&up.document, SpecVersion::V1_6).unwrap();
        assert_eq!(losses(&down), Vec::<String>::new(), "{name}");
        let (mut before, after) = (serde_json::from_slice::<Value>(&bytes).unwrap(), read(&down));
        before["$schema"] = after["$schema"].clone();
        assert_eq!(before, after, "{name}");
    }
}

#[test]
fn what_1_6_does_not_know_is_left_out_and_told() {
    let hash = |alg: &str| json!({ "alg": alg, "content": "0".repeat(64) });
    let mut document = bom(
        "1.7",
        json!({
            "isExternal": true,
            "hashes": [hash("SHA-256"), hash("Streebog-256")],
            "externalReferences": [{ "type": "patent", "url": "https://h.example/p" }],
            "licenses": [{ "expression": "MIT OR Apache-2.0", "acknowledgement": "declared" },
                         { "license": { "id": "ISC" } }],
        }),
    );
    document["citations"] = json!([{ "timestamp": "2026-01-01T00:00:00Z", "attributedTo": "x",
                                     "pointers": ["/components/0"] }]);
    document["metadata"] = json!({ "distributionConstraints": { "tlp": "GREEN" } });
    let converted = convert(&document, SpecVersion::V1_6);

    assert_eq!(
        losses(&converted),
        [
            "`citations` (1)",
            "`distributionConstraints` (1)",
            "`isExternal` (1)",
            "entries of lists that it does not know (1)",
            "licence expressions beside other licences, now names (1)",
            "types of external references, now `other` (1)",
        ]
    );
    let component = &read(&converted)["components"][0];
    assert_eq!(component["hashes"], json!([hash("SHA-256")]));
    assert_eq!(component["externalReferences"][0]["type"], "other");
    let named = json!({ "name": "MIT OR Apache-2.0", "acknowledgement": "declared" });
    assert_eq!(component["licenses"][0]["license"], named);
}

#[test]
fn older_versions_are_written_in_the_words_of_newer_ones() {
    let mut document = bom("1.5", json!({ "properties": [{ "value": "without a name" }] }));
    document["metadata"] = json!({ "tools": [{ "name": "maker" }] });
    let converted = convert(&document, SpecVersion::V1_6);
    assert!(converted.losses.is_empty(), "{:?}", converted.losses);
    let read = read(&converted);
    assert_eq!(
        read["components"][0]["properties"][0],
        json!({ "name": "", "value": "without a name" })
    );
    assert_eq!(read["metadata"]["tools"][0]["name"], "maker");
    assert_eq!(read["$schema"], "http://cyclonedx.org/schema/bom-1.6.schema.json");

    let mixed = json!({ "licenses": [{ "license": { "id": "MIT" } }, { "expression": "ISC" }] });
    let converted = convert(&bom("1.4", mixed), SpecVersion::V1_6);
    assert_eq!(converted.losses[0].count, 1);
}

#[test]
fn signature_does_not_survive_other_bytes() {
    let mut document = bom("1.6", json!({}));
    document["signature"] = json!({ "algorithm": "ES256", "value": "AAAA" });
    assert!(read(&convert(&document, SpecVersion::V1_6)).get("signature").is_some());
    let converted = convert(&document, SpecVersion::V1_7);
    assert!(read(&converted).get("signature").is_none());
    assert_eq!(losses(&converted), ["`signature`, which is of the other bytes (1)"]);
}

#[test]
fn invalid_document_is_refused_with_its_fault() {
    let error = to_cyclonedx(&fixture("cyclonedx/invalid-scope-1.6.json"), SpecVersion::V1_7);
    assert!(error.unwrap_err().to_string().contains("scope"));
}
