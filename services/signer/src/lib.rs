//! Signs statements: `evidence.ready` → `evidence.signed`. The only holder of a signing identity.

mod again;
mod args;
mod error;
mod identity;
mod key;
mod refresh;
mod services;
#[cfg(test)]
mod tests;
mod token;

use archive::{Archive, Class, Entry};
use attestation::{
    Predicate, Provenance, Receipt, Reference, Statement, VerificationSummary,
    statement::MAX_STATEMENT_BYTES,
};
use bytes::Bytes;
use events::{BundleRef, Envelope, EvidenceReady, EvidenceSigned, Producer, StatementRef};
use worker::{Context, HandleError, Handler, WorkerArgs, metrics};

use crate::identity::Session;
pub use crate::{
    again::{ResignArgs, ResignError, Resigned},
    args::{SigningArgs, SigningError},
    error::SignError,
    identity::SigningIdentity,
    key::{KeyArgs, LoadKeyError, load_or_make},
    refresh::{RefreshError, Refreshed, TufArgs},
    services::ServicesError,
    token::TokenSource,
};

/// Settings of the signer.
#[derive(clap::Parser, Debug)]
#[command(
    name = "attestry-signer",
    version,
    about = "Signs the statements of every producer that may have them signed",
    after_help = "Examples:\n  attestry-signer --nats-url nats://127.0.0.1:4222 --archive /var/lib/attestry/archive --signing-key /run/secrets/attestry.pem\n  attestry-signer --nats-url nats://127.0.0.1:4222 --archive /var/lib/attestry/archive --keyless --identity-token-file /var/run/secrets/tokens/sigstore\n  attestry-signer --signing-key new.pem --generation 2 --resign 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)]
pub struct Args {
    /// The signing identity.
    #[command(flatten)]
    pub signing: SigningArgs,
    /// Signing again.
    #[command(flatten)]
    pub resign: ResignArgs,
    /// Settings shared by every worker.
    #[command(flatten)]
    pub worker: WorkerArgs,
}

const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Wraps statements in Sigstore bundles, one bundle per statement for good.
pub struct Signer {
    archive: Archive,
    identity: SigningIdentity,
    generation: u32,
}

/// Predicate types that `producer` may have signed. Its name comes from the subject that the event
/// arrived on, which the broker's permissions guard: a signer for everyone would be an oracle.
fn may_have_signed(producer: Producer) -> &'static [&'static str] {
    match producer {
        Producer::Generator => &[Provenance::TYPE, Reference::TYPE],
        Producer::PolicyGate => &[VerificationSummary::TYPE],
        Producer::SupplierIngest => &[Receipt::TYPE],
    }
}

impl Signer {
    /// A signer with `identity`, whose bundles are of `generation`.
    pub fn new(archive: Archive, identity: SigningIdentity, generation: u32) -> Self {
        Self { archive, identity, generation }
    }

    /// The bundle of a statement: the first that was ever claimed for it, identity and generation.
    ///
    /// A signature differs each time, so the claim holds the bundle itself: whoever comes later,
    /// after a crash or in another replica, stores those bytes and no others.
    async fn bundle(
        &self,
        producer: Producer,
        wanted: &StatementRef,
        session: &Session,
    ) -> Result<Bytes, HandleError> {
        let bytes = self.archive.get(wanted.digest, MAX_STATEMENT_BYTES as u64).await?;
        let statement = check(producer, wanted, bytes)?;
        let (digest, identity) = (wanted.digest.hex(), session.name().hex());
        let name = format!("signatures/{digest}/{identity}/{}", self.generation);
        let first = match self.archive.held(&name).await? {
            Some(first) => first,
            None => {
                let bundle = self.identity.sign(session, &statement).await?;
                metrics::signature(statement.predicate_type());
                self.archive.claim(&name, bundle.into()).await?
            }
        };
        match session.open(&first) {
            Ok(signed) if signed == statement => Ok(first),
            Ok(_) => Err(damaged("it signs another statement")),
            Err(error) => Err(damaged(&error.to_string())),
        }
    }
}

impl Handler for Signer {
    const NAME: &'static str = "signer";
    type Input = EvidenceReady;
    type Output = EvidenceSigned;

    async fn handle(
        &self,
        event: &Envelope<EvidenceReady>,
        context: &Context,
    ) -> Result<Vec<EvidenceSigned>, HandleError> {
        let evidence = &event.data;
        let producer = evidence.producer;
        // All are checked before one is signed: an event is signed whole or not at all.
        for wanted in &evidence.statements {
            allowed(producer, wanted.predicate_type.as_str())?;
        }
        let session = self.identity.session(context.now).await?;
        let bundles = evidence.statements.iter().map(|it| self.bundle(producer, it, &session));
        let bundles = futures::future::try_join_all(bundles).await?;
        let entries = bundles.into_iter().map(|bytes| Entry {
            class: Class::Bundle,
            media_type: BUNDLE_TYPE.to_owned(),
            event_time: event.time,
            bytes,
        });
        let stored = self.archive.put(&entries.collect::<Vec<_>>(), context.now).await?;
        let signed = evidence.statements.iter().zip(stored).map(|(wanted, bundle)| BundleRef {
            bundle,
            name: wanted.bundle_name.clone(),
            statement: wanted.digest,
            predicate_type: wanted.predicate_type.clone(),
            signer: Some(session.label().clone()),
        });
        Ok(vec![EvidenceSigned {
            producer,
            project: evidence.project.clone(),
            documents: evidence.documents.clone(),
            bundles: signed.collect(),
            verdict: evidence.verdict.clone(),
            decision: evidence.decision.clone(),
        }])
    }
}

fn allowed(producer: Producer, predicate_type: &str) -> Result<(), HandleError> {
    if may_have_signed(producer).contains(&predicate_type) {
        return Ok(());
    }
    let (producer, types) = (producer.as_str(), may_have_signed(producer).join(", "));
    let detail =
        format!("{producer} asks for a `{predicate_type}`; it may have signed only: {types}");
    Err(HandleError::permanent("signer-refused", detail))
}

/// The statement's own bytes decide, not what the event says of them.
fn check(
    producer: Producer,
    wanted: &StatementRef,
    bytes: Bytes,
) -> Result<Statement, HandleError> {
    let statement = Statement::parse(bytes, MAX_STATEMENT_BYTES)
        .map_err(|error| HandleError::permanent("statement-unfit", error))?;
    allowed(producer, statement.predicate_type())?;
    if statement.predicate_type() != wanted.predicate_type.as_str() {
        let detail = format!(
            "the event announces a `{}`, the statement is a `{}`",
            wanted.predicate_type,
            statement.predicate_type()
        );
        return Err(HandleError::permanent("signer-refused", detail));
    }
    Ok(statement)
}

fn damaged(why: &str) -> HandleError {
    HandleError::transient(format!(
        "the archive's claim on a bundle is damaged: {why}; restore it from a backup"
    ))
}
