//! Many findings, of which almost half are others by another name, become as many entries as can be counted
//! by hand.

use std::collections::BTreeSet;

use advisories::Index;
use serde_json::{Value, json};

use super::*;
use crate::{inventory::Inventory, register::EntryRow};

const SEED: u64 = 0x2545_f491_4f6c_dd1d;
const PRODUCTS: u64 = 6;
const LOCKS: [&str; 2] = ["uv.lock", "services/web/uv.lock"];
const PACKAGES: u64 = 25;
/// Different vulnerabilities of one package.
const VULNERABILITIES: u64 = 20;
/// Of these so many have a second record, which names the first as its alias.
const TOLD_TWICE: u64 = 5;
/// So many products are scanned again, with the same outcome.
const SCANNED_AGAIN: u64 = 2;

/// Xorshift (Marsaglia, 2003): the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

fn package(number: u64) -> String {
    format!("package-{number:02}")
}

/// Records about every package, in any order.
fn records(random: &mut Random) -> Vec<Value> {
    let mut records = Vec::new();
    for package_number in 0..PACKAGES {
        for number in 0..VULNERABILITIES {
            let id = format!("GHSA-{package_number:04}-{number:04}-aaaa");
            let cve = format!("CVE-2026-{}", 10_000 + package_number * 100 + number);
            let fixed = format!("2.{}", random.below(9));
            let affected = json!([{
                "package": { "ecosystem": "PyPI", "name": package(package_number) },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
            }]);
            let record = |id: &str, aliases: Value| json!({ "id": id, "modified": "2026-01-01T00:00:00Z", "aliases": aliases, "affected": affected });
            records.push(record(&id, json!([cve])));
            if number < TOLD_TWICE {
                // By the record's id or by the CVE: both join.
                let alias = if random.below(2) == 0 { json!([id]) } else { json!([cve]) };
                let id = format!("PYSEC-2026-{}", package_number * 100 + number);
                records.push(record(&id, alias));
            }
        }
    }
    random.shuffle(&mut records);
    records
}

fn index(records: &[Value]) -> Index {
    let directory = tempfile::tempdir().expect("temporary");
    let path = directory.path().join("records.jsonl");
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    std::fs::write(&path, lines.join("\n")).expect("writes");
    let (index, report) = Index::build(&[path]).expect("builds");
    assert_eq!(report.problem_count, 0, "{report:?}");
    index
}

/// A product with every package in both lockfiles, at a version before all fixes.
fn bom(product: u64, random: &mut Random) -> Value {
    let mut components: Vec<Value> = (0..PACKAGES)
        .map(|number| {
            let (name, version) = (package(number), format!("1.{}", random.below(50)));
            let purl = format!("pkg:pypi/{name}@{version}");
            let occurrences = LOCKS.map(|lock| json!({ "location": lock }));
            json!({
                "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
                "evidence": { "occurrences": occurrences },
            })
        })
        .collect();
    random.shuffle(&mut components);
    let name = format!("product-{product}");
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": { "component": { "type": "application", "name": name } },
        "components": components,
    })
}

/// What somebody sees who holds every record against every component in every lockfile of every document.
fn straight_count(boms: &[&Value], records: &[Value]) -> usize {
    let named = |record: &Value, component: &Value| {
        record["affected"][0]["package"]["name"] == component["name"]
    };
    let of = |component: &Value| {
        let locks = component["evidence"]["occurrences"].as_array().expect("a list").len();
        locks * records.iter().filter(|record| named(record, component)).count()
    };
    boms.iter().flat_map(|bom| bom["components"].as_array().expect("a list")).map(of).sum()
}

/// 6 products × 2 lockfiles × 25 packages × 20 vulnerabilities are 6,000 findings. 5 of the 20 have a second
/// record: 6 × 2 × 25 × 5 = 1,500 more. 2 of the products are scanned again, each with 2 × 25 × (20 + 5) =
/// 1,250: 2,500 more. Of 10,000 findings 4,000 are aliases and duplicates, and there are 6 × 2 × 25 = 300
/// things to do, of 20 vulnerabilities each.
#[test]
fn ten_thousand_findings_are_three_hundred_things_to_do() {
    let random = &mut Random(SEED);
    let records = records(random);
    let index = index(&records);
    let boms: Vec<Value> = (0..PRODUCTS).map(|it| bom(it, random)).collect();
    let again = boms.iter().take(SCANNED_AGAIN as usize);
    let seen: Vec<&Value> = boms.iter().chain(again).collect();
    assert_eq!(straight_count(&seen, &records), 10_000);
    let mut arrivals: Vec<Arrival> = (1..)
        .zip(&seen)
        .map(|(number, bom)| {
            let bytes = serde_json::to_vec(bom).expect("encodes");
            let inventory = Inventory::of(documents::bom::read(&bytes).expect("valid CycloneDX"));
            let scope = "hotpass".parse().expect("valid");
            let slot = Slot { product: inventory.product(&scope), ..project("hotpass") };
            let digest = Digest::of(format!("document {number}").as_bytes());
            let time = day(i64::try_from(number).expect("small"));
            let content = Content::Sboms(vec![Sbom { slot, digest, inventory }]);
            Arrival { event: event(number), time, content }
        })
        .collect();
    // Everything arrives twice, in any order.
    arrivals.extend(arrivals.clone());
    random.shuffle(&mut arrivals);
    let place = Place::new();
    let store = place.open();

    for arrival in &arrivals {
        store.record(arrival, Some(&index), now()).expect("records");
    }

    let register = place.reader().register(&Config::default(), Some(&index), now()).expect("reads");
    assert_eq!(register.entries.len(), 300);
    let key = |it: &EntryRow| (it.product.clone(), it.lock.clone(), it.package.clone());
    assert_eq!(register.entries.iter().map(key).collect::<BTreeSet<_>>().len(), 300);
    for entry in &register.entries {
        assert_eq!(entry.vulnerabilities.len(), 20, "{}", entry.id);
        assert_eq!((entry.artifacts, entry.status.as_str()), (PRODUCTS, "open"));
        let twice = entry.vulnerabilities.iter().filter(|it| it.aliases.len() == 2).count();
        assert_eq!(twice, 5, "{}", entry.id);
    }
    let findings: u64 = place.reader().counts().expect("reads").values().sum();
    assert_eq!(findings, 3_000, "each once, in both lockfiles: 6 × 25 × 20");
}
