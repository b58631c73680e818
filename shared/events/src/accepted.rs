//! What is on record of accepted documents, for whoever judges by them: values of the archive's pointers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Digest, DocumentKind, Scope, Sender, SupplierId, Text, subject::token};

/// An accepted document: supplier-ingest writes it, the gate reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// Who submitted it.
    pub from: Sender,
    /// The document, in the archive.
    pub document: Digest,
    /// What it is.
    pub kind: DocumentKind,
    /// What an SBOM is about: the purl of its subject, else its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<Text<1024>>,
    /// When it says that it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_at: Option<Timestamp>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Whether a signature over it was verified by the passport.
    pub signed: bool,
}

impl Accepted {
    /// Where this one stands: each VEX document for itself, of SBOMs the newest of each product.
    pub fn pointer(&self) -> String {
        match self.kind {
            DocumentKind::Vex => format!("{}/{}", Self::vex(&self.from), self.document.hex()),
            DocumentKind::Sbom => Self::sbom(&self.from, self.product.as_ref().map(Text::as_str)),
        }
    }

    /// Where the newest SBOM of a sender's product stands.
    pub fn sbom(from: &Sender, product: Option<&str>) -> String {
        let product = Digest::of(product.unwrap_or_default().as_bytes());
        format!("{}/{}", Self::below(from, "sbom"), product.hex())
    }

    /// Whether this one stands in place of `other`: it was made later, whichever came first. What does not say when it
    /// was made counts as made when it was accepted.
    pub fn replaces(&self, other: &Self) -> bool {
        let age = |it: &Self| (it.made_at.unwrap_or(it.accepted_at), it.accepted_at, it.document);
        age(self) > age(other)
    }

    /// Where a sender's VEX documents stand.
    pub fn vex(from: &Sender) -> String {
        Self::below(from, "vex")
    }

    /// Where a supplier's SBOMs stand.
    pub fn sboms(supplier: &SupplierId) -> String {
        Self::below(&Sender::Supplier(supplier.clone()), "sbom")
    }

    fn below(from: &Sender, kind: &str) -> String {
        let (who, scope): (_, Scope) = match from {
            Sender::Supplier(_) => ("supplier", from.scope()),
            Sender::Operator(_) => ("operator", from.scope()),
        };
        format!("accepted/{kind}/{who}/{}", token(scope.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_that_was_made_last_stands_whichever_came_first() {
        let accepted = |made_at: Option<i64>, accepted_at: i64| Accepted {
            from: Sender::Supplier("acme".parse().expect("valid")),
            document: Digest::of(format!("{made_at:?} {accepted_at}").as_bytes()),
            kind: DocumentKind::Sbom,
            product: None,
            made_at: made_at.map(|it| Timestamp::from_second(it).expect("valid")),
            accepted_at: Timestamp::from_second(accepted_at).expect("valid"),
            signed: true,
        };
        for (newer, older) in [
            (accepted(Some(20), 30), accepted(Some(10), 40)),
            (accepted(Some(10), 40), accepted(Some(10), 30)),
            (accepted(None, 30), accepted(Some(20), 40)),
            (accepted(None, 30), accepted(None, 20)),
        ] {
            assert!(newer.replaces(&older) && !older.replaces(&newer));
            assert!(!newer.replaces(&newer));
        }
    }
}
