//! A signed receipt, as people and machines get it.

use std::path::Path;

use attestation::{
    Receipt,
    predicate::receipt::{ReadDocument, ReceiptFinding, ReceiptStep, StepResult},
    verify::read_without_verifying_unsafe,
    verify_bundle,
};
use events::{DecisionResult, DocumentKind, DocumentSubmitted, Sender, SubmissionId};
use serde::Serialize;

use crate::{
    client,
    failure::Failure,
    output::{self, Format},
};

/// What is told of a receipt.
#[derive(Serialize)]
struct Told<'a> {
    submission: &'a str,
    signature_checked: bool,
    #[serde(flatten)]
    receipt: &'a Receipt,
}

/// Tells the receipt in `bundle`, and the answer as the exit code.
///
/// It must be about this submission: whoever fetched it may have been given another one's.
pub(crate) fn tell(
    bundle: &[u8],
    from: &Sender,
    submission: &SubmissionId,
    key: Option<&Path>,
    format: Format,
) -> Result<(), Failure> {
    let refused = |why: String| Failure::No(format!("the receipt: {why}"));
    let statement = match key {
        Some(key) => verify_bundle(bundle, &client::trust_key(key)?).map(|it| it.statement),
        None => read_without_verifying_unsafe(bundle),
    };
    let statement = statement.map_err(|error| refused(error.to_string()))?;
    let receipt: Receipt = statement.predicate().map_err(|error| refused(error.to_string()))?;
    let decision = &receipt.decision;
    if decision.from != *from || decision.submission != *submission {
        let (from, name) = (&decision.from, &decision.submission);
        return Err(refused(format!("it is about submission {name} of {from}")));
    }
    let name = name(from, submission);
    let told = Told { submission: &name, signature_checked: key.is_some(), receipt: &receipt };
    output::result(format, &text(&told), &told)?;
    match decision.result {
        DecisionResult::Accepted => Ok(()),
        // The receipt said it all.
        DecisionResult::Rejected => Err(Failure::No(String::new())),
    }
}

/// The submission as `supplier status` takes it.
pub(crate) fn name(from: &Sender, submission: &SubmissionId) -> String {
    match from {
        Sender::Supplier(supplier) => format!("{supplier}/{submission}"),
        Sender::Operator(_) => DocumentSubmitted::id_of(from, submission).to_string(),
    }
}

fn text(told: &Told<'_>) -> String {
    let receipt = told.receipt;
    let decision = &receipt.decision;
    let signature = match told.signature_checked {
        true => "signature checked",
        false => "signature not checked here: give --key",
    };
    let result = decision.result.as_str().to_uppercase();
    let mut text = format!("{result} {} ({signature})\n", told.submission);
    add_read(&mut text, decision.kind.map(DocumentKind::as_str), receipt.document.as_ref());
    if let Some(document) = decision.document {
        text.push_str(&format!("  document {document}\n"));
    }
    if let Some(key) = &receipt.signed_by {
        text.push_str(&format!("  signed by {}\n", key.label));
    }
    text.push_str(&format!("  ingested at {}\n", decision.ingested_at));
    add_steps(&mut text, &receipt.steps);
    add_findings(&mut text, &receipt.findings, receipt.finding_count);
    text
}

/// What the document says of itself.
pub(crate) fn add_read(text: &mut String, kind: Option<&str>, read: Option<&ReadDocument>) {
    let (Some(kind), Some(read)) = (kind, read) else { return };
    let version = read.spec_version.iter().map(|it| format!(" {it}")).collect::<String>();
    let entries = if kind == DocumentKind::Sbom.as_str() { "components" } else { "statements" };
    let format = &read.format;
    text.push_str(&format!("  {kind}: {format}{version}, {} {entries}\n", read.entries));
    if let Some(product) = &read.product {
        text.push_str(&format!("  about {product}\n"));
    }
}

/// What came of each step that was reached.
pub(crate) fn add_steps(text: &mut String, steps: &[ReceiptStep]) {
    for it in steps {
        let result = match it.result {
            StepResult::Passed => "passed",
            StepResult::Warned => "warned",
            StepResult::Failed => "failed",
            StepResult::NotReached => continue,
        };
        text.push_str(&format!("  {:<9} {result}: {}\n", it.step.as_str(), it.detail));
    }
}

/// What speaks against it, each with its remedy; there are `count`.
pub(crate) fn add_findings(text: &mut String, findings: &[ReceiptFinding], count: u64) {
    for it in findings {
        let weight = if it.rejects { "rejects" } else { "warning" };
        text.push_str(&format!("  {weight} {} at {}: {}\n", it.rule, it.field, it.reason));
        text.push_str(&format!("    remedy: {}\n", it.remedy));
    }
    let listed = findings.len() as u64;
    if count > listed {
        text.push_str(&format!("  and {} more\n", count - listed));
    }
}
