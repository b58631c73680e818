//! SBOMs of random inventories: always valid, every reference resolves, no name is there twice.

use std::collections::{BTreeSet, HashMap};

use documents::cyclonedx::{Party, SpecVersion, write};
use documents::inventory::{
    Distribution, Hash, HashAlgorithm, Inventory, Missing, Note, Package, Scope, Source,
};
use documents::schema::{CycloneDxVersion, validate_cyclonedx};
use events::Digest;
use fastrand::Rng;
use serde_json::Value;

use crate::cyclonedx::input;
use crate::cyclonedx_inventories::{inventory, package};

/// Texts that a reader may let through: odd, long, and what could break JSON or the schema.
const ODD: [&str; 12] = [
    "plain",
    "",
    " ",
    "ö",
    "\"",
    "\\",
    "\u{0}\u{1b}[31m",
    "\u{202e}txt",
    "MIT OR",
    "GPL-2.0+",
    "a@b.example",
    "C:\\x\n",
];
const PURLS: [&str; 7] = [
    "pkg:pypi/lib@1",
    "pkg:pypi/lib@1#2",
    "pkg:cargo/a@1?x=%C3%B6",
    "pkg:npm/%40s/b@2",
    "pkg:deb/debian/c@3",
    "pkg:generic/p@1",
    "pkg:pypi/p@1",
];
const PATHS: [&str; 6] =
    ["uv.lock", "a/uv.lock", "requirements.txt", "app.whl!/METADATA", "x.jar!/pom", "x.jar!/b"];

fn odd(random: &mut Rng) -> String {
    match random.u8(..20) {
        0 => "long ".repeat(400),
        _ => (0..random.usize(..3)).map(|_| ODD[random.usize(..ODD.len())]).collect(),
    }
}

fn distribution(random: &mut Rng) -> Distribution {
    let location = match random.u8(..4) {
        0 => None,
        1 => Some(odd(random)),
        _ => Some(format!("https://files.example/lib-{}.whl", random.u8(..3))),
    };
    let hex = match random.u8(..8) {
        0 => odd(random),
        _ => Digest::of(&[random.u8(..3)]).hex(),
    };
    let algorithm = random.choice([HashAlgorithm::Sha256, HashAlgorithm::Sha1]).unwrap();
    Distribution { location, hash: random.bool().then_some(Hash { algorithm, hex }) }
}

fn source(random: &mut Rng) -> Source {
    let url = odd(random);
    match random.u8(..5) {
        0 => Source::Git { url, commit: None },
        1 => Source::Archive { url },
        2 => Source::Local { path: random.bool().then_some(url) },
        3 => Source::Registry { url },
        _ => Source::Registry { url: "https://pypi.org/simple".to_owned() },
    }
}

fn random_package(random: &mut Rng, count: usize) -> Package {
    let purl = PURLS[random.usize(..PURLS.len())];
    let some = |random: &mut Rng| random.bool().then(|| odd(random));
    Package {
        version: some(random),
        source: source(random),
        distributions: (0..random.usize(..4)).map(|_| distribution(random)).collect(),
        scope: random.choice([Scope::Required, Scope::Optional, Scope::Dev]).unwrap(),
        root: random.u8(..5) == 0,
        direct: random.bool(),
        dependencies: (0..random.usize(..4)).map(|_| random.usize(..count + 1)).collect(),
        line: random.bool().then(|| random.usize(..)),
        licence: some(random),
        supplier: some(random),
        groups: (0..random.usize(..3)).map(|_| odd(random)).collect(),
        conditions: (0..random.usize(..3)).map(|_| odd(random)).collect(),
        ..package(purl)
    }
}

fn random_inventory(random: &mut Rng, path: &str) -> Inventory {
    let count = random.usize(..12);
    let packages = (0..count).map(|_| random_package(random, count)).collect();
    Inventory {
        notes: vec![Note { line: 1, message: odd(random) }],
        edges_known: random.bool(),
        direct_known: random.bool(),
        complete: random.bool(),
        ..inventory(path, packages)
    }
}

#[test]
fn random_inventories_give_valid_sboms_whose_references_resolve() {
    let mut random = Rng::with_seed(0x5B04);
    for round in 0..400 {
        let mut paths = PATHS;
        random.shuffle(&mut paths);
        let chosen = &paths[..random.usize(..PATHS.len())];
        let inventories: Vec<_> =
            chosen.iter().map(|path| random_inventory(&mut random, path)).collect();
        let name = odd(&mut random);
        let artifacts = ["app.whl", &name].map(|it| (it.to_owned(), Digest::of(b"app")));
        let missing = Missing { path: odd(&mut random), line: None, reason: odd(&mut random) };
        let mut input = input("acme/p", &artifacts[..random.usize(..3)], &inventories);
        let party = Party { name: &name, url: Some(&name), email: Some(&name) };
        (input.author, input.supplier) = (Some(party), Some(party));
        input.missing = std::slice::from_ref(&missing);
        let bytes = write(&input);
        assert_eq!(validate_cyclonedx(&bytes), Ok(CycloneDxVersion::V1_6), "round {round}");
        input.spec_version = SpecVersion::V1_7;
        assert_eq!(validate_cyclonedx(&write(&input)), Ok(CycloneDxVersion::V1_7));
        check_references(&serde_json::from_slice(&bytes).unwrap());
        let mut backwards = inventories.clone();
        backwards.reverse();
        let mut reversed = input;
        reversed.inventories = &backwards;
        reversed.spec_version = SpecVersion::V1_6;
        assert_eq!(write(&reversed), bytes, "the order of inventories shows, round {round}");
    }
}

/// Every component, the project and each artifact has one name, one entry of dependencies and one
/// composition, and every reference is to one of them; what an artifact holds is reached from it.
fn check_references(bom: &Value) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let root = &bom["metadata"]["component"];
    let mut refs = BTreeSet::new();
    for it in list(&bom["components"]).iter().chain([root]).chain(&list(&root["components"])) {
        assert!(refs.insert(it["bom-ref"].as_str().unwrap().to_owned()), "{}", it["bom-ref"]);
    }
    let mut edges: HashMap<String, Vec<String>> = HashMap::new();
    for entry in list(&bom["dependencies"]) {
        let targets = list(&entry["dependsOn"]);
        let targets = targets.iter().map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert!(targets.iter().all(|target| refs.contains(target)));
        assert!(edges.insert(entry["ref"].as_str().unwrap().to_owned(), targets).is_none());
    }
    assert!(edges.keys().eq(edges.keys().filter(|it| refs.contains(*it))));
    assert_eq!(edges.len(), refs.len());
    let mut told = BTreeSet::new();
    for composition in list(&bom["compositions"]) {
        for it in list(&composition["dependencies"]) {
            assert!(told.insert(it.as_str().unwrap().to_owned()), "{it} is told twice");
        }
        assert!(
            list(&composition["assemblies"]).iter().all(|it| refs.contains(it.as_str().unwrap()))
        );
    }
    assert_eq!(told, refs);
}
