//! Where each record of an index comes from, and since when it is known: a file beside the index, for the same records
//! give the same index whenever they come.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use events::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{IndexError, arena::Arena, store};

const MAGIC: &[u8; 8] = b"ATTSTPRV";
const FORMAT: u32 = 1;
const ZSTD_LEVEL: i32 = 3;
/// Largest content, in bytes; that of all of OSV has a tenth of it.
const MAX_CONTENT_BYTES: u64 = 256 * 1024 * 1024;
const EXTENSION: &str = "provenance";

/// Something that records are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Where it lies: a directory, or a `.json`, `.jsonl`, `.zip`, `.csv` or `.csv.gz` file.
    pub path: PathBuf,
    /// What it is called in what is told of its records, such as the URL it was fetched from.
    pub name: String,
}

/// Where a record comes from, and since when it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Known {
    /// The source: a path or a URL.
    pub source: String,
    /// SHA-256 of the record as it lay there: a file or an entry of an archive whole, a line without its end.
    pub digest: Digest,
    /// When it was first read as it is.
    pub at: Timestamp,
    /// When a record of that id was first read.
    pub first: Timestamp,
}

/// Of a catalogue or a list of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct List {
    /// When it was released or computed.
    pub(crate) date: Option<Timestamp>,
}

/// What is known of the origin of all records.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Provenance {
    sources: Vec<String>,
    /// By record.
    origins: Vec<Origin>,
    pub(crate) kev: List,
    pub(crate) epss: List,
}

/// The origin of one record. Times are microseconds since 1970.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) digest: [u8; 32],
    pub(crate) source: u32,
    pub(crate) at: i64,
    pub(crate) first: i64,
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self { name: path.display().to_string(), path }
    }
}

impl Provenance {
    /// Sources that no record is of any more are left out.
    pub(crate) fn new(names: &[String], mut origins: Vec<Origin>, kev: List, epss: List) -> Self {
        let mut sources = Vec::new();
        let mut numbers = BTreeMap::new();
        for origin in &mut origins {
            let number = numbers.entry(origin.source).or_insert_with(|| {
                sources.push(names.get(origin.source as usize).cloned().unwrap_or_default());
                sources.len() - 1
            });
            origin.source = *number as u32;
        }
        Self { sources, origins, kev, epss }
    }

    pub(crate) fn origin(&self, record: u32) -> Option<Origin> {
        self.origins.get(record as usize).copied()
    }

    pub(crate) fn source(&self, number: u32) -> &str {
        self.sources.get(number as usize).map_or("", String::as_str)
    }

    pub(crate) fn known(&self, record: u32) -> Option<Known> {
        let origin = self.origin(record).filter(|it| it.digest != [0; 32])?;
        let time = |it| Timestamp::from_microsecond(it).ok();
        let digest = origin.digest.iter().map(|it| format!("{it:02x}")).collect::<String>();
        Some(Known {
            source: self.source(origin.source).to_owned(),
            digest: format!("sha256:{digest}").parse().ok()?,
            at: time(origin.at)?,
            first: time(origin.first)?,
        })
    }

    /// Writes the file that belongs to the index at `index`.
    pub(crate) fn save(&self, directory: &Path, index: &Path) -> Result<(), IndexError> {
        let path = index.with_extension(EXTENSION);
        let content = postcard::to_stdvec(self).unwrap_or_default();
        store::replace(directory, &path, |file| {
            file.write_all(MAGIC)?;
            file.write_all(&FORMAT.to_le_bytes())?;
            file.write_all(Digest::of(&content).as_bytes())?;
            zstd::stream::copy_encode(&*content, file, ZSTD_LEVEL)
        })
    }

    /// Reads the file that belongs to the index at `index`; none if there is none.
    pub(crate) fn open(index: &Path, arena: &Arena) -> Result<Option<Self>, IndexError> {
        let path = index.with_extension(EXTENSION);
        let mut packed = match File::open(&path) {
            Ok(file) => file.take(MAX_CONTENT_BYTES),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(IndexError::io(&path, error)),
        };
        let mut bytes = Vec::new();
        packed.read_to_end(&mut bytes).map_err(|error| IndexError::io(&path, error))?;
        let reason = match Self::read(&bytes) {
            Ok(read) if read.origins.len() == arena.len() => return Ok(Some(read)),
            Ok(_) => "of another index".to_owned(),
            Err(reason) => reason,
        };
        Err(IndexError::Damaged { path, reason })
    }

    fn read(bytes: &[u8]) -> Result<Self, String> {
        let rest = bytes.strip_prefix(MAGIC).ok_or("no list of origins")?;
        let (format, rest) = rest.split_first_chunk().ok_or("cut short")?;
        if u32::from_le_bytes(*format) != FORMAT {
            return Err("of another format".to_owned());
        }
        let (expected, packed) = rest.split_first_chunk::<32>().ok_or("cut short")?;
        let mut content = Vec::new();
        zstd::stream::Decoder::with_buffer(packed)
            .and_then(|it| it.take(MAX_CONTENT_BYTES).read_to_end(&mut content))
            .map_err(|error| error.to_string())?;
        if Digest::of(&content).as_bytes() != expected {
            return Err("its digest differs".to_owned());
        }
        postcard::from_bytes(&content).map_err(|error| error.to_string())
    }
}

/// Removes what belongs to an index that is gone.
pub(crate) fn remove_orphans(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_ours = path.extension().is_some_and(|it| it == EXTENSION);
        if is_ours && !store::is_kept(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}
