//! Where records lie: directories, files and archives. Names in archives are told to people and never used as paths.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read, Seek},
    path::Path,
};

use flate2::read::MultiGzDecoder;
use walkdir::WalkDir;
use zip::ZipArchive;

use crate::{IndexError, build::Builder, epss::Scores, provenance::Source};

/// Largest record that is read, in bytes; the largest real ones have a tenth of it.
pub const MAX_RECORD_BYTES: u64 = 32 * 1024 * 1024;
/// Most records of one index, entries of catalogues and scores included: six times what all of OSV holds.
pub const MAX_RECORDS: usize = 3_000_000;
/// Largest list of scores, in bytes, unpacked; FIRST's has a twentieth of it.
const MAX_SCORES_BYTES: u64 = 256 * 1024 * 1024;
/// Longest row of it, in bytes.
const MAX_ROW_BYTES: u64 = 1024;
/// Most bytes of records, unpacked.
const MAX_TOTAL_BYTES: u64 = 32 * 1024 * 1024 * 1024;
/// Most times that an archive's entry may grow when it is unpacked, once it is larger than [`SMALL_BYTES`].
const MAX_RATIO: u64 = 200;
const SMALL_BYTES: u64 = 1024 * 1024;

/// Reads sources one after the other, one record in memory at a time.
#[derive(Default)]
pub(crate) struct Reader {
    pub(crate) builder: Builder,
    total_bytes: u64,
    buffer: Vec<u8>,
}

/// How a file holds records, by its name.
enum Kind {
    Record,
    Lines,
    Archive,
    Scores { gzipped: bool },
}

impl Reader {
    /// Reads everything at `source`.
    ///
    /// # Errors
    /// The source cannot be read at all, or there is too much of it.
    pub(crate) fn read(&mut self, source: &Source) -> Result<(), IndexError> {
        self.builder.begin(&source.name);
        let source = source.path.as_path();
        let metadata = std::fs::metadata(source).map_err(|error| IndexError::io(source, error))?;
        if metadata.is_dir() {
            return self.directory(source);
        }
        let Some(kind) = Kind::of(&source.to_string_lossy()) else {
            return Err(IndexError::UnknownSource { path: source.to_owned() });
        };
        self.file(source, kind)?.map_err(|error| IndexError::io(source, error))
    }

