//! Whatever lies on a stream is recorded as what it is.

use std::collections::BTreeMap;

use events::{
    ATTEMPTS_STREAM, BuildCompleted, BuildKind, EvidenceReady, QUARANTINE_STREAM, Record,
    stage_stream, subject,
};
use jiff::Timestamp;

use super::{
    Place, dump,
    world::{World, build},
};
use crate::{journal, segment};

const SUBJECTS: [&str; 9] = [
    "",
    ".",
    "attestry.v1",
    "attestry.v1.build.completed",
    "attestry.v1.evidence.ready.pr",
    "attestry.v1.evidence.signed.pr.x.generator.\0\u{2028}",
    "attestry.v1.attempts.generator.ATTESTRY_BUILD_COMPLETED-18446744073709551615",
    "attestry.v1.quarantine-ended.....",
    "attestry.v1.document.submitted.release..supplier-ingest",
];

fn payloads() -> Vec<Vec<u8>> {
    vec![
        Vec::new(),
        vec![0xff; 1024 * 1024],
        vec![0; 1024 * 1024],
        b"[".repeat(200_000),
        b"{\"specversion\":".repeat(50_000),
        br#"{"failed": 4294967295, "reason": "\u0000 a\nb"}"#.to_vec(),
        b"\xf0\x28\x8c\x28".to_vec(),
    ]
}

