//! What another index says otherwise, package by package.

use std::fs;

use advisories::{Ecosystem, Index, IndexError, Package, PackageKey};
use serde_json::{Value, json};

use crate::{DJANGO, ids, index_of, record};

const FLASK: (&str, &str) = ("PyPI", "flask");

fn key(name: &str) -> PackageKey {
    PackageKey::of(Ecosystem::PyPi, name)
}

fn sorted(names: &[&str]) -> Vec<PackageKey> {
    let mut keys: Vec<_> = names.iter().map(|it| key(it)).collect();
    keys.sort();
    keys
}

fn affected(until: &str) -> Value {
    json!([{ "introduced": "0" }, { "fixed": until }])
}

/// Two records of two packages, the first with this as its `fixed`.
fn two(until: &str) -> Vec<Value> {
    vec![record("A", &[], DJANGO, affected(until)), record("B", &[], FLASK, affected("9"))]
}

#[test]
fn only_what_a_record_says_otherwise_has_changed() {
    let before = index_of(&two("2"));
    assert_eq!(index_of(&two("2")).changed_since(&before), []);

    let after = index_of(&two("3"));
    assert_eq!(after.changed_since(&before), [key("django")]);
    assert_eq!(before.changed_since(&after), [key("django")]);
    assert_eq!(after.fingerprint(key("Flask")), before.fingerprint(key("flask")));
    assert_ne!(after.fingerprint(key("django")), before.fingerprint(key("django")));
    assert_eq!(after.fingerprint(key("jinja2")), None);
}

#[test]
fn package_that_comes_or_goes_has_changed() {
    let (none, one, both) = (index_of(&[]), index_of(&two("2")[..1]), index_of(&two("2")));

    assert_eq!(both.changed_since(&none), sorted(&["django", "flask"]));
    assert_eq!(none.changed_since(&both), sorted(&["django", "flask"]));
    assert_eq!(both.changed_since(&one), [key("flask")]);
    assert_eq!(one.changed_since(&both), [key("flask")]);
}

#[test]
fn record_that_is_withdrawn_changes_its_package() {
    let before = index_of(&two("2"));
    let mut records = two("2");
    records[1]["withdrawn"] = "2024-02-01T00:00:00Z".into();

    let after = index_of(&records);

    assert_eq!(after.changed_since(&before), [key("flask")]);
    assert_eq!(after.fingerprint(key("flask")), None);
}

#[test]
fn alias_elsewhere_that_renames_the_vulnerability_changes_the_package() {
    let cve = record("CVE-2024-0001", &[], FLASK, affected("9"));
    let records = |aliases: &[&str]| {
        [
            record("PYSEC-1", &[], DJANGO, affected("2")),
            record("GHSA-1", aliases, FLASK, affected("9")),
            cve.clone(),
        ]
    };
    let before = index_of(&records(&["CVE-2024-0001"]));
    let after = index_of(&records(&["CVE-2024-0001", "PYSEC-1"]));

    assert_eq!(ids(&before, "pkg:pypi/django@1"), ["PYSEC-1"]);
    assert_eq!(ids(&after, "pkg:pypi/django@1"), ["CVE-2024-0001"]);
    assert_eq!(after.changed_since(&before), sorted(&["django", "flask"]));
}

#[test]
fn record_that_names_no_package_of_ours_changes_nothing_unless_it_joins() {
    let foreign = |aliases: &[&str]| record("X", aliases, ("Unknown", "y"), affected("1"));
    let before = index_of(&two("2"));
    let with = |record: Value| index_of(&[&two("2")[..], &[record]].concat());

    assert_eq!(with(foreign(&[])).changed_since(&before), []);
    assert_eq!(with(foreign(&["A"])).changed_since(&before), [key("django")]);
}

#[test]
fn exploitation_changes_no_package() {
    let directory = crate::directory_of(&two("2"));
    let plain = crate::build(directory.path()).0;
    fs::write(directory.path().join("scores.csv"), "cve,epss,percentile\nCVE-2024-0001,0.9,0.9\n")
        .unwrap();

    let scored = crate::build(directory.path()).0;

    assert_ne!(scored.digest(), plain.digest());
    assert_eq!(scored.changed_since(&plain), []);
}

#[test]
fn many_packages_at_once_match_as_each_alone() {
    let (index, _) = crate::build(&crate::fixture("osv"));
    let names = ["django", "Jinja2", "scrapy", "idna", "nobody"];
    let versions = ["1.0", "2.13.3", "3.3"];
    let named = names.iter().flat_map(|name| versions.map(|version| (*name, version)));
    let packages: Vec<_> =
        named.map(|(name, version)| Package::new(Ecosystem::PyPi, name, version)).collect();

    let mut found = Vec::new();
    index.matches_of(&packages, |package, matches| found.push((package.clone(), matches)));

    assert_eq!(found.len(), packages.len());
    assert!(found.iter().any(|(_, matches)| !matches.is_empty()));
    for package in packages {
        let (_, matches) = found.iter().find(|(it, _)| *it == package).unwrap();
        assert_eq!(*matches, index.matches(&package), "{package:?}");
    }
}

#[test]
fn older_index_is_found_by_its_digest() {
    let directory = tempfile::tempdir().unwrap();
    let old = index_of(&two("2")).save(directory.path()).unwrap();
    let new = index_of(&two("3")).save(directory.path()).unwrap();
    let of_digest = |digest| Index::of_digest(directory.path(), digest);

    let found = of_digest(old).unwrap().unwrap();
    assert_eq!((found.digest(), ids(&found, "pkg:pypi/django@2")), (old, Vec::new()));
    assert!(of_digest(new).unwrap().is_some());

    let [from, to] = [old, new].map(|it| directory.path().join(format!("{}.index", it.hex())));
    fs::rename(from, to).unwrap();
    assert!(of_digest(old).unwrap().is_none());
    assert!(matches!(of_digest(new), Err(IndexError::Damaged { .. })));
}
