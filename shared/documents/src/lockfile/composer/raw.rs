//! The objects of `composer.lock` and `composer.json` as they are written; other keys may be anything.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::lockfile::borrowed::{Text, Texts};

#[derive(Deserialize)]
pub(super) struct RawLock<'a> {
    #[serde(borrow)]
    pub(super) packages: Option<Vec<RawPackage<'a>>>,
    #[serde(rename = "packages-dev")]
    pub(super) packages_dev: Option<Vec<RawPackage<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RawPackage<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    pub(super) source: Option<RawCode<'a>>,
    pub(super) dist: Option<RawDist<'a>>,
    /// Whom to tell of an installation; only the repository that has the package says so.
    pub(super) notification_url: Option<Text<'a>>,
    #[serde(default)]
    pub(super) require: Names<'a>,
    #[serde(default)]
    pub(super) provide: Names<'a>,
    #[serde(default)]
    pub(super) replace: Names<'a>,
    #[serde(default)]
    pub(super) license: Texts<'a>,
    pub(super) authors: Option<Vec<RawAuthor<'a>>>,
}

/// A commit of a repository.
#[derive(Deserialize)]
pub(super) struct RawCode<'a> {
    #[serde(borrow)]
    pub(super) r#type: Option<Text<'a>>,
    pub(super) url: Option<Text<'a>>,
    pub(super) reference: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct RawDist<'a> {
    #[serde(borrow)]
    r#type: Option<Text<'a>>,
    pub(super) url: Option<Text<'a>>,
    /// SHA-1 of the archive, or nothing.
    pub(super) shasum: Option<Text<'a>>,
}

impl RawDist<'_> {
    /// Whether it is a folder beside the project.
    pub(super) fn is_path(&self) -> bool {
        self.r#type.as_deref() == Some("path")
    }
}

#[derive(Deserialize)]
pub(super) struct RawAuthor<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
}

/// `composer.json`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct RawProject<'a> {
    #[serde(borrow)]
    pub(super) name: Option<Text<'a>>,
    pub(super) version: Option<Text<'a>>,
    #[serde(default)]
    pub(super) require: Names<'a>,
    #[serde(default)]
    pub(super) require_dev: Names<'a>,
}

/// The keys of an object; PHP writes an empty one as an empty list.
#[derive(Default)]
pub(super) struct Names<'a>(pub(super) Vec<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Names<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamesVisitor(PhantomData))
    }
}

struct NamesVisitor<'a>(PhantomData<&'a str>);

impl<'de: 'a, 'a> Visitor<'de> for NamesVisitor<'a> {
    type Value = Names<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of package names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names<'a>, A::Error> {
        let mut names = Vec::new();
        while let Some((name, IgnoredAny)) = map.next_entry()? {
            names.push(name);
        }
        Ok(Names(names))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Names<'a>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Names::default())
    }

    fn visit_unit<E>(self) -> Result<Names<'a>, E> {
        Ok(Names::default())
    }
}
