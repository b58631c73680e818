//! Packages of distributions: by source, by release, in their own order; and how sure each finding is.

use advisories::{Confidence, Doubt, Match, MatchRule, Severity};
use serde_json::{Value, json};

use crate::{DJANGO, ids, index_of, matches, record};

const OPENSSL_12: &str =
    "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12&upstream=openssl";

/// A record of one source package in several releases, each with the version that fixes it, if there is one.
fn in_releases(id: &str, ecosystem: &str, package: &str, fixes: &[(&str, Option<&str>)]) -> Value {
    let affected = fixes.iter().map(|(release, fixed)| {
        let mut events = vec![json!({ "introduced": "0" })];
        events.extend(fixed.map(|it| json!({ "fixed": it })));
        json!({
            "package": { "ecosystem": format!("{ecosystem}:{release}"), "name": package },
            "ranges": [{ "type": "ECOSYSTEM", "events": events }],
        })
    });
    json!({ "id": id, "modified": "2024-01-01T00:00:00Z", "affected": affected.collect::<Vec<_>>() })
}

fn sureness(found: &Match) -> (MatchRule, Confidence, Vec<Doubt>) {
    (found.rule, found.confidence, found.doubts.clone())
}

#[test]
fn release_of_the_package_decides_which_fix_counts() {
    let fixes = [
        ("11", Some("1.1.1w-0+deb11u2")),
        ("12", Some("3.0.14-1~deb12u1")),
        ("13", Some("3.0.9-1")),
    ];
    let index = index_of(&[in_releases("DEBIAN-CVE-2024-1", "Debian", "openssl", &fixes)]);

    let found = matches(&index, OPENSSL_12);

    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].id.as_str(), found[0].fixed.as_deref()),
        ("CVE-2024-1", Some("3.0.14-1~deb12u1"))
    );
    assert_eq!(sureness(&found[0]), (MatchRule::Range, Confidence::High, vec![]));
    let of = |version: &str, distro: &str| {
        ids(&index, &format!("pkg:deb/debian/libssl3@{version}?distro={distro}&upstream=openssl"))
            .len()
    };
    assert_eq!(of("3.0.14-1~deb12u1", "debian-12"), 0);
    assert_eq!(of("3.0.11-1", "debian-trixie"), 0);
    assert_eq!(of("3.0.8-1", "debian-13"), 1);
    assert_eq!(of("1.1.1w-0+deb11u1", "bullseye"), 1);
    // Nothing is said of Debian 10, and nothing of Ubuntu.
    assert_eq!(of("1.1.1n-0+deb10u6", "debian-10"), 0);
    assert_eq!(ids(&index, "pkg:deb/ubuntu/openssl@1.0-1?distro=ubuntu-22.04"), [""; 0]);
}

#[test]
fn package_that_tells_no_release_is_found_with_low_confidence() {
    let fixes = [("11", Some("1.1.1w-1")), ("12", Some("3.0.14-1"))];
    let index = index_of(&[in_releases("DEBIAN-CVE-2024-1", "Debian", "openssl", &fixes)]);

    let found = matches(&index, "pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl");

    assert_eq!(sureness(&found[0]), (MatchRule::Range, Confidence::Low, vec![Doubt::NoRelease]));
    assert_eq!(ids(&index, "pkg:deb/debian/libssl3@3.0.14-1?upstream=openssl"), [""; 0]);
}

#[test]
fn name_of_a_binary_package_is_taken_for_its_source_with_a_doubt() {
    let index = index_of(&[in_releases(
        "ALPINE-CVE-2024-1",
        "Alpine",
        "curl",
        &[("v3.19", Some("8.5.0-r1"))],
    )]);

    let found = matches(&index, "pkg:apk/alpine/curl@8.5.0-r0?distro=alpine-3.19.1");

    assert_eq!(
        sureness(&found[0]),
        (MatchRule::Range, Confidence::Medium, vec![Doubt::SourcePackageGuessed])
    );
    assert_eq!(ids(&index, "pkg:apk/alpine/curl@8.5.0-r1?distro=alpine-3.19.1"), [""; 0]);
    assert_eq!(ids(&index, "pkg:apk/alpine/curl@8.5.0-r0?distro=alpine-3.18.0"), [""; 0]);
}

#[test]
fn rpm_packages_are_compared_with_their_epoch() {
    let index = index_of(&[in_releases(
        "RHSA-2024:1",
        "Red Hat",
        "openssl-libs",
        &[("enterprise_linux:9::baseos", Some("1:3.0.7-25.el9_3"))],
    )]);
    let of = |version: &str| {
        ids(&index, &format!("pkg:rpm/redhat/openssl-libs@{version}&distro=rhel-9.3")).len()
    };

    assert_eq!(of("3.0.7-24.el9?epoch=1"), 1);
    assert_eq!(of("3.0.7-25.el9_3?epoch=1"), 0);
    // Without epoch it is older than any with one.
    assert_eq!(of("9.0-1.el9?arch=x86_64"), 1);
}

