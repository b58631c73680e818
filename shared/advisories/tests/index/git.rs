//! Ranges of commits: what they decide, and what they leave open.

use advisories::{Confidence, Doubt, Index, MatchRule, Package};
use serde_json::{Value, json};

use crate::{directory_of, ids, index_of, matches};

const INTRODUCED: &str = "2a6f290a9d3ba0bb1e1a6d6c3d3f1a1e0c4a1b11";
const FIXED: &str = "5c44459c3b28a9bd3283aaceab7c615f8020c531";

fn git_range(repo: &str) -> Value {
    json!({ "type": "GIT", "repo": repo, "events": [{ "introduced": INTRODUCED }, { "fixed": FIXED }] })
}

/// As records made from CVE have it: no package, ranges of commits, and the tags between.
fn of_repository(id: &str, tags: Value) -> Value {
    json!({
        "id": id, "modified": "2024-01-01T00:00:00Z",
        "affected": [{ "ranges": [git_range("https://github.com/Madler/zlib.git")], "versions": tags }],
    })
}

fn undecided(index: &Index, purl: &str) -> Vec<String> {
    let found = index.undecided(&Package::from_purl(purl).unwrap());
    for it in &found {
        assert_eq!((it.rule, it.confidence), (MatchRule::GitRange, Confidence::Low));
        assert_eq!(
            (it.doubts.as_slice(), it.fixed.as_deref()),
            ([Doubt::GitRange].as_slice(), None)
        );
    }
    found.into_iter().map(|it| it.id).collect()
}

#[test]
fn tags_that_are_listed_are_affected() {
    let index = index_of(&[of_repository("CVE-2022-37434", json!(["v1.2.11", "v1.2.12"]))]);

    let found = matches(&index, "pkg:github/madler/zlib@v1.2.12");

    assert_eq!((found[0].rule, found[0].confidence), (MatchRule::ExactVersion, Confidence::High));
    assert_eq!(found[0].fixed, None);
    assert_eq!(ids(&index, "pkg:github/madler/zlib@v1.2.13"), [""; 0]);
    assert_eq!(undecided(&index, "pkg:github/madler/zlib@v1.2.13"), [""; 0]);
    assert_eq!(undecided(&index, "pkg:github/madler/zlib@v1.2.12"), [""; 0]);
    assert_eq!(ids(&index, "pkg:github/madler/zlib-ng@v1.2.12"), [""; 0]);
}

#[test]
fn commits_between_are_told_and_never_counted() {
    let index = index_of(&[of_repository("CVE-2022-37434", json!([]))]);
    let purl =
        |at: &str| format!("pkg:generic/zlib?vcs_url=git%2Bhttps://github.com/madler/zlib%40{at}");

    let found = matches(&index, &purl(INTRODUCED));
    assert_eq!((found[0].rule, found[0].confidence), (MatchRule::GitRange, Confidence::High));
    assert_eq!(ids(&index, &purl(FIXED)), [""; 0]);
    assert_eq!(undecided(&index, &purl(FIXED)), [""; 0]);
    let between = purl("cacf7f1d4e3d44d871b605da3b647f07d718623f");
    assert_eq!(ids(&index, &between), [""; 0]);
    assert_eq!(undecided(&index, &between), ["CVE-2022-37434"]);
}

#[test]
fn package_that_is_named_by_commits_alone_is_undecided() {
    let entry = |id: &str, versions: Value| {
        json!({
            "id": id, "modified": "2024-01-01T00:00:00Z",
            "affected": [{
                "package": { "ecosystem": "PyPI", "name": "x" },
                "ranges": [git_range("https://github.com/x/x")], "versions": versions,
            }],
        })
    };
    let mut both = entry("C", json!([]));
    both["affected"][0]["ranges"].as_array_mut().unwrap().push(json!({
        "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "2" }],
    }));
    let index = index_of(&[entry("A", json!([])), entry("B", json!(["1"])), both]);

    assert_eq!(ids(&index, "pkg:pypi/x@1"), ["B", "C"]);
    assert_eq!(undecided(&index, "pkg:pypi/x@1"), ["A"]);
    assert_eq!(ids(&index, "pkg:pypi/x@3"), [""; 0]);
    assert_eq!(undecided(&index, "pkg:pypi/x@3"), ["A"]);
    // The repository is named by all three, and its tags by none.
    assert_eq!(undecided(&index, "pkg:github/x/x@v1"), ["A", "B", "C"]);
}

#[test]
fn range_of_commits_that_cannot_be_read_costs_nothing_beside_it() {
    let mut record = of_repository("A", json!(["v1"]));
    let ranges = record["affected"][0]["ranges"].as_array_mut().unwrap();
    ranges.push(json!({ "type": "GIT", "events": [{ "introduced": "0" }] }));
    ranges.push(json!({ "type": "GIT", "repo": "https://github.com/x/y", "events": [{}] }));
    let directory = directory_of(&[record]);

    let (index, report) = crate::build(directory.path());

    assert_eq!((report.git_ranges, report.problem_count), (3, 2));
    assert!(
        report.problems.iter().any(|it| it.reason.contains("affected[0].ranges[1].repo is empty"))
    );
    assert_eq!(ids(&index, "pkg:github/madler/zlib@v1"), ["A"]);
    assert_eq!(undecided(&index, "pkg:github/x/y@v1"), [""; 0]);
}
