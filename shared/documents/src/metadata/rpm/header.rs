//! The header structure of rpm (its manual, "RPM V4 Package format"), as stored without magic: two
//! counts, an index of 16 bytes for each tag, and the store that the index points into.

use std::borrow::Cow;

use super::super::error::Fault;
use crate::lockfile::{MAX_LOCKFILE_BYTES, Problem};

pub(super) const NAME: u32 = 1000;
pub(super) const VERSION: u32 = 1001;
pub(super) const RELEASE: u32 = 1002;
pub(super) const EPOCH: u32 = 1003;
pub(super) const VENDOR: u32 = 1011;
pub(super) const LICENSE: u32 = 1014;
pub(super) const ARCH: u32 = 1022;
pub(super) const SOURCERPM: u32 = 1044;
pub(super) const PROVIDENAME: u32 = 1047;
pub(super) const REQUIRENAME: u32 = 1049;
const DIRINDEXES: u32 = 1116;
const BASENAMES: u32 = 1117;
const DIRNAMES: u32 = 1118;

/// Types of values.
const INT32: u32 = 4;
const STRING: u32 = 6;
const STRING_ARRAY: u32 = 8;
const I18N_STRING: u32 = 9;

/// Most entries of an index, as in rpm itself.
const MAX_ENTRIES: usize = 0xFFFF;
/// Most texts of one tag: the largest packages have a third as many files.
const MAX_VALUES: usize = 1_000_000;
/// Longest path of a file that another package may need.
const MAX_PATH_BYTES: usize = 255;
const ENTRY_BYTES: usize = 16;
const COUNTS_BYTES: usize = 8;

/// One package's header, whose counts and places are checked as they are used.
pub(super) struct Header<'a> {
    index: &'a [u8],
    store: &'a [u8],
}

/// One entry of the index.
struct Entry {
    tag: u32,
    kind: u32,
    offset: usize,
    count: usize,
}

impl<'a> Header<'a> {
    /// Takes `bytes` apart, which must be one header and nothing else.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        if bytes.len() > MAX_LOCKFILE_BYTES {
            return Err(Problem::TooLarge { bytes: bytes.len() }.into());
        }
        let (counts, rest) = bytes
            .split_at_checked(COUNTS_BYTES)
            .ok_or_else(|| broken("it ends before its counts do"))?;
        let (entries, store) = (number_at(counts, 0)?, number_at(counts, 4)?);
        if entries > MAX_ENTRIES {
            return Err(broken("it has more tags than rpm reads"));
        }
        let (index, rest) = rest
            .split_at_checked(entries * ENTRY_BYTES)
            .ok_or_else(|| broken("it ends within its index"))?;
        if rest.len() != store {
            return Err(broken("its store has another length than it says"));
        }
        Ok(Self { index, store: rest })
    }

    /// A tag that is one text.
    pub(super) fn text(&self, tag: u32) -> Result<Option<Cow<'a, str>>, Fault> {
        let Some(entry) = self.entry(tag)? else { return Ok(None) };
        if !matches!(entry.kind, STRING | I18N_STRING) {
            return Err(broken("a text has another type"));
        }
        Ok(self.strings(&Entry { count: 1, ..entry })?.pop())
    }

    /// A tag that is a list of texts; empty where there is none.
    pub(super) fn texts(&self, tag: u32) -> Result<Vec<Cow<'a, str>>, Fault> {
        match self.entry(tag)? {
            Some(entry) if entry.kind == STRING_ARRAY => self.strings(&entry),
            Some(_) => Err(broken("a list of texts has another type")),
            None => Ok(Vec::new()),
        }
    }

    /// A tag that is one number.
    pub(super) fn number(&self, tag: u32) -> Result<Option<usize>, Fault> {
        Ok(self.numbers(tag)?.first().copied())
    }

    /// Paths of the files that other packages may need by path: programs and settings. These are the
    /// files that repositories list in their primary index; others are needed by name of the package.
    pub(super) fn programs(&self) -> Result<Vec<Cow<'a, str>>, Fault> {
        let folders = self.texts(DIRNAMES)?;
        let (names, folder_of) = (self.texts(BASENAMES)?, self.numbers(DIRINDEXES)?);
        if names.len() != folder_of.len() {
            return Err(broken("its files and their folders differ in number"));
        }
        let mut programs = Vec::new();
        for (name, folder) in names.iter().zip(folder_of) {
            let folder = folders
                .get(folder)
                .ok_or_else(|| broken("a file is in a folder that is not there"))?;
            let is_needed = folder.ends_with("bin/") || folder.starts_with("/etc/");
            if is_needed && folder.len() + name.len() <= MAX_PATH_BYTES {
                programs.push(format!("{folder}{name}").into());
            }
        }
        Ok(programs)
    }

    fn numbers(&self, tag: u32) -> Result<Vec<usize>, Fault> {
        let Some(Entry { kind, offset, count, .. }) = self.entry(tag)? else {
            return Ok(Vec::new());
        };
        if kind != INT32 {
            return Err(broken("a number has another type"));
        }
        let end = count.checked_mul(4).and_then(|bytes| bytes.checked_add(offset));
        let bytes = end.and_then(|end| self.store.get(offset..end));
        let bytes = bytes.ok_or_else(|| broken("numbers lie outside of its store"))?;
        bytes.chunks_exact(4).map(|number| number_at(number, 0)).collect()
    }

    fn strings(&self, entry: &Entry) -> Result<Vec<Cow<'a, str>>, Fault> {
        let mut rest = self
            .store
            .get(entry.offset..)
            .ok_or_else(|| broken("a text lies outside of its store"))?;
        if entry.count > MAX_VALUES {
            return Err(Problem::TooManyValues { limit: MAX_VALUES }.into());
        }
        let mut strings = Vec::new();
        for _ in 0..entry.count {
            let end = rest.iter().position(|&byte| byte == 0);
            let end = end.ok_or_else(|| broken("a text does not end within its store"))?;
            strings.push(super::words::decode(&rest[..end])?);
            rest = &rest[end + 1..];
        }
        Ok(strings)
    }

    /// The entry of `tag`.
    fn entry(&self, tag: u32) -> Result<Option<Entry>, Fault> {
        let mut found = None;
        for entry in self.index.chunks_exact(ENTRY_BYTES) {
            let entry = Entry {
                tag: u32::from_be_bytes(array_at(entry, 0)?),
                kind: u32::from_be_bytes(array_at(entry, 4)?),
                offset: number_at(entry, 8)?,
                count: number_at(entry, 12)?,
            };
            if entry.tag == tag && found.replace(entry).is_some() {
                return Err(broken("a tag is there twice"));
            }
        }
        Ok(found)
    }
}

fn number_at(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    let number = u32::from_be_bytes(array_at(bytes, at)?);
    usize::try_from(number).map_err(|_| broken("a number is too large"))
}

fn array_at(bytes: &[u8], at: usize) -> Result<[u8; 4], Fault> {
    let found = bytes.get(at..).and_then(|rest| rest.first_chunk());
    found.copied().ok_or_else(|| broken("a number is cut off"))
}

fn broken(how: &str) -> Fault {
    Problem::Syntax { message: format!("a package's header is broken: {how}") }.into()
}
