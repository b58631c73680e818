//! pnpm-lock.yaml of every version, read rightly, and hostile YAML.

use documents::inventory::{Inventory, Scope, Source};
use documents::lockfile::{File, Problem, parse, parse_all};

use crate::{dependencies, fixture, package};

fn read(text: &str) -> Inventory {
    parse("pnpm-lock.yaml", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

const FIXTURES: [&str; 3] =
    ["vue-core-v5.4.pnpm-lock.yaml", "vue-core-v6.pnpm-lock.yaml", "vue-core-v9.pnpm-lock.yaml"];

fn vue(name: &str) -> (Inventory, String) {
    let text = String::from_utf8(fixture(&format!("lockfiles/{name}"))).unwrap();
    (parse(name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}")), text)
}

#[test]
fn every_version_of_vue_has_its_roots_and_lines() {
    for name in FIXTURES {
        let (read, text) = vue(name);
        let roots: Vec<_> = read.packages.iter().filter(|it| it.root).map(|it| &*it.name).collect();
        assert_eq!(
            roots,
            ["@vue/compiler-core", "@vue/shared"],
            "{name}: others are not linked to"
        );
        let lines: Vec<&str> = text.lines().collect();
        for package in &read.packages {
            let line = lines[package.line.unwrap() - 1].trim().trim_matches(['\'', ':']);
            assert!(
                line.contains(package.name.rsplit('/').next().unwrap()) || package.root,
                "{line}"
            );
        }
        let sass = package(&read, "sass");
        assert_eq!(
            (sass.scope, sass.direct, &*sass.groups),
            (Scope::Dev, true, &["dev".to_owned()][..])
        );
        assert_eq!(package(&read, "estree-walker").scope, Scope::Required);
    }
}

/// Versions 5 and 6 state what later ones leave to be computed.
#[test]
fn scopes_by_reach_are_those_that_pnpm_wrote_itself() {
    for name in &FIXTURES[..2] {
        let (read, text) = vue(name);
        let blocks = text.split("\n\n").filter(|it| it.trim_start().contains("resolution:"));
        let mut compared = 0;
        for block in blocks {
            let key = block.trim().lines().next().unwrap().trim_matches(['\'', ':']);
            let line = text.lines().position(|line| line.trim().trim_matches(['\'', ':']) == key);
            let line = line.map(|line| line + 1);
            let Some(package) = read.packages.iter().find(|it| it.line == line) else { continue };
            if block.contains("dev: true") {
                assert_eq!(package.scope, Scope::Dev, "{key}");
                compared += 1;
            } else if block.contains("optional: true") {
                assert_eq!(package.scope, Scope::Optional, "{key}");
                compared += 1;
            }
        }
        assert!(compared > 40, "{name}: {compared}");
    }
}

const SOURCES: &str = "\
lockfileVersion: '9.0'
importers:
  .:
    dependencies:
      alias:
        specifier: npm:real@1
        version: real@1.0.0(peer@2.0.0)
      git:
        specifier: a/git
        version: https://codeload.github.com/a/git/tar.gz/abc
      folder:
        specifier: file:folder
        version: file:folder
      outside: {specifier: 'link:../outside', version: link:../outside}
      one:
        specifier: workspace:*
        version: link:packages/one
    optionalDependencies:
      fsevents:
        specifier: ^2
        version: 2.3.3
  packages/one:
    devDependencies:
      app: {specifier: 'workspace:*', version: link:../..}
      node: {specifier: runtime:22.1.0, version: runtime:22.1.0}
packages:
  real@1.0.0:
    resolution: {integrity: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=, tarball: https://npm.example/real/-/real-1.0.0.tgz}
    peerDependencies:
      peer: '*'
  peer@2.0.0:
    resolution:
      {
        integrity: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=,
      }
    deprecated: |-
      resolution: no
        this is text
    cpu: [x64]
    os: [darwin, '!win32']
  fsevents@2.3.3:
    resolution: {integrity: sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=}
    engines: {node: '>= 4', \"npm\": '*'} # a comment
  git@https://codeload.github.com/a/git/tar.gz/abc:
    resolution: {tarball: https://codeload.github.com/a/git/tar.gz/abc}
    version: 3.0.0
  folder@file:folder:
    resolution: {directory: folder, type: directory}
  node@runtime:22.1.0:
    resolution: {type: variations, variants: [{resolution: {url: x}, targets: [{os: linux, cpu: x64}]}]}
snapshots:
  real@1.0.0(peer@2.0.0):
    dependencies:
      peer: 2.0.0
    optionalDependencies:
      fsevents: 2.3.3
  peer@2.0.0: {}
  fsevents@2.3.3:
    optional: true
  git@https://codeload.github.com/a/git/tar.gz/abc: {}
  folder@file:folder:
    dependencies:
      fsevents: 2.3.3
  node@runtime:22.1.0: {}
patchedDependencies:
  real@1.0.0: 0123
";

#[test]
fn sources_of_every_kind_are_told_apart() {
    let read = read(SOURCES);
    let purls: Vec<_> = read.packages.iter().map(|it| &*it.purl).collect();
    assert_eq!(
        purls,
        [
            "pkg:npm/app",
            "pkg:npm/one",
            "pkg:npm/real@1.0.0?repository_url=https:%2F%2Fnpm.example",
            "pkg:npm/peer@2.0.0",
            "pkg:npm/fsevents@2.3.3",
            "pkg:npm/git@3.0.0?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fa%2Fgit%40abc",
            "pkg:npm/folder",
            "pkg:npm/node@22.1.0",
            "pkg:npm/outside",
        ]
    );
    let real = package(&read, "real");
    assert_eq!(dependencies(&read, real), ["peer 2.0.0", "fsevents 2.3.3"]);
    assert_eq!(real.distributions[0].hash.as_ref().unwrap().hex.len(), 40);
    assert_eq!(package(&read, "peer").conditions, ["os: !win32, darwin; cpu: x64"]);
    assert_eq!(package(&read, "folder").source, Source::Local { path: Some("folder".into()) });
    assert_eq!(package(&read, "outside").source, Source::Local { path: Some("../outside".into()) });
    assert!(!package(&read, "peer").direct && package(&read, "outside").direct);
    // `folder` cannot do without it.
    assert_eq!(package(&read, "fsevents").scope, Scope::Required);
    assert_eq!(read.notes[0].message, "real@1.0.0 is patched");
    let needs = "  folder@file:folder:\n    dependencies:\n      fsevents: 2.3.3\n";
    let without = SOURCES.replace(needs, "  folder@file:folder: {}\n");
    assert_eq!(package(&self::read(&without), "fsevents").scope, Scope::Optional);
}

#[test]
fn manifests_name_the_projects() {
    let manifest = br#"{"name": "@s/app", "version": "1.2.3", "license": "MIT"}"#;
    let one = br#"{"name": "one", "version": "0.1.0"}"#;
    let (read, _) = parse_all(&[
        File { path: "web/pnpm-lock.yaml", bytes: SOURCES.as_bytes() },
        File { path: "web/package.json", bytes: manifest },
        File { path: "web/packages/one/package.json", bytes: one },
    ]);
    let roots = read[0].packages.iter().filter(|it| it.root).map(|it| &*it.purl);
    assert_eq!(roots.collect::<Vec<_>>(), ["pkg:npm/%40s/app@1.2.3", "pkg:npm/one@0.1.0"]);
    assert_eq!(read[0].packages[0].licence.as_deref(), Some("MIT"));
}

#[test]
fn a_project_without_a_name_has_direct_dependencies_all_the_same() {
    let read = read(
        "lockfileVersion: 5.4\nspecifiers: {a: ^1.0.0}\ndependencies:\n  a: 1.0.0_b@2.0.0\n\
         packages:\n  /a/1.0.0_b@2.0.0:\n    dev: false\n    dependencies: {c: npm.example/c/1.0.0}\n\
         \x20 npm.example/c/1.0.0: {}\n",
    );
    assert!(package(&read, "a").direct && !package(&read, "c").direct);
    assert_eq!(package(&read, "c").purl, "pkg:npm/c@1.0.0?repository_url=https:%2F%2Fnpm.example");
    assert!(read.packages.iter().all(|it| !it.root));
}

#[test]
fn the_document_about_pnpm_itself_is_read_too() {
    let read = read(
        "---\nlockfileVersion: '9.0'\nimporters:\n  .:\n    configDependencies: {}\n    \
         packageManagerDependencies:\n      pnpm: {specifier: 11.0.0, version: 11.0.0}\n\
         packages:\n  pnpm@11.0.0: {}\nsnapshots:\n  pnpm@11.0.0: {}\n---\nlockfileVersion: '9.0'\n\
         importers:\n  .:\n    dependencies:\n      a: {specifier: '1', version: 1.0.0}\n\
         packages:\n  a@1.0.0: {}\nsnapshots:\n  a@1.0.0: {}\n",
    );
    let seen: Vec<_> = read.packages.iter().map(|it| (&*it.purl, it.scope)).collect();
    assert_eq!(seen, [("pkg:npm/pnpm@11.0.0", Scope::Dev), ("pkg:npm/a@1.0.0", Scope::Required)]);
    assert_eq!(package(&read, "pnpm").groups, ["packageManager"]);
}

#[test]
fn broken_pnpm_locks_name_the_line() {
    let start = "lockfileVersion: '9.0'\n";
    for (rest, line, message) in [
        ("<<<<<<< HEAD\npackages: {}\n", 2, "merge conflict"),
        ("packages:\n  a@1.0.0: {}\n  a@1.0.0: {}\n", 4, "twice"),
        ("packages:\n  a@1.0.0: {os: [x], os: [y]}\n", 3, "twice"),
        ("packages: &a\n  a@1.0.0: {}\n", 2, "anchors"),
        ("packages:\n  a@1.0.0: *a\n", 3, "anchors"),
        ("packages:\n  <<: *a\n", 3, "anchors"),
        ("packages: !!map {}\n", 2, "tags"),
        ("packages:\n  a@1.0.0: {\n", 4, "closed"),
        ("packages:\n  a@1.0.0: \"x\n", 3, "closed"),
        ("packages:\n\ta@1.0.0: {}\n", 3, "tab"),
        ("packages:\n  a@1.0.0: {}\n    b@1.0.0: {}\n", 4, "nothing above"),
        ("packages:\n  a@1.0.0: b: c\n", 3, "colon"),
        ("packages:\n  a@1.0.0:\n    resolution: x\n", 4, "invalid type"),
        ("packages:\n  a@1.0.0:\n    resolution: {integrity: sha512-AA}\n", 3, "integrity"),
        ("packages:\n  a@1.0.0: {}\nsnapshots:\n  b@1.0.0: {}\n", 5, "not in the file"),
        (
            "packages:\n  a@1.0.0: {}\nsnapshots:\n  a@1.0.0:\n    dependencies:\n      b: 1.0.0\n",
            7,
            "not in the file",
        ),
        ("packages:\n  1.0.0: {}\n", 3, "has no `name`"),
        ("%YAML 1.2\n", 2, ""),
    ] {
        let error = parse("pnpm-lock.yaml", format!("{start}{rest}").as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}");
        assert!(error.to_string().contains(message), "{error}");
    }
    for text in ["", "---\n", "{}", "lockfileVersion: 10.0", "lockfileVersion: x", "- a", "a"] {
        assert!(parse("pnpm-lock.yaml", text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn deep_and_cyclic_and_large_yaml_is_bounded() {
    for deep in
        ["[".repeat(100_000), "{a: ".repeat(100_000), "- ".repeat(100_000), "? ".repeat(100_000)]
    {
        let error = parse("pnpm-lock.yaml", format!("x: {deep}").as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::Syntax { .. }), "{error}");
    }
    let nested: String = (0..100_000).map(|at| format!("{}a:\n", " ".repeat(at % 200))).collect();
    assert!(parse("pnpm-lock.yaml", nested.as_bytes()).is_err());
    let many = "- a\n".repeat(6_100_000);
    let error = parse("pnpm-lock.yaml", format!("x:\n{many}").as_bytes()).unwrap_err();
    assert!(matches!(error.problem, Problem::TooManyValues { .. }), "{error}");
    let cycle = "lockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n  b@1.0.0: {}\nsnapshots:\n  \
                 a@1.0.0: {dependencies: {b: 1.0.0}}\n  b@1.0.0: {dependencies: {a: 1.0.0, b: 1.0.0}}\n";
    let read = read(cycle);
    assert_eq!(dependencies(&read, package(&read, "a")), ["b 1.0.0"]);
    assert_eq!(dependencies(&read, package(&read, "b")), ["a 1.0.0"]);
}

#[test]
fn line_ends_of_windows_change_nothing() {
    let text = SOURCES.replace('\n', "\r\n");
    assert_eq!(read(&text).packages, read(SOURCES).packages);
}
