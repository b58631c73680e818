//! SPDX of others, in JSON: the standard's examples, real documents, and the habits of generators.

use std::collections::BTreeMap;

use documents::bom::{Bom, Component, Format, MAX_PURL_BYTES, read};
use documents::schema::{CycloneDxVersion, SpdxVersion};
use documents::spdx;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fixture;

pub(crate) fn example(name: &str) -> Bom {
    read(&fixture(&format!("spdx/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A document with what must be there, and more.
pub(crate) fn document(more: &Value) -> Value {
    let mut document = json!({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": "app", "documentNamespace": "https://acme.example/app-1",
        "creationInfo": { "created": "2026-01-02T03:04:05Z", "creators": ["Tool: x-1"] },
    });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
}

pub(crate) fn package(name: &str) -> Value {
    json!({
        "SPDXID": format!("SPDXRef-{name}"), "name": name, "versionInfo": "1",
        "downloadLocation": "NOASSERTION", "externalRefs": [purl(&format!("pkg:pypi/{name}@1"))],
    })
}

pub(crate) fn purl(purl: &str) -> Value {
    json!({ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl })
}

pub(crate) fn related(from: &str, kind: &str, to: &str) -> Value {
    let id = |it: &str| match it {
        "NONE" | "NOASSERTION" => it.to_owned(),
        _ if it.contains(':') => it.to_owned(),
        _ => format!("SPDXRef-{it}"),
    };
    json!({ "spdxElementId": id(from), "relationshipType": kind, "relatedSpdxElement": id(to) })
}

pub(crate) fn read_value(document: &Value) -> Bom {
    read(document.to_string().as_bytes()).unwrap_or_else(|error| panic!("{error}: {document}"))
}

fn names(bom: &Bom) -> Vec<&str> {
    bom.components.iter().map(|it| it.name.as_str()).collect()
}

fn subject(bom: &Bom) -> Option<&str> {
    bom.subject.as_ref().map(|it| it.name.as_str())
}

#[test]
fn a_real_document_is_read_with_all_that_is_used_of_it() {
    let bom = example("acme.spdx.json");
    assert_eq!(bom.format, Format::Spdx(SpdxVersion::V2_3));
    assert_eq!((bom.format.name(), bom.format.spec_version()), ("spdx", "2.3"));
    let namespace = "http://spdx.org/spdxdocs/spdx-example-4ca64a7e-2f6f-41bf-8b18-16da59d67824";
    assert_eq!(bom.serial.as_deref(), Some(namespace));
    assert_eq!((bom.bom_version, bom.edges), (1, 0));
    assert_eq!(bom.timestamp, Some("2023-10-08T18:30:22Z".parse().unwrap()));
    assert_eq!(bom.supplier.as_deref(), Some("Jane Doe"));
    let acme = Component {
        bom_ref: Some("SPDXRef-Acme".into()),
        name: "Acme Applcation".into(),
        group: None,
        version: Some("2.3".into()),
        purl: None,
        cpe: None,
        kind: "application".into(),
        scope: None,
        locations: vec![],
    };
    assert_eq!(bom.subject, Some(acme));
    assert_eq!(names(&bom), ["elliptic", "alpine", "OpenSSL"]);
    assert_eq!(bom.components[0].purl.as_deref(), Some("pkg:npm/elliptic@6.5.2"));
    assert_eq!(bom.problem_counts, BTreeMap::from([("component-without-identity", 1)]));
    assert_eq!(bom.problems[0].pointer, "/packages/2");
}

/// Name, subject, packages beside it, edges, and the codes of the problems.
type Told = (&'static str, Option<&'static str>, usize, usize, &'static [&'static str]);

const REAL: [Told; 10] = [
    (
        "trivy.spdx.json",
        Some("testdata/fixtures/repo/conda"),
        2,
        0,
        &["component-without-identity", "component-without-version"],
    ),
    ("syft.spdx", None, 30, 0, &["non-canonical-purl"]),
    (
        "example-2.2.spdx.json",
        Some("glibc"),
        3,
        1,
        &["component-without-identity", "component-without-version"],
    ),
    (
        "example-2.3.spdx.json",
        Some("glibc"),
        3,
        1,
        &["component-without-identity", "component-without-version"],
    ),
    ("acme.spdx.json", Some("Acme Applcation"), 3, 0, &["component-without-identity"]),
    ("hello-source.spdx.json", Some("hello"), 0, 0, &["component-without-version"]),
    ("kubernetes-bom.spdx.json", Some("hello-server-src"), 3, 3, &[]),
    (
        "maven-plugin.spdx.json",
        Some("examplemaven"),
        5,
        5,
        &["component-without-identity", "component-without-version"],
    ),
    ("sbom-tool-dist.spdx.json", Some("hello"), 0, 0, &[]),
    ("sbom-tool-src.spdx.json", Some("hello"), 0, 0, &[]),
];

#[test]
fn real_documents_are_read() {
    for (name, about, components, edges, problems) in REAL {
        let bom = example(name);
        assert_eq!(subject(&bom), about, "{name}");
        assert_eq!((bom.components.len(), bom.edges), (components, edges), "{name}");
        let codes: Vec<_> = bom.problem_counts.keys().copied().collect();
        assert_eq!(codes, problems, "{name}: {:?}", bom.problems);
    }
}

/// What an SBOM says, whatever its format calls it.
#[derive(Debug, PartialEq)]
struct Gist {
    purls: Vec<Option<String>>,
    edges: usize,
    /// Version and purl.
    subject: Option<[Option<String>; 2]>,
}

impl Gist {
    fn of(bom: &Bom) -> Self {
        let mut purls: Vec<_> = bom.components.iter().map(|it| it.purl.clone()).collect();
        purls.sort();
        let subject = bom.subject.as_ref().map(|it| [it.version.clone(), it.purl.clone()]);
        Self { purls, edges: bom.edges, subject }
    }
}

#[test]
fn what_is_converted_from_cyclonedx_says_the_same() {
    for name in [
        "bsi-compliant-1.6",
        "cyclonedx-py-environment-1.6",
        "cyclonedx-php-composer-devReq-1.7",
        "redhat-rpm-openssl-1.6",
    ] {
        let bytes = fixture(&format!("sbom/{name}.json"));
        let original = read(&bytes).unwrap();
        assert!(
            matches!(original.format, Format::CycloneDx(version) if version >= CycloneDxVersion::V1_6)
        );
        let converted = spdx::write(&bytes, Timestamp::UNIX_EPOCH, "0").unwrap();
        let converted = read(&converted.document).unwrap();
        assert_eq!(Gist::of(&converted), Gist::of(&original), "{name}");
        let name_of = |bom: &Bom| {
            bom.subject.as_ref().map(|it| it.name.rsplit('/').next().unwrap().to_owned())
        };
        assert_eq!(name_of(&converted), name_of(&original), "{name}");
        for code in ["dangling-reference", "duplicate-bom-ref", "several-subjects"] {
            assert_eq!(converted.problem_counts.get(code), None, "{name}");
        }
    }
}

#[test]
fn the_subject_is_what_the_document_describes() {
    let packages = json!([package("a"), package("b")]);
    let of = |more: Value| {
        let mut document = document(&json!({ "packages": packages }));
        document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        read_value(&document)
    };
    for more in [
        json!({ "documentDescribes": ["SPDXRef-b"] }),
        json!({ "relationships": [related("DOCUMENT", "DESCRIBES", "b")] }),
        json!({ "relationships": [related("b", "DESCRIBED_BY", "DOCUMENT")] }),
        json!({ "documentDescribes": ["SPDXRef-b"], "relationships": [related("DOCUMENT", "DESCRIBES", "b")] }),
    ] {
        let bom = of(more);
        assert_eq!((subject(&bom), names(&bom)), (Some("b"), vec!["a"]));
        assert_eq!(bom.problems, []);
    }
    let several = of(json!({ "documentDescribes": ["SPDXRef-b", "SPDXRef-a"] }));
    assert_eq!((subject(&several), names(&several)), (None, vec!["a", "b"]));
    assert_eq!(several.problem_counts, BTreeMap::from([("several-subjects", 1)]));
    let none = of(
        json!({ "relationships": [related("a", "DESCRIBES", "b"), related("DOCUMENT", "DESCRIBES", "NONE")] }),
    );
    assert_eq!((subject(&none), none.problems.len()), (None, 0));
    let gone = of(json!({ "documentDescribes": ["SPDXRef-gone"] }));
    assert_eq!((subject(&gone), gone.problems[0].pointer.as_str()), (None, "/documentDescribes/0"));
    let only = read_value(&document(&json!({ "packages": [package("a")] })));
    assert_eq!((subject(&only), only.components.len()), (Some("a"), 0));
}

#[test]
fn files_are_components_only_where_they_are_what_is_described() {
    let file = |name: &str| {
        json!({ "SPDXID": format!("SPDXRef-{name}"), "fileName": format!("./{name}"),
                "checksums": [{ "algorithm": "SHA1", "checksumValue": "da39a3ee5e6b4b0d3255bfef95601890afd80709" }] })
    };
    let of = |described: Value, packages: Value| {
        let files = json!([file("x"), file("y")]);
        read_value(&document(
            &json!({ "files": files, "packages": packages, "documentDescribes": described }),
        ))
    };
    let bom = of(json!(["SPDXRef-x", "SPDXRef-y"]), json!([]));
    assert_eq!((subject(&bom), names(&bom)), (None, vec!["./x", "./y"]));
    assert!(bom.components.iter().all(|it| it.kind == "file"));
    assert_eq!(bom.problem_counts, BTreeMap::from([("several-subjects", 1)]));
    let bom = of(json!(["SPDXRef-x"]), json!([package("a")]));
    assert_eq!((subject(&bom), names(&bom)), (Some("./x"), vec!["a"]));
    let bom = of(json!(["SPDXRef-x", "SPDXRef-a"]), json!([package("a")]));
    assert_eq!((subject(&bom), names(&bom)), (Some("a"), vec![]));
}

#[test]
fn every_way_to_need_something_is_an_edge_in_its_direction() {
    let related: Vec<_> = [
        related("a", "DEPENDS_ON", "b"),
        related("c", "DEPENDENCY_OF", "b"),
        related("d", "DEV_DEPENDENCY_OF", "c"),
        related("e", "RUNTIME_DEPENDENCY_OF", "d"),
        related("e", "DYNAMIC_LINK", "f"),
        related("g", "PREREQUISITE_FOR", "f"),
        related("g", "HAS_PREREQUISITE", "DocumentRef-x:SPDXRef-y"),
        related("a", "DEPENDS_ON", "NOASSERTION"),
        related("NONE", "BUILD_DEPENDENCY_OF", "a"),
        related("g", "CONTAINS", "a"),
        related("g", "DEPENDENCY_MANIFEST_OF", "a"),
        related("a", "STATIC_LINK", "a"),
        related("g", "DEPENDS_ON", "gone"),
    ]
    .into();
    let packages: Vec<_> = ["a", "b", "c", "d", "e", "f", "g"].map(package).into();
    let open = document(&json!({ "packages": packages, "relationships": related }));
    let bom = read_value(&open);
    assert_eq!(bom.edges, 9);
    let expected = BTreeMap::from([("dangling-reference", 1), ("self-dependency", 1)]);
    assert_eq!(bom.problem_counts, expected, "{:?}", bom.problems);
    let places: Vec<_> = bom.problems.iter().map(|it| it.pointer.as_str()).collect();
    assert_eq!(places, ["/relationships/12/relatedSpdxElement", "/relationships/11"]);

    let mut closed = open;
    closed["relationships"][9]["relationshipType"] = "DEPENDS_ON".into();
    let bom = read_value(&closed);
    let cycle = bom.problems.iter().find(|it| it.code == "dependency-cycle").unwrap();
    assert!(cycle.message.starts_with("7 elements depend on one another"), "{}", cycle.message);
}

#[test]
fn what_identifies_a_package_is_known_in_each_of_its_forms() {
    let with = |key: &str, value: Value| {
        let mut package = package("a");
        package.as_object_mut().unwrap().remove("externalRefs");
        package[key] = value;
        read_value(&document(&json!({ "packages": [package] })))
    };
    let reference = |category: &str, kind: &str, locator: &str| json!([{ "referenceCategory": category, "referenceType": kind, "referenceLocator": locator }]);
    for (key, value) in [
        ("externalRefs", reference("PACKAGE_MANAGER", "purl", "pkg:pypi/a@1")),
        (
            "externalRefs",
            reference("PACKAGE-MANAGER", "http://spdx.org/rdf/references/purl", "pkg:pypi/a@1"),
        ),
        ("externalRefs", reference("SECURITY", "cpe23Type", "cpe:2.3:a:acme:a:1:*:*:*:*:*:*:*")),
        ("externalRefs", reference("SECURITY", "cpe22Type", "cpe:/a:acme:a:1")),
        (
            "externalRefs",
            reference("PERSISTENT-ID", "swh", "swh:1:cnt:94a9ed024d3859793618152ea559a168bbcbb5e2"),
        ),
        ("checksums", json!([{ "algorithm": "SHA256", "checksumValue": "00" }])),
        (
            "packageVerificationCode",
            json!({ "packageVerificationCodeValue": "d6a770ba38583ed4bb4525bd96e50461655d2758" }),
        ),
    ] {
        let bom = with(key, value);
        assert_eq!(bom.problems, [], "{key}");
    }
    for (key, value) in [
        ("externalRefs", reference("SECURITY", "advisory", "https://acme.example")),
        ("checksums", json!([])),
        ("comment", json!("x")),
    ] {
        let counts = with(key, value).problem_counts;
        assert_eq!(counts, BTreeMap::from([("component-without-identity", 1)]), "{key}");
    }
}

#[test]
fn cpe_is_read_in_the_newer_binding_before_the_older() {
    let (old, new) = ("cpe:/a:acme:a:1", "cpe:2.3:a:acme:a:1:*:*:*:*:*:*:*");
    let reference = |kind: &str, locator: &str| json!({ "referenceCategory": "SECURITY", "referenceType": kind, "referenceLocator": locator });
    let read = |references: Value| {
        let mut package = package("a");
        package["externalRefs"] = references;
        read_value(&document(&json!({ "packages": [package] })))
    };
    let long = format!("cpe:/a:{}", "a".repeat(MAX_PURL_BYTES));
    for (references, cpe, bombs) in [
        (json!([reference("cpe22Type", old)]), Some(old), 0),
        (json!([reference("cpe22Type", old), reference("cpe23Type", new)]), Some(new), 0),
        (json!([reference("cpe23Type", "NOASSERTION")]), None, 0),
        (json!([reference("advisory", "https://acme.example")]), None, 0),
        (json!([reference("cpe22Type", &long)]), None, 1),
    ] {
        let bom = read(references);
        let subject = bom.subject.expect("the only package");
        assert_eq!(subject.cpe.as_deref(), cpe);
        assert_eq!(bom.problem_counts.get("purl-bomb").copied().unwrap_or_default(), bombs);
    }
}

#[test]
fn versions_that_say_nothing_are_none_and_purposes_are_kinds() {
    let mut packages = Vec::new();
    for (version, purpose) in
        [("NOASSERTION", "CONTAINER"), ("", "SOURCE"), ("2", "OPERATING-SYSTEM")]
    {
        let mut package = package(&format!("p{}", packages.len()));
        package["versionInfo"] = version.into();
        package["primaryPackagePurpose"] = purpose.into();
        packages.push(package);
    }
    let bom = read_value(&document(&json!({ "packages": packages })));
    let told: Vec<_> =
        bom.components.iter().map(|it| (it.version.as_deref(), it.kind.as_str())).collect();
    assert_eq!(told, [(None, "container"), (None, "library"), (Some("2"), "operating-system")]);
    assert_eq!(bom.problem_counts["component-without-version"], 2);
}

#[test]
fn suppliers_are_those_of_the_subject_else_who_made_the_document() {
    let of = |supplier: Option<&str>| {
        let mut package = package("a");
        if let Some(supplier) = supplier {
            package["supplier"] = supplier.into();
        }
        let creators = json!(["Person: Jo", "Organization: Maker ()", "Organization: Other"]);
        let creation = json!({ "created": "2026-01-02T03:04:05Z", "creators": creators });
        read_value(&document(&json!({ "packages": [package], "creationInfo": creation })))
            .supplier
            .unwrap()
    };
    assert_eq!(of(Some("Organization: Acme (a@acme.example)")), "Acme");
    assert_eq!(of(Some("Person: Jo")), "Jo");
    assert_eq!(of(Some("NOASSERTION")), "Maker");
    assert_eq!(of(None), "Maker");
}

/// Microsoft's sbom-tool lists files with relationships and writes PACKAGE_MANAGER; GitHub's export
/// names a repository; Syft and Trivy contain everything in a root.
#[test]
fn habits_of_generators_are_no_problem() {
    let mut root = package("DocumentRoot-Directory-app");
    root["primaryPackagePurpose"] = "APPLICATION".into();
    root["externalRefs"] = json!([purl("pkg:generic/app@1")]);
    let mut left = package("left-pad");
    left["externalRefs"][0]["referenceCategory"] = "PACKAGE_MANAGER".into();
    left["attributionTexts"] = json!(["LayerDiffID: sha256:00"]);
    left["annotations"] = json!([{ "annotationDate": "2026-01-02T03:04:05Z", "annotationType": "OTHER",
                                   "annotator": "Tool: trivy-0.60", "comment": "Class: lang-pkgs" }]);
    left["sourceInfo"] = "".into();
    let file = json!({ "SPDXID": "SPDXRef-File--x", "fileName": "./x", "licenseConcluded": "NOASSERTION",
                       "checksums": [{ "algorithm": "SHA256", "checksumValue": "00" }] });
    let bom = read_value(&document(&json!({
        "spdxVersion": "SPDX-2.2", "externalDocumentRefs": [], "hasExtractedLicensingInfos": [],
        "packages": [left, root], "files": [file],
        "documentDescribes": ["SPDXRef-DocumentRoot-Directory-app"],
        "relationships": [
            related("DOCUMENT", "DESCRIBES", "DocumentRoot-Directory-app"),
            related("DocumentRoot-Directory-app", "CONTAINS", "left-pad"),
            related("left-pad", "DEPENDENCY_OF", "DocumentRoot-Directory-app"),
            related("File--x", "CONTAINED_BY", "DocumentRoot-Directory-app"),
        ],
    })));
    assert_eq!(bom.format, Format::Spdx(SpdxVersion::V2_2));
    assert_eq!((bom.problems.as_slice(), bom.edges), (&[][..], 1));
    assert_eq!(bom.subject.unwrap().kind, "application");
    assert_eq!(bom.components[0].purl.as_deref(), Some("pkg:pypi/left-pad@1"));
}

#[test]
fn other_versions_are_refused_by_name() {
    for (bytes, found) in [
        (r#"{"spdxVersion":"SPDX-2.1"}"#, "SPDX-2.1"),
        (r#"{"spdxVersion":2.3}"#, "missing"),
        (r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[]}"#, "3.0.1"),
        ("SPDXVersion: SPDX-2.0\nUnknown: x\n", "SPDX-2.0"),
        ("SPDXVersion: SPDX-3.0\n", "SPDX-3.0"),
    ] {
        let error = read(bytes.as_bytes()).unwrap_err();
        assert_eq!(error.code(), "unsupported-version", "{bytes}");
        let text = error.to_string();
        assert!(
            text.contains(found) && text.ends_with("; write the document as SPDX 2.3"),
            "{text}"
        );
    }
}
