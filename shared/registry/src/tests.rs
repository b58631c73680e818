//! Histories of small, valid events, and what the registry makes of them.

mod accounting;
mod archived;
mod explained;
mod hostile;
mod mapped;
mod opening;
mod rebuilt;
mod retained;
mod scored;
mod submitted;
mod upgraded;
mod world;

use std::path::PathBuf;

use archive::Archive;
use events::Record;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::{Registry, View};

/// A place for one registry and one archive.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().expect("a directory") }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("registry.db")
    }

    fn registry(&self) -> Registry {
        Registry::open(&self.path()).expect("opens")
    }

    fn recorded(&self, records: &[Record]) -> Registry {
        let mut registry = self.registry();
        registry.record(records).expect("records");
        registry
    }

    fn view(&self) -> View {
        View::open(&self.path()).expect("opens")
    }

    fn archive(&self) -> Archive {
        let root = self.directory.path().join("archive");
        Archive::open(root.to_str().expect("UTF-8")).expect("opens")
    }
}

fn dump(registry: &Registry) -> String {
    let mut text = Vec::new();
    registry.dump(&mut text).expect("dumps");
    String::from_utf8(text).expect("UTF-8")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}
