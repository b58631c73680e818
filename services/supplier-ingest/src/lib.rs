//! Decides on what suppliers and operators submit: `document.submitted` → `evidence.ready` with a
//! receipt. Stands at the suppliers' doors, and lays their signed receipts out.

mod check;
mod decision;
mod delivery;
mod door;
mod examine;
mod limits;
pub mod passport;
mod passports;
mod settings;

use std::sync::Arc;

use archive::Archive;
use bus::UploadError;
use bytes::Bytes;
use events::{
    Accepted, Content, DocumentKind, DocumentSubmitted, Envelope, EvidenceReady, Input, Manifest,
    Sender,
};
use jiff::Timestamp;
use worker::{Budget, Context, HandleError, Handler, WorkerArgs, metrics, off_thread};

pub use crate::{
    check::{Checked, CheckedBy, check},
    delivery::ReceiptDelivery,
    door::stand_at_doors,
    limits::Limits,
    passport::{Passport, PassportError},
    passports::{PassportDirectory, PassportsError, Users},
    settings::{IngestArgs, Settings, SettingsError},
};
use crate::{decision::Decided, examine::Submission, passports::Known};

/// Largest document that is taken, in bytes.
pub const MAX_DOCUMENT_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of documents that are worked on at once: reading takes some ten times as much.
const BUDGET_BYTES: u64 = MAX_DOCUMENT_BYTES + MAX_BUNDLE_BYTES;
const MAX_BUNDLE_BYTES: u64 = attestation::verify::MAX_BUNDLE_BYTES as u64;

/// Settings of supplier-ingest.
#[derive(clap::Parser, Debug)]
#[command(
    name = "attestry-supplier-ingest",
    version,
    about = "Verifies what suppliers drop, decides on it, and answers with signed receipts",
    after_help = "Example:\n  attestry-supplier-ingest --nats-url nats://127.0.0.1:4222 --archive /var/lib/attestry/archive --passports /etc/attestry/passports"
)]
pub struct Args {
    /// What decides.
    #[command(flatten)]
    pub ingest: IngestArgs,
    /// Settings shared by every worker.
    #[command(flatten)]
    pub worker: WorkerArgs,
}

/// Verifies a submitted document, judges it, and says why. What cannot be judged is rejected.
pub struct SupplierIngest {
    archive: Archive,
    settings: Arc<Settings>,
    budget: Budget,
}

/// What was submitted, as far as it could be put together.
struct PickedUp {
    document: Bytes,
    bundle: Option<Bytes>,
}

impl SupplierIngest {
    /// A worker that decides by `settings`.
    pub fn new(archive: Archive, settings: Settings) -> Self {
        Self { archive, settings: Arc::new(settings), budget: Budget::new(BUDGET_BYTES) }
    }

    /// Decides, unless that was done before. The claim comes first: passports, policies and time
    /// change, and a second run must not decide otherwise.
    async fn decide(
        &self,
        event: &Envelope<DocumentSubmitted>,
        context: &Context,
    ) -> Result<(Decided, Option<PickedUp>), HandleError> {
        let name = format!("receipts/{}", event.id);
        if let Some(first) = self.archive.held(&name).await? {
            let decided = read_claim(&first)?;
            decided.check_is_about(&event.data)?;
            return Ok((decided, None));
        }
        let passport = match &event.data.from {
            Sender::Operator(_) => None,
            Sender::Supplier(supplier) => match self.settings.passports.find(supplier).await? {
                Known::Passport(passport) => Some(passport),
                Known::Stranger => {
                    let decided = Decided::on_stranger(event, context.now)?;
                    return Ok((self.claim(&name, event, &decided).await?, None));
                }
            },
        };
        let picked_up = match &event.data.content {
            Content::Unreadable { reason } => Err(("manifest-unreadable", reason.to_string())),
            Content::Named(manifest) => pick_up(event, manifest, context).await?,
        };
        let (decided, picked_up) = match picked_up {
            Err((rule, reason)) => {
                (Decided::on_upload(event, passport.as_deref(), rule, &reason, context.now)?, None)
            }
            Ok(picked_up) => {
                let decided = self.on_document(event, passport, &picked_up, context.now).await?;
                (decided, Some(picked_up))
            }
        };
        Ok((self.claim(&name, event, &decided).await?, picked_up))
    }

    async fn on_document(
        &self,
        event: &Envelope<DocumentSubmitted>,
        passport: Option<Arc<Passport>>,
        picked_up: &PickedUp,
        now: Timestamp,
    ) -> Result<Decided, HandleError> {
        let document = picked_up.document.clone();
        let contents = off_thread(move || Ok::<_, HandleError>(examine::read(&document))).await?;
        // What VEX says of a product replaces no SBOM of it.
        let sbom = contents.as_ref().ok().filter(|it| it.kind == DocumentKind::Sbom);
        let product = sbom.map(|it| it.product().map(str::to_owned));
        let standing = match product {
            Some(product) => {
                self.standing(&Accepted::sbom(&event.data.from, product.as_deref())).await?
            }
            None => None,
        };
        let submission = Submission {
            document: picked_up.document.clone(),
            bundle: picked_up.bundle.clone(),
            passport: passport.clone(),
            now,
            root: Arc::clone(&self.settings.root),
            advisories: None,
            standing,
        };
        let (settings, event) = (self.settings.clone(), event.clone());
        off_thread(move || {
            let submission = Submission { advisories: settings.advisories()?, ..submission };
            let policy = settings.policy.get();
            metrics::policy_refused(settings.policy.is_refused());
            let examined = examine::examine(&submission, contents, &policy);
            let examined = examined.map_err(|error| HandleError::Outage {
                dependency: "processes",
                detail: error.to_string(),
            })?;
            Decided::on_document(&event, passport.as_deref(), examined, now)
        })
        .await
    }

