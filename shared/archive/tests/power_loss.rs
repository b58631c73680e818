//! What was promised survives a power loss; what was not may go.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod support;

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use archive::{Archive, ArchiveOptions, lose_unsynced};
use events::Digest;
use futures::StreamExt;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempDir;

use crate::support::{MAX, at, entry, file_of, metadata_file_of};

fn open(directory: &Path) -> Archive {
    let options = ArchiveOptions { ledger: Some(directory.join("ledger")), ..Default::default() };
    Archive::open_with(directory.join("archive").to_str().unwrap(), options).unwrap()
}

fn notes(directory: &TempDir) -> usize {
    fs::read_dir(directory.path().join("ledger")).unwrap().count()
}

fn lose(directory: &TempDir) -> usize {
    lose_unsynced(&directory.path().join("ledger"), &directory.path().join("archive")).unwrap()
}

/// Leaves the notes of a document that somebody was about to store.
fn note(directory: &TempDir, digest: Digest) {
    let hex = digest.hex();
    let (shard, rest) = (&hex[..2], &hex[2..]);
    let document = format!("documents+sha256+{shard}+{rest}");
    let metadata = format!("metadata+sha256+{shard}+{rest}.json");
    for name in [document, metadata] {
        File::create_new(directory.path().join("ledger").join(name)).unwrap();
    }
}

#[tokio::test]
async fn power_loss_takes_what_no_sync_covered_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let archive = open(directory.path());
    let kept = archive.put(&[entry("kept")], at(2)).await.unwrap()[0];
    assert_eq!(notes(&directory), 0);
    // A store that was killed before its sync ended.
    let cut = archive.put(&[entry("cut")], at(2)).await.unwrap()[0];
    note(&directory, cut);

    assert!(archive.contains(cut).await.unwrap());
    assert!(!archive.keeps(cut, at(2)).await.unwrap(), "nobody may rely on it yet");
    assert_eq!(lose(&directory), 2);

    let root = directory.path().join("archive");
    assert!(!file_of(&root, cut).exists() && !metadata_file_of(&root, cut).exists());
    assert_eq!(archive.get(kept, MAX).await.unwrap(), "kept");
    assert!(archive.keeps(kept, at(2)).await.unwrap());
    assert_eq!((notes(&directory), lose(&directory)), (0, 0));
}

#[tokio::test]
async fn whoever_syncs_a_document_settles_what_others_noted() {
    let directory = tempfile::tempdir().unwrap();
    let archive = open(directory.path());
    note(&directory, Digest::of(b"one"));

    let digest = archive.put(&[entry("one")], at(2)).await.unwrap()[0];

    assert_eq!((notes(&directory), lose(&directory)), (0, 0));
    assert_eq!(archive.get(digest, MAX).await.unwrap(), "one");
}

#[tokio::test]
async fn failed_sync_leaves_notes_of_what_is_new_and_not_of_what_was_durable() {
    let directory = tempfile::tempdir().unwrap();
    let (root, other) = (directory.path().join("archive"), directory.path().join("other"));
    let archive = open(directory.path());
    let durable = Archive::open(other.to_str().unwrap()).unwrap();
    let one = durable.put(&[entry("one")], at(2)).await.unwrap()[0];
    // Exchanged, so that everything is written and then the sync fails.
    renameat_with(CWD, &root, CWD, &other, RenameFlags::EXCHANGE).unwrap();

    archive.put(&[entry("one"), entry("two")], at(2)).await.unwrap_err();

    assert_eq!((notes(&directory), lose(&directory)), (2, 2));
    assert!(!file_of(&root, Digest::of(b"two")).exists());
    assert_eq!(archive.get(one, MAX).await.unwrap(), "one");
}

#[test]
fn promises_of_killed_processes_survive_a_power_loss() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("ledger")).unwrap();
    let mut lost = 0;
    for round in 0..4 {
        // Two store the same documents, at the same time.
        let children = [child(&directory), child(&directory)];
        std::thread::sleep(Duration::from_millis(400 + 37 * round));
        for mut child in children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        lost += lose(&directory);
    }

    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let promised = fs::read_to_string(directory.path().join("promised")).unwrap();
    let archive = open(directory.path());
    for number in promised.lines() {
        let digest = Digest::of(number.as_bytes());
        assert_eq!(runtime.block_on(archive.get(digest, MAX)).unwrap(), number);
        runtime.block_on(archive.metadata(digest)).unwrap();
    }
    assert!(promised.lines().count() > 20, "only {} promises", promised.lines().count());
    assert!(lost > 0, "nothing was ever killed between its write and its sync");
}

fn child(directory: &TempDir) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stores_until_it_is_killed", "--ignored"])
        .current_dir(directory)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "the process that `promises_of_killed_processes_survive_a_power_loss` kills"]
async fn stores_until_it_is_killed() {
    if !Path::new("ledger").exists() {
        return;
    }
    let archive = open(Path::new("."));
    let first = fs::read_to_string("promised").unwrap_or_default().lines().count();
    let promised = OpenOptions::new().create(true).append(true).open("promised").unwrap();
    futures::stream::iter(first..)
        .for_each_concurrent(4, async |number| {
            let number = number.to_string();
            archive.put(&[entry(number.clone())], at(2)).await.unwrap();
            (&promised).write_all(format!("{number}\n").as_bytes()).unwrap();
        })
        .await;
}

#[tokio::test]
async fn pointer_that_is_left_as_it_stands_is_durable() {
    let directory = tempfile::tempdir().unwrap();
    let archive = open(directory.path());
    archive.point("accepted/acme", "1".into()).await.unwrap();
    // Whoever gave it was killed before its sync ended.
    File::create_new(directory.path().join("ledger/pointers+accepted+acme")).unwrap();

    archive.exchange("accepted/acme", |_| None).await.unwrap();

    assert_eq!((notes(&directory), lose(&directory)), (0, 0));
    assert_eq!(archive.pointed("accepted/acme").await.unwrap(), Some("1".into()));
}
