//! composer.lock, read rightly.

use std::collections::BTreeSet;

use documents::inventory::{Ecosystem, HashAlgorithm, Inventory, Scope, Source};
use documents::lockfile::{File, Problem, is_companion, parse, parse_all};
use serde_json::Value;

use crate::lockfile_sound::{check, check_fixture, collected};
use crate::{dependencies, package};

fn read(lock: &str, project: Option<&str>) -> Inventory {
    let mut files = vec![File { path: "a/composer.lock", bytes: lock.as_bytes() }];
    files.extend(project.map(|it| File { path: "a/composer.json", bytes: it.as_bytes() }));
    let (mut read, failed) = parse_all(&files);
    assert!(failed.is_empty(), "{failed:?}");
    check(&read[0]);
    read.remove(0)
}

#[test]
fn packages_have_their_licences_archives_and_edges() {
    let read = check_fixture("laravel.composer.lock");
    assert_eq!((&*read.format, read.ecosystem), ("composer.lock", Ecosystem::Packagist));
    assert!(read.edges_known && read.complete && !read.direct_known);
    let cron = package(&read, "dragonmantank/cron-expression");
    assert_eq!(cron.purl, "pkg:composer/dragonmantank/cron-expression@v2.3.1");
    assert_eq!(cron.version.as_deref(), Some("v2.3.1"));
    assert_eq!(cron.source, Source::Registry { url: "https://repo.packagist.org".to_owned() });
    assert_eq!(cron.licence.as_deref(), Some("MIT"));
    assert_eq!(cron.supplier.as_deref(), Some("Michael Dowling, Chris Tankersley"));
    let location = cron.distributions[0].location.as_deref().unwrap();
    assert!(location.starts_with("https://api.github.com/repos/dragonmantank/"), "{location}");
    assert_eq!(cron.distributions[0].hash, None);
    let text = String::from_utf8(crate::fixture("lockfiles/laravel.composer.lock")).unwrap();
    let line = text.lines().nth(cron.line.unwrap() - 1).unwrap();
    assert!(line.contains("\"dragonmantank/cron-expression\""), "{line}");
}

#[test]
fn every_package_of_real_files_is_read_with_every_edge() {
    for (name, text) in collected("php") {
        let read = parse(&name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        check(&read);
        let lock: Value = serde_json::from_str(&text).unwrap();
        let written: Vec<_> = ["packages", "packages-dev"]
            .into_iter()
            .flat_map(|list| lock[list].as_array().unwrap().iter().map(move |it| (list, it)))
            .collect();
        assert_eq!(read.packages.len(), written.len(), "{name}");
        let names: BTreeSet<_> =
            written.iter().map(|(_, it)| it["name"].as_str().unwrap()).collect();
        for (found, (list, it)) in read.packages.iter().zip(&written) {
            assert_eq!(found.name, it["name"].as_str().unwrap());
            assert_eq!(found.version.as_deref(), it["version"].as_str());
            assert_eq!(found.scope == Scope::Dev, *list == "packages-dev");
            let asked = it["require"].as_object().unwrap().keys().map(String::as_str);
            let asked: BTreeSet<_> = asked.filter(|it| names.contains(it)).collect();
            let edges = found.dependencies.iter().map(|&to| read.packages[to].name.as_str());
            let edges: BTreeSet<_> = edges.collect();
            assert!(asked.is_subset(&edges), "{} lacks some of {asked:?}", found.name);
            let stands_in = |name: &str| {
                let it = written.iter().find(|(_, it)| it["name"] == name);
                it.is_some_and(|(_, it)| it.get("replace").or(it.get("provide")).is_some())
            };
            let others: Vec<_> = edges.difference(&asked).collect();
            assert!(others.iter().all(|it| stands_in(it)), "{}: {others:?}", found.name);
        }
    }
}

const LOCK: &str = r#"{"packages": [
  {"name": "Acme/Lib", "version": "1.0.0", "notification-url": "https://packagist.org/downloads/",
   "dist": {"type": "zip", "url": "https://user:secret@d.example/a.zip", "shasum": "AB"},
   "require": {"php": ">=8", "ext-json": "*", "psr/log-implementation": "1", "old/name": "1"},
   "license": ["MIT", "GPL-2.0-only WITH x", "(LGPL-2.1-only or BSD-3-Clause)"]},
  {"name": "acme/log", "version": "v2.0.0", "provide": {"psr/log-implementation": "1"},
   "notification-url": "https://packages.example/8/downloads",
   "license": "(MIT or Apache-2.0)", "require": {"acme/lib": "*", "acme/log": "*"}},
  {"name": "acme/new", "version": "dev-main", "replace": {"old/name": "self.version"}, "require": [],
   "source": {"type": "git", "url": "git@git.example:acme/new.git", "reference": "abc123"}},
  {"name": "acme/path", "version": "1.x-dev", "dist": {"type": "path", "url": "../path"}},
  {"name": "acme/zip", "version": "3", "dist": {"type": "zip", "url": "https://d.example/z.zip"}},
  {"name": "acme/meta", "version": "1", "type": "metapackage"}
 ],
 "packages-dev": [
  {"name": "acme/test", "version": "1.0.0", "require": {"acme/meta": "1"}}
 ]}"#;

