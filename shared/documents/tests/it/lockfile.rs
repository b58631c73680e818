//! Lockfiles, read rightly.

use documents::inventory::{Ecosystem, HashAlgorithm, Scope, Source};
use documents::lockfile::parse;

use crate::{all_lockfiles, dependencies, fixture, lockfile, package};

#[test]
fn every_package_and_every_edge_of_every_lockfile_is_read() {
    for (path, bytes) in all_lockfiles() {
        let text = std::str::from_utf8(&bytes).unwrap();
        let read = parse(&path, &bytes).unwrap_or_else(|error| panic!("{error}"));
        let expected = text.lines().filter(|line| *line == "[[package]]").count();
        assert_eq!(read.packages.len(), expected, "{path}");
        assert_eq!(edges_read(&read), edges_written(text), "{path}");
    }
}

/// Edges by name, as the file lists them; an independent reading of the text, line by line.
fn edges_written(text: &str) -> std::collections::BTreeSet<(String, String)> {
    let mut edges = std::collections::BTreeSet::new();
    let (mut owner, mut table) = (String::new(), String::new());
    let mut in_list = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("name = ") {
            owner = name.trim_matches('"').to_owned();
        } else if line.starts_with('[') {
            table = line.to_owned();
        }
        let is_edge_table = !table.contains("metadata") && !table.contains("manifest");
        if line.ends_with("= [") {
            let key = line.trim_end_matches(" = [");
            let plain = table == "[[package]]";
            in_list = !owner.is_empty() && is_edge_table && (!plain || key == "dependencies");
        } else if line == "]" {
            in_list = false;
        } else if in_list {
            let entry = line.trim().trim_start_matches("{ name = ");
            let name = entry.split('"').nth(1).unwrap().split(' ').next().unwrap();
            if name != owner {
                edges.insert((owner.clone(), name.to_owned()));
            }
        }
    }
    edges
}

fn edges_read(
    read: &documents::inventory::Inventory,
) -> std::collections::BTreeSet<(String, String)> {
    let edges = read.packages.iter().flat_map(|package| {
        let targets = package.dependencies.iter().map(|&to| &read.packages[to].name);
        targets.map(|to| (package.name.clone(), to.clone()))
    });
    edges.filter(|(from, to)| from != to).collect()
}

#[test]
fn hotpass_has_its_root_its_groups_and_all_its_wheels() {
    let read = lockfile("hotpass.uv.lock");
    assert_eq!((&*read.format, read.ecosystem), ("uv.lock", Ecosystem::PyPi));
    assert_eq!(read.ecosystem.osv_name(), "PyPI");
    let roots: Vec<_> = read.packages.iter().filter(|package| package.root).collect();
    assert_eq!(roots.len(), 1);
    assert_eq!(roots[0].purl, "pkg:pypi/hotpass@0.1.0");
    let scope = |name| package(&read, name).scope;
    assert_eq!(scope("pandas"), Scope::Required);
    assert_eq!(scope("xgboost"), Scope::Optional);
    assert_eq!(scope("types-requests"), Scope::Dev);
    // An extra asks for it too, but it is there anyway.
    assert_eq!(scope("requests"), Scope::Required);
    assert!(package(&read, "pandas").direct);
    assert!(!package(&read, "certifi").direct);

    let text = String::from_utf8(fixture("lockfiles/hotpass.uv.lock")).unwrap();
    let files = text.matches("hash = \"sha256:").count();
    let read_files: Vec<_> = read.packages.iter().flat_map(|it| &it.distributions).collect();
    assert_eq!(read_files.len(), files);
    for file in read_files {
        assert_eq!(file.hash.as_ref().unwrap().algorithm, HashAlgorithm::Sha256);
        let location = file.location.as_ref().unwrap();
        assert!(location.starts_with("https://files.pythonhosted.org/"), "{location}");
    }
}

