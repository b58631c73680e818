//! Zip archives, entry by entry, with nothing kept (PKWARE APPNOTE.TXT 6.3.10).

use std::io::{self, Read, Seek, SeekFrom};

use flate2::{Crc, read::DeflateDecoder};

use crate::budget::Budget;

const END: [u8; 4] = *b"PK\x05\x06";
const END64_LOCATOR: [u8; 4] = *b"PK\x06\x07";
const END64: [u8; 4] = *b"PK\x06\x06";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const LOCAL: [u8; 4] = *b"PK\x03\x04";

/// How far before the end of the file the record that ends an archive may begin: its 22 bytes, and
/// a comment.
const END_BYTES: u64 = 22 + 0xffff;

/// One entry of an archive, as its directory has it.
pub(crate) struct Entry {
    /// As the archive has it, unchecked.
    pub(crate) name: Vec<u8>,
    pub(crate) is_encrypted: bool,
    method: u16,
    crc: u32,
    packed: u64,
    unpacked: u64,
    /// Where its local header begins.
    offset: u64,
}

/// A file that can be read at any place.
pub(crate) trait File: Read + Seek {}

impl<T: Read + Seek> File for T {}

/// Whether the file ends as a zip archive does; what comes before the archive does not matter.
pub(crate) fn is_zip(file: &mut dyn File) -> bool {
    matches!(Directory::find(file), Ok(Some(_)))
}

/// Calls `visit` with every entry, in the order of the directory; [`Entry::open`] gives its bytes.
pub(crate) fn each(
    file: &mut dyn File,
    budget: &Budget,
    visit: &mut dyn FnMut(&Entry, &mut dyn File) -> io::Result<()>,
) -> io::Result<()> {
    let directory = Directory::find(file)?.ok_or_else(|| broken("it has no directory"))?;
    let mut at = directory.start;
    let mut taken = 0;
    for _ in 0..directory.entries {
        if at >= directory.end {
            return Err(broken("its directory ends too early"));
        }
        budget.entry()?;
        let entry = directory.entry(file, &mut at)?;
        // Bombs let many entries share their bytes; they can be no more than the file has.
        taken += entry.packed.saturating_add(30);
        if taken > directory.start {
            return Err(broken("its entries overlap, as in bombs"));
        }
        visit(&entry, file)?;
    }
    Ok(())
}

impl Entry {
    /// The entry's bytes; their checksum is verified where they end.
    pub(crate) fn open<'a>(
        &self,
        file: &'a mut dyn File,
        budget: &'a Budget,
    ) -> io::Result<Box<dyn Read + 'a>> {
        file.seek(SeekFrom::Start(self.offset))?;
        let header: [u8; 30] = read(file)?;
        if header[..4] != LOCAL {
            return Err(broken("an entry is not where the directory says"));
        }
        let before = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
        file.seek(SeekFrom::Start(self.offset + 30 + before))?;
        let packed: Box<dyn Read + 'a> = Box::new(file.take(self.packed));
        let unpacked = budget.unpack(packed, |packed| match self.method {
            0 => Ok(Box::new(packed)),
            8 => Ok(Box::new(DeflateDecoder::new(packed))),
            93 => Ok(Box::new(zstd::stream::read::Decoder::new(packed)?)),
            other => {
                Err(io::Error::other(format!("is packed by method {other}, which is not known")))
            }
        })?;
        let checked =
            Checked { inner: unpacked, crc: Crc::new(), expected: self.crc, size: self.unpacked };
        Ok(Box::new(checked))
    }
}

/// Where the list of entries lies.
struct Directory {
    entries: u64,
    start: u64,
    end: u64,
    /// What all offsets are to be raised by: bytes before the archive, such as a script.
    before: u64,
}

impl Directory {
    fn find(file: &mut dyn File) -> io::Result<Option<Self>> {
        let length = file.seek(SeekFrom::End(0))?;
        let tail_at = length.saturating_sub(END_BYTES);
        file.seek(SeekFrom::Start(tail_at))?;
        let mut tail = Vec::new();
        file.take(END_BYTES).read_to_end(&mut tail)?;
        let fits = |at: &usize| {
            let record = tail.get(*at..*at + 22);
            record.is_some_and(|it| {
                it.starts_with(&END) && at + 22 + usize::from(u16_at(it, 20)) <= tail.len()
            })
        };
        let Some(at) = (0..tail.len().saturating_sub(21)).rev().find(fits) else { return Ok(None) };
        let record = &tail[at..];
        let end = tail_at + at as u64;
        let (entries, size, offset) = (u16_at(record, 10), u32_at(record, 12), u32_at(record, 16));
        let directory = if entries == u16::MAX || size == u32::MAX || offset == u32::MAX {
            Self::find64(file, end)?
        } else {
            None
        };
        Ok(directory.or_else(|| Self::of(entries.into(), size.into(), offset.into(), end)))
    }

