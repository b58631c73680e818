//! VEX statements that were kept, and how long they count.

use std::fmt;

use documents::vex::{self, Authority, Court, Edition, Source, Status, Version};
use events::{Digest, OPERATOR, Sender};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::slot::{Slot, SlotKind};

/// A VEX document that was accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct VexDocument {
    /// Who submitted it.
    pub from: Sender,
    /// When it was accepted, the first time.
    pub time: Timestamp,
    /// The document.
    pub digest: Digest,
    /// Which version of which document it is; none if it does not say, or was kept by a release that
    /// did not ask.
    pub edition: Option<Edition>,
    /// When it was said last, as it claims.
    pub said: Option<Timestamp>,
    /// What it says.
    pub statements: Vec<Statement>,
}

/// One statement, as it is kept; `documents` says what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement(pub vex::Statement);

/// How long statements suppress after they were said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Days that a supplier's do; without a number for good, as an operator's.
    pub supplier_days: Option<u32>,
}

impl Terms {
    fn of(self, kind: SlotKind) -> Option<SignedDuration> {
        let days = self.supplier_days.filter(|_| kind == SlotKind::Supplier)?;
        Some(SignedDuration::from_hours(24 * i64::from(days)))
    }

    /// Who speaks for `slot` in its own SBOM, `document`.
    pub fn own(self, slot: &Slot, document: Digest, accepted: Timestamp) -> Source {
        Source {
            who: format!("{} {}", slot.kind, slot.scope),
            authority: Authority::Itself,
            document,
            edition: None,
            said: None,
            accepted,
            valid_for: self.of(slot.kind),
        }
    }
}

impl fmt::Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.supplier_days {
            Some(days) => write!(f, "supplier {days} days"),
            None => f.write_str("supplier for good"),
        }
    }
}

impl VexDocument {
    /// With what right its sender speaks about `slot`: a supplier about its own products, an operator
    /// about the scope that was named.
    pub fn authority(&self, slot: &Slot) -> Authority {
        match &self.from {
            Sender::Supplier(supplier)
                if slot.kind == SlotKind::Supplier && slot.scope.as_str() == supplier.as_str() =>
            {
                Authority::Supplier
            }
            Sender::Operator(scope) if scope.as_str() == OPERATOR => Authority::Everywhere,
            Sender::Operator(scope) if *scope == slot.scope => Authority::Scope,
            Sender::Supplier(_) | Sender::Operator(_) => Authority::Nobody,
        }
    }

    /// Whether its sender has a say about `slot`.
    pub fn concerns(&self, slot: &Slot) -> bool {
        self.authority(slot) != Authority::Nobody
    }

    /// Who speaks in it, about `slot`.
    pub fn source(&self, slot: &Slot, terms: Terms) -> Source {
        let kind = match &self.from {
            Sender::Supplier(_) => SlotKind::Supplier,
            Sender::Operator(_) => SlotKind::Project,
        };
        Source {
            who: match &self.from {
                Sender::Supplier(supplier) => format!("supplier {supplier}"),
                Sender::Operator(_) => "operator".to_owned(),
            },
            authority: self.authority(slot),
            document: self.digest,
            edition: self.edition.clone(),
            said: self.said,
            accepted: self.time,
            valid_for: terms.of(kind),
        }
    }

    /// Says what it says about `slot`.
    pub fn speak(&self, slot: &Slot, terms: Terms, court: &mut Court) {
        court.hear(self.source(slot, terms), self.statements.iter().map(|it| &it.0));
    }
}

/// An edition as it lies in the store: an id and three numbers.
pub(crate) type KeptEdition = (String, [u64; 3]);

pub(crate) fn kept(edition: &Edition) -> KeptEdition {
    (edition.id.clone(), edition.version.0)
}

pub(crate) fn edition((id, numbers): KeptEdition) -> Edition {
    Edition { id, version: Version(numbers) }
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
