//! VEX statements that were kept, and which of several has the last word.

use std::{collections::HashMap, sync::Arc};

use documents::vex::{self, Status, Target};
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

/// A statement with its weight against others about the same.
struct Word {
    weight: Weight,
    spoken: Arc<Spoken>,
    /// Shared by all its ids, of which a document may name many.
    statement: Arc<Statement>,
}

/// Who says something, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// `supplier acme`, or `operator`.
    pub who: String,
    /// The document that says it.
    pub document: Digest,
}

/// An operator's word counts more than a supplier's, then the one that came last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Weight {
    operator: bool,
    time: Timestamp,
    document: Digest,
    said: Option<Timestamp>,
    position: usize,
}

/// What is said, found by vulnerability.
#[derive(Default)]
pub struct Words {
    by_vulnerability: HashMap<String, Vec<Word>>,
}

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
}

impl Words {
    /// Adds what a document says.
    pub fn add(&mut self, document: &VexDocument) {
        let VexDocument { from, time, digest, statements } = document;
        let who = match from {
            Sender::Supplier(supplier) => format!("supplier {supplier}"),
            Sender::Operator(_) => "operator".to_owned(),
        };
        let spoken = Arc::new(Spoken { who, document: *digest });
        let operator = matches!(from, Sender::Operator(_));
        let everywhere = matches!(from, Sender::Operator(scope) if scope.as_str() == OPERATOR);
        for (position, statement) in statements.iter().enumerate() {
            let said = statement.0.timestamp;
            let weight = Weight { operator, time: *time, document: *digest, said, position };
            let mut statement = statement.clone();
            if everywhere {
                statement.keep_global_names();
            }
            self.insert(weight, &spoken, statement);
        }
    }

    /// Adds what an SBOM says about itself.
    pub fn add_own(
        &mut self,
        slot: &Slot,
        time: Timestamp,
        document: Digest,
        statements: &[Statement],
    ) {
        let who = format!("{} {}", slot.kind, slot.scope);
        let spoken = Arc::new(Spoken { who, document });
        for (position, statement) in statements.iter().enumerate() {
            let said = statement.0.timestamp;
            let weight = Weight { operator: false, time, document, said, position };
            self.insert(weight, &spoken, statement.clone());
        }
    }

    fn insert(&mut self, weight: Weight, spoken: &Arc<Spoken>, statement: Statement) {
        let statement = Arc::new(statement);
        let ids = std::iter::once(&statement.0.vulnerability).chain(&statement.0.aliases);
        for id in ids {
            let (spoken, statement) = (spoken.clone(), statement.clone());
            let words = self.by_vulnerability.entry(id.to_ascii_lowercase()).or_default();
            words.push(Word { weight, spoken, statement });
        }
    }

    /// Whether nothing is said at all.
    pub fn is_empty(&self) -> bool {
        self.by_vulnerability.is_empty()
    }

    /// The statement about `target` that counts, in `self` or in `own`.
    pub fn last<'a>(
        &'a self,
        own: &'a Self,
        target: &Target<'_>,
    ) -> Option<(&'a Spoken, &'a vex::Statement)> {
        let ids = std::iter::once(target.vulnerability)
            .chain(target.aliases.iter().map(String::as_str))
            .map(str::to_ascii_lowercase);
        let words = ids.flat_map(|id| {
            let both = [&self.by_vulnerability, &own.by_vulnerability];
            both.into_iter().filter_map(move |words| words.get(&id)).flatten()
        });
        words
            .filter(|word| word.statement.0.applies_to(target))
            .max_by_key(|word| word.weight)
            .map(|word| (&*word.spoken, &word.statement.0))
    }
}

impl Statement {
    /// Forgets products with names that mean something only within one document or one supplier.
    fn keep_global_names(&mut self) {
        let global = |name: &str| ["pkg:", "urn:", "sha256:"].iter().any(|it| name.starts_with(it));
        self.0.products.retain_mut(|product| {
            product.aliases.retain(|name| global(name));
            global(&product.id)
        });
    }
}

/// As OpenVEX writes it.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::NotAffected => "not_affected",
        Status::Affected => "affected",
        Status::Fixed => "fixed",
        Status::UnderInvestigation => "under_investigation",
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
            status: status(self.0.status).to_owned(),
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
        let found = all.into_iter().find(|it| status(*it) == wire.status);
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
