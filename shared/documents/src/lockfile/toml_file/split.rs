//! TOML files taken apart at the headers of an array of tables, and weighed, without parsing them.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memchr3, memmem};

use crate::both::both;

/// Most that one byte can weigh.
pub(super) const MAX_WEIGHT_OF_BYTE: usize = DOT_WEIGHT;
/// Weight of a dot in a key: it makes a table of its own.
const DOT_WEIGHT: usize = 8;
/// Weight of an opening bracket: it may be a table header, which has no other mark.
const BRACKET_WEIGHT: usize = 2;
/// From so many bytes on, a thread more costs less than it saves.
const MANY_BYTES: usize = 256 * 1024;

/// A file taken apart.
#[derive(Debug, PartialEq)]
pub(super) struct Split<'a> {
    /// All that is not in the array, one after the other.
    pub(super) rest: Cow<'a, str>,
    /// Where each part of it begins, in `rest` and in the file.
    pub(super) rest_parts: Vec<(usize, usize)>,
    /// Each table of the array with what belongs to it, and where it begins in the file.
    pub(super) tables: Vec<(usize, &'a str)>,
    /// What parsing all of it costs.
    pub(super) weight: usize,
}

impl<'a> Split<'a> {
    /// Takes `text` apart at each `[[key]]`; nothing if only a parser can tell where they are: where
    /// strings have several lines, and where a table of the array goes on further down.
    ///
    /// A line is a header if it begins with `[` and no bracket is open before it, which a parser
    /// would not read otherwise.
    pub(super) fn of(text: &'a str, key: &str) -> Option<Self> {
        Self::in_two(text, key, middle(text, key))
    }

    /// As [`of`](Self::of), by two threads where there is a `middle`, at what looks like a header.
    fn in_two(text: &'a str, key: &str, middle: Option<usize>) -> Option<Self> {
        let scans = match middle {
            None => vec![Scan::of(text, 0..text.len(), key)?],
            Some(middle) => {
                let (first, second) = both(
                    || Scan::of(text, 0..middle, key),
                    || Scan::of(text, middle..text.len(), key),
                );
                let first = first?;
                match first.depth {
                    0 => vec![first, second?],
                    // What looks like a header in the middle is something else.
                    _ => vec![Scan::of(text, 0..text.len(), key)?],
                }
            }
        };
        let mut split =
            Self { rest: "".into(), rest_parts: vec![(0, 0)], tables: Vec::new(), weight: 0 };
        for scan in scans {
            split.weight += scan.weight;
            scan.parts.into_iter().for_each(|part| split.push(part));
        }
        Some(split)
    }

    fn push(&mut self, Part { text, offset, is_table }: Part<'a>) {
        if is_table {
            self.tables.push((offset, text));
        } else if !text.is_empty() {
            self.rest_parts.push((self.rest.len(), offset));
            // Most files have one such part, which needs no copy.
            match self.rest.is_empty() {
                true => self.rest = text.into(),
                false => self.rest.to_mut().push_str(text),
            }
        }
    }
}

/// A table of the array with what belongs to it, or what stands between such tables.
struct Part<'a> {
    text: &'a str,
    /// Where it begins in the file.
    offset: usize,
    is_table: bool,
}

/// What was found in a stretch of a file.
struct Scan<'a> {
    parts: Vec<Part<'a>>,
    weight: usize,
    /// How many brackets are open at its end.
    depth: usize,
}

impl<'a> Scan<'a> {
    /// Takes the lines of `range` apart; nothing as for [`Split::of`].
    fn of(text: &'a str, range: Range<usize>, key: &str) -> Option<Self> {
        if has_long_strings(&text[range.clone()]) {
            return None;
        }
        let (table, below) = (format!("[[{key}]]"), format!("{key}."));
        let mut scan = Self { parts: Vec::new(), weight: 0, depth: 0 };
        let (mut begin, mut in_table) = (range.start, false);
        let part = |begin, end, is_table| Part { text: &text[begin..end], offset: begin, is_table };
        let mut marks = Marks { bytes: &text.as_bytes()[..range.end], at: begin };
        loop {
            let line = marks.at;
            let header = if scan.depth == 0 { without_blanks(&text[line..range.end]) } else { "" };
            if header.starts_with('[') {
                let starts_table = header.starts_with(&table);
                let goes_on = header.trim_start_matches('[').starts_with(&below);
                if goes_on && !in_table {
                    return None;
                }
                if starts_table || (in_table && !goes_on) {
                    scan.parts.push(part(begin, line, in_table));
                    (begin, in_table) = (line, starts_table);
                }
            }
            loop {
                match marks.next() {
                    Some(b'\n') => break,
                    Some(mark) => {
                        scan.weight += mark_weight(mark);
                        scan.depth = depth_after(mark, scan.depth);
                    }
                    None => {
                        scan.parts.push(part(begin, range.end, in_table));
                        return Some(scan);
                    }
                }
            }
        }
    }
}

