//! Archives that were made to do harm.

use std::io::{Cursor, Write};

use artifacts::Limits;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{CARGO_LOCK, gaps, gzip, metadata, scan, scan_with, tar_of, told, zip_of, zstd};

const MIB: usize = 1024 * 1024;

fn has_gap(contents: &documents::inventory::ArtifactContents, text: &str) {
    assert!(gaps(contents).iter().any(|it| it.contains(text)), "{text}: {:?}", gaps(contents));
}

#[test]
fn bomb_in_an_archive_is_missing_and_the_rest_is_told() {
    let bomb = gzip(&tar_of(&[("zeros", &vec![0; 80 * MIB])]));
    let files: &[(&str, &[u8])] = &[
        ("a/Cargo.lock", CARGO_LOCK.as_bytes()),
        ("b/bomb.tar.gz", &bomb),
        ("c/Cargo.lock", CARGO_LOCK.as_bytes()),
    ];
    for bytes in [tar_of(files), zip_of(files)] {
        let contents = scan("app", &bytes);
        assert_eq!(told(&contents).len(), 2);
        has_gap(&contents, "b/bomb.tar.gz: unpacks to more than 250 times its size, as bombs do");
    }
}

#[test]
fn bomb_alone_is_missing() {
    let bomb = zstd(&tar_of(&[("zeros", &vec![0; 80 * MIB])]));
    has_gap(&scan("bomb.tar.zst", &bomb), "as bombs do");
}

#[test]
fn large_text_is_missing_and_the_rest_is_told() {
    let limits = Limits { file_bytes: 1000, ..Limits::default() };
    let large = vec![b'#'; 1001];
    let files: &[(&str, &[u8])] =
        &[("a/Cargo.lock", &large), ("b/Cargo.lock", CARGO_LOCK.as_bytes())];
    for bytes in [tar_of(files), zip_of(files)] {
        let contents = scan_with("app", &bytes, &limits);
        assert_eq!(told(&contents).len(), 1);
        has_gap(&contents, "a/Cargo.lock: has more than the 1000 bytes that are read");
    }
}

#[test]
fn one_bomb_leaves_half_of_what_may_be_unpacked() {
    let limits = Limits { unpacked_bytes: 100_000, ..Limits::default() };
    let bomb = gzip(&tar_of(&[("zeros", &[0; 200_000])]));
    let sound = gzip(&tar_of(&[("x/Cargo.lock", CARGO_LOCK.as_bytes())]));
    let contents = scan_with("app", &tar_of(&[("a.tgz", &bomb), ("b.tgz", &sound)]), &limits);
    assert_eq!(told(&contents).len(), 1);
    has_gap(&contents, "a.tgz: unpacks to more bytes than are read");
}

#[test]
fn archives_lie_only_so_deep() {
    let mut archive = zip_of(&[("x-1.dist-info/METADATA", &metadata("x", "1"))]);
    for depth in 1..=6 {
        archive = zip_of(&[("in.zip", &archive)]);
        let contents = scan("app.zip", &archive);
        assert_eq!(told(&contents).len(), usize::from(depth <= 5), "{depth}");
        if depth > 5 {
            has_gap(&contents, "lies in more than the 5 archives");
        }
    }
}

#[test]
fn archive_that_holds_itself_in_effect_ends() {
    // Every level has sixteen of the next: sixteen million archives if all were opened.
    let mut archive = zip_of(&[("x", b"")]);
    for _ in 0..6 {
        let names: Vec<String> = (0..16).map(|it| format!("{it}.zip")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|it| (&**it, &*archive)).collect();
        archive = zip_of(&files);
    }
    let limits = Limits { entries: 10_000, ..Limits::default() };
    has_gap(&scan_with("app.zip", &archive, &limits), "has more entries than are read");
}

#[test]
fn more_entries_than_the_limit_are_missing() {
    let limits = Limits { entries: 3, ..Limits::default() };
    let names: Vec<String> = (0..5).map(|it| format!("{it}/Cargo.lock")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|it| (&**it, CARGO_LOCK.as_bytes())).collect();
    for bytes in [tar_of(&files), zip_of(&files)] {
        let contents = scan_with("app", &bytes, &limits);
        assert_eq!(told(&contents).len(), 3);
        has_gap(&contents, "has more entries than are read");
    }
}

#[test]
fn more_findings_than_the_limit_are_missing() {
    let limits = Limits { findings: 3, ..Limits::default() };
    let names: Vec<String> = (0..5).map(|it| format!("{it}/Cargo.lock")).collect();
    let files: Vec<(&str, &[u8])> = names.iter().map(|it| (&**it, CARGO_LOCK.as_bytes())).collect();
    let inner = zip_of(&files);
    let contents = scan_with("app", &zip_of(&[("a.zip", &inner), files[0]]), &limits);
    assert_eq!(told(&contents).len(), 3);
    has_gap(&contents, "a.zip: holds more files that say what it is made of than are read");
}

