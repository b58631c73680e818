//! Compressed streams, told by their first bytes.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

use crate::contents::Scan;

/// Largest window of a compressed stream, as a power of two: what every decoder has to offer (RFC
/// 8878, 3.1.1.1.2), and what the best compression of whole layers takes.
const WINDOW_LOG: (u32, u32) = (23, 27);

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// What `bytes` unpack to, or themselves if they are not compressed.
pub(crate) fn unpacked<'a>(
    mut bytes: Box<dyn Read + 'a>,
    scan: Scan<'a>,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut head = Vec::new();
    (&mut bytes).take(4).read_to_end(&mut head)?;
    let packing = Packing::of(&head);
    let whole = Box::new(Cursor::new(head).chain(bytes));
    match packing {
        None => Ok(whole),
        Some(Packing::Gzip) => {
            scan.budget.unpack(whole, |packed| Ok(Box::new(MultiGzDecoder::new(packed))))
        }
        Some(Packing::Zstd) => scan.budget.unpack(whole, |packed| {
            let mut decoder = zstd::stream::read::Decoder::new(packed)?;
            decoder.window_log_max(if scan.depth == 0 { WINDOW_LOG.1 } else { WINDOW_LOG.0 })?;
            Ok(Box::new(decoder))
        }),
    }
}
