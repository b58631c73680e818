//! The volume goes away, comes back and fills up.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod support;

use std::{fs, path::Path, process::Command, time::Duration};

use archive::{Archive, ArchiveError, ArchiveOptions};
use events::Digest;
use futures::{StreamExt, TryStreamExt};
use rustix::fs::{CWD, RenameFlags};

use crate::support::{MAX, at, entry, file_of, open, open_with, segment};

/// Exchanges what two paths name, at one stroke.
fn swap(one: &Path, other: &Path) {
    rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
}

fn away<T: std::fmt::Debug>(result: Result<T, ArchiveError>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, ArchiveError::Unavailable { .. }), "{error:?}");
    error.to_string()
}

/// Everything that can be asked of an archive whose volume is away says so.
async fn everything_is_unavailable(archive: &Archive, known: Digest) {
    let missing = Digest::of(b"missing");
    away(archive.put(&[entry("new")], at(3)).await);
    away(archive.claim("new", "1".into()).await);
    for digest in [known, missing] {
        away(archive.get(digest, MAX).await);
        away(archive.metadata(digest).await);
        away(archive.contains(digest).await);
        away(archive.keeps(digest, at(0)).await);
        away(archive.remove(digest, at(0)).await);
    }
    for name in ["known", "missing"] {
        away(archive.claimed(name).await);
        away(archive.release(name).await);
    }
    away(archive.claims("").try_collect::<Vec<_>>().await);
    away(archive.claims_below("known").await);
    away(archive.entries().try_collect::<Vec<_>>().await);
    away(archive.verify_all().await);
    away(archive.check().await);
    away(archive.room());
}

#[tokio::test]
async fn volume_that_is_away_is_never_mistaken_for_an_empty_one() {
    let parent = tempfile::tempdir().unwrap();
    let (root, aside) = (parent.path().join("archive"), parent.path().join("aside"));
    let archive = Archive::open(root.to_str().unwrap()).unwrap();
    let known = archive.put(&[entry("known")], at(2)).await.unwrap()[0];
    archive.claim("known", "1".into()).await.unwrap();

    // Unmounted: the empty directory is left.
    fs::rename(&root, &aside).unwrap();
    fs::create_dir(&root).unwrap();
    everything_is_unavailable(&archive, known).await;
    assert_eq!(fs::read_dir(&root).unwrap().count(), 0, "nothing is written in its place");
    // Not even that is left.
    fs::remove_dir(&root).unwrap();
    everything_is_unavailable(&archive, known).await;
    assert!(!root.exists());
    // A file is in the way.
    fs::write(&root, b"in the way").unwrap();
    everything_is_unavailable(&archive, known).await;
    let said = away(archive.put(&[entry("new")], at(3)).await);
    assert!(said.contains("marker archive.json is gone; is the volume mounted?"), "{said}");

    fs::remove_file(&root).unwrap();
    fs::rename(&aside, &root).unwrap();
    assert_eq!(archive.get(known, MAX).await.unwrap(), "known");
    assert_eq!(archive.claimed("known").await.unwrap().unwrap(), "1");
    assert_eq!(archive.claimed("missing").await.unwrap(), None);
    let new = archive.put(&[entry("new")], at(3)).await.unwrap()[0];
    assert_eq!(archive.get(new, MAX).await.unwrap(), "new");
    assert_eq!(archive.claim("new", "2".into()).await.unwrap(), "2");
    archive.check().await.unwrap();
}

#[tokio::test]
async fn documents_stored_while_the_volume_is_unmounted_and_mounted_are_there() {
    let parent = tempfile::tempdir().unwrap();
    let (root, other) = (parent.path().join("archive"), parent.path().join("other"));
    fs::create_dir(&other).unwrap();
    let archive = Archive::open(root.to_str().unwrap()).unwrap();

    while_swapping(&root, &other, async |name| archive.put(&[entry(name)], at(2)).await.map(drop))
        .await;

    for name in NAMES.map(|name| name.to_string()) {
        assert_eq!(archive.get(Digest::of(name.as_bytes()), MAX).await.unwrap(), name);
    }
    let elsewhere = other.join("documents").exists();
    assert!(elsewhere, "nothing was ever written while the volume was away");
}

#[tokio::test]
async fn claims_made_while_a_file_comes_and_goes_in_its_place_are_there() {
    let parent = tempfile::tempdir().unwrap();
    let (root, other) = (parent.path().join("archive"), parent.path().join("other"));
    fs::write(&other, b"in the way").unwrap();
    let archive = Archive::open(root.to_str().unwrap()).unwrap();

    let claim = async |name: String| archive.claim(&name, name.clone().into()).await.map(drop);
    while_swapping(&root, &other, claim).await;

    for name in NAMES.map(|name| name.to_string()) {
        assert_eq!(archive.claimed(&name).await.unwrap().unwrap(), name);
    }
}

/// What is stored and claimed.
const NAMES: std::ops::Range<u32> = 0..100;

/// Does `work` for every name, again if it fails, while `other` and the archive change places.
async fn while_swapping<F>(root: &Path, other: &Path, work: F)
where
    F: AsyncFn(String) -> Result<(), ArchiveError>,
{
    let mut swaps = 0;
    let swapping = async {
        loop {
            swap(root, other);
            swaps += 1;
            tokio::time::sleep(Duration::from_millis(if swaps % 2 == 1 { 1 } else { 6 })).await;
        }
    };
    let working = futures::stream::iter(NAMES).for_each_concurrent(8, async |name| {
        while let Err(error) = work(name.to_string()).await {
            assert!(matches!(error, ArchiveError::Unavailable { .. }), "{error}");
        }
    });
    tokio::select! {
        () = swapping => {}
        worked = tokio::time::timeout(Duration::from_secs(120), working) => worked.unwrap(),
    }
    if swaps % 2 == 1 {
        swap(root, other);
    }
    assert!(swaps > 20, "the volume went and came only {swaps} times");
}

