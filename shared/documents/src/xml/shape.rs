//! How an element of XML is told in JSON: the words the tables are written in.

use super::scalar::Scalar;
use crate::schema::CycloneDxVersion::{self, V1_2, V1_7};

/// What the content of an element becomes.
pub(super) enum Shape {
    /// Its text; where that is empty, the default of the XML schema.
    Text(Scalar, Option<&'static str>),
    /// An object of its attributes, with its text under the key.
    Content(&'static str, Scalar, &'static [Field]),
    /// The text of its attribute `ref`.
    Reference,
    /// An object of its attributes and of the elements within.
    Object(&'static [Field]),
    /// The same, or a text where there are no elements within.
    Mixed(&'static [Field]),
    /// A list of the elements within.
    List(&'static [Field]),
    /// An object that has it under the one key.
    Wrapped(&'static str, &'static Shape),
    /// The one element within, whichever it is.
    Chosen(&'static [Field]),
    /// The tools: a list of them, or an object with components and services.
    Tools(&'static [Field]),
}

/// An attribute, or an element within.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// Its name in XML.
    pub(super) name: &'static str,
    /// Its name in JSON.
    pub(super) key: &'static str,
    pub(super) place: Place,
    /// The versions of CycloneDX that know it.
    oldest: CycloneDxVersion,
    newest: CycloneDxVersion,
}

/// Where a [`Field`] stands, and how often.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Attribute(Scalar),
    /// An element that is there once at most.
    One(&'static Shape),
    /// An element that may be repeated: an array in JSON.
    Many(&'static Shape),
    /// An element whose object is part of the one around it.
    Merged(&'static Shape),
    /// An element that the JSON form has no place for.
    Untold,
}

impl Field {
    const fn new(name: &'static str, place: Place) -> Self {
        Self { name, key: name, place, oldest: V1_2, newest: V1_7 }
    }

    /// The same under another name in JSON.
    pub(super) const fn key(self, key: &'static str) -> Self {
        Self { key, ..self }
    }

    /// The same, unknown to versions before `oldest`.
    pub(super) const fn since(self, oldest: CycloneDxVersion) -> Self {
        Self { oldest, ..self }
    }

    /// The same, unknown to versions after `newest`.
    pub(super) const fn until(self, newest: CycloneDxVersion) -> Self {
        Self { newest, ..self }
    }

    pub(super) fn is_attribute(&self) -> bool {
        matches!(self.place, Place::Attribute(_))
    }

    pub(super) fn is_known_to(&self, version: CycloneDxVersion) -> bool {
        (self.oldest..=self.newest).contains(&version)
    }
}

pub(super) const fn attribute(name: &'static str) -> Field {
    Field::new(name, Place::Attribute(Scalar::String))
}

pub(super) const fn attribute_of(name: &'static str, scalar: Scalar) -> Field {
    Field::new(name, Place::Attribute(scalar))
}

pub(super) const fn one(name: &'static str, shape: &'static Shape) -> Field {
    Field::new(name, Place::One(shape))
}

pub(super) const fn many(name: &'static str, shape: &'static Shape) -> Field {
    Field::new(name, Place::Many(shape))
}

pub(super) const fn merged(name: &'static str, shape: &'static Shape) -> Field {
    Field::new(name, Place::Merged(shape))
}

pub(super) const fn untold(name: &'static str) -> Field {
    Field::new(name, Place::Untold)
}
