//! SPDX in tag-value says the same as its twin in JSON.

use std::fmt::Write as _;

use documents::bom::{Bom, BomError, read};
use documents::spdx;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fixture;
use crate::spdx_read::{document, example, package, purl, read_value, related};

/// Keys that are one text each, with their tags.
const DOCUMENT: [(&str, &str); 6] = [
    ("spdxVersion", "SPDXVersion"),
    ("dataLicense", "DataLicense"),
    ("SPDXID", "SPDXID"),
    ("name", "DocumentName"),
    ("documentNamespace", "DocumentNamespace"),
    ("comment", "DocumentComment"),
];
const PACKAGE: [(&str, &str); 18] = [
    ("SPDXID", "SPDXID"),
    ("versionInfo", "PackageVersion"),
    ("packageFileName", "PackageFileName"),
    ("supplier", "PackageSupplier"),
    ("originator", "PackageOriginator"),
    ("downloadLocation", "PackageDownloadLocation"),
    ("homepage", "PackageHomePage"),
    ("sourceInfo", "PackageSourceInfo"),
    ("licenseConcluded", "PackageLicenseConcluded"),
    ("licenseDeclared", "PackageLicenseDeclared"),
    ("licenseComments", "PackageLicenseComments"),
    ("copyrightText", "PackageCopyrightText"),
    ("summary", "PackageSummary"),
    ("description", "PackageDescription"),
    ("comment", "PackageComment"),
    ("primaryPackagePurpose", "PrimaryPackagePurpose"),
    ("releaseDate", "ReleaseDate"),
    ("builtDate", "BuiltDate"),
];
const FILE: [(&str, &str); 4] = [
    ("SPDXID", "SPDXID"),
    ("licenseConcluded", "LicenseConcluded"),
    ("copyrightText", "FileCopyrightText"),
    ("noticeText", "FileNotice"),
];

/// Writes a document as tag-value, by the standard and not by the reader.
fn twin(document: &Value) -> String {
    let mut lines = String::new();
    let mut line = |tag: &str, value: &Value| match value.as_str() {
        None => {}
        Some(text) if text.contains('\n') => writeln!(lines, "{tag}: <text>{text}</text>").unwrap(),
        Some(text) => writeln!(lines, "{tag}: {text}").unwrap(),
    };
    let items = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let joined = |value: &Value, keys: &[&str], by: &str| {
        Value::from(
            keys.iter().map(|key| value[*key].as_str().unwrap()).collect::<Vec<_>>().join(by),
        )
    };
    DOCUMENT.iter().for_each(|(key, tag)| line(tag, &document[*key]));
    let creation = &document["creationInfo"];
    line("Created", &creation["created"]);
    items(creation, "creators").iter().for_each(|it| line("Creator", it));
    for id in items(document, "documentDescribes") {
        line(
            "Relationship",
            &format!("SPDXRef-DOCUMENT DESCRIBES {}", id.as_str().unwrap()).into(),
        );
    }
    let checksum = |it: &Value| joined(it, &["algorithm", "checksumValue"], ": ");
    for package in items(document, "packages") {
        line("PackageName", &package["name"]);
        PACKAGE.iter().for_each(|(key, tag)| line(tag, &package[*key]));
        items(&package, "checksums").iter().for_each(|it| line("PackageChecksum", &checksum(it)));
        let code = &package["packageVerificationCode"]["packageVerificationCodeValue"];
        line("PackageVerificationCode", code);
        for reference in items(&package, "externalRefs") {
            let keys = ["referenceCategory", "referenceType", "referenceLocator"];
            line("ExternalRef", &joined(&reference, &keys, " "));
            line("ExternalRefComment", &reference["comment"]);
        }
    }
    for file in items(document, "files") {
        line("FileName", &file["fileName"]);
        FILE.iter().for_each(|(key, tag)| line(tag, &file[*key]));
        items(&file, "checksums").iter().for_each(|it| line("FileChecksum", &checksum(it)));
    }
    for licence in items(document, "hasExtractedLicensingInfos") {
        line("LicenseID", &licence["licenseId"]);
        line("ExtractedText", &licence["extractedText"]);
    }
    for relationship in items(document, "relationships") {
        let keys = ["spdxElementId", "relationshipType", "relatedSpdxElement"];
        line("Relationship", &joined(&relationship, &keys, " "));
        line("RelationshipComment", &relationship["comment"]);
    }
    lines
}

/// Problems lie elsewhere in the twin where relationships are listed in another order.
fn without_places(mut bom: Bom) -> Bom {
    bom.problems.clear();
    bom
}

