//! The names of the elements of a document: each once, and each reference to one that is there.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use super::problems::{Problems, Quoted};

/// The names of one document.
pub(crate) struct Names<'a> {
    found: HashSet<Cow<'a, str>>,
    /// What the format calls such a name.
    called: &'static str,
}

impl<'a> Names<'a> {
    pub(crate) fn called(called: &'static str) -> Self {
        Self { found: HashSet::new(), called }
    }

    /// Adds the name of the element at `place`.
    pub(crate) fn add(&mut self, name: &'a str, place: impl fmt::Display, problems: &mut Problems) {
        if !self.found.insert(Cow::Borrowed(name)) {
            let message = format_args!("{} names another element already", Quoted(name));
            problems.add("duplicate-bom-ref", place, message);
        }
    }

    /// Adds a name that an element may have been given before.
    pub(crate) fn add_mentioned(&mut self, name: &'a str) {
        self.found.insert(Cow::Borrowed(name));
    }

    /// Adds the name of an element that nobody will look at again; whether it is new.
    pub(crate) fn add_owned(&mut self, name: &str) -> bool {
        self.found.insert(Cow::Owned(name.to_owned()))
    }

    /// Checks that the reference at `place` is to something that is there.
    pub(crate) fn check(&self, name: &str, place: impl fmt::Display, problems: &mut Problems) {
        if !self.found.contains(name) {
            let message = format_args!("no element has the {} {}", self.called, Quoted(name));
            problems.add("dangling-reference", place, message);
        }
    }
}
