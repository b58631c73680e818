//! Documents that were submitted, what was decided about each, and the registry of those accepted.

use events::{
    Content, Decision, DecisionResult, Digest, DocumentKind, DocumentSubmitted, Envelope, Grade,
    Label, Priority, Producer, Record, Sender,
};
use rusqlite::params;

use super::{Projector, Tally, stage_event::Origin};
use crate::{
    columns::{Hash, Number, Time},
    stage::Stage,
};

/// Whether a decision is the answer yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Receipt {
    Unsigned,
    /// By the bundle with this digest.
    Signed(Option<Digest>),
}

impl Projector<'_> {
    pub(super) fn document_submitted(
        &mut self,
        record: &Record,
        event: &Envelope<DocumentSubmitted>,
    ) -> rusqlite::Result<()> {
        let Some(origin) = self.event(record, Stage::DocumentSubmitted, event)? else {
            return Ok(());
        };
        let DocumentSubmitted { from, submission, content } = &event.data;
        let (manifest, unreadable) = match content {
            Content::Named(manifest) => (Some(manifest), None),
            Content::Unreadable { reason } => (None, Some(reason.as_str())),
        };
        let (document, bundle) =
            (manifest.map(|it| &it.document), manifest.and_then(|it| it.bundle.as_ref()));
        let sql = "INSERT INTO submission
            (correlation, sender, scope, submission, name, document, size, bundle, unreadable,
            event_time, known_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
            ON CONFLICT (correlation) DO NOTHING";
        let new = self.connection.prepare_cached(sql)?.execute(params![
            origin.correlation,
            sender_name(from),
            from.scope().as_str(),
            submission.as_str(),
            document.map(|it| it.path.as_str()),
            document.map(|it| Hash(it.digest)),
            document.map(|it| Number(it.size)),
            bundle.map(|it| Hash(it.digest)),
            unreadable,
            origin.event_time,
            origin.known_at
        ])?;
        self.count(Tally::Submissions, new as u64);
        Ok(())
    }

    /// Notes what was decided; a signed receipt is the answer to whoever submitted.
    pub(super) fn decision(
        &mut self,
        origin: Origin,
        decision: Option<&Decision>,
        receipt: Receipt,
    ) -> rusqlite::Result<()> {
        let Some(decision) = decision else { return Ok(()) };
        if origin.producer != Some(Producer::SupplierIngest) {
            return Ok(());
        }
        if !answers(decision, origin) {
            self.count(Tally::Conflicts, 1);
            return Ok(());
        }
        let (signed, bundle) = match receipt {
            Receipt::Unsigned => (false, None),
            Receipt::Signed(bundle) => (true, bundle),
        };
        let sql = "INSERT INTO decision
            (correlation, signed, sender, scope, submission, document, result, kind, rule, policy,
            receipt, ingested_at, event_time, known_at, product, format, made_at, signer, grade)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19)
            ON CONFLICT (correlation, signed) DO NOTHING";
        let new = self.connection.prepare_cached(sql)?.execute(params![
            origin.correlation,
            i64::from(signed),
            sender_name(&decision.from),
            decision.from.scope().as_str(),
            decision.submission.as_str(),
            decision.document.map(Hash),
            decision.result.as_str(),
            decision.kind.map(DocumentKind::as_str),
            decision.rule.as_ref().map(|it| it.as_str()),
            decision.policy.map(Hash),
            bundle.map(Hash),
            Time(decision.ingested_at),
            origin.event_time,
            origin.known_at,
            decision.product.as_ref().map(|it| it.as_str()),
            decision.format.as_ref().map(|it| it.as_str()),
            decision.made_at.map(Time),
            decision.signer.as_ref().map(|it| it.as_str()),
            decision.grade.map(Grade::as_str)
        ])?;
        if new == 0 || !signed {
            return Ok(());
        }
        match decision.result {
            DecisionResult::Rejected => {
                self.count(Tally::Rejected, 1);
                Ok(())
            }
            DecisionResult::Accepted => {
                self.count(Tally::Accepted, 1);
                self.supplier_document(origin, decision, bundle)
            }
        }
    }

    /// Whichever was ingested first stands, in whatever order the receipts were signed.
    fn supplier_document(
        &mut self,
        origin: Origin,
        decision: &Decision,
        receipt: Option<Digest>,
    ) -> rusqlite::Result<()> {
        let Some(document) = decision.document else {
            // Nobody can accept what has no digest.
            self.count(Tally::Conflicts, 1);
            return Ok(());
        };
        let sql = "INSERT INTO supplier_document
            (sender, scope, digest, kind, submission, correlation, receipt, policy, ingested_at,
            event_time, known_at, product, format, made_at, signer, grade)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
            ON CONFLICT (sender, scope, digest) DO UPDATE
            SET kind = excluded.kind, submission = excluded.submission,
            correlation = excluded.correlation, receipt = excluded.receipt,
            policy = excluded.policy, ingested_at = excluded.ingested_at,
            event_time = excluded.event_time, known_at = excluded.known_at,
            product = excluded.product, format = excluded.format, made_at = excluded.made_at,
            signer = excluded.signer, grade = excluded.grade
            WHERE excluded.ingested_at < supplier_document.ingested_at
            OR (excluded.ingested_at = supplier_document.ingested_at
            AND excluded.correlation < supplier_document.correlation)";
        self.connection.prepare_cached(sql)?.execute(params![
            sender_name(&decision.from),
            decision.from.scope().as_str(),
            Hash(document),
            decision.kind.map(DocumentKind::as_str),
            decision.submission.as_str(),
            origin.correlation,
            receipt.map(Hash),
            decision.policy.map(Hash),
            Time(decision.ingested_at),
            origin.event_time,
            origin.known_at,
            decision.product.as_ref().map(|it| it.as_str()),
            decision.format.as_ref().map(|it| it.as_str()),
            decision.made_at.map(Time),
            decision.signer.as_ref().map(|it| it.as_str()),
            decision.grade.map(Grade::as_str)
        ])?;
        Ok(())
    }
}

/// As it is written in columns.
pub(crate) fn sender_name(sender: &Sender) -> &'static str {
    match sender {
        Sender::Supplier(_) => "supplier",
        Sender::Operator(_) => "operator",
    }
}

/// Whether the decision is about the submission with whose correlation it came.
fn answers(decision: &Decision, origin: Origin) -> bool {
    let Decision { from, submission, ingested_at, .. } = decision;
    // Nothing else makes a submission's id.
    let submitted = DocumentSubmitted {
        from: from.clone(),
        submission: submission.clone(),
        content: Content::Unreadable { reason: Label::of("-") },
    };
    let source = Label::of("-");
    let root = Envelope::root(source, *ingested_at, Priority::Background, from.scope(), submitted);
    root.id == origin.correlation.0
}
