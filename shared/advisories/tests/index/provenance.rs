//! Where records come from and since when they are known, and what stays when only some are brought.

use std::{
    fs,
    path::{Path, PathBuf},
    slice,
};

use advisories::{CurrentIndex, Index, IndexError, Known, Source};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{DJANGO, ids, record};

const FLASK: (&str, &str) = ("PyPI", "flask");

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + number * 86_400).unwrap()
}

fn affected(until: &str) -> Value {
    json!([{ "introduced": "0" }, { "fixed": until }])
}

fn changed(mut record: Value, until: &str, modified: &str) -> Value {
    record["affected"][0]["ranges"][0]["events"] = affected(until);
    record["modified"] = modified.into();
    record
}

/// A file of records, one a line.
fn source(directory: &Path, name: &str, records: &[Value]) -> Source {
    let path = directory.join(format!("{name}.jsonl"));
    let lines: Vec<_> = records.iter().map(Value::to_string).collect();
    fs::write(&path, lines.join("\n")).unwrap();
    Source { path, name: format!("https://example.org/{name}") }
}

fn scores(directory: &Path, name: &str, day: &str, rows: &str) -> Source {
    let path = directory.join(format!("{name}.csv"));
    let head = format!("#model_version:v1,score_date:{day}T00:00:00Z\ncve,epss,percentile\n");
    fs::write(&path, head + rows).unwrap();
    PathBuf::into(path)
}

fn sync(sources: &[Source], before: Option<&Index>, now: Timestamp) -> Index {
    Index::sync(sources, before, now).unwrap().0
}

fn known(index: &Index, id: &str) -> (Timestamp, Timestamp) {
    let Known { at, first, .. } = index.known(id).unwrap();
    (at, first)
}

#[test]
fn record_tells_its_source_its_digest_and_since_when_it_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let record = record("A", &[], DJANGO, affected("2"));
    let index = sync(&[source(directory.path(), "all", slice::from_ref(&record))], None, day(1));

    let known = index.known("A").unwrap();

    assert_eq!(
        (known.source.as_str(), known.at, known.first),
        ("https://example.org/all", day(1), day(1))
    );
    assert_eq!(known.digest, events::Digest::of(record.to_string().as_bytes()));
    assert_eq!(index.known("B"), None);
    assert_eq!(index.known("a"), None, "an id is exact, as it stands in findings");
}

#[test]
fn what_is_known_stays_known_until_it_changes() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let (a, b) = (record("A", &[], DJANGO, affected("2")), record("B", &[], FLASK, affected("2")));
    let first = sync(&[source(place, "all", &[a.clone(), b.clone()])], None, day(1));
    let b = changed(b, "3", "2024-03-01T00:00:00Z");
    let c = record("C", &[], FLASK, affected("1"));

    let (second, report) =
        Index::sync(&[source(place, "other", &[a, b, c])], Some(&first), day(2)).unwrap();

    assert_eq!((report.added, report.changed, report.removed), (1, 1, 0));
    assert_eq!(known(&second, "A"), (day(1), day(1)));
    assert_eq!(known(&second, "B"), (day(2), day(1)));
    assert_eq!(known(&second, "C"), (day(2), day(2)));
    assert_eq!(second.known("A").unwrap().source, "https://example.org/other");
}

#[test]
fn saved_provenance_is_read_again_and_no_part_of_the_digest() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("advisories");
    let records = [record("A", &[], DJANGO, affected("2"))];
    let sources = [source(directory.path(), "all", &records)];
    let index = sync(&sources, None, day(1));
    assert_eq!(sync(&sources, None, day(9)).digest(), index.digest());

    let digest = index.save(&place).unwrap();
    let read = Index::current(&place).unwrap().unwrap();
    assert_eq!(read.known("A"), index.known("A"));
    assert_eq!(known(&sync(&sources, Some(&read), day(9)), "A"), (day(1), day(1)));

    let file = place.join(format!("{}.provenance", digest.hex()));
    let sound = fs::read(&file).unwrap();
    for damage in [&sound[..sound.len() / 2], b"{}", &[]] {
        fs::write(&file, damage).unwrap();
        assert!(matches!(Index::current(&place), Err(IndexError::Damaged { .. })));
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(Index::current(&place).unwrap().unwrap().known("A"), None);
}

#[test]
fn provenance_goes_with_its_index() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("advisories");
    for until in ["1", "2", "3", "4", "5"] {
        let records = [record("A", &[], DJANGO, affected(until))];
        sync(&[source(directory.path(), "all", &records)], None, day(1)).save(&place).unwrap();
    }

    let files: Vec<PathBuf> = fs::read_dir(&place).unwrap().map(|it| it.unwrap().path()).collect();
    let with = |extension: &str| {
        let named = files.iter().filter(|it| it.extension().is_some_and(|it| it == extension));
        let mut names: Vec<_> = named.map(|it| it.file_stem().unwrap().to_owned()).collect();
        names.sort();
        names
    };

    assert_eq!(with("provenance").len(), 3);
    assert_eq!(with("provenance"), with("index"));
}