#[tokio::test]
async fn another_archive_in_its_place_is_used_after_one_refusal() {
    let parent = tempfile::tempdir().unwrap();
    let (root, other) = (parent.path().join("archive"), parent.path().join("other"));
    let archive = Archive::open(root.to_str().unwrap()).unwrap();
    Archive::open(other.to_str().unwrap()).unwrap();
    swap(&root, &other);

    let said = away(archive.put(&[entry("one")], at(2)).await);
    assert!(said.contains("another archive took its place"), "{said}");

    let digest = archive.put(&[entry("one")], at(2)).await.unwrap()[0];
    assert!(file_of(&root, digest).exists());
}

#[test]
fn archive_of_an_earlier_release_gets_its_marker_when_it_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("documents")).unwrap();

    Archive::open(directory.path().to_str().unwrap()).unwrap();

    let marker = fs::read_to_string(directory.path().join("archive.json")).unwrap();
    assert_eq!(marker, "{\"format\":\"attestry.archive.v1\"}\n");
    let names = fs::read_dir(directory.path()).unwrap();
    assert_eq!(names.count(), 2, "nothing is left beside it");
}

#[test]
fn archive_of_an_unknown_format_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let marker = directory.path().join("archive.json");
    for (text, named) in [(r#"{"format":"attestry.archive.v2"}"#, "v2"), ("", "unreadable")] {
        fs::write(&marker, text).unwrap();

        let error = Archive::open(directory.path().to_str().unwrap()).err().unwrap();

        assert!(matches!(error, ArchiveError::OtherFormat { .. }), "{error}");
        assert!(error.to_string().contains(named), "{error}");
        assert_eq!(fs::read_to_string(&marker).unwrap(), text);
    }
}

#[tokio::test]
async fn documents_that_would_use_up_the_reserve_are_refused_and_segments_are_not() {
    let options = ArchiveOptions { reserve: Some(u64::MAX), ..Default::default() };
    let (directory, archive) = open_with(options);

    let said = away(archive.put(&[entry("one")], at(2)).await);

    let room = archive.room().unwrap();
    assert!(said.contains("bytes free") && said.contains("lower the reserve"), "{said}");
    assert!(said.contains(&format!("{} are reserved", u64::MAX)), "{said}");
    assert!(room.free > 0 && room.free <= room.total, "{room:?}");
    assert!(!directory.path().join("documents").exists(), "nothing is written");
    let mixed = [segment("journal"), entry("one")];
    away(archive.put(&mixed, at(2)).await);
    archive.put(&[segment("journal")], at(2)).await.unwrap();
    archive.claim("segments/1", "1".into()).await.unwrap();
}

#[test]
fn reserve_is_64_mib_on_volumes_that_are_not_small() {
    let (_directory, archive) = open();

    let room = archive.room().unwrap();

    assert_eq!(room.reserve, (64 << 20).min(room.total / 16), "{room:?}");
}

/// Runs itself again on a volume of 2 MiB, which takes a user namespace but no root.
#[tokio::test]
#[allow(clippy::print_stderr, reason = "a test that was skipped says so")]
async fn full_volume_is_an_outage_and_room_ends_it() {
    const SMALL: u64 = 2 << 20;
    let here = rustix::fs::statvfs(".").unwrap();
    if here.f_blocks * here.f_frsize > SMALL {
        // Where the host refuses namespaces there is no small volume to fill: said, not hidden.
        let granted = Command::new("unshare").args(["-Urm", "true"]).status();
        if !granted.is_ok_and(|status| status.success()) {
            eprintln!("SKIPPED: this host refuses `unshare -Urm`; no volume was filled");
            return;
        }
        let mount = "mount -t tmpfs -o size=2m tmpfs \"$0\" && cd \"$0\" && exec \"$@\"";
        let directory = tempfile::tempdir().unwrap();
        let ran = Command::new("unshare")
            .args(["-Urm", "sh", "-c", mount])
            .args([directory.path(), &std::env::current_exe().unwrap()])
            .args(["--exact", "full_volume_is_an_outage_and_room_ends_it"])
            .status();
        assert!(ran.unwrap().success());
        return;
    }
    // No reserve, so that the volume itself is what refuses.
    let options = ArchiveOptions { reserve: Some(0), ..Default::default() };
    let archive = Archive::open_with("archive", options).unwrap();
    let known = archive.put(&[entry("known")], at(2)).await.unwrap()[0];
    let room = archive.room().unwrap();
    assert_eq!(room.total, SMALL);
    fs::write("filler", vec![0; usize::try_from(room.free).unwrap() - 32 * 1024]).unwrap();

    let documents = (0..64).map(|index| entry(format!("{index}"))).collect::<Vec<_>>();
    let one_by_one = futures::stream::iter(&documents)
        .then(async |document| archive.put(std::slice::from_ref(document), at(2)).await);
    away(one_by_one.try_collect::<Vec<_>>().await);
    away(archive.claim("full", vec![0; 64 * 1024].into()).await);
    assert_eq!(archive.get(known, MAX).await.unwrap(), "known");

    fs::remove_file("filler").unwrap();
    let digests = archive.put(&documents, at(2)).await.unwrap();
    assert_eq!(digests.len(), 64);
    assert_eq!(archive.claim("full", "1".into()).await.unwrap(), "1");
    let findings = archive.verify_all().await.unwrap();
    assert_eq!((findings.documents, findings.corrupt.len()), (65, 0), "{findings:?}");
}
