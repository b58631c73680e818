//! SPDX 2.3 from CycloneDX, judged by the official schema of SPDX.

use documents::cyclonedx::{SbomInput, SpecVersion, write};
use documents::spdx;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{fixture, lockfile};

const AT: i64 = 1_700_000_000;
const SCHEMA: &str = include_str!("../../schemas/spdx-2.3.schema.json");

fn exported(bytes: &[u8]) -> (Value, Vec<String>) {
    let at = Timestamp::from_second(AT).unwrap();
    let converted = spdx::write(bytes, at, "0.1.0").unwrap();
    assert_eq!(converted, spdx::write(bytes, at, "0.1.0").unwrap(), "deterministic");
    let document: Value = serde_json::from_slice(&converted.document).unwrap();
    check(&document);
    (document, converted.losses.iter().map(ToString::to_string).collect())
}

/// By the schema, and by what the schema cannot say: ids are unique, and what is referred to exists.
fn check(document: &Value) {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(document).map(|it| it.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let packages = document["packages"].as_array().unwrap();
    let mut ids: Vec<_> = packages.iter().map(|it| it["SPDXID"].as_str().unwrap()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "ids are unique");
    let is_id = |id: &str| {
        id.strip_prefix("SPDXRef-").is_some_and(|it| {
            it.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte))
        })
    };
    assert!(ids.iter().all(|id| is_id(id)), "{ids:?}");
    for relationship in document["relationships"].as_array().unwrap() {
        for key in ["spdxElementId", "relatedSpdxElement"] {
            let id = relationship[key].as_str().unwrap();
            let is_known = ids.binary_search(&id).is_ok();
            assert!(is_known || ["SPDXRef-DOCUMENT", "NOASSERTION", "NONE"].contains(&id), "{id}");
        }
    }
}

fn relationships(document: &Value) -> Vec<String> {
    let text = |it: &Value, key: &str| it[key].as_str().unwrap().replace("SPDXRef-", "");
    let line = |it: &Value| {
        let [from, kind, to] =
            ["spdxElementId", "relationshipType", "relatedSpdxElement"].map(|key| text(it, key));
        format!("{from} {kind} {to}")
    };
    document["relationships"].as_array().unwrap().iter().map(line).collect()
}

/// A document about `app` with these components and more.
fn bom(components: Value, more: Value) -> Vec<u8> {
    let mut bom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": { "component": { "type": "application", "name": "app", "bom-ref": "app" } },
        "components": components,
    });
    bom.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bom.to_string().into_bytes()
}

#[test]
fn strangers_documents_become_valid_spdx() {
    for (name, packages) in [
        ("bsi-compliant-1.6", 3),
        ("cyclonedx-py-environment-1.6", 8),
        ("cyclonedx-php-composer-devReq-1.7", 29),
        ("redhat-rpm-openssl-1.6", 38),
    ] {
        let (document, _) = exported(&fixture(&format!("sbom/{name}.json")));
        let found = document["packages"].as_array().unwrap().len();
        assert_eq!(found, packages, "{name}");
    }
}

#[test]
fn our_own_document_says_what_it_knows_and_what_it_does_not() {
    let inventories = [lockfile("hotpass.uv.lock")];
    let ours = write(&SbomInput {
        project: "hotpass",
        version: None,
        serial: Uuid::nil(),
        timestamp: Timestamp::from_second(AT).unwrap(),
        artifacts: &[],
        inventories: &inventories,
        missing: &[],
        spec_version: SpecVersion::V1_6,
        tool_version: "0.1.0",
        ..SbomInput::default()
    });
    let (document, _) = exported(&ours);

    assert_eq!(document["creationInfo"]["created"], "2023-11-14T22:13:20Z");
    assert_eq!(document["creationInfo"]["creators"], json!(["Tool: attestry-0.1.0"]));
    let lines = relationships(&document);
    assert!(lines[0].starts_with("DOCUMENT DESCRIBES Root-hotpass"), "{}", lines[0]);
    assert!(lines.iter().any(|it| it.contains(" DEPENDS_ON ")));
    assert!(lines.iter().any(|it| it.contains(" DEV_DEPENDENCY_OF Root-hotpass")));
    assert!(lines.iter().any(|it| it == "Root-hotpass CONTAINS NOASSERTION"));
}

