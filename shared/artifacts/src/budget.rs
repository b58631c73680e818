//! What may still be read of an artifact, counted as it is read.

use std::{
    cell::Cell,
    io::{self, Read},
    rc::Rc,
};

use crate::Limits;

/// From here on the ratio of unpacked to packed bytes is watched: small files may be all zeros.
const RATIO_WATCHED_FROM: u64 = 64 * 1024 * 1024;

/// What may still be read.
pub(crate) struct Budget {
    unpacked: Cell<u64>,
    entries: Cell<u64>,
    findings: Rc<Cell<u64>>,
    held: Rc<Cell<u64>>,
    ratio: u64,
}

impl Budget {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            unpacked: Cell::new(limits.unpacked_bytes),
            entries: Cell::new(limits.entries),
            findings: Rc::new(Cell::new(limits.findings)),
            held: Rc::new(Cell::new(limits.held_bytes)),
            ratio: limits.ratio,
        }
    }

    /// Runs `read` with half of what is left, so that one bomb leaves enough for all else.
    pub(crate) fn with_share<T>(&self, read: impl FnOnce(&Self) -> T) -> T {
        let share = Self {
            unpacked: Cell::new(self.unpacked.get() / 2),
            entries: Cell::new(self.entries.get() / 2),
            findings: Rc::clone(&self.findings),
            held: Rc::clone(&self.held),
            ratio: self.ratio,
        };
        let (unpacked, entries) = (share.unpacked.get(), share.entries.get());
        let result = read(&share);
        self.unpacked.set(self.unpacked.get() - (unpacked - share.unpacked.get()));
        self.entries.set(self.entries.get() - (entries - share.entries.get()));
        result
    }

    /// Counts one entry of an archive.
    pub(crate) fn entry(&self) -> io::Result<()> {
        let left = self.entries.get().checked_sub(1);
        self.entries.set(left.ok_or_else(|| io::Error::other("has more entries than are read"))?);
        Ok(())
    }

    /// Counts one file that says something, if there is room for another.
    pub(crate) fn finding(&self) -> bool {
        let left = self.findings.get().checked_sub(1);
        self.findings.set(left.unwrap_or(0));
        left.is_some()
    }

    /// `packed` as it unpacks, watched for bombs.
    pub(crate) fn unpack<'a>(
        &'a self,
        packed: Box<dyn Read + 'a>,
        decoder: impl FnOnce(Counted<'a>) -> io::Result<Box<dyn Read + 'a>>,
    ) -> io::Result<Box<dyn Read + 'a>> {
        let read = Rc::new(Cell::new(0));
        let counted = Counted { inner: packed, read: Rc::clone(&read) };
        Ok(Box::new(Unpacked { inner: decoder(counted)?, packed: read, unpacked: 0, budget: self }))
    }

    /// All that `reader` has left, if it is at most `limit` bytes and there is memory for them.
    pub(crate) fn hold(&self, reader: &mut dyn Read, limit: u64) -> io::Result<Held> {
        let mut held = Held { bytes: Vec::new(), counted: 0, left: Rc::clone(&self.held) };
        let mut piece = vec![0; 64 * 1024];
        loop {
            let read = match reader.read(&mut piece) {
                Ok(0) => return Ok(held),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if held.counted + read as u64 > limit {
                return Err(io::Error::other(format!(
                    "has more than the {limit} bytes that are read"
                )));
            }
            let left = self.held.get().checked_sub(read as u64);
            self.held
                .set(left.ok_or_else(|| io::Error::other("needs more memory than is set aside"))?);
            held.counted += read as u64;
            held.bytes.extend_from_slice(&piece[..read]);
        }
    }
}

/// Bytes in memory that are counted as long as they are there.
pub(crate) struct Held {
    bytes: Vec<u8>,
    counted: u64,
    left: Rc<Cell<u64>>,
}

impl std::ops::Deref for Held {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.left.set(self.left.get() + self.counted);
    }
}

/// A reader that knows how many bytes came from it.
pub(crate) struct Counted<'a> {
    inner: Box<dyn Read + 'a>,
    read: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read.set(self.read.get() + read as u64);
        Ok(read)
    }
}

struct Unpacked<'a> {
    inner: Box<dyn Read + 'a>,
    packed: Rc<Cell<u64>>,
    unpacked: u64,
    budget: &'a Budget,
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked += read as u64;
        let left = self.budget.unpacked.get().checked_sub(read as u64);
        let left = left.ok_or_else(|| io::Error::other("unpacks to more bytes than are read"))?;
        self.budget.unpacked.set(left);
        let most = self.packed.get().saturating_mul(self.budget.ratio);
        if self.unpacked > RATIO_WATCHED_FROM.max(most) {
            let ratio = self.budget.ratio;
            let reason = format!("unpacks to more than {ratio} times its size, as bombs do");
            return Err(io::Error::other(reason));
        }
        Ok(read)
    }
}
