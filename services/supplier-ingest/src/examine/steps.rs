//! The steps of a decision, and what came of each.

use std::collections::BTreeMap;

use attestation::predicate::receipt::{ReceiptFinding, ReceiptStep, Step, StepResult};
use documents::bom::DEVIATIONS;
use events::{Digest, DocumentKind, Text};

use super::{Contents, Signature, Unread};
use crate::passport::Passport;

/// What was looked at, and what was found; whatever is not in here was not reached.
#[derive(Default)]
pub(crate) struct Steps {
    found: BTreeMap<Step, Text<1024>>,
    /// Whether the document departs from its schema, and is tolerated.
    departs: bool,
}

impl Steps {
    /// The sender is known, and its document was put together.
    pub(super) fn arrived(document: &[u8]) -> Self {
        let mut steps = Self::default();
        steps.add(Step::Sender, "is known");
        let size = document.len();
        steps.add(Step::Upload, &format!("{size} bytes with the digest of the manifest"));
        steps
    }

    /// Somebody unknown submitted something.
    pub(crate) fn stranger() -> Self {
        let mut steps = Self::default();
        steps.add(Step::Sender, "has no passport");
        steps
    }

    /// The document could not be put together.
    pub(crate) fn not_uploaded() -> Self {
        let mut steps = Self::default();
        steps.add(Step::Sender, "is known");
        steps.add(Step::Upload, "is not complete");
        steps
    }

    pub(super) fn unread(&mut self, unread: &Unread) {
        for step in [Step::Bytes, Step::Format] {
            if step < unread.step {
                self.add(step, "can be read");
            }
        }
        let reason = unread.findings.first().map_or("", |it| it.reason.as_str());
        self.add(unread.step, reason);
    }

    pub(super) fn read(&mut self, contents: &Contents) {
        self.add(Step::Bytes, "within every limit, in UTF-8, each key once");
        let version = contents.spec_version.map(|it| format!(" {it}")).unwrap_or_default();
        let kind = contents.kind.as_str();
        self.add(Step::Format, &format!("{}{version}, read as {kind}", contents.format));
        let counts = contents.bom.as_ref().map(|it| &it.problem_counts);
        let tolerated = DEVIATIONS.iter().filter_map(|(name, _)| {
            let count = counts?.get(name)?;
            Some(format!("{name} ({count})"))
        });
        let tolerated: Vec<_> = tolerated.collect();
        match tolerated.is_empty() {
            true => self.add(Step::Schema, "valid"),
            false => {
                let tolerated = tolerated.join(", ");
                self.departs = true;
                self.add(Step::Schema, &format!("valid but for what is tolerated: {tolerated}"));
            }
        }
    }

    pub(super) fn judged(
        &mut self,
        contents: &Contents,
        signature: &Signature,
        passport: &Passport,
        policy: Digest,
        findings: &[ReceiptFinding],
    ) {
        let signed = match (&signature.verified, &signature.told.reason) {
            (Some(key), _) => format!("by {}", key.label),
            (None, Some(reason)) => reason.clone(),
            (None, None) => "there is none".to_owned(),
        };
        self.add(Step::Signature, &signed);
        let product = contents.product().map(|it| format!(", about {it}")).unwrap_or_default();
        let covers = match signature.told.covers_document {
            true => format!("the signature is over {}{product}", contents.digest),
            false => format!("no signature of the supplier is over this document{product}"),
        };
        self.add(Step::Binding, &covers);
        let rejecting = findings.iter().filter(|it| it.rejects).count();
        let warning = findings.len() - rejecting;
        let told = format!("{rejecting} rules reject, {warning} warn, by policy {policy}");
        self.add(Step::Policy, &told);
        if contents.kind == DocumentKind::Sbom {
            let score = contents.score(Some(passport)).map_or_else(
                || "there is no score for such documents".to_owned(),
                |it| format!("{} with {} of 100 by {}", it.grade, it.score, it.title),
            );
            let asked = passport.minimum_grade;
            let asked = asked.map(|it| format!("; the passport asks for {}", it.as_str()));
            self.add(Step::Grade, &format!("{score}{}", asked.unwrap_or_default()));
        }
    }

    /// Every step, each as bad as the worst that it found.
    pub(crate) fn told(self, findings: &[ReceiptFinding]) -> Vec<ReceiptStep> {
        let (mut found, departs) = (self.found, self.departs);
        let steps = Step::ALL.into_iter().map(|step| {
            let detail = found.remove(&step);
            let mut of_it = findings.iter().filter(|it| it.step == Some(step)).peekable();
            let result = match (&detail, of_it.peek().is_some(), of_it.any(|it| it.rejects)) {
                (None, ..) => StepResult::NotReached,
                (_, _, true) => StepResult::Failed,
                (_, true, false) => StepResult::Warned,
                _ if departs && step == Step::Schema => StepResult::Warned,
                (_, false, false) => StepResult::Passed,
            };
            ReceiptStep { step, result, detail: detail.unwrap_or_else(|| Text::of("")) }
        });
        steps.collect()
    }

    fn add(&mut self, step: Step, detail: &str) {
        self.found.insert(step, Text::of(detail));
    }
}