#[test]
fn scopes_and_completeness_become_relationships() {
    let component = |name: &str, scope: &str| {
        json!({ "type": "library", "name": name, "bom-ref": name, "scope": scope,
                "components": [{ "type": "file", "name": "part" }] })
    };
    let mut dev = component("d", "excluded");
    dev["properties"] = json!([{ "name": "cdx:npm:package:development", "value": "true" }]);
    let (document, losses) = exported(&bom(
        json!([component("r", "required"), component("o", "optional"), dev]),
        json!({
            "dependencies": [{ "ref": "app", "dependsOn": ["r", "o", "d"] }, { "ref": "d", "dependsOn": ["r"] },
                             { "ref": "r" }, { "ref": "o", "provides": ["r"] }],
            "compositions": [{ "aggregate": "complete", "dependencies": ["app", "r"] },
                             { "aggregate": "incomplete", "dependencies": ["o"], "assemblies": ["app"] }],
            "services": [{ "name": "s" }],
        }),
    ));
    assert_eq!(
        relationships(&document),
        [
            "DOCUMENT DESCRIBES Root-app",
            "Package-1-r CONTAINS Package-2-part",
            "Package-3-o CONTAINS Package-4-part",
            "Package-5-d CONTAINS Package-6-part",
            "Root-app DEPENDS_ON Package-1-r",
            "Package-3-o OPTIONAL_DEPENDENCY_OF Root-app",
            "Package-5-d DEV_DEPENDENCY_OF Root-app",
            "Package-5-d DEPENDS_ON Package-1-r",
            "Package-1-r DEPENDS_ON NONE",
            "Root-app CONTAINS NOASSERTION",
            "Package-3-o DEPENDS_ON NOASSERTION",
        ]
    );
    assert_eq!(losses, ["`provides` (1)", "`services` (1)", "component `properties` (1)"]);
}

#[test]
fn licences_are_expressions_and_those_that_no_list_has_keep_their_text() {
    let component = |name: &str, licences: Value| json!({ "type": "library", "name": name, "licenses": licences });
    let text = json!({ "content": "RG8gd2hhdCB5b3UgbGlrZS4=", "encoding": "base64" });
    let (document, _) = exported(&bom(
        json!([
            component(
                "a",
                json!([{ "license": { "id": "MIT", "acknowledgement": "concluded" } },
                              { "license": { "id": "ISC", "acknowledgement": "declared" } }])
            ),
            component("b", json!([{ "expression": "(MIT OR LicenseRef-x) AND GPL-2.0" }])),
            component(
                "c",
                json!([{ "license": { "name": "Our own, v2", "text": text, "url": "https://h.example/l" } },
                              { "license": { "id": "MIT" } }])
            ),
            component("d", json!([{ "license": { "name": "Our own: v2" } }])),
            component("e", json!([{ "expression": "NOASSERTION" }])),
            component("f", json!([{ "expression": "MIT/Apache-2.0" }])),
            component("g", json!([{ "expression": "NONE" }])),
        ]),
        json!({}),
    ));
    let packages = document["packages"].as_array().unwrap();
    let licences: Vec<_> = packages[1..]
        .iter()
        .map(|it| [&it["licenseConcluded"], &it["licenseDeclared"]].map(|it| it.as_str().unwrap()))
        .collect();
    assert_eq!(
        licences,
        [
            ["MIT", "ISC"],
            ["NOASSERTION", "(MIT OR LicenseRef-x) AND GPL-2.0"],
            ["NOASSERTION", "LicenseRef-Our-own--v2 AND MIT"],
            ["NOASSERTION", "LicenseRef-Our-own--v2-2"],
            ["NOASSERTION", "NOASSERTION"],
            ["NOASSERTION", "LicenseRef-MIT-Apache-2.0"],
            ["NOASSERTION", "NONE"],
        ]
    );
    let extracted = document["hasExtractedLicensingInfos"].as_array().unwrap();
    let of = |id: &str| extracted.iter().find(|it| it["licenseId"] == id).unwrap();
    assert_eq!(extracted.len(), 4);
    assert_eq!(of("LicenseRef-Our-own--v2")["extractedText"], "Do what you like.");
    assert_eq!(of("LicenseRef-Our-own--v2")["seeAlsos"], json!(["https://h.example/l"]));
    assert!(
        of("LicenseRef-x")["extractedText"].as_str().unwrap().contains("does not have its text")
    );
}

