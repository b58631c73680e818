//! Two arrows: evidence → backlog, and a new advisory index → backlog.

use advisories::Index;
use archive::Archive;
use documents::{bom, vex};
use events::{
    AdvisoriesUpdated, BacklogMapped, Decision, DecisionResult, Digest, DocumentKind, Envelope,
    EvidenceSigned, Priority, Producer, Role, Scope, Sender, VerdictResult,
};
use jiff::Timestamp;
use worker::{Context, HandleError, Handler, Share, off_thread};

use crate::{
    DOCUMENT_BYTES_MAX, Mapper, NAME,
    inventory::Inventory,
    relation::Refusal,
    slot::{Slot, SlotKind},
    store::{Arrival, Content, Sbom, StoreError},
    vex::{Statement, VexDocument},
};

/// What an event brings, and the share of the budget that this takes up until it is recorded.
type Brought = (Content, Option<Share>);

/// The mapper, as it learns of a new advisory index.
pub struct AdvisoriesChanged(pub Mapper);

impl Handler for Mapper {
    const NAME: &'static str = NAME;
    const INPUT_FROM: &'static [Producer] = &[Producer::PolicyGate, Producer::SupplierIngest];
    type Input = EvidenceSigned;
    type Output = BacklogMapped;

    async fn handle(
        &self,
        event: &Envelope<EvidenceSigned>,
        _: &Context,
    ) -> Result<Vec<BacklogMapped>, HandleError> {
        Ok(vec![self.map(event).await?])
    }
}

impl Handler for AdvisoriesChanged {
    const NAME: &'static str = NAME;
    type Input = AdvisoriesUpdated;
    type Output = BacklogMapped;

    async fn handle(
        &self,
        event: &Envelope<AdvisoriesUpdated>,
        _: &Context,
    ) -> Result<Vec<BacklogMapped>, HandleError> {
        let content = Content::Advisories;
        let arrival = Arrival { event: event.id, time: event.time, content };
        Ok(vec![self.0.record(arrival, None).await?])
    }
}

impl Mapper {
    /// Records what an event brings, and what follows from it; the answer of before, if it was
    /// recorded before.
    pub(crate) async fn map(
        &self,
        event: &Envelope<EvidenceSigned>,
    ) -> Result<BacklogMapped, HandleError> {
        if let Some(answer) = self.answered(event.id).await? {
            if let Some(decision) = &event.data.decision {
                self.note(event.id, decision).await?;
            }
            return Ok(answer);
        }
        let ((content, share), time) = match &event.data.decision {
            Some(decision) => (self.decided(decision).await?, decision.ingested_at),
            None => (self.judged(&event.data, event.priority).await?, event.time),
        };
        self.record(Arrival { event: event.id, time, content }, share).await
    }

    /// What a verdict on one of our builds brings: its SBOMs, if it is a release that may be promoted.
    /// What somebody proposes in a pull request says nothing about the product.
    async fn judged(
        &self,
        evidence: &EvidenceSigned,
        priority: Priority,
    ) -> Result<Brought, HandleError> {
        let sboms: Vec<_> = evidence.documents.iter().filter(|it| it.role == Role::Sbom).collect();
        let passed = evidence.verdict.as_ref().is_some_and(|it| it.result == VerdictResult::Passed);
        if !passed || priority != Priority::Release {
            return Ok((Content::Nothing(sboms.first().map(|it| it.digest)), None));
        }
        // At once: who holds a share and waits for another may wait for somebody who does the same.
        let bytes = sboms.iter().fold(0_u64, |sum, it| sum.saturating_add(it.size));
        let share = self.budget().take(bytes).await?;
        let mut content = Vec::new();
        for document in sboms {
            let scope = evidence.project.clone();
            content.push(sbom(self.archive(), SlotKind::Project, scope, document.digest).await?);
        }
        Ok((Content::Sboms(content), Some(share)))
    }

