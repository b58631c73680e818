//! One table of an array, read without a tree and without copies where it is written as tools write
//! it: bare keys, texts in double quotes, whole numbers, truth values, lists and inline tables.
//!
//! What is taken here is a strict part of TOML, and has the value that `toml` gives it. Anything
//! else, every fault among it, is left to `toml`, so that there is one judge of what a file means.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::{self, Display};

use memchr::memchr2;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
    value::BorrowedStrDeserializer,
};
use serde_spanned::de::{SpannedDeserializer, is_spanned};

use crate::lockfile::text;

/// Deepest nesting of lists and inline tables; lockfiles have three levels.
const MAX_DEPTH: usize = 8;
/// Most keys of one table.
const MAX_KEYS: usize = 24;
/// Most digits of a number: so many are an `i64` in any case.
const MAX_DIGITS: usize = 18;

/// The table that `text` has in the array `key`; nothing where only a full parser can tell.
pub(super) fn table<'a, T: Deserialize<'a>>(text: &'a str, key: &'a str) -> Option<T> {
    let mut reader = Reader { text, key, at: 0, depth: 0, next: Form::Table };
    reader.blanks();
    let begins = ["[[", key, "]]"].into_iter().all(|part| reader.takes(part));
    begins.then_some(())?;
    reader.line_end().ok()?;
    let value = T::deserialize(&mut reader).ok()?;
    // What asks for less than it is given would leave the rest unread.
    (reader.at == text.len()).then_some(value)
}

/// Something that tools do not write, or that the one who asked did not expect.
#[derive(Debug)]
struct Unusual;

impl Display for Unusual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not as tools write it")
    }
}

impl std::error::Error for Unusual {}

impl serde::de::Error for Unusual {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

/// What a reader stands before.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Value,
    /// The lines below `[[key]]`, sections included.
    Table,
    /// The lines below `[key.name]`.
    Section,
    /// What follows `{`.
    Inline,
}

struct Reader<'a> {
    text: &'a str,
    /// Of the array.
    key: &'a str,
    at: usize,
    depth: usize,
    next: Form,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn takes(&mut self, part: &str) -> bool {
        let is_next = self.text.as_bytes()[self.at..].starts_with(part.as_bytes());
        self.at += if is_next { part.len() } else { 0 };
        is_next
    }

    fn takes_byte(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes all bytes that are so.
    fn run(&mut self, is_so: impl Fn(u8) -> bool) -> &'a str {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        self.at += rest.iter().position(|&byte| !is_so(byte)).unwrap_or(rest.len());
        // Wanted of ASCII only, or of all that is not: a character is never cut.
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes blanks and a comment up to the end of the line, and that.
    fn line_end(&mut self) -> Result<(), Unusual> {
        self.blanks();
        if self.takes_byte(b'#') {
            self.run(|byte| !is_control(byte) || byte == b'\t');
        }
        let ends = self.takes_byte(b'\n') || self.takes("\r\n") || self.peek().is_none();
        ends.then_some(()).ok_or(Unusual)
    }

    /// Takes empty lines, comments and blanks.
    fn lines(&mut self) -> Result<(), Unusual> {
        self.blanks();
        while let Some(b'\n' | b'\r' | b'#') = self.peek() {
            self.line_end()?;
            self.blanks();
        }
        Ok(())
    }

    fn key(&mut self) -> Result<&'a str, Unusual> {
        let key = self.run(|byte| IS_KEY[usize::from(byte)]);
        (!key.is_empty()).then_some(key).ok_or(Unusual)
    }

    /// A text whose opening quote was taken.
    fn string(&mut self) -> Result<Cow<'a, str>, Unusual> {
        let mut text = Cow::Borrowed("");
        loop {
            let part = self.part_of_string()?;
            match text.is_empty() {
                true => text = Cow::Borrowed(part),
                false => text.to_mut().push_str(part),
            }
            if self.takes_byte(b'"') {
                return Ok(text);
            }
            let escaped = [("\\\"", '"'), ("\\\\", '\\')];
            let escaped = escaped.into_iter().find(|(escape, _)| self.takes(escape));
            text.to_mut().push(escaped.ok_or(Unusual)?.1);
        }
    }

    /// What stands before the next quote or escape.
    fn part_of_string(&mut self) -> Result<&'a str, Unusual> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = memchr2(b'"', b'\\', rest.as_bytes()).ok_or(Unusual)?;
        let part = &rest[..end];
        let is_line = text::every(part, |byte| !is_control(byte));
        self.at += end;
        is_line.then_some(part).ok_or(Unusual)
    }

    fn number(&mut self) -> Result<i64, Unusual> {
        let digits = self.run(|byte| byte.is_ascii_digit());
        if digits.len() > MAX_DIGITS || (digits.len() > 1 && digits.starts_with('0')) {
            return Err(Unusual);
        }
        digits.parse().map_err(|_| Unusual)
    }

    /// Whether a value that is a bare word ends here: `1` of `1.5` does not.
    fn word_ends(&self) -> bool {
        let ends = |byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b']' | b'}' | b'#');
        self.peek().is_none_or(ends)
    }

    fn word<T>(&self, value: T) -> Result<T, Unusual> {
        self.word_ends().then_some(value).ok_or(Unusual)
    }

    fn list<V: Visitor<'a>>(&mut self, visitor: V) -> Result<V::Value, Unusual> {
        self.nested(|reader| {
            let mut items = Items { reader, first: true, ended: false };
            let value = visitor.visit_seq(&mut items)?;
            items.ended.then_some(value).ok_or(Unusual)
        })
    }

    fn entries<V: Visitor<'a>>(&mut self, form: Form, visitor: V) -> Result<V::Value, Unusual> {
        self.nested(|reader| {
            let keys = [""; MAX_KEYS];
            let mut entries = Entries { reader, form, keys, met: 0, ended: false };
            let value = visitor.visit_map(&mut entries)?;
            entries.ended.then_some(value).ok_or(Unusual)
        })
    }

    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Unusual>,
    ) -> Result<T, Unusual> {
        if self.depth == MAX_DEPTH {
            return Err(Unusual);
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }
}

