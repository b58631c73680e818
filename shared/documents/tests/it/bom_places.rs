//! Where components are in a document: what brings them in, lockfiles, scope, and what is said of them.

use documents::bom::{Bom, MAX_LOCATIONS, MAX_PURL_BYTES, Scope, Via, read, read_again};
use documents::cyclonedx::write;
use documents::inventory::{Package, Scope as Need};
use serde_json::{Value, json};

use crate::cyclonedx::input;
use crate::cyclonedx_inventories::{inventory, package};

fn component(name: &str, more: Value) -> Value {
    let mut component = json!({ "type": "library", "bom-ref": name, "name": name, "version": "1", "purl": format!("pkg:pypi/{name}@1") });
    component.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    component
}

fn document(members: Value) -> Value {
    let mut document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:a4f16b62-fea9-42c1-8365-d72d3cef37d1",
        "version": 3,
    });
    document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    document
}

/// The document as it is read component by component, as a whole because something has to be mended, and
/// again.
fn each_way(document: &Value) -> Vec<Bom> {
    let clean = serde_json::to_vec(document).unwrap();
    let mut odd = document.clone();
    odd["metadata"]["component"]["description"] = Value::Null;
    let whole = read(&serde_json::to_vec(&odd).unwrap()).unwrap();
    assert_eq!(whole.problem_counts["null-field"], 1);
    vec![read(&clean).unwrap(), whole, read_again(&clean).unwrap()]
}

#[test]
fn what_brings_a_component_in_is_told_however_the_document_is_read() {
    let none = json!({});
    let wheel = json!({ "type": "file", "bom-ref": "wheel", "name": "app.whl" });
    let document = document(json!({
        "metadata": { "component": {
            "type": "application", "bom-ref": "app", "name": "app", "components": [wheel],
        } },
        "components": [
            component("a", none.clone()), component("b", none.clone()), component("c", none.clone()),
            component("bundled", none.clone()), component("alone", none),
        ],
        "dependencies": [
            { "ref": "a", "dependsOn": ["b", "app"] },
            { "ref": "app", "dependsOn": ["a", "c"] },
            { "ref": "b", "dependsOn": ["c"] },
            { "ref": "wheel", "dependsOn": ["bundled"] },
        ],
    }));
    for bom in each_way(&document) {
        let names: Vec<_> = bom.components.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["app.whl", "a", "b", "c", "bundled", "alone"]);
        let (subject, nothing) = (Via::Subject, Via::Nothing);
        let expected = [subject, subject, Via::Component(1), subject, Via::Component(0), nothing];
        assert_eq!(bom.via, expected);
    }
}

#[test]
fn spdx_tells_the_same_by_relationships() {
    let package = |id: &str| json!({ "SPDXID": id, "name": id, "downloadLocation": "NOASSERTION" });
    let related = |from: &str, how: &str, to: &str| json!({ "spdxElementId": from, "relationshipType": how, "relatedSpdxElement": to });
    let packages = ["SPDXRef-app", "SPDXRef-a", "SPDXRef-b"].map(package);
    let document = json!({
        "spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "dataLicense": "CC0-1.0", "name": "x",
        "documentNamespace": "https://example.org/x",
        "creationInfo": { "created": "2026-01-01T00:00:00Z", "creators": ["Tool: x"] },
        "packages": packages,
        "relationships": [
            related("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-app"),
            related("SPDXRef-b", "DEPENDENCY_OF", "SPDXRef-a"),
            related("SPDXRef-app", "DEPENDS_ON", "SPDXRef-a"),
        ],
    });
    let bom = read(&serde_json::to_vec(&document).unwrap()).unwrap();
    assert_eq!(bom.via, [Via::Subject, Via::Component(0)]);
    assert!(bom.reported.is_empty());
}

