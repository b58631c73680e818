//! The doors of the suppliers: each has a stream of its own to drop documents into, and finds the
//! receipts on subjects of its own. No supplier can fill another's stream or take its message ids.

use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use events::{Digest, Input, Manifest, Record, SubmissionId, SupplierId};
use futures::StreamExt;

use crate::{
    Bus, BusError, Lane, Published, UploadError,
    streams::{INGEST_PREFIX, RECEIPTS, ingest_stream},
    uploads::Shelf,
};

/// Longest manifest in bytes.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;

impl Bus {
    /// Makes sure that `supplier` has its stream.
    pub async fn open_door(&self, supplier: &SupplierId) -> Result<(), BusError> {
        self.ensure_stream(ingest_stream(supplier)).await
    }

    /// Whether `supplier` has its stream.
    pub async fn has_door(&self, supplier: &SupplierId) -> Result<bool, BusError> {
        use async_nats::jetstream::{ErrorCode, context::GetStreamErrorKind};
        match self.jetstream.get_stream(ingest_stream(supplier).name).await {
            Ok(_) => Ok(true),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(it)
                    if it.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(false)
                }
                _ => Err(BusError::from_client("look for a supplier's stream", &error)),
            },
        }
    }

    /// Every supplier that has a stream.
    pub async fn doors(&self) -> Result<Vec<SupplierId>, BusError> {
        let mut names = self.jetstream.stream_names();
        let mut suppliers = Vec::new();
        while let Some(name) = names.next().await {
            let name = name.map_err(|error| BusError::from_client("list streams", &error))?;
            let id = name.strip_prefix(INGEST_PREFIX).map(str::to_lowercase);
            suppliers.extend(id.and_then(|id| id.parse().ok()));
        }
        Ok(suppliers)
    }

    /// The manifests that `supplier` drops, shared by all who stand at its door.
    pub async fn manifests(&self, supplier: &SupplierId, room: usize) -> Result<Lane, BusError> {
        let filters = vec![format!("ingest.{supplier}.manifest.*")];
        self.open_lane(&ingest_stream(supplier).name, "door".to_owned(), filters, room).await
    }

    /// Uploads a document of `supplier`; the same one again replaces itself.
    pub async fn drop_document(
        &self,
        supplier: &SupplierId,
        digest: Digest,
        bytes: &Bytes,
    ) -> Result<u32, BusError> {
        self.upload_to(&Shelf::of_supplier(supplier), digest, bytes).await
    }

    /// Drops the manifest that makes a submission of what was uploaded before.
    pub async fn drop_manifest(
        &self,
        supplier: &SupplierId,
        submission: &SubmissionId,
        manifest: &Manifest,
    ) -> Result<Published, BusError> {
        let payload = serde_json::to_vec(manifest).map_err(|error| BusError::Refused {
            action: "encode a manifest",
            reason: error.to_string(),
        })?;
        let message = PublishMessage::build().expected_last_subject_sequence(0);
        let subject = manifest_subject(supplier, submission);
        self.store("drop a manifest", subject, message, payload.into()).await
    }

    /// The manifest of a submission, while the supplier's stream keeps it.
    pub async fn manifest(
        &self,
        supplier: &SupplierId,
        submission: &SubmissionId,
    ) -> Result<Option<Record>, BusError> {
        let subject = manifest_subject(supplier, submission);
        self.last_on(&ingest_stream(supplier).name, &subject).await
    }

    /// A document that `supplier` dropped, of at most `max` bytes, checked against its digest.
    pub async fn pick_up(
        &self,
        supplier: &SupplierId,
        input: &Input,
        max: u64,
    ) -> Result<Bytes, UploadError> {
        self.download_from(&Shelf::of_supplier(supplier), input, max).await
    }

    /// Lays the signed receipt of a submission out for its supplier, once.
    pub async fn deliver_receipt(
        &self,
        supplier: &SupplierId,
        submission: &SubmissionId,
        receipt: Bytes,
    ) -> Result<Published, BusError> {
        let message = PublishMessage::build().expected_last_subject_sequence(0);
        let subject = receipt_subject(supplier, submission);
        self.store("deliver a receipt", subject, message, receipt).await
    }

    /// The signed receipt of a submission, once it was delivered.
    pub async fn receipt(
        &self,
        supplier: &SupplierId,
        submission: &SubmissionId,
    ) -> Result<Option<Record>, BusError> {
        self.last_on(RECEIPTS, &receipt_subject(supplier, submission)).await
    }
}

fn manifest_subject(supplier: &SupplierId, submission: &SubmissionId) -> String {
    format!("ingest.{supplier}.manifest.{submission}")
}

fn receipt_subject(supplier: &SupplierId, submission: &SubmissionId) -> String {
    format!("receipts.{supplier}.{submission}")
}
