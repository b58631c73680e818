//! The official schemas, against the specification's own tests.

use std::path::{Path, PathBuf};

use documents::bom::{self, Format};
use documents::schema::{CycloneDxVersion, MAX_VIOLATIONS, SchemaError, validate_cyclonedx};

use crate::fixture;

fn judge_all(folder: &Path) -> usize {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in &files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(file).unwrap();
        let judged = validate_cyclonedx(&bytes);
        let read = bom::read(&bytes).map(|it| it.format);
        // A reader of both formats cannot tell which of them was meant.
        let as_sbom = |error| match error {
            SchemaError::NotCycloneDx => SchemaError::NotSbom,
            other => other,
        };
        assert_eq!(read, judged.clone().map(Format::CycloneDx).map_err(as_sbom), "{name}");
        if name.starts_with("valid-") {
            let version = judged.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(name.ends_with(&format!("-{version}.json")), "{name}: {version}");
        } else {
            assert!(name.starts_with("invalid-"), "{name}");
            assert!(judged.is_err(), "{name} was accepted");
        }
    }
    files.len()
}

#[test]
fn specification_files_of_each_version_are_judged_rightly() {
    let folder = format!("{}/fixtures/cyclonedx", env!("CARGO_MANIFEST_DIR"));
    assert_eq!(judge_all(Path::new(&folder)), 31);
}

#[test]
fn the_whole_specification_suite_is_judged_rightly_where_it_is_at_hand() {
    let suite = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cyclonedx/spec-tests");
    let Ok(versions) = std::fs::read_dir(suite) else { return };
    let judged: usize = versions.map(|version| judge_all(&version.unwrap().path())).sum();
    assert!(judged >= 141, "only {judged} files");
}

#[test]
fn a_violation_has_a_pointer_and_a_message() {
    let Err(SchemaError::Invalid { format, violations }) =
        validate_cyclonedx(&fixture("cyclonedx/invalid-metadata-timestamp-1.6.json"))
    else {
        panic!("not refused by the schema")
    };
    assert_eq!(format, CycloneDxVersion::V1_6.into());
    assert_eq!(violations.len(), 1);
    assert_eq!(violations[0].pointer, "/metadata/timestamp");
    assert!(violations[0].message.contains("date-time"), "{}", violations[0].message);
}

#[test]
fn violations_are_listed_up_to_the_limit() {
    let component = r#"{"type":"nothing","name":"a"},"#.repeat(500);
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{component}{{"type":"library","name":"b"}}]}}"#
    );
    let Err(SchemaError::Invalid { violations, .. }) = validate_cyclonedx(text.as_bytes()) else {
        panic!("not refused by the schema")
    };
    assert_eq!(violations.len(), MAX_VIOLATIONS);
}

#[test]
fn other_documents_and_other_versions_are_named_as_such() {
    let judge = |text: &str| validate_cyclonedx(text.as_bytes()).unwrap_err();
    assert_eq!(judge(r#"{"spdxVersion":"SPDX-2.3"}"#), SchemaError::Spdx);
    assert_eq!(judge("# ours\nSPDXVersion: SPDX-2.3"), SchemaError::Spdx);
    assert_eq!(judge("[]"), SchemaError::NotCycloneDx);
    let unsupported = |found: &str| SchemaError::UnsupportedVersion {
        found: found.to_owned(),
        oldest: CycloneDxVersion::V1_2,
    };
    let versioned = |version| format!(r#"{{"bomFormat":"CycloneDX","specVersion":{version}}}"#);
    assert_eq!(judge(&versioned("\"1.1\"")), unsupported("1.1"));
    assert_eq!(judge(&versioned("1.6")), unsupported("missing"));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let mut bytes = b"\xEF\xBB\xBF".to_vec();
    bytes.extend(fixture("cyclonedx/valid-patch-1.6.json"));
    assert_eq!(validate_cyclonedx(&bytes), Ok(CycloneDxVersion::V1_6));
}
