//! What kind of document bytes are.

use documents::{Kind, detect};

use crate::fixture;

#[test]
fn kinds_are_told_by_the_first_bytes_or_a_key_anywhere_at_the_top() {
    let of = |text: &str| detect(text.as_bytes());
    assert_eq!(
        of(r#"{"x":[{"bomFormat":1}],"bomFormat":"CycloneDX", and then no JSON"#),
        Kind::CycloneDx
    );
    assert_eq!(of(r#"{"x":{"bomFormat":"CycloneDX"}}"#), Kind::Unknown);
    assert_eq!(of(r#"{"@context":"https:\/\/openvex.dev\/ns\/v0.2.0"}"#), Kind::OpenVex);
    assert_eq!(of(r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}"#), Kind::Spdx);
    assert_eq!(of(r#"{"@context":["https://openvex.dev/ns"]}"#), Kind::Unknown);
    assert_eq!(of(r#"{"SPDXID":"x","spdxVersion":"SPDX-2.3"}"#), Kind::Spdx);
    assert_eq!(of("\u{FEFF}\n# of ours\r\n\nSPDXVersion: SPDX-2.3\n"), Kind::Spdx);
    assert_eq!(of("# SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n"), Kind::Unknown);
    assert_eq!(of(r#"{"document":{"csaf_version":"2.0"}}"#), Kind::Csaf);
    assert_eq!(of(r#"{"_type":"https://in-toto.io/Statement/v1"}"#), Kind::InToto);
    assert_eq!(
        of(r#"{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}"#),
        Kind::SigstoreBundle
    );
    for (name, kind) in [
        ("hostile/bom.json.gz", Kind::Compressed),
        // What is wrong with it, reading tells.
        ("hostile/bom.xml", Kind::CycloneDx),
        ("hostile/bom-1.1.xml", Kind::CycloneDx),
        ("hostile/other.xml", Kind::Xml),
        ("hostile/login.html", Kind::Xml),
        ("xml/bom-1.2.xml", Kind::CycloneDx),
        ("hostile/empty.json", Kind::Unknown),
        ("hostile/utf-16.json", Kind::Unknown),
        ("hostile/spdx.json", Kind::Spdx),
        ("hostile/array.json", Kind::Unknown),
        ("sbom/redhat-rpm-openssl-1.6.json", Kind::CycloneDx),
        ("vex/jackson.cdx.json", Kind::CycloneDx),
        ("vex/demo.vex.json", Kind::OpenVex),
        ("csaf/rhsa-2023_5835.json", Kind::Csaf),
    ] {
        assert_eq!(detect(&fixture(name)), kind, "{name}");
    }
}
