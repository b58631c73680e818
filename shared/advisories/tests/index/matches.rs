//! What a package has.

use advisories::{MatchRule, Severity};
use serde_json::json;

use crate::{DJANGO, build, fixture, ids, index_of, matches, record};

#[test]
fn records_that_share_an_alias_are_one_vulnerability() {
    let events = || json!([{ "introduced": "0" }, { "fixed": "2.0" }]);
    let index = index_of(&[
        record("PYSEC-2024-1", &["CVE-2024-1"], DJANGO, events()),
        record("GHSA-aaaa-bbbb-cccc", &["CVE-2024-1"], DJANGO, events()),
        record("PYSEC-2024-2", &[], DJANGO, events()),
    ]);

    let found = matches(&index, "pkg:pypi/django@1.0");

    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!(found[0].id, "CVE-2024-1");
    assert_eq!(found[0].aliases, ["GHSA-aaaa-bbbb-cccc", "PYSEC-2024-1"]);
    assert_eq!(found[0].advisories, ["GHSA-aaaa-bbbb-cccc", "PYSEC-2024-1"]);
    assert_eq!(found[1].id, "PYSEC-2024-2");
}

#[test]
fn one_record_that_affects_is_enough_and_only_it_is_named() {
    let index = index_of(&[
        record("PYSEC-1", &["CVE-1"], DJANGO, json!([{ "introduced": "2.0" }, { "fixed": "2.5" }])),
        record("GHSA-1", &["CVE-1"], DJANGO, json!([{ "introduced": "0" }, { "fixed": "1.5" }])),
    ]);

    let found = matches(&index, "pkg:pypi/django@1.0");

    assert_eq!(found.len(), 1);
    assert_eq!(found[0].advisories, ["GHSA-1"]);
    assert_eq!(found[0].aliases, ["GHSA-1", "PYSEC-1"]);
}

#[test]
fn fix_is_the_lowest_version_that_no_joined_record_affects() {
    let index = index_of(&[
        record("GHSA-1", &["CVE-1"], DJANGO, json!([{ "introduced": "0" }, { "fixed": "1.5" }])),
        record(
            "PYSEC-1",
            &["CVE-1"],
            DJANGO,
            json!([{ "introduced": "1.4" }, { "fixed": "1.10" }, { "introduced": "2.0" }, { "fixed": "2.1" }]),
        ),
    ]);
    let fixed = |purl| matches(&index, purl).remove(0).fixed;

    assert_eq!(fixed("pkg:pypi/django@1.0").as_deref(), Some("1.10"));
    assert_eq!(fixed("pkg:pypi/django@2.0").as_deref(), Some("2.1"));
}

