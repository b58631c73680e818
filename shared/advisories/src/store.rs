//! The index as a file, and the directory that holds the current one.
//!
//! A file is the magic, the format (u32), the length of the content (u64), its SHA-256, and the content: postcard,
//! compressed with Zstandard. Numbers are little-endian.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::SystemTime,
};

use events::Digest;

use crate::{IndexError, tables::Content};

const MAGIC: &[u8; 8] = b"ATTSTADV";
/// 2: knows what is exploited. 3: knows distributions, their releases, and commits.
const FORMAT: u32 = 3;
const HEADER_BYTES: usize = 8 + 4 + 8 + 32;
/// Largest content, in bytes: ten times what all of OSV makes.
const MAX_CONTENT_BYTES: u64 = 4 * 1024 * 1024 * 1024;
const ZSTD_LEVEL: i32 = 3;

const POINTER: &str = "current";
const EXTENSION: &str = "index";
/// How many indexes before the current one are kept.
const KEPT_OLD: usize = 2;
/// How often the pointer is followed, should what it names be removed meanwhile.
const MAX_TRIES: usize = 3;

/// The bytes of an index file.
pub(crate) struct Stored {
    bytes: Vec<u8>,
    digest: Digest,
}

impl Stored {
    pub(crate) fn new(content: &Content) -> Result<Self, IndexError> {
        let too_large = IndexError::TooLarge { what: "more bytes", most: MAX_CONTENT_BYTES };
        let Ok(content) = postcard::to_stdvec(content) else { return Err(too_large) };
        if content.len() as u64 > MAX_CONTENT_BYTES {
            return Err(too_large);
        }
        let digest = Digest::of(&content);
        let mut bytes = Vec::with_capacity(HEADER_BYTES + content.len() / 4);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
        bytes.extend_from_slice(digest.as_bytes());
        zstd::stream::copy_encode(&*content, &mut bytes, ZSTD_LEVEL)
            .map_err(|error| IndexError::io(Path::new("memory"), error))?;
        Ok(Self { bytes, digest })
    }

    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }
}

/// Reads and checks an index file.
pub(crate) fn open(path: &Path) -> Result<(Stored, Content), IndexError> {
    let read = |error| IndexError::io(path, error);
    let mut bytes = Vec::new();
    // Compressed, no content grows past this.
    let limit = MAX_CONTENT_BYTES + HEADER_BYTES as u64;
    File::open(path).map_err(read)?.take(limit).read_to_end(&mut bytes).map_err(read)?;
    let (digest, content) = decode(path, &bytes)?;
    Ok((Stored { bytes, digest }, content))
}

fn decode(path: &Path, bytes: &[u8]) -> Result<(Digest, Content), IndexError> {
    let damaged =
        |reason: &str| IndexError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(IndexError::Foreign { path: path.to_owned() });
    };
    let (format, rest) = rest.split_first_chunk().ok_or_else(|| damaged("cut short"))?;
    let format = u32::from_le_bytes(*format);
    if format != FORMAT {
        return Err(IndexError::Format { path: path.to_owned(), found: format, readable: FORMAT });
    }
    let (length, rest) = rest.split_first_chunk().ok_or_else(|| damaged("cut short"))?;
    let (expected, compressed) =
        rest.split_first_chunk::<32>().ok_or_else(|| damaged("cut short"))?;
    let length = u64::from_le_bytes(*length);
    if length > MAX_CONTENT_BYTES {
        return Err(damaged("too large"));
    }
    let mut content = Vec::new();
    let unpacked = zstd::stream::Decoder::with_buffer(compressed)
        .and_then(|decoder| decoder.take(length + 1).read_to_end(&mut content));
    match unpacked {
        Ok(size) if size as u64 == length => {}
        Ok(_) => return Err(damaged("its length differs")),
        Err(error) => return Err(damaged(&error.to_string())),
    }
    let digest = Digest::of(&content);
    if digest.as_bytes() != expected {
        return Err(damaged("its digest differs"));
    }
    let content = postcard::from_bytes(&content).map_err(|error| damaged(&error.to_string()))?;
    Ok((digest, content))
}

/// What the pointer says; none if there is no pointer.
pub(crate) fn pointer(directory: &Path) -> Result<Option<String>, IndexError> {
    let path = directory.join(POINTER);
    match fs::read_to_string(&path) {
        Ok(name) => Ok(Some(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(IndexError::io(&path, error)),
    }
}

/// Follows the pointer; none if there is no pointer.
pub(crate) fn current(directory: &Path) -> Result<Option<(Stored, Content)>, IndexError> {
    let mut tries = 1;
    loop {
        let Some(name) = pointer(directory)? else { return Ok(None) };
        let Some(digest) = name.strip_suffix('\n').and_then(|it| it.parse::<Digest>().ok()) else {
            let reason = "names no index".to_owned();
            return Err(IndexError::Damaged { path: directory.join(POINTER), reason });
        };
        match open(&file_of(directory, digest)) {
            Err(IndexError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound && tries < MAX_TRIES =>
            {
                tries += 1;
            }
            Ok((stored, _)) if stored.digest != digest => {
                let reason = format!("holds another index, {}", stored.digest);
                return Err(IndexError::Damaged { path: file_of(directory, digest), reason });
            }
            opened => return opened.map(Some),
        }
    }
}

/// Writes the file, then the pointer, then removes what is old.
pub(crate) fn save(stored: &Stored, directory: &Path) -> Result<(), IndexError> {
    fs::create_dir_all(directory).map_err(|error| IndexError::io(directory, error))?;
    let file = file_of(directory, stored.digest);
    replace(directory, &file, &stored.bytes)?;
    let pointer = format!("{}\n", stored.digest);
    replace(directory, &directory.join(POINTER), pointer.as_bytes())?;
    remove_old(directory, &file).map_err(|error| IndexError::io(directory, error))
}

fn file_of(directory: &Path, digest: Digest) -> PathBuf {
    directory.join(digest.hex()).with_extension(EXTENSION)
}

/// Puts `bytes` in the place of `file` at once, and on the disk before it returns.
fn replace(directory: &Path, file: &Path, bytes: &[u8]) -> Result<(), IndexError> {
    let write = || -> io::Result<()> {
        // Whoever matches need not be who syncs.
        let permissions = fs::Permissions::from_mode(0o644);
        let mut new = tempfile::Builder::new().permissions(permissions).tempfile_in(directory)?;
        new.write_all(bytes)?;
        new.as_file().sync_all()?;
        new.persist(file).map_err(|error| error.error)?;
        File::open(directory)?.sync_all()
    };
    write().map_err(|error| IndexError::io(file, error))
}

fn remove_old(directory: &Path, newest: &Path) -> io::Result<()> {
    let mut old: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if path != newest && path.extension().is_some_and(|it| it == EXTENSION) {
            old.push((entry.metadata()?.modified()?, path));
        }
    }
    old.sort_unstable();
    let too_many = old.len().saturating_sub(KEPT_OLD);
    old.into_iter().take(too_many).try_for_each(|(_, path)| fs::remove_file(path))
}
