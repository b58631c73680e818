//! Where records come from, sound and hostile ones.

use std::{fs, io::Write, path::Path};

use advisories::{Index, IndexError, MAX_LISTED_PROBLEMS, MAX_RECORD_BYTES};
use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{DJANGO, build, directory_of, fixture, ids, record};

fn sound(id: &str) -> Value {
    record(id, &[], DJANGO, json!([{ "introduced": "0" }, { "fixed": "2.0" }]))
}

fn archive(path: &Path, entries: &[(&str, &[u8])]) {
    let mut archive = ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in entries {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn same_records_give_the_same_digest_however_they_lie() {
    let directory = tempfile::tempdir().unwrap();
    let [folder, lines, zip] =
        ["folder", "records.jsonl", "all.zip"].map(|it| directory.path().join(it));
    let records = ["A", "B", "C"].map(|id| sound(id).to_string());
    fs::create_dir_all(folder.join("deep/er")).unwrap();
    fs::write(folder.join("a.json"), &records[0]).unwrap();
    fs::write(folder.join("deep/b.json"), &records[1]).unwrap();
    fs::write(folder.join("deep/er/c.jsonl"), &records[2]).unwrap();
    fs::write(&lines, format!("{}\n\n{}\r\n{}", records[2], records[0], records[1])).unwrap();
    let [a, b, c] = records.each_ref().map(|it| it.as_bytes());
    archive(&zip, &[("b.json", b), ("../../a.json", a), ("/c.json", c)]);

    let digests = [&folder, &lines, &zip].map(|it| build(it).0.digest());
    let (all, report) = Index::build(&[zip, lines, folder]).unwrap();

    assert_eq!(digests, [all.digest(); 3]);
    assert_eq!((report.records, report.advisories, report.problem_count), (9, 3, 0));
}

#[test]
fn of_one_id_the_record_changed_last_counts() {
    let mut newer = record("A", &[], DJANGO, json!([{ "introduced": "0" }, { "fixed": "3.0" }]));
    newer["modified"] = json!("2024-01-01T00:00:00.5Z");
    let [one, other] = [[sound("A"), newer.clone()], [newer, sound("A")]]
        .map(|it| build(directory_of(&it).path()).0);

    assert_eq!(ids(&one, "pkg:pypi/django@2.5"), ["A"]);
    assert_eq!(one.digest(), other.digest());
}

#[test]
fn broken_records_are_reported_with_place_and_reason_and_cost_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("records.jsonl");
    let with = |field: &str, value: Value| {
        let mut record = sound("B");
        record[field] = value;
        record.to_string()
    };
    let deep = format!("{{\"id\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let lines = [
        ("", sound("A").to_string()),
        ("EOF", "{".to_owned()),
        ("expected an OSV record", "17".to_owned()),
        ("missing field `id`", "{}".to_owned()),
        ("duplicate field `id`", r#"{"id":"B","id":"C"}"#.to_owned()),
        ("expected value", r#"{"id":NaN}"#.to_owned()),
        ("invalid type", deep),
        ("id is empty", with("id", json!(" "))),
        ("id has a control character", with("id", json!("B\u{1b}[2J"))),
        ("id is longer", with("id", json!("B".repeat(2000)))),
        ("aliases has more than", with("aliases", json!(vec!["x"; 1001]))),
        ("invalid type", with("affected", json!([{ "package": 1 }]))),
    ];
    fs::write(&file, lines.iter().map(|it| it.1.as_str()).collect::<Vec<_>>().join("\n")).unwrap();

    let (index, report) = build(&file);

    assert_eq!(index.len(), 1);
    assert_eq!(report.problem_count, lines.len() - 1);
    for (number, (reason, _)) in lines.iter().enumerate().skip(1) {
        let problem = &report.problems[number - 1];
        assert!(problem.place.ends_with(&format!("records.jsonl:{}", number + 1)), "{problem:?}");
        assert!(problem.reason.contains(reason), "{reason}: {problem:?}");
    }
}

#[test]
fn part_of_a_record_that_cannot_be_read_costs_nothing_beside_it() {
    let range = |kind: &str, events: Value| json!({ "type": kind, "events": events });
    let record = json!({
        "id": "A", "modified": "yesterday", "published": "2024-13-01T00:00:00Z", "withdrawn": "",
        "affected": [{
            "package": { "ecosystem": "PyPI", "name": "django" },
            "versions": 17,
            "ranges": [
                range("TIME", json!([{ "introduced": "0" }])),
                range("ECOSYSTEM", json!([{ "fixed": "9.0" }])),
                range("ECOSYSTEM", json!([{ "introduced": "0" }, {}])),
                range("ECOSYSTEM", json!(vec![json!({ "introduced": "0" }); 1001])),
                range("ECOSYSTEM", json!([{ "introduced": "1.0" }, { "fixed": "2.0" }])),
            ],
        }],
    });

    let (index, report) = build(directory_of(&[record]).path());

    assert_eq!(ids(&index, "pkg:pypi/django@1.5"), ["A"]);
    assert_eq!(ids(&index, "pkg:pypi/django@0.5"), [""; 0]);
    assert_eq!(report.problem_count, 8, "{:#?}", report.problems);
}

#[test]
fn real_records_with_placeholders_still_match() {
    let (index, report) = build(&fixture("odd"));

    assert_eq!(ids(&index, "pkg:pypi/jinja2@3.1.4").len(), 2);
    assert_eq!((report.records, report.problem_count), (3, 6));
}

#[test]
fn only_so_many_problems_are_listed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("records.jsonl");
    fs::write(&file, "{}\n".repeat(5000)).unwrap();

    let (_, report) = build(&file);

    assert_eq!((report.problems.len(), report.problem_count), (MAX_LISTED_PROBLEMS, 5000));
}

#[test]
fn record_larger_than_any_is_passed_over_unread() {
    let directory = tempfile::tempdir().unwrap();
    let size = usize::try_from(MAX_RECORD_BYTES).unwrap() + 1;
    let lines = directory.path().join("lines.jsonl");
    fs::write(&lines, format!("{}\n{}", " ".repeat(size), sound("A"))).unwrap();
    let alone = fs::File::create(directory.path().join("alone.json")).unwrap();
    alone.set_len(MAX_RECORD_BYTES * 100).unwrap();

    let (index, report) = build(directory.path());

    assert_eq!(index.len(), 1);
    assert_eq!(report.problem_count, 2, "{:#?}", report.problems);
}

#[test]
fn archive_that_is_a_bomb_is_passed_over() {
    let directory = tempfile::tempdir().unwrap();
    let zip = directory.path().join("all.zip");
    let bomb = vec![b' '; 20 * 1024 * 1024];
    let sound = sound("A").to_string();
    archive(
        &zip,
        &[
            ("bomb.json", &bomb),
            ("bomb.jsonl", &bomb),
            ("sound.json", sound.as_bytes()),
            ("read.me", b"x"),
        ],
    );

    let (index, report) = build(&zip);

    assert_eq!(index.len(), 1);
    assert_eq!((report.problem_count, report.other_files), (2, 1), "{:#?}", report.problems);
    assert!(report.problems[0].place.ends_with("all.zip!bomb.json"), "{:#?}", report.problems);
}

#[test]
fn source_that_cannot_be_read_at_all_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let [missing, text, zip] =
        ["missing", "records.txt", "all.zip"].map(|it| directory.path().join(it));
    fs::write(&text, "x").unwrap();
    fs::write(&zip, "no archive").unwrap();

    let failed = |source| Index::build(&[source]).map(|it| it.0).unwrap_err();

    assert!(matches!(failed(missing), IndexError::Io { .. }));
    assert!(matches!(failed(text), IndexError::UnknownSource { .. }));
    assert!(matches!(failed(zip), IndexError::Io { .. }));
    let (index, report) = build(directory.path());
    assert_eq!((index.len(), report.problem_count, report.other_files), (0, 1, 1));
}

#[test]
fn symlinks_in_a_directory_are_not_followed() {
    let [inside, outside] = [directory_of(&[sound("A")]), directory_of(&[sound("B")])];
    std::os::unix::fs::symlink(outside.path(), inside.path().join("link")).unwrap();
    std::os::unix::fs::symlink(inside.path(), inside.path().join("loop")).unwrap();

    let (index, report) = build(inside.path());

    assert_eq!((index.len(), report.other_files), (1, 2));
}

#[test]
fn random_damage_to_real_records_never_panics() {
    fastrand::seed(4);
    let text = fs::read(fixture("osv/ghsa/GHSA-c25x-cm9x-qqgx.json")).unwrap();
    let lines = fs::read_to_string(fixture("odd/osv-scanner-records.jsonl")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("records.jsonl");
    let compact = serde_json::from_slice::<Value>(&text).unwrap().to_string();
    let mut damaged = Vec::new();
    for _ in 0..2000 {
        let source =
            fastrand::choice(lines.lines().chain([compact.as_str()]).collect::<Vec<_>>()).unwrap();
        let mut bytes = source.as_bytes().to_vec();
        for _ in 0..fastrand::usize(1..6) {
            let at = fastrand::usize(..bytes.len());
            bytes[at] = *fastrand::choice(b"{}[]\",:0-. \xff").unwrap();
        }
        damaged.extend_from_slice(&bytes);
        damaged.push(b'\n');
    }
    fs::write(&file, damaged).unwrap();

    let (index, report) = build(&file);

    assert!(
        report.problem_count > 0 && report.records > 0,
        "{} {}",
        report.problem_count,
        report.records
    );
    assert!(!index.is_empty());
}
