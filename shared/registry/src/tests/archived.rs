//! What the check of a journal finds, and whose journal a registry takes.

use std::{fs, path::Path};

use archive::Archive;
use events::BuildKind;

use super::{
    Place,
    world::{Dice, Fate, World, eventful},
};
use crate::{
    Registry,
    journal::{self, JournalError, Sealed},
};

/// An archive with five segments.
async fn sealed(place: &Place) -> (Archive, Registry, Vec<Sealed>) {
    let mut dice = Dice(7);
    let archive = place.archive();
    let mut registry = place.recorded(&eventful(25, &mut dice).read(&mut dice)[..50]);
    let mut segments = Vec::new();
    while let Some(sealed) =
        journal::seal(&mut registry, &archive, 10, super::at(0)).await.expect("seals")
    {
        segments.push(sealed);
    }
    assert_eq!(segments.len(), 5);
    (archive, registry, segments)
}

async fn problems(archive: &Archive) -> Vec<String> {
    journal::check(archive).await.expect("checks").problems
}

/// The file below `root` with these bytes.
fn file_of(root: &Path, bytes: &[u8]) -> std::path::PathBuf {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("lists") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read(&path).expect("reads") == bytes {
                return path;
            }
        }
    }
    panic!("no such file");
}

#[tokio::test]
async fn whole_journal_has_no_problems_and_says_what_it_holds() {
    let place = Place::new();
    let (archive, registry, segments) = sealed(&place).await;

    let checked = journal::check(&archive).await.expect("checks");

    assert_eq!(checked.problems, [""; 0]);
    assert_eq!((checked.segments, checked.records), (5, 50));
    let records: u64 = checked.streams.values().map(|(first, last)| last - first + 1).sum();
    assert_eq!(records, 50);
    assert_eq!((checked.missing, checked.conflicts), (0, 0));
    let last = place.view().last_segment().expect("answers");
    assert_eq!(last, segments.last().map(|it| (it.number, it.digest)));
    assert_eq!(registry.pending().expect("answers").records, 0);
}

#[tokio::test]
async fn damaged_segment_is_found() {
    let place = Place::new();
    let (archive, _registry, segments) = sealed(&place).await;
    let bytes = archive.get(segments[2].digest, 1 << 20).await.expect("reads");
    let file = file_of(place.directory.path(), &bytes);
    let mut damaged = bytes.to_vec();
    damaged[20] ^= 1;
    fs::write(file, damaged).expect("writes");

    let found = problems(&archive).await;

    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("segment 3: ") && found[0].contains("damaged"), "{found:?}");
    let rebuilt = journal::rebuild(&archive, &Place::new().path()).await;
    assert!(matches!(rebuilt, Err(JournalError::Archive(_))));
}

#[tokio::test]
async fn missing_segment_is_found() {
    let place = Place::new();
    let (archive, _registry, segments) = sealed(&place).await;
    archive.release("segments/0000000002").await.expect("releases");
    let bytes = archive.get(segments[3].digest, 1 << 20).await.expect("reads");
    fs::remove_file(file_of(place.directory.path(), &bytes)).expect("removes");

    let found = problems(&archive).await;

    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("segment 2 has no claim `segments/0000000002`"), "{found:?}");
    assert!(found[1].starts_with("segment 4: the archive holds no document"), "{found:?}");
    let gaps = journal::check(&archive).await.expect("checks").missing;
    assert!(gaps > 0, "what the segments held is missing");
}

#[tokio::test]
async fn segment_that_does_not_follow_the_one_before_is_found() {
    let (place, other) = (Place::new(), Place::new());
    let (archive, ..) = sealed(&place).await;
    // A journal that is whole in itself, and another one.
    let mut world = World::default();
    world.live("other", BuildKind::Pr, Fate::Replayed);
    let mut stranger = other.recorded(&world.in_order());
    for number in 1..=2 {
        let sealed = journal::seal(&mut stranger, &archive_of(&other), 3, super::at(0)).await;
        let sealed = sealed.expect("seals").expect("something");
        if number == 2 {
            let bytes = archive_of(&other).get(sealed.digest, 1 << 20).await.expect("reads");
            let entry = archive::Entry {
                class: archive::Class::Segment,
                media_type: "x/y".to_owned(),
                event_time: super::at(0),
                bytes,
            };
            archive.put(&[entry], super::at(0)).await.expect("stores");
            archive.release("segments/0000000002").await.expect("releases");
            let value = sealed.digest.to_string().into();
            archive.claim("segments/0000000002", value).await.expect("claims");
        }
    }

    let found = problems(&archive).await;

    assert!(found[0].starts_with("segment 2: it says that it follows sha256:"), "{found:?}");
    assert!(found.iter().any(|it| it.starts_with("segment 3: it says that")), "{found:?}");
}