#[test]
fn what_a_record_is_about_joins_nothing_but_tells_of_exploitation() {
    let mut several = in_releases("DSA-1-1", "Debian", "openssl", &[("12", Some("3.0.14-1"))]);
    several["upstream"] = json!(["CVE-2024-1111", "CVE-2024-2222"]);
    let kev = json!({
        "title": "x", "catalogVersion": "2024.01.01", "dateReleased": "2024-01-01T00:00:00Z", "count": 1,
        "vulnerabilities": [{
            "cveID": "CVE-2024-2222", "vendorProject": "x", "product": "x", "vulnerabilityName": "x",
            "dateAdded": "2024-01-01", "shortDescription": "x", "requiredAction": "x", "dueDate": "2024-01-22",
            "knownRansomwareCampaignUse": "Unknown", "notes": "",
        }],
    });
    let index = index_of(&[
        several,
        in_releases("DEBIAN-CVE-2024-1111", "Debian", "openssl", &[("12", Some("3.0.14-1"))]),
        record("GHSA-1", &["CVE-2024-1111"], DJANGO, json!([{ "introduced": "0" }])),
        kev,
    ]);

    let found = matches(&index, OPENSSL_12);

    assert_eq!(
        found.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(),
        ["CVE-2024-1111", "DSA-1-1"]
    );
    assert_eq!(found[0].aliases, ["DEBIAN-CVE-2024-1111", "GHSA-1"]);
    assert_eq!(found[0].upstream, [""; 0]);
    assert!(found[0].kev.is_none());
    assert_eq!(found[1].upstream, ["CVE-2024-1111", "CVE-2024-2222"]);
    assert!(found[1].kev.is_some());
}

#[test]
fn urgency_of_a_distribution_is_its_severity_and_what_harms_no_package_only_informs() {
    let of_urgency = |id: &str, urgency: &str| {
        let mut record = in_releases(id, "Debian", "openssl", &[("12", None)]);
        record["affected"][0]["ecosystem_specific"] = json!({ "urgency": urgency });
        record
    };
    let mut ubuntu = in_releases("UBUNTU-CVE-2024-3", "Ubuntu", "openssl", &[("22.04:LTS", None)]);
    ubuntu["severity"] = json!([{ "type": "Ubuntu", "score": "medium" }]);
    let index = index_of(&[
        of_urgency("D-1", "high"),
        of_urgency("D-2", "unimportant"),
        of_urgency("D-3", "not yet assigned"),
        ubuntu,
    ]);

    let found = matches(&index, OPENSSL_12);

    let told: Vec<_> =
        found.iter().map(|it| (it.id.as_str(), it.severity, it.informational.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("D-1", Severity::High, None),
            ("D-2", Severity::Low, Some("unimportant")),
            ("D-3", Severity::Unknown, None),
        ]
    );
    let found = matches(&index, "pkg:deb/ubuntu/openssl@3.0.2-0ubuntu1?distro=jammy");
    assert_eq!((found[0].id.as_str(), found[0].severity), ("CVE-2024-3", Severity::Medium));
}

#[test]
fn doubts_say_why_a_finding_is_not_sure() {
    let open = |id, versions: Value| {
        let mut record = record(id, &[], DJANGO, json!([{ "introduced": "0" }]));
        record["affected"][0]["versions"] = versions;
        record
    };
    let index = index_of(&[
        open("A", json!(["1.0", "2.0"])),
        open("B", json!([])),
        record("C", &[], ("npm", "Left-Pad"), json!([{ "introduced": "0" }])),
        record(
            "D",
            &[],
            ("GitHub Actions", "actions/cache"),
            json!([{ "introduced": "4" }, { "fixed": "4.2.1" }]),
        ),
    ]);
    let sure = |purl: &str| matches(&index, purl).iter().map(sureness).collect::<Vec<_>>();
    let range = |confidence, doubts: &[Doubt]| (MatchRule::Range, confidence, doubts.to_vec());

    assert_eq!(
        sure("pkg:pypi/django@2.0"),
        [range(Confidence::High, &[]), range(Confidence::High, &[])]
    );
    assert_eq!(
        sure("pkg:pypi/django@2.1"),
        [range(Confidence::Medium, &[Doubt::BeyondLastKnown]), range(Confidence::High, &[])]
    );
    assert_eq!(
        sure("pkg:pypi/django@0.9-ivysaur"),
        [
            range(Confidence::Low, &[Doubt::IrregularVersion]),
            range(Confidence::Low, &[Doubt::IrregularVersion])
        ]
    );
    assert_eq!(sure("pkg:npm/left-pad@1.0.0"), [range(Confidence::Medium, &[Doubt::NameByCase])]);
    assert_eq!(sure("pkg:npm/Left-Pad@1.0.0"), [range(Confidence::High, &[])]);
    assert_eq!(
        sure("pkg:githubactions/actions/cache@v4"),
        [range(Confidence::Low, &[Doubt::IrregularVersion])]
    );
    assert_eq!(sure("pkg:githubactions/actions/cache@v4.2.0"), [range(Confidence::High, &[])]);
}

#[test]
fn one_record_that_is_sure_is_enough() {
    let mut listed = record("PYSEC-1", &["CVE-1"], DJANGO, json!([{ "introduced": "9" }]));
    listed["affected"][0]["versions"] = json!(["3.0-x"]);
    let index =
        index_of(&[listed, record("GHSA-1", &["CVE-1"], DJANGO, json!([{ "introduced": "0" }]))]);

    let found = matches(&index, "pkg:pypi/django@3.0-x");

    assert_eq!(sureness(&found[0]), (MatchRule::ExactVersion, Confidence::High, vec![]));
    let said = serde_json::to_value(&found[0]).unwrap();
    assert_eq!(
        (&said["rule"], &said["confidence"], &said["doubts"]),
        (&json!("exact-version"), &json!("high"), &json!([]))
    );
}
