//! What is decided about documents that real generators made: `tests/decisions.md`, row by row.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use attestation::SigningKey;

use super::*;
use crate::passport::Key;

/// Where the documents are, if they are at hand: too large to be copied here.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/decisions.md");
/// Copies of some.
const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/documents/fixtures");

/// What came of a document, in one line: the decision, then the rules that reject and those that warn.
fn decision(document: &[u8], policy: &Evaluator) -> String {
    let signing = SigningKey::generate().expect("a key");
    let bundle = signing.sign_file(document).expect("signed");
    let key = Key {
        label: Label::of("release"),
        key: signing.public_key().clone(),
        development: false,
        not_before: None,
        not_after: None,
    };
    // Whatever its age and whatever it is about: what the document itself is like decides.
    let passport = Passport { max_age_days: 36_500, keys: vec![key], ..acme() };
    let submission = Submission {
        document: Bytes::copy_from_slice(document),
        bundle: Some(Bytes::from(bundle)),
        passport: Some(Arc::new(passport)),
        now: "2026-12-01T00:00:00Z".parse().expect("valid"),
        root: Arc::new(TrustRoot::public_good().expect("sound")),
        advisories: None,
        standing: None,
    };
    let examined = examine(&submission, read(document), policy).expect("judges");
    let rules = |rejects: bool| {
        let found = examined.findings.iter().filter(|it| it.rejects == rejects);
        let rules: BTreeSet<_> = found.map(|it| it.rule.as_str()).collect();
        match rules.is_empty() {
            true => "-".to_owned(),
            false => rules.into_iter().collect::<Vec<_>>().join(", "),
        }
    };
    let rejecting = rules(true);
    let result = if rejecting == "-" { "accepted" } else { "rejected" };
    format!("{result} | {rejecting} | {}", rules(false))
}

/// Rows of the table: document, decision, rejecting rules, warning rules, and why that is right.
fn rows() -> BTreeMap<String, (String, String)> {
    let text = fs::read_to_string(TABLE).expect("the table");
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|it| it.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let [path, result, rejecting, warning, why] = cells[..] else { panic!("{line:?}") };
        assert!(!why.is_empty(), "{path}: why?");
        let decided = format!("{result} | {rejecting} | {warning}");
        let path = path.trim_matches('`').to_owned();
        let before = rows.insert(path, (decided, why.to_owned()));
        assert!(before.is_none(), "{line} twice");
    }
    rows
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => files(&path, found),
            false => found.push(path),
        }
    }
}

/// Compares what is decided with the table; `folders` are below the data, and copies below the fixtures.
fn compare(folders: &[&str], fixtures: &[(&str, &str)]) {
    let policy = Evaluator::load(None, Limits::default()).expect("loads");
    let rows = rows();
    let mut found = Vec::new();
    for folder in folders {
        let mut paths = Vec::new();
        files(&Path::new(DATA).join(folder), &mut paths);
        for path in paths {
            let name = path.strip_prefix(DATA).expect("below").display().to_string();
            found.push((name, path));
        }
    }
    for (name, fixture) in fixtures {
        found.push(((*name).to_owned(), Path::new(FIXTURES).join(fixture)));
    }
    let mut wrong = Vec::new();
    for (name, path) in found {
        let decided = decision(&fs::read(&path).expect("reads"), &policy);
        match rows.get(&name) {
            Some((expected, _)) if *expected == decided => {}
            other => {
                let why = other.map_or("", |(_, why)| why);
                wrong.push(format!("| `{name}` | {decided} | {why} |"));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{TABLE} says otherwise of:\n{}", wrong.join("\n"));
}

#[test]
fn documents_of_real_generators_are_decided_as_the_table_says() {
    let copies = [
        (
            "cyclonedx/real/cyclonedx-py-environment-1.6.json",
            "sbom/cyclonedx-py-environment-1.6.json",
        ),
        ("cyclonedx/real/redhat-rpm-openssl-1.6.json", "sbom/redhat-rpm-openssl-1.6.json"),
        ("cyclonedx/quirks/duplicated-bom-ref.json", "hostile/duplicated-bom-ref.json"),
        ("cyclonedx/quirks/trivy-infinite-loop-bom.json", "hostile/trivy-infinite-loop-bom.json"),
        ("cyclonedx/quirks/no-severity.json", "hostile/no-severity.json"),
    ];
    let folders = [
        "cyclonedx/real",
        "cyclonedx/quirks",
        "spdx",
        "vex/csaf/csaf_vex",
        "vex/csaf/real",
        "vex/cyclonedx",
        "vex/openvex/go-vex",
        "vex/openvex/vexctl",
        "vex/openvex/vexhub",
    ];
    compare(&folders, &copies);
}

#[test]
fn documents_that_test_the_schema_are_judged_as_it_does() {
    let mut paths = Vec::new();
    files(&Path::new(FIXTURES).join("cyclonedx"), &mut paths);
    files(&Path::new(DATA).join("cyclonedx/spec-tests"), &mut paths);
    let mut judged = [0, 0];
    for path in paths.iter().filter(|it| it.extension().is_some_and(|it| it == "json")) {
        let name = path.file_name().expect("a file").to_string_lossy();
        let valid = name.starts_with("valid-");
        if !valid && !name.starts_with("invalid-") {
            continue;
        }
        let read = read(&fs::read(path).expect("reads"));
        let refused_by = read.as_ref().err().map(|it| it.step);
        match (valid, refused_by) {
            (true, None) | (false, Some(Step::Schema)) => {}
            // What says that it is something else is not judged by this schema at all.
            (false, Some(Step::Format)) if name.starts_with("invalid-bomformat") => {}
            other => panic!("{}: {other:?}", path.display()),
        }
        judged[usize::from(valid)] += 1;
    }
    assert!(judged[0] >= 5 && judged[1] >= 5, "{judged:?}");
}