    /// The directory that Zip64's own end record tells, if there is one.
    fn find64(file: &mut dyn File, end: u64) -> io::Result<Option<Self>> {
        let Some(locator_at) = end.checked_sub(20) else { return Ok(None) };
        file.seek(SeekFrom::Start(locator_at))?;
        let locator: [u8; 20] = read(file)?;
        if locator[..4] != END64_LOCATOR {
            return Ok(None);
        }
        // Where bytes come before the archive, the locator does not count them.
        for at in [u64_at(&locator, 8), locator_at.saturating_sub(56)] {
            if at > locator_at.saturating_sub(56) {
                continue;
            }
            file.seek(SeekFrom::Start(at))?;
            let record: [u8; 56] = read(file)?;
            if record[..4] == END64 {
                let (entries, size) = (u64_at(&record, 32), u64_at(&record, 40));
                return Ok(Self::of(entries, size, u64_at(&record, 48), at));
            }
        }
        Ok(None)
    }

    fn of(entries: u64, size: u64, offset: u64, end: u64) -> Option<Self> {
        let start = end.checked_sub(size)?;
        let before = start.checked_sub(offset)?;
        Some(Self { entries, start, end, before })
    }

    /// The entry whose record begins at `at`, which moves behind it.
    fn entry(&self, file: &mut dyn File, at: &mut u64) -> io::Result<Entry> {
        file.seek(SeekFrom::Start(*at))?;
        let record: [u8; 46] = read(file)?;
        if record[..4] != CENTRAL {
            return Err(broken("its directory has no entry where one should be"));
        }
        let lengths = [28, 30, 32].map(|field| usize::from(u16_at(&record, field)));
        let mut texts = vec![0; lengths[0] + lengths[1]];
        file.read_exact(&mut texts).map_err(|_| broken("its directory is cut off"))?;
        *at += 46 + lengths.iter().sum::<usize>() as u64;
        let (name, extra) = texts.split_at(lengths[0]);
        let mut sizes =
            [u32_at(&record, 24), u32_at(&record, 20), u32_at(&record, 42)].map(u64::from);
        large_sizes(extra, &mut sizes);
        let [unpacked, packed, offset] = sizes;
        let offset = offset.checked_add(self.before).filter(|it| *it < self.start);
        Ok(Entry {
            name: name.to_vec(),
            is_encrypted: u16_at(&record, 8) & 1 != 0,
            method: u16_at(&record, 10),
            crc: u32_at(&record, 16),
            packed,
            unpacked,
            offset: offset.ok_or_else(|| broken("an entry lies outside of it"))?,
        })
    }
}

/// Replaces those of `sizes` that did not fit 32 bits by those of the Zip64 field (4.5.3).
fn large_sizes(mut extra: &[u8], sizes: &mut [u64; 3]) {
    while extra.len() >= 4 {
        let (id, length) = (u16_at(extra, 0), usize::from(u16_at(extra, 2)));
        let Some(field) = extra.get(4..4 + length) else { return };
        if id == 1 {
            let mut values = field.chunks_exact(8).map(|value| u64_at(value, 0));
            for size in sizes.iter_mut().filter(|size| **size == u64::from(u32::MAX)) {
                *size = values.next().unwrap_or(*size);
            }
        }
        extra = &extra[4 + length..];
    }
}

struct Checked<'a> {
    inner: Box<dyn Read + 'a>,
    crc: Crc,
    expected: u32,
    size: u64,
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.crc.update(&buffer[..read]);
        let total = u64::from(self.crc.amount());
        let ends = read == 0 && !buffer.is_empty();
        if ends && (self.crc.sum() != self.expected || total != self.size & u64::from(u32::MAX)) {
            return Err(broken("an entry is not what its checksum says"));
        }
        Ok(read)
    }
}

fn read<const N: usize>(file: &mut dyn File) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).map_err(|_| broken("it is cut off"))?;
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

fn broken(why: &str) -> io::Error {
    io::Error::other(format!("its zip archive is broken: {why}; build or download it again"))
}
