//! A registry made from the archive alone is the registry that was, whatever happened to it.

use archive::{Archive, Class, Entry};
use events::{Digest, Record};

use super::{
    Place, dump,
    world::{Dice, eventful},
};
use crate::{Registry, journal, segment::MEDIA_TYPE};

/// How far a sealing comes before its process dies.
#[derive(Clone, Copy)]
enum Death {
    Never,
    AfterPut,
    AfterClaim,
}

#[tokio::test]
async fn rebuild_equals_the_live_registry_after_any_history() {
    for seed in 1..=6 {
        let mut dice = Dice(seed);
        let records = eventful(40, &mut dice).read(&mut dice);
        let (place, other) = (Place::new(), Place::new());
        let archive = place.archive();
        let mut registry = place.registry();
        live(&place, &archive, &mut registry, &records, &mut dice).await;
        while journal::seal(&mut registry, &archive, 7, super::at(0))
            .await
            .expect("seals")
            .is_some()
        {}

        let rebuilt = journal::rebuild(&archive, &other.path()).await.expect("rebuilds");

        assert_eq!(rebuilt.records, records.len() as u64, "seed {seed}");
        assert_eq!(dump(&other.registry()), dump(&registry), "seed {seed}");
        assert_eq!(rebuilt.dump, registry.dump(&mut std::io::sink()).expect("dumps"));
        let checked = journal::check(&archive).await.expect("checks");
        assert_eq!(checked.problems, [""; 0], "seed {seed}");
        assert_eq!(checked.records, records.len() as u64);
        assert_eq!(checked.segments, rebuilt.segments);
    }
}

/// Records in batches that overlap, and seals now and then, and dies now and then while it does.
async fn live(
    place: &Place,
    archive: &Archive,
    registry: &mut Registry,
    records: &[Record],
    dice: &mut Dice,
) {
    let mut next = 0;
    while next < records.len() {
        let end = records.len().min(next + 1 + dice.below(20));
        let again = next.saturating_sub(dice.below(10));
        let new = registry.record(&records[again..end]).expect("records");
        assert_eq!(new, end - next);
        next = end;
        let death = match dice.below(6) {
            0 => Death::AfterPut,
            1 => Death::AfterClaim,
            2 => Death::Never,
            _ => continue,
        };
        seal_and_die(archive, registry, 1 + dice.below(15), death).await;
        if !matches!(death, Death::Never) {
            *registry = Registry::scratch().expect("opens");
            *registry = place.registry();
            journal::catch_up(registry, archive).await.expect("catches up");
        }
    }
}

async fn seal_and_die(archive: &Archive, registry: &mut Registry, at_most: usize, death: Death) {
    if let Death::Never = death {
        journal::seal(registry, archive, at_most, super::at(0)).await.expect("seals");
        return;
    }
    let Some(planned) = registry.plan_segment(at_most).expect("plans") else { return };
    let entry = Entry {
        class: Class::Segment,
        media_type: MEDIA_TYPE.to_owned(),
        event_time: planned.header.until,
        bytes: planned.bytes.clone().into(),
    };
    archive.put(&[entry], super::at(0)).await.expect("stores");
    if let Death::AfterClaim = death {
        let name = format!("segments/{:010}", planned.header.number);
        let digest = Digest::of(&planned.bytes).to_string();
        archive.claim(&name, digest.into()).await.expect("claims");
    }
}

#[tokio::test]
async fn interrupted_plan_gives_the_same_bytes_whatever_came_in_between() {
    let mut dice = Dice(3);
    let records = eventful(10, &mut dice).read(&mut dice);
    let place = Place::new();
    let mut registry = place.recorded(&records[..10]);
    let first = registry.plan_segment(5).expect("plans").expect("something");
    registry.record(&records).expect("records");
    drop(registry);

    let again = place.registry().plan_segment(1000).expect("plans").expect("something");

    assert_eq!(again.header.records, 5);
    assert_eq!(again.bytes, first.bytes);
}

#[tokio::test]
async fn registry_from_a_backup_learns_from_the_archive_what_it_forgot() {
    let mut dice = Dice(9);
    let records = eventful(20, &mut dice).read(&mut dice);
    let (place, restored) = (Place::new(), Place::new());
    let archive = place.archive();
    let mut registry = place.recorded(&records);
    journal::seal(&mut registry, &archive, 30, super::at(0)).await.expect("seals");
    journal::seal(&mut registry, &archive, 30, super::at(0)).await.expect("seals");

    // The backup knew half of the first segment, and nobody had sealed yet.
    let mut backup = restored.recorded(&records[..15]);
    assert_eq!(journal::catch_up(&mut backup, &archive).await.expect("catches up"), 2);
    backup.record(&records).expect("records");

    assert_eq!(dump(&backup), dump(&registry));
    assert_eq!(backup.pending().expect("answers"), registry.pending().expect("answers"));
}

#[test]
fn the_size_of_batches_changes_nothing() {
    let mut dice = Dice(5);
    let records = eventful(30, &mut dice).read(&mut dice);
    let (one, many) = (Place::new(), Place::new());
    let at_once = one.recorded(&records);
    let mut in_parts = many.registry();
    for record in &records {
        assert_eq!(in_parts.record(std::slice::from_ref(record)).expect("records"), 1);
    }
    assert_eq!(in_parts.record(&records).expect("records"), 0);

    assert_eq!(dump(&in_parts), dump(&at_once));
}
