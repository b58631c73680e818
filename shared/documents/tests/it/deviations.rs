//! What generators in wide use get wrong is tolerated by its name, and nothing else is.

use documents::bom::{self, BomError, DEVIATIONS};
use serde_json::{Value, json};

fn bom(version: &str) -> Value {
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": version,
        "version": 1,
        "components": [{ "type": "library", "name": "left", "version": "1", "purl": "pkg:npm/left@1" }],
    })
}

/// The document with something else under `pointer`'s last key.
fn with(version: &str, pointer: &str, key: &str, value: Value) -> Vec<u8> {
    let mut document = bom(version);
    document.pointer_mut(pointer).expect("there")[key] = value;
    document.to_string().into_bytes()
}

/// The deviations that are reported, with their places.
fn deviations(document: &[u8]) -> Vec<(&'static str, String)> {
    let read = bom::read(document).unwrap_or_else(|error| panic!("{error}"));
    let known = |code: &str| DEVIATIONS.iter().any(|(name, _)| *name == code);
    let reported = read.problems.into_iter().filter(|it| known(it.code));
    reported.map(|it| (it.code, it.pointer)).collect()
}

/// Documents that deviate, how, and where.
fn cases() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let first = "/components/0";
    let reference = |url: &str| json!([{ "type": "website", "url": url }]);
    vec![
        ("null-field", with("1.5", first, "scope", Value::Null), "/components/0/scope"),
        ("null-field", with("1.6", "", "vulnerabilities", Value::Null), "/vulnerabilities"),
        ("empty-field", with("1.6", first, "bom-ref", json!("")), "/components/0/bom-ref"),
        ("empty-field", with("1.4", first, "scope", json!("")), "/components/0/scope"),
        (
            "odd-url",
            with("1.6", first, "externalReferences", reference("git@host.example:a/b.git")),
            "/components/0/externalReferences/0/url",
        ),
        (
            "odd-url",
            with("1.4", first, "externalReferences", reference("https://a.example/x [1.20]")),
            "/components/0/externalReferences/0/url",
        ),
        (
            "odd-email",
            with("1.4", "", "metadata", json!({ "authors": [{ "email": "nobody" }] })),
            "/metadata/authors/0/email",
        ),
        (
            "odd-serial-number",
            with("1.6", "", "serialNumber", json!("3E671687-395B-41F5-A30F-A58921A69B79")),
            "/serialNumber",
        ),
        (
            "repeated-item",
            with("1.6", "", "dependencies", json!([{ "ref": "a", "dependsOn": ["b", "b"] }])),
            "/dependencies/0/dependsOn/1",
        ),
        (
            "repeated-item",
            with("1.6", "", "components", json!(vec![bom("1.6")["components"][0].clone(); 2])),
            "/components/1",
        ),
        (
            "several-expressions",
            with(
                "1.6",
                first,
                "licenses",
                json!([{ "expression": "MIT" }, { "expression": "0BSD" }]),
            ),
            "/components/0/licenses/0",
        ),
        (
            "licence-named-twice",
            with("1.5", first, "licenses", json!([{ "license": { "id": "MIT", "name": "MIT" } }])),
            "/components/0/licenses/0",
        ),
    ]
}

#[test]
fn each_deviation_is_tolerated_by_its_name() {
    let cases = cases();
    let of_spdx = ["absent-download-location", "other-spelling"];
    for (name, _) in DEVIATIONS.iter().filter(|(name, _)| !of_spdx.contains(name)) {
        assert!(cases.iter().any(|(case, ..)| case == name), "no case for {name}");
    }
    for (name, document, place) in cases {
        let text = String::from_utf8_lossy(&document);
        assert!(documents::schema::validate_cyclonedx(&document).is_err(), "valid: {text}");
        let found = deviations(&document);
        assert!(found.contains(&(name, place.to_owned())), "{found:?} in {text}");
        assert!(found.iter().all(|(code, _)| *code == name), "{found:?} in {text}");
    }
}

