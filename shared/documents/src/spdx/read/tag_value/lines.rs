//! The lines of tag-value: `Tag: value`, where a value in `<text>` may go over several.

use memchr::{memchr_iter, memmem};

use super::syntax;
use crate::schema::SchemaError;

/// Longest value that is read, in bytes: ten times what real documents have.
const MAX_VALUE_BYTES: usize = 4 * 1024 * 1024;

const OPEN: &str = "<text>";
const CLOSE: &str = "</text>";

/// One tag with its value.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    pub(super) tag: &'a str,
    /// Without white space around it, or what `<text>` holds.
    pub(super) value: &'a str,
}

pub(super) struct Lines<'a> {
    rest: &'a str,
    /// How many lines were taken.
    line: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { rest: text, line: 0 }
    }

    /// The next entry; comments and empty lines are passed over.
    pub(super) fn next(&mut self) -> Result<Option<Entry<'a>>, SchemaError> {
        while !self.rest.is_empty() {
            let begin = self.rest;
            let content = self.take_line().trim();
            if content.is_empty() || content.starts_with('#') {
                continue;
            }
            let line = self.line;
            let Some((tag, value)) = content.split_once(':') else {
                return Err(syntax(line, "is no `Tag: value`, and not within <text>"));
            };
            let (tag, value) = (tag.trim_end(), value.trim_start());
            let value = match value.starts_with(OPEN) {
                // The first `<text>` of the line is this one: before it are a name and a colon.
                true => match begin.split_once(OPEN) {
                    Some((_, after)) if !tag.contains(OPEN) => self.block(after)?,
                    _ => return Err(syntax(line, "has <text> in the name of a tag")),
                },
                false => plain(value, line)?,
            };
            if value.len() > MAX_VALUE_BYTES {
                let length = value.len();
                let problem = format!("has a value of {length} bytes; {MAX_VALUE_BYTES} are read");
                return Err(syntax(line, &problem));
            }
            return Ok(Some(Entry { line, tag, value }));
        }
        Ok(None)
    }

    fn take_line(&mut self) -> &'a str {
        self.line += 1;
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        line
    }

    /// What stands between `<text>`, before `text`, and the next `</text>`.
    fn block(&mut self, text: &'a str) -> Result<&'a str, SchemaError> {
        let opened = self.line;
        let Some(end) = memmem::find(text.as_bytes(), CLOSE.as_bytes()) else {
            return Err(syntax(opened, "opens <text>, and no </text> closes it"));
        };
        let value = &text[..end];
        if value.contains('\0') {
            return Err(syntax(opened, "has a NUL character in its <text>"));
        }
        // The line of `<text>` is counted already, and the one of `</text>` is taken to its end.
        self.line += memchr_iter(b'\n', value.as_bytes()).count();
        self.line -= 1;
        self.rest = &text[end + CLOSE.len()..];
        match self.take_line().trim() {
            "" => Ok(value),
            _ => Err(syntax(self.line, "has something after </text>")),
        }
    }
}

/// A value on one line. As in JSON, control characters are refused that no text needs.
fn plain(value: &str, line: usize) -> Result<&str, SchemaError> {
    match value.contains(|it: char| it.is_ascii_control() && it != '\t') {
        true => Err(syntax(line, "has a control character; put text of several lines in <text>")),
        false => Ok(value),
    }
}
