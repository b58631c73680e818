//! What speaks against a document, as receipts tell it.

use attestation::predicate::receipt::{ReceiptFinding, Step};
use events::Text;
use policy::{Finding, Report};

use super::WHOLE;
use crate::passport::Mode;

pub(crate) fn finding(
    step: Step,
    rule: &str,
    field: &str,
    reason: &str,
    remedy: &str,
) -> ReceiptFinding {
    ReceiptFinding {
        step: Some(step),
        rule: Text::of(rule),
        rejects: true,
        field: Text::of(field),
        reason: Text::of(reason),
        remedy: Text::of(remedy),
    }
}

/// What the policy said, rejections first, each as heavy as the rule says, and how many it left out.
pub(super) fn of(report: Report, mode: Mode) -> (Vec<ReceiptFinding>, u64) {
    let rejects = mode == Mode::Enforce;
    let from = |rejects: bool| {
        move |it: Finding| {
            let field = it.field.or(it.component).unwrap_or_else(|| WHOLE.to_owned());
            let said = finding(step_of(&field), &it.id, &field, &it.message, &it.remedy);
            ReceiptFinding { rejects, ..said }
        }
    };
    // A policy that could not be asked rejects, whatever the mode.
    let errors = report.errors.into_iter().map(|reason| {
        let remedy = "tell the operator: the trust policy could not judge this document";
        finding(Step::Policy, "policy-failed", WHOLE, &reason, remedy)
    });
    let violations = report.violations.into_iter().map(from(rejects));
    let warnings = report.warnings.into_iter().map(from(false));
    (errors.chain(violations).chain(warnings).collect(), report.omitted)
}

/// The step whose result a rule looks at, by the field that it names: policies are anybody's, fields are ours.
fn step_of(field: &str) -> Step {
    if field == "signature.covers_document" || field.starts_with("/metadata/component") {
        Step::Binding
    } else if field.starts_with("signature.") {
        Step::Signature
    } else if field == "document.grade" {
        Step::Grade
    } else {
        Step::Policy
    }
}
