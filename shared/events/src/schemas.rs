//! The JSON Schema of every event, made from the types that read and write them.

use schemars::{Schema, schema_for};

use crate::{BuildCompleted, Envelope, EvidenceReady, EvidenceSigned};

/// File name and schema of every event type.
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("build.completed.schema.json", schema_for!(Envelope<BuildCompleted>)),
        ("evidence.ready.schema.json", schema_for!(Envelope<EvidenceReady>)),
        ("evidence.signed.schema.json", schema_for!(Envelope<EvidenceSigned>)),
    ]
}
