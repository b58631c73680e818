//! What is decoded when somebody looks at it: of most records nobody does.

use std::{cell::OnceCell, collections::BTreeSet, ops::Deref};

use super::Arena;
use crate::{Advisory, Severity};

/// A record without what it affects.
pub(crate) struct About<'a> {
    arena: &'a Arena,
    record: u32,
    read: OnceCell<Advisory>,
}

/// Ids and aliases of all records about a vulnerability.
pub(crate) struct Names<'a> {
    arena: &'a Arena,
    vulnerability: u32,
    read: OnceCell<BTreeSet<&'a str>>,
}

impl<'a> About<'a> {
    pub(super) fn new(arena: &'a Arena, record: u32) -> Self {
        Self { arena, record, read: OnceCell::new() }
    }
}

impl<'a> Names<'a> {
    pub(super) fn new(arena: &'a Arena, vulnerability: u32) -> Self {
        Self { arena, vulnerability, read: OnceCell::new() }
    }
}

impl Deref for About<'_> {
    type Target = Advisory;

    fn deref(&self) -> &Advisory {
        self.read.get_or_init(|| {
            let read = self.arena.body(self.record).map(|(about, ..)| about);
            read.unwrap_or_else(unreadable)
        })
    }
}

impl<'a> Deref for Names<'a> {
    type Target = BTreeSet<&'a str>;

    fn deref(&self) -> &BTreeSet<&'a str> {
        self.read.get_or_init(|| self.arena.names_of(self.vulnerability))
    }
}

/// In the place of a record that cannot be decoded, so that what it affects is told all the same.
fn unreadable() -> Advisory {
    Advisory {
        id: String::new(),
        aliases: Vec::new(),
        upstream: Vec::new(),
        modified: None,
        published: None,
        withdrawn: None,
        summary: String::new(),
        severity: Severity::Unknown,
        cvss: None,
        affected: Vec::new(),
    }
}
