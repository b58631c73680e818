//! YAML files as package managers and formatters write them: read in one pass, in place, keys once.
//!
//! Read are block and flow collections, every kind of scalar, comments and several documents (YAML
//! 1.2.2, chapters 7 to 9). Refused are anchors, aliases, tags and directives, which no lockfile has
//! and bombs are made of. Scalars stay texts: `1.10` is no number.

mod de;
mod scalar;

use std::fmt;

use serde::Deserialize;

use super::error::{Fault, Problem};
use super::text;
use crate::schema::json::{MAX_DEPTH, MAX_WEIGHT};

const BYTE_ORDER_MARK: char = '\u{FEFF}';

/// Reads every document of `text`; what is read may borrow from it.
pub(super) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<Vec<T>, Fault> {
    let mut reader = Reader::new(text);
    let mut documents = Vec::new();
    loop {
        match reader.document() {
            Ok(Some(document)) => documents.push(document),
            Ok(None) => return Ok(documents),
            Err(_) if reader.weight > MAX_WEIGHT => {
                return Err(Problem::TooManyValues { limit: MAX_WEIGHT }.anywhere());
            }
            Err(error) => {
                let at = error.offset.unwrap_or(reader.at);
                return Err(match text::conflict_marker(text) {
                    Some(offset) => Problem::MergeConflict.at(offset),
                    None => Problem::Syntax { message: error.message }.at(at),
                });
            }
        }
    }
}

/// What is wrong, and where: absent until the value is known in which it was found.
#[derive(Debug)]
struct Error {
    offset: Option<usize>,
    message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl serde::de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { offset: None, message: message.to_string() }
    }
}

/// The kind of the value that comes next; the reader stands on its first character.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Nothing stands there, or `null`, which was passed over.
    Null,
    FlowMap,
    FlowList,
    /// Its keys stand in this column.
    BlockMap(usize),
    /// Its dashes stand in this column.
    BlockList(usize),
    Scalar,
}

/// Where a value may stand.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// A whole document.
    Document,
    /// After a key in this column.
    Entry(usize),
    /// After a dash in this column.
    Item(usize),
    /// Between braces or brackets.
    Flow,
}

impl Place {
    /// Least column that a value on its own line may have.
    fn least_column(self) -> usize {
        match self {
            Self::Document | Self::Flow => 0,
            Self::Entry(column) | Self::Item(column) => column + 1,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line_start: usize,
    depth: usize,
    weight: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let mark = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        Self { text, at: mark, line_start: mark, depth: 0, weight: 0 }
    }

    /// The next document, with its marks around it.
    fn document<T: Deserialize<'a>>(&mut self) -> Result<Option<T>, Error> {
        self.skip_blank()?;
        if self.peek() == Some(b'%') && self.column() == 0 {
            return Err(self.error("directives are not read"));
        }
        while self.at_mark(b"...") {
            self.at += 3;
            self.skip_blank()?;
        }
        if self.at_mark(b"---") {
            self.at += 3;
            self.skip_blank()?;
        }
        if self.peek().is_none() {
            return Ok(None);
        }
        let value = T::deserialize(self.value(Place::Document)?)?;
        self.skip_blank()?;
        if self.peek().is_some() && !self.at_mark(b"---") && !self.at_mark(b"...") {
            return Err(self.error("what stands here belongs to nothing above it"));
        }
        Ok(Some(value))
    }

    /// The value at `place`, still to be read.
    fn value(&mut self, place: Place) -> Result<de::Value<'_, 'a>, Error> {
        self.weight += 1;
        if self.weight > MAX_WEIGHT {
            return Err(self.error("too many values"));
        }
        if self.depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        let kind = self.kind(place)?;
        Ok(de::Value { reader: self, kind, place })
    }

    fn kind(&mut self, place: Place) -> Result<Kind, Error> {
        let line = self.line_start;
        self.skip_blank()?;
        let own_line = self.line_start != line || self.at == self.line_start;
        let Some(byte) = self.peek() else { return Ok(Kind::Null) };
        if matches!(place, Place::Flow) {
            return self.inline_kind(byte, place);
        }
        if self.at_mark(b"---") || self.at_mark(b"...") {
            return Ok(Kind::Null);
        }
        let column = self.column();
        let is_dash = byte == b'-' && self.is_space_at(self.at + 1);
        if own_line && column < place.least_column() {
            // The dashes of a list may stand in the column of its key.
            let beside = matches!(place, Place::Entry(key) if key == column);
            return Ok(if is_dash && beside { Kind::BlockList(column) } else { Kind::Null });
        }
        let nests = own_line || matches!(place, Place::Item(_) | Place::Document);
        if is_dash {
            return if nests {
                Ok(Kind::BlockList(column))
            } else {
                Err(self.error("a dash stands here"))
            };
        }
        let explicit = byte == b'?' && self.is_space_at(self.at + 1);
        if nests && (explicit || self.is_key()?) {
            return Ok(Kind::BlockMap(column));
        }
        self.inline_kind(byte, place)
    }

    fn inline_kind(&mut self, byte: u8, place: Place) -> Result<Kind, Error> {
        Ok(match byte {
            b'{' => Kind::FlowMap,
            b'[' => Kind::FlowList,
            b'&' | b'*' | b'!' => {
                return Err(self.error("anchors, aliases and tags are not read"));
            }
            b',' | b'}' | b']' if matches!(place, Place::Flow) => Kind::Null,
            b'~' | b'n' => {
                let (scalar, end) = self.plain_line(matches!(place, Place::Flow));
                if matches!(scalar, "~" | "null") {
                    self.at = end;
                    return Ok(Kind::Null);
                }
                Kind::Scalar
            }
            b'?' | b':' | b'-' if self.is_space_at(self.at + 1) => {
                return Err(self.error("this stands only before a key, a value or an item"));
            }
            b'@' | b'`' | b'%' | b',' | b'}' | b']' => {
                return Err(self.error("a scalar begins so only in quotes"));
            }
            _ => Kind::Scalar,
        })
    }

    /// Passes over white space, line ends and comments.
    fn skip_blank(&mut self) -> Result<(), Error> {
        let mut indenting = self.at == self.line_start;
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.line_start = self.at;
                    indenting = true;
                }
                b' ' | b'\r' => self.at += 1,
                b'\t' if indenting => {
                    let rest = self.rest();
                    let line = rest.split('\n').next().unwrap_or(rest);
                    if !line.trim().is_empty() {
                        return Err(self.error("a tab is no indentation"));
                    }
                    self.at += line.len();
                }
                b'\t' => self.at += 1,
                b'#' if self.at == self.line_start || self.is_space_at(self.at - 1) => {
                    let rest = self.rest();
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                _ => break,
            }
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn column(&self) -> usize {
        self.at - self.line_start
    }

    /// Whether white space, a line end or nothing is at this offset.
    fn is_space_at(&self, at: usize) -> bool {
        self.text.as_bytes().get(at).is_none_or(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
    }

    /// Whether the reader stands on a mark between documents.
    fn at_mark(&self, mark: &[u8]) -> bool {
        self.column() == 0
            && self.text.as_bytes()[self.at..].starts_with(mark)
            && self.is_space_at(self.at + mark.len())
    }

    fn error(&self, message: &str) -> Error {
        Error { offset: Some(self.at), message: message.to_owned() }
    }
}
