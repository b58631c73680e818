//! From what the reader stands on to serde's values.

use std::borrow::Cow;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::{Error, Kind, Place, Reader};
use crate::lockfile::borrowed::Keys;

/// A value that the reader stands on.
pub(super) struct Value<'r, 'a> {
    pub(super) reader: &'r mut Reader<'a>,
    pub(super) kind: Kind,
    pub(super) place: Place,
}

impl<'a> Value<'_, 'a> {
    /// What is wrong with the value is wrong at its start, unless the place is known better.
    fn placed<T>(start: usize, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| Error { offset: error.offset.or(Some(start)), ..error })
    }

    fn collection<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let Self { reader, kind, .. } = self;
        reader.depth += 1;
        let value = match kind {
            Kind::BlockMap(column) => {
                visitor.visit_map(BlockMap { reader: &mut *reader, column, keys: Keys::default() })
            }
            Kind::BlockList(column) => {
                visitor.visit_seq(BlockList { reader: &mut *reader, column })
            }
            Kind::FlowMap => {
                reader.at += 1;
                let keys = Keys::default();
                visitor.visit_map(FlowMap { reader: &mut *reader, keys, first: true })
            }
            _ => {
                reader.at += 1;
                visitor.visit_seq(FlowList { reader: &mut *reader, first: true })
            }
        };
        reader.depth -= 1;
        value
    }
}

impl<'a> Deserializer<'a> for Value<'_, 'a> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        let start = self.reader.at;
        let is_plain = !matches!(self.reader.peek(), Some(b'"' | b'\'' | b'|' | b'>'));
        let value = match self.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Scalar => match self.reader.scalar(self.place)? {
                Cow::Borrowed("true") if is_plain => visitor.visit_bool(true),
                Cow::Borrowed("false") if is_plain => visitor.visit_bool(false),
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            _ => self.collection(visitor),
        };
        Self::placed(start, value)
    }

    /// Texts need no quotes, whatever they say.
    fn deserialize_str<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.kind != Kind::Scalar {
            return self.deserialize_any(visitor);
        }
        let start = self.reader.at;
        let value = match self.reader.scalar(self.place)? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        };
        Self::placed(start, value)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.kind == Kind::Null { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

fn key<'a, K: DeserializeSeed<'a>>(seed: K, key: Cow<'a, str>) -> Result<K::Value, Error> {
    match key {
        Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)),
        Cow::Owned(key) => seed.deserialize(StringDeserializer::new(key)),
    }
}

struct BlockMap<'r, 'a> {
    reader: &'r mut Reader<'a>,
    column: usize,
    keys: Keys<'a>,
}

impl<'a> MapAccess<'a> for BlockMap<'_, 'a> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let reader = &mut *self.reader;
        reader.skip_blank()?;
        let over = reader.peek().is_none() || reader.at_mark(b"---") || reader.at_mark(b"...");
        if over || reader.column() < self.column {
            return Ok(None);
        }
        if reader.column() > self.column {
            return Err(reader.error("what stands here belongs to nothing above it"));
        }
        let mut start = reader.at;
        // A key after a question mark has its colon on the next line.
        if reader.peek() == Some(b'?') && reader.is_space_at(reader.at + 1) {
            reader.at += 1;
            reader.skip_blank()?;
            start = reader.at;
        }
        let written = reader.key(false)?;
        reader.skip_blank()?;
        if reader.peek() != Some(b':') || !reader.is_space_at(reader.at + 1) {
            return Err(Error {
                offset: Some(start),
                message: "a key without its colon".to_owned(),
            });
        }
        reader.at += 1;
        Value::placed(start, self.keys.insert(written.clone()))?;
        Value::placed(start, key(seed, written)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let start = self.reader.at;
        let value = self.reader.value(Place::Entry(self.column))?;
        Value::placed(start, seed.deserialize(value))
    }
}

struct BlockList<'r, 'a> {
    reader: &'r mut Reader<'a>,
    column: usize,
}

impl<'a> SeqAccess<'a> for BlockList<'_, 'a> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let reader = &mut *self.reader;
        reader.skip_blank()?;
        let over = reader.peek().is_none() || reader.at_mark(b"---") || reader.at_mark(b"...");
        let is_item = reader.peek() == Some(b'-') && reader.is_space_at(reader.at + 1);
        // A key in the dashes' own column belongs to the object around the list.
        if over || reader.column() < self.column || (reader.column() == self.column && !is_item) {
            return Ok(None);
        }
        if reader.column() > self.column {
            return Err(reader.error("what stands here belongs to nothing above it"));
        }
        reader.at += 1;
        let start = reader.at;
        let value = reader.value(Place::Item(self.column))?;
        Value::placed(start, seed.deserialize(value)).map(Some)
    }
}

struct FlowMap<'r, 'a> {
    reader: &'r mut Reader<'a>,
    keys: Keys<'a>,
    first: bool,
}

impl<'a> MapAccess<'a> for FlowMap<'_, 'a> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if !self.reader.next_in_flow(b'}', &mut self.first)? {
            return Ok(None);
        }
        let start = self.reader.at;
        let written = self.reader.key(true)?;
        self.reader.skip_blank()?;
        match self.reader.peek() {
            Some(b':') => self.reader.at += 1,
            Some(b',' | b'}') => {}
            _ => return Err(self.reader.error("a key without its colon")),
        }
        Value::placed(start, self.keys.insert(written.clone()))?;
        Value::placed(start, key(seed, written)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let start = self.reader.at;
        let value = self.reader.value(Place::Flow)?;
        Value::placed(start, seed.deserialize(value))
    }
}

struct FlowList<'r, 'a> {
    reader: &'r mut Reader<'a>,
    first: bool,
}

impl<'a> SeqAccess<'a> for FlowList<'_, 'a> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if !self.reader.next_in_flow(b']', &mut self.first)? {
            return Ok(None);
        }
        let start = self.reader.at;
        let value = self.reader.value(Place::Flow)?;
        if value.kind == Kind::Null && value.reader.at == start {
            return Err(value.reader.error("a value is missing"));
        }
        Value::placed(start, seed.deserialize(value)).map(Some)
    }
}

impl Reader<'_> {
    /// Goes on to the next value between brackets; false at the closing one, which is passed over.
    fn next_in_flow(&mut self, close: u8, first: &mut bool) -> Result<bool, Error> {
        self.skip_blank()?;
        if !std::mem::take(first) && self.peek() != Some(close) {
            if self.peek() != Some(b',') {
                return Err(self.error("a comma or a closing bracket is missing"));
            }
            self.at += 1;
            self.skip_blank()?;
        }
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') => Err(self.error("a value is missing")),
            Some(_) => Ok(true),
            None => Err(self.error("the bracket is never closed")),
        }
    }
}
