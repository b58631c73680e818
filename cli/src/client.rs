//! A command's connection to the pipeline.

use std::{path::PathBuf, time::Duration};

use attestation::{
    PublicKey, Trust, TrustedKey, VerificationSummary,
    predicate::verification_summary::VerificationResult, verify_bundle,
};
use bus::{Bus, BusError, BusOptions};
use bytes::Bytes;
use events::{
    BundleRef, Digest, Envelope, Environment, EvidenceResigned, EvidenceSigned, SupplierId,
    VerdictResult, subject,
};
use jiff::SignedDuration;
use policy_gate::queries::{DOCUMENT, DocumentAnswer, DocumentQuery, JUDGED, Judged};
use registrar::queries::Answer;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    commands::up::{NATS_URL_FILE, OPERATOR_SEED_FILE},
    failure::Failure,
};

/// How long a command waits for a broker before it says that there is none.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long a command waits for a broker that need not be there.
const GLANCE: Duration = Duration::from_millis(500);
/// How long a question waits for its answer.
pub(crate) const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// Nobody waits longer for a verdict, and clocks can still add it.
const LONGEST_WAIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Address when neither a flag nor `attestry up` names one.
const DEFAULT_URL: &str = "nats://127.0.0.1:4222";

/// How to reach the pipeline.
#[derive(clap::Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ClientArgs {
    /// NATS server [default: the one that `attestry up` runs here, else nats://127.0.0.1:4222]
    #[arg(long, env, value_name = "URL")]
    nats_url: Option<String>,
    /// Seed of an nkey, or NATS credentials [default: that of the `attestry up` here]
    #[arg(long, env, value_name = "FILE")]
    creds: Option<PathBuf>,
}

/// Reads what `--wait` is given, such as `5m`.
pub(crate) fn patience(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration =
        text.parse().map_err(|error| format!("{error}; write it as 90s or 5m"))?;
    match Duration::try_from(duration) {
        Ok(duration) if duration <= LONGEST_WAIT => Ok(duration),
        _ => Err("must be between 0s and 7d".to_owned()),
    }
}

impl ClientArgs {
    /// For commands that only tell the pipeline something: none if nobody answers at once.
    pub(crate) async fn connect_if_there(&self) -> Option<Bus> {
        Bus::connect(&self.options(), Some(GLANCE)).await.ok()
    }

    pub(crate) async fn connect(&self) -> Result<Bus, Failure> {
        Bus::connect(&self.options(), Some(CONNECT_PATIENCE)).await.map_err(not_connected)
    }

    /// As whoever acts for `supplier`: a supplier's own user has inboxes of its own.
    pub(crate) async fn connect_as(&self, supplier: &SupplierId) -> Result<Bus, Failure> {
        let options = self.options();
        let connected = Bus::connect_as(supplier, &options, Some(CONNECT_PATIENCE)).await;
        connected.map_err(not_connected)
    }

    /// Whether these may be credentials of a supplier, who sees nothing but its door and its receipts.
    pub(crate) fn may_be_suppliers(&self) -> bool {
        self.creds.is_some()
    }

    fn options(&self) -> BusOptions {
        let data = PathBuf::from("data");
        let (url, local_creds) = match &self.nats_url {
            Some(url) => (url.clone(), None),
            None => match std::fs::read_to_string(data.join(NATS_URL_FILE)) {
                Ok(url) => {
                    let seed = data.join(OPERATOR_SEED_FILE);
                    (url.trim().to_owned(), seed.exists().then_some(seed))
                }
                Err(_) => (DEFAULT_URL.to_owned(), None),
            },
        };
        let creds = self.creds.clone().or(local_creds);
        BusOptions { url, creds, name: "attestry".to_owned() }
    }
}

fn not_connected(error: BusError) -> Failure {
    // Address or credentials cannot be used, whoever listens.
    if matches!(error, BusError::Refused { .. }) {
        return Failure::input(error);
    }
    let remedy = "start the pipeline with `attestry up`, or name its broker with --nats-url";
    Failure::Unknown(format!("{error}; {remedy}"))
}

/// What the registrar answers to `question` about `topic`.
pub(crate) async fn ask<T: DeserializeOwned>(
    bus: &Bus,
    topic: &str,
    question: &impl Serialize,
) -> Result<T, Failure> {
    let question = serde_json::to_vec(question).map_err(Failure::unknown)?;
    let answer = bus.ask(topic, question.into(), ANSWER_PATIENCE).await?;
    match serde_json::from_slice(&answer) {
        Ok(Answer::Known(answer)) => Ok(answer),
        Ok(Answer::Error(why)) => Err(Failure::Unknown(why)),
        Err(error) => {
            let remedy = "use the same release of attestry and attestry-registrar";
            Err(Failure::Unknown(format!(
                "the registrar's answer is not readable: {error}; {remedy}"
            )))
        }
    }
}