    /// What stands under a name; a damaged entry is written anew.
    async fn standing(&self, name: &str) -> Result<Option<Accepted>, HandleError> {
        let standing = self.archive.pointed(name).await?;
        Ok(standing.and_then(|it| serde_json::from_slice(&it).ok()))
    }

    /// What is older than what stands there already says nothing new.
    async fn put_on_record(&self, accepted: &Accepted) -> Result<(), HandleError> {
        let value = serde_json::to_vec(accepted).map_err(HandleError::transient)?;
        let unless_newer = |standing: Option<&[u8]>| {
            let standing = standing.and_then(|it| serde_json::from_slice::<Accepted>(it).ok());
            let replaces = standing.is_none_or(|it| accepted.replaces(&it));
            replaces.then(|| value.into())
        };
        Ok(self.archive.exchange(&accepted.pointer(), unless_newer).await?)
    }

    /// The decision that counts: the first that was claimed.
    async fn claim(
        &self,
        name: &str,
        event: &Envelope<DocumentSubmitted>,
        decided: &Decided,
    ) -> Result<Decided, HandleError> {
        let claim = serde_json::to_vec(decided).map_err(HandleError::transient)?;
        let first = read_claim(&self.archive.claim(name, claim.into()).await?)?;
        metrics::supplier_document(event.scope.as_str(), first.outcome(), first.rule());
        Ok(first)
    }
}

impl Handler for SupplierIngest {
    const NAME: &'static str = "supplier-ingest";
    type Input = DocumentSubmitted;
    type Output = EvidenceReady;

    async fn handle(
        &self,
        event: &Envelope<DocumentSubmitted>,
        context: &Context,
    ) -> Result<Vec<EvidenceReady>, HandleError> {
        let bytes = match &event.data.content {
            Content::Named(manifest) => declared_bytes(manifest),
            Content::Unreadable { .. } => 0,
        };
        let _share = self.budget.take(bytes.min(BUDGET_BYTES)).await?;
        let (decided, picked_up) = self.decide(event, context).await?;
        let kept = match (&event.data.content, picked_up) {
            (Content::Named(manifest), None) if decided.keeps_document() => {
                // The decision is an earlier attempt's; its document may not have been stored.
                let again = pick_up(event, manifest, context).await?;
                let lost = |(rule, reason)| HandleError::permanent(rule, reason);
                Some(again.map_err(lost)?)
            }
            (_, picked_up) => picked_up.filter(|_| decided.keeps_document()),
        };
        let (document, bundle) = kept.map(|it| (Some(it.document), it.bundle)).unwrap_or_default();
        let entries = decided.entries(event.time, document, bundle);
        self.archive.put(&entries, context.now).await?;
        if let Some(accepted) = decided.accepted() {
            self.put_on_record(&accepted).await?;
        }
        Ok(vec![decided.into_event(event)?])
    }
}

fn declared_bytes(manifest: &Manifest) -> u64 {
    let bundle = manifest.bundle.as_ref().map_or(0, |it| it.size);
    manifest.document.size.saturating_add(bundle)
}

/// Document and bundle, or which rule the upload breaks and how.
async fn pick_up(
    event: &Envelope<DocumentSubmitted>,
    manifest: &Manifest,
    context: &Context,
) -> Result<Result<PickedUp, (&'static str, String)>, HandleError> {
    let part = async |input: &Input, max| match &event.data.from {
        Sender::Supplier(supplier) => context.pick_up(supplier, input, max).await,
        Sender::Operator(_) => context.download(event, input, max).await,
    };
    let all = async {
        let document = part(&manifest.document, MAX_DOCUMENT_BYTES).await?;
        let bundle = match &manifest.bundle {
            Some(bundle) => Some(part(bundle, MAX_BUNDLE_BYTES).await?),
            None => None,
        };
        Ok::<_, UploadError>(PickedUp { document, bundle })
    };
    match all.await {
        Ok(picked_up) => Ok(Ok(picked_up)),
        Err(error) => match (error.code(), error) {
            (Some(code), error) => Ok(Err((code, error.to_string()))),
            (None, error) => Err(error.into()),
        },
    }
}

fn read_claim(stored: &[u8]) -> Result<Decided, HandleError> {
    serde_json::from_slice(stored).map_err(|error| {
        HandleError::transient(format!("the archive's claim on a decision is damaged: {error}"))
    })
}
