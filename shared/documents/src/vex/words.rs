//! Which of several VEX statements about the same has the last word.

use std::{collections::HashMap, sync::Arc};

use events::{Digest, OPERATOR, Sender};
use jiff::Timestamp;

use super::{Statement, Target};

/// What is said, found by vulnerability.
#[derive(Default)]
pub struct Words {
    by_vulnerability: HashMap<String, Vec<Word>>,
}

/// Who says something, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spoken {
    /// `supplier acme`, or `operator`.
    pub who: String,
    /// The document that says it.
    pub document: Digest,
    /// When it was accepted.
    pub time: Timestamp,
}

/// One statement with its weight against others about the same.
struct Word {
    weight: Weight,
    spoken: Arc<Spoken>,
    /// Shared by all its ids, of which a document may name many.
    statement: Arc<Statement>,
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

impl Words {
    /// Adds what a document says that was accepted at `time`.
    pub fn add<'a>(
        &mut self,
        from: &Sender,
        time: Timestamp,
        document: Digest,
        statements: impl IntoIterator<Item = &'a Statement>,
    ) {
        let who = match from {
            Sender::Supplier(supplier) => format!("supplier {supplier}"),
            Sender::Operator(_) => "operator".to_owned(),
        };
        let spoken = Arc::new(Spoken { who, document, time });
        let operator = matches!(from, Sender::Operator(_));
        let everywhere = matches!(from, Sender::Operator(scope) if scope.as_str() == OPERATOR);
        for (position, statement) in statements.into_iter().enumerate() {
            let mut statement = statement.clone();
            if everywhere {
                statement.keep_global_names();
            }
            self.insert(operator, position, &spoken, statement);
        }
    }

    /// Adds what an SBOM says about itself; it weighs as a supplier's word.
    pub fn add_own<'a>(
        &mut self,
        who: String,
        time: Timestamp,
        document: Digest,
        statements: impl IntoIterator<Item = &'a Statement>,
    ) {
        let spoken = Arc::new(Spoken { who, document, time });
        for (position, statement) in statements.into_iter().enumerate() {
            self.insert(false, position, &spoken, statement.clone());
        }
    }

    fn insert(
        &mut self,
        operator: bool,
        position: usize,
        spoken: &Arc<Spoken>,
        statement: Statement,
    ) {
        let (time, document, said) = (spoken.time, spoken.document, statement.timestamp);
        let weight = Weight { operator, time, document, said, position };
        let statement = Arc::new(statement);
        let ids = std::iter::once(&statement.vulnerability).chain(&statement.aliases);
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
    ) -> Option<(&'a Spoken, &'a Statement)> {
        let ids = std::iter::once(target.vulnerability)
            .chain(target.aliases.iter().map(String::as_str))
            .map(str::to_ascii_lowercase);
        let words = ids.flat_map(|id| {
            let both = [&self.by_vulnerability, &own.by_vulnerability];
            both.into_iter().filter_map(move |words| words.get(&id)).flatten()
        });
        words
            .filter(|word| word.statement.applies_to(target))
            .max_by_key(|word| word.weight)
            .map(|word| (&*word.spoken, &*word.statement))
    }
}

impl Statement {
    /// Forgets products with names that mean something only within one document or one supplier.
    fn keep_global_names(&mut self) {
        let global = |name: &str| ["pkg:", "urn:", "sha256:"].iter().any(|it| name.starts_with(it));
        self.products.retain_mut(|product| {
            product.aliases.retain(|name| global(name));
            global(&product.id)
        });
    }
}
