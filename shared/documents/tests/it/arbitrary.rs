//! Arbitrary bytes, and real documents with an arbitrary hole or patch: read or refused, never a panic.

use documents::{bom, detect, lockfile, metadata, vex};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::lockfile_sound::check_graph;

/// Real lockfiles, one of each format, under names that their readers know.
const LOCKFILES: [&str; 17] = [
    "hotpass.uv.lock",
    "ripgrep-v1.Cargo.lock",
    "poetry.poetry.lock",
    "syft.pdm.lock",
    "osv-schema-ghsa.Pipfile.lock",
    "pip-build-project.pylock.toml",
    "npm-cli.package-lock.json",
    "vue-core-v9.pnpm-lock.yaml",
    "rails.yarn.lock",
    "redux.yarn.lock",
    "guac.go.mod",
    "rails.Gemfile.lock",
    "laravel.composer.lock",
    "qowaiv-specs.packages.lock.json",
    "vulnerable-java-application.gradle.lockfile",
    "commons-lang.pom.xml",
    "defectdojo.requirements.txt",
];
/// Most of a document that is taken: what is small is read often.
const MAX_BYTES: usize = 6 * 1024;

/// What some reader gives a meaning to.
const MARKS: &[u8] = b"\"'{}[]():,.;=@#*&!|<>/\\\n\t -+_%$~^0aZ\x00\xff";

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..2_048),
        vec(prop_oneof![3 => prop::sample::select(MARKS), 1 => any::<u8>()], 0..512),
    ]
}

/// A real document, some of whose bytes are replaced by others.
fn patched(name: &str, begin: Index, length: usize, patch: &[u8]) -> Vec<u8> {
    let mut bytes = crate::fixture(&format!("lockfiles/{name}"));
    let whole_lines = bytes.iter().take(MAX_BYTES).rposition(|byte| *byte == b'\n');
    bytes.truncate(whole_lines.unwrap_or(MAX_BYTES));
    let begin = begin.index(bytes.len());
    let end = bytes.len().min(begin + length);
    bytes.splice(begin..end, patch.iter().copied());
    bytes
}

fn read(name: &str, bytes: &[u8]) {
    match lockfile::parse(name, bytes) {
        Ok(read) => check_graph(&read),
        Err(error) => assert!(error.to_string().len() < 2_000, "{error}"),
    }
}

proptest! {
    // Nothing is written beside the sources: a failure prints its input, which becomes a fixture.
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_lockfile_or_refused(bytes in any_bytes()) {
        for name in lockfile::known_names() {
            read(name, &bytes);
        }
    }

    #[test]
    fn any_bytes_are_a_document_or_refused(bytes in any_bytes()) {
        let _ = detect(&bytes);
        drop(bom::read(&bytes));
        drop(vex::read(&bytes));
        for kind in metadata::Kind::ALL {
            drop(metadata::read(kind, "app.jar!/file", &bytes, &metadata::Context::default()));
        }
    }

    #[test]
    fn anything_after_a_version_is_spdx_or_refused(bytes in any_bytes()) {
        let document = [b"SPDXVersion: SPDX-2.3\nPackageName: a\n", &bytes[..]].concat();
        drop(bom::read(&document));
    }

    #[test]
    fn patched_lockfiles_are_read_or_refused(
        name in prop::sample::select(&LOCKFILES[..]),
        begin in any::<Index>(),
        length in 0..200_usize,
        patch in vec(prop::sample::select(MARKS), 0..8),
    ) {
        read(name, &patched(name, begin, length, &patch));
    }
}

/// Were they not, the patched ones would test nothing.
#[test]
fn every_lockfile_that_is_patched_is_one() {
    for name in LOCKFILES {
        let bytes = crate::fixture(&format!("lockfiles/{name}"));
        if let Err(error) = lockfile::parse(name, &bytes) {
            panic!("{error}");
        }
    }
}
