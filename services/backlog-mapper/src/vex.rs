//! VEX statements that were kept.

use documents::vex::{self, Status, Words};
use events::{Digest, OPERATOR, Sender};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::slot::{Slot, SlotKind};

/// A VEX document that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct VexDocument {
    /// Who submitted it.
    pub from: Sender,
    /// When it was accepted.
    pub time: Timestamp,
    /// The document.
    pub digest: Digest,
    /// What it says.
    pub statements: Vec<Statement>,
}

/// One statement, as it is kept; `documents` says what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement(pub vex::Statement);

impl VexDocument {
    /// Whether its sender may speak about `slot`: a supplier about its own products, an operator
    /// about the scope that was named.
    pub fn concerns(&self, slot: &Slot) -> bool {
        match &self.from {
            Sender::Supplier(supplier) => {
                slot.kind == SlotKind::Supplier && slot.scope.as_str() == supplier.as_str()
            }
            Sender::Operator(scope) => scope.as_str() == OPERATOR || *scope == slot.scope,
        }
    }

    /// Adds what it says.
    pub fn speak(&self, words: &mut Words) {
        let statements = self.statements.iter().map(|it| &it.0);
        words.add(&self.from, self.time, self.digest, statements);
    }
}

impl From<vex::Statement> for Statement {
    fn from(statement: vex::Statement) -> Self {
        Self(statement)
    }
}

/// A statement in the store.
#[derive(Serialize, Deserialize)]
struct Wire {
    vulnerability: String,
    aliases: Vec<String>,
    status: String,
    justification: Option<String>,
    statement: Option<String>,
    products: Vec<WireProduct>,
    timestamp: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct WireProduct {
    id: String,
    aliases: Vec<String>,
    subcomponents: Vec<String>,
    versions: Option<Vec<String>>,
}

impl Serialize for Statement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let vex::Statement { vulnerability, aliases, justification, statement, .. } =
            self.0.clone();
        let products = self.0.products.iter().cloned().map(|product| {
            let vex::Product { id, aliases, subcomponents, versions } = product;
            WireProduct { id, aliases, subcomponents, versions }
        });
        let wire = Wire {
            vulnerability,
            aliases,
            status: self.0.status.as_str().to_owned(),
            justification,
            statement,
            products: products.collect(),
            timestamp: self.0.timestamp,
        };
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let all =
            [Status::NotAffected, Status::Affected, Status::Fixed, Status::UnderInvestigation];
        let found = all.into_iter().find(|it| it.as_str() == wire.status);
        let found = found.ok_or_else(|| serde::de::Error::custom("no such VEX status"))?;
        let products = wire.products.into_iter().map(|product| {
            let WireProduct { id, aliases, subcomponents, versions } = product;
            vex::Product { id, aliases, subcomponents, versions }
        });
        Ok(Self(vex::Statement {
            vulnerability: wire.vulnerability,
            aliases: wire.aliases,
            status: found,
            justification: wire.justification,
            statement: wire.statement,
            products: products.collect(),
            timestamp: wire.timestamp,
        }))
    }
}
