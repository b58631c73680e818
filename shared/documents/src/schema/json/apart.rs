//! A document, and one of its lists apart from it, whose items are never in memory at once: a list takes ten
//! times the memory of its text.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{OBJECT_WEIGHT, State, Strict};

/// A document without one of its lists, and the text of that list.
pub(crate) struct Apart<'a> {
    /// The document; in place of the list there is an empty one.
    pub(crate) document: Value,
    list: &'a str,
    state: State,
}

impl<'a> Apart<'a> {
    /// Reads `text` but for the list under `key`; none if there is no such list, or something wrong, which
    /// [`parse`](super::parse) can say.
    pub(crate) fn read(text: &'a str, key: &str) -> Option<Self> {
        let state = State::default();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let whole = Whole { state: &state, key };
        let (mut document, list) = (&mut deserializer).deserialize_any(whole).ok()?;
        deserializer.end().ok()?;
        document.insert(key.to_owned(), Value::Array(Vec::new()));
        Some(Self { document: Value::Object(document), list, state })
    }

    /// Hands out each item; whether all of them are sound, and `take` wanted them.
    pub(crate) fn each(&self, take: impl FnMut(Value) -> bool) -> bool {
        let mut deserializer = serde_json::Deserializer::from_str(self.list);
        Items { state: &self.state, take }.deserialize(&mut deserializer).is_ok()
    }
}

struct Whole<'s> {
    state: &'s State,
    key: &'s str,
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = (Map<String, Value>, &'de str);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        self.state.weigh(1 + OBJECT_WEIGHT)?;
        let (mut object, mut list) = (Map::new(), None);
        while let Some(key) = entries.next_key::<String>()? {
            let is_twice = if key == self.key {
                list.replace(entries.next_value::<&RawValue>()?.get()).is_some()
            } else {
                let strict = Strict { state: self.state, depth: 1, outline: None };
                let value = entries.next_value_seed(strict)?;
                object.insert(key, value).is_some()
            };
            if is_twice {
                return Err(A::Error::custom("a key is there twice"));
            }
        }
        let list = list.ok_or_else(|| A::Error::custom("no such list"))?;
        Ok((object, list))
    }
}

struct Items<'s, F> {
    state: &'s State,
    take: F,
}

impl<'de, F: FnMut(Value) -> bool> DeserializeSeed<'de> for Items<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.state.weigh(1)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(Value) -> bool> Visitor<'de> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let strict = Strict { state: self.state, depth: 2, outline: None };
        while let Some(item) = items.next_element_seed(strict)? {
            if !(self.take)(item) {
                return Err(A::Error::custom("not wanted"));
            }
        }
        Ok(())
    }
}