/// A document of the archive, checked against its digest.
pub(crate) async fn document(bus: &Bus, digest: Digest) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    loop {
        let query = DocumentQuery { digest, offset: bytes.len() };
        let question = serde_json::to_vec(&query).map_err(Failure::unknown)?;
        let answer = bus.ask(DOCUMENT, question.into(), ANSWER_PATIENCE).await?;
        let garbled = || Failure::unknown("the answer to a document query cannot be read");
        let line = answer.iter().position(|byte| *byte == b'\n').ok_or_else(garbled)?;
        let head = serde_json::from_slice(&answer[..line]).map_err(|_| garbled())?;
        let size = match head {
            DocumentAnswer::Size(size) => size,
            DocumentAnswer::Error(why) => return Err(Failure::Unknown(why)),
        };
        bytes.extend_from_slice(&answer[line + 1..]);
        if bytes.len() >= size {
            break;
        }
        if answer.len() == line + 1 {
            return Err(garbled());
        }
    }
    if Digest::of(&bytes) != digest {
        let why = format!("document {digest} arrived with other bytes; ask again");
        return Err(Failure::Unknown(why));
    }
    Ok(bytes.into())
}

/// `signed` with the bundles that stand in for its own, if it was signed again.
pub(crate) async fn with_latest_bundles(
    bus: &Bus,
    signed: &Envelope<EvidenceSigned>,
) -> Result<Envelope<EvidenceSigned>, Failure> {
    let mut signed = signed.clone();
    let producer = Some(signed.data.producer);
    let again = bus.find::<EvidenceResigned>(&signed.scope, producer, signed.correlation).await?;
    for newer in again.into_iter().flat_map(|it| it.data.bundles) {
        let same = |it: &&mut BundleRef| it.statement == newer.statement && it.name == newer.name;
        if let Some(older) = signed.data.bundles.iter_mut().find(same) {
            *older = newer;
        }
    }
    Ok(signed)
}

/// Builds with this artifact that were judged, the newest last.
pub(crate) async fn judged(bus: &Bus, artifact: Digest) -> Result<Vec<Judged>, Failure> {
    let answer = bus.ask(JUDGED, artifact.to_string().into(), ANSWER_PATIENCE).await?;
    let mut judged: Vec<Judged> = serde_json::from_slice(&answer)
        .map_err(|_| Failure::unknown("the policy-gate cannot look into its archive now"))?;
    judged.sort_by_key(|it| it.time);
    Ok(judged)
}

/// Checks that the key in `key` signed this verdict, on these artifacts, of this project, by this
/// policy. The report beside it is not signed.
pub(crate) async fn check_verdict(
    bus: &Bus,
    signed: &EvidenceSigned,
    artifacts: &[Digest],
    key: &std::path::Path,
) -> Result<(), Failure> {
    let refused = |why: String| Failure::No(format!("the verdict's signature: {why}"));
    let trust = trust_key(key)?;
    let (Some(verdict), [reference]) = (&signed.verdict, signed.bundles.as_slice()) else {
        return Err(refused("the event does not name one verdict with one bundle".to_owned()));
    };
    let bundle = document(bus, reference.bundle).await?;
    let verified = verify_bundle(&bundle, &trust).map_err(|error| refused(error.to_string()))?;
    let summary: VerificationSummary =
        verified.statement.predicate().map_err(|error| refused(error.to_string()))?;
    let subjects = verified.statement.subjects();
    let spoken_of = |artifact: &Digest| subjects.iter().any(|it| it.digest == *artifact);
    if let Some(missing) = artifacts.iter().find(|artifact| !spoken_of(artifact)) {
        return Err(refused(format!("it does not speak of {missing}")));
    }
    let passed = summary.verification_result == VerificationResult::Passed;
    if passed != (verdict.result == VerdictResult::Passed) {
        return Err(refused(format!(
            "it says {:?}, the event another",
            summary.verification_result
        )));
    }
    if summary.policy.digest != verdict.policy {
        return Err(refused(format!("it is of policy {}", summary.policy.digest)));
    }
    let project = subject::token(signed.project.as_str());
    let about = format!("urn:attestry:project:{project}:");
    let environment = summary.resource_uri.strip_prefix(&about);
    let claimed = verdict.environment.map(Environment::as_str);
    if environment.is_none_or(|it| claimed.is_some_and(|claimed| claimed != it)) {
        return Err(refused(format!("it is about {}", summary.resource_uri)));
    }
    Ok(())
}

/// Whoever holds the one key in a PEM file, and nobody else.
pub(crate) fn trust_key(path: &std::path::Path) -> Result<Trust, Failure> {
    let mut trust = Trust::new();
    let label = path.display().to_string();
    trust.add(TrustedKey::new(label, public_key(path)?)).map_err(Failure::input)?;
    Ok(trust)
}

/// The key in a PEM file.
pub(crate) fn public_key(path: &std::path::Path) -> Result<PublicKey, Failure> {
    let at_fault = |why: String| Failure::Input(format!("{}: {why}", path.display()));
    let pem = std::fs::read_to_string(path).map_err(|error| at_fault(error.to_string()))?;
    PublicKey::from_pem(&pem).map_err(|error| at_fault(error.to_string()))
}

/// Why a worker waits, for people.
pub(crate) fn paused_text(worker: &str, pause: &bus::Pause) -> String {
    let bus::Pause { dependency, detail, .. } = pause;
    format!("{worker} waits for {dependency}: {}", detail.escape_debug())
}