#[test]
fn lockfiles_come_first_and_a_component_has_few_places() {
    let occurrences: Vec<_> = [
        "a/METADATA",
        "b/METADATA",
        "c/METADATA",
        "d/METADATA",
        "uv.lock",
        "uv.lock",
        "requirements.txt",
        &"x".repeat(MAX_PURL_BYTES + 1),
    ]
    .iter()
    .map(|it| json!({ "location": it }))
    .collect();
    let document = document(json!({
        "metadata": { "component": { "type": "application", "name": "app" } },
        "components": [
            component("a", json!({ "evidence": { "occurrences": occurrences }, "scope": "excluded" })),
            component("b", json!({ "scope": "optional" })),
            component("c", json!({})),
        ],
    }));
    for bom in each_way(&document) {
        let [a, b, c] = bom.components.as_slice() else { panic!("three") };
        assert_eq!(a.locations, ["uv.lock", "requirements.txt", "a/METADATA", "b/METADATA"]);
        assert_eq!(a.locations.len(), MAX_LOCATIONS);
        let scopes = [a, b, c].map(|it| it.scope);
        assert_eq!(scopes, [Some(Scope::Excluded), Some(Scope::Optional), None]);
        assert!(b.locations.is_empty());
    }
}

#[test]
fn what_is_reported_is_about_own_components_by_reference_and_link() {
    let link = "urn:cdx:a4f16b62-fea9-42c1-8365-d72d3cef37d1";
    let document = document(json!({
        "metadata": { "component": { "type": "application", "name": "app" } },
        "components": [component("a", json!({})), component("b", json!({}))],
        "vulnerabilities": [
            {
                "id": "CVE-2026-1",
                "description": "Bad",
                "published": "2026-01-01T00:00:00Z",
                "ratings": [{ "severity": "high", "score": 7.5, "method": "CVSSv31", "vector": "CVSS:3.1/AV:N" }],
                "references": [{ "id": "GHSA-1", "source": {} }],
                "affects": [{ "ref": "b" }, { "ref": format!("{link}/3#a") }, { "ref": "b" }],
            },
            { "id": "CVE-2026-2", "affects": [{ "ref": format!("{link}/2#a") }] },
        ],
    }));
    for bom in each_way(&document) {
        let [reported] = bom.reported.as_slice() else { panic!("{:?}", bom.reported) };
        assert_eq!(
            (reported.id.as_str(), reported.aliases.as_slice()),
            ("CVE-2026-1", &["GHSA-1".to_owned()][..])
        );
        assert_eq!(reported.components, [0, 1]);
        assert_eq!(reported.description.as_deref(), Some("Bad"));
        assert_eq!(reported.published, Some("2026-01-01T00:00:00Z".parse().unwrap()));
        let rating = &reported.ratings[0];
        assert_eq!((rating.severity.as_deref(), rating.score), (Some("high"), Some(7.5)));
        assert_eq!(rating.vector.as_deref(), Some("CVSS:3.1/AV:N"));
    }
}

#[test]
fn what_our_generator_writes_tells_lockfile_scope_and_way() {
    let direct = |purl: &str| Package { direct: true, ..package(purl) };
    let flask = Package { dependencies: vec![1], ..direct("pkg:pypi/flask@2.0") };
    let jinja = package("pkg:pypi/jinja2@2.10");
    let pytest = Package { scope: Need::Dev, ..direct("pkg:pypi/pytest@8.0") };
    let inventories = [
        inventory("uv.lock", vec![flask, jinja.clone(), pytest]),
        inventory("web/uv.lock", vec![jinja]),
    ];
    let bom = read(&write(&input("hotpass", &[], &inventories))).unwrap();
    let told: Vec<_> = bom.components.iter().zip(&bom.via).collect();
    let [(flask, by_app), (jinja, by_flask), (pytest, also_by_app)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!((&*flask.name, &*jinja.name, &*pytest.name), ("flask", "jinja2", "pytest"));
    assert_eq!(
        [**by_app, **by_flask, **also_by_app],
        [Via::Subject, Via::Component(0), Via::Subject]
    );
    assert_eq!(jinja.locations, ["uv.lock", "web/uv.lock"]);
    assert_eq!((flask.scope, pytest.scope), (Some(Scope::Required), Some(Scope::Excluded)));
}
