//! package-lock.json and go.mod, read rightly.

use documents::inventory::{Ecosystem, HashAlgorithm, Inventory, Scope, Source};
use documents::lockfile::{Problem, parse};

use crate::{dependencies, lockfile, package};

fn read(path: &str, text: &str) -> Inventory {
    parse(path, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn npm_copies_workspaces_and_aliases_are_read() {
    let read = lockfile("npm-cli.package-lock.json");
    assert_eq!((read.ecosystem, read.ecosystem.osv_name()), (Ecosystem::Npm, "npm"));
    let versions: Vec<_> = read.packages.iter().filter(|it| it.name == "string-width").collect();
    assert_eq!(versions.len(), 2, "one of them under another name");
    let roots: Vec<_> = read.packages.iter().filter(|it| it.root).map(|it| &it.purl).collect();
    assert_eq!(
        roots,
        ["pkg:npm/npm@10.9.0", "pkg:npm/%40npmcli/docs@1.0.0", "pkg:npm/libnpmversion@7.0.0"]
    );
    assert!(package(&read, "abbrev").direct);
    assert!(!package(&read, "unique-filename").direct);
    let cacache = package(&read, "cacache");
    let asked = dependencies(&read, cacache);
    // Its own copy, not the one next to it.
    assert!(asked.contains(&"tar 7.4.3".to_owned()), "{asked:?}");
    let hash = cacache.distributions[0].hash.as_ref().unwrap();
    assert_eq!((hash.algorithm, hash.hex.len()), (HashAlgorithm::Sha512, 128));
}

#[test]
fn npm_scopes_are_those_of_the_file() {
    let read = read(
        "package-lock.json",
        r#"{"name": "app", "lockfileVersion": 3, "packages": {
            "": {"dependencies": {"a": "1"}, "devDependencies": {"d": "1"}},
            "node_modules/a": {"version": "1.0.0", "optionalDependencies": {"o": "1", "absent": "1"}},
            "node_modules/o": {"version": "1.0.0", "optional": true},
            "node_modules/d": {"version": "1.0.0", "dev": true, "peerDependencies": {"a": "1"}},
            "node_modules/d/node_modules/a": {"version": "2.0.0", "dev": true},
            "node_modules/x": {"version": "1.0.0", "devOptional": true,
                "resolved": "https://npm.example/@own%2fx/-/x-1.0.0.tgz"},
            "node_modules/y": {"version": "1.0.0", "resolved": "https://npm.example/a/y/-/y-1.tgz"},
            "node_modules/l": {"resolved": "../l", "link": true}}}"#,
    );
    let scopes: Vec<_> = read.packages.iter().map(|it| (it.purl.as_str(), it.scope)).collect();
    use Scope::{Dev, Optional, Required};
    assert_eq!(
        scopes,
        [
            ("pkg:npm/app", Required),
            ("pkg:npm/a@1.0.0", Required),
            ("pkg:npm/d@1.0.0", Dev),
            ("pkg:npm/a@2.0.0", Dev),
            ("pkg:npm/o@1.0.0", Optional),
            ("pkg:npm/x@1.0.0?repository_url=https:%2F%2Fnpm.example", Optional),
            ("pkg:npm/y@1.0.0?repository_url=https:%2F%2Fnpm.example%2Fa", Required),
            ("pkg:npm/l", Required),
        ]
    );
    assert_eq!(dependencies(&read, package(&read, "d")), ["a 2.0.0"]);
    assert_eq!(dependencies(&read, &read.packages[0]), ["a 1.0.0", "d 1.0.0"]);
}

#[test]
fn npm_locks_of_version_1_are_trees() {
    let read = read(
        "npm-shrinkwrap.json",
        r#"{"name": "app", "version": "1.0.0", "lockfileVersion": 1, "requires": true, "dependencies": {
            "a": {"version": "1.0.0", "requires": {"b": "1", "c": "1"}, "dependencies": {
                "b": {"version": "1.0.0", "bundled": true, "requires": {"c": "1"}}}},
            "b": {"version": "2.0.0", "dev": true, "resolved": false, "requires": true},
            "c": {"version": "npm:real@3.0.0"},
            "g": {"version": "git+ssh://git@h.example/g.git#abc", "from": "g@x"}}}"#,
    );
    let labels: Vec<_> = read.packages.iter().map(|it| it.purl.as_str()).collect();
    assert_eq!(
        labels,
        [
            "pkg:npm/app@1.0.0",
            "pkg:npm/a@1.0.0",
            "pkg:npm/b@1.0.0",
            "pkg:npm/b@2.0.0",
            "pkg:npm/real@3.0.0",
            "pkg:npm/g?vcs_url=git%2Bssh:%2F%2Fgit%40h.example%2Fg.git%40abc",
        ]
    );
    assert_eq!(dependencies(&read, package(&read, "a")), ["b 1.0.0", "real 3.0.0"]);
    assert_eq!(read.packages[3].scope, Scope::Dev);
    assert!(read.packages[1].direct && !read.packages[2].direct);
    let error = parse("package-lock.json", br#"{"lockfileVersion": 4}"#).unwrap_err();
    assert_eq!(error.problem, Problem::UnsupportedVersion { version: 4 });
}