/// What a key without quotes is made of.
const IS_KEY: [bool; 256] = {
    let mut is_key = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let it = byte as u8;
        is_key[byte] = it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
        byte += 1;
    }
    is_key
};

/// Tabs are allowed in a text, and no tool writes one.
fn is_control(byte: u8) -> bool {
    byte < b' ' || byte == 0x7f
}

impl<'a> Deserializer<'a> for &mut Reader<'a> {
    type Error = Unusual;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        let form = std::mem::replace(&mut self.next, Form::Value);
        if form != Form::Value {
            return self.entries(form, visitor);
        }
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                match self.string()? {
                    Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                    Cow::Owned(text) => visitor.visit_string(text),
                }
            }
            Some(b'[') => {
                self.at += 1;
                self.list(visitor)
            }
            Some(b'{') => {
                self.at += 1;
                self.entries(Form::Inline, visitor)
            }
            Some(b'0'..=b'9') => {
                let number = self.number()?;
                visitor.visit_i64(self.word(number)?)
            }
            _ if self.takes("true") => visitor.visit_bool(self.word(true)?),
            _ if self.takes("false") => visitor.visit_bool(self.word(false)?),
            _ => Err(Unusual),
        }
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Unusual> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        if !is_spanned(name) {
            return self.deserialize_any(visitor);
        }
        if self.next != Form::Value {
            return Err(Unusual);
        }
        // The span is asked for before the value: where that ends is not known, and nobody asks.
        let span = self.at..self.at;
        visitor.visit_map(SpannedDeserializer::new(self, span))
    }

    serde::forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

impl<'a> IntoDeserializer<'a, Unusual> for &mut Reader<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The values of a list whose bracket was taken.
struct Items<'r, 'a> {
    reader: &'r mut Reader<'a>,
    first: bool,
    ended: bool,
}

impl<'a> SeqAccess<'a> for &mut Items<'_, 'a> {
    type Error = Unusual;

    fn next_element_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Unusual> {
        self.reader.lines()?;
        let parted = std::mem::take(&mut self.first) || self.reader.takes_byte(b',');
        self.reader.lines()?;
        if self.reader.takes_byte(b']') {
            self.ended = true;
            return Ok(None);
        }
        if !parted {
            return Err(Unusual);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// Keys with their values, each once, in the file's order.
struct Entries<'r, 'a> {
    reader: &'r mut Reader<'a>,
    form: Form,
    keys: [&'a str; MAX_KEYS],
    /// How many of `keys` were met.
    met: usize,
    ended: bool,
}

impl<'a> Entries<'_, 'a> {
    /// The next key, its value ahead.
    fn next(&mut self) -> Result<Option<&'a str>, Unusual> {
        let ended = match self.form {
            Form::Inline => {
                self.reader.blanks();
                let ended = self.reader.takes_byte(b'}');
                if !ended && self.met > 0 {
                    self.reader.takes_byte(b',').then_some(()).ok_or(Unusual)?;
                    self.reader.blanks();
                }
                ended
            }
            _ => {
                self.reader.lines()?;
                match self.reader.peek() {
                    Some(b'[') if self.form == Form::Table => return self.section().map(Some),
                    Some(b'[') | None => true,
                    Some(_) => false,
                }
            }
        };
        if ended {
            self.ended = true;
            return Ok(None);
        }
        let key = self.reader.key()?;
        self.reader.blanks();
        self.reader.takes_byte(b'=').then_some(()).ok_or(Unusual)?;
        self.reader.blanks();
        Ok(Some(key))
    }

    /// The name of a section, whose header is taken.
    fn section(&mut self) -> Result<&'a str, Unusual> {
        let array = self.reader.key;
        let begins = ["[", array, "."].into_iter().all(|part| self.reader.takes(part));
        begins.then_some(()).ok_or(Unusual)?;
        let name = self.reader.key()?;
        self.reader.takes_byte(b']').then_some(()).ok_or(Unusual)?;
        self.reader.line_end()?;
        self.reader.next = Form::Section;
        Ok(name)
    }
}

impl<'a> MapAccess<'a> for &mut Entries<'_, 'a> {
    type Error = Unusual;

    fn next_key_seed<S: DeserializeSeed<'a>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Unusual> {
        let Some(key) = self.next()? else { return Ok(None) };
        if self.met == MAX_KEYS || self.keys[..self.met].contains(&key) {
            return Err(Unusual);
        }
        self.keys[self.met] = key;
        self.met += 1;
        seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'a>>(&mut self, seed: S) -> Result<S::Value, Unusual> {
        let is_line = self.form != Form::Inline && self.reader.next == Form::Value;
        let value = seed.deserialize(&mut *self.reader)?;
        if is_line {
            self.reader.line_end()?;
        }
        Ok(value)
    }
}
