//! Every case of the official suite, and texts that nobody meant to be package URLs.

#![allow(clippy::unwrap_used, reason = "a failed test says where")]

use std::{collections::BTreeMap, fs, path::Path};

use purl::{Purl, PurlError};
use serde_json::Value;

const SUITE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/purl-spec");

#[test]
fn every_case_of_the_official_suite_passes() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(Path::new(SUITE)).unwrap() {
        let file: Value =
            serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap();
        for case in file["tests"].as_array().unwrap() {
            cases += 1;
            if let Err(why) = check(case) {
                wrong.push(format!(
                    "{}: {} {}: {why}",
                    case["description"], case["test_type"], case["input"]
                ));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(cases, 586);
}

fn check(case: &Value) -> Result<(), String> {
    let result = match case["test_type"].as_str().unwrap() {
        "parse" => case["input"].as_str().unwrap().parse().map(|purl| parts(&purl)),
        "build" => build(&case["input"]).map(|purl| Value::from(purl.to_string())),
        "validate" => {
            let purl = Purl::canonicalize(case["input"].as_str().unwrap());
            purl.map(|purl| Value::from(purl.to_string()))
        }
        other => panic!("test_type {other} is new"),
    };
    match (result, case["expected_failure"].as_bool().unwrap()) {
        (Ok(found), false) if found == case["expected_output"] => Ok(()),
        (Err(_), true) => Ok(()),
        (found, _) => Err(format!("{found:?}")),
    }
}

fn parts(purl: &Purl) -> Value {
    let qualifiers = match purl.qualifiers() {
        none if none.is_empty() => None,
        some => Some(some.clone()),
    };
    serde_json::json!({
        "type": purl.kind(), "namespace": purl.namespace(), "name": purl.name(),
        "version": purl.version(), "qualifiers": qualifiers, "subpath": purl.subpath(),
    })
}

fn build(parts: &Value) -> Result<Purl, PurlError> {
    let text = |key: &str| parts[key].as_str().unwrap_or_default();
    let mut purl = Purl::new(text("type"), text("name"))
        .with_namespace(text("namespace"))
        .with_version(text("version"))
        .with_subpath(text("subpath"));
    let qualifiers: Option<BTreeMap<String, String>> =
        serde_json::from_value(parts["qualifiers"].clone()).unwrap();
    for (key, value) in qualifiers.unwrap_or_default() {
        purl = purl.with_qualifier(&key, &value);
    }
    purl.checked()
}

#[test]
fn hostile_texts_are_refused_with_their_reason() {
    for (text, reason) in [
        ("", "does not begin with `pkg:`"),
        ("pkg:npm", "has no name after its type"),
        ("pkg:npm/a%", "has escapes in \"a%\" that are not those of UTF-8 text"),
        ("pkg:npm/a%zz", "has escapes in \"a%zz\" that are not those of UTF-8 text"),
        ("pkg:npm/a%ff", "has escapes in \"a%ff\" that are not those of UTF-8 text"),
        ("pkg:npm/a?b=1&b=2", "has the qualifier b twice"),
        (
            "pkg:n%70m/a",
            "has the type \"n%70m\", which is not letters, digits, `.` and `-` after a letter",
        ),
    ] {
        assert_eq!(text.parse::<Purl>().unwrap_err().to_string(), reason);
    }
    let long = format!("pkg:npm/{}", "a".repeat(purl::MAX_BYTES));
    assert_eq!(Purl::canonicalize(&long), Err(PurlError::TooLong(long.len())));
}

#[test]
fn names_keep_the_case_that_their_registry_tells_apart() {
    for text in [
        "pkg:golang/github.com/BurntSushi/toml@v1.4.0",
        "pkg:npm/JSONStream@1.3.5",
        "pkg:nuget/Newtonsoft.Json@13.0.3",
        "pkg:golang/stdlib@1.22.1",
    ] {
        assert_eq!(text.parse::<Purl>().unwrap().to_string(), text);
    }
}

#[test]
fn what_was_read_is_read_again_as_the_same() {
    let mut random = fastrand::Rng::with_seed(42);
    let alphabet: Vec<char> = "pkg:npm/@a.b%2F%40?=&#~ é\u{7f}\n\\".chars().collect();
    let mut read = 0;
    for _ in 0..100_000 {
        let length = random.usize(0..24);
        let text: String = (0..length).map(|_| *random.choice(&alphabet).unwrap()).collect();
        let Ok(purl) = Purl::canonicalize(&format!("pkg:npm/{text}")) else { continue };
        read += 1;
        let canonical = purl.to_string();
        assert_eq!(canonical.parse(), Ok(purl), "{text:?} gave {canonical:?}");
    }
    assert!(read > 1_000, "only {read} texts were package URLs");
}
