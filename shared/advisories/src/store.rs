//! The index as a file, and the directory that holds the current one.
//!
//! A file is the magic, the format (u32), the length of each section (u64), the SHA-256 of these lengths and the sections,
//! and then the sections, compressed with Zstandard. Numbers are little-endian.

use std::{
    fs::{self, File},
    io::{self, BufReader, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use events::Digest;

use crate::{
    IndexError,
    arena::{Arena, MAX_CONTENT_BYTES, SECTIONS, Sections, digest_of},
    provenance::{self, Provenance},
};

const MAGIC: &[u8; 8] = b"ATTSTADV";
/// 3: is searched where it lies; knows releases of distributions.
const FORMAT: u32 = 3;
const ZSTD_LEVEL: i32 = 3;
/// Most times that a section is taken to grow when it is unpacked before it has.
const LIKELY_RATIO: u64 = 32;

const POINTER: &str = "current";
const EXTENSION: &str = "index";
/// How many indexes before the current one are kept.
const KEPT_OLD: usize = 2;
/// How the name of a file begins that is not there yet.
const INCOMING: &str = ".tmp";
/// No file is written for so long.
const ABANDONED: Duration = Duration::from_secs(2 * 60 * 60);
/// How often the pointer is followed, should what it names be removed meanwhile.
const MAX_TRIES: usize = 3;

/// An index, and where its records come from if that is known.
pub(crate) struct Opened {
    pub(crate) arena: Arena,
    pub(crate) provenance: Option<Provenance>,
}

/// Reads and checks an index file, and what lies beside it.
pub(crate) fn open(path: &Path) -> Result<Opened, IndexError> {
    let arena = open_arena(path)?;
    let provenance = Provenance::open(path, &arena)?;
    Ok(Opened { arena, provenance })
}

fn open_arena(path: &Path) -> Result<Arena, IndexError> {
    let io = |error| IndexError::io(path, error);
    let damaged =
        |reason: &str| IndexError::Damaged { path: path.to_owned(), reason: reason.to_owned() };
    let file = File::open(path).map_err(io)?;
    let file_bytes = file.metadata().map_err(io)?.len();
    let mut file = BufReader::new(file);
    let mut cut_short = |bytes: &mut [u8]| match file.read_exact(bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true).map_err(io),
    };
    let (mut magic, mut format) = ([0; 8], [0; 4]);
    if !cut_short(&mut magic)? || magic != *MAGIC {
        return Err(IndexError::Foreign { path: path.to_owned() });
    }
    let has_format = cut_short(&mut format)?;
    let found = u32::from_le_bytes(format);
    if has_format && found != FORMAT {
        return Err(IndexError::Format { path: path.to_owned(), found, readable: FORMAT });
    }
    let (mut lengths, mut expected) = ([0; SECTIONS * 8], [0; 32]);
    if !has_format || !cut_short(&mut lengths)? || !cut_short(&mut expected)? {
        return Err(damaged("cut short"));
    }
    let sections = unpack(file, &lengths, file_bytes).map_err(|error| damaged(&error))?;
    let digest = digest_of(&sections);
    if *digest.as_bytes() != expected {
        return Err(damaged("its digest differs"));
    }
    Arena::new(sections, digest).map_err(|reason| damaged(&reason))
}

/// The sections of these lengths, from a file of so many bytes.
fn unpack(
    packed: impl io::BufRead,
    lengths: &[u8; SECTIONS * 8],
    file_bytes: u64,
) -> Result<Sections, String> {
    let (lengths, _) = lengths.as_chunks::<8>();
    let lengths = || lengths.iter().map(|it| u64::from_le_bytes(*it));
    let total = lengths().try_fold(0_u64, u64::checked_add);
    if total.is_none_or(|it| it > MAX_CONTENT_BYTES) {
        return Err("too large".to_owned());
    }
    let text = |error: io::Error| error.to_string();
    let mut content = zstd::stream::Decoder::with_buffer(packed).map_err(text)?;
    let mut sections: [Vec<u8>; SECTIONS] = Default::default();
    for (section, length) in sections.iter_mut().zip(lengths()) {
        let likely = length.min(file_bytes.saturating_mul(LIKELY_RATIO));
        section.reserve_exact(usize::try_from(likely).unwrap_or_default());
        let read = content.by_ref().take(length).read_to_end(section).map_err(text)?;
        if read as u64 != length {
            return Err("its length differs".to_owned());
        }
    }
    // Also checks the end of what is packed.
    match content.read(&mut [0]) {
        Ok(0) => Ok(Sections::of(sections)),
        Ok(_) => Err("its length differs".to_owned()),
        Err(error) => Err(text(error)),
    }
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
pub(crate) fn current(directory: &Path) -> Result<Option<Opened>, IndexError> {
    let mut tries = 1;
    loop {
        let Some(name) = pointer(directory)? else { return Ok(None) };
        let digest = digest_in(directory, &name)?;
        match open(&file_of(directory, digest)) {
            Err(IndexError::Io { source, .. })
                if source.kind() == io::ErrorKind::NotFound && tries < MAX_TRIES =>
            {
                tries += 1;
            }
            opened => return opened.and_then(|it| expected(directory, digest, it)).map(Some),
        }
    }
}

/// The index that the pointer names, which says `name`.
pub(crate) fn digest_in(directory: &Path, name: &str) -> Result<Digest, IndexError> {
    let digest = name.strip_suffix('\n').and_then(|it| it.parse().ok());
    let reason = "names no index".to_owned();
    digest.ok_or_else(|| IndexError::Damaged { path: directory.join(POINTER), reason })
}

/// The index of that digest; none if it is not there.
pub(crate) fn of_digest(directory: &Path, digest: Digest) -> Result<Option<Opened>, IndexError> {
    match open(&file_of(directory, digest)) {
        Err(IndexError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.and_then(|it| expected(directory, digest, it)).map(Some),
    }
}

fn expected(directory: &Path, digest: Digest, opened: Opened) -> Result<Opened, IndexError> {
    let found = opened.arena.digest();
    if found == digest {
        return Ok(opened);
    }
    let reason = format!("holds another index, {found}");
    Err(IndexError::Damaged { path: file_of(directory, digest), reason })
}

/// Writes the files, then the pointer, then removes what is old.
pub(crate) fn save(opened: &Opened, directory: &Path) -> Result<(), IndexError> {
    let Opened { arena, provenance } = opened;
    fs::create_dir_all(directory).map_err(|error| IndexError::io(directory, error))?;
    let file = file_of(directory, arena.digest());
    replace(directory, &file, |new| pack(arena, new))?;
    if let Some(provenance) = provenance {
        provenance.save(directory, &file)?;
    }
    let pointer = format!("{}\n", arena.digest());
    replace(directory, &directory.join(POINTER), |new| new.write_all(pointer.as_bytes()))?;
    remove_old(directory, &file)
        .and_then(|()| provenance::remove_orphans(directory))
        .and_then(|()| remove_abandoned(directory, &file))
        .map_err(|error| IndexError::io(directory, error))
}

/// Whether the index is there that the file beside it belongs to.
pub(crate) fn is_kept(beside: &Path) -> bool {
    beside.with_extension(EXTENSION).exists()
}

fn pack(arena: &Arena, file: &mut File) -> io::Result<()> {
    let sections = arena.sections().all();
    let mut header = Vec::from(*MAGIC);
    header.extend_from_slice(&FORMAT.to_le_bytes());
    sections.iter().for_each(|it| header.extend_from_slice(&(it.len() as u64).to_le_bytes()));
    header.extend_from_slice(arena.digest().as_bytes());
    file.write_all(&header)?;
    let mut encoder = zstd::stream::Encoder::new(file, ZSTD_LEVEL)?;
    sections.iter().try_for_each(|it| encoder.write_all(it))?;
    encoder.finish().map(|_| ())
}

fn file_of(directory: &Path, digest: Digest) -> PathBuf {
    directory.join(digest.hex()).with_extension(EXTENSION)
}

/// Puts what `write` writes in the place of `file` at once, and on the disk before it returns.
pub(crate) fn replace(
    directory: &Path,
    file: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), IndexError> {
    let put = || -> io::Result<()> {
        // Whoever matches need not be who syncs.
        let permissions = fs::Permissions::from_mode(0o644);
        let mut builder = tempfile::Builder::new();
        let mut new = builder.prefix(INCOMING).permissions(permissions).tempfile_in(directory)?;
        write(new.as_file_mut())?;
        new.as_file().sync_all()?;
        new.persist(file).map_err(|error| error.error)?;
        File::open(directory)?.sync_all()
    };
    put().map_err(|error| IndexError::io(file, error))
}

/// Removes what a process left that was killed while it wrote, long before the newest index was written.
fn remove_abandoned(directory: &Path, newest: &Path) -> io::Result<()> {
    let now = fs::metadata(newest)?.modified()?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_incoming = entry.file_name().to_string_lossy().starts_with(INCOMING);
        // Another process may finish or remove it meanwhile.
        let written = entry.metadata().and_then(|it| it.modified());
        let age = written.ok().and_then(|it| now.duration_since(it).ok());
        if is_incoming && age.is_some_and(|it| it > ABANDONED) {
            fs::remove_file(entry.path()).ok();
        }
    }
    Ok(())
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
