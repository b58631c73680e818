//! `attestry advisories` on real records and lockfiles, without a pipeline.

use std::fs;

use serde_json::{Value, json};

use crate::place::{LOCK, Place};

const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/advisories/fixtures/osv");
const EXPLOITED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../shared/advisories/fixtures/exploitation/known_exploited_vulnerabilities.json"
);
const LOCKFILES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/documents/fixtures/lockfiles");

fn sbom(components: &[Value]) -> String {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": { "component": { "type": "application", "name": "shop", "version": "1.0", "bom-ref": "shop", "purl": "pkg:generic/shop@1.0" } },
        "components": components,
    })
    .to_string()
}

fn library(name: &str, purl: &str) -> Value {
    json!({ "type": "library", "name": name, "bom-ref": name, "purl": purl })
}

fn vex(status: &str, product: &str, timestamp: &str) -> String {
    let mut statement = json!({
        "vulnerability": { "name": "CVE-2024-3651" },
        "products": [{ "@id": product }],
        "status": status,
        "timestamp": timestamp,
    });
    match status {
        "not_affected" => statement["justification"] = json!("vulnerable_code_not_in_execute_path"),
        "affected" => statement["action_statement"] = json!("wait"),
        _ => {}
    }
    json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.com/vex/1",
        "author": "shop",
        "timestamp": timestamp,
        "version": 1,
        "statements": [statement],
    })
    .to_string()
}

#[test]
fn synced_index_answers_match_and_show() {
    let place = Place::new();

    place
        .attestry(&format!("advisories sync --from {RECORDS}"))
        .expect(0)
        .says(&["168 advisories", "PyPI"]);
    let said = place.attestry(&format!("advisories match {LOCKFILES}/syft.pdm.lock")).expect(1);

    let ids: Vec<_> =
        said.json_lines().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, ["CVE-2022-23491", "CVE-2023-37920", "CVE-2024-3651"]);
    said.says(&["3 findings count", "looked up in 168 advisories"]);
    place.attestry("advisories show cve-2024-3651").expect(0).says(&["PYSEC-2024-60", "fixed 3.7"]);
    place.attestry("advisories show CVE-1").expect(1).says(&["no advisory goes by the id CVE-1"]);
}

