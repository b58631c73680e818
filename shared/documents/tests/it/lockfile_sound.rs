//! What must hold for any lockfile that is read, whatever its format.

use documents::cyclonedx::{SbomInput, SpecVersion, write};
use documents::inventory::Inventory;
use documents::lockfile::{Problem, parse};
use documents::schema::{CycloneDxVersion, validate_cyclonedx};

use crate::fixture;

/// Reads a fixture, and files made of it by changing some bytes: none may panic, what is read must
/// give a valid SBOM with edges in bounds, and a merge conflict in the middle must be told by line.
pub(crate) fn check_fixture(name: &str) -> Inventory {
    let original = fixture(&format!("lockfiles/{name}"));
    let read = parse(name, &original).unwrap_or_else(|error| panic!("{error}"));
    check(&read);
    check_conflict(name, &original);
    let mut random = crate::hostile::Xorshift(0x9E37_79B9_7F4A_7C15);
    let mut sound = 0;
    for _ in 0..500 {
        let mut bytes = original.clone();
        crate::hostile::mutate(&mut bytes, &mut random);
        match parse(name, &bytes) {
            Ok(read) => {
                sound += 1;
                check_graph(&read);
            }
            Err(error) => assert!(error.to_string().len() < 2_000),
        }
    }
    assert!(sound > 0, "no mutation of {name} was read: the mutations are too coarse");
    read
}

/// Checks that `read` is consistent, and that a valid SBOM can be written of it.
pub(crate) fn check(read: &Inventory) {
    check_graph(read);
    let input = SbomInput {
        project: "some/project",
        version: None,
        serial: "3e671687-395b-41f5-a30f-a58921a69b79".parse().unwrap(),
        timestamp: "2026-11-22T10:00:00Z".parse().unwrap(),
        artifacts: &[],
        inventories: std::slice::from_ref(read),
        missing: &[],
        spec_version: SpecVersion::V1_6,
        tool_version: "0.1.0",
        ..SbomInput::default()
    };
    assert_eq!(validate_cyclonedx(&write(&input)), Ok(CycloneDxVersion::V1_6), "{}", read.path);
}

pub(crate) fn check_graph(read: &Inventory) {
    for (at, package) in read.packages.iter().enumerate() {
        assert!(package.dependencies.is_sorted_by(|a, b| a < b), "{package:?}");
        assert!(package.dependencies.iter().all(|&to| to < read.packages.len() && to != at));
        assert!(package.groups.is_sorted_by(|a, b| a < b), "{package:?}");
        assert!(package.conditions.is_sorted_by(|a, b| a < b), "{package:?}");
        assert!(!(package.root && package.direct), "{package:?}");
    }
}

fn check_conflict(name: &str, original: &[u8]) {
    let text = std::str::from_utf8(original).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    let middle = lines.len() / 2;
    lines.insert(middle, "<<<<<<< HEAD");
    let error = parse(name, lines.join("\n").as_bytes()).unwrap_err();
    assert_eq!(error.problem, Problem::MergeConflict, "{error}");
    assert_eq!(error.position.unwrap().line, middle + 1, "{error}");
}

/// Some editors of Windows begin a file with a byte order mark.
#[test]
fn byte_order_mark_changes_nothing() {
    for name in
        ["hotpass.uv.lock", "rails.Gemfile.lock", "guac.go.mod", "npm-cli.package-lock.json"]
    {
        let plain = fixture(&format!("lockfiles/{name}"));
        let marked = ["\u{feff}".as_bytes(), &plain].concat();
        assert_eq!(parse(name, &marked), parse(name, &plain));
        assert!(parse(name, &plain).is_ok());
    }
}

/// The lockfiles of this folder of the wider collection, by name; none where it is not at hand.
pub(crate) fn collected(folder: &str) -> Vec<(String, String)> {
    let folder = format!("{}/../../../shared/data/lockfiles/{folder}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read_to_string(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}
