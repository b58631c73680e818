//! packages.lock.json and *.deps.json, read rightly.

use std::collections::BTreeSet;

use documents::inventory::{Ecosystem, Inventory, Source};
use documents::lockfile::{Problem, is_known, parse};
use serde_json::Value;

use crate::lockfile_sound::{check, check_fixture, collected};
use crate::{dependencies, package};

fn read(path: &str, text: &str) -> Inventory {
    let read = parse(path, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    check(&read);
    read
}

#[test]
fn packages_of_several_frameworks_are_one_list() {
    let read = check_fixture("qowaiv-specs.packages.lock.json");
    assert_eq!((&*read.format, read.ecosystem), ("packages.lock.json", Ecosystem::NuGet));
    let fixer = package(&read, "AsyncFixer");
    assert_eq!(fixer.purl, "pkg:nuget/AsyncFixer@2.1.0");
    assert_eq!(fixer.line, Some(5));
    assert!(fixer.direct && fixer.conditions.is_empty());
    let hash = fixer.distributions[0].hash.as_ref().unwrap();
    assert!(hash.hex.starts_with("38e1cd947ec6177f6a9343efe1c210580f7d8548779ee8c38061369c"));
    let project = package(&read, "qowaiv.testtools");
    assert_eq!(project.source, Source::Local { path: None });
    assert_eq!(dependencies(&read, project), ["qowaiv -"]);
    assert!(project.direct && !package(&read, "qowaiv").direct && !read.direct_known);
}

#[test]
fn every_package_and_edge_of_real_files_is_read() {
    for (name, text) in collected("nuget") {
        let read = read(&name, &text);
        let lock: Value = serde_json::from_str(&text).unwrap();
        let (mut packages, mut edges) = (BTreeSet::new(), BTreeSet::new());
        for target in lock["dependencies"].as_object().unwrap().values() {
            let target = target.as_object().unwrap();
            for (name, it) in target {
                packages.insert((name.clone(), it["resolved"].as_str().map(str::to_owned)));
                for asked in it["dependencies"].as_object().into_iter().flat_map(|it| it.keys()) {
                    if target.keys().any(|it| it.eq_ignore_ascii_case(asked)) {
                        edges.insert((name.to_lowercase(), asked.to_lowercase()));
                    }
                }
            }
        }
        let found = read.packages.iter().map(|it| (it.name.clone(), it.version.clone()));
        assert_eq!(found.collect::<BTreeSet<_>>(), packages, "{name}");
        let found = read.packages.iter().flat_map(|it| {
            let targets = it.dependencies.iter().map(|&to| read.packages[to].name.to_lowercase());
            targets.map(|to| (it.name.to_lowercase(), to))
        });
        assert_eq!(found.collect::<BTreeSet<_>>(), edges, "{name}");
    }
}

const LOCK: &str = r#"{"version": 1, "dependencies": {
  "net8.0": {
    "A": {"type": "Direct", "requested": "[1, )", "resolved": "1.0.0", "dependencies": {"b": "1"}},
    "B": {"type": "Transitive", "resolved": "1.0.0"}},
  "net8.0/linux-x64": {
    "C": {"type": "Transitive", "resolved": "3.0.0", "dependencies": {"A": "1"}}},
  "net9.0": {
    "a": {"type": "Direct", "resolved": "1.0.0", "dependencies": {"B": "2", "gone": "1"}},
    "B": {"type": "CentralTransitive", "resolved": "2.0.0"}}}}"#;

#[test]
fn frameworks_and_platforms_are_conditions() {
    let aliased = r#"{"version": 3, "eight": {"framework": "net8.0", "dependencies": {
        "A": {"type": "Direct", "resolved": "1.0.0"}}}, "other": {"framework": "net9.0"}}"#;
    let read = read("packages.lock.json", LOCK);
    let found: Vec<_> = read
        .packages
        .iter()
        .map(|it| (it.purl.as_str(), it.conditions.join(" "), dependencies(&read, it), it.line))
        .collect();
    let list = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        found,
        [
            ("pkg:nuget/A@1.0.0", String::new(), list(&["B 1.0.0", "B 2.0.0"]), Some(3)),
            ("pkg:nuget/B@1.0.0", "framework: net8.0".to_owned(), vec![], Some(4)),
            (
                "pkg:nuget/C@3.0.0",
                "framework: net8.0/linux-x64".to_owned(),
                list(&["A 1.0.0"]),
                Some(6)
            ),
            ("pkg:nuget/B@2.0.0", "framework: net9.0".to_owned(), vec![], Some(9)),
        ]
    );
    assert!(read.direct_known);
    let read = self::read("packages.lock.json", aliased);
    assert_eq!(read.packages[0].purl, "pkg:nuget/A@1.0.0");
    let error = parse("packages.lock.json", b"{\"version\": 4}").unwrap_err();
    assert_eq!(error.problem, Problem::UnsupportedVersion { version: 4 });
}

