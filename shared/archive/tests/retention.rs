//! Renewing, walking, removing and checking.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod support;

use std::fs;

use archive::{Archive, ArchiveError, Claim, Findings};
use events::Digest;
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;

use crate::support::{MAX, at, day, entry, file_of, metadata_file_of, open, segment};

#[tokio::test]
async fn storing_again_renews_what_would_end_within_eleven_months() {
    let (_directory, archive) = open();
    let digest = archive.put(&[entry("one")], day(0)).await.unwrap()[0];

    archive.put(&[entry("one")], day(30)).await.unwrap();
    assert_eq!(archive.metadata(digest).await.unwrap().retain_until, day(365));

    archive.put(&[entry("one")], day(31)).await.unwrap();
    let metadata = archive.metadata(digest).await.unwrap();
    assert_eq!(metadata.retain_until, day(31 + 365));
    assert_eq!((metadata.event_time, metadata.ingested_at), (at(1), day(0)));

    // A clock that is behind takes nothing back.
    archive.put(&[entry("one")], day(-300)).await.unwrap();
    assert_eq!(archive.metadata(digest).await.unwrap(), metadata);
}

#[tokio::test]
async fn document_is_kept_only_with_its_bytes_and_its_metadata() {
    let (directory, archive) = open();
    let digest = archive.put(&[entry("one")], day(0)).await.unwrap()[0];

    assert!(archive.keeps(digest, day(365)).await.unwrap());
    assert!(!archive.keeps(digest, day(366)).await.unwrap());
    assert!(!archive.keeps(Digest::of(b"other"), day(0)).await.unwrap());

    fs::write(metadata_file_of(directory.path(), digest), "{}").unwrap();
    assert!(!archive.keeps(digest, day(0)).await.unwrap());
    fs::remove_file(metadata_file_of(directory.path(), digest)).unwrap();
    assert!(!archive.keeps(digest, day(0)).await.unwrap());

    archive.put(&[entry("one")], day(1)).await.unwrap();
    assert!(archive.keeps(digest, day(366)).await.unwrap());
    fs::remove_file(file_of(directory.path(), digest)).unwrap();
    assert!(!archive.keeps(digest, day(0)).await.unwrap());
}

#[tokio::test]
async fn damaged_metadata_is_named_and_mended_by_storing_the_document_again() {
    let (directory, archive) = open();
    let digests = archive.put(&[entry("one"), entry("two")], at(2)).await.unwrap();
    let (one, two) = (digests[0], digests[1]);
    // Cut short, and that of another document.
    let file = metadata_file_of(directory.path(), one);
    fs::copy(metadata_file_of(directory.path(), two), &file).unwrap();
    fs::write(metadata_file_of(directory.path(), two), "{\"digest\"").unwrap();

    for digest in digests {
        let error = archive.metadata(digest).await.unwrap_err();
        assert!(matches!(error, ArchiveError::DamagedMetadata { .. }), "{error}");
        assert!(error.to_string().contains(&digest.to_string()), "{error}");
        let error = archive.remove(digest, Timestamp::MAX).await.unwrap_err();
        assert!(matches!(error, ArchiveError::DamagedMetadata { .. }), "{error}");
    }
    let walked = archive.entries().collect::<Vec<_>>().await;
    assert_eq!(walked.iter().filter(|found| found.is_err()).count(), 2, "{walked:?}");

    archive.put(&[entry("one"), entry("two")], at(3)).await.unwrap();
    assert_eq!(archive.entries().try_collect::<Vec<_>>().await.unwrap().len(), 2);
}

#[tokio::test]
async fn walk_yields_every_document_once_by_the_order_of_digests() {
    let (_directory, archive) = open();
    let documents = (0..600).map(|index| entry(format!("{index}"))).collect::<Vec<_>>();
    let mut digests = archive.put(&documents, at(2)).await.unwrap();
    digests.sort_unstable();

    let walked: Vec<_> = archive.entries().try_collect().await.unwrap();

    let walked = walked.into_iter().map(|metadata| metadata.digest).collect::<Vec<_>>();
    assert_eq!(walked, digests);
}

#[tokio::test]
async fn document_is_removed_when_its_time_is_over_and_not_before() {
    let (directory, archive) = open();
    let digest = archive.put(&[entry("one")], day(0)).await.unwrap()[0];

    assert!(!archive.remove(digest, day(364)).await.unwrap());
    assert_eq!(archive.get(digest, MAX).await.unwrap(), "one");

    assert!(archive.remove(digest, day(365)).await.unwrap());
    assert!(!file_of(directory.path(), digest).exists());
    assert!(!metadata_file_of(directory.path(), digest).exists());
    assert!(!archive.remove(digest, day(365)).await.unwrap());
    assert!(!archive.contains(digest).await.unwrap());
}

