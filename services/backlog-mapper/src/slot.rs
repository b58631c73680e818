//! Where documents replace each other: one product of one project or supplier.

use std::fmt;

use events::{Digest, Label, Scope};
use serde::{Deserialize, Serialize};

/// One product; of all documents about it the newest one counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// Whether we built it or were given it.
    pub kind: SlotKind,
    /// The project or supplier.
    pub scope: Scope,
    /// Name of the product, without a version.
    pub product: Label,
}

/// Whether we built a product or were given it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SlotKind {
    /// Our own build: a dependency can be updated here.
    Project,
    /// A supplier's product: the supplier has to be asked.
    Supplier,
}

impl Slot {
    /// Identity of the slot, the same wherever and whenever it is made.
    pub fn id(&self) -> Digest {
        let Self { kind, scope, product } = self;
        Digest::of(format!("{kind}\0{scope}\0{product}").as_bytes())
    }

    /// The owner of the slot for people: a supplier may be called like a project.
    pub fn section(&self) -> String {
        match self.kind {
            SlotKind::Project => self.scope.to_string(),
            SlotKind::Supplier => format!("{} (supplier)", self.scope),
        }
    }
}

impl SlotKind {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Supplier => "supplier",
        }
    }
}

impl fmt::Display for SlotKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
