//! The index as a file.

use std::{fs, path::Path};

use advisories::{CurrentIndex, Index, IndexError};
use serde_json::json;

use crate::{DJANGO, build, fixture, ids, index_of, record};

fn small(id: &str) -> Index {
    index_of(&[record(id, &[], DJANGO, json!([{ "introduced": "0" }]))])
}

fn indexes(directory: &Path) -> Vec<String> {
    let names =
        fs::read_dir(directory).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.filter(|it| it != "current").collect();
    names.sort();
    names
}

#[test]
fn saved_index_is_the_current_one_and_says_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("made/on/the/way");
    let (built, _) = build(&fixture("osv"));

    let digest = built.save(&place).unwrap();
    let read = Index::current(&place).unwrap().unwrap();

    assert_eq!((read.digest(), read.len()), (digest, built.len()));
    for purl in ["pkg:pypi/scrapy@2.13.3", "pkg:cargo/regex@1.0.2", "pkg:golang/stdlib@1.21.0"] {
        assert_eq!(crate::matches(&read, purl), crate::matches(&built, purl));
    }
    assert_eq!(indexes(&place), [format!("{}.index", digest.hex())]);
}

#[test]
fn there_is_no_current_index_before_the_first() {
    let directory = tempfile::tempdir().unwrap();

    assert!(Index::current(directory.path()).unwrap().is_none());
    assert!(Index::current(&directory.path().join("missing")).unwrap().is_none());
}

#[test]
fn current_index_that_was_swapped_is_noticed() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("made/later");
    let current = CurrentIndex::new(&place);
    let digest = || current.get().unwrap().map(|index| index.digest());
    assert_eq!(digest(), None);
    for id in ["A", "B"] {
        let saved = small(id).save(&place).unwrap();
        assert_eq!((digest(), digest()), (Some(saved), Some(saved)));
    }
}

#[test]
fn current_index_is_read_once_until_it_is_swapped() {
    let directory = tempfile::tempdir().unwrap();
    let current = CurrentIndex::new(directory.path());
    let saved = small("A").save(directory.path()).unwrap();
    assert!(current.get().unwrap().is_some());

    fs::remove_file(directory.path().join(format!("{}.index", saved.hex()))).unwrap();
    assert_eq!(current.get().unwrap().map(|index| index.digest()), Some(saved));
    fs::write(directory.path().join("current"), "nothing").unwrap();
    assert!(current.get().is_err());
}

#[test]
fn current_index_that_vanishes_is_an_error_until_it_is_back() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("volume");
    let current = CurrentIndex::new(&place);
    assert!(current.get().unwrap().is_none());
    let saved = small("A").save(&place).unwrap();
    assert!(current.get().unwrap().is_some());

    fs::remove_dir_all(&place).unwrap();
    let gone = current.get().err().unwrap().to_string();
    assert!(gone.contains("volume: ") && gone.contains("`attestry advisories sync`"), "{gone}");
    assert!(current.get().is_err(), "and stays one");
    small("A").save(&place).unwrap();
    assert_eq!(current.get().unwrap().map(|index| index.digest()), Some(saved));
}

#[test]
fn two_older_indexes_are_kept() {
    let directory = tempfile::tempdir().unwrap();
    let digests: Vec<_> = ["A", "B", "C", "D"]
        .map(|id| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            small(id).save(directory.path()).unwrap()
        })
        .into();

    let mut kept: Vec<_> = digests[1..].iter().map(|it| format!("{}.index", it.hex())).collect();
    kept.sort();
    assert_eq!(indexes(directory.path()), kept);
    let current = Index::current(directory.path()).unwrap().unwrap();
    assert_eq!(ids(&current, "pkg:pypi/django@1"), ["D"]);
}

#[test]
fn any_damage_to_the_file_is_an_error_that_names_the_remedy() {
    fastrand::seed(4);
    let directory = tempfile::tempdir().unwrap();
    let digest = small("A").save(directory.path()).unwrap();
    let file = directory.path().join(format!("{}.index", digest.hex()));
    let sound = fs::read(&file).unwrap();
    let truncated = (0..sound.len()).map(|end| sound[..end].to_vec());
    let flipped = (0..sound.len()).map(|at| {
        let mut bytes = sound.clone();
        bytes[at] ^= 1 << fastrand::u32(..8);
        bytes
    });
    for bytes in truncated.chain(flipped).chain([Vec::new(), b"{}".to_vec()]) {
        fs::write(&file, &bytes).unwrap();
        // Zstandard's own header has bits that mean nothing: what opens must be what was saved.
        match Index::open(&file) {
            Ok(index) => assert_eq!(index.digest(), digest),
            Err(error) => {
                assert!(error.to_string().contains("attestry advisories sync"), "{error}")
            }
        }
    }
}