#[test]
fn update_replaces_what_is_newer_and_keeps_the_rest() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let (a, b) = (record("A", &[], DJANGO, affected("2")), record("B", &[], FLASK, affected("2")));
    let before = sync(&[source(place, "all", &[a.clone(), b.clone()])], None, day(1));
    let newer = changed(a.clone(), "3", "2024-03-01T00:00:00Z");
    let older = changed(b, "1", "2023-01-01T00:00:00Z");
    let new = record("C", &["CVE-2024-0001"], FLASK, affected("1"));

    let news = source(place, "news", &[newer.clone(), older, new.clone()]);
    let (after, report) = before.update(&[news], day(2)).unwrap();

    assert_eq!((report.added, report.changed, report.removed, report.advisories), (1, 1, 0, 3));
    assert_eq!(ids(&after, "pkg:pypi/django@2"), ["A"]);
    assert_eq!(ids(&after, "pkg:pypi/flask@1.5"), ["B"]);
    assert_eq!(known(&after, "A"), (day(2), day(1)));
    assert_eq!(known(&after, "B"), (day(1), day(1)));
    assert_eq!(after.known("A").unwrap().source, "https://example.org/news");
    assert_eq!(after.known("B").unwrap().source, "https://example.org/all");
    let whole = crate::index_of(&[newer, record("B", &[], FLASK, affected("2")), new]);
    assert_eq!(after.digest(), whole.digest(), "as if everything had been brought at once");
    let (same, report) = after.update(&[source(place, "again", &[a])], day(3)).unwrap();
    assert_eq!((same.digest(), report.changed), (after.digest(), 0));
}

#[test]
fn update_takes_back_what_was_withdrawn_and_what_returns() {
    let directory = tempfile::tempdir().unwrap();
    let mut record = record("A", &[], DJANGO, affected("2"));
    let mut index =
        sync(&[source(directory.path(), "all", slice::from_ref(&record))], None, day(1));
    for (modified, withdrawn, expected) in [
        ("2024-02-01T00:00:00Z", json!("2024-02-01T00:00:00Z"), [""; 0].as_slice()),
        ("2024-03-01T00:00:00Z", Value::Null, &["A"]),
    ] {
        (record["modified"], record["withdrawn"]) = (modified.into(), withdrawn);
        let news = source(directory.path(), "news", slice::from_ref(&record));
        index = index.update(&[news], day(2)).unwrap().0;
        assert_eq!(ids(&index, "pkg:pypi/django@1"), expected);
    }
}

#[test]
fn lists_of_exploitation_stay_until_a_later_one_is_brought() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let records = source(place, "all", &[record("A", &["CVE-2024-0001"], DJANGO, affected("2"))]);
    let monday =
        scores(place, "monday", "2024-01-01", "CVE-2024-0001,0.1,0.5\nCVE-2024-0002,0.2,0.5\n");
    let before = sync(&[records, monday], None, day(1));
    let score = |index: &Index, id: &str| index.epss([id]).map(|it| it.score);

    let news = source(place, "news", &[record("B", &[], FLASK, affected("1"))]);
    let (kept, report) = before.update(&[news], day(2)).unwrap();
    assert_eq!(score(&kept, "CVE-2024-0001"), Some(0.1));
    assert_eq!(report.epss_scored, Some("2024-01-01T00:00:00Z".parse().unwrap()));

    let tuesday = scores(place, "tuesday", "2024-01-02", "CVE-2024-0001,0.9,0.5\n");
    let (later, _) = kept.update(&[tuesday], day(3)).unwrap();
    assert_eq!((score(&later, "CVE-2024-0001"), score(&later, "CVE-2024-0002")), (Some(0.9), None));

    let sunday = scores(place, "sunday", "2023-12-31", "CVE-2024-0001,0.3,0.5\n");
    let (still, _) = later.update(&[sunday], day(4)).unwrap();
    assert_eq!(score(&still, "CVE-2024-0001"), Some(0.9));
}

#[test]
fn workers_of_one_process_share_one_index() {
    let directory = tempfile::tempdir().unwrap();
    let records = [record("A", &[], DJANGO, affected("2"))];
    let saved = crate::index_of(&records).save(directory.path()).unwrap();
    let [one, other, late] = [(); 3].map(|()| CurrentIndex::new(directory.path()));
    assert!(one.get().unwrap().is_some());

    fs::remove_file(directory.path().join(format!("{}.index", saved.hex()))).unwrap();

    assert_eq!(other.get().unwrap().map(|index| index.digest()), Some(saved));
    drop((one, other));
    assert!(late.get().is_err(), "nobody has it any more");
}
