//! The policy library of this repository: its tests pass, and they notice when a rule changes.

use std::{collections::BTreeSet, fs, path::Path, time::Duration};

use policy_gate::policy::{Bundle, DEFAULT_TIME_LIMIT, test_runner::run_tests};

fn library() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policy"))
}

#[test]
fn the_library_loads() {
    let bundle =
        Bundle::load(library(), DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}"));

    assert_eq!(bundle.digest(), events::Digest::of(bundle.canonical()));
}

#[test]
fn every_test_of_the_library_passes() {
    let report = run_tests(library(), DEFAULT_TIME_LIMIT).unwrap_or_else(|error| panic!("{error}"));

    assert!(report.passed(), "{report}");
    println!("{report}");
}
