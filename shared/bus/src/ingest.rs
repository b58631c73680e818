//! The doors of the suppliers: each has a stream of its own to drop documents into, and finds the
//! receipts on subjects of its own. No supplier can fill another's stream or take its message ids.

use std::collections::BTreeMap;

use async_nats::{
    HeaderMap, Request, RequestErrorKind,
    header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE,
    jetstream::{self, ErrorCode, message::PublishMessage},
};
use bytes::Bytes;
use events::{Digest, Input, Manifest, Record, SubmissionId, SupplierId};
use futures::{Stream, StreamExt};
use serde::Deserialize;

use crate::{
    Bus, BusError, Published, UploadError,
    connection::ANSWER_TIMEOUT,
    streams::{DoorLimits, INGEST_PREFIX, RECEIPTS, ingest_stream_name},
    uploads::Shelf,
};

/// Longest manifest in bytes.
pub const MAX_MANIFEST_BYTES: usize = 64 * 1024;
/// What `Nats-Expected-Last-Subject-Sequence` can never be: whoever asks learns the true number.
const NEVER: u64 = i64::MAX.unsigned_abs();

impl Bus {
    /// Makes sure that `supplier` has its stream, within `limits`. Limits that are not given belong to
    /// the stream's operator and stay as they are; nothing that is stored leaves for a lower one.
    pub async fn open_door(
        &self,
        supplier: &SupplierId,
        limits: &DoorLimits,
    ) -> Result<(), BusError> {
        self.ensure_door(supplier, limits).await
    }

    /// Whether `supplier` has its stream. Nothing is stored, and a supplier's own user may ask.
    pub async fn has_door(&self, supplier: &SupplierId) -> Result<bool, BusError> {
        let subject = format!("ingest.{supplier}.manifest.-");
        Ok(self.number_on(&subject).await?.is_some())
    }

    /// Every supplier that has a stream, with the number of the last message in it.
    pub async fn doors(&self) -> Result<BTreeMap<SupplierId, u64>, BusError> {
        let mut streams = self.jetstream.streams();
        let mut doors = BTreeMap::new();
        while let Some(stream) = streams.next().await {
            let stream = stream.map_err(|error| BusError::from_client("list streams", &error))?;
            let id = stream.config.name.strip_prefix(INGEST_PREFIX).map(str::to_lowercase);
            if let Some(supplier) = id.and_then(|id| id.parse().ok()) {
                doors.insert(supplier, stream.state.last_sequence);
            }
        }
        Ok(doors)
    }

    /// The first manifest that `supplier` dropped at number `from` or later, without its headers.
    pub async fn next_manifest(
        &self,
        supplier: &SupplierId,
        from: u64,
    ) -> Result<Option<Record>, BusError> {
        let filter = format!("ingest.{supplier}.manifest.*");
        self.next_of_stranger(&ingest_stream_name(supplier), &filter, from).await
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

    /// Uploads those chunks of a document of `supplier` that are not there yet, up to `at_once` of them
    /// at a time, and tells `progress` how many of how many are there. May be repeated until it succeeds.
    pub async fn drop_missing(
        &self,
        supplier: &SupplierId,
        digest: Digest,
        bytes: &Bytes,
        at_once: usize,
        progress: impl FnMut(usize, usize),
    ) -> Result<(), BusError> {
        let shelf = Shelf::of_supplier(supplier);
        self.upload_missing(&shelf, digest, bytes, at_once, progress).await
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
        let stored = self.store("drop a manifest", subject, message, payload.into());
        self.unless_forbidden("drop a manifest", stored).await
    }

    /// Whether the supplier's stream keeps the manifest of a submission.
    pub async fn has_manifest(
        &self,
        supplier: &SupplierId,
        submission: &SubmissionId,
    ) -> Result<bool, BusError> {
        let number = self.number_on(&manifest_subject(supplier, submission)).await?;
        Ok(number.is_some_and(|it| it > 0))
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
        let subject = receipt_subject(supplier, submission);
        let found = self.last_on(RECEIPTS, &subject);
        self.unless_forbidden("look for a receipt", found).await
    }

    /// Tells when the receipt of a submission is delivered; one from before is not told again.
    pub async fn receipt_arrives(
        &self,
        supplier: &SupplierId,
        submission: &SubmissionId,
    ) -> Result<impl Stream<Item = ()> + Unpin + use<>, BusError> {
        let subscribed = self.client.subscribe(receipt_subject(supplier, submission)).await;
        let arrived =
            subscribed.map_err(|error| BusError::from_client("wait for a receipt", &error))?;
        Ok(arrived.map(drop))
    }

    /// Number of the last message on `subject`, 0 without one; none if no stream takes the subject.
    ///
    /// It is asked by a message that no stream can take: neither a payload nor anybody's headers travel.
    pub(crate) async fn number_on(&self, subject: &str) -> Result<Option<u64>, BusError> {
        const ACTION: &str = "look into a supplier's stream";
        #[derive(Deserialize)]
        struct Answer {
            error: jetstream::Error,
        }

        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, NEVER.to_string().as_str());
        let request = Request::new().headers(headers).timeout(Some(ANSWER_TIMEOUT));
        let asked = async {
            match self.client.send_request(subject.to_owned(), request).await {
                Ok(answer) => Ok(Some(answer.payload)),
                Err(error) if error.kind() == RequestErrorKind::NoResponders => Ok(None),
                Err(error) => Err(BusError::from_client(ACTION, &error)),
            }
        };
        let Some(answer) = self.unless_forbidden(ACTION, asked).await? else { return Ok(None) };
        let garbled = || BusError::Refused {
            action: ACTION,
            reason: format!("it answered {:?}", String::from_utf8_lossy(&answer)),
        };
        let Answer { error } = serde_json::from_slice(&answer).map_err(|_| garbled())?;
        if error.error_code() != ErrorCode::STREAM_WRONG_LAST_SEQUENCE {
            return Err(BusError::from_api(ACTION, &error, error.to_string()));
        }
        let number = String::from_utf8_lossy(&answer);
        let number = number.split_once("wrong last sequence: ").map(|(_, rest)| rest);
        let digits = number.and_then(|it| it.split(|it: char| !it.is_ascii_digit()).next());
        digits.and_then(|it| it.parse().ok()).map(Some).ok_or_else(garbled)
    }
}

fn manifest_subject(supplier: &SupplierId, submission: &SubmissionId) -> String {
    format!("ingest.{supplier}.manifest.{submission}")
}

fn receipt_subject(supplier: &SupplierId, submission: &SubmissionId) -> String {
    format!("receipts.{supplier}.{submission}")
}
