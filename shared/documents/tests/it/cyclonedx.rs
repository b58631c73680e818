//! SBOMs written from lockfiles.

use std::collections::{BTreeMap, BTreeSet};

use documents::cyclonedx::{SbomInput, SpecVersion, write};
use documents::inventory::Inventory;
use documents::lockfile::parse;
use documents::schema::{CycloneDxVersion, validate_cyclonedx};
use events::Digest;
use serde_json::Value;

use crate::{all_lockfiles, lockfile};

pub(crate) fn input<'a>(
    project: &'a str,
    artifacts: &'a [(String, Digest)],
    lockfiles: &'a [Inventory],
) -> SbomInput<'a> {
    SbomInput {
        project,
        version: None,
        serial: "3e671687-395b-41f5-a30f-a58921a69b79".parse().unwrap(),
        timestamp: "2026-11-22T10:00:00Z".parse().unwrap(),
        artifacts,
        inventories: lockfiles,
        missing: &[],
        author: None,
        supplier: None,
        spec_version: SpecVersion::default(),
        tool_version: "0.1.0",
    }
}

fn written(input: &SbomInput<'_>) -> Value {
    serde_json::from_slice(&write(input)).unwrap()
}

fn artifact(name: &str) -> (String, Digest) {
    (name.to_owned(), Digest::of(name.as_bytes()))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn every_lockfile_gives_a_valid_complete_sbom_in_both_versions() {
    for (path, bytes) in all_lockfiles() {
        let lockfiles = [parse(&path, &bytes).unwrap()];
        let artifacts = [artifact("a.whl"), artifact("b.tar.gz")];
        let mut input = input("some/tree", &artifacts, &lockfiles);
        assert_eq!(validate_cyclonedx(&write(&input)), Ok(CycloneDxVersion::V1_6), "{path}");
        let bom = written(&input);
        check_completeness(&bom, &lockfiles[0]);
        input.spec_version = SpecVersion::V1_7;
        assert_eq!(validate_cyclonedx(&write(&input)), Ok(CycloneDxVersion::V1_7), "{path}");
    }
}

/// Every package is a component or the project, every edge is kept, and every reference resolves.
fn check_completeness(bom: &Value, lockfile: &Inventory) {
    let components = list(bom, "components");
    let roots = lockfile.packages.iter().filter(|package| package.root).count();
    let merged = usize::from(roots == 1);
    assert_eq!(components.len(), lockfile.packages.len() - merged);
    let mut refs: BTreeSet<&str> = BTreeSet::new();
    let root = &bom["metadata"]["component"];
    for component in components.iter().chain([root]).chain(list(root, "components")) {
        assert!(refs.insert(component["bom-ref"].as_str().unwrap()), "a bom-ref is there twice");
    }
    let dependencies = list(bom, "dependencies");
    assert_eq!(dependencies.len(), refs.len());
    let mut edges = 0;
    for dependency in dependencies {
        assert!(refs.contains(dependency["ref"].as_str().unwrap()));
        for target in list(dependency, "dependsOn") {
            assert!(refs.contains(target.as_str().unwrap()), "{target} is no component");
        }
        edges += list(dependency, "dependsOn").len();
    }
    let asked: usize = lockfile.packages.iter().map(|it| it.dependencies.len()).sum();
    let direct_of_workspace = lockfile.packages.iter().filter(|it| it.direct).count();
    let added = match roots {
        0 => direct_of_workspace,
        1 => 0,
        several => several,
    };
    assert_eq!(edges, asked + added, "{}", lockfile.path);
}

#[test]
fn the_same_input_gives_the_same_bytes_on_one_line() {
    let build = || {
        let lockfiles = [lockfile("hotpass.uv.lock"), lockfile("ripgrep-v1.Cargo.lock")];
        write(&input("hotpass", &[artifact("a"), artifact("b")], &lockfiles))
    };
    let first = build();
    assert_eq!(first, build());
    assert_eq!(first.iter().filter(|&&byte| byte == b'\n').count(), 1);
    assert_eq!(first.last(), Some(&b'\n'));
}

#[test]
fn the_order_of_lockfiles_and_artifacts_does_not_change_the_components() {
    let (uv, cargo) = (lockfile("edge-cases.uv.lock"), lockfile("edge-cases.Cargo.lock"));
    let (there, back) = ([uv.clone(), cargo.clone()], [cargo, uv]);
    let (ab, ba) = ([artifact("a"), artifact("b")], [artifact("b"), artifact("a")]);
    let one = written(&input("p", &ab, &there));
    let other = written(&input("p", &ba, &back));
    for key in ["components", "dependencies", "compositions"] {
        assert_eq!(one[key], other[key]);
    }
    assert_eq!(one["metadata"]["component"], other["metadata"]["component"]);
}

#[test]
fn all_but_the_components_of_the_uv_edge_cases() {
    let lockfiles = [lockfile("edge-cases.uv.lock")];
    let artifacts = [artifact("edge_cases-1.2.3-py3-none-any.whl")];
    let mut bom = written(&input("edge-cases", &artifacts, &lockfiles));
    bom["components"] = Value::from("left out here");
    insta::assert_json_snapshot!(bom);
}

#[test]
fn whole_sbom_of_the_cargo_edge_cases() {
    let lockfiles = [lockfile("edge-cases.Cargo.lock")];
    insta::assert_json_snapshot!(written(&input("app", &[], &lockfiles)));
}

#[test]
fn the_only_root_package_is_the_project() {
    let lockfiles = [lockfile("hotpass.uv.lock")];
    let wheel = [artifact("hotpass-0.1.0-py3-none-any.whl")];
    let mut input = input("IAmJonoBo/Hotpass", &wheel, &lockfiles);
    let component = written(&input)["metadata"]["component"].clone();
    assert_eq!(component["name"], "IAmJonoBo/Hotpass");
    assert_eq!(component["purl"], "pkg:pypi/hotpass@0.1.0");
    assert_eq!(component["hashes"][0]["content"], wheel[0].1.hex());
    assert_eq!(component["components"][0]["name"], wheel[0].0);
    input.version = Some("0.2.0");
    let component = written(&input)["metadata"]["component"].clone();
    assert_eq!(
        (&component["version"], &component["purl"]),
        (&"0.2.0".into(), &"pkg:pypi/hotpass@0.2.0".into())
    );
}

#[test]
fn without_lockfiles_the_sbom_says_that_it_does_not_know() {
    let artifacts = [artifact("a"), artifact("b")];
    for project in ["plain", "", "a b/ü\n"] {
        let input = input(project, &artifacts, &[]);
        assert_eq!(validate_cyclonedx(&write(&input)), Ok(CycloneDxVersion::V1_6));
        let bom = written(&input);
        assert_eq!(list(&bom, "components").len(), 0);
        assert_eq!(bom["compositions"][0]["aggregate"], "unknown");
        let root = &bom["metadata"]["component"];
        assert_eq!(bom["compositions"][0]["dependencies"][0], root["bom-ref"]);
        assert!(root.get("hashes").is_none(), "two artifacts have no common hash");
    }
}

#[test]
fn a_package_of_two_lockfiles_is_one_component_with_the_stronger_scope() {
    let text = |edges: &str| {
        format!(
            "version = 1\n[[package]]\nname = \"app\"\nversion = \"1\"\nsource = {{ virtual = \".\" }}\n{edges}\n\
             [[package]]\nname = \"lib\"\nversion = \"1\"\nsource = {{ registry = \"https://pypi.org/simple\" }}\n"
        )
    };
    let strong = text("dependencies = [{ name = \"lib\" }]");
    let weak = text("[package.dev-dependencies]\ndev = [{ name = \"lib\" }]");
    let lockfiles = [
        parse("a/uv.lock", weak.as_bytes()).unwrap(),
        parse("b/uv.lock", strong.as_bytes()).unwrap(),
    ];
    let bom = written(&input("both", &[], &lockfiles));
    let components: BTreeMap<_, _> =
        list(&bom, "components").iter().map(|it| (it["bom-ref"].as_str().unwrap(), it)).collect();
    // The two applications share a name, not a folder: they are two.
    let refs: Vec<_> = components.keys().copied().collect();
    assert_eq!(refs, ["pkg:pypi/app@1", "pkg:pypi/app@1#2", "pkg:pypi/lib@1"]);
    let lib = components["pkg:pypi/lib@1"];
    assert_eq!(lib["scope"], "required");
    let places = list(&lib["evidence"], "occurrences").iter().map(|it| it["location"].as_str());
    assert_eq!(places.collect::<Vec<_>>(), [Some("a/uv.lock"), Some("b/uv.lock")]);
    assert_eq!(
        validate_cyclonedx(&write(&input("both", &[], &lockfiles))),
        Ok(CycloneDxVersion::V1_6)
    );
}

#[test]
fn odd_places_stay_valid_and_tokens_stay_out() {
    let text = r#"
version = 1
[[package]]
name = "odd"
version = "1"
source = { git = "https://secret@host.example:x/a b%zz?rev=1#abc" }
wheels = [
    { path = "C:\\wheels\\ö b.whl" },
    { url = "http://[::1]:99999999/%" },
    { filename = "1:2" },
    { url = "https://user:secret@host.example/ok.whl" },
]
"#;
    let lockfiles = [parse("uv.lock", text.as_bytes()).unwrap()];
    let bytes = write(&input("odd", &[], &lockfiles));
    assert_eq!(validate_cyclonedx(&bytes), Ok(CycloneDxVersion::V1_6));
    assert!(!String::from_utf8(bytes).unwrap().contains("secret"));
}
