//! Signing again what somebody signed who is no longer believed: once, when an operator asks.

use std::time::Duration;

use archive::{ArchiveError, Class, Entry};
use attestation::{
    statement::MAX_STATEMENT_BYTES,
    verify::{MAX_BUNDLE_BYTES, read_without_verifying_unsafe},
};
use bus::{Bus, BusError, Published};
use events::{
    Answer, BundleRef, Cause, Digest, Envelope, EvidenceResigned, Label, SignedEvidence,
    SignedQuery, StatementRef,
};
use jiff::Timestamp;
use tracing::{info, warn};
use worker::HandleError;

use crate::{BUNDLE_TYPE, Signer, identity::Session};

const PATIENCE: Duration = Duration::from_secs(30);

/// Whose signatures are made again.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Signing again")]
pub struct ResignArgs {
    /// Sign again what this signer signed, then end: the fingerprint of a key, or an identity
    #[arg(long, value_name = "SIGNER")]
    pub resign: Option<Label>,
    /// Only what was signed then or later, RFC 3339
    #[arg(long, value_name = "TIME", requires = "resign")]
    pub resign_since: Option<Timestamp>,
}

/// What came of signing again; each is a producer's evidence in one story.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resigned {
    /// Signed now.
    pub signed: u64,
    /// Signed by a run before.
    pub already: u64,
    /// No longer in the archive: its time is over.
    pub gone: u64,
}

/// Why not everything was signed again. Whatever was, stays; the next run goes on.
#[derive(Debug, thiserror::Error)]
pub enum ResignError {
    /// The broker, the archive or Sigstore is away.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The registrar could not find out.
    #[error("the registrar cannot say what {signer} signed: {reason}")]
    Registrar {
        /// Whom we asked about.
        signer: Label,
        /// What it says.
        reason: String,
    },
    /// The generation is that of the signatures that are to be replaced.
    #[error(
        "--generation is {0}: give one above that of the signatures to be replaced, so 2 for the first time"
    )]
    SameGeneration(u32),
    /// The key that is no longer believed would sign.
    #[error("the signing key is still {0}: give another --signing-key first")]
    SameKey(Label),
    /// A statement cannot be signed.
    #[error("{producer} evidence of {correlation}: {reason}")]
    Statement {
        /// Who made the evidence.
        producer: &'static str,
        /// The story.
        correlation: uuid::Uuid,
        /// What is wrong.
        reason: String,
    },
}

enum Outcome {
    Signed,
    Already,
    Gone,
}

impl Signer {
    /// Signs again, as this identity and generation, every statement that `query` finds: only what the
    /// signer before had signed, for the bundle that names it must hold it.
    ///
    /// Each story takes the same steps as the first time, so a run that died is repeated without harm.
    pub async fn sign_again(
        &self,
        bus: &Bus,
        mut query: SignedQuery,
        now: impl Fn() -> Timestamp,
    ) -> Result<Resigned, ResignError> {
        if self.generation < 2 {
            return Err(ResignError::SameGeneration(self.generation));
        }
        let mut resigned = Resigned::default();
        loop {
            let page = page(bus, &query).await?;
            let Some(last) = page.last() else { return Ok(resigned) };
            query.after = Some((last.correlation, last.producer));
            for evidence in &page {
                let session = self.identity.session(now()).await;
                let session = session.map_err(|error| trouble(evidence, error.into()))?;
                if session.is_key() && *session.label() == query.signer {
                    return Err(ResignError::SameKey(query.signer));
                }
                match self.again(bus, evidence, &query.signer, &session, now()).await? {
                    Outcome::Signed => resigned.signed += 1,
                    Outcome::Already => resigned.already += 1,
                    Outcome::Gone => resigned.gone += 1,
                }
            }
        }
    }

