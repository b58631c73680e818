//! What became of a document that somebody submitted, as a predicate.

pub use events::receipt::{
    ReadDocument, ReadGrade, Receipt, ReceiptFinding, ReceiptStep, Step, StepResult, VerifiedKey,
};

use super::Predicate;

impl Predicate for Receipt {
    const TYPE: &'static str = "urn:attestry:receipt:v1";
}
