//! TOML files taken apart at the headers of an array of tables, and weighed, without parsing them.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memmem};

/// Most that one byte can weigh.
pub(super) const MAX_WEIGHT_OF_BYTE: usize = DOT_WEIGHT;
/// Weight of a dot in a key: it makes a table of its own.
const DOT_WEIGHT: usize = 8;
/// Weight of an opening bracket: it may be a table header, which has no other mark.
const BRACKET_WEIGHT: usize = 2;

/// A file taken apart.
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
        if has_long_strings(text) {
            return None;
        }
        let (table, below) = (format!("[[{key}]]"), format!("[{key}."));
        let mut split =
            Self { rest: "".into(), rest_parts: vec![(0, 0)], tables: Vec::new(), weight: 0 };
        let (mut begin, mut in_table, mut offset, mut depth) = (0, false, 0, 0_usize);
        while offset < text.len() {
            let line = line_at(text, offset);
            let header = if depth == 0 { line.trim_start_matches([' ', '\t']) } else { "" };
            let starts_table = header.starts_with(&table);
            if starts_table || (header.starts_with('[') && in_table) {
                let goes_on = header.trim_start_matches('[').starts_with(&below[1..]);
                if starts_table || !goes_on {
                    split.push(&text[begin..offset], begin, in_table);
                    (begin, in_table) = (offset, starts_table);
                }
            } else if header.trim_start_matches('[').starts_with(&below[1..]) {
                return None;
            }
            for byte in marks(line) {
                split.weight += mark_weight(byte);
                depth = depth_after(byte, depth);
            }
            offset += line.len();
        }
        split.push(&text[begin..], begin, in_table);
        Some(split)
    }

    fn push(&mut self, part: &'a str, offset: usize, is_table: bool) {
        if is_table {
            self.tables.push((offset, part));
        } else if !part.is_empty() {
            self.rest_parts.push((self.rest.len(), offset));
            // Most files have one such part, which needs no copy.
            match self.rest.is_empty() {
                true => self.rest = part.into(),
                false => self.rest.to_mut().push_str(part),
            }
        }
    }
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
    text.lines().flat_map(marks).map(mark_weight).sum()
}

fn has_long_strings(text: &str) -> bool {
    let has = |quotes: &str| memmem::find(text.as_bytes(), quotes.as_bytes()).is_some();
    has("\"\"\"") || has("'''")
}

/// The line that begins at `offset`, with its end.
fn line_at(text: &str, offset: usize) -> &str {
    let rest = &text[offset..];
    memchr(b'\n', rest.as_bytes()).map_or(rest, |end| &rest[..=end])
}

/// How many brackets are open after `mark`, if `depth` were before it.
fn depth_after(mark: u8, depth: usize) -> usize {
    match mark {
        b'[' | b'{' => depth + 1,
        b']' | b'}' => depth.saturating_sub(1),
        _ => depth,
    }
}

/// Every byte of `line` that begins or ends a key or value and is neither in a string nor in a comment.
fn marks(line: &str) -> impl Iterator<Item = u8> {
    let mut rest = line.as_bytes();
    std::iter::from_fn(move || {
        loop {
            let at = rest.iter().position(|&byte| IS_MARK[usize::from(byte)])?;
            let mark = rest[at];
            rest = &rest[at + 1..];
            match mark {
                b'#' => return None,
                b'\'' => rest = after(rest, memchr(b'\'', rest)),
                // An escaped byte may be a quote, which ends nothing.
                b'"' => loop {
                    let at = memchr2(b'"', b'\\', rest);
                    let is_escape = at.is_some_and(|at| rest[at] == b'\\');
                    rest = after(rest, at);
                    if !is_escape {
                        break;
                    }
                    rest = after(rest, Some(0));
                },
                _ => return Some(mark),
            }
        }
    })
}

/// What follows the byte at `at`; nothing where there is none.
fn after(bytes: &[u8], at: Option<usize>) -> &[u8] {
    at.and_then(|at| bytes.get(at + 1..)).unwrap_or_default()
}

const IS_MARK: [bool; 256] = {
    let mut is_mark = [false; 256];
    let marks = b"#'\"[]{}.=,";
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