fn lock() -> String {
    LOCK.replace("\"AB\"", &format!("\"{}\"", "AB".repeat(20)))
}

#[test]
fn sources_licences_and_stand_ins_are_understood() {
    let read = read(&lock(), None);
    let purls: Vec<_> = read.packages.iter().map(|it| it.purl.as_str()).collect();
    assert_eq!(
        purls,
        [
            "pkg:composer/acme/lib@1.0.0",
            "pkg:composer/acme/log@v2.0.0?repository_url=https:%2F%2Fpackages.example%2F8",
            "pkg:composer/acme/new@dev-main?vcs_url=git%2Bgit%40git.example:acme%2Fnew.git%40abc123",
            "pkg:composer/acme/path@1.x-dev",
            "pkg:composer/acme/zip@3?download_url=https:%2F%2Fd.example%2Fz.zip",
            "pkg:composer/acme/meta@1",
            "pkg:composer/acme/test@1.0.0",
        ]
    );
    let lib = &read.packages[0];
    assert_eq!(dependencies(&read, lib), ["acme/log v2.0.0", "acme/new dev-main"]);
    let expected = "MIT OR (GPL-2.0-only WITH x) OR (LGPL-2.1-only OR BSD-3-Clause)";
    assert_eq!(lib.licence.as_deref(), Some(expected));
    assert_eq!(read.packages[1].licence.as_deref(), Some("(MIT OR Apache-2.0)"));
    let file = &lib.distributions[0];
    assert_eq!(file.location.as_deref(), Some("https://d.example/a.zip"));
    let hash = file.hash.as_ref().unwrap();
    assert_eq!((hash.algorithm, hash.hex.len()), (HashAlgorithm::Sha1, 40));
    assert_eq!(read.packages[3].source, Source::Local { path: Some("../path".to_owned()) });
    assert!(read.packages[3].distributions.is_empty());
    let lines: Vec<_> = read.packages.iter().map(|it| it.line.unwrap()).collect();
    assert_eq!(lines, [2, 6, 9, 11, 12, 13, 16]);
    assert_eq!(read.packages[6].scope, Scope::Dev);
    // Nobody else asks for these.
    let direct: Vec<_> = read.packages.iter().map(|it| it.direct).collect();
    assert_eq!(direct, [false, false, false, true, true, false, true]);
}

#[test]
fn the_manifest_tells_what_the_project_asks_for() {
    let project = r#"{"name": "Acme/App", "version": "0.1.0", "require": {"php": "*", "acme/lib": "^1"},
                      "require-dev": {"acme/test": "*", "acme/meta": "*"}}"#;
    let read = read(&lock(), Some(project));
    assert!(read.direct_known && is_companion("x/composer.json"));
    let root = read.packages.last().unwrap();
    assert_eq!((root.purl.as_str(), root.root), ("pkg:composer/acme/app@0.1.0", true));
    assert_eq!(dependencies(&read, root), ["acme/lib 1.0.0", "acme/meta 1", "acme/test 1.0.0"]);
    let direct: Vec<_> = read.packages.iter().filter(|it| it.direct).collect();
    assert_eq!(direct.len(), 3);
    let dev = direct.iter().filter(|it| it.groups == ["dev"]).map(|it| it.name.as_str());
    assert_eq!(dev.collect::<Vec<_>>(), ["acme/meta", "acme/test"]);
    let read = self::read(&lock(), Some("{\"require\": {\"acme/lib\": \"*\"}}"));
    assert!(read.direct_known && read.packages.iter().all(|it| !it.root));
    assert!(read.packages[0].direct && !read.packages[3].direct);
    let read = self::read(&lock(), Some("{"));
    assert!(!read.direct_known);
    assert_eq!(read.notes.len(), 1);
}

#[test]
fn broken_files_name_the_line() {
    for (from, to, line) in [
        ("\"version\": \"v2.0.0\"", "\"v\": 1", 6),
        ("\"acme/zip\"", "\"acmezip\"", 12),
        ("\"acme/zip\"", "\"acme/z\tip\"", 12),
        ("\"acme/zip\"", "\"acme/z ip\"", 12),
        ("\"acme/zip\"", "\"acme/meta\"", 13),
        ("ABAB", "XX", 2),
        ("\"version\": \"3\"", "\"version\": \"3\",", 12),
        ("\"packages-dev\"", "\"packages\"", 15),
    ] {
        let error = parse("composer.lock", lock().replacen(from, to, 1).as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}");
        assert!(error.to_string().contains("composer update --lock"), "{error}");
    }
    let error = parse("composer.lock", b"{}").unwrap_err();
    assert!(matches!(error.problem, Problem::MissingField { field: "packages", .. }), "{error}");
}