    fn directory(&mut self, directory: &Path) -> Result<(), IndexError> {
        for entry in WalkDir::new(directory).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) if entry.file_type().is_dir() => continue,
                Ok(entry) => entry,
                Err(error) => {
                    let place = error.path().unwrap_or(directory).display().to_string();
                    self.builder.problem(&place, error.to_string());
                    continue;
                }
            };
            match Kind::of(&entry.path().to_string_lossy()) {
                Some(kind) if entry.file_type().is_file() => {
                    if let Err(error) = self.file(entry.path(), kind)? {
                        let place = entry.path().display().to_string();
                        self.builder.problem(&place, error.to_string());
                    }
                }
                _ => self.builder.other_file(),
            }
        }
        Ok(())
    }

    /// The inner result tells whether this file could be read.
    fn file(&mut self, path: &Path, kind: Kind) -> Result<io::Result<()>, IndexError> {
        let place = path.display().to_string();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => return Ok(Err(error)),
        };
        match kind {
            Kind::Record => self.record(&place, file, MAX_RECORD_BYTES),
            Kind::Lines => self.lines(&place, BufReader::new(file), MAX_RECORD_BYTES, Builder::add),
            Kind::Scores { gzipped } => self.scores(&place, file, gzipped, MAX_SCORES_BYTES),
            Kind::Archive => match ZipArchive::new(BufReader::new(file)) {
                Ok(archive) => self.archive(&place, archive).map(Ok),
                Err(error) => Ok(Err(io::Error::new(io::ErrorKind::InvalidData, error))),
            },
        }
    }

    fn record(
        &mut self,
        place: &str,
        source: impl Read,
        limit: u64,
    ) -> Result<io::Result<()>, IndexError> {
        self.buffer.clear();
        let read = source.take(limit + 1).read_to_end(&mut self.buffer);
        self.count()?;
        match read {
            Ok(size) if size as u64 > limit => {
                self.builder.problem(place, format!("larger than {limit} bytes"));
            }
            Ok(_) => self.builder.add(place, &self.buffer),
            Err(error) => return Ok(Err(error)),
        }
        Ok(Ok(()))
    }

    /// Gives each line to `add`, with its place; one of more than `longest` bytes is reported instead.
    fn lines(
        &mut self,
        place: &str,
        mut source: impl BufRead,
        longest: u64,
        mut add: impl FnMut(&mut Builder, &str, &[u8]),
    ) -> Result<io::Result<()>, IndexError> {
        for number in 1_u64.. {
            self.buffer.clear();
            let mut line = source.by_ref().take(longest + 1);
            let read = line.read_until(b'\n', &mut self.buffer);
            self.count()?;
            match read {
                Ok(0) => break,
                Ok(size) if size as u64 > longest => {
                    let reason = format!("larger than {longest} bytes");
                    self.builder.problem(&format!("{place}:{number}"), reason);
                    if let Err(error) = source.skip_until(b'\n') {
                        return Ok(Err(error));
                    }
                }
                Ok(_) if self.buffer.trim_ascii().is_empty() => {}
                Ok(_) => {
                    add(&mut self.builder, &format!("{place}:{number}"), line_of(&self.buffer));
                }
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(()))
    }

    /// [`Self::lines`] of a source of at most `most` bytes.
    fn bounded_lines(
        &mut self,
        place: &str,
        source: impl Read,
        most: u64,
        longest: u64,
        add: impl FnMut(&mut Builder, &str, &[u8]),
    ) -> Result<io::Result<()>, IndexError> {
        let mut source = source.take(most + 1);
        let read = self.lines(place, BufReader::new(&mut source), longest, add)?;
        let is_too_large = source.limit() == 0;
        Ok(match read {
            Ok(()) if is_too_large => Err(io::Error::other(format!("larger than {most} bytes"))),
            read => read,
        })
    }

    fn scores(
        &mut self,
        place: &str,
        source: impl Read,
        gzipped: bool,
        most: u64,
    ) -> Result<io::Result<()>, IndexError> {
        let mut scores = Scores::default();
        let add = |builder: &mut Builder, place: &str, line: &[u8]| {
            builder.add_score(&mut scores, place, line);
        };
        let read = if gzipped {
            self.bounded_lines(place, MultiGzDecoder::new(source), most, MAX_ROW_BYTES, add)?
        } else {
            self.bounded_lines(place, source, most, MAX_ROW_BYTES, add)?
        };
        if read.is_ok() && scores.is_headless() {
            self.builder.problem(place, "no list of EPSS scores: it ends before its header");
        }
        Ok(read)
    }

    fn archive(
        &mut self,
        place: &str,
        mut archive: ZipArchive<impl Read + Seek>,
    ) -> Result<(), IndexError> {
        if archive.len() > MAX_RECORDS {
            return Err(IndexError::TooLarge { what: "more records", most: MAX_RECORDS as u64 });
        }
        if archive.has_duplicate_names() {
            self.builder.problem(place, "several entries have one name; only one of them was read");
        }
        for position in 0..archive.len() {
            let (place, read) = match archive.by_index(position) {
                Ok(entry) => {
                    let name = entry.name().map(|it| it.into_owned()).unwrap_or_default();
                    let place = format!("{place}!{name}");
                    let most = entry.compressed_size().saturating_mul(MAX_RATIO).max(SMALL_BYTES);
                    let read = self.entry(&place, Kind::of(&name), entry, most)?;
                    (place, read)
                }
                Err(error) => (format!("{place}!entry {position}"), Err(error.into())),
            };
            if let Err(error) = read {
                self.builder.problem(&place, error.to_string());
            }
        }
        Ok(())
    }

    /// An entry of an archive, which unpacks to `most` bytes or is a bomb.
    fn entry(
        &mut self,
        place: &str,
        kind: Option<Kind>,
        entry: impl Read,
        most: u64,
    ) -> Result<io::Result<()>, IndexError> {
        match kind {
            Some(Kind::Record) => self.record(place, entry, most.min(MAX_RECORD_BYTES)),
            Some(Kind::Lines) => {
                self.bounded_lines(place, entry, most, MAX_RECORD_BYTES, Builder::add)
            }
            // What is packed twice is bounded twice.
            Some(Kind::Scores { gzipped: true }) => {
                self.scores(place, entry.take(most), true, MAX_SCORES_BYTES)
            }
            Some(Kind::Scores { gzipped: false }) => {
                self.scores(place, entry, false, most.min(MAX_SCORES_BYTES))
            }
            Some(Kind::Archive) | None => {
                self.builder.other_file();
                Ok(Ok(()))
            }
        }
    }

    /// Counts what is in the buffer.
    fn count(&mut self) -> Result<(), IndexError> {
        self.total_bytes += self.buffer.len() as u64;
        if self.total_bytes > MAX_TOTAL_BYTES {
            return Err(IndexError::TooLarge { what: "more bytes", most: MAX_TOTAL_BYTES });
        }
        if self.builder.len() > MAX_RECORDS {
            return Err(IndexError::TooLarge { what: "more records", most: MAX_RECORDS as u64 });
        }
        Ok(())
    }
}

/// Without its end.
fn line_of(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if name.ends_with(".csv.gz") {
            return Some(Self::Scores { gzipped: true });
        }
        let (_, extension) = name.rsplit_once('.')?;
        match extension {
            "json" => Some(Self::Record),
            "jsonl" => Some(Self::Lines),
            "zip" => Some(Self::Archive),
            "csv" => Some(Self::Scores { gzipped: false }),
            _ => None,
        }
    }
}
