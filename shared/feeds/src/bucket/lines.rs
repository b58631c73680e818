//! `modified_id.csv`: when each record was changed, as `2024-08-15T00:05:00Z,PYSEC-2024-1`, the newest first.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use events::Digester;
use jiff::Timestamp;

use crate::FeedError;

/// Most lines; all of OSV has half of it, in one folder.
pub(crate) const MAX_LINES: usize = 3_000_000;
/// Longest line, in bytes.
const MAX_LINE_BYTES: u64 = 256;
/// Longest id, in bytes.
const MAX_ID_BYTES: usize = 128;

/// One line: a record, and when it was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) at: Timestamp,
    pub(crate) id: &'a str,
}

/// What stands for a line: the same time and id, however they are written.
pub(crate) type Key = [u8; 16];

/// What came of reading a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) usable: u64,
    pub(crate) unusable: u64,
    /// Number of the first line that cannot be used, and why.
    pub(crate) first: Option<(u64, &'static str)>,
}

impl Tally {
    /// An error where lines were left out.
    pub(crate) fn told(self) -> Result<(), FeedError> {
        match self.first {
            Some((line, reason)) => Err(FeedError::Lines { count: self.unusable, line, reason }),
            None => Ok(()),
        }
    }
}

/// Gives each line that can be used to `take`, one in memory at a time.
pub(crate) fn read(path: &Path, take: impl FnMut(Line<'_>)) -> Result<Tally, FeedError> {
    let read = File::open(path).and_then(|file| read_from(BufReader::new(file), take));
    let tally = read.map_err(|error| FeedError::io(path, error))?;
    match tally.usable + tally.unusable > MAX_LINES as u64 {
        true => {
            Err(FeedError::part(super::LIST, FeedError::Foreign("list of 3 million lines at most")))
        }
        false => Ok(tally),
    }
}

fn read_from(mut source: impl BufRead, mut take: impl FnMut(Line<'_>)) -> std::io::Result<Tally> {
    let mut tally = Tally::default();
    let mut buffer = Vec::new();
    for number in 1..=MAX_LINES as u64 + 1 {
        buffer.clear();
        let size = source.by_ref().take(MAX_LINE_BYTES + 1).read_until(b'\n', &mut buffer)?;
        if size == 0 {
            break;
        }
        let parsed = if size as u64 > MAX_LINE_BYTES {
            source.skip_until(b'\n')?;
            Err("it is too long")
        } else {
            Line::parse(buffer.trim_ascii_end())
        };
        match parsed {
            Ok(line) => {
                tally.usable += 1;
                take(line);
            }
            Err(_) if buffer.trim_ascii().is_empty() => {}
            Err(reason) => {
                tally.unusable += 1;
                tally.first.get_or_insert((number, reason));
            }
        }
    }
    Ok(tally)
}

impl<'a> Line<'a> {
    fn parse(text: &'a [u8]) -> Result<Self, &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| "it is no UTF-8")?;
        let (at, id) = text.split_once(',').ok_or("it is no time, comma and id")?;
        let at =
            at.parse().map_err(|_| "it does not begin with a time like 2024-08-15T00:05:00Z")?;
        if id.contains('/') {
            return Err("its id names a folder; the URL must be that of one ecosystem's folder");
        }
        if !is_id(id) {
            return Err(
                "its id is none: letters, digits, `-`, `_`, `.` and `:`, 128 bytes at most",
            );
        }
        Ok(Self { at, id })
    }

    pub(crate) fn key(&self) -> Key {
        let mut digester = Digester::default();
        digester.update(&self.at.as_nanosecond().to_le_bytes());
        digester.update(self.id.as_bytes());
        let mut key = Key::default();
        key.copy_from_slice(&digester.finish().as_bytes()[..size_of::<Key>()]);
        key
    }
}

/// Whether a text may become part of a path and of a URL: no other folder, no hidden file, nothing to be escaped.
fn is_id(text: &str) -> bool {
    let is_part = |it: u8| it.is_ascii_alphanumeric() || b"-_.:".contains(&it);
    let begins = text.bytes().next().is_some_and(|it| it.is_ascii_alphanumeric());
    begins && text.len() <= MAX_ID_BYTES && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &[u8]) -> (Vec<String>, Tally) {
        let mut ids = Vec::new();
        let tally = read_from(text, |line| ids.push(line.id.to_owned())).unwrap();
        (ids, tally)
    }

    #[test]
    fn lines_are_times_and_ids() {
        let text = b"2024-08-15T00:05:00.123456Z,PYSEC-2024-1\r\n\n2023-01-01T00:00:00+00:00,RHSA-2024:1_a.b";
        let (ids, tally) = ids(text);
        assert_eq!(ids, ["PYSEC-2024-1", "RHSA-2024:1_a.b"]);
        assert_eq!(tally, Tally { usable: 2, unusable: 0, first: None });
    }

    #[test]
    fn what_could_lead_elsewhere_is_no_id() {
        let long = "A".repeat(MAX_ID_BYTES + 1);
        for id in [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "a/b",
            "/etc/passwd",
            "a\\b",
            "..%2f..%2fa",
            ".hidden",
            "-r",
            "A B",
            "A\u{0}",
            "A?x",
            "A#x",
            "A\tB",
            "\"A\"",
            "É",
            "A,B",
            long.as_str(),
        ] {
            let text = format!("2024-08-15T00:05:00Z,{id}\n2024-08-15T00:05:00Z,GOOD-1\n");
            let (ids, tally) = ids(text.as_bytes());
            assert_eq!((ids, tally.unusable), (vec!["GOOD-1".to_owned()], 1), "{id:?}");
            assert_eq!(tally.first.unwrap().0, 1, "{id:?}");
        }
    }

    #[test]
    fn other_text_is_told_by_its_line() {
        let endless = [b"2024-08-15T00:05:00Z,".as_slice(), &b"A".repeat(1_000_000)].concat();
        for (text, reason) in [
            (b"id".as_slice(), "no time, comma and id"),
            (b"yesterday,A", "begin with a time"),
            (b"2024-08-15T00:05:00Z,\xff", "no UTF-8"),
            (b"2024-08-15T00:05:00Z,PyPI/A", "names a folder"),
            (&endless, "too long"),
        ] {
            let (_, tally) = ids(&[b"2024-08-15T00:05:00Z,A\n", text, b"\n"].concat());
            let (line, why) = tally.first.unwrap();
            assert_eq!((line, tally.usable), (2, 1));
            assert!(why.contains(reason), "{why}");
        }
    }

    #[test]
    fn same_time_and_id_have_one_key_however_they_are_written() {
        let key = |text: &str| Line::parse(text.as_bytes()).unwrap().key();
        let one = key("2024-08-15T00:05:00Z,A");
        assert_eq!(one, key("2024-08-15T02:05:00.000+02:00,A"));
        assert_ne!(one, key("2024-08-15T00:05:00Z,B"));
        assert_ne!(one, key("2024-08-15T00:05:00.000000001Z,A"));
    }
}
