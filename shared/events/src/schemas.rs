//! The JSON Schema of every event, made from the types that read and write them.

use schemars::{Schema, schema_for};

use crate::{
    AdvisoriesUpdated, BacklogMapped, BuildCompleted, DocumentSubmitted, Envelope, EvidenceReady,
    EvidenceResigned, EvidenceSigned, Manifest, VerdictRequested, receipt::Receipt,
};

/// File name and schema of every event type, of what suppliers send, and of the predicate of their receipts.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("advisories.updated.schema.json", schema_for!(Envelope<AdvisoriesUpdated>)),
        ("backlog.mapped.schema.json", schema_for!(Envelope<BacklogMapped>)),
        ("build.completed.schema.json", schema_for!(Envelope<BuildCompleted>)),
        ("document.submitted.schema.json", schema_for!(Envelope<DocumentSubmitted>)),
        ("evidence.ready.schema.json", schema_for!(Envelope<EvidenceReady>)),
        ("evidence.resigned.schema.json", schema_for!(Envelope<EvidenceResigned>)),
        ("evidence.signed.schema.json", schema_for!(Envelope<EvidenceSigned>)),
        ("ingest-manifest.schema.json", schema_for!(Manifest)),
        ("receipt.schema.json", schema_for!(Receipt)),
        ("verdict.requested.schema.json", schema_for!(Envelope<VerdictRequested>)),
    ]
}
