//! A list whose length is bounded and whose entries have different names.

use std::{borrow::Cow, collections::HashSet, ops::Deref};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Something that its list tells apart by name.
pub trait Named {
    /// The name.
    fn name(&self) -> &str;
}

/// `MIN` to `MAX` entries, no two with the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<T>")]
#[serde(bound(deserialize = "T: Deserialize<'de> + Named"))]
pub struct Listing<T, const MIN: usize, const MAX: usize>(Vec<T>);

/// Why a list is refused.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum InvalidListing {
    /// Too few or too many entries.
    #[error("has {length} entries; {min} to {max} are allowed")]
    Length {
        /// Entries found.
        length: usize,
        /// Fewest allowed.
        min: usize,
        /// Most allowed.
        max: usize,
    },
    /// Two entries of one name.
    #[error("names `{0}` twice; give every entry its own name")]
    Duplicate(String),
}

impl<T: Named, const MIN: usize, const MAX: usize> TryFrom<Vec<T>> for Listing<T, MIN, MAX> {
    type Error = InvalidListing;

    fn try_from(entries: Vec<T>) -> Result<Self, InvalidListing> {
        if !(MIN..=MAX).contains(&entries.len()) {
            return Err(InvalidListing::Length { length: entries.len(), min: MIN, max: MAX });
        }
        let mut names = HashSet::with_capacity(entries.len());
        if let Some(twin) = entries.iter().find(|entry| !names.insert(entry.name())) {
            return Err(InvalidListing::Duplicate(twin.name().to_owned()));
        }
        Ok(Self(entries))
    }
}

impl<T, const MAX: usize> Default for Listing<T, 0, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MIN: usize, const MAX: usize> Deref for Listing<T, MIN, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: JsonSchema, const MIN: usize, const MAX: usize> JsonSchema for Listing<T, MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Listing_of_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({ "type": "array", "items": items, "minItems": MIN, "maxItems": MAX })
    }
}
