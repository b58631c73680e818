use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::read_and_score;
use crate::bom::{read, read_whole};
use crate::schema::CycloneDxVersion;

/// CycloneDX in JSON, as it is found.
fn fixtures(folder: &Path, found: &mut Vec<Vec<u8>>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            fixtures(&path, found);
        } else if path.extension().is_some_and(|it| it == "json") {
            found.push(fs::read(&path).unwrap());
        }
    }
}

fn all_fixtures() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    fixtures(&PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")), &mut found);
    found
}

/// What the document is, if it is read one by one; then reading the whole comes to the same.
fn outcome(bytes: &[u8]) -> &'static str {
    let Some((bom, report)) = read_and_score(bytes, CycloneDxVersion::V1_2) else {
        return "left to the whole";
    };
    let outcome = if bom.problems.is_empty() { "clean" } else { "suspicious" };
    let shown = String::from_utf8_lossy(bytes);
    assert_eq!(Ok((bom, Some(report))), read_whole(bytes), "{shown}");
    outcome
}

#[test]
fn one_by_one_comes_to_what_the_whole_comes_to() {
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for bytes in all_fixtures() {
        *outcomes.entry(outcome(&bytes)).or_default() += 1;
    }
    for outcome in ["clean", "suspicious", "left to the whole"] {
        assert!(outcomes.get(outcome).is_some_and(|it| *it > 3), "{outcomes:?}");
    }
}

#[test]
fn one_by_one_refuses_or_agrees_whatever_is_changed() {
    let mut random = fastrand::Rng::with_seed(0x00A7_7E57);
    let mut fixtures = all_fixtures();
    fixtures.retain(|it| it.len() < 20_000 && outcome(it) != "left to the whole");
    let mut agreed = 0;
    for _ in 0..2_000 {
        let mut bytes = fixtures[random.usize(..fixtures.len())].clone();
        let (at, from) = (random.usize(..bytes.len()), random.usize(..bytes.len()));
        let copied = bytes[from..bytes.len().min(from + random.usize(..60))].to_vec();
        match random.u8(..3) {
            0 => drop(bytes.splice(at..at, copied)),
            1 => drop(bytes.drain(from..from + copied.len())),
            _ => bytes[at] ^= 1 << random.u8(..8),
        }
        agreed += usize::from(outcome(&bytes) != "left to the whole");
    }
    assert!(agreed > 100, "{agreed}");
}

fn whole(members: &str) -> String {
    format!(r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,{members}}}"#)
}

/// Components that are valid each, and together are not, or are suspicious.
#[test]
fn what_only_the_whole_shows_is_seen() {
    let part = |name: &str| {
        let purl = format!("pkg:generic/{name}@1");
        format!(
            r#"{{"type":"library","name":"{name}","version":"1","purl":"{purl}","bom-ref":"{name}"}}"#
        )
    };
    let code = |text: &str| match read(text.as_bytes()) {
        Ok(bom) => bom.problems.iter().map(|it| it.code).collect::<Vec<_>>().join(" "),
        Err(error) => error.code().to_owned(),
    };
    let (a, b) = (part("a"), part("b"));
    let depends = |pairs: &[(&str, &str)]| {
        let entries =
            pairs.iter().map(|(of, on)| format!(r#"{{"ref":"{of}","dependsOn":["{on}"]}}"#));
        format!(
            r#""components":[{a},{b}],"dependencies":[{}]"#,
            entries.collect::<Vec<_>>().join(",")
        )
    };
    for (members, expected, is_one_by_one) in [
        (format!(r#""components":[{a},{b}]"#), "", true),
        (format!(r#""components":[{a}],"components":[{b}]"#), "duplicate-key", false),
        (
            format!(r#""components":[{}]"#, a.replace("{", r#"{"name":"x","#)),
            "duplicate-key",
            false,
        ),
        // The same thing twice, which is tolerated and told.
        (format!(r#""components":[{a},{a}]"#), "repeated-item duplicate-bom-ref", false),
        // Other things of the same name.
        (
            format!(r#""components":[{a},{}]"#, a.replace("library", "firmware")),
            "duplicate-bom-ref",
            false,
        ),
        (
            format!(r#""components":[{a},{b}],"services":[{{"name":"s","bom-ref":"a"}}]"#),
            "duplicate-bom-ref",
            false,
        ),
        // References from the rest of the document to what was forgotten.
        (depends(&[("a", "b")]), "", true),
        (depends(&[("a", "c")]), "dangling-reference", true),
        (depends(&[("a", "b"), ("b", "a")]), "dependency-cycle", true),
        (format!(r#""components":[{a}],"vulnerabilities":[{{"bom-ref":5}}]"#), "schema", false),
        (format!(r#""components":{a}"#), "schema", false),
        (format!(r#""components":[{a},{{"name":"b","bom-ref":"b"}}]"#), "schema", false),
        (format!(r#""components":[{a}],"x":1"#), "schema", false),
    ] {
        let text = whole(&members);
        assert_eq!(code(&text), expected, "{text}");
        assert_eq!(outcome(text.as_bytes()) != "left to the whole", is_one_by_one, "{text}");
    }
}
