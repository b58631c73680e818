//! Tar archives, entry by entry, with nothing kept (POSIX.1-2017 pax; GNU tar's long names).

use std::io::{self, Read};

use crate::budget::Budget;

const BLOCK: usize = 512;
/// Longest name that GNU tar's own entries may give, and longest list of pax records, in bytes.
const MAX_EXTENSION_BYTES: u64 = 1024 * 1024;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Folder,
    Symlink,
    /// A file whose holes are left out, so that its bytes lie elsewhere than one would think.
    Sparse,
    /// Another name of a file, a device or a pipe.
    Other,
}

/// One entry of an archive.
#[derive(Debug)]
pub(crate) struct Entry {
    /// As the archive has it, unchecked.
    pub(crate) path: Vec<u8>,
    pub(crate) kind: EntryKind,
    /// Where a symbolic link leads.
    pub(crate) target: Vec<u8>,
    /// Where its bytes begin in the archive.
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// Whether `head` begins as a tar archive does.
pub(crate) fn is_tar(head: &[u8]) -> bool {
    head.first_chunk::<BLOCK>().is_some_and(|block| block[0] != 0 && checksum_fits(block))
}

/// Calls `visit` with every entry and its bytes, of which it may leave any.
pub(crate) fn each(
    archive: &mut dyn Read,
    budget: &Budget,
    visit: &mut dyn FnMut(&Entry, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut archive = Positioned { inner: archive, position: 0 };
    let mut said = Extensions::default();
    while let Some(block) = archive.block()? {
        budget.entry()?;
        let mut size = number(&block[124..136])?;
        match block[156] {
            b'L' => said.path = Some(until_nul(&archive.extension(size)?).to_vec()),
            b'K' => said.target = Some(until_nul(&archive.extension(size)?).to_vec()),
            b'x' | b'X' => said.pax(&archive.extension(size)?)?,
            b'g' => archive.skip(size.next_multiple_of(BLOCK as u64))?,
            flag => {
                let said = std::mem::take(&mut said);
                size = if has_bytes(flag) { said.size.unwrap_or(size) } else { 0 };
                if flag == b'S' {
                    archive.skip_sparse_maps(&block)?;
                }
                let entry = said.entry(&block, archive.position, size);
                let end = archive.position.checked_add(size).ok_or_else(broken)?;
                visit(&entry, &mut (&mut archive).take(size))?;
                let padding = size.next_multiple_of(BLOCK as u64) - size;
                let left = end - archive.position;
                archive.skip(left + padding)?;
            }
        }
    }
    // To the end, so that checksums are verified that come behind the zeros.
    io::copy(&mut archive, &mut io::sink())?;
    Ok(())
}

/// What entries before an entry say of it.
#[derive(Default)]
struct Extensions {
    path: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

impl Extensions {
    /// Records `LENGTH KEY=VALUE\n` (pax Extended Header).
    fn pax(&mut self, mut records: &[u8]) -> io::Result<()> {
        while !until_nul(records).is_empty() {
            let space = records.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
            let length: usize = text(&records[..space]).parse().map_err(|_| broken())?;
            let record = records.get(space + 1..length).ok_or_else(broken)?;
            records = &records[length..];
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
            let value = &record[equals + 1..];
            match &record[..equals] {
                b"path" => self.path = Some(value.to_vec()),
                b"linkpath" => self.target = Some(value.to_vec()),
                b"size" => self.size = Some(text(value).parse().map_err(|_| broken())?),
                key if key.starts_with(b"GNU.sparse.") => {
                    self.is_sparse = true;
                    if key == b"GNU.sparse.name" {
                        self.path = Some(value.to_vec());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn entry(self, block: &[u8; BLOCK], offset: u64, size: u64) -> Entry {
        let path = self.path.unwrap_or_else(|| {
            let (name, prefix) = (until_nul(&block[..100]), until_nul(&block[345..500]));
            // GNU tar has times where POSIX has the beginning of the path.
            match &block[257..263] == b"ustar\0" && !prefix.is_empty() {
                true => [prefix, b"/", name].concat(),
                false => name.to_vec(),
            }
        });
        let kind = match block[156] {
            b'S' => EntryKind::Sparse,
            _ if self.is_sparse => EntryKind::Sparse,
            b'5' => EntryKind::Folder,
            b'2' => EntryKind::Symlink,
            // Before POSIX, a folder was a file with a slash at its end.
            b'0' | b'7' | 0 if path.ends_with(b"/") => EntryKind::Folder,
            b'0' | b'7' | 0 => EntryKind::File,
            _ => EntryKind::Other,
        };
        let target = self.target.unwrap_or_else(|| until_nul(&block[157..257]).to_vec());
        Entry { path, kind, target, offset, size }
    }
}

struct Positioned<'a> {
    inner: &'a mut dyn Read,
    position: u64,
}

impl Read for Positioned<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Positioned<'_> {
    /// The next header, unless the archive ends here, with or without the zeros that should end it.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(truncated()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if block.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if checksum_fits(&block) { Ok(Some(block)) } else { Err(broken()) }
    }

    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_EXTENSION_BYTES {
            return Err(io::Error::other(
                "its tar archive has a name of more than a million bytes",
            ));
        }
        let mut bytes = Vec::new();
        self.take(size).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < size {
            return Err(truncated());
        }
        self.skip(size.next_multiple_of(BLOCK as u64) - size)?;
        Ok(bytes)
    }

    /// GNU tar's maps of holes that did not fit the header.
    fn skip_sparse_maps(&mut self, header: &[u8; BLOCK]) -> io::Result<()> {
        let mut more = header[482] != 0;
        while more {
            let mut map = [0; BLOCK];
            self.read_exact(&mut map)?;
            more = map[504] != 0;
        }
        Ok(())
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        match io::copy(&mut self.take(bytes), &mut io::sink())? {
            skipped if skipped < bytes => Err(truncated()),
            _ => Ok(()),
        }
    }
}

/// Links, devices, folders and pipes have none, whatever their header says.
fn has_bytes(flag: u8) -> bool {
    !(b'1'..=b'6').contains(&flag)
}

fn checksum_fits(block: &[u8; BLOCK]) -> bool {
    let Ok(expected) = number(&block[148..156]) else { return false };
    let counted = |at: usize| if (148..156).contains(&at) { b' ' } else { block[at] };
    let unsigned: u64 = (0..BLOCK).map(|at| u64::from(counted(at))).sum();
    // Some old programs summed signed bytes.
    let signed: i64 = (0..BLOCK).map(|at| i64::from(counted(at).cast_signed())).sum();
    expected == unsigned || u64::try_from(signed) == Ok(expected)
}

/// A number in octal digits, or in binary behind a byte that has but its first bit (GNU tar).
fn number(field: &[u8]) -> io::Result<u64> {
    if let [0x80, digits @ ..] = field {
        let add = |value: u64, digit: &u8| value.checked_mul(256).map(|it| it | u64::from(*digit));
        let value = digits.iter().try_fold(0, add).filter(|value| *value < 1 << 62);
        return value.ok_or_else(broken);
    }
    match text(until_nul(field)).trim_matches(' ') {
        "" => Ok(0),
        digits => u64::from_str_radix(digits, 8).map_err(|_| broken()),
    }
}

fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("?")
}

fn broken() -> io::Error {
    io::Error::other("its tar archive is broken; what comes after is not read")
}

fn truncated() -> io::Error {
    io::Error::other("its tar archive is cut off; build or download it again")
}