#[test]
fn an_extra_adds_its_dependencies_to_the_package_that_has_it() {
    let read = lockfile("hotpass.uv.lock");
    let botocore = package(&read, "aiobotocore");
    assert!(dependencies(&read, botocore).iter().any(|name| name.starts_with("boto3 ")));
    let read = lockfile("edge-cases.uv.lock");
    let markdown = package(&read, "markdown-it-py");
    assert!(dependencies(&read, markdown).iter().any(|name| name.starts_with("linkify-it-py ")));
    assert_eq!(package(&read, "linkify-it-py").scope, Scope::Required);
}

#[test]
fn uv_sources_of_every_kind_are_told_apart() {
    let read = lockfile("edge-cases.uv.lock");
    let git = package(&read, "gitlib");
    let commit = "9609a7f91dbb44f871c25db80d47c23dceacdee3";
    let url = "https://git.example/team/gitlib.git";
    let expected = Source::Git { url: url.to_owned(), commit: Some(commit.to_owned()) };
    assert_eq!(git.source, expected);
    assert_eq!(
        git.purl,
        format!(
            "pkg:pypi/gitlib@0.3?vcs_url=git%2Bhttps:%2F%2Fgit.example%2Fteam%2Fgitlib.git%40{commit}"
        )
    );
    let url = package(&read, "sniffio");
    assert!(matches!(&url.source, Source::Archive { url } if url.ends_with("none-any.whl")));
    assert!(url.purl.starts_with("pkg:pypi/sniffio@1.3.1?download_url=https:%2F%2Ffiles."));
    assert_eq!(package(&read, "vendored").source, Source::Local { path: Some("vendored".into()) });
    assert!(!package(&read, "vendored").root);
    assert_eq!(
        package(&read, "six").source,
        Source::Registry { url: "https://pypi.org/simple".into() }
    );
}

#[test]
fn workspace_members_are_roots_and_may_lack_a_version() {
    let read = lockfile("edge-cases.uv.lock");
    let roots = read.packages.iter().filter(|package| package.root);
    let roots: Vec<_> = roots.map(|package| package.purl.as_str()).collect();
    assert_eq!(
        roots,
        ["pkg:pypi/edge-cases@1.2.3", "pkg:pypi/edge-cli@0.1.0", "pkg:pypi/edge-core"]
    );
}

#[test]
fn forks_of_a_package_are_separate_and_an_edge_goes_to_each() {
    let read = lockfile("edge-cases.uv.lock");
    let asked = dependencies(&read, package(&read, "edge-cases"));
    assert!(asked.contains(&"iniconfig 1.1.1".to_owned()), "{asked:?}");
    assert!(asked.contains(&"iniconfig 2.3.1".to_owned()), "{asked:?}");
}

#[test]
fn scopes_follow_extras_and_groups() {
    let read = lockfile("edge-cases.uv.lock");
    let scope = |name| package(&read, name).scope;
    assert_eq!(scope("six"), Scope::Required);
    assert_eq!(scope("toolz"), Scope::Optional);
    assert_eq!(scope("idna"), Scope::Optional);
    assert_eq!(scope("pluggy"), Scope::Dev);
    assert_eq!(scope("mypy-extensions"), Scope::Dev);
}

#[test]
fn a_workspace_without_a_project_still_has_direct_dependencies() {
    for (name, scope) in [("groups.uv.lock", Scope::Dev), ("script.uv.lock", Scope::Required)] {
        let read = lockfile(name);
        assert!(read.packages.iter().all(|package| package.scope == scope), "{name}");
        let direct = read.packages.iter().filter(|package| package.direct);
        let direct: Vec<_> = direct.map(|package| package.name.as_str()).collect();
        assert_eq!(direct, ["markdown-it-py", "six"], "{name}");
    }
}

