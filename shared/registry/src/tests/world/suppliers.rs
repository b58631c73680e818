//! Suppliers who submit documents, the answers that they get, and what the mapper makes of them.

use events::{
    AdvisoriesUpdated, BacklogMapped, Content, Decision, DecisionResult, Digest, Document,
    DocumentKind, DocumentSubmitted, Envelope, Event, EvidenceReady, EvidenceSigned, Grade, Input,
    Label, Manifest, Priority, Producer, Role, Sender, StatementRef, Uri,
};
use jiff::Timestamp;

use super::{Dice, World, of, policy, signed};

pub(in super::super) fn supplier(name: &str) -> Sender {
    Sender::Supplier(name.parse().expect("valid"))
}

impl World {
    pub(in super::super) fn drop_document(
        &mut self,
        from: &Sender,
        submission: &str,
        document: Digest,
    ) -> Envelope<DocumentSubmitted> {
        let input = |path: &str, digest| Input {
            path: path.parse().expect("valid"),
            digest,
            size: 7,
            chunks: 1,
        };
        let bundle = input("widget.sigstore.json", of(submission, "signature"));
        let manifest =
            Manifest { document: input("widget.cdx.json", document), bundle: Some(bundle) };
        let data = DocumentSubmitted {
            from: from.clone(),
            submission: submission.parse().expect("valid"),
            content: Content::Named(manifest),
        };
        let (source, scope) = (Label::of("/attestry/supplier-ingest"), from.scope());
        let event = Envelope::root(source, self.now(), Priority::Background, scope, data);
        self.publish(&event);
        event
    }

    /// The signed receipt that says `result`, decided now.
    pub(in super::super) fn decide(
        &mut self,
        submitted: &Envelope<DocumentSubmitted>,
        result: DecisionResult,
    ) -> Envelope<EvidenceSigned> {
        let decision = decision(submitted, result, self.now());
        self.receipt(submitted, decision)
    }

    /// The signed receipt of `decision`.
    pub(in super::super) fn receipt(
        &mut self,
        submitted: &Envelope<DocumentSubmitted>,
        decision: Decision,
    ) -> Envelope<EvidenceSigned> {
        let ready = self.caused(submitted, "supplier-ingest", decided(decision));
        self.caused(&ready, "signer", signed(&ready.data))
    }

    /// From the drop to what the mapper found.
    pub(in super::super) fn supply(
        &mut self,
        from: &Sender,
        submission: &str,
        document: Digest,
        result: DecisionResult,
    ) -> Envelope<DocumentSubmitted> {
        let submitted = self.drop_document(from, submission, document);
        let receipt = self.decide(&submitted, result);
        self.map(&receipt, Some(document));
        submitted
    }

    pub(in super::super) fn map<E: Event>(
        &mut self,
        cause: &Envelope<E>,
        document: Option<Digest>,
    ) -> Envelope<BacklogMapped> {
        let mapped = BacklogMapped {
            document,
            advisories: Some(Digest::of(b"index")),
            findings: 2,
            suppressed: 1,
            opened: vec![Label::of("B-2"), Label::of("B-1")],
            closed: vec![Label::of("B-0")],
        };
        self.caused(cause, "backlog-mapper", mapped)
    }

    pub(in super::super) fn update(&mut self, index: Digest) -> Envelope<AdvisoriesUpdated> {
        let (source, scope) = (Label::of("/attestry/cli"), "operator".parse().expect("valid"));
        let data = AdvisoriesUpdated { index, records: 3, saved_at: Timestamp::UNIX_EPOCH };
        let event = Envelope::root(source, self.now(), Priority::Background, scope, data);
        self.publish(&event);
        event
    }

    /// One of three documents of one of two suppliers, dropped, and whatever may come of it.
    pub(super) fn drop_something(&mut self, number: usize, dice: &mut Dice) {
        let from = supplier(["acme", "globex"][dice.below(2)]);
        let document = of("widget", &dice.below(3).to_string());
        let submission = format!("s-{number}");
        match dice.below(6) {
            0 => drop(self.drop_document(&from, &submission, document)),
            1 => {
                self.drop_document(&from, &submission, document);
                let position = self.last(&events::stage_stream::<DocumentSubmitted>());
                self.set_aside("supplier-ingest", &position);
            }
            2 => {
                let submitted = self.drop_document(&from, &submission, document);
                self.decide(&submitted, DecisionResult::Accepted);
            }
            3 => drop(self.supply(&from, &submission, document, DecisionResult::Rejected)),
            4 => {
                let update = self.update(of("index", &submission));
                self.map(&update, None);
            }
            _ => drop(self.supply(&from, &submission, document, DecisionResult::Accepted)),
        }
    }
}

pub(in super::super) fn decision(
    submitted: &Envelope<DocumentSubmitted>,
    result: DecisionResult,
    ingested_at: Timestamp,
) -> Decision {
    let document = match &submitted.data.content {
        Content::Named(manifest) => Some(manifest.document.digest),
        Content::Unreadable { .. } => None,
    };
    Decision {
        from: submitted.data.from.clone(),
        submission: submitted.data.submission.clone(),
        document,
        result,
        kind: Some(DocumentKind::Sbom),
        rule: (result == DecisionResult::Rejected).then(|| Label::of("sbom/supplier-named")),
        ingested_at,
        policy: Some(policy()),
        product: Some(Label::of("widget")),
        format: Some(Label::of("cyclonedx 1.6")),
        made_at: Some(Timestamp::UNIX_EPOCH),
        signer: Some(Label::of("acme release")),
        grade: Some(Grade::B),
    }
}

/// Evidence of a receipt.
pub(in super::super) fn decided(decision: Decision) -> EvidenceReady {
    let document = decision.document.map(|digest| Document {
        role: Role::Sbom,
        name: "widget.cdx.json".parse().expect("valid"),
        digest,
        size: 7,
        media_type: Label::of("application/vnd.cyclonedx+json"),
    });
    let statement = StatementRef {
        digest: of(decision.submission.as_str(), "receipt"),
        predicate_type: Uri::of("https://example.org/receipt/v1"),
        bundle_name: "receipt.sigstore.json".parse().expect("valid"),
    };
    EvidenceReady {
        producer: Producer::SupplierIngest,
        project: decision.from.scope(),
        documents: document.into_iter().collect(),
        statements: vec![statement],
        verdict: None,
        decision: Some(decision),
    }
}
