//! The packages of a document, and which of them is which in the other.

use std::collections::{BTreeMap, HashMap};

use purl::Purl;

use super::item::Item;
use crate::bill::{Bill, MAX_TEXT_CHARS, Part};
use crate::bom::MAX_PURL_BYTES;

/// The versions of one package; the empty text where there is none.
pub(super) type Versions = BTreeMap<String, Item>;

/// The packages of one document.
#[derive(Default)]
pub(super) struct Packages {
    by_key: BTreeMap<Key, Versions>,
    /// Packages with a purl, by what they would be called without.
    by_name: HashMap<Key, Vec<Key>>,
}

/// What makes components one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Purl { text: String, kind: String },
    Name { group: String, name: String, kind: String },
}

impl Packages {
    pub(super) fn of(bill: &Bill) -> Self {
        let mut packages = Self::default();
        for part in bill.parts().iter().filter(|it| !it.is_subject) {
            let named = Key::of_name(part);
            let (key, version) = match of_purl(part) {
                Some((key, version)) => {
                    let keys = packages.by_name.entry(named).or_default();
                    if !keys.contains(&key) && keys.len() < 2 {
                        keys.push(key.clone());
                    }
                    (key, version)
                }
                None => (named, None),
            };
            let version = part.text("version").map(str::to_owned).or(version).unwrap_or_default();
            let version = key.same_spelling(version);
            packages.by_key.entry(key).or_default().entry(version).or_default().add(part);
        }
        packages
    }

    /// The package `key` of the other document: the same, or the one of the same name if only one of
    /// the two documents gives it a purl.
    fn counterpart<'a>(&'a self, key: &'a Key, other: &Self) -> Option<&'a Key> {
        if self.by_key.contains_key(key) {
            return Some(key);
        }
        match key {
            Key::Name { .. } => match self.by_name.get(key).map(Vec::as_slice) {
                Some([only]) if !other.by_key.contains_key(only) => Some(only),
                _ => None,
            },
            Key::Purl { .. } => None,
        }
    }
}

/// Calls `with` for each package with its name, its purl type, and its versions in both documents.
pub(super) fn pair(
    old: &Packages,
    new: &Packages,
    mut with: impl FnMut(&str, Option<&str>, &Versions, &Versions),
) {
    let none = Versions::new();
    let mut paired: HashMap<&Key, &Key> = HashMap::new();
    for key in old.by_key.keys() {
        if let Some(other) = new.counterpart(key, old) {
            paired.insert(other, key);
        }
    }
    for key in new.by_key.keys() {
        if let Some(other) = old.counterpart(key, new) {
            paired.entry(key).or_insert(other);
        }
    }
    for (key, versions) in &new.by_key {
        let before = paired.get(key).and_then(|it| old.by_key.get(it)).unwrap_or(&none);
        with(&key.name(), key.kind(), before, versions);
    }
    let followed: std::collections::HashSet<_> = paired.values().collect();
    for (key, versions) in old.by_key.iter().filter(|(key, _)| !followed.contains(key)) {
        with(&key.name(), key.kind(), versions, &none);
    }
}

/// The package that a purl names, and the version in it.
fn of_purl(part: &Part<'_>) -> Option<(Key, Option<String>)> {
    let text = part.text("purl").filter(|it| it.len() <= MAX_PURL_BYTES)?;
    let purl = Purl::canonicalize(text).ok()?;
    let kind = purl.kind().to_owned();
    let name = match kind.as_str() {
        // PEP 503, "Normalized Names", which older purls do not follow.
        "pypi" => purl.name().replace(['_', '.'], "-"),
        _ => purl.name().to_owned(),
    };
    let bare = Purl::new(&kind, &name).with_namespace(purl.namespace().unwrap_or_default());
    let version = purl.version().map(str::to_owned);
    Some((Key::Purl { text: bare.canonical(), kind }, version))
}

impl Key {
    fn of_name(part: &Part<'_>) -> Self {
        let text = |key| part.text(key).unwrap_or_default();
        let text = |key| text(key).chars().take(MAX_TEXT_CHARS).collect();
        Self::Name { group: text("group"), name: text("name"), kind: text("type") }
    }

    /// For people.
    fn name(&self) -> String {
        match self {
            Self::Purl { text, .. } => text.clone(),
            Self::Name { group, name, .. } if group.is_empty() => name.clone(),
            Self::Name { group, name, .. } => format!("{group}/{name}"),
        }
    }

    fn kind(&self) -> Option<&str> {
        match self {
            Self::Purl { kind, .. } => Some(kind),
            Self::Name { .. } => None,
        }
    }

    /// Some tools leave out the `v` that Go writes before every version.
    fn same_spelling(&self, version: String) -> String {
        match self.kind() {
            Some("golang") if version.starts_with(|it: char| it.is_ascii_digit()) => {
                format!("v{version}")
            }
            _ => version,
        }
    }
}