#[test]
fn finding_says_what_where_and_what_to_do() {
    let place = Place::new();

    let said = place
        .attestry(&format!("advisories match {LOCKFILES}/ripgrep-v1.Cargo.lock --from {RECORDS}"));

    let all = said.expect(1).json_lines();
    let regex = all.iter().find(|it| it["name"] == "regex").unwrap();
    assert_eq!(
        *regex,
        json!({
            "file": format!("{LOCKFILES}/ripgrep-v1.Cargo.lock"),
            "component": null,
            "purl": "pkg:cargo/regex@1.0.2",
            "ecosystem": "crates.io",
            "name": "regex",
            "version": "1.0.2",
            "id": "CVE-2022-24713",
            "aliases": ["GHSA-m5pq-gvj9-9vr8", "RUSTSEC-2022-0013"],
            "upstream": [],
            "advisories": ["RUSTSEC-2022-0013"],
            "summary": "Regexes with large repetitions on empty sub-expressions take a very long time to parse",
            "severity": "high",
            "cvss": { "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "score": 7.5 },
            "fixed": "1.5.5",
            "rule": "range",
            "confidence": "high",
            "doubts": [],
            "informational": null,
            "malicious": false,
            "kev": null,
            "epss": null,
            "published": "2022-03-08T12:00:00Z",
            "modified": "2023-06-13T13:10:24Z",
            "state": "affected",
            "vex": null,
        })
    );
    let informing = all.iter().filter(|it| !it["informational"].is_null()).count();
    assert_eq!((all.len(), informing), (5, 4));
}

#[test]
fn table_for_people_is_asked_for() {
    let place = Place::new();
    let matched = |lock: &str| {
        place.attestry(&format!(
            "advisories match {LOCKFILES}/{lock} --from {RECORDS} --format text"
        ))
    };

    matched("hotpass.uv.lock").expect(1).says(&["scrapy 2.13.3  CVE-2017-14158  no fix known"]);
    matched("poetry.poetry.lock").expect(0).says(&["No known vulnerability."]);
}

#[test]
fn components_that_cannot_be_looked_up_are_counted() {
    let place = Place::new();
    let components = [
        library("idna", "pkg:pypi/idna@3.3"),
        library("curl", "pkg:conan/curl@7.50.3"),
        library("openssl", "pkg:conan/openssl@3"),
        library("django", "pkg:pypi/django"),
        json!({ "type": "library", "name": "mystery" }),
    ];
    place.write("sbom.json", sbom(&components));

    let said = place.attestry(&format!("advisories match sbom.json --from {RECORDS}")).expect(1);

    assert_eq!(said.json_lines()[0]["component"], "idna");
    said.says(&[
        "1 of 5 components looked up",
        "1 without purl, 1 without version, 2 of type conan",
    ]);
}

#[test]
fn what_only_commits_name_is_told_and_does_not_count() {
    let place = Place::new();
    let record = json!({
        "id": "CVE-2022-37434",
        "affected": [{
            "ranges": [{
                "type": "GIT", "repo": "https://github.com/madler/zlib",
                "events": [{ "introduced": "0" }, { "fixed": "eff308af425b67093bab25f80f1ae950166bece1" }],
            }],
            "versions": ["v1.2.12"],
        }],
    });
    place.write("osv/a.json", record.to_string());
    let commit = "pkg:github/madler/zlib@cacf7f1d4e3d44d871b605da3b647f07d718623f";
    place.write("commit.json", sbom(&[library("zlib", commit)]));
    place.write("tag.json", sbom(&[library("zlib", "pkg:github/madler/zlib@v1.2.12")]));

    let said = place.attestry("advisories match commit.json --from osv").expect(0);
    let told = &said.json_lines()[0];
    assert_eq!((&told["state"], &told["rule"]), (&json!("undecided"), &json!("git-range")));
    assert_eq!((&told["confidence"], &told["doubts"]), (&json!("low"), &json!(["git-range"])));
    said.says(&["0 findings count", "undecided: 1 findings"]);

    let said = place.attestry("advisories match tag.json --from osv").expect(1);
    assert_eq!(said.json_lines()[0]["rule"], "exact-version");
}

#[test]
fn vex_suppresses_what_it_names_and_the_last_word_counts() {
    let place = Place::new();
    place.write("sbom.json", sbom(&[library("idna", "pkg:pypi/idna@3.3")]));
    let (earlier, later) = ("2024-05-01T00:00:00Z", "2024-06-01T00:00:00Z");
    place.write("not.json", vex("not_affected", "pkg:generic/shop@1.0", earlier));
    place.write("other.json", vex("not_affected", "pkg:generic/other@1.0", later));
    place.write("again.json", vex("affected", "pkg:generic/shop@1.0", later));
    let matched = |vex: &str, code| {
        let said = place
            .attestry(&format!("advisories match sbom.json --from {RECORDS} {vex}"))
            .expect(code);
        said.json_lines().remove(0)
    };

    let suppressed = matched("--vex not.json", 0);
    assert_eq!(suppressed["state"], "suppressed");
    assert_eq!(suppressed["vex"]["status"], "not_affected");
    assert_eq!(suppressed["vex"]["justification"], "vulnerable_code_not_in_execute_path");
    assert_eq!(suppressed["vex"]["file"], "not.json");
    assert_eq!(matched("--vex other.json", 1)["vex"], Value::Null);
    assert_eq!(matched("--vex again.json --vex not.json", 1)["vex"]["status"], "affected");
}

#[test]
fn what_cannot_be_answered_is_told_from_what_is_wrong() {
    let place = Place::with_lock(LOCK);
    place.write("empty/read.me", "no records");
    place.write("damaged/current", "sha256:0");
    place.write("odd.json", "{}");
    for (arguments, code, word) in [
        ("advisories match app/uv.lock", 3, "attestry advisories sync"),
        ("advisories match app/uv.lock --advisories damaged", 3, "damaged advisory index"),
        ("advisories show CVE-1", 3, "attestry advisories sync"),
        ("advisories sync", 2, "--from"),
        ("advisories sync --from missing", 2, "missing"),
        ("advisories sync --from empty", 2, "no advisory"),
        ("advisories match missing.lock --from empty", 2, "missing.lock"),
        ("advisories match odd.json --from empty", 2, "odd.json"),
        ("advisories match app.whl --from empty", 2, "app.whl"),
        ("advisories match app/uv.lock --vex odd.json --from empty", 2, "odd.json"),
    ] {
        let said = place.attestry(arguments).expect(code);
        said.says(&[word]);
        assert_eq!(said.stdout, "", "{arguments}");
    }
}

#[test]
fn what_is_exploited_is_told_by_sync_match_and_show() {
    let place = Place::new();
    let record = json!({
        "id": "GHSA-1", "aliases": ["CVE-2025-3248"],
        "affected": [{ "package": { "ecosystem": "PyPI", "name": "idna" }, "versions": ["3.3"] }],
    });
    place.write("osv/a.json", record.to_string());
    place.write("epss.csv", "cve,epss,percentile\nCVE-2025-3248,0.9,0.99\nCVE-2025-1111,2,0.5\n");
    place.write("sbom.json", sbom(&[library("idna", "pkg:pypi/idna@3.3")]));

    place
        .attestry(&format!("advisories sync --from osv --from epss.csv --from {EXPLOITED}"))
        .expect(0)
        .says(&[
            "5  vulnerabilities known to be exploited (KEV), as of 2025-08-25T17:04:19.9796Z",
            "1  vulnerabilities with an EPSS score",
            "epss.csv:3: epss is no number from 0 to 1",
        ]);

    let found = place.attestry("advisories match sbom.json").expect(1).json_lines().remove(0);
    let kev = json!({ "date_added": "2025-05-05", "due_date": "2025-05-26", "ransomware": false });
    assert_eq!(found["kev"], kev);
    assert_eq!(found["epss"], json!({ "score": 0.9, "percentile": 0.99 }));
    place
        .attestry("advisories match sbom.json --format text")
        .expect(1)
        .says(&["[KEV since 2025-05-05, due 2025-05-26; EPSS 0.90000, percentile 0.99000]"]);
    place.attestry("advisories show GHSA-1").expect(0).says(&["exploited  KEV since 2025-05-05"]);
    place
        .attestry("advisories show CVE-2021-44228")
        .expect(1)
        .says(&["no advisory goes by the id CVE-2021-44228, but: KEV", "used by ransomware"]);
}

#[test]
fn sync_without_records_leaves_the_index_as_it_was() {
    let place = Place::new();
    place.attestry(&format!("advisories sync --from {RECORDS}")).expect(0);
    let before = place.read("data/advisories/current");
    fs::create_dir(place.path("empty")).unwrap();

    place.attestry("advisories sync --from empty").expect(2);

    assert_eq!(place.read("data/advisories/current"), before);
}