#[test]
fn memory_is_set_aside_for_so_much() {
    let limits = Limits { held_bytes: 100_000, ..Limits::default() };
    let inner = zip_of(&[("noise", b"")]);
    let mut large = vec![0; 200_000];
    fastrand::Rng::with_seed(1).fill(&mut large);
    let jar = zip_of(&[("noise", &large)]);
    let contents = scan_with("app", &zip_of(&[("a.jar", &jar), ("b.jar", &inner)]), &limits);
    assert_eq!(gaps(&contents).len(), 1);
    has_gap(&contents, "a.jar: has more than the 100000 bytes that are read");
}

#[test]
fn paths_that_lead_outside_are_not_followed_and_told() {
    let zip = zip_of(&[("../../etc/Cargo.lock", CARGO_LOCK.as_bytes())]);
    let contents = scan("app.zip", &zip);
    assert_eq!(told(&contents).len(), 0);
    has_gap(&contents, "has an entry that lies outside of it");
    let absolute = scan("app.zip", &zip_of(&[("/app/Cargo.lock", CARGO_LOCK.as_bytes())]));
    assert_eq!(told(&absolute), ["pkg:cargo/app@1.0.0 (root) app/Cargo.lock"]);
}

#[test]
fn control_characters_in_names_never_leave_the_artifact() {
    let contents = scan("app.zip", &zip_of(&[("a\u{1b}[2J/Cargo.lock", CARGO_LOCK.as_bytes())]));
    assert_eq!(told(&contents).len(), 0);
    assert!(!gaps(&contents)[0].contains('\u{1b}'));
}

#[test]
fn encrypted_and_changed_entries_are_missing() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file("a/Cargo.lock", options).unwrap();
    zip.write_all(CARGO_LOCK.as_bytes()).unwrap();
    let sound = zip.finish().unwrap().into_inner();

    let mut changed = sound.clone();
    let at = sound.windows(3).position(|it| it == b"app").unwrap();
    changed[at] = b'b';
    let contents = scan("app.zip", &changed);
    assert_eq!(told(&contents).len(), 0);
    has_gap(&contents, "is not what its checksum says");

    let mut encrypted = sound.clone();
    let at = sound.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
    encrypted[at + 8] |= 1;
    has_gap(&scan("app.zip", &encrypted), "1 of its entries are encrypted");
}

#[test]
fn entries_that_share_their_bytes_are_no_archive() {
    // The directory names the same local header many times, as in the bombs of D. Fifield.
    let sound = zip_of(&[("Cargo.lock", CARGO_LOCK.as_bytes())]);
    let directory = sound.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
    let end = sound.windows(4).rposition(|it| it == b"PK\x05\x06").unwrap();
    let record = &sound[directory..end];
    let mut bomb = [&sound[..directory], &record.repeat(5), &sound[end..]].concat();
    let end = bomb.len() - 22;
    bomb[end + 8..end + 12].copy_from_slice(&[5, 0, 5, 0]);
    let size = u32::try_from(record.len() * 5).unwrap();
    bomb[end + 12..end + 16].copy_from_slice(&size.to_le_bytes());

    has_gap(&scan("bomb.zip", &bomb), "its entries overlap");
}

#[test]
fn two_entries_of_one_name_are_told() {
    let mut zip = zip_of(&[("a/Cargo.lock", b"broken"), ("b/Cargo.lock", CARGO_LOCK.as_bytes())]);
    while let Some(at) = zip.windows(12).position(|it| it == b"b/Cargo.lock") {
        zip[at] = b'a';
    }
    let contents = scan("app.zip", &zip);
    assert_eq!(told(&contents).len(), 1);
    has_gap(&contents, "has two entries of one name");
}

#[test]
fn archive_that_is_cut_off_tells_what_is_there() {
    let tar = tar_of(&[("a/Cargo.lock", CARGO_LOCK.as_bytes()), ("b", &[1; 4000])]);
    let contents = scan("app.tar", &tar[..3000]);
    assert_eq!(told(&contents).len(), 1);
    has_gap(&contents, "cut off");

    let gzip = gzip(&tar);
    let contents = scan("app.tgz", &gzip[..gzip.len() - 9]);
    assert_eq!(gaps(&contents).len(), 1, "{:?}", gaps(&contents));
}

#[test]
fn name_of_a_million_bytes_takes_no_memory() {
    let mut header = tar::Header::new_gnu();
    header.set_path("././@LongLink").unwrap();
    header.set_entry_type(tar::EntryType::GNULongName);
    header.set_size(8 << 30);
    header.set_cksum();
    has_gap(&scan("app.tar", header.as_bytes()), "has a name of more than a million bytes");
}

#[test]
fn arbitrary_changes_never_panic() {
    let mut random = fastrand::Rng::with_seed(3);
    let files: &[(&str, &[u8])] = &[
        ("app-1.0.dist-info/METADATA", &metadata("app", "1.0")),
        ("a/Cargo.lock", CARGO_LOCK.as_bytes()),
        (&"long/".repeat(40), b""),
    ];
    let tar = tar_of(&files[..2]);
    for good in [zip_of(files), gzip(&tar), zstd(&tar), tar] {
        for _ in 0..200 {
            let mut bytes = good.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..bytes.len());
                bytes[at] = random.u8(..);
            }
            bytes.truncate(random.usize(bytes.len() / 2..=bytes.len()));
            let artifact = crate::artifact("app", &bytes);
            artifacts::scan_file(&artifact.path, &Limits::default()).unwrap();
        }
    }
}