fn without_blanks(line: &str) -> &str {
    let blanks = line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &line[blanks..]
}

/// Where to cut a large text in two: at the first `[[key]]` of its second half that begins a line.
fn middle(text: &str, key: &str) -> Option<usize> {
    let half = text.len() / 2;
    let header = format!("\n[[{key}]]");
    let found = memmem::find(&text.as_bytes()[half..], header.as_bytes());
    found.filter(|_| text.len() >= MANY_BYTES).map(|at| half + at + 1)
}

/// Where in the file byte `offset` of the rest stands, whose parts begin at `parts`.
pub(super) fn in_file(parts: &[(usize, usize)], offset: usize) -> usize {
    let after = parts.partition_point(|(in_rest, _)| *in_rest <= offset);
    let (in_rest, in_file) = parts.get(after.saturating_sub(1)).copied().unwrap_or_default();
    in_file + (offset - in_rest)
}

/// What parsing `text` costs: its marks, those in strings left out.
pub(super) fn weight(text: &str) -> usize {
    // Lockfiles have no strings of several lines; where there are some, every mark counts.
    if has_long_strings(text) {
        return text.bytes().map(mark_weight).sum();
    }
    Marks { bytes: text.as_bytes(), at: 0 }.map(mark_weight).sum()
}

fn has_long_strings(text: &str) -> bool {
    let has = |quotes: &str| memmem::find(text.as_bytes(), quotes.as_bytes()).is_some();
    has("\"\"\"") || has("'''")
}

/// How many brackets are open after `mark`, if `depth` were before it.
fn depth_after(mark: u8, depth: usize) -> usize {
    match mark {
        b'[' | b'{' => depth + 1,
        b']' | b'}' => depth.saturating_sub(1),
        _ => depth,
    }
}

/// Every byte that begins or ends a key, value or line, and is neither in a string nor in a comment.
struct Marks<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Iterator for Marks<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            let rest = &self.bytes[self.at..];
            let Some(at) = rest.iter().position(|&byte| IS_MARK[usize::from(byte)]) else {
                self.at = self.bytes.len();
                return None;
            };
            self.at += at + 1;
            match rest[at] {
                b'#' => self.skip(memchr(b'\n', &self.bytes[self.at..])),
                b'\'' => self.end_string(|rest| memchr2(b'\'', b'\n', rest)),
                b'"' => self.end_string(|rest| memchr3(b'"', b'\\', b'\n', rest)),
                mark => return Some(mark),
            }
        }
    }
}

impl Marks<'_> {
    /// Goes on at what was found; at the end of the text where nothing was.
    fn skip(&mut self, found: Option<usize>) {
        self.at += found.unwrap_or(self.bytes.len() - self.at);
    }

    /// Passes over a string with its closing quote; one without any ends with its line.
    fn end_string(&mut self, find: impl Fn(&[u8]) -> Option<usize>) {
        loop {
            self.skip(find(&self.bytes[self.at..]));
            match self.bytes[self.at..] {
                [] | [b'\n', ..] => return,
                // What is escaped may be a quote, which ends nothing.
                [b'\\', next, ..] if next != b'\n' => self.at += 2,
                [b'\\', ..] => self.at += 1,
                _ => {
                    self.at += 1;
                    return;
                }
            }
        }
    }
}

const IS_MARK: [bool; 256] = {
    let mut is_mark = [false; 256];
    let marks = b"#'\"[]{}.=,\n";
    let mut at = 0;
    while at < marks.len() {
        is_mark[marks[at] as usize] = true;
        at += 1;
    }
    is_mark
};

fn mark_weight(byte: u8) -> usize {
    match byte {
        b'.' => DOT_WEIGHT,
        b'[' => BRACKET_WEIGHT,
        b'=' | b',' | b'{' => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Split;

    const LINES: [&str; 16] = [
        "[[package]]",
        "  [[package]] # again",
        "[package.metadata]",
        "[[package.files]]",
        "[other]",
        "[[others]]",
        "name = \"a.b\"",
        "list = [",
        "[\"x\"],",
        "]",
        "table = { a = 1, b = '[' }",
        "quoted = \"\\\"[[package]]\"",
        "# it's a [",
        "open = \"{[",
        "long = \"\"\"",
        "long = \'\'\'",
    ];

    proptest! {
        #[test]
        fn two_halves_are_as_one(
            lines in prop::collection::vec(prop::sample::select(&LINES[..]), 0..12),
        ) {
            let text = lines.join("\n");
            let whole = Split::in_two(&text, "package", None);
            for (at, _) in text.match_indices("\n[[package]]") {
                prop_assert_eq!(&Split::in_two(&text, "package", Some(at + 1)), &whole);
            }
        }
    }
}
