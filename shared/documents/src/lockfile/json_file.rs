//! JSON files: memory bounded, keys once, faults with their place, merge conflicts named as such.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::borrowed::{Keys, Text};
use super::error::{Fault, Problem};
use super::text;
use crate::both::both;
use crate::schema::json::{self, MAX_DEPTH, MAX_WEIGHT};

/// Texts of so many bytes are checked by a thread of their own while they are read: a thread costs
/// something, and larger ones may have more values than anything should take in, each of two bytes.
const MANY_BYTES: Range<usize> = 256 * 1024..2 * MAX_WEIGHT;

/// Reads `text` as JSON. What is read may borrow from it: [`Text`], [`Entries`](super::borrowed::Entries)
/// and [`Texts`](super::borrowed::Texts) do, so that a large file is neither copied nor kept twice, and
/// [`offset_of`](super::borrowed::offset_of) tells where they stand. Types that own their texts will do too.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Fault> {
    let whole = text;
    let text = json::decode(text.as_bytes())
        .map_err(|error| Problem::Syntax { message: error.to_string() }.anywhere())?;
    let skipped = whole.len() - text.len();
    let read = || serde_json::from_str(text).map_err(|error| syntax(text, skipped, &error));
    let check = || check(text, whole);
    if MANY_BYTES.contains(&text.len()) {
        let (read, checked) = both(read, check);
        checked.and(read)
    } else {
        check()?;
        read()
    }
}

/// Reads `text`, the end of the file `whole`, and keeps nothing of it.
fn check(text: &str, whole: &str) -> Result<(), Fault> {
    let weight = Cell::new(0);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let checked = Check { weight: &weight, depth: 0 }.deserialize(&mut deserializer);
    checked.and_then(|()| deserializer.end()).map_err(|error| {
        if weight.get() > MAX_WEIGHT {
            return Problem::TooManyValues { limit: MAX_WEIGHT }.anywhere();
        }
        match text::conflict_marker(whole) {
            Some(offset) => Problem::MergeConflict.at(offset),
            None => syntax(text, whole.len() - text.len(), &error),
        }
    })
}

fn syntax(text: &str, skipped: usize, error: &serde_json::Error) -> Fault {
    let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
    let offset = skipped + lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
    let message = error.to_string();
    // The place is said apart.
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    Problem::Syntax { message }.at(offset)
}

/// Reads any value and keeps nothing of it: what follows may then trust in its size and keys.
#[derive(Clone, Copy)]
struct Check<'a> {
    weight: &'a Cell<usize>,
    depth: usize,
}

impl Check<'_> {
    fn inner<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > MAX_DEPTH {
            Err(E::custom("nested too deeply"))
        } else {
            Ok(Self { depth, ..self })
        }
    }
}

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.weight.set(self.weight.get() + 1);
        if self.weight.get() > MAX_WEIGHT {
            return Err(D::Error::custom("too many values"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        while list.next_element_seed(inner)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let inner = self.inner()?;
        let mut keys = Keys::default();
        while let Some(Text(key)) = map.next_key()? {
            keys.insert(key)?;
            map.next_value_seed(inner)?;
        }
        Ok(())
    }
}
