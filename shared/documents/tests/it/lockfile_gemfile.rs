//! Gemfile.lock, read rightly.

use std::collections::BTreeSet;

use documents::inventory::{Ecosystem, Inventory, Scope, Source};
use documents::lockfile::{Problem, parse};

use crate::lockfile_sound::{check, check_fixture, collected};
use crate::{dependencies, package};

fn read(text: &str) -> Inventory {
    let read = parse("Gemfile.lock", text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    check(&read);
    read
}

#[test]
fn gems_have_their_sources_edges_and_checksums() {
    let read = check_fixture("rails.Gemfile.lock");
    assert_eq!((&*read.format, read.ecosystem), ("Gemfile.lock", Ecosystem::RubyGems));
    assert!(read.complete && read.edges_known && read.direct_known && read.notes.is_empty());
    let roots = read.packages.iter().filter(|it| it.root).map(|it| it.purl.as_str());
    let expected = ["pkg:gem/actionpack@8.2.0.alpha", "pkg:gem/activesupport@8.2.0.alpha"];
    assert_eq!(roots.collect::<Vec<_>>(), expected);
    let releaser = package(&read, "releaser");
    assert_eq!(releaser.source, Source::Local { path: Some("tools/releaser".to_owned()) });
    assert!(releaser.direct && !releaser.root);
    let rack = package(&read, "rack-session");
    assert_eq!(rack.source, Source::Registry { url: "https://rubygems.org/".to_owned() });
    assert_eq!(dependencies(&read, rack), ["base64 0.3.0", "rack 3.2.1"]);
    let hash = rack.distributions[0].hash.as_ref().unwrap();
    assert_eq!(hash.hex, "0b6dc07dea7e4b583f58a48e8b806d4c9f1c6c9214ebc202ec94562cbea2e4e9");
}

#[test]
fn a_gem_of_a_platform_is_a_package_of_its_own() {
    let read = check_fixture("rails.Gemfile.lock");
    let ffi: Vec<_> = read.packages.iter().filter(|it| it.name == "ffi").collect();
    let purls: Vec<_> = ffi.iter().map(|it| it.purl.as_str()).collect();
    assert_eq!(
        purls,
        [
            "pkg:gem/ffi@1.17.1",
            "pkg:gem/ffi@1.17.1?platform=aarch64-linux-gnu",
            "pkg:gem/ffi@1.17.1?platform=arm64-darwin",
            "pkg:gem/ffi@1.17.1?platform=x86_64-darwin",
            "pkg:gem/ffi@1.17.1?platform=x86_64-linux-gnu",
        ]
    );
    assert!(ffi.iter().all(|it| it.version.as_deref() == Some("1.17.1")));
    assert!(ffi[0].conditions.is_empty());
    assert_eq!(ffi[1].conditions, ["platform: aarch64-linux-gnu"]);
    let hashes: BTreeSet<_> = ffi.iter().map(|it| it.distributions[0].hash.clone()).collect();
    assert_eq!(hashes.len(), 5);
    let asked = dependencies(&read, package(&read, "actionpack"));
    assert_eq!(asked.iter().filter(|it| it.starts_with("nokogiri ")).count(), 5, "{asked:?}");
}

#[test]
fn every_gem_of_real_files_is_read_with_every_edge() {
    for (name, text) in collected("ruby") {
        let read = parse(&name, text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
        check(&read);
        let specs = text.lines().filter(|it| it.starts_with("    ") && !it.starts_with("      "));
        assert_eq!(read.packages.len(), specs.count(), "{name}");
        let names: BTreeSet<_> = read.packages.iter().map(|it| it.name.as_str()).collect();
        let mut owner = String::new();
        let (mut written, mut found) = (BTreeSet::new(), BTreeSet::new());
        for line in text.lines().filter(|line| line.starts_with("    ")) {
            let word = line.trim().split(' ').next().unwrap().to_owned();
            if !line.starts_with("      ") {
                owner = word;
            } else if names.contains(word.as_str()) {
                written.insert((owner.clone(), word));
            }
        }
        for it in &read.packages {
            let targets = it.dependencies.iter().map(|&to| read.packages[to].name.clone());
            found.extend(targets.map(|to| (it.name.clone(), to)));
        }
        assert_eq!(found, written, "{name}");
    }
}

const SOURCES: &str = "\
GIT
  remote: https://user:secret@git.example/team/lib.git
  revision: cb414cccb5099a0246f4b9b3f298f66e1bf21318
  branch: main
  specs:
    lib (1.2.0)
      dep (>= 1)

PATH
  remote: .
  specs:
    app (0.1.0)
      dep
      bundler (>= 2)

GEM
  remote: https://user:secret@gems.example/private
  specs:
    dep (2.0.0)

PLUGIN SOURCE
  remote: https://plugin.example/x
  type: s3
  specs:
    plugged (1.0)

PLATFORMS
  ruby

DEPENDENCIES
  app!
  lib!
  plugged (= 1.0)!

CHECKSUMS
  dep (2.0.0) sha256=3e2fd6d7ab57e5105865d409c3d9c43e72a40b73dda816f5b8ca9ecabb5fd5d6,sha3=00

RUBY VERSION
   ruby 3.3.0p0

BUNDLED WITH
   2.5.1
";

#[test]
fn sources_of_every_kind_are_told_apart_and_secrets_stay_out() {
    for text in [SOURCES.to_owned(), SOURCES.replace('\n', "\r\n")] {
        let read = read(&text);
        let purls: Vec<_> = read.packages.iter().map(|it| it.purl.as_str()).collect();
        assert_eq!(
            purls,
            [
                "pkg:gem/lib@1.2.0?vcs_url=git%2Bhttps:%2F%2Fgit.example%2Fteam%2Flib.git\
                 %40cb414cccb5099a0246f4b9b3f298f66e1bf21318",
                "pkg:gem/app@0.1.0",
                "pkg:gem/dep@2.0.0?repository_url=https:%2F%2Fgems.example%2Fprivate",
                "pkg:gem/plugged@1.0?repository_url=https:%2F%2Fplugin.example%2Fx",
            ]
        );
        let lines: Vec<_> = read.packages.iter().map(|it| it.line.unwrap()).collect();
        assert_eq!(lines, [6, 12, 19, 25]);
        assert!(read.packages[1].root);
        assert_eq!(dependencies(&read, &read.packages[1]), ["dep 2.0.0"]);
        let direct: Vec<_> = read.packages.iter().map(|it| it.direct).collect();
        assert_eq!(direct, [true, false, true, true]);
        assert!(read.packages.iter().all(|it| it.scope == Scope::Required));
        assert_eq!(read.packages[2].distributions.len(), 1);
        assert!(read.complete && read.notes.is_empty(), "{:?}", read.notes);
    }
}

#[test]
fn what_is_not_locked_is_said_and_not_invented() {
    let read = read(&SOURCES.replace("    dep (2.0.0)\n", ""));
    assert!(!read.complete);
    let notes: Vec<_> = read.notes.iter().map(|note| (note.line, note.message.as_str())).collect();
    assert_eq!(notes, [(7, "`dep` is needed and not locked; run `bundle lock` again")]);
    // Such as a gem for Windows, in a project that is locked for Linux.
    let read = self::read(&SOURCES.replace("  lib!\n", "  lib!\n  wdm (>= 0.1)\n"));
    assert!(read.complete);
    assert_eq!((read.notes.len(), read.notes[0].line), (1, 33));
    let read = self::read("GEM\n  specs:\n    a (1)\n");
    assert!(!read.direct_known && !read.packages[0].direct);
}

#[test]
fn a_gem_of_one_of_several_servers_is_of_none_by_name() {
    let read = read(
        "GEM\n  remote: https://a.example/\n  remote: https://b.example/\n  specs:\n    a (1)\n",
    );
    assert_eq!(read.packages[0].purl, "pkg:gem/a@1");
    assert_eq!(read.notes[0].line, 1);
}

#[test]
fn broken_files_name_the_line() {
    let whole = "GEM\n  remote: https://rubygems.org/\n  specs:\n    a (1.0)\n      b (~> 1)\n";
    for (text, line) in [
        (whole.replace("a (1.0)", "a"), 4),
        (whole.replace("a (1.0)", "a ()"), 4),
        (whole.replace("a (1.0)", "a (1.0-)"), 4),
        (whole.replace("a (1.0)", "a\u{7f} (1.0)"), 4),
        (whole.replace("    a (1.0)\n", ""), 4),
        (whole.replace("    a (1.0)", "     a (1.0)"), 4),
        (format!("{whole}\nCHECKSUMS\n  a (1.0) sha256=12\n"), 8),
        ("GIT\n  specs:\n    a (1)\n".to_owned(), 1),
        (whole.replace("      b", "<<<<<<< x\n      b"), 5),
    ] {
        let error = parse("Gemfile.lock", text.as_bytes()).unwrap_err();
        assert_eq!(error.position.map(|it| it.line), Some(line), "{error}\n{text}");
        assert!(error.to_string().contains("bundle lock"), "{error}");
    }
    for text in ["", "just words\n", "{}"] {
        let error = parse("gems.locked", text.as_bytes()).unwrap_err();
        assert!(matches!(error.problem, Problem::MissingField { .. }), "{error}");
    }
}

#[test]
fn gems_may_need_one_another_and_be_written_twice() {
    let text = "GEM\n  specs:\n    a (1)\n      b\n    b (1)\n      a\n      b\n";
    let read = read(&format!("{text}{text}DEPENDENCIES\n  a\n"));
    assert_eq!(read.packages.len(), 2);
    assert_eq!(read.packages[0].dependencies, [1]);
    assert_eq!(read.packages[1].dependencies, [0]);
}

#[test]
fn endless_lists_are_refused_with_their_place() {
    let text = format!("GEM\n  specs:\n    a (1)\n{}", "      b\n".repeat(2_000_010));
    let error = parse("Gemfile.lock", text.as_bytes()).unwrap_err();
    assert!(matches!(error.problem, Problem::TooManyValues { .. }), "{error}");
}
