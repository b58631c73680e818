//! SBOMs of others: real ones are read, broken and hostile ones refused with their own reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use documents::bom::{
    Bom, BomError, Component, Format, MAX_PROBLEMS_PER_CODE, MAX_PURL_BYTES, Problem, read,
};
use documents::schema::{CycloneDxVersion, JsonError, MAX_DEPTH, MAX_DOCUMENT_BYTES, MAX_WEIGHT};
use documents::{Kind, detect};

use crate::fixture;
use crate::samples::{files_below, mutate_often};

fn sbom(name: &str) -> Bom {
    read(&fixture(&format!("sbom/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn hostile(name: &str) -> Result<Bom, BomError> {
    read(&fixture(&format!("hostile/{name}")))
}

fn document(members: &str) -> String {
    format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6",{members}}}"#)
}

fn code(bytes: &[u8]) -> &'static str {
    read(bytes).map_or_else(|error| error.code(), |_| "read")
}

#[test]
fn a_real_sbom_is_read_with_all_that_is_used_of_it() {
    let bom = sbom("redhat-rpm-openssl-1.6.json");
    assert_eq!(bom.format, Format::CycloneDx(CycloneDxVersion::V1_6));
    assert_eq!(bom.serial.as_deref(), Some("urn:uuid:a4f16b62-fea9-42c1-8365-d72d3cef37d1"));
    assert_eq!(bom.bom_version, 1);
    assert_eq!(bom.timestamp, Some("2024-12-17T05:38:26.655298Z".parse().unwrap()));
    assert_eq!(bom.supplier.as_deref(), Some("Red Hat"));
    let subject = Component {
        bom_ref: None,
        name: "openssl".into(),
        group: None,
        version: Some("3.0.7-18.el9_2".into()),
        purl: Some("pkg:rpm/redhat/openssl@3.0.7-18.el9_2?arch=src".into()),
        cpe: None,
        kind: "library".into(),
        scope: None,
        locations: vec![],
    };
    assert_eq!(bom.subject, Some(subject));
    assert_eq!(bom.components.len(), 37);
    assert_eq!(bom.problems, []);
}

#[test]
fn nested_components_are_listed_after_what_holds_them() {
    let part = |name: &str, parts: &str| {
        format!(r#"{{"type":"library","name":"{name}","version":"1","components":[{parts}]}}"#)
    };
    let inner = part("b", &part("c", ""));
    let text = document(&format!(
        r#""metadata":{{"component":{}}},"components":[{},{}]"#,
        part("app", &part("of-app", "")),
        part("a", &inner),
        part("d", "")
    ));
    let bom = read(text.as_bytes()).unwrap();
    let names: Vec<_> = bom.components.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["of-app", "a", "b", "c", "d"]);
    assert_eq!(bom.subject.unwrap().name, "app");
    let pointers: Vec<_> = bom.problems.iter().map(|it| it.pointer.as_str()).collect();
    assert_eq!(pointers[..2], ["/metadata/component", "/metadata/component/components/0"]);
    assert_eq!(pointers[4], "/components/0/components/0/components/0");
}

#[test]
fn absent_fields_have_the_meaning_the_schema_gives_them() {
    let bom = read(document(r#""components":[]"#).as_bytes()).unwrap();
    assert_eq!((bom.bom_version, bom.serial, bom.timestamp), (1, None, None));
    let bom = read(document(r#""version":7.0"#).as_bytes()).unwrap();
    assert_eq!(bom.bom_version, 7);
    let marked = [b"\xEF\xBB\xBF".as_slice(), &fixture("sbom/bsi-compliant-1.6.json")].concat();
    assert_eq!(read(&marked).unwrap().edges, 2);
}

/// Every hostile file that is refused, with the code of the refusal and a part of its text.
const REFUSED: [(&str, &str, &str); 36] = [
    ("array.json", "not-sbom", "`bomFormat`"),
    ("bom.json.gz", "compressed", "gzip"),
    ("bom-1.1.xml", "unsupported-version", "1.1, which is not one of 1.2 to 1.7"),
    ("bom.xml", "xml-doctype", "line 2, column 1: a document type is not read"),
    ("bom.zip", "compressed", "zip"),
    ("comment.json", "not-json", "line 1, column 1"),
    ("component-without-name.json", "schema", "/components/0: \"name\" is a required property"),
    ("duplicate-key-escaped.json", "duplicate-key", "line 3, column 11: key \"name\""),
    ("duplicate-key-top.json", "duplicate-key", "key \"components\""),
    ("duplicate-key.json", "duplicate-key", "line 3, column 9: key \"version\""),
    ("empty.json", "empty", "send it whole"),
    ("format-in-lower-case.json", "not-sbom", "`bomFormat`"),
    ("infinity.json", "not-json", "line 1, column 57"),
    ("login.html", "html", "web page"),
    ("lone-surrogate.json", "not-json", "hex escape"),
    ("nan.json", "not-json", "line 1, column"),
    ("not-utf8.json", "not-utf8", "byte 88"),
    ("number-too-large.json", "not-json", "number out of range"),
    ("other.xml", "not-cyclonedx", "the outermost element is \"project\""),
    ("overlong-utf8.json", "not-utf8", "byte 85"),
    ("raw-control-character.json", "not-json", "control character"),
    ("spdx.json", "schema", "not valid SPDX 2.3: /: \"creationInfo\""),
    ("trailing-comma.json", "not-json", "trailing comma"),
    ("truncated.json", "not-json", "EOF"),
    ("two-documents.json", "not-json", "line 2, column 1: trailing characters"),
    (
        "unknown-element.xml",
        "schema",
        "the element \"componets\" has no place here (line 3, column 3)",
    ),
    ("unknown-field.json", "schema", "'componets' was unexpected"),
    ("utf-16-unmarked.json", "not-utf8", "UTF-16"),
    ("utf-16.json", "not-utf8", "UTF-16"),
    ("utf-32.json", "not-utf8", "UTF-32"),
    ("version-1.1.json", "unsupported-version", "1.1, which is not one of 1.2 to 1.7"),
    ("version-2.0.json", "unsupported-version", "2.0"),
    ("version-beyond-numbers.json", "schema", "/version"),
    ("version-number.json", "unsupported-version", "missing"),
    ("version-zero.json", "schema", "/version"),
    ("white-space.json", "empty", "send it whole"),
];

/// Code of a problem, how often it is there, and where first.
type Told = (&'static str, usize, &'static str);

/// Every hostile file that is sound, with its problems.
const SUSPICIOUS: [(&str, &[Told]); 14] = [
    ("analysis-without-id.json", &[("vulnerability-without-id", 1, "/vulnerabilities/0")]),
    ("bom-1.2-utf8bom.json", &[]),
    ("control-characters.json", &[("control-character", 4, "/metadata/component/name")]),
    ("cycle.json", &[("dependency-cycle", 1, "/dependencies/1")]),
    ("dangling-references.json", &[("dangling-reference", 7, "/dependencies/0/dependsOn/1")]),
    ("duplicate-bom-refs.json", &[("duplicate-bom-ref", 2, "/components/1/bom-ref")]),
    (
        "duplicated-bom-ref.json",
        &[
            ("component-without-identity", 2, "/metadata/component"),
            ("duplicate-bom-ref", 1, "/components/1/bom-ref"),
            ("repeated-item", 1, "/components/1"),
        ],
    ),
    ("no-severity.json", &[("dangling-reference", 1, "/vulnerabilities/0/affects/0/ref")]),
    ("null-components.json", &[("null-field", 1, "/components")]),
    (
        "purls.json",
        &[
            ("invalid-purl", 2, "/components/0/purl"),
            ("non-canonical-purl", 2, "/components/2/purl"),
        ],
    ),
    ("self-dependency.json", &[("self-dependency", 1, "/dependencies/1/dependsOn/0")]),
    (
        "trivy-infinite-loop-bom.json",
        &[
            ("component-without-identity", 1, "/components/2"),
            ("component-without-version", 1, "/metadata/component"),
            ("dependency-cycle", 1, "/dependencies/1"),
            ("non-canonical-purl", 2, "/metadata/component/purl"),
        ],
    ),
    (
        "unidentified.json",
        &[
            ("component-without-identity", 2, "/components/0"),
            ("component-without-name", 1, "/components/1"),
            ("component-without-version", 2, "/components/0"),
        ],
    ),
    ("version-one-fraction.json", &[]),
];

#[test]
fn every_hostile_file_is_refused_for_its_own_reason() {
    for (name, code, part) in REFUSED {
        let error = hostile(name).expect_err(name);
        assert_eq!(error.code(), code, "{name}: {error}");
        let text = error.to_string();
        assert!(text.contains(part), "{name}: {text}");
        assert!(text.len() < 600 && !text.contains('\n'), "{name}: {text}");
    }
}

#[test]
fn every_suspicious_file_is_read_and_its_problems_are_told() {
    for (name, expected) in SUSPICIOUS {
        let bom = hostile(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let first = |code| bom.problems.iter().find(|it| it.code == code).unwrap();
        let told: Vec<_> = bom
            .problem_counts
            .iter()
            .map(|(code, count)| (*code, *count, first(*code).pointer.as_str()))
            .collect();
        assert_eq!(told, expected, "{name}");
    }
}

#[test]
fn no_hostile_file_is_left_out_of_the_tables() {
    let folder = format!("{}/fixtures/hostile", env!("CARGO_MANIFEST_DIR"));
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let refused = REFUSED.iter().any(|(it, ..)| *it == name);
        let suspicious = SUSPICIOUS.iter().any(|(it, _)| *it == name);
        assert!(refused != suspicious, "{name}");
    }
}

#[test]
fn a_cycle_is_told_by_its_members_only() {
    let bom = hostile("cycle.json").unwrap();
    assert_eq!(bom.edges, 3);
    let message = "2 elements depend on one another: \"b\" → \"c\"".to_owned();
    let pointer = "/dependencies/1".to_owned();
    assert_eq!(bom.problems, [Problem { code: "dependency-cycle", pointer, message }]);
}

#[test]
fn a_dangling_reference_is_found_wherever_there_may_be_one() {
    let bom = hostile("dangling-references.json").unwrap();
    let found: BTreeMap<_, _> =
        bom.problems.iter().map(|it| (it.pointer.as_str(), it.message.as_str())).collect();
    let missing = |nth: u32| format!("no element has the bom-ref \"gone-{nth}\"");
    for (pointer, nth) in [
        ("/dependencies/0/dependsOn/1", 1),
        ("/dependencies/1/ref", 2),
        ("/dependencies/2/provides/0", 3),
        ("/compositions/0/assemblies/0", 4),
        ("/compositions/0/dependencies/0", 5),
        ("/vulnerabilities/0/affects/1/ref", 6),
        ("/annotations/0/subjects/0", 7),
    ] {
        assert_eq!(found[pointer], missing(nth));
    }
}

#[test]
fn problems_are_listed_up_to_a_limit_and_counted_beyond() {
    let mut components = String::new();
    for nth in 0..1_000 {
        let comma = if nth == 0 { "" } else { "," };
        write!(components, r#"{comma}{{"type":"library","name":"{nth}"}}"#).unwrap();
    }
    let bom = read(document(&format!(r#""components":[{components}]"#)).as_bytes()).unwrap();
    assert_eq!(bom.problem_counts["component-without-version"], 1_000);
    assert_eq!(bom.problem_counts["component-without-identity"], 1_000);
    assert_eq!(bom.problems.len(), 2 * MAX_PROBLEMS_PER_CODE);
}

#[test]
fn an_endless_purl_is_not_read() {
    let purl = format!("pkg:npm/a@1?{}", "x=y&".repeat(250_000));
    let component = format!(r#"{{"type":"library","name":"a","version":"1","purl":"{purl}"}}"#);
    let bom = read(document(&format!(r#""components":[{component}]"#)).as_bytes()).unwrap();
    assert_eq!(bom.problem_counts, BTreeMap::from([("purl-bomb", 1)]));
    assert_eq!(bom.components[0].purl, None);
}

#[test]
fn an_endless_bom_ref_is_not_read_but_references_to_it_are_checked() {
    let sbom = |length: usize| {
        let name = "x".repeat(length);
        let components = format!(
            r#"[{{"type":"library","name":"a","version":"1","purl":"pkg:npm/a@1","bom-ref":"{name}"}}]"#
        );
        let dependencies = format!(r#"[{{"ref":"{name}","dependsOn":["y{name}"]}}]"#);
        let members = format!(r#""components":{components},"dependencies":{dependencies}"#);
        read(document(&members).as_bytes()).unwrap()
    };
    let (longest, longer) = (sbom(MAX_PURL_BYTES), sbom(MAX_PURL_BYTES + 1));
    assert_eq!(longest.problem_counts, BTreeMap::from([("dangling-reference", 1)]));
    assert_eq!(longest.components[0].bom_ref.as_ref().map(String::len), Some(MAX_PURL_BYTES));
    let found = BTreeMap::from([("dangling-reference", 1), ("purl-bomb", 1)]);
    assert_eq!(longer.problem_counts, found);
    let bomb = longer.problems.iter().find(|it| it.code == "purl-bomb").unwrap();
    assert_eq!(bomb.pointer, "/components/0/bom-ref");
    assert_eq!(longer.components[0].bom_ref, None);
}

#[test]
fn size_is_judged_before_anything_is_read() {
    let large = |byte| vec![byte; MAX_DOCUMENT_BYTES + 1];
    let refusal = BomError::Json(JsonError::TooLarge { bytes: MAX_DOCUMENT_BYTES + 1 });
    // Neither bytes that are no text nor a compressed file change the answer.
    for byte in [0xFF, b' ', b'[', 0x1F] {
        assert_eq!(read(&large(byte)), Err(refusal.clone()));
    }
    let name = "x".repeat(100 << 20);
    let text = document(&format!(r#""components":[{{"type":"library","name":"{name}"}}]"#));
    assert_eq!(code(text.as_bytes()), "too-large");
}

#[test]
fn depth_is_refused_without_running_out_of_stack() {
    for text in [
        "[".repeat(100_000),
        "{\"a\":".repeat(100_000),
        document(&format!(
            r#""components":{}"#,
            r#"[{"type":"library","name":"a","components":"#.repeat(100_000)
        )),
        document(&format!(r#""x":{}{}"#, "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH))),
    ] {
        assert_eq!(code(text.as_bytes()), "too-deep");
        assert!(matches!(detect(text.as_bytes()), Kind::Unknown | Kind::CycloneDx));
    }
    // Two levels a component, and two outside: the deepest that is read.
    let levels = MAX_DEPTH / 2 - 1;
    let open = r#"[{"type":"library","name":"a","version":"1","components":"#.repeat(levels);
    let close = "}]".repeat(levels);
    let text = document(&format!(r#""components":{open}[]{close}"#));
    assert_eq!(read(text.as_bytes()).unwrap().components.len(), levels);
}

#[test]
fn bombs_of_values_are_refused() {
    let objects = document(&format!(r#""x":[{}1]"#, r#"{"":1},"#.repeat(MAX_WEIGHT / 7)));
    let values = document(&format!(r#""x":[{}1]"#, "1,".repeat(MAX_WEIGHT)));
    for text in [objects, values] {
        assert_eq!(code(text.as_bytes()), "too-many-values");
    }
}

#[test]
fn one_chain_of_a_hundred_thousand_dependencies_is_no_cycle_until_it_is_closed() {
    let chain = |last: &str| {
        let mut entries = String::new();
        for nth in 0..100_000 {
            write!(entries, r#"{{"ref":"{nth}","dependsOn":["{}"]}},"#, nth + 1).unwrap();
        }
        document(&format!(r#""dependencies":[{entries}{{"ref":"100000","dependsOn":[{last}]}}]"#))
    };
    let bom = read(chain("").as_bytes()).unwrap();
    assert_eq!(bom.problem_counts.keys().collect::<Vec<_>>(), [&"dangling-reference"]);
    assert_eq!(bom.edges, 100_000);
    let bom = read(chain("\"0\"").as_bytes()).unwrap();
    let cycle = bom.problems.iter().find(|it| it.code == "dependency-cycle").unwrap();
    assert!(cycle.message.starts_with("100001 elements depend"), "{}", cycle.message);
    assert!(cycle.message.len() < 200);
}

/// Measured in a process of its own, by what the operating system says was its peak.
#[test]
#[cfg(target_os = "linux")]
fn the_heaviest_document_that_is_judged_fits_in_memory() {
    const CHILD: &str = "bom::child_reads_the_heaviest_document";
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", CHILD, "--nocapture"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let line = text.lines().find_map(|line| line.split_once("peak in kB: ")).unwrap().1;
    let peak: usize = line.trim().parse().unwrap();
    assert!(peak < 750 << 10, "{} MB", peak >> 10);
}

#[test]
#[ignore = "run by another test, in a process of its own"]
#[cfg(target_os = "linux")]
fn child_reads_the_heaviest_document() {
    // An object sets the most memory aside for its weight: this is just under the limit.
    let text = document(&format!(r#""x":[{}1]"#, r#"{"":1},"#.repeat(MAX_WEIGHT / 7 - 10)));
    assert_eq!(code(text.as_bytes()), "schema");
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    #[allow(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("peak in kB: {}", peak.trim().trim_end_matches(" kB"));
    }
}

#[test]
fn mutated_sboms_never_panic() {
    for name in
        ["sbom/cyclonedx-py-environment-1.6.json", "sbom/bsi-compliant-1.6.json", "xml/bom-1.7.xml"]
    {
        mutate_often(&fixture(name), |bytes| {
            detect(bytes);
            read(bytes).map(drop).map_err(|error| error.to_string())
        });
    }
}

#[test]
fn the_wider_collection_is_read_or_refused_where_it_is_at_hand() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cyclonedx/real");
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for bytes in files_below(folder) {
        *codes.entry(code(&bytes)).or_default() += 1;
    }
    if !codes.is_empty() {
        // One is XML of version 1.1, one was damaged; of one the URLs are tolerated.
        let expected = [("read", 23), ("schema", 1), ("unsupported-version", 1)];
        assert_eq!(codes, BTreeMap::from(expected));
    }
}