#[test]
fn python_names_are_normalised_and_other_indexes_named() {
    let text = r#"
version = 1
[[package]]
name = "Zope._Interface"
version = "1.0+cpu"
source = { registry = "https://user:secret@index.example/simple" }
wheels = [{ url = "https://user:secret@index.example/w.whl", hash = "sha512:HASH" }]
[[package]]
name = "app"
source = { virtual = "." }
dependencies = [{ name = "zope-interface", marker = "x", new-key = [1] }]
"#
    .replace("HASH", &"AB".repeat(64));
    let read = parse("uv.lock", text.as_bytes()).unwrap();
    let zope = &read.packages[0];
    let expected =
        "pkg:pypi/zope-interface@1.0%2Bcpu?repository_url=https:%2F%2Findex.example%2Fsimple";
    assert_eq!(zope.purl, expected);
    assert_eq!(zope.distributions[0].location.as_deref(), Some("https://index.example/w.whl"));
    assert_eq!(zope.distributions[0].hash.as_ref().unwrap().hex, "ab".repeat(64));
    assert_eq!(read.packages[1].dependencies, [0]);
}

#[test]
fn cargo_lock_of_2018_has_its_checksums_and_edges() {
    let read = lockfile("ripgrep-v1.Cargo.lock");
    assert_eq!(read.packages.iter().filter(|package| package.root).count(), 9);
    let winapi = package(&read, "winapi");
    assert_eq!(winapi.purl, "pkg:cargo/winapi@0.3.5");
    let hash = winapi.distributions[0].hash.as_ref().unwrap();
    assert_eq!(hash.hex, "773ef9dcc5f24b7d850d0ff101e542ff24c3b090a9768e03ff889fdef41f00fd");
    assert!(read.packages.iter().all(|it| it.root || it.distributions.len() == 1));
    assert_eq!(dependencies(&read, package(&read, "aho-corasick")), ["memchr 2.0.1"]);
}

#[test]
fn cargo_sources_and_namesakes_are_told_apart() {
    let read = lockfile("edge-cases.Cargo.lock");
    assert_eq!(read.packages[0].dependencies, [1, 2, 3, 4, 5, 6]);
    assert_eq!(read.packages[4].dependencies, [3]);
    let purls: Vec<_> = read.packages.iter().map(|package| package.purl.as_str()).collect();
    assert_eq!(
        purls,
        [
            "pkg:cargo/app@0.1.0",
            "pkg:cargo/forked@1.0.0",
            "pkg:cargo/forked@1.0.0",
            "pkg:cargo/forked@2.0.0",
            "pkg:cargo/from-git@0.2.1?vcs_url=git%2Bhttps:%2F%2Fgit.example%2Fteam%2Ffrom-git.git\
             %40cb414cccb5099a0246f4b9b3f298f66e1bf21318",
            "pkg:cargo/from-sparse@1.0.0%2Bbuild.7",
            "pkg:cargo/private@3.0.0?repository_url=https:%2F%2Fcrates.example%2Findex%2F",
        ]
    );
}

#[test]
fn the_root_table_of_old_cargo_locks_is_a_package() {
    let text = "[root]\nname = \"app\"\nversion = \"1.0.0\"\ndependencies = [\"dep 1.0.0 (registry+https://github.com/rust-lang/crates.io-index)\"]\n\
                [[package]]\nname = \"dep\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n";
    let read = parse("Cargo.lock", text.as_bytes()).unwrap();
    assert!(read.packages[0].root);
    assert_eq!(read.packages[0].dependencies, [1]);
}

#[test]
fn what_an_extra_brings_has_the_scope_of_who_asks_for_the_extra() {
    let text = r#"
version = 1
[[package]]
name = "app"
version = "1"
source = { virtual = "." }
[package.dev-dependencies]
dev = [{ name = "lib", extra = ["Fast_Path"] }]
[[package]]
name = "lib"
version = "1"
source = { registry = "https://pypi.org/simple" }
[package.optional-dependencies]
fast-path = [{ name = "speed" }]
[[package]]
name = "speed"
version = "1"
source = { registry = "https://pypi.org/simple" }
"#;
    let read = parse("uv.lock", text.as_bytes()).unwrap();
    assert_eq!(package(&read, "speed").scope, Scope::Dev);
    assert_eq!(read.packages[1].dependencies, [2]);
}
