//! One changed advisory against many SBOMs: `cargo xtask bench backlog`.
//!
//! Each project has an SBOM of its own with packages that others have too. Then one record changes: about a package that
//! one project has, one that a hundred have, or, to compare, any number of records, of which nobody knows which.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

use std::{
    fs,
    io::{BufWriter, Write},
    path::Path,
    time::Instant,
};

use advisories::Index;
use backlog_mapper::{
    inventory::Inventory,
    slot::{Slot, SlotKind},
    store::{Arrival, Content, Sbom, Store},
};
use events::Digest;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

/// As in the services.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Packages that records name.
const RECORDS: u64 = 30_000;
const COMPONENTS: u64 = 100;
/// As many projects have a component that no others have, beside one that only they have.
const SHARED_BY: u64 = 100;
/// SBOMs that one transaction records, while the store is filled.
const BATCH: u64 = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let counts: &[u64] = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => &[100, 1_000, 10_000],
        ["--quick"] => &[100, 300],
        _ => panic!("usage: [--quick]"),
    };
    println!("{COMPONENTS} components in each SBOM, {RECORDS} advisories\n");
    println!("| SBOMs | database MiB | what changed | entries opened | ms | database read, KiB |");
    println!("|---|---|---|---|---|---|");
    for count in counts {
        measure(*count);
    }
}

fn measure(sboms: u64) {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("mapper.sqlite");
    let advisories = place.path().join("advisories");
    let before = index(&advisories, &[]);
    fill(&open(&path, &advisories), sboms, &before);
    let mebibytes = fs::metadata(&path).unwrap().len() >> 20;
    let mut known = Vec::new();
    for (number, (what, package)) in (1..).zip([
        ("a record of a package in one SBOM", format!("own-{}", sboms / 2)),
        ("a record of a package in 100 SBOMs", format!("shared-{}", sboms / SHARED_BY / 2)),
        ("a record of a package in none", "nobody-has-it".to_owned()),
    ]) {
        known.push(package);
        let store = open(&path, &advisories);
        row(sboms, mebibytes, what, &store, number, &index(&advisories, &known));
    }
    // Without the index of before nobody knows what has changed.
    known.push("nobody-has-this".to_owned());
    let elsewhere = place.path().join("elsewhere");
    let store = open(&path, &elsewhere);
    row(sboms, mebibytes, "any number, not known which", &store, 9, &index(&elsewhere, &known));
}

fn row(sboms: u64, mebibytes: u64, what: &str, store: &Store, number: u128, index: &Index) {
    let event = Uuid::from_u128(u128::MAX - number);
    let arrival = Arrival { event, time: now(), content: Content::Advisories };
    let (read, began) = (bytes_read(), Instant::now());
    let answer = store.record(&arrival, Some(index), now()).unwrap();
    let (milliseconds, read) = (began.elapsed().as_secs_f64() * 1_000.0, bytes_read() - read);
    let (opened, read) = (answer.opened.len(), read >> 10);
    println!("| {sboms} | {mebibytes} | {what} | {opened} | {milliseconds:.1} | {read} |");
}

fn open(path: &Path, advisories: &Path) -> Store {
    Store::open(path).unwrap().with_advisories(advisories)
}

/// An index of records about packages that many have, none of whose versions here is affected, and about `known` ones.
fn index(directory: &Path, known: &[String]) -> Index {
    let sources = tempfile::tempdir().unwrap();
    let mut file = BufWriter::new(fs::File::create(sources.path().join("records.jsonl")).unwrap());
    let pool = (0..RECORDS).map(|it| (format!("pool-{it}"), "1.0"));
    for (package, fixed) in pool.chain(known.iter().map(|it| (it.clone(), "2"))) {
        let events = [json!({ "introduced": "0" }), json!({ "fixed": fixed })];
        let record = json!({
            "id": format!("PYSEC-2026-{package}"), "modified": "2026-01-01T00:00:00Z",
            "affected": [{
                "package": { "ecosystem": "PyPI", "name": package },
                "ranges": [{ "type": "ECOSYSTEM", "events": events }],
            }],
        });
        writeln!(file, "{record}").unwrap();
    }
    file.flush().unwrap();
    let (index, report) = Index::build(&[sources.path().to_owned()]).unwrap();
    assert_eq!(report.problem_count, 0);
    index.save(directory).unwrap();
    index
}

fn fill(store: &Store, sboms: u64, index: &Index) {
    for first in (0..sboms).step_by(BATCH as usize) {
        let batch = (first..sboms.min(first + BATCH)).map(sbom).collect();
        let event = Uuid::from_u128(first.into());
        let arrival = Arrival { event, time: now(), content: Content::Sboms(batch) };
        store.record(&arrival, Some(index), now()).unwrap();
    }
}

fn sbom(number: u64) -> Sbom {
    let name = format!("project-{number}");
    let pool = (0..COMPONENTS - 2).map(|it| format!("pool-{}", (number * 7 + it * 31) % RECORDS));
    let own = [format!("own-{number}"), format!("shared-{}", number / SHARED_BY)];
    let components: Vec<Value> = pool.chain(own).map(|it| component(&it)).collect();
    let bom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "metadata": { "component": { "type": "application", "name": name, "version": "1.0" } },
        "components": components,
    });
    let bytes = serde_json::to_vec(&bom).unwrap();
    let slot = Slot {
        kind: SlotKind::Project,
        scope: name.parse().unwrap(),
        product: name.parse().unwrap(),
    };
    let inventory = Inventory::of(documents::bom::read(&bytes).unwrap());
    Sbom { slot, digest: Digest::of(&bytes), inventory }
}

fn component(name: &str) -> Value {
    let purl = format!("pkg:pypi/{name}@1.0");
    json!({ "type": "library", "bom-ref": purl, "name": name, "version": "1.0", "purl": purl })
}

/// So that a run is like another one.
fn now() -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap()
}

/// Bytes that this process has read from files, their caches included.
fn bytes_read() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|it| it.strip_prefix("rchar: ")).unwrap().parse().unwrap()
}
