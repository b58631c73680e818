//! package-lock.json: what it says beside names and versions, and what `package.json` adds.

use documents::inventory::{Inventory, Scope, Source};
use documents::lockfile::{File, Problem, parse, parse_all};

use crate::{dependencies, fixture, package};

fn read(text: &str) -> Inventory {
    parse("package-lock.json", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn npm_says_line_licence_conditions_and_groups() {
    let read = read(
        r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": {
"": {"license": "MIT", "devDependencies": {"d": "1"}, "optionalDependencies": {"o": "1"},
     "peerDependencies": {"p": "1"}},
"node_modules/d": {"version": "1.0.0", "dev": true, "license": {"type": "ISC", "url": "x"}},
"node_modules/o": {"version": "1.0.0", "optional": true, "os": ["linux", "darwin"],
     "cpu": "x64", "libc": ["glibc"], "license": ["MIT", "ISC"]},
"node_modules/p": {"version": "1.0.0", "peer": true, "inBundle": true, "os": ["any"]}
}}"#,
    );
    let seen: Vec<_> =
        read.packages.iter().map(|it| (&*it.name, it.line, it.licence.as_deref())).collect();
    let expected = [
        ("app", Some(2), Some("MIT")),
        ("d", Some(4), Some("ISC")),
        ("o", Some(5), None),
        ("p", Some(7), None),
    ];
    assert_eq!(seen, expected);
    let groups: Vec<_> = read.packages.iter().map(|it| it.groups.join(" ")).collect();
    assert_eq!(groups, ["", "dev", "optional", "peer"]);
    assert_eq!(package(&read, "o").conditions, ["os: darwin, linux; cpu: x64; libc: glibc"]);
    assert!(package(&read, "p").conditions.is_empty());
}

#[test]
fn npm_members_are_told_from_other_folders() {
    let read = read(
        r#"{"name": "app", "lockfileVersion": 3, "packages": {
            "": {"workspaces": ["packages/*", "!packages/old"], "dependencies": {"vendored": "file:vendor/v"}},
            "packages/one": {"name": "@s/one", "version": "1.0.0"},
            "packages/old": {"version": "1.0.0"},
            "vendor/v": {"name": "vendored", "version": "2.0.0", "dependencies": {"@s/one": "1"}},
            "node_modules/@s/one": {"resolved": "packages/one", "link": true},
            "node_modules/vendored": {"resolved": "vendor/v", "link": true}}}"#,
    );
    let roots: Vec<_> = read.packages.iter().filter(|it| it.root).map(|it| &*it.name).collect();
    assert_eq!(roots, ["app", "@s/one"]);
    let vendored = package(&read, "vendored");
    assert_eq!(vendored.source, Source::Local { path: Some("vendor/v".into()) });
    assert!(vendored.direct);
    assert_eq!(dependencies(&read, vendored), ["@s/one 1.0.0"]);
}

#[test]
fn npm_sources_of_every_kind_are_told_apart() {
    let read = read(
        r#"{"lockfileVersion": 2, "packages": {
            "": {"name": "app"},
            "node_modules/alias": {"name": "real", "version": "1.0.0", "resolved": "https://registry.npmjs.org/real/-/real-1.0.0.tgz"},
            "node_modules/git": {"version": "1.0.0", "resolved": "git+ssh://git@github.com/a/git.git#abc"},
            "node_modules/file": {"version": "1.0.0", "resolved": "file:file-1.0.0.tgz"},
            "node_modules/url": {"version": "1.0.0", "resolved": "https://t:s@h.example/url.tgz"},
            "node_modules/written": {"version": "file:../written"}}}"#,
    );
    let purls: Vec<_> = read.packages.iter().map(|it| &*it.purl).collect();
    assert_eq!(
        purls,
        [
            "pkg:npm/app",
            "pkg:npm/real@1.0.0",
            "pkg:npm/file@1.0.0",
            "pkg:npm/git@1.0.0?vcs_url=git%2Bssh:%2F%2Fgit%40github.com%2Fa%2Fgit.git%40abc",
            "pkg:npm/url@1.0.0?download_url=https:%2F%2Fh.example%2Furl.tgz",
            "pkg:npm/written",
        ]
    );
    assert_eq!(package(&read, "written").source, Source::Local { path: Some("../written".into()) });
}

