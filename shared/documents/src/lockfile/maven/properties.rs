//! Properties of a Maven project, and texts with `${properties}` in them.

use std::collections::HashMap;

use crate::lockfile::MAX_WORD_BYTES;

/// Most references that lead to one another.
const MAX_DEPTH: usize = 32;

/// Properties by name, as written; each is worked out once.
#[derive(Default)]
pub(super) struct Properties<'a> {
    raw: HashMap<&'a str, &'a str>,
    known: HashMap<String, Option<String>>,
}

impl<'a> Properties<'a> {
    /// Sets a property; what was set before stays.
    pub(super) fn set(&mut self, name: &'a str, value: &'a str) {
        self.raw.entry(name).or_insert(value);
    }

    /// `text` with its properties replaced; none where one of them is not known, leads to itself, or
    /// the whole becomes longer than any name.
    pub(super) fn resolve(&mut self, text: &str) -> Option<String> {
        self.replace(text, 0)
    }

    fn replace(&mut self, text: &str, depth: usize) -> Option<String> {
        let mut replaced = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("${") {
            let end = start + rest[start..].find('}')?;
            replaced.push_str(&rest[..start]);
            replaced.push_str(&self.value(&rest[start + 2..end], depth)?);
            if replaced.len() > MAX_WORD_BYTES {
                return None;
            }
            rest = &rest[end + 1..];
        }
        replaced.push_str(rest);
        Some(replaced)
    }

    fn value(&mut self, name: &str, depth: usize) -> Option<String> {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        if depth == MAX_DEPTH || name.len() > MAX_WORD_BYTES {
            return None;
        }
        let raw = *self.raw.get(name)?;
        // Whoever comes back here goes in a circle.
        self.known.insert(name.to_owned(), None);
        let value = self.replace(raw, depth + 1);
        self.known.insert(name.to_owned(), value.clone());
        value
    }
}
