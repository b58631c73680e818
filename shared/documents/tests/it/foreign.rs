//! Documents of anybody, broken ones included: scored, compared and converted, or refused; never a panic.

use documents::cyclonedx::SpecVersion;
use documents::{convert, diff, schema, score, spdx};
use jiff::Timestamp;
use serde_json::Value;

/// Whatever lies in these folders.
fn all_fixtures() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in ["bsi", "cyclonedx", "hostile", "sbom", "spdx", "vex"] {
        let folder = format!("{}/fixtures/{folder}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    found.sort();
    found
}

/// Runs everything; returns whether the document could be read at all.
fn try_all(bytes: &[u8]) -> bool {
    let is_valid = schema::validate_cyclonedx(bytes).is_ok();
    let is_exported = spdx::write(bytes, Timestamp::UNIX_EPOCH, "0").is_ok();
    assert_eq!(is_exported, is_valid);
    for version in [SpecVersion::V1_6, SpecVersion::V1_7] {
        if let Ok(converted) = convert::to_cyclonedx(bytes, version) {
            assert!(schema::validate_cyclonedx(&converted.document).is_ok());
        }
    }
    let is_scored = score::score(bytes).is_ok();
    if let Ok(difference) = diff::compare(bytes, bytes, |_, _, _| None) {
        assert!(is_scored && difference.same, "{difference:?}");
    }
    is_scored
}

#[test]
fn documents_of_anybody_are_read_or_refused() {
    let mut read = 0;
    for (name, bytes) in all_fixtures() {
        let is_cyclonedx = documents::detect(&bytes) == documents::Kind::CycloneDx;
        let is_read = try_all(&bytes);
        assert!(is_cyclonedx || !is_read, "{name}");
        read += usize::from(is_read);
    }
    assert!(read > 80, "{read}");
}

#[test]
fn values_of_other_types_anywhere_are_no_panic() {
    fastrand::seed(5);
    for name in ["bsi-compliant-1.6", "cyclonedx-py-environment-1.6"] {
        let bytes = crate::fixture(&format!("sbom/{name}.json"));
        let document: Value = serde_json::from_slice(&bytes).unwrap();
        for _ in 0..100 {
            let mut mutated = document.clone();
            for _ in 0..fastrand::usize(1..6) {
                mutate(&mut mutated);
            }
            try_all(mutated.to_string().as_bytes());
        }
    }
}

/// Replaces one value, somewhere within.
fn mutate(value: &mut Value) {
    let is_here = fastrand::u8(..6) == 0;
    match value {
        Value::Object(object) if !object.is_empty() && !is_here => {
            let index = fastrand::usize(..object.len());
            object.values_mut().nth(index).into_iter().for_each(mutate);
        }
        Value::Array(array) if !array.is_empty() && !is_here => {
            let index = fastrand::usize(..array.len());
            mutate(&mut array[index]);
        }
        _ => {
            let odd = ["null", "0", "\"\"", "[]", "{}", "[[\"x\"]]", "\"NOASSERTION\"", "-1.5e300"];
            *value = serde_json::from_str(odd[fastrand::usize(..odd.len())]).unwrap();
        }
    }
}
