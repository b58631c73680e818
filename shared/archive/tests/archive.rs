//! What the archive promises, on a real directory.

#![allow(clippy::unwrap_used, reason = "helpers of tests fail their test")]

mod support;

use std::fs;

use archive::{Archive, ArchiveError, Class};
use events::Digest;
use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;

use crate::support::{MAX, at, entry, file_of, open};

#[tokio::test]
async fn stored_documents_are_read_back_with_their_metadata() {
    let (_directory, archive) = open();

    let digests = archive.put(&[entry("one"), entry("two")], at(2)).await.unwrap();

    assert_eq!(digests, [Digest::of(b"one"), Digest::of(b"two")]);
    assert_eq!(archive.get(digests[1], MAX).await.unwrap(), "two");
    let metadata = archive.metadata(digests[0]).await.unwrap();
    assert_eq!((metadata.class, metadata.size), (Class::Sbom, 3));
    assert_eq!((metadata.event_time, metadata.ingested_at), (at(1), at(2)));
    assert_eq!(metadata.retain_until, at(2) + SignedDuration::from_hours(365 * 24));
}

#[tokio::test]
async fn storing_again_keeps_when_it_was_stored_first() {
    let (_directory, archive) = open();
    archive.put(&[entry("one")], at(2)).await.unwrap();

    let again = archive.put(&[entry("one")], at(9)).await.unwrap();

    assert_eq!(archive.metadata(again[0]).await.unwrap().ingested_at, at(2));
}

#[tokio::test]
async fn damaged_document_is_noticed_and_mended_by_storing_it_again() {
    let (directory, archive) = open();
    let digest = archive.put(&[entry("one")], at(2)).await.unwrap()[0];
    fs::write(file_of(directory.path(), digest), b"two").unwrap();

    let error = archive.get(digest, MAX).await.unwrap_err();
    assert!(matches!(error, ArchiveError::Corrupt { expected, .. } if expected == digest));

    archive.put(&[entry("one")], at(3)).await.unwrap();
    assert_eq!(archive.get(digest, MAX).await.unwrap(), "one");
}

#[tokio::test]
async fn missing_and_oversized_documents_are_told_apart() {
    let (_directory, archive) = open();
    let digest = archive.put(&[entry("one")], at(2)).await.unwrap()[0];

    let missing = archive.get(Digest::of(b"other"), MAX).await.unwrap_err();
    assert!(matches!(missing, ArchiveError::NotFound(_)), "{missing}");
    let large = archive.get(digest, 2).await.unwrap_err();
    assert!(matches!(large, ArchiveError::TooLarge { size: 3, max: 2, .. }), "{large}");
}

#[tokio::test]
async fn first_claim_wins_for_good() {
    let (_directory, archive) = open();
    let claims = (0..16).map(|index| {
        let archive = archive.clone();
        tokio::spawn(async move { archive.claim("bundles/a/1", format!("{index}").into()).await })
    });

    let mut winners = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        winners.push(claim.await.unwrap().unwrap());
    }

    assert!(winners.iter().all(|winner| *winner == winners[0]), "{winners:?}");
    assert_eq!(archive.claimed("bundles/a/1").await.unwrap(), Some(winners[0].clone()));
    assert_eq!(archive.claimed("bundles/a/2").await.unwrap(), None);
    assert_eq!(archive.claims_below("bundles/a").await.unwrap(), [winners[0].clone()]);
}

#[tokio::test]
async fn archive_that_cannot_be_written_says_where_and_what_to_do() {
    let (directory, archive) = open();
    fs::remove_dir_all(directory.path().join("documents")).ok();
    fs::write(directory.path().join("documents"), b"in the way").unwrap();

    let error = archive.put(&[entry("one")], at(2)).await.unwrap_err();

    assert!(matches!(error, ArchiveError::Unavailable { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains(directory.path().to_str().unwrap()), "{text}");
    assert!(text.contains("writable"), "{text}");
}

#[test]
fn other_addresses_are_refused() {
    for address in ["", "s3://bucket/prefix"] {
        assert!(matches!(Archive::open(address), Err(ArchiveError::BadAddress(_))), "{address}");
    }
}

#[tokio::test]
async fn claim_that_a_power_loss_emptied_is_free_again_for_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let archive = Archive::open(directory.path().to_str().expect("UTF-8")).expect("opens");
    let name = "signatures/ab/1";
    archive.claim(name, "lost".into()).await.expect("claimed");
    fs::write(directory.path().join("claims").join(name), "").expect("emptied");

    assert_eq!(archive.claimed(name).await.expect("looked up"), None);
    let (one, other) =
        tokio::join!(archive.claim(name, "one".into()), archive.claim(name, "other".into()));
    let (one, other) = (one.expect("claimed"), other.expect("claimed"));
    assert_eq!(one, other, "one of them holds it");
    assert_eq!(archive.claimed(name).await.expect("looked up"), Some(one));
}

#[tokio::test]
async fn pointer_has_its_last_value_and_is_no_claim() {
    let (_directory, archive) = open();
    assert_eq!(archive.pointed("promoted/acme").await.unwrap(), None);
    archive.point("promoted/acme", "1".into()).await.unwrap();
    archive.point("promoted/acme", "2".into()).await.unwrap();
    archive.point("promoted/other", "3".into()).await.unwrap();

    assert_eq!(archive.pointed("promoted/acme").await.unwrap(), Some("2".into()));
    let mut pointers: Vec<_> = archive.pointers("promoted").try_collect().await.unwrap();
    pointers.sort_by(|a, b| a.name.cmp(&b.name));
    let named: Vec<_> = pointers.iter().map(|it| (&*it.name, &*it.value)).collect();
    assert_eq!(named, [("promoted/acme", &b"2"[..]), ("promoted/other", &b"3"[..])]);
    assert_eq!(archive.claims("").count().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_point_at_once_the_greatest_stands() {
    let (_directory, archive) = open();
    let number = |value: &[u8]| String::from_utf8_lossy(value).parse::<u32>().unwrap();
    let points = (0..64_u32).map(|index| {
        let archive = archive.clone();
        // In no order: each has a multiple of a prime.
        let value = index * 29 % 64;
        tokio::spawn(async move {
            let greater = |standing: Option<&[u8]>| {
                let is_greater = standing.is_none_or(|it| number(it) < value);
                is_greater.then(|| value.to_string().into())
            };
            archive.exchange("accepted/acme", greater).await
        })
    });
    for point in points.collect::<Vec<_>>() {
        point.await.unwrap().unwrap();
    }
    assert_eq!(archive.pointed("accepted/acme").await.unwrap(), Some("63".into()));
}
