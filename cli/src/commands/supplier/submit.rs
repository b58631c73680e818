//! Dropping a document at a supplier's door, and looking for its receipt.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use attestation::{Receipt, verify::read_without_verifying_unsafe};
use bus::{Bus, BusError};
use bytes::Bytes;
use events::{
    CHUNK_BYTES, DecisionResult, Digest, DocumentSubmitted, EvidenceSigned, FilePath, Input, Label,
    Manifest, Producer, Record, Sender, SubmissionId, SupplierId, quarantine::Quarantined,
};
use futures::StreamExt;
use serde::Serialize;
use supplier_ingest::MAX_DOCUMENT_BYTES;

use super::{StatusArgs, SubmitArgs, receipt};
use crate::{
    failure::Failure,
    output::{self, Format, progress},
};

/// How often a receipt is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Chunks on their way at once.
const CHUNKS_AT_ONCE: usize = 8;
/// Chunks of a document whose upload is worth telling of.
const CHUNKS_WORTH_TELLING: usize = 20;
/// How often an upload goes on where it stopped.
const UPLOAD_TRIES: u32 = 5;
/// Most times that one document is submitted anew after it was rejected.
const MAX_ATTEMPTS: u32 = 1000;

/// A file to upload.
pub(crate) struct Upload {
    pub(crate) input: Input,
    pub(crate) bytes: Bytes,
}

#[derive(Serialize)]
struct Submitted<'a> {
    submission: &'a str,
    document: Digest,
    submitted_before: bool,
}

/// A passport that was just added gets its door within two seconds; so do all of them at a start.
const DOOR_OPENS_WITHIN: Duration = Duration::from_secs(5);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(100);

pub(super) async fn run(args: SubmitArgs, format: Format) -> Result<(), Failure> {
    let document = Upload::read(&args.file, MAX_DOCUMENT_BYTES)?;
    let max_bundle = attestation::verify::MAX_BUNDLE_BYTES as u64;
    let bundle = args.bundle.as_ref().map(|path| Upload::read(path, max_bundle)).transpose()?;
    let supplier = &args.supplier;
    let bus = args.client.connect_as(supplier).await?;
    let sees_all = !args.client.may_be_suppliers();
    if !has_door_soon(&bus, supplier).await? {
        let why = format!(
            "supplier-unknown: {supplier} has no passport here; ask the operator to add it: `attestry supplier add {supplier}`"
        );
        return Err(Failure::No(why));
    }
    let manifest = Manifest {
        document: document.input.clone(),
        bundle: bundle.as_ref().map(|it| it.input.clone()),
    };
    let Chosen { submission, before, again } = choose(&bus, supplier, &manifest).await?;
    let from = Sender::Supplier(supplier.clone());
    let name = receipt::name(&from, &submission);
    if !before {
        for upload in [Some(&document), bundle.as_ref()].into_iter().flatten() {
            progress(format, &format!("Uploading {}", upload.input.path));
            if again {
                // Whatever lies there was not what it should be.
                bus.drop_document(supplier, upload.input.digest, &upload.bytes).await?;
            } else {
                upload.resume(&bus, supplier, format).await?;
            }
        }
        bus.drop_manifest(supplier, &submission, &manifest).await?;
    }
    let Some(patience) = args.wait else {
        let told = Submitted {
            submission: &name,
            document: document.input.digest,
            submitted_before: before,
        };
        return output::result(format, &format!("Submitted {name}"), &told);
    };
    progress(format, &format!("Submitted {name}; waiting for the receipt"));
    let waited = wait(&bus, supplier, &submission, sees_all);
    let waited = tokio::time::timeout(patience, waited).await;
    match waited {
        Ok(found) => receipt::tell(&found?, &from, &submission, args.key.as_deref(), format),
        Err(_) => Err(pending(&name)),
    }
}

pub(super) async fn status(args: StatusArgs, format: Format) -> Result<(), Failure> {
    let (supplier, submission) = &args.submission;
    let from = Sender::Supplier(supplier.clone());
    let name = receipt::name(&from, submission);
    let bus = args.client.connect_as(supplier).await?;
    match look(&bus, supplier, submission, !args.client.may_be_suppliers()).await? {
        Some(found) => receipt::tell(&found?, &from, submission, args.key.as_deref(), format),
        None => match bus.has_manifest(supplier, submission).await? {
            true => Err(pending(&name)),
            false => Err(Failure::Input(format!(
                "no submission {name} is known; it may never have arrived: submit it again"
            ))),
        },
    }
}

/// Under which name something is submitted.
struct Chosen {
    submission: SubmissionId,
    /// Whether it is on its way already.
    before: bool,
    /// Whether it was submitted under another name, and rejected.
    again: bool,
}

/// The name of this submission.
///
/// It comes from what is submitted, so that doing it twice is doing it once. What was rejected may
/// be submitted anew: a passport may have changed since.
async fn choose(bus: &Bus, supplier: &SupplierId, manifest: &Manifest) -> Result<Chosen, Failure> {
    let bundle = manifest.bundle.as_ref().map(|it| it.digest.to_string()).unwrap_or_default();
    for attempt in 0..MAX_ATTEMPTS {
        let text = format!("{supplier} {} {bundle} {attempt}", manifest.document.digest);
        let submission = SubmissionId::for_text(&text);
        let before = match bus.receipt(supplier, &submission).await? {
            None => bus.has_manifest(supplier, &submission).await?,
            Some(receipt) if is_rejected(&receipt) => continue,
            Some(_) => true,
        };
        return Ok(Chosen { submission, before, again: attempt > 0 });
    }
    let why = format!("it was rejected {MAX_ATTEMPTS} times; mend it before you submit it again");
    Err(Failure::Input(why))
}

