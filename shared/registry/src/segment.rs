//! One segment of the journal: records as compressed JSON Lines, bound to the segment before.

use std::{borrow::Cow, collections::BTreeMap, io::Read};

use base64::{Engine, prelude::BASE64_STANDARD};
use events::{Digest, Record};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What the first line of a segment says it is.
pub const FORMAT: &str = "attestry.segment.v1";
/// Media type of a segment.
pub const MEDIA_TYPE: &str = "application/vnd.attestry.segment.v1+zstd";
/// Largest segment in bytes, compressed or not; what says to be larger is not read.
pub const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// A segment that is being filled ends before it is larger than that, unless one record is.
pub const FULL_BYTES: u64 = 32 * 1024 * 1024;
const COMPRESSION_LEVEL: i32 = 3;
/// Memory that a segment may ask its reader to look back into, as a power of two.
const WINDOW_LOG_MAX: u32 = 26;

/// The first line of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// Its number; the first segment is 1.
    pub number: u64,
    /// Digest of the segment before, as it is stored; none for the first.
    pub previous: Option<Digest>,
    /// Position of its first record in the journal; the journal's first is 1.
    pub first: u64,
    /// Position of its last record.
    pub last: u64,
    /// How many records it holds.
    pub records: u64,
    /// When its first record was stored on its stream.
    pub from: Timestamp,
    /// When its last record was stored on its stream.
    pub until: Timestamp,
}

/// A segment that was read and found whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its first line.
    pub header: Header,
    /// Its records, in the order of the journal.
    pub records: Vec<Record>,
}

/// Why bytes are no segment.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// Larger than [`MAX_BYTES`] once decompressed.
    #[error("the segment is larger than {MAX_BYTES} bytes; this release writes none so large")]
    TooLarge,
    /// Not zstd, or damaged.
    #[error("the segment cannot be decompressed: {0}; restore it from a backup")]
    NotCompressed(std::io::Error),
    /// It could not be compressed.
    #[error("the segment cannot be compressed: {0}; check the machine's memory")]
    Compression(std::io::Error),
    /// A line is not what belongs there.
    #[error("line {line} of the segment: {problem}; restore it from a backup")]
    Line {
        /// Its number; the first line is 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    position: u64,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    sequence: u64,
    subject: Cow<'a, str>,
    stored_at: Timestamp,
    headers: Cow<'a, BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
}

/// `record` as the line of a segment, without its end of line.
pub fn line(position: u64, record: &Record) -> Result<Vec<u8>, SegmentError> {
    let text = std::str::from_utf8(&record.payload).ok();
    let line = Line {
        position,
        stream: Cow::Borrowed(&record.stream),
        sequence: record.sequence,
        subject: Cow::Borrowed(&record.subject),
        stored_at: record.stored_at,
        headers: Cow::Borrowed(&record.headers),
        payload: text.map(Cow::Borrowed),
        payload_base64: match text {
            Some(_) => None,
            None => Some(BASE64_STANDARD.encode(&record.payload)),
        },
    };
    serde_json::to_vec(&line)
        .map_err(|error| SegmentError::Line { line: 0, problem: error.to_string() })
}

/// Reads what [`line()`] wrote: the position and the record.
pub fn read_line(bytes: &[u8]) -> Result<(u64, Record), String> {
    let line: Line<'_> = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let payload = match (line.payload, line.payload_base64) {
        (Some(text), None) => text.into_owned().into_bytes(),
        (None, Some(text)) => {
            let bytes = BASE64_STANDARD.decode(text);
            bytes.map_err(|error| format!("`payload_base64` is not base64: {error}"))?
        }
        _ => return Err("it has not exactly one of `payload` and `payload_base64`".to_owned()),
    };
    let record = Record {
        stream: line.stream.into_owned(),
        sequence: line.sequence,
        subject: line.subject.into_owned(),
        stored_at: line.stored_at,
        headers: line.headers.into_owned(),
        payload,
    };
    Ok((line.position, record))
}

/// Makes a segment of `lines`. The same header and lines always give the same bytes.
pub fn encode<'a>(
    header: &Header,
    lines: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, SegmentError> {
    let mut raw = serde_json::to_vec(header)
        .map_err(|error| SegmentError::Line { line: 1, problem: error.to_string() })?;
    raw.push(b'\n');
    for line in lines {
        raw.extend_from_slice(line);
        raw.push(b'\n');
        if raw.len() as u64 > MAX_BYTES {
            return Err(SegmentError::TooLarge);
        }
    }
    zstd::bulk::compress(&raw, COMPRESSION_LEVEL).map_err(SegmentError::Compression)
}

/// Reads a segment and checks that it is whole in itself: as many records as its header says, at
/// contiguous positions.
pub fn decode(bytes: &[u8]) -> Result<Segment, SegmentError> {
    let raw = decompress(bytes)?;
    let mut lines = (1..).zip(raw.split(|byte| *byte == b'\n'));
    let wrong = |line, problem: String| SegmentError::Line { line, problem };
    let first_line = lines.next().map(|(_, line)| line).unwrap_or_default();
    let header: Header =
        serde_json::from_slice(first_line).map_err(|error| wrong(1, error.to_string()))?;
    if header.format != FORMAT {
        return Err(wrong(1, format!("`format` is not `{FORMAT}`")));
    }
    let mut records = Vec::new();
    let mut expected = header.first;
    let mut last_line = 1;
    for (number, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let (position, record) = read_line(line).map_err(|problem| wrong(number, problem))?;
        if position != expected {
            return Err(wrong(number, format!("`position` is {position}, not {expected}")));
        }
        expected = expected.saturating_add(1);
        last_line = number;
        records.push(record);
    }
    check(&header, &records).map_err(|problem| wrong(last_line, problem))?;
    Ok(Segment { header, records })
}

fn check(header: &Header, records: &[Record]) -> Result<(), String> {
    let (Some(first), Some(last)) = (records.first(), records.last()) else {
        return Err("no record follows".to_owned());
    };
    let found = records.len() as u64;
    if header.records != found || header.first.checked_add(found - 1) != Some(header.last) {
        let Header { first, last, records, .. } = header;
        return Err(format!(
            "the header says {records} records from {first} to {last}, but {found} lie here"
        ));
    }
    if header.from != first.stored_at || header.until != last.stored_at {
        return Err("`from` and `until` are not the times of the first and last record".to_owned());
    }
    Ok(())
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>, SegmentError> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(SegmentError::TooLarge);
    }
    let mut decoder =
        zstd::stream::read::Decoder::with_buffer(bytes).map_err(SegmentError::NotCompressed)?;
    decoder.window_log_max(WINDOW_LOG_MAX).map_err(SegmentError::NotCompressed)?;
    let mut raw = Vec::new();
    decoder.take(MAX_BYTES + 1).read_to_end(&mut raw).map_err(SegmentError::NotCompressed)?;
    if raw.len() as u64 > MAX_BYTES {
        return Err(SegmentError::TooLarge);
    }
    Ok(raw)
}