#[tokio::test]
async fn removal_that_was_cut_short_is_finished_by_the_next_sweep() {
    let (directory, archive) = open();
    let digest = archive.put(&[entry("one")], day(0)).await.unwrap()[0];
    // What a crash between the two leaves.
    fs::remove_file(file_of(directory.path(), digest)).unwrap();

    let left: Vec<_> = archive.entries().try_collect().await.unwrap();

    assert_eq!(left.len(), 1);
    assert!(archive.remove(left[0].digest, day(365)).await.unwrap());
    assert_eq!(archive.verify_all().await.unwrap(), Findings::default());
}

#[tokio::test]
async fn segments_are_never_removed() {
    let (_directory, archive) = open();
    // Its bytes came as something else first.
    archive.put(&[entry("journal")], day(0)).await.unwrap();
    let digest = archive.put(&[segment("journal")], day(0)).await.unwrap()[0];
    archive.put(&[entry("journal")], day(400)).await.unwrap();

    let error = archive.remove(digest, Timestamp::MAX).await.unwrap_err();

    assert!(matches!(error, ArchiveError::NeverRemoved(_)), "{error}");
    assert_eq!(archive.get(digest, MAX).await.unwrap(), "journal");
    assert!(archive.keeps(digest, Timestamp::MAX).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn document_that_is_stored_while_it_is_removed_is_there_afterwards() {
    let (directory, archive) = open();
    let digest = Digest::of(b"one");
    let mut removed = 0;
    for round in 0..200 {
        let (old, now) = (day(round * 400), day(round * 400 + 399));
        archive.put(&[entry("one")], old).await.unwrap();
        // Like another process, with locks of its own.
        let sweeper = Archive::open(directory.path().to_str().unwrap()).unwrap();
        let remove = tokio::spawn(async move { sweeper.remove(digest, now).await });
        let storing = archive.clone();
        let store = tokio::spawn(async move { storing.put(&[entry("one")], now).await });

        removed += u32::from(remove.await.unwrap().unwrap());
        store.await.unwrap().unwrap();
        assert_eq!(archive.get(digest, MAX).await.unwrap(), "one", "round {round}");
        assert!(archive.keeps(digest, now).await.unwrap(), "round {round}");
    }
    assert!(removed > 0, "no removal ever came first");
}

#[tokio::test]
async fn claims_are_listed_with_their_names_and_released() {
    let (_directory, archive) = open();
    for (name, value) in [("bundles/b", "2"), ("bundles/a/x", "1"), ("judged/a", "3")] {
        archive.claim(name, value.into()).await.unwrap();
    }

    let mut claims: Vec<_> = archive.claims("bundles").try_collect().await.unwrap();
    claims.sort_by(|a, b| a.name.cmp(&b.name));
    let expected = [("bundles/a/x", "1"), ("bundles/b", "2")];
    let claim =
        |(name, value): (&str, &'static str)| Claim { name: name.to_owned(), value: value.into() };
    assert_eq!(claims, expected.map(claim));
    assert_eq!(archive.claims("").count().await, 3);
    assert_eq!(archive.claims("none").count().await, 0);

    archive.release("bundles/b").await.unwrap();
    archive.release("bundles/b").await.unwrap();
    assert_eq!(archive.claimed("bundles/b").await.unwrap(), None);
    assert_eq!(archive.claim("bundles/b", "4".into()).await.unwrap(), "4");
}

#[tokio::test]
async fn check_of_everything_tells_each_kind_of_damage() {
    let (directory, archive) = open();
    let documents = ["sound", "corrupt", "no metadata", "no document", "damaged"].map(entry);
    let digests = archive.put(&documents, at(2)).await.unwrap();
    let large = entry(vec![7; 3 << 20]);
    archive.put(&[large], at(2)).await.unwrap();
    let root = directory.path();
    let sound = archive.verify_all().await.unwrap();
    let bytes = (3 << 20) + documents.iter().map(|entry| entry.bytes.len() as u64).sum::<u64>();
    assert_eq!(sound, Findings { documents: 6, bytes, ..Default::default() });

    fs::write(file_of(root, digests[1]), "CORRUPT").unwrap();
    fs::remove_file(metadata_file_of(root, digests[2])).unwrap();
    fs::remove_file(file_of(root, digests[3])).unwrap();
    fs::write(metadata_file_of(root, digests[4]), "").unwrap();
    fs::write(file_of(root, digests[0]).with_file_name("README"), "").unwrap();

    let findings = archive.verify_all().await.unwrap();

    assert_eq!(findings.documents, 5);
    assert_eq!(findings.corrupt, [digests[1]]);
    assert_eq!(findings.without_metadata, [digests[2]]);
    assert_eq!(findings.without_document, [digests[3]]);
    assert_eq!(findings.damaged_metadata, [digests[4]]);
    assert_eq!(findings.strays.len(), 1);
    assert!(findings.strays[0].ends_with("/README"), "{:?}", findings.strays);
}