#[test]
fn broken_lists_of_packages_name_the_line() {
    for (from, to, line) in [
        ("\"resolved\": \"3.0.0\"", "\"x\": 1", 6),
        ("\"B\": {\"type\": \"C", "\"b\": {\"type\": 1, \"x\": \"C", 9),
        ("\"C\":", "\"C D\":", 6),
        ("\"C\":", "\"C\":\n<<<<<<< HEAD\n", 7),
        ("\"resolved\": \"2.0.0\"", "\"resolved\": \"2\", \"contentHash\": \"!\"", 9),
        ("\"resolved\": \"2.0.0\"", "\"resolved\": \"2\", \"contentHash\": \"AAAA\"", 9),
    ] {
        let error = parse("packages.lock.json", LOCK.replacen(from, to, 1).as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}");
    }
    for text in ["{}", "{\"version\": 1}"] {
        let error = parse("packages.lock.json", text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::MissingField { .. }), "{error}");
    }
}

const APPLICATION: &str = r#"{
  "runtimeTarget": {"name": ".NETCoreApp,Version=v8.0/linux-x64", "signature": ""},
  "compilationOptions": {},
  "targets": {
    ".NETCoreApp,Version=v8.0": {},
    ".NETCoreApp,Version=v8.0/linux-x64": {
      "App/1.0.0": {"dependencies": {"Lib": "1.0.0", "Json": "13.0.3",
        "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64": "8.0.1"}, "runtime": {"App.dll": {}}},
      "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"runtime": {}},
      "Json/13.0.3": {"runtime": {}},
      "Lib/1.0.0": {"dependencies": {"json": "13.0.3", "Gone": "1.0.0"}}
    }
  },
  "libraries": {
    "App/1.0.0": {"type": "project", "serviceable": false, "sha512": ""},
    "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": {"type": "runtimepack", "sha512": ""},
    "Json/13.0.3": {"type": "package", "serviceable": true, "path": "json/13.0.3", "sha512":
      "sha512-HASH"},
    "Lib/1.0.0": {"type": "project", "sha512": ""},
    "Ref/2.0.0.0": {"type": "reference", "sha512": ""}
  }
}"#;

fn application() -> String {
    let hash = format!("{}==", "A".repeat(86));
    APPLICATION.replace("HASH", &hash)
}

#[test]
fn an_application_is_its_projects_packages_and_runtime() {
    assert!(is_known("bin/App.deps.json") && !is_known("App.json"));
    for text in [
        application(),
        application().replace(
            "{\"name\": \".NETCoreApp,Version=v8.0/linux-x64\", \"signature\": \"\"}",
            "\".NETCoreApp,Version=v8.0/linux-x64\"",
        ),
    ] {
        let read = read("bin/App.deps.json", &text);
        let purls: Vec<_> = read.packages.iter().map(|it| it.purl.as_str()).collect();
        assert_eq!(
            purls,
            [
                "pkg:nuget/App@1.0.0",
                "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.1",
                "pkg:nuget/Json@13.0.3",
                "pkg:nuget/Lib@1.0.0",
                "pkg:nuget/Ref@2.0.0.0",
            ]
        );
        assert!(read.packages[0].root && !read.packages[3].root);
        assert_eq!(read.packages[0].dependencies, [1, 2, 3]);
        assert_eq!(dependencies(&read, &read.packages[3]), ["Json 13.0.3"]);
        assert!(read.packages[3].direct && !read.packages[4].direct && read.direct_known);
        let hash = read.packages[2].distributions[0].hash.as_ref().unwrap();
        assert_eq!(hash.hex, "0".repeat(128));
        let lines: Vec<_> = read.packages.iter().map(|it| it.line.unwrap()).collect();
        assert_eq!(lines, [15, 16, 17, 19, 20]);
    }
}

#[test]
fn an_application_without_a_known_target_has_no_edges() {
    let read = read("App.deps.json", &application().replace("\"runtimeTarget\"", "\"x\""));
    assert!(!read.edges_known && !read.direct_known);
    assert!(read.packages.iter().all(|it| !it.root && it.dependencies.is_empty()));
    for (from, to, line) in [
        ("\"Ref/2.0.0.0\"", "\"Ref\"", 20),
        ("\"type\": \"reference\"", "\"t\": 1", 20),
        ("sha512-A", "sha512-!", 17),
        ("\"Lib/1.0.0\": {\"type\"", "\"App/1.0.0\": {\"type\"", 19),
    ] {
        let text = application().replace(from, to);
        let error = parse("App.deps.json", text.as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}");
    }
}
