//! Documents in both forms become the same value.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::schema::{SchemaError, judge, read_unjudged};

/// A document that keeps to its schema, in its JSON form.
fn read(bytes: &[u8]) -> Result<Value, SchemaError> {
    let (document, version, weight) = read_unjudged(bytes)?;
    judge(&document, version, weight).map(|()| document)
}

fn document(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap();
    let mut document = read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    document.as_object_mut().unwrap().remove("$schema");
    document
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/xml");

#[test]
fn xml_and_json_of_every_version_become_the_same_value() {
    let mut compared = 0;
    for entry in fs::read_dir(FOLDER).unwrap() {
        let json = entry.unwrap().path();
        if json.extension().is_some_and(|it| it == "json") {
            let (xml, json) = (document(&json.with_extension("xml")), document(&json));
            assert_eq!(xml, json);
            compared += 1;
        }
    }
    assert_eq!(compared, 21);
}

#[test]
fn what_the_official_tests_call_invalid_is_refused() {
    let mut refused = 0;
    for entry in fs::read_dir(FOLDER).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("invalid") {
            let bytes = fs::read(&path).unwrap();
            let error = read(&bytes).unwrap_err();
            let is_violation = matches!(error, SchemaError::Invalid { .. });
            assert!(is_violation || error.code() == "duplicate-key", "{}: {error}", path.display());
            refused += 1;
        }
    }
    assert_eq!(refused, 7);
}

#[test]
fn transforms_of_ikev2_are_names_or_objects_but_never_both() {
    let document = |transform: &str| {
        let text = format!(
            "<bom xmlns='http://cyclonedx.org/schema/bom/1.7'><components><component type='cryptographic-asset'>\
             <name>a</name><cryptoProperties><assetType>protocol</assetType><protocolProperties>\
             <ikev2TransformTypes><encr>{transform}</encr></ikev2TransformTypes></protocolProperties>\
             </cryptoProperties></component></components></bom>"
        );
        let read = read(text.as_bytes());
        let pointer =
            "/components/0/cryptoProperties/protocolProperties/ikev2TransformTypes/encr/0";
        read.map(|value| value.pointer(pointer).unwrap().clone())
    };
    assert_eq!(document("ref-1"), Ok(json!("ref-1")));
    assert_eq!(
        document("<name>aes</name> <keyLength>128</keyLength>"),
        Ok(json!({ "name": "aes", "keyLength": 128 }))
    );
    let error = document("ref-1<name>aes</name>").unwrap_err().to_string();
    assert!(error.contains("encr/0: text and elements side by side"), "{error}");
}