fn headers() -> BTreeMap<String, String> {
    let pairs = [
        ("Attestry-Ended", "dropped"),
        ("Attestry-Entry", "18446744073709551615"),
        ("Attestry-Position", "ATTESTRY_BUILD_COMPLETED-18446744073709551615"),
        ("Attestry-Attempts", "-1"),
        ("Attestry-Time", "-009999-01-02T01:59:59Z"),
        ("Attestry-Worker", "gen\0erator"),
        ("Attestry-Detail", "a\0b\u{202e}c"),
        ("Attestry-Replay-Of", "18446744073709551615"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn hostile_records() -> Vec<Record> {
    let streams = [
        stage_stream::<BuildCompleted>(),
        stage_stream::<EvidenceReady>(),
        stage_stream::<events::EvidenceSigned>(),
        stage_stream::<events::DocumentSubmitted>(),
        stage_stream::<events::AdvisoriesUpdated>(),
        stage_stream::<events::BacklogMapped>(),
        QUARANTINE_STREAM.to_owned(),
        ATTEMPTS_STREAM.to_owned(),
        "'; DROP TABLE event; --".to_owned(),
    ];
    let times = [Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX];
    let mut records = Vec::new();
    for stream in streams {
        let mut sequence = 0;
        for (number, payload) in payloads().into_iter().enumerate() {
            for subject in SUBJECTS {
                sequence += 1;
                records.push(Record {
                    stream: stream.clone(),
                    sequence,
                    subject: subject.to_owned(),
                    stored_at: times[number % times.len()],
                    headers: if sequence % 2 == 0 { headers() } else { BTreeMap::new() },
                    payload: if sequence % SUBJECTS.len() as u64 == 1 {
                        payload.clone()
                    } else {
                        b"x".to_vec()
                    },
                });
            }
        }
    }
    records
}

#[tokio::test]
async fn garbage_is_recorded_sealed_and_rebuilt() {
    let (place, other) = (Place::new(), Place::new());
    let records = hostile_records();
    let mut registry = place.registry();
    assert_eq!(registry.record(&records).expect("records"), records.len());
    let archive = place.archive();
    while journal::seal(&mut registry, &archive, 100, super::at(0)).await.expect("seals").is_some()
    {
    }

    journal::rebuild(&archive, &other.path()).await.expect("rebuilds");

    assert_eq!(dump(&other.registry()), dump(&registry));
    assert_eq!(journal::check(&archive).await.expect("checks").problems, [""; 0]);
    let account = place.view().reconcile(&[]).expect("reconciles");
    assert!(account.foreign_messages > 0);
    assert_eq!((account.builds.entered, account.submissions.entered), (0, 0));
}

#[test]
fn every_message_that_was_no_event_awaits_its_worker() {
    let mut world = World::default();
    let stream = stage_stream::<BuildCompleted>();
    let id = uuid::Uuid::nil();
    let subject = format!("{}.build.completed.pr.acme.{id}", subject::ROOT);
    let position = world.store(&stream, &subject, BTreeMap::new(), b"garbage");
    let place = Place::new();
    let mut registry = place.recorded(&world.in_order());
    let before = place.view().reconcile(&[]).expect("reconciles");
    assert_eq!((before.stages[0].entered, before.stages[0].in_progress), (1, 1));

    world.set_aside("generator", &position);
    registry.record(&world.in_order()).expect("records");

    let after = place.view().reconcile(&[]).expect("reconciles");
    assert_eq!((after.stages[0].quarantined, after.stages[0].in_progress), (1, 0));
}

#[test]
fn impossible_sizes_and_times_are_kept_as_the_largest_there_are() {
    let mut world = World::default();
    let event = build("run-1", BuildKind::Pr, Timestamp::MIN);
    let mut json = serde_json::to_value(&event).expect("encodes");
    json["data"]["artifacts"][0]["size"] = u64::MAX.into();
    let payload = serde_json::to_vec(&json).expect("encodes");
    let subject = event.subject();
    world.store(&stage_stream::<BuildCompleted>(), &subject, BTreeMap::new(), &payload);

    let place = Place::new();
    let _registry = place.recorded(&world.in_order());

    let story = place.view().explain(super::world::artifact(), None).expect("explains");
    assert_eq!(story.builds[0].artifacts[0].size, Some(i64::MAX as u64));
}

#[test]
fn record_survives_a_line_to_the_nanosecond_and_the_last_bit() {
    for (position, mut record) in (1..).zip(hostile_records()) {
        record.stored_at = Timestamp::from_nanosecond(1_700_000_000_123_456_789).expect("valid");
        let line = segment::line(position, &record).expect("encodes");
        assert!(!line.contains(&b'\n'));
        assert_eq!(segment::read_line(&line), Ok((position, record)));
    }
}

#[test]
fn bomb_is_refused_before_it_goes_off() {
    let zeros = vec![b' '; 256 * 1024 * 1024];
    let bomb = zstd::bulk::compress(&zeros, 3).expect("compresses");
    assert!(bomb.len() < 64 * 1024, "{}", bomb.len());

    let refused = segment::decode(&bomb).expect_err("refused");

    assert!(matches!(refused, segment::SegmentError::TooLarge), "{refused}");
}

#[test]
fn segment_that_lies_about_itself_is_refused() {
    let mut world = World::default();
    world.submit("run-1", BuildKind::Pr);
    world.submit("run-2", BuildKind::Pr);
    let place = Place::new();
    let planned = place.recorded(&world.in_order()).plan_segment(10).expect("plans");
    let planned = planned.expect("something");
    let raw = zstd::bulk::decompress(&planned.bytes, 1 << 20).expect("decompresses");
    let text = String::from_utf8(raw).expect("UTF-8");
    let refusal = |text: &str| {
        let bytes = zstd::bulk::compress(text.as_bytes(), 3).expect("compresses");
        segment::decode(&bytes).expect_err("refused").to_string()
    };

    assert!(segment::decode(&planned.bytes).is_ok());
    let lines: Vec<&str> = text.lines().collect();
    assert!(refusal(&lines[..2].join("\n")).contains("2 records from 1 to 2, but 1 lie here"));
    assert!(refusal(lines[0]).contains("no record follows"));
    let swapped = [lines[0], lines[2], lines[1]].join("\n");
    assert!(refusal(&swapped).contains("line 2 of the segment: `position` is 2, not 1"));
    assert!(refusal(&text.replace("segment.v1", "segment.v9")).contains("`format`"));
    assert!(refusal(&text.replace("\"payload\"", "\"load\"")).contains("unknown field `load`"));
    assert!(refusal("").contains("line 1"));
    assert!(segment::decode(b"no zstd").is_err());
}