#[test]
fn no_fix_is_named_where_none_is_known() {
    let open = record("GHSA-1", &[], DJANGO, json!([{ "introduced": "0" }]));
    let last =
        record("GHSA-2", &[], DJANGO, json!([{ "introduced": "0" }, { "last_affected": "2.0" }]));
    let index = index_of(&[open, last]);

    let found = matches(&index, "pkg:pypi/django@1.0");

    assert_eq!(found.iter().map(|it| it.fixed.as_deref()).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn withdrawn_record_neither_matches_nor_joins_but_is_shown() {
    let events = || json!([{ "introduced": "0" }]);
    let mut withdrawn = record("GHSA-w", &["CVE-1", "CVE-2"], DJANGO, events());
    withdrawn["withdrawn"] = json!("2024-02-01T00:00:00Z");
    let index = index_of(&[
        withdrawn,
        record("PYSEC-1", &["CVE-1"], DJANGO, events()),
        record("PYSEC-2", &["CVE-2"], DJANGO, events()),
    ]);

    let found = matches(&index, "pkg:pypi/django@1.0");

    assert_eq!(found.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), ["CVE-1", "CVE-2"]);
    assert!(found.iter().all(|it| !it.aliases.contains(&"GHSA-w".to_owned())));
    let shown: Vec<_> = index.advisory("cve-1").into_iter().map(|it| it.id).collect();
    assert_eq!(shown, ["GHSA-w", "PYSEC-1"]);
}

#[test]
fn names_meet_as_their_registries_compare_them() {
    let events = || json!([{ "introduced": "0" }]);
    let index = index_of(&[
        record("A", &[], ("PyPI", "Ruamel.YAML"), events()),
        record("B", &[], ("crates.io", "serde_json"), events()),
        record("C", &[], ("npm", "@Scope/Package"), events()),
        record("D", &[], ("npm", "@scope/package"), events()),
        record("E", &[], ("Go", "github.com/Masterminds/goutils"), events()),
    ]);

    assert_eq!(ids(&index, "pkg:pypi/ruamel_yaml@1"), ["A"]);
    assert_eq!(ids(&index, "pkg:cargo/serde-json@1.0.0"), ["B"]);
    // Two npm packages, told apart as long as the case is known.
    assert_eq!(ids(&index, "pkg:npm/%40Scope/Package@1.0.0"), ["C"]);
    assert_eq!(ids(&index, "pkg:npm/%40scope/package@1.0.0"), ["D"]);
    assert_eq!(ids(&index, "pkg:npm/%40SCOPE/package@1.0.0"), ["C", "D"]);
    // Package URLs put Go namespaces in lower case.
    assert_eq!(ids(&index, "pkg:golang/github.com/masterminds/goutils@v1.0.0"), ["E"]);
    assert_eq!(ids(&index, "pkg:pypi/serde-json@1"), [""; 0]);
}

#[test]
fn suffix_of_a_registry_says_nothing_and_other_ecosystems_only_count() {
    let directory = crate::directory_of(&[
        record("A", &[], ("PyPI:https://pypi.org", "django"), json!([{ "introduced": "0" }])),
        record("B", &[], ("Debian:12", "django"), json!([{ "introduced": "0" }])),
        record("C", &[], ("Something new", "django"), json!([{ "introduced": "0" }])),
    ]);

    let (index, report) = build(directory.path());

    assert_eq!(ids(&index, "pkg:pypi/django@1"), ["A"]);
    assert_eq!(report.ecosystems["Debian"], 1);
    assert_eq!(report.ecosystems["Something new"], 1);
    assert_eq!((report.advisories, report.matchable), (3, 2));
    assert_eq!(index.advisory("B").len(), 1);
}

#[test]
fn several_entries_for_one_package_all_count() {
    let package = json!({ "ecosystem": "npm", "name": "x" });
    let part = |introduced: &str, fixed: &str| json!({ "package": package, "ranges": [{ "type": "SEMVER", "events": [{ "introduced": introduced }, { "fixed": fixed }] }] });
    let index = index_of(&[json!({
        "id": "GHSA-1", "modified": "2024-01-01T00:00:00Z",
        "affected": [
            part("1.0.0", "1.2.0"),
            part("2.0.0", "2.2.0"),
            { "package": package, "versions": ["3.0.0"] },
            { "package": package, "ranges": [{ "type": "GIT", "repo": "x", "events": [{ "introduced": "0" }] }] },
        ],
    })]);

    assert_eq!(matches(&index, "pkg:npm/x@1.1.0")[0].fixed.as_deref(), Some("1.2.0"));
    assert_eq!(matches(&index, "pkg:npm/x@2.1.0")[0].rule, MatchRule::Range);
    assert_eq!(matches(&index, "pkg:npm/x@3.0.0")[0].rule, MatchRule::ExactVersion);
    assert_eq!(ids(&index, "pkg:npm/x@1.2.0"), [""; 0]);
}

#[test]
fn severity_is_the_strongest_vector_else_the_word_of_the_database() {
    let mut vectors = record("A", &["CVE-1"], DJANGO, json!([{ "introduced": "0" }]));
    vectors["severity"] = json!([
        { "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" },
        { "type": "CVSS_V4", "score": "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:N/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N" },
        { "type": "Ubuntu", "score": "low" },
    ]);
    let mut word = record("B", &[], DJANGO, json!([{ "introduced": "0" }]));
    word["database_specific"] = json!({ "severity": "MODERATE", "x": [[[]]] });
    let mut odd = record("C", &[], DJANGO, json!([{ "introduced": "0" }]));
    odd["database_specific"] = json!("<Any value>");
    odd["severity"] = json!("high");
    let index = index_of(&[vectors, word, odd]);

    let found = matches(&index, "pkg:pypi/django@1");

    let severities: Vec<_> = found.iter().map(|it| (it.id.as_str(), it.severity)).collect();
    assert_eq!(
        severities,
        [("B", Severity::Medium), ("C", Severity::Unknown), ("CVE-1", Severity::Critical)]
    );
    assert_eq!(found[2].cvss.as_ref().map(|it| it.score), Some(9.8));
}

#[test]
fn record_only_informs_unless_a_joined_one_warns() {
    let events = || json!([{ "introduced": "0" }]);
    let crate_of = |id, aliases: &[&str]| {
        let mut record = record(id, aliases, ("crates.io", "x"), events());
        record["affected"][0]["database_specific"] = json!({ "informational": "unsound" });
        record
    };
    let index = index_of(&[
        crate_of("RUSTSEC-1", &[]),
        crate_of("RUSTSEC-2", &["GHSA-2"]),
        record("GHSA-2", &[], ("crates.io", "x"), events()),
    ]);

    let found = matches(&index, "pkg:cargo/x@1.0.0");

    let informational: Vec<_> =
        found.iter().map(|it| (it.id.as_str(), it.informational.as_deref())).collect();
    assert_eq!(informational, [("GHSA-2", None), ("RUSTSEC-1", Some("unsound"))]);
}

#[test]
fn real_records_are_found_in_real_packages() {
    let (index, report) = build(&fixture("osv"));

    assert_eq!((report.problem_count, report.advisories), (0, 168));
    for (purl, id, fixed) in [
        ("pkg:pypi/Scrapy@2.13.3", "CVE-2017-14158", None),
        ("pkg:pypi/idna@3.3", "CVE-2024-3651", Some("3.7")),
        ("pkg:cargo/regex@1.0.2", "CVE-2022-24713", Some("1.5.5")),
        ("pkg:golang/stdlib@go1.21.0", "CVE-2023-39322", Some("1.21.1")),
    ] {
        let found = matches(&index, purl);
        let found =
            found.iter().find(|it| it.id == id).unwrap_or_else(|| panic!("{purl}: {found:#?}"));
        assert_eq!(found.fixed.as_deref(), fixed, "{purl}");
        assert_eq!(index.advisory(id).len(), found.advisories.len());
    }
    assert_eq!(ids(&index, "pkg:pypi/idna@3.7"), [""; 0]);
    assert_eq!(ids(&index, "pkg:cargo/regex@1.5.5"), [""; 0]);
}