    /// What a decision on a submitted document brings: its content, if it was accepted; if not, what that says
    /// against a supplier.
    async fn decided(&self, decision: &Decision) -> Result<Brought, HandleError> {
        let Decision { from, document, kind, result, .. } = decision;
        let (digest, kind) = match (result, document, kind) {
            (DecisionResult::Rejected, document, _) => {
                let nothing = Content::Nothing(*document);
                return Ok((Refusal::of(decision).map_or(nothing, Content::Refused), None));
            }
            (DecisionResult::Accepted, Some(digest), Some(kind)) => (*digest, *kind),
            (DecisionResult::Accepted, _, _) => {
                let why = "`decision` is accepted, but names no document or no kind; report it to whoever runs supplier-ingest";
                return Err(HandleError::permanent("decision-incomplete", why));
            }
        };
        // A receipt does not say how large its document is.
        let share = self.budget().take(DOCUMENT_BYTES_MAX).await?;
        let content = match kind {
            DocumentKind::Sbom => {
                let kind = match from {
                    Sender::Supplier(_) => SlotKind::Supplier,
                    Sender::Operator(_) => SlotKind::Project,
                };
                let sbom = sbom(self.archive(), kind, from.scope(), digest).await?;
                Content::Sboms(vec![sbom])
            }
            DocumentKind::Vex => {
                let (from, time) = (from.clone(), decision.ingested_at);
                Content::Vex(vex_document(self.archive(), from, time, digest).await?)
            }
        };
        Ok((content, Some(share)))
    }

    /// Notes what was refused, if the release that answered it did not.
    async fn note(&self, event: uuid::Uuid, decision: &Decision) -> Result<(), HandleError> {
        let Some(refusal) = Refusal::of(decision) else { return Ok(()) };
        let (mapper, time) = (self.clone(), decision.ingested_at);
        let noted = move || mapper.store().note_refusal(event, time, &refusal).map_err(unusable);
        if off_thread(noted).await? {
            self.changed();
        }
        Ok(())
    }

    /// The answer to an event that was recorded before.
    async fn answered(&self, event: uuid::Uuid) -> Result<Option<BacklogMapped>, HandleError> {
        let mapper = self.clone();
        off_thread(move || mapper.store().answer(event).map_err(unusable)).await
    }

    /// Records what arrived, by the advisory index of now; what waits for its turn to be recorded
    /// keeps its `share`.
    async fn record(
        &self,
        arrival: Arrival,
        share: Option<Share>,
    ) -> Result<BacklogMapped, HandleError> {
        let mapper = self.clone();
        let mapped = off_thread(move || {
            let _share = share;
            let index: Option<Index> = mapper.index().map_err(|error| HandleError::Outage {
                dependency: "advisories",
                detail: error.to_string(),
            })?;
            mapper.store().record(&arrival, index.as_ref(), worker::now()).map_err(unusable)
        })
        .await?;
        self.changed();
        Ok(mapped)
    }
}

/// Every event needs the store; but what only one document is to blame for stops no other.
pub(crate) fn unusable(error: StoreError) -> HandleError {
    let dependency = match &error {
        StoreError::TooLarge(_) => return HandleError::permanent("document-too-large", error),
        StoreError::NoIndex(_) | StoreError::Index(_) => "advisories",
        _ => "backlog",
    };
    HandleError::Outage { dependency, detail: error.to_string() }
}

async fn sbom(
    archive: &Archive,
    kind: SlotKind,
    scope: Scope,
    digest: Digest,
) -> Result<Sbom, HandleError> {
    let bytes = archive.get(digest, DOCUMENT_BYTES_MAX).await?;
    off_thread(move || {
        // Whoever signed that it passed, or is accepted, has judged it by its schema.
        let bom =
            bom::read_again(&bytes).map_err(|error| unreadable(digest, error.code(), &error))?;
        let inventory = Inventory::of(bom);
        let product = inventory.product(&scope);
        Ok(Sbom { slot: Slot { kind, scope, product }, digest, inventory })
    })
    .await
}

async fn vex_document(
    archive: &Archive,
    from: Sender,
    time: Timestamp,
    digest: Digest,
) -> Result<VexDocument, HandleError> {
    let bytes = archive.get(digest, DOCUMENT_BYTES_MAX).await?;
    off_thread(move || {
        let read = vex::read(&bytes).map_err(|error| unreadable(digest, error.code(), &error))?;
        let vex::Document { edition, timestamp: said, statements, .. } = read;
        let statements = statements.into_iter().map(Statement::from).collect();
        Ok(VexDocument { from, time, digest, edition, said, statements })
    })
    .await
}

fn unreadable(digest: Digest, code: &'static str, error: &dyn std::error::Error) -> HandleError {
    HandleError::permanent(code, format!("document {digest}: {error}"))
}

#[cfg(test)]
mod tests;