    async fn again(
        &self,
        bus: &Bus,
        evidence: &SignedEvidence,
        replaces: &Label,
        session: &Session,
        now: Timestamp,
    ) -> Result<Outcome, ResignError> {
        let SignedEvidence { correlation, producer, .. } = *evidence;
        let latest = bus
            .find_latest::<EvidenceResigned>(&evidence.scope, Some(producer), correlation)
            .await?;
        if latest.as_ref().is_some_and(|(_, it)| it.data.generation >= self.generation) {
            return Ok(Outcome::Already);
        }
        let Some(bundles) = self.bundles_again(evidence, session, now).await? else {
            warn!(%correlation, producer = producer.as_str(), "Its evidence has left the archive");
            return Ok(Outcome::Gone);
        };
        let data = EvidenceResigned {
            producer,
            generation: self.generation,
            replaces: replaces.clone(),
            bundles,
        };
        let cause = Cause {
            event: evidence.event,
            correlation,
            priority: evidence.priority,
            scope: evidence.scope.clone(),
        };
        let event: Envelope<EvidenceResigned> =
            cause.leads_to(Label::of("/attestry/signer"), now, data);
        let last = latest.map_or(0, |(sequence, _)| sequence);
        match bus.publish_after(&event, last).await? {
            Published::Stored => {
                info!(%correlation, producer = producer.as_str(), "Signed again");
                Ok(Outcome::Signed)
            }
            Published::AlreadyThere => Ok(Outcome::Already),
        }
    }

    /// New bundles in the archive; none when the statements are no longer there.
    async fn bundles_again(
        &self,
        evidence: &SignedEvidence,
        session: &Session,
        now: Timestamp,
    ) -> Result<Option<Vec<BundleRef>>, ResignError> {
        let mut bundles = Vec::new();
        for old in &evidence.bundles {
            let held = match self.archive.get(old.bundle, MAX_BUNDLE_BYTES as u64).await {
                Ok(held) => held,
                Err(ArchiveError::NotFound(_)) => return Ok(None),
                Err(error) => return Err(trouble(evidence, error.into())),
            };
            match self.archive.get(old.statement, MAX_STATEMENT_BYTES as u64).await {
                Err(ArchiveError::NotFound(_)) => return Ok(None),
                Err(error) => return Err(trouble(evidence, error.into())),
                Ok(_) => {}
            }
            let signs = read_without_verifying_unsafe(&held).map(|it| Digest::of(it.as_bytes()));
            if signs.as_ref().ok() != Some(&old.statement) {
                let reason =
                    format!("the bundle {} does not hold statement {}", old.bundle, old.statement);
                return Err(trouble(evidence, HandleError::permanent("signer-refused", reason)));
            }
            let wanted = StatementRef {
                digest: old.statement,
                predicate_type: old.predicate_type.clone(),
                bundle_name: old.name.clone(),
            };
            let bundle = self.bundle(evidence.producer, &wanted, session).await;
            let bytes = bundle.map_err(|error| trouble(evidence, error))?;
            let digest = Digest::of(&bytes);
            let entry = Entry {
                class: Class::Bundle,
                media_type: BUNDLE_TYPE.to_owned(),
                event_time: now,
                bytes,
            };
            let stored = self.archive.put(&[entry], now).await;
            stored.map_err(|error| trouble(evidence, error.into()))?;
            let signer = Some(session.label().clone());
            bundles.push(BundleRef { bundle: digest, signer, ..old.clone() });
        }
        Ok(Some(bundles))
    }
}

async fn page(bus: &Bus, query: &SignedQuery) -> Result<Vec<SignedEvidence>, ResignError> {
    let strange = |reason: String| ResignError::Registrar { signer: query.signer.clone(), reason };
    let question = serde_json::to_vec(query).map_err(|error| strange(error.to_string()))?;
    let answer = bus.ask(SignedQuery::TOPIC, question.into(), PATIENCE).await?;
    match serde_json::from_slice(&answer) {
        Ok(Answer::Known(page)) => Ok(page),
        Ok(Answer::Error(why)) => Err(strange(why)),
        Err(error) => Err(strange(error.to_string())),
    }
}

fn trouble(evidence: &SignedEvidence, error: HandleError) -> ResignError {
    match error {
        HandleError::Outage { dependency, detail } => ResignError::Bus(BusError::Away {
            action: "sign again",
            reason: format!("{dependency}: {detail}"),
        }),
        HandleError::Transient { detail } | HandleError::Permanent { detail, .. } => {
            ResignError::Statement {
                producer: evidence.producer.as_str(),
                correlation: evidence.correlation,
                reason: detail,
            }
        }
    }
}
