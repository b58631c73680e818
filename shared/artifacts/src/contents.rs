//! What is found in one archive or image, file by file.

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read},
};

use documents::{
    inventory::{Inventory, Missing},
    lockfile,
    metadata::{self, Context},
};

use crate::{
    Limits, binary,
    budget::{Budget, Held},
    finish,
    interest::{Interest, interest},
    packed::{self, Packing},
    tar, zip,
};

/// Longest path of a file in an archive, in bytes.
const MAX_PATH_BYTES: usize = 4096;
/// As many bytes tell what a file is.
const HEAD_BYTES: u64 = 512;

/// How far into an artifact the reading has come, and how far it may go.
#[derive(Clone, Copy)]
pub(crate) struct Scan<'a> {
    pub(crate) limits: &'a Limits,
    pub(crate) budget: &'a Budget,
    /// How many archives lie around this one.
    pub(crate) depth: u32,
}

/// What one file, archive or image is made of.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) inventories: Vec<Inventory>,
    pub(crate) missing: Vec<Missing>,
}

/// What was found in a file.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) outcome: Outcome,
    /// Its bytes, where more files are needed to understand it.
    pub(crate) later: Option<(Interest, Held)>,
}

/// What is found in one archive, or in the layers of one image.
pub(crate) struct Contents<'a> {
    /// Name of the archive, with those around it.
    pub(crate) place: String,
    pub(crate) scan: Scan<'a>,
    /// By path within.
    pub(crate) found: BTreeMap<String, Found>,
    /// What is missing of the archive as a whole.
    pub(crate) missing: Vec<Missing>,
    /// What the layers below the current one have.
    pub(crate) lower: BTreeMap<String, Found>,
}

impl Outcome {
    pub(crate) fn missing(path: &str, reason: impl ToString) -> Self {
        let missing = Missing { path: path.to_owned(), line: None, reason: reason.to_string() };
        Self { inventories: Vec::new(), missing: vec![missing] }
    }

    pub(crate) fn append(&mut self, other: Self) {
        self.inventories.extend(other.inventories);
        self.missing.extend(other.missing);
    }

    /// Adds what a reader of metadata says.
    pub(crate) fn add(&mut self, path: &str, read: Result<Inventory, metadata::MetadataError>) {
        match read {
            Ok(inventory) => self.inventories.push(inventory),
            Err(error) => self.missing.push(Missing {
                path: path.to_owned(),
                line: error.line,
                reason: error.problem.to_string(),
            }),
        }
    }
}

impl<'a> Contents<'a> {
    pub(crate) fn new(place: &str, scan: Scan<'a>) -> Self {
        Self {
            place: place.to_owned(),
            scan,
            found: BTreeMap::new(),
            missing: Vec::new(),
            lower: BTreeMap::new(),
        }
    }

    /// What a zip archive holds.
    pub(crate) fn of_zip(place: &str, scan: Scan<'a>, file: &mut dyn zip::File) -> Outcome {
        let mut contents = Self::new(place, scan);
        let mut encrypted = 0;
        let read = zip::each(file, scan.budget, &mut |entry, file| {
            let Some(path) = contents.path(&entry.name) else { return Ok(()) };
            if entry.is_encrypted {
                encrypted += 1;
            } else if !path.is_empty() && !entry.name.ends_with(b"/") && !is_dull(&path) {
                if contents.found.contains_key(&path) {
                    contents.miss("has two entries of one name; the last of them is read");
                }
                match entry.open(file, scan.budget) {
                    Ok(mut bytes) => contents.take(&path, &mut *bytes),
                    Err(error) => contents.fail(&path, &error),
                }
            }
            Ok(())
        });
        if encrypted > 0 {
            contents.miss(&format!("{encrypted} of its entries are encrypted and not read"));
        }
        if let Err(error) = read {
            contents.miss(&error.to_string());
        }
        finish::java(contents)
    }

    /// What a tar archive holds.
    pub(crate) fn of_tar(place: &str, scan: Scan<'a>, archive: &mut dyn Read) -> Outcome {
        let mut contents = Self::new(place, scan);
        let read = tar::each(archive, scan.budget, &mut |entry, bytes| {
            contents.entry(entry, bytes);
            Ok(())
        });
        if let Err(error) = read {
            contents.miss(&error.to_string());
        }
        finish::all(contents)
    }

    pub(crate) fn entry(&mut self, entry: &tar::Entry, bytes: &mut dyn Read) {
        let Some(path) = self.path(&entry.path) else { return };
        match entry.kind {
            tar::EntryKind::File => self.take(&path, bytes),
            tar::EntryKind::Sparse if interest(&path).is_some() => {
                self.fail(&path, &io::Error::other("is stored with holes, which are not read"));
            }
            _ => {}
        }
    }