fn archive_of(place: &Place) -> Archive {
    place.archive()
}

#[tokio::test]
async fn claim_that_names_no_digest_is_found() {
    let place = Place::new();
    let (archive, ..) = sealed(&place).await;
    archive.release("segments/0000000005").await.expect("releases");
    archive.claim("segments/0000000005", "nonsense".into()).await.expect("claims");

    let found = problems(&archive).await;

    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`segments/0000000005` names no digest"), "{found:?}");
}

#[tokio::test]
async fn archive_of_another_registry_is_refused_by_catch_up_and_seal() {
    let (place, other) = (Place::new(), Place::new());
    let (archive, ..) = sealed(&place).await;
    let mut world = World::default();
    world.live("other", BuildKind::Pr, Fate::Replayed);
    let mut stranger = other.recorded(&world.in_order());

    let refused = journal::catch_up(&mut stranger, &archive).await.expect_err("refused");
    assert!(refused.to_string().contains("belongs to another registry"), "{refused}");
    let refused = journal::seal(&mut stranger, &archive, 10, super::at(0)).await;
    let refused = refused.expect_err("refused");
    assert!(refused.to_string().contains("belongs to another registry"), "{refused}");
    assert_eq!(stranger.pending().expect("answers").records, world.in_order().len() as u64);
}

#[tokio::test]
async fn same_messages_in_another_order_are_another_journal() {
    let (place, other) = (Place::new(), Place::new());
    let world = eventful(25, &mut Dice(7));
    let archive = place.archive();
    let mut registry = place.recorded(&world.read(&mut Dice(1)));
    journal::seal(&mut registry, &archive, 20, super::at(0)).await.expect("seals");
    // Everything in the segment is pending here as well, at other positions.
    let mut stranger = other.recorded(&world.read(&mut Dice(2)));
    let before = stranger.pending().expect("answers");

    let refused = journal::catch_up(&mut stranger, &archive).await.expect_err("refused");

    assert!(refused.to_string().contains("this registry has another record"), "{refused}");
    assert_eq!(stranger.pending().expect("answers"), before);
}

#[tokio::test]
async fn segment_compressed_by_another_release_is_adopted() {
    let place = Place::new();
    let archive = place.archive();
    let mut world = World::default();
    world.live("run-1", BuildKind::Pr, Fate::Replayed);
    let mut registry = place.recorded(&world.in_order());
    let planned = registry.plan_segment(4).expect("plans").expect("something");
    let raw = zstd::bulk::decompress(&planned.bytes, 1 << 20).expect("decompresses");
    let bytes = zstd::bulk::compress(&raw, 15).expect("compresses");
    assert_ne!(bytes, planned.bytes);
    let entry = archive::Entry {
        class: archive::Class::Segment,
        media_type: "x/y".to_owned(),
        event_time: super::at(0),
        bytes: bytes.into(),
    };
    let digest = archive.put(&[entry], super::at(0)).await.expect("stores")[0];
    let value = digest.to_string().into();
    archive.claim("segments/0000000001", value).await.expect("claims");

    let sealed = journal::seal(&mut registry, &archive, 4, super::at(0)).await.expect("seals");

    assert_eq!(sealed, Some(Sealed { number: 1, digest, records: 4 }));
    assert_eq!(problems(&archive).await, [""; 0]);
}

#[tokio::test]
async fn rebuild_overwrites_nothing_and_leaves_nothing_behind() {
    let (place, other) = (Place::new(), Place::new());
    let (archive, ..) = sealed(&place).await;
    let refused = journal::rebuild(&archive, &place.path()).await.expect_err("refused");
    assert!(refused.to_string().contains("exists already"), "{refused}");

    archive.release("segments/0000000003").await.expect("releases");
    archive.claim("segments/0000000003", "nonsense".into()).await.expect("claims");
    journal::rebuild(&archive, &other.path()).await.expect_err("refused");
    assert_eq!(fs::read_dir(other.directory.path()).expect("lists").count(), 0);
}