fn assert_twins(name: &str, json: &[u8]) {
    let text = twin(&serde_json::from_slice(json).unwrap());
    let read_twin =
        |text: &str| read(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
    let expected = without_places(read(json).unwrap());
    assert_eq!(without_places(read_twin(&text)), expected, "{name}");
    assert_eq!(without_places(read_twin(&text.replace('\n', "\r\n"))), expected, "{name}");
}

#[test]
fn twins_say_the_same() {
    for name in [
        "acme",
        "hello-source",
        "kubernetes-bom",
        "maven-plugin",
        "sbom-tool-dist",
        "sbom-tool-src",
        "trivy",
        "example-2.2",
        "example-2.3",
    ] {
        assert_twins(name, &fixture(&format!("spdx/{name}.spdx.json")));
    }
    for name in ["bsi-compliant-1.6", "cyclonedx-php-composer-devReq-1.7", "redhat-rpm-openssl-1.6"]
    {
        let bytes = fixture(&format!("sbom/{name}.json"));
        let written = spdx::write(&bytes, Timestamp::UNIX_EPOCH, "0").unwrap();
        assert_twins(name, &written.document);
    }
}

#[test]
fn the_examples_of_the_standard_say_the_same_in_both_forms() {
    for version in ["2.2", "2.3"] {
        let [json, text] = ["spdx.json", "spdx"].map(|end| {
            let mut bom = without_places(example(&format!("example-{version}.{end}")));
            bom.components.sort_by(|a, b| a.bom_ref.cmp(&b.bom_ref));
            bom
        });
        assert_eq!(text, json, "{version}");
    }
}

const BEGIN: &str = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: x\n\
    DocumentNamespace: https://acme.example/x\nCreator: Tool: x\nCreated: 2026-01-02T03:04:05Z\n";

fn with(lines: &str) -> Result<Bom, BomError> {
    read(format!("{BEGIN}{lines}").as_bytes())
}

#[test]
fn every_tag_of_the_standard_has_its_place() {
    let lines = "# Zephyr writes comments\n\
        \u{20} DocumentComment : <text>several\n\nlines # of: text</text>\n\
        ExternalDocumentRef: DocumentRef-zephyr  http://zephyr.example/z SHA1:6d3b\n\
        CreatorComment: c\nLicenseListVersion: 3.20\n\
        Reviewer: Person: Jo\nReviewDate: 2026-01-02T03:04:05Z\nReviewComment: fine\n\
        FileName: ./alone.c\nSPDXID: SPDXRef-alone\nFileChecksum: SHA1: 00\nFileType: SOURCE\nFileType: TEXT\n\
        LicenseComments: l\nFileComment: f\nFileContributor: Jo\nFileAttributionText: a\nFileDependency: ./b\n\
        ArtifactOfProjectName: p\nArtifactOfProjectHomePage: https://p.example\nArtifactOfProjectURI: UNKNOWN\n\
        LicenseInfoInFile: MIT\nFileNotice: n\n\
        PackageName: app\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-app\nSPDXID: SPDXRef-app\n\
        PackageVersion: 1\nPackageDownloadLocation: NONE\nFilesAnalyzed: true\n\
        PackageVerificationCode: d6a770ba38583ed4bb4525bd96e50461655d2758 (excludes: ./a, ./b)\n\
        PackageLicenseInfoFromFiles: MIT\nPackageAttributionText: t\nValidUntilDate: 2027-01-01T00:00:00Z\n\
        ExternalRef: PACKAGE-MANAGER purl pkg:generic/app@1\nExternalRefComment: ours\n\
        Annotator: Tool: x\nAnnotationDate: 2026-01-02T03:04:05Z\nAnnotationType: OTHER\nAnnotationComment: c\n\
        SPDXREF: SPDXRef-alone\nPackageComment: still the package\n\
        SnippetSPDXID: SPDXRef-s\nSnippetFromFileSPDXID: SPDXRef-alone\nSnippetByteRange: 310:420\n\
        SnippetLineRange: 5:23\nLicenseInfoInSnippet: MIT\nSnippetLicenseConcluded: MIT\nSnippetComment: c\n\
        LicenseID: LicenseRef-1\nExtractedText: <text></text>\nLicenseName: n\nLicenseCrossReference: u\nLicenseComment: c\n\
        Relationship: SPDXRef-app GENERATED_FROM SPDXRef-s\nRelationshipComment: r\n\
        Relationship: SPDXRef-app DEPENDS_ON DocumentRef-zephyr:SPDXRef-z\n";
    let bom = with(lines).unwrap();
    assert_eq!(bom.problems, []);
    assert_eq!(bom.edges, 1);
    assert_eq!(bom.subject.unwrap().purl.as_deref(), Some("pkg:generic/app@1"));
    let schema = with("PackageName: a\nPackageDownloadLocation: NONE\n").unwrap_err();
    assert!(schema.to_string().contains("/packages/0: \"SPDXID\""), "{schema}");
}

#[test]
fn what_has_no_place_is_refused_with_its_line() {
    for (lines, line, part) in [
        ("Colour: red\n", 8, "\"Colour\""),
        ("\n# x\nno tag\n", 10, "no `Tag: value`"),
        ("PackageVersion: 1\n", 8, "`PackageName`"),
        ("PackageName: a\nFileName: b\nPackageVersion: 1\n", 10, "`PackageName`"),
        ("RelationshipComment: x\n", 8, "`Relationship`"),
        ("PackageName: a\nExternalRefComment: x\n", 9, "`ExternalRef`"),
        ("SPDXREF: SPDXRef-DOCUMENT\n", 8, "`Annotator`"),
        ("LicenseID: LicenseRef-1\nSPDXID: SPDXRef-x\n", 9, "`SPDXID`"),
        ("Annotator: Tool: x\nSPDXREF: SPDXRef-gone\n", 9, "\"SPDXRef-gone\""),
        ("Relationship: SPDXRef-a DEPENDS_ON\n", 8, "`SPDXRef-a DEPENDS_ON SPDXRef-b`"),
        ("Relationship: SPDXRef-a DEPENDS_ON SPDXRef-b SPDXRef-c\n", 8, "DEPENDS_ON"),
        ("PackageName: a\nFilesAnalyzed: yes\n", 9, "`true` or `false`"),
        ("PackageName: a\nPackageChecksum: 00\n", 9, "`SHA1: 85ed…`"),
        ("PackageName: a\nExternalRef: purl pkg:pypi/a@1\n", 9, "SECURITY"),
        ("ExternalDocumentRef: DocumentRef-a\n", 8, "DocumentRef-a"),
        ("SnippetSPDXID: SPDXRef-s\nSnippetByteRange: -1:5\n", 9, "`310:420`"),
        ("DocumentComment: <text>one\ntwo</text> three\n", 9, "after </text>"),
        ("DocumentComment: <text>never\nclosed\n", 8, "</text>"),
        ("DocumentComment: <text>a\0b</text>\n", 8, "NUL"),
        ("DocumentComment: a\u{1b}[2Jb\n", 8, "control character"),
    ] {
        let error = with(lines).unwrap_err();
        assert_eq!(error.code(), "spdx-syntax", "{lines}: {error}");
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("line {line} of")) && text.contains(part),
            "{lines}: {text}"
        );
        assert!(
            text.ends_with("; correct it, or the tool that wrote it") && text.len() < 300,
            "{text}"
        );
    }
}