#[test]
fn spdx_of_older_tools_is_tolerated_by_name() {
    let sound = json!({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "x",
        "documentNamespace": "https://acme.example/x",
        "creationInfo": { "created": "2026-01-01T00:00:00Z", "creators": ["Tool: x"] },
        "packages": [{ "name": "os", "SPDXID": "SPDXRef-os", "downloadLocation": "NONE", "versionInfo": "1" }],
        "relationships": [{
            "spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-os",
        }],
    });
    let read = bom::read(sound.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(deviations(sound.to_string().as_bytes()), []);
    let mut odd = sound;
    odd["packages"][0]["primaryPackagePurpose"] = json!("OPERATING_SYSTEM");
    odd["packages"][0].as_object_mut().unwrap().remove("downloadLocation");
    odd["relationships"][0]["relationshipType"] = json!("DESCRIBE");
    odd["comment"] = Value::Null;
    let odd = odd.to_string();
    let mut found = deviations(odd.as_bytes());
    found.sort();
    assert_eq!(
        found,
        [
            ("absent-download-location", "/packages/0/downloadLocation".to_owned()),
            ("null-field", "/comment".to_owned()),
            ("other-spelling", "/packages/0/primaryPackagePurpose".to_owned()),
            ("other-spelling", "/relationships/0/relationshipType".to_owned()),
        ]
    );
    let tolerated = bom::read(odd.as_bytes()).expect("tolerated");
    assert_eq!(tolerated.subject.map(|it| it.name), read.subject.map(|it| it.name));
}

#[test]
fn what_is_read_is_what_was_said() {
    let twice = json!([
        { "type": "library", "name": "left", "version": "1", "bom-ref": "l", "cpe": null },
        { "type": "library", "name": "left", "version": "1", "bom-ref": "l" },
        { "type": "library", "name": "right", "version": "2", "bom-ref": "r" },
    ]);
    let read = bom::read(&with("1.6", "", "components", twice)).expect("tolerated");
    let names: Vec<_> = read.components.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["left", "right"]);
    assert_eq!(read.problem_counts["duplicate-bom-ref"], 1, "{:?}", read.problems);

    let serial =
        with("1.6", "", "serialNumber", json!("urn:uuid:3E671687-395B-41F5-A30F-A58921A69B79"));
    let read = bom::read(&serial).expect("tolerated");
    assert_eq!(read.serial.as_deref(), Some("urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"));
}

#[test]
fn what_is_sound_is_not_looked_at() {
    let expressions = json!([{ "expression": "MIT" }, { "license": { "id": "0BSD" } }]);
    let valid_in_1_4 = with("1.4", "/components/0", "licenses", expressions);
    assert_eq!(deviations(&valid_in_1_4), []);
}

#[test]
fn a_deviation_excuses_nothing_else() {
    let mut document = bom("1.6");
    document["serialNumber"] = Value::Null;
    document["components"][0]["type"] = json!("thing");
    let refused = bom::read(document.to_string().as_bytes()).expect_err("refused");
    let BomError::Invalid { violations, .. } = refused else { panic!("{refused}") };
    let places: Vec<_> = violations.iter().map(|it| it.pointer.as_str()).collect();
    assert_eq!(places, ["/components/0/type"]);

    for (pointer, key, value) in [
        ("/components/0", "name", Value::Null),
        ("/components/0", "type", Value::Null),
        ("", "serialNumber", json!("3e671687-395b-41f5-a30f-a58921a69b7")),
        ("", "serialNumber", json!("{3e671687-395b-41f5-a30f-a58921a69b79}")),
        ("/components/0", "purl", json!(["pkg:npm/left@1"])),
        ("/components/0", "hashes", json!([{ "alg": "SHA-256", "content": "" }])),
        ("/components/0", "licenses", json!([{ "license": { "id": "Apache-2" } }])),
        ("", "metadata", json!({ "timestamp": "yesterday" })),
    ] {
        let document = with("1.6", pointer, key, value.clone());
        assert!(bom::read(&document).is_err(), "{key}: {value}");
    }
}

#[test]
fn many_deviations_are_counted_and_a_few_listed() {
    let component = json!({ "type": "library", "name": "x", "version": "1", "bom-ref": "" });
    let components: Vec<_> = (0..1_000)
        .map(|number| {
            let mut component = component.clone();
            component["version"] = json!(number.to_string());
            component
        })
        .collect();
    let read = bom::read(&with("1.6", "", "components", json!(components))).expect("tolerated");
    assert_eq!(read.problem_counts["empty-field"], 1_000);
    let listed = read.problems.iter().filter(|it| it.code == "empty-field").count();
    assert_eq!(listed, bom::MAX_PROBLEMS_PER_CODE);
}
