//! JSON text for the engine: bounded, and with no name twice in an object.

use std::{collections::HashSet, fmt};

use regorus::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Largest document that is judged, in bytes: an SBOM of 50,000 components has some 40 million.
pub const MAX_INPUT_BYTES: usize = 64 * 1024 * 1024;

/// The value of `text`, or why it is refused.
///
/// Of a name that stands twice the engine would keep the last value, and another reader of the
/// same signed document the first.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    if text.len() > MAX_INPUT_BYTES {
        return Err(too_large(text.len()));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    UniqueNames
        .deserialize(&mut reader)
        .and_then(|()| reader.end())
        .map_err(|error| format!("is no JSON that can be judged: {error}; correct the document"))?;
    Value::from_json_str(text).map_err(|error| format!("is no JSON that can be judged: {error}"))
}

pub(super) fn too_large(length: usize) -> String {
    format!(
        "is {length} bytes long; at most {MAX_INPUT_BYTES} are judged: leave out what no rule needs"
    )
}

/// Reads a document and keeps nothing.
struct UniqueNames;

impl<'de> DeserializeSeed<'de> for UniqueNames {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueNames {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<std::borrow::Cow<'de, str>>()? {
            object.next_value_seed(Self)?;
            if let Some(twin) = names.replace(name) {
                let shown: String = twin.chars().take(64).collect();
                return Err(A::Error::custom(format_args!(
                    "the name {shown:?} stands twice in one object; remove one"
                )));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while array.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}