#[test]
fn what_may_be_there_once_is_refused_twice() {
    for (lines, line) in [
        ("DocumentName: y\n", 8),
        ("SPDXID: SPDXRef-DOCUMENT\n", 8),
        ("PackageName: a\nSPDXID: SPDXRef-a\nPackageVersion: 1\nPackageVersion: 2\n", 11),
        ("Annotator: Tool: x\nSPDXREF: SPDXRef-a\nSPDXREF: SPDXRef-b\n", 10),
    ] {
        let error = with(lines).unwrap_err();
        assert_eq!(error.code(), "duplicate-key", "{lines}: {error}");
        assert!(error.to_string().starts_with(&format!("line {line}, ")), "{error}");
    }
}

#[test]
fn hand_made_twins_with_problems_have_the_same_problems() {
    let mut twice = package("a");
    twice["externalRefs"] = json!([purl("pkg:pypi/A@1"), purl("pkg:npm/evil@1"), purl("nonsense")]);
    let document = document(&json!({
        "packages": [twice, package("b"), package("b")],
        "relationships": [related("DOCUMENT", "DESCRIBES", "a"), related("a", "DEPENDS_ON", "b"),
                          related("b", "DEPENDS_ON", "a"), related("a", "CONTAINS", "gone")],
    }));
    let json = read_value(&document);
    let expected = [
        ("dangling-reference", 1),
        ("dependency-cycle", 1),
        ("duplicate-bom-ref", 1),
        ("invalid-purl", 1),
        ("non-canonical-purl", 1),
        ("several-purls", 2),
    ];
    assert_eq!(json.problem_counts.clone().into_iter().collect::<Vec<_>>(), expected);
    // Here nothing is written in another order, so that the places are the same.
    assert_eq!(read(twin(&document).as_bytes()).unwrap(), json);
}
