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
use serde::Serialize;
use supplier_ingest::MAX_DOCUMENT_BYTES;

use super::{StatusArgs, SubmitArgs, receipt};
use crate::{
    failure::Failure,
    output::{self, Format, progress},
};

/// How often a receipt is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(200);
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
    let bus = args.client.connect().await?;
    let supplier = &args.supplier;
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
    let (submission, before) = choose(&bus, supplier, &manifest).await?;
    let from = Sender::Supplier(supplier.clone());
    let name = receipt::name(&from, &submission);
    if !before {
        for upload in [Some(&document), bundle.as_ref()].into_iter().flatten() {
            progress(format, &format!("Uploading {}", upload.input.path));
            bus.drop_document(supplier, upload.input.digest, &upload.bytes).await?;
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
    let waited = tokio::time::timeout(patience, wait(&bus, supplier, &submission)).await;
    match waited {
        Ok(found) => receipt::tell(&found?, &from, &submission, args.key.as_deref(), format),
        Err(_) => Err(pending(&name)),
    }
}

pub(super) async fn status(args: StatusArgs, format: Format) -> Result<(), Failure> {
    let (supplier, submission) = &args.submission;
    let from = Sender::Supplier(supplier.clone());
    let name = receipt::name(&from, submission);
    let bus = args.client.connect().await?;
    match look(&bus, supplier, submission).await? {
        Some(found) => receipt::tell(&found?, &from, submission, args.key.as_deref(), format),
        None => {
            let known = bus.has_door(supplier).await?
                && bus.manifest(supplier, submission).await?.is_some();
            match known {
                true => Err(pending(&name)),
                false => Err(Failure::Input(format!(
                    "no submission {name} is known; it may never have arrived: submit it again"
                ))),
            }
        }
    }
}

/// The name of this submission, and whether it is on its way already.
///
/// It comes from what is submitted, so that doing it twice is doing it once. What was rejected may
/// be submitted anew: a passport may have changed since.
async fn choose(
    bus: &Bus,
    supplier: &SupplierId,
    manifest: &Manifest,
) -> Result<(SubmissionId, bool), Failure> {
    let bundle = manifest.bundle.as_ref().map(|it| it.digest.to_string()).unwrap_or_default();
    for attempt in 0..MAX_ATTEMPTS {
        let text = format!("{supplier} {} {bundle} {attempt}", manifest.document.digest);
        let submission = SubmissionId::for_text(&text);
        match bus.receipt(supplier, &submission).await? {
            None => {
                let before = bus.manifest(supplier, &submission).await?.is_some();
                return Ok((submission, before));
            }
            Some(receipt) if !is_rejected(&receipt) => return Ok((submission, true)),
            Some(_) => {}
        }
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
) -> Result<Bytes, Failure> {
    loop {
        match look(bus, supplier, submission).await {
            Ok(Some(found)) => return found,
            // Whoever waits, waits for a broker that is away too.
            Ok(None) | Err(BusError::Away { .. }) => tokio::time::sleep(LOOK_EVERY).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// The receipt, or why there will be none.
async fn look(
    bus: &Bus,
    supplier: &SupplierId,
    submission: &SubmissionId,
) -> Result<Option<Result<Bytes, Failure>>, BusError> {
    if let Some(receipt) = bus.receipt(supplier, submission).await? {
        return Ok(Some(Ok(receipt.payload.into())));
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