    /// The path of an entry as names with slashes between, if it stays below the root.
    pub(crate) fn path(&mut self, raw: &[u8]) -> Option<String> {
        let raw = String::from_utf8_lossy(raw).replace('\\', "/");
        let names = raw.split('/').filter(|name| !matches!(*name, "" | "."));
        let path = names.clone().collect::<Vec<_>>().join("/");
        let problem = match () {
            () if path.len() > MAX_PATH_BYTES => "has an entry with a path that is too long",
            () if names.clone().any(|name| name == "..") => "has an entry that lies outside of it",
            () => return Some(path),
        };
        self.miss(problem);
        None
    }

    /// Looks into the file at `path`.
    pub(crate) fn take(&mut self, path: &str, bytes: &mut dyn Read) {
        let place = format!("{}!/{path}", self.place);
        let found = self.scan.look(path, &place, bytes);
        let found = found.unwrap_or_else(|error| Found {
            outcome: Outcome::missing(&place, error),
            later: None,
        });
        let says_nothing = found.outcome.inventories.is_empty() && found.outcome.missing.is_empty();
        if found.later.is_some() || !says_nothing {
            self.insert(path, found);
        }
    }

    /// Tells that the file at `path` cannot be read.
    pub(crate) fn fail(&mut self, path: &str, error: &io::Error) {
        let outcome = Outcome::missing(&format!("{}!/{path}", self.place), error);
        self.insert(path, Found { outcome, later: None });
    }

    fn insert(&mut self, path: &str, found: Found) {
        // What an archive within says was counted there.
        let said = found.outcome.inventories.len() + found.outcome.missing.len();
        if said > 1 || self.scan.budget.finding() {
            self.found.insert(path.to_owned(), found);
        } else {
            self.miss("holds more files that say what it is made of than are read");
        }
    }

    /// Tells once that something is missing of the whole.
    pub(crate) fn miss(&mut self, reason: &str) {
        if !self.missing.iter().any(|it| it.reason == reason) {
            let missing =
                Missing { path: self.place.clone(), line: None, reason: reason.to_owned() };
            self.missing.push(missing);
        }
    }
}

impl<'a> Scan<'a> {
    fn look(self, path: &str, place: &str, bytes: &mut dyn Read) -> io::Result<Found> {
        let limit = self.limits.file_bytes;
        match interest(path) {
            Some(Interest::Package(kind)) => {
                let bytes = self.budget.hold(bytes, limit)?;
                let mut outcome = Outcome::default();
                outcome.add(place, metadata::read(kind, place, &bytes, &Context::default()));
                let is_companion = lockfile::is_companion(path) && !path.contains("node_modules/");
                let later = is_companion.then_some((Interest::Lockfile, bytes));
                Ok(Found { outcome, later })
            }
            Some(interest) => {
                let bytes = self.budget.hold(bytes, limit)?;
                Ok(Found { outcome: Outcome::default(), later: Some((interest, bytes)) })
            }
            None => Ok(Found { outcome: self.inside(place, bytes)?, later: None }),
        }
    }

    /// What the file holds if it is an archive or a binary, told by its first bytes.
    fn inside(self, place: &str, bytes: &mut dyn Read) -> io::Result<Outcome> {
        let mut head = Vec::new();
        bytes.take(HEAD_BYTES).read_to_end(&mut head)?;
        let is_archive =
            head.starts_with(b"PK\x03\x04") || tar::is_tar(&head) || Packing::of(&head).is_some();
        if !is_archive && !binary::is_binary(&head) {
            return Ok(Outcome::default());
        }
        let mut whole = Cursor::new(&head).chain(bytes);
        if !is_archive {
            let bytes = self.budget.hold(&mut whole, self.limits.held_bytes)?;
            return Ok(binary::read(place, &bytes, self));
        }
        if self.depth >= self.limits.depth {
            let depth = self.limits.depth;
            let reason =
                format!("lies in more than the {depth} archives that are opened one in another");
            return Ok(Outcome::missing(place, reason));
        }
        self.budget.with_share(|budget| {
            let scan = Scan { limits: self.limits, budget, depth: self.depth + 1 };
            if head.starts_with(b"PK\x03\x04") {
                let bytes = budget.hold(&mut whole, self.limits.held_bytes)?;
                return Ok(Contents::of_zip(place, scan, &mut Cursor::new(&*bytes)));
            }
            scan.stream(place, &mut whole)
        })
    }

    /// What a tar archive holds, compressed or not; of other compressed files nothing.
    pub(crate) fn stream(self, place: &str, bytes: &mut dyn Read) -> io::Result<Outcome> {
        let mut head = Vec::new();
        let mut bytes = packed::unpacked(Box::new(bytes), self)?;
        (&mut bytes).take(HEAD_BYTES).read_to_end(&mut head)?;
        if !tar::is_tar(&head) {
            return Ok(Outcome::default());
        }
        Ok(Contents::of_tar(place, self, &mut Cursor::new(&head).chain(bytes)))
    }
}

/// Names of files that are neither archives nor binaries, and of which jars have thousands.
fn is_dull(path: &str) -> bool {
    [".class", ".html", ".java", ".png", ".py", ".js"].iter().any(|end| path.ends_with(end))
        && interest(path).is_none()
}