fn is_rejected(receipt: &Record) -> bool {
    let statement = read_without_verifying_unsafe(&receipt.payload).ok();
    let receipt = statement.and_then(|it| it.predicate::<Receipt>().ok());
    receipt.is_some_and(|it| it.decision.result == DecisionResult::Rejected)
}

async fn wait(
    bus: &Bus,
    supplier: &SupplierId,
    submission: &SubmissionId,
    sees_all: bool,
) -> Result<Bytes, Failure> {
    let mut arrives = bus.receipt_arrives(supplier, submission).await?;
    loop {
        match look(bus, supplier, submission, sees_all).await {
            Ok(Some(found)) => return found,
            // Whoever waits, waits for a broker that is away too. What comes while it is away is not told.
            Ok(None) | Err(BusError::Away { .. }) => tokio::select! {
                Some(()) = arrives.next() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            },
            Err(error) => return Err(error.into()),
        }
    }
}

/// The receipt, or why there will be none.
async fn look(
    bus: &Bus,
    supplier: &SupplierId,
    submission: &SubmissionId,
    sees_all: bool,
) -> Result<Option<Result<Bytes, Failure>>, BusError> {
    if let Some(receipt) = bus.receipt(supplier, submission).await? {
        return Ok(Some(Ok(receipt.payload.into())));
    }
    if !sees_all {
        return Ok(None);
    }
    let from = Sender::Supplier(supplier.clone());
    let correlation = DocumentSubmitted::id_of(&from, submission);
    let producer = Some(Producer::SupplierIngest);
    let outcome = bus.outcome::<EvidenceSigned>(&from.scope(), producer, correlation).await?;
    Ok(match outcome {
        Some(Err(entry)) => Some(Err(quarantined(&entry))),
        // Signed, and about to be delivered.
        Some(Ok(_)) | None => None,
    })
}

/// The submission could not be handled at all.
pub(crate) fn quarantined(entry: &Record) -> Failure {
    let Quarantined { id, worker, reason, detail, .. } = Quarantined::read(entry);
    let look = format!("look with `attestry quarantine show {id}`");
    Failure::Input(format!("in quarantine ({reason}): {worker}: {detail}; {look}"))
}

fn pending(name: &str) -> Failure {
    let remedy = "ask again with `attestry supplier status`, or wait longer with --wait";
    Failure::Unknown(format!("no receipt for {name} yet; {remedy}"))
}

impl Upload {
    /// The file at `path`, of at most `max` bytes.
    pub(crate) fn read(path: &Path, max: u64) -> Result<Self, Failure> {
        let at_fault = |why: String| Failure::Input(format!("{}: {why}", path.display()));
        let size = fs::metadata(path).map_err(|error| at_fault(error.to_string()))?.len();
        if size > max {
            return Err(at_fault(format!("has {size} bytes; at most {max} are taken: split it")));
        }
        let bytes = Bytes::from(fs::read(path).map_err(|error| at_fault(error.to_string()))?);
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        let label: Label = Label::of(&name.to_string_lossy().replace('\\', "/"));
        let file: FilePath = label
            .as_str()
            .parse()
            .map_err(|error| at_fault(format!("the file's name {error}; rename it")))?;
        let chunks = bytes.len().div_ceil(CHUNK_BYTES);
        let input = Input {
            path: file,
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            chunks: u32::try_from(chunks).map_err(Failure::input)?,
        };
        Ok(Self { input, bytes })
    }

    /// Sends what is not there yet. Over a slow line many chunks at once wait too long for their answer:
    /// then the rest goes one by one.
    async fn resume(
        &self,
        bus: &Bus,
        supplier: &SupplierId,
        format: Format,
    ) -> Result<(), Failure> {
        let mut told = 0;
        for tries_left in (0..UPLOAD_TRIES).rev() {
            let at_once = if tries_left + 1 == UPLOAD_TRIES { CHUNKS_AT_ONCE } else { 1 };
            let progress = |done: usize, all: usize| {
                let tenth = done * 10 / all.max(1);
                if all >= CHUNKS_WORTH_TELLING && tenth > told {
                    told = tenth;
                    progress(format, &format!("  {done} of {all} chunks are there"));
                }
            };
            let digest = self.input.digest;
            match bus.drop_missing(supplier, digest, &self.bytes, at_once, progress).await {
                Ok(()) => break,
                Err(BusError::Away { .. }) if tries_left > 0 => bus.until_connected().await,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

async fn has_door_soon(bus: &Bus, supplier: &SupplierId) -> Result<bool, Failure> {
    let patience = Instant::now() + DOOR_OPENS_WITHIN;
    loop {
        let open = bus.has_door(supplier).await?;
        if open || Instant::now() >= patience {
            return Ok(open);
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}