#[test]
fn what_a_killed_process_left_goes_when_nobody_can_be_at_it() {
    let directory = tempfile::tempdir().unwrap();
    let left = [".tmpold", ".tmpnew", "old"].map(|it| directory.path().join(it));
    for path in &left {
        let file = fs::File::create(path).unwrap();
        let hours = if path.ends_with(".tmpnew") { 1 } else { 3 };
        let written = file.metadata().unwrap().modified().unwrap();
        file.set_modified(written - std::time::Duration::from_secs(hours * 60 * 60)).unwrap();
    }

    small("A").save(directory.path()).unwrap();

    assert_eq!(left.map(|it| it.exists()), [false, true, true]);
}

#[test]
fn damage_is_told_from_foreign_files_and_other_formats() {
    let directory = tempfile::tempdir().unwrap();
    let digest = small("A").save(directory.path()).unwrap();
    let file = directory.path().join(format!("{}.index", digest.hex()));
    let sound = fs::read(&file).unwrap();
    let open = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        change(&mut bytes);
        fs::write(&file, bytes).unwrap();
        Index::open(&file).unwrap_err()
    };

    assert!(matches!(open(&|it| it[0] = b'x'), IndexError::Foreign { .. }));
    assert!(matches!(open(&|it| it[8] = 99), IndexError::Format { found: 99, .. }));
    let older = open(&|it| it[8] = 1);
    assert!(matches!(older, IndexError::Format { found: 1, .. }));
    assert!(older.to_string().contains("run `attestry advisories sync` again"), "{older}");
    assert!(matches!(open(&|it| it.truncate(30)), IndexError::Damaged { .. }));
    assert!(matches!(open(&|it| it[25] ^= 1), IndexError::Damaged { .. }));
    assert!(matches!(open(&|it| it[12..20].fill(0xff)), IndexError::Damaged { .. }));
}

#[test]
fn pointer_that_leads_nowhere_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let digest = small("A").save(directory.path()).unwrap();
    let other = small("B").save(directory.path()).unwrap();
    let current = |text: &str| {
        fs::write(directory.path().join("current"), text).unwrap();
        Index::current(directory.path())
    };

    assert!(matches!(current("../../etc/passwd\n"), Err(IndexError::Damaged { .. })));
    assert!(matches!(current(""), Err(IndexError::Damaged { .. })));
    assert!(matches!(current(&format!("sha256:{}\n", "0".repeat(64))), Err(IndexError::Io { .. })));
    assert_eq!(current(&format!("{digest}\n")).unwrap().unwrap().digest(), digest);
    let [from, to] = [other, digest].map(|it| directory.path().join(format!("{}.index", it.hex())));
    fs::copy(from, to).unwrap();
    assert!(matches!(current(&format!("{digest}\n")), Err(IndexError::Damaged { .. })));
}

/// Who forges an index can leave advisories out, but nothing worse.
#[test]
fn forged_content_under_its_own_digest_never_panics() {
    const LENGTHS: usize = 10 * 8;
    const START: usize = 8 + 4;
    fastrand::seed(5);
    let directory = tempfile::tempdir().unwrap();
    let joined = record("GHSA-1", &["CVE-2024-0001"], DJANGO, json!([{ "introduced": "0" }]));
    let alone = record("B", &[], ("npm", "Left"), json!([{ "introduced": "1" }, { "fixed": "2" }]));
    let other = record("PYSEC-1", &["CVE-2024-0001"], DJANGO, json!([{ "introduced": "3" }]));
    let sound = index_of(&[joined, alone, other]);
    let digest = sound.save(directory.path()).unwrap();
    let file = directory.path().join(format!("{}.index", digest.hex()));
    let bytes = fs::read(&file).unwrap();
    let lengths = &bytes[START..START + LENGTHS];
    let content = zstd::decode_all(&bytes[START + LENGTHS + 32..]).unwrap();
    let mut opened = 0;
    for _ in 0..3_000 {
        let mut content = content.clone();
        for _ in 0..fastrand::usize(1..4) {
            let at = fastrand::usize(..content.len());
            content[at] = fastrand::u8(..);
        }
        let digest = events::Digest::of(&[lengths, &content].concat());
        let packed = zstd::encode_all(&*content, 1).unwrap();
        let parts = [&bytes[..START + LENGTHS], digest.as_bytes(), &packed];
        fs::write(&file, parts.concat()).unwrap();

        // A list of CVE ids is read when it is opened, and may be refused.
        let Ok(forged) = Index::open(&file) else { continue };
        opened += 1;
        assert_eq!(forged.digest(), digest);
        for purl in ["pkg:pypi/django@4", "pkg:npm/left@1.5"] {
            crate::matches(&forged, purl);
        }
        forged.advisory("cve-2024-0001");
        forged.changed_since(&sound);
    }
    assert!(opened > 2_000, "{opened}");
}
