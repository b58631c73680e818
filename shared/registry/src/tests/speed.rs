use super::{
    Place,
    world::{Fate, World},
};
use events::{BuildKind, VerdictResult};
#[test]
fn speed() {
    let mut world = World::default();
    for n in 0..20_000 {
        world.live(&format!("run-{n}"), BuildKind::Pr, Fate::Answered(VerdictResult::Passed));
    }
    let records = world.in_order();
    let place = Place::new();
    let mut registry = place.registry();
    let t = std::time::Instant::now();
    for chunk in records.chunks(1000) {
        registry.record(chunk).unwrap();
    }
    eprintln!(
        "{} records in {:?}; db {} bytes",
        records.len(),
        t.elapsed(),
        std::fs::metadata(place.path()).unwrap().len()
    );
    let t = std::time::Instant::now();
    for r in &records {
        match r.stream.as_str() {
            "ATTESTRY_BUILD_COMPLETED" => {
                drop(events::decode::<events::BuildCompleted>(&r.subject, &r.payload).unwrap())
            }
            "ATTESTRY_EVIDENCE_READY" => {
                drop(events::decode::<events::EvidenceReady>(&r.subject, &r.payload).unwrap())
            }
            _ => drop(events::decode::<events::EvidenceSigned>(&r.subject, &r.payload).unwrap()),
        }
    }
    eprintln!("decode {:?}", t.elapsed());
    let t = std::time::Instant::now();
    for r in &records {
        events::Digest::of(&r.payload);
    }
    eprintln!("digest {:?}", t.elapsed());
    let t = std::time::Instant::now();
    for r in &records {
        crate::segment::line(1, r).unwrap();
    }
    eprintln!("line {:?}", t.elapsed());
    let per = |sql: &str| {
        eprintln!("{sql}: {:?}", registry.connection.query_row(sql, [], |r| r.get::<_, i64>(0)));
    };
    per("select sum(pgsize) from dbstat where name='pending'");
}