#[test]
fn the_manifest_says_what_an_old_npm_lock_leaves_out() {
    let lock = br#"{"lockfileVersion": 1, "dependencies": {
        "a": {"version": "1.0.0", "requires": {"b": "1"}},
        "b": {"version": "1.0.0"},
        "d": {"version": "1.0.0", "dev": true}}}"#;
    let manifest =
        br#"{"name": "app", "version": "2.0.0", "license": "MIT", "author": {"name": "Ann"},
        "dependencies": {"a": "1", "b": "1"}, "devDependencies": {"d": "1"}}"#;
    let files = [
        File { path: "x/package-lock.json", bytes: lock },
        File { path: "x/package.json", bytes: manifest },
    ];
    let (read, failed) = parse_all(&files);
    assert!(failed.is_empty());
    let root = package(&read[0], "app");
    assert_eq!(
        (root.version.as_deref(), root.licence.as_deref(), root.supplier.as_deref()),
        (Some("2.0.0"), Some("MIT"), Some("Ann"))
    );
    assert_eq!(dependencies(&read[0], root), ["a 1.0.0", "b 1.0.0", "d 1.0.0"]);
    assert!(read[0].direct_known && package(&read[0], "b").direct);
    let dev = package(&read[0], "d");
    assert_eq!((dev.scope, &*dev.groups), (Scope::Dev, &["dev".to_owned()][..]));

    let broken = [files[0], File { path: "x/package.json", bytes: b"{" }];
    let (read, _) = parse_all(&broken);
    assert!(
        !read[0].direct_known
            && read[0].notes[0].message.starts_with("package.json is passed over")
    );
}

#[test]
fn faults_in_npm_packages_name_their_line() {
    for (entry, line) in [
        (r#""node_modules/a": {"version": "1 0"}"#, 3),
        (r#""node_modules/a": {"integrity": "sha512-!"}"#, 3),
        (r#""node_modules/a": {"version": 1}"#, 3),
        (r#""node_modules/a": {"os": ["a b"]}"#, 3),
        ("\"node_modules/a\": {},\n\"node_modules/a\": {}", 4),
    ] {
        let text = format!("{{\"lockfileVersion\": 3,\n\"packages\": {{\n{entry}\n}}}}");
        let error = parse("package-lock.json", text.as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}");
    }
}

#[test]
fn a_byte_order_mark_moves_no_line() {
    let text = "\u{FEFF}{\"lockfileVersion\": 3, \"packages\": {\n\"node_modules/a\": {\"version\": \"1.0.0\"}}}";
    assert_eq!(read(text).packages[0].line, Some(2));
    let error = parse("package-lock.json", "\u{FEFF}{\n\"a\": }".as_bytes()).unwrap_err();
    assert_eq!(error.position.map(|it| it.line), Some(2));
    assert!(matches!(error.problem, Problem::Syntax { .. }));
}

#[test]
fn every_npm_package_has_the_line_of_its_key() {
    let bytes = fixture("lockfiles/npm-cli.package-lock.json");
    let read = parse("package-lock.json", &bytes).unwrap();
    let lines: Vec<&str> = std::str::from_utf8(&bytes).unwrap().lines().collect();
    for package in read.packages.iter().filter(|it| !it.root) {
        let line = lines[package.line.unwrap() - 1];
        assert!(line.contains("node_modules/"), "{} {line}", package.name);
    }
}

#[test]
fn npm_names_that_are_none_are_the_projects_own_affair() {
    for version in [1, 3] {
        let read = read(&format!(
            r#"{{"name": "My Project", "version": "{{{{ version }}}}", "lockfileVersion": {version},
                "packages": {{
                    "": {{"name": "My Project", "workspaces": ["our things"]}},
                    "our things": {{"version": "1.0.0"}},
                    "node_modules/a": {{"version": "1.0.0"}}}},
                "dependencies": {{"a": {{"version": "1.0.0"}}}}}}"#
        ));
        assert_eq!(package(&read, "a").version.as_deref(), Some("1.0.0"));
        assert!(read.packages.iter().all(|it| matches!(&*it.name, "a" | ".")), "{read:?}");
    }
    let strange =
        r#"{"lockfileVersion": 3, "packages": {"node_modules/a b": {"version": "1.0.0"}}}"#;
    assert!(parse("package-lock.json", strange.as_bytes()).is_err());
}

#[test]
fn npm_over_plain_http_is_the_same_registry() {
    let purl = |scheme: &str| {
        let read = read(&format!(
            r#"{{"lockfileVersion": 3, "packages": {{"node_modules/a": {{"version": "1.0.0",
                "resolved": "{scheme}://registry.npmjs.org/a/-/a-1.0.0.tgz"}}}}}}"#
        ));
        read.packages[0].purl.clone()
    };
    assert_eq!(purl("http"), "pkg:npm/a@1.0.0");
    assert_eq!(purl("http"), purl("https"));
}
