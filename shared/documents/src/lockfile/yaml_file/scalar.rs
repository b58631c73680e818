//! Scalars of YAML: plain, in quotes, and in blocks (YAML 1.2.2, sections 7.3 and 8.1).

use std::borrow::Cow;

use super::{Error, Place, Reader};

impl<'a> Reader<'a> {
    /// Whether a key and its colon stand here.
    pub(super) fn is_key(&mut self) -> Result<bool, Error> {
        let (at, line_start) = (self.at, self.line_start);
        let colon = match self.peek() {
            Some(b'"' | b'\'') => {
                self.quoted()?;
                let same_line = self.line_start == line_start;
                while matches!(self.peek(), Some(b' ' | b'\t')) {
                    self.at += 1;
                }
                same_line && self.peek() == Some(b':') && self.is_space_at(self.at + 1)
            }
            Some(b'{' | b'[' | b'|' | b'>' | b'&' | b'*' | b'!') => false,
            _ => {
                let (_, end) = self.plain_line(false);
                self.text[end..].starts_with(':')
            }
        };
        (self.at, self.line_start) = (at, line_start);
        Ok(colon)
    }

    /// A key on one line, without its colon.
    pub(super) fn key(&mut self, flow: bool) -> Result<Cow<'a, str>, Error> {
        match self.peek() {
            Some(b'"' | b'\'') => self.quoted(),
            Some(b'&' | b'*' | b'!') => Err(self.error("anchors, aliases and tags are not read")),
            Some(b'{' | b'[' | b'|' | b'>') => Err(self.error("a key must be a scalar")),
            _ => {
                let (key, end) = self.plain_line(flow);
                self.at = end;
                if key.is_empty() {
                    Err(self.error("a key is missing"))
                } else {
                    Ok(Cow::Borrowed(key))
                }
            }
        }
    }

    /// The scalar of a value.
    pub(super) fn scalar(&mut self, place: Place) -> Result<Cow<'a, str>, Error> {
        match self.peek() {
            Some(b'"' | b'\'') => self.quoted(),
            Some(b'|' | b'>') if !matches!(place, Place::Flow) => self.block(place),
            _ => self.plain(place),
        }
    }

    /// What is plain from here to the end of the line, a comment, or a colon; and where that ends.
    pub(super) fn plain_line(&self, flow: bool) -> (&'a str, usize) {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let mut end = bytes.len();
        for (at, byte) in bytes.iter().enumerate() {
            let next = bytes.get(at + 1);
            let ends = match byte {
                b'\n' => true,
                b':' => {
                    next.is_none_or(u8::is_ascii_whitespace)
                        || flow && next.is_some_and(|next| b",[]{}".contains(next))
                }
                b'#' => at > 0 && matches!(bytes[at - 1], b' ' | b'\t'),
                b',' | b'[' | b']' | b'{' | b'}' => flow,
                _ => false,
            };
            if ends {
                end = at;
                break;
            }
        }
        (rest[..end].trim_end(), self.at + end)
    }

    fn plain(&mut self, place: Place) -> Result<Cow<'a, str>, Error> {
        let flow = matches!(place, Place::Flow);
        let (first, end) = self.plain_line(flow);
        self.at = end;
        let mut scalar = Cow::Borrowed(first);
        loop {
            if self.peek() == Some(b':') {
                return Err(self.error("a colon stands here, as after a key; quote the value"));
            }
            // A comment ends a plain scalar.
            if matches!(self.peek(), Some(byte) if byte != b'\n') {
                return Ok(scalar);
            }
            self.skip_blank()?;
            let ends = match self.peek() {
                None => true,
                Some(byte) if flow => b",]}:".contains(&byte),
                Some(_) => {
                    let marked = self.at_mark(b"---") || self.at_mark(b"...");
                    marked || self.column() < place.least_column()
                }
            };
            if ends {
                return Ok(scalar);
            }
            let (more, end) = self.plain_line(flow);
            if more.is_empty() {
                return Err(self.error("what stands here belongs to nothing above it"));
            }
            self.at = end;
            let scalar = scalar.to_mut();
            scalar.push(' ');
            scalar.push_str(more);
        }
    }

    /// A scalar in quotes of either kind.
    pub(super) fn quoted(&mut self) -> Result<Cow<'a, str>, Error> {
        let start = self.at;
        let rest = &self.text[start..];
        let quote = rest.as_bytes()[0];
        let body = &rest[1..];
        let plain = body.find(['"', '\'', '\\', '\n']).map_or(body, |end| &body[..end]);
        // Most have nothing in them to be undone.
        let simple = body.as_bytes().get(plain.len()) == Some(&quote)
            && (quote == b'"' || body.as_bytes().get(plain.len() + 1) != Some(&b'\''));
        if simple {
            self.at = start + plain.len() + 2;
            return Ok(Cow::Borrowed(plain));
        }
        self.at = start + 1;
        let mut scalar = String::new();
        while let Some(next) = self.rest().chars().next() {
            self.at += next.len_utf8();
            match next {
                '"' if quote == b'"' => return Ok(Cow::Owned(scalar)),
                '\'' if quote == b'\'' => match self.peek() {
                    Some(b'\'') => {
                        self.at += 1;
                        scalar.push('\'');
                    }
                    _ => return Ok(Cow::Owned(scalar)),
                },
                '\\' if quote == b'"' => self.escape(&mut scalar)?,
                '\n' => self.fold(&mut scalar),
                other => scalar.push(other),
            }
        }
        Err(Error { offset: Some(start), message: "the quote is never closed".to_owned() })
    }

    /// A line end within quotes is a space, and an empty line is a line end (section 7.3.1).
    fn fold(&mut self, scalar: &mut String) {
        scalar.truncate(scalar.trim_end_matches([' ', '\t', '\r']).len());
        self.line_start = self.at;
        let mut empty = 0;
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    empty += 1;
                    self.line_start = self.at + 1;
                }
                b' ' | b'\t' | b'\r' => {}
                _ => break,
            }
            self.at += 1;
        }
        match empty {
            0 => scalar.push(' '),
            lines => scalar.extend(std::iter::repeat_n('\n', lines)),
        }
    }

    fn escape(&mut self, scalar: &mut String) -> Result<(), Error> {
        let Some(escaped) = self.rest().chars().next() else { return Ok(()) };
        let digits = match escaped {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let code = self.rest().get(1..=digits);
            let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
            let Some(code) = code.and_then(char::from_u32) else {
                return Err(self.error("the escape names no character"));
            };
            scalar.push(code);
            self.at += 1 + digits;
            return Ok(());
        }
        self.at += escaped.len_utf8();
        scalar.push(match escaped {
            '"' | '\\' | '/' | ' ' | '\t' => escaped,
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            '0' => '\0',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'e' => '\u{1B}',
            'f' => '\u{C}',
            'v' => '\u{B}',
            '_' => '\u{A0}',
            'N' => '\u{85}',
            'L' => '\u{2028}',
            'P' => '\u{2029}',
            '\n' => {
                self.line_start = self.at;
                while matches!(self.peek(), Some(b' ' | b'\t')) {
                    self.at += 1;
                }
                return Ok(());
            }
            _ => return Err(self.error("no such escape")),
        });
        Ok(())
    }

    /// A literal or folded block; line ends after its last line are not kept.
    fn block(&mut self, place: Place) -> Result<Cow<'a, str>, Error> {
        let join = if self.peek() == Some(b'|') { '\n' } else { ' ' };
        let rest = self.rest();
        let header = rest.split('\n').next().unwrap_or(rest);
        let mark = header[1..].split('#').next().unwrap_or_default().trim();
        if mark.len() > 2 || !mark.bytes().all(|byte| matches!(byte, b'+' | b'-' | b'1'..=b'9')) {
            return Err(self.error("no such block scalar"));
        }
        let base = place.least_column();
        let digit = mark.bytes().find(u8::is_ascii_digit).map(|digit| usize::from(digit - b'0'));
        let mut indent = digit.map(|digit| base.saturating_sub(1) + digit);
        self.at += header.len();
        let mut scalar = String::new();
        while self.peek() == Some(b'\n') {
            let line = self.text[self.at + 1..].split('\n').next().unwrap_or_default();
            let column = line.len() - line.trim_start_matches(' ').len();
            let blank = line.trim().is_empty();
            if !blank && column < indent.unwrap_or(base.max(1)) {
                break;
            }
            self.line_start = self.at + 1;
            self.at += 1 + line.len();
            let kept = if blank { 0 } else { *indent.get_or_insert(column) };
            if !scalar.is_empty() {
                scalar.push(join);
            }
            scalar.push_str(if blank { "" } else { line[kept..].trim_end_matches('\r') });
        }
        scalar.truncate(scalar.trim_end_matches(['\n', ' ']).len());
        Ok(Cow::Owned(scalar))
    }
}