#[test]
fn package_keeps_who_what_and_where() {
    let (document, losses) = exported(&bom(
        json!([{
        "type": "library", "group": "@acme", "name": "tool kit", "version": "1.0", "bom-ref": "x",
        "supplier": { "name": "Acme", "contact": [{ "email": "a@acme.example" }] },
        "authors": [{ "name": "Jo" }],
        "purl": "pkg:npm/%40acme/kit@1.0", "cpe": "cpe:2.3:a:acme:kit:1.0:*:*:*:*:*:*:*",
        "hashes": [{ "alg": "SHA-1", "content": "A".repeat(40) }],
        "externalReferences": [
            { "type": "distribution", "url": "https://h.example/kit.tgz" },
            { "type": "vcs", "url": "https://h.example/kit.git" },
            { "type": "website", "url": "https://h.example" },
            { "type": "advisories", "url": "https://h.example/advisories" }],
    }, { "type": "library", "name": "git", "supplier": { "name": "NOASSERTION" },
         "externalReferences": [{ "type": "vcs", "url": "https://h.example/kit.git" }] }]),
        json!({}),
    ));
    let package = &document["packages"][1];
    assert_eq!(package["SPDXID"], "SPDXRef-Package-1-tool-kit");
    for (key, value) in [
        ("name", "@acme/tool kit"),
        ("versionInfo", "1.0"),
        ("supplier", "Organization: Acme (a@acme.example)"),
        ("originator", "Person: Jo"),
        ("downloadLocation", "https://h.example/kit.tgz"),
        ("homepage", "https://h.example"),
        ("copyrightText", "NOASSERTION"),
        ("primaryPackagePurpose", "LIBRARY"),
    ] {
        assert_eq!(package[key], value, "{key}");
    }
    assert_eq!(
        package["checksums"],
        json!([{ "algorithm": "SHA1", "checksumValue": "a".repeat(40) }])
    );
    let kinds: Vec<_> = package["externalRefs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["referenceType"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["purl", "cpe23Type", "vcs", "advisory"]);
    assert_eq!(document["packages"][2]["supplier"], "NOASSERTION");
    assert_eq!(document["packages"][2]["downloadLocation"], "git+https://h.example/kit.git");
    assert!(losses.is_empty(), "{losses:?}");
}

#[test]
fn document_without_subject_describes_what_nothing_depends_on() {
    let bytes = json!({ "bomFormat": "CycloneDX", "specVersion": "1.4", "version": 1,
        "components": [{ "type": "library", "name": "", "bom-ref": "a", "version": "" },
                       { "type": "library", "name": "b", "bom-ref": "b", "version": "1" }],
        "dependencies": [{ "ref": "b", "dependsOn": ["a"] }, { "ref": "a", "dependsOn": [] }] });
    let (document, _) = exported(bytes.to_string().as_bytes());
    assert_eq!(relationships(&document)[0], "DOCUMENT DESCRIBES Package-1-b");
    assert_eq!(document["name"], "SBOM");
    let cycle = bytes.to_string().replace("\"dependsOn\":[]", "\"dependsOn\":[\"b\"]");
    assert!(relationships(&exported(cycle.as_bytes()).0)[1].starts_with("DOCUMENT DESCRIBES"));
}

#[test]
fn namespace_is_of_the_bytes() {
    let [a, b] = ["a", "b"].map(|name| {
        let bytes = bom(json!([{ "type": "library", "name": name }]), json!({}));
        exported(&bytes).0["documentNamespace"].as_str().unwrap().to_owned()
    });
    assert!(a.starts_with("https://spdx.org/spdxdocs/app-") && a != b, "{a} {b}");
}