#[test]
fn npm_digests_must_be_whole() {
    for integrity in ["sha512-AAAA", "sha512-!!", "sha512"] {
        let text = format!(
            "{{\"packages\":{{\"node_modules/a\":{{\"version\":\"1.0.0\",\"integrity\":\"{integrity}\"}}}}}}"
        );
        let error = parse("package-lock.json", text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::InvalidValue { .. }), "{error}");
    }
}

#[test]
fn go_modules_have_their_selected_versions() {
    let read = lockfile("guac.go.mod");
    assert_eq!((read.ecosystem, read.ecosystem.osv_name()), (Ecosystem::Go, "Go"));
    assert_eq!(read.packages[0].purl, "pkg:golang/github.com/guacsec/guac");
    assert!(read.packages[0].root);
    assert!(package(&read, "github.com/google/go-cmp").direct);
    assert!(!package(&read, "golang.org/x/crypto").direct);
    let replaced = package(&read, "github.com/opencontainers/runtime-spec");
    assert_eq!(replaced.version.as_deref(), Some("v1.2.1"));
    // The module path keeps its letters, the purl has none that are large.
    let toml = package(&read, "github.com/BurntSushi/toml");
    assert_eq!(toml.purl, "pkg:golang/github.com/BurntSushi/toml@v1.6.0");
    let docker = package(&read, "github.com/docker/cli");
    assert_eq!(docker.purl, "pkg:golang/github.com/docker/cli@v29.5.3%2Bincompatible");
    assert!(read.notes.is_empty());
}

#[test]
fn go_replacements_strings_and_comments_are_understood() {
    let read = read(
        "go.mod",
        "module \"m.example/app\" // a comment\r\ngo 1.21\r\n\
         require(\n\ta.example/a v1.0.0 // indirect; why\n\tb.example/b v1.0.0//indirect\n)\n\
         require `c.example/c` v1.0.0 // not indirect\nrequire d.example/d master\n\
         replace (\n\ta.example/a v1.0.0 => ../a\n\tb.example/b v2.0.0 => e.example/e v9.0.0\n\
         \tc.example/c => f.example/f/v2 v2.0.0\n)\n\
         exclude a.example/a v0.9.0\nretract [v1.0.0, v1.1.0]\ntool x.example/y\n",
    );
    let labels: Vec<_> = read.packages.iter().map(|it| it.purl.as_str()).collect();
    assert_eq!(
        labels,
        [
            "pkg:golang/m.example/app",
            "pkg:golang/a.example/a@v1.0.0",
            "pkg:golang/b.example/b@v1.0.0",
            "pkg:golang/f.example/f/v2@v2.0.0",
            "pkg:golang/d.example/d",
        ]
    );
    assert_eq!(read.packages[1].source, Source::Local { path: Some("../a".to_owned()) });
    let direct: Vec<_> = read.packages.iter().map(|it| it.direct).collect();
    assert_eq!(direct, [false, false, false, true, true]);
}

#[test]
fn old_go_modules_say_that_they_are_not_whole() {
    for text in ["module m\n", "module m\ngo 1.16\n"] {
        assert_eq!(read("go.mod", text).notes.len(), 1);
    }
}

#[test]
fn broken_go_modules_name_the_line() {
    for (text, line) in [
        ("module m\nrequire (\n", 2),
        ("module m\nrequire a\n", 2),
        ("module m\nreplace a b\n", 2),
        ("module m\nrequire \"a v1.0.0\n", 2),
    ] {
        let error = parse("go.mod", text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::Syntax { .. }), "{error}");
        assert_eq!(error.position.unwrap().line, line, "{error}");
    }
    let error = parse("go.mod", b"go 1.21\n").unwrap_err();
    assert!(matches!(error.problem, Problem::MissingField { field: "module", .. }), "{error}");
}
