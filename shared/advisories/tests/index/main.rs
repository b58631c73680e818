//! The index from outside: sources in, matches out, and the file between.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod changed;
mod distros;
mod exploitation;
mod git;
mod matches;
mod provenance;
mod sources;
mod store;

use std::{
    fs,
    path::{Path, PathBuf},
};

use advisories::{BuildReport, Index, Match, Package};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory with one file for each record.
fn directory_of(records: &[Value]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (number, record) in records.iter().enumerate() {
        fs::write(directory.path().join(format!("{number}.json")), record.to_string()).unwrap();
    }
    directory
}

fn build(source: &Path) -> (Index, BuildReport) {
    Index::build(&[source.to_owned()]).unwrap()
}

fn index_of(records: &[Value]) -> Index {
    build(directory_of(records).path()).0
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn matches(index: &Index, purl: &str) -> Vec<Match> {
    index.matches(&Package::from_purl(purl).unwrap())
}

fn ids(index: &Index, purl: &str) -> Vec<String> {
    matches(index, purl).into_iter().map(|it| it.id).collect()
}

/// A record of one package with one range.
fn record(id: &str, aliases: &[&str], package: (&str, &str), events: Value) -> Value {
    json!({
        "id": id,
        "modified": "2024-01-01T00:00:00Z",
        "aliases": aliases,
        "affected": [{
            "package": { "ecosystem": package.0, "name": package.1 },
            "ranges": [{ "type": "ECOSYSTEM", "events": events }],
        }],
    })
}

const DJANGO: (&str, &str) = ("PyPI", "Django");
