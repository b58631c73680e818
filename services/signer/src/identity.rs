//! The signing identity: a key, or a certificate for a few minutes.

use std::{sync::Arc, time::Instant};

use attestation::{
    IdentityRule, SigningKey, Statement, SubjectRule, Trust, TrustRoot, TrustedKey, VerifyError,
    verify_bundle,
};
use events::{Digest, Label};
use jiff::{SignedDuration, Timestamp};
use sigstore_sign::{
    bundle::{BundleV03, VerificationMaterialV03},
    crypto::{KeyPair, parse_certificate_info, sha256},
    types::{
        DerCertificate, DerPublicKey, DsseEnvelope, DsseSignature, KeyId, PayloadBytes,
        SignatureBytes, SignatureContent, pae,
    },
};
use tokio::sync::Mutex;

use crate::{
    error::{LogError, SignError},
    services::{Beside, Services, Verifier},
    token::TokenSource,
};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// A certificate that ends sooner is not used: logging and stamping take their time.
const LEAST_LIFE: SignedDuration = SignedDuration::from_secs(60);
/// How often a log may say that it has a signature without saying where.
const MAX_SIGNATURES: usize = 3;

/// Who signs.
pub struct SigningIdentity {
    /// Absent for a key alone.
    services: Option<Services>,
    source: Source,
}

enum Source {
    Key(Arc<Session>),
    Keyless {
        tokens: TokenSource,
        root: Arc<TrustRoot>,
        /// The certificate in use; whoever asks for the next one lets the others wait for it.
        session: Box<Mutex<Issued>>,
    },
}

/// What came of asking for certificates.
#[derive(Default)]
struct Issued {
    session: Option<Arc<Session>>,
    /// When the last one was refused, and why.
    refused: Option<(Instant, SignError)>,
}

/// What can sign now.
pub(crate) struct Session {
    /// What bundles are filed under: the same for whatever certificate of one identity.
    name: Digest,
    /// The fingerprint of the key, or the identity in the certificate.
    label: Label,
    material: Material,
    /// Whom to believe when reading what was signed: itself.
    own: Trust,
}

enum Material {
    Key { key: Box<SigningKey>, public: DerPublicKey },
    Certificate { pair: KeyPair, certificate: DerCertificate, until: Timestamp },
}

impl SigningIdentity {
    /// A key that nobody logs: what it signs proves no time.
    pub fn of_key(key: SigningKey) -> Self {
        Self { services: None, source: Source::Key(Arc::new(Session::of_key(key, None))) }
    }

    /// A key whose signatures are logged and stamped, as `root` can verify.
    pub(crate) fn of_key_with(key: SigningKey, services: Services, root: Arc<TrustRoot>) -> Self {
        let session = Arc::new(Session::of_key(key, Some(root)));
        Self { services: Some(services), source: Source::Key(session) }
    }

    /// Certificates for whoever the tokens are about.
    pub(crate) fn keyless(services: Services, tokens: TokenSource, root: Arc<TrustRoot>) -> Self {
        let source = Source::Keyless { tokens, root, session: Box::default() };
        Self { services: Some(services), source }
    }

    /// What can sign at `now`.
    pub(crate) async fn session(&self, now: Timestamp) -> Result<Arc<Session>, SignError> {
        let (tokens, root, session) = match &self.source {
            Source::Key(session) => return Ok(Arc::clone(session)),
            Source::Keyless { tokens, root, session } => (tokens, root, session),
        };
        let asked = Instant::now();
        let mut issued = session.lock().await;
        if let Some(session) = issued.session.as_ref().filter(|it| it.lasts(now)) {
            return Ok(Arc::clone(session));
        }
        // Whoever waited while another asked in vain need not ask as well, one after the other.
        if let Some((_, error)) = issued.refused.as_ref().filter(|(at, _)| *at > asked) {
            return Err(error.clone());
        }
        let new = self.certificate(tokens, root, now).await.map(Arc::new);
        match &new {
            Ok(session) => issued.session = Some(Arc::clone(session)),
            Err(error) => issued.refused = Some((Instant::now(), error.clone())),
        }
        new
    }

    /// A new certificate for whoever the token is about.
    async fn certificate(
        &self,
        tokens: &TokenSource,
        root: &Arc<TrustRoot>,
        now: Timestamp,
    ) -> Result<Session, SignError> {
        let token = tokens.token(now).await?;
        let services = self.services.as_ref().and_then(|it| it.fulcio.as_ref());
        let fulcio = services
            .ok_or_else(|| SignError::away("fulcio", "no certificate authority is configured"))?;
        let pair = KeyPair::generate_ecdsa_p256().map_err(failed)?;
        let issued = fulcio.create_signing_certificate(&token, &pair).await;
        let issued = issued.map_err(|error| SignError::of_fulcio(&error))?;
        Session::of_certificate(pair, issued.leaf_certificate().clone(), Arc::clone(root))
    }

    /// The bundle of `statement`, signed at `now`.
    ///
    /// # Errors
    /// What is away, or who refused the statement.
    pub async fn sign_at(
        &self,
        now: Timestamp,
        statement: &Statement,
    ) -> Result<Vec<u8>, SignError> {
        let session = self.session(now).await?;
        self.sign(&session, statement).await
    }

    /// The bundle of `statement`, verified as everybody else will.
    pub(crate) async fn sign(
        &self,
        session: &Session,
        statement: &Statement,
    ) -> Result<Vec<u8>, SignError> {
        let Some(services) = &self.services else { return session.sign_alone(statement) };
        for _ in 0..MAX_SIGNATURES {
            let (envelope, hash) = session.envelope(statement)?;
            let beside = match services.beside(&envelope, &hash, session.verifier()).await {
                Ok(beside) => beside,
                // Another signature is another entry.
                Err(LogError::Exists(_)) => continue,
                Err(LogError::Failed(error)) => return Err(error),
            };
            let bundle = session.bundle(envelope, beside)?;
            return match session.open(&bundle) {
                Ok(_) => Ok(bundle),
                Err(error) => Err(SignError::away(
                    "sigstore",
                    format_args!(
                        "the trusted root and the signing config are not of one instance: what was signed \
                         does not verify: {error}"
                    ),
                )),
            };
        }
        Err(SignError::away("rekor", "it has every signature already and does not say where"))
    }
}

impl Session {
    fn of_key(key: SigningKey, root: Option<Arc<TrustRoot>>) -> Self {
        let mut own = Trust::new();
        // An empty set has no such key yet.
        own.add(TrustedKey::new("signer", key.public_key().clone())).unwrap_or_default();
        if let Some(root) = root {
            own.set_root(root);
        }
        let der = key.public_key().to_der();
        let name = Digest::of(&der);
        let material = Material::Key { key: Box::new(key), public: DerPublicKey::new(der) };
        Self { name, label: Label::of(&name.hex()), material, own }
    }

    fn of_certificate(
        pair: KeyPair,
        certificate: DerCertificate,
        root: Arc<TrustRoot>,
    ) -> Result<Self, SignError> {
        let strange = |what: &dyn std::fmt::Display| {
            SignError::away("fulcio", format_args!("the certificate cannot be used: {what}"))
        };
        let info = parse_certificate_info(&certificate).map_err(|error| strange(&error))?;
        let issuer = info.issuer.unwrap_or_default();
        let identity = info.identity.map(|it| it.as_str().to_owned()).unwrap_or_default();
        let name = Digest::of(format!("{issuer}\n{identity}").as_bytes());
        let label = Label::of(&identity);
        let rule = IdentityRule::new("signer", issuer, SubjectRule::Exact(identity));
        let mut own = Trust::new();
        own.add_identity(rule.map_err(|error| strange(&error))?);
        own.set_root(root);
        let material = Material::Certificate { pair, certificate, until: info.not_after };
        Ok(Self { name, label, material, own })
    }

    /// What bundles of this identity are filed under.
    pub(crate) fn name(&self) -> Digest {
        self.name
    }

    /// Whether it is the same key each time.
    pub(crate) fn is_key(&self) -> bool {
        matches!(self.material, Material::Key { .. })
    }

    /// Who signs, in events.
    pub(crate) fn label(&self) -> &Label {
        &self.label
    }

    /// The statement in a bundle of this identity.
    pub(crate) fn open(&self, bundle: &[u8]) -> Result<Statement, VerifyError> {
        verify_bundle(bundle, &self.own).map(|verified| verified.statement)
    }

    fn lasts(&self, now: Timestamp) -> bool {
        match &self.material {
            Material::Key { .. } => true,
            Material::Certificate { until, .. } => now.duration_until(*until) >= LEAST_LIFE,
        }
    }

    pub(crate) fn verifier(&self) -> Verifier<'_> {
        match &self.material {
            Material::Key { public, .. } => Verifier::Key(public),
            Material::Certificate { certificate, .. } => Verifier::Certificate(certificate),
        }
    }

    fn sign_alone(&self, statement: &Statement) -> Result<Vec<u8>, SignError> {
        match &self.material {
            Material::Key { key, .. } => key.sign_statement(statement).map_err(failed),
            Material::Certificate { .. } => {
                Err(SignError::away("rekor", "no transparency log is configured"))
            }
        }
    }

    /// A signed envelope, and the digest of what was signed.
    pub(crate) fn envelope(
        &self,
        statement: &Statement,
    ) -> Result<(DsseEnvelope, sigstore_sign::types::Sha256Hash), SignError> {
        let signed = pae(PAYLOAD_TYPE, statement.as_bytes());
        let signature = match &self.material {
            Material::Key { key, .. } => {
                SignatureBytes::new(key.signature_over(statement).map_err(failed)?)
            }
            Material::Certificate { pair, .. } => pair.sign(&signed).map_err(failed)?,
        };
        let signature = DsseSignature::new(signature, KeyId::default());
        let payload = PayloadBytes::from_bytes(statement.as_bytes());
        Ok((DsseEnvelope::new(PAYLOAD_TYPE, payload, signature), sha256(&signed)))
    }

    fn bundle(&self, envelope: DsseEnvelope, beside: Beside) -> Result<Vec<u8>, SignError> {
        let material = match &self.material {
            Material::Key { key, .. } => {
                VerificationMaterialV03::PublicKey { hint: key.public_key().hint() }
            }
            Material::Certificate { certificate, .. } => {
                VerificationMaterialV03::Certificate(certificate.clone())
            }
        };
        let mut bundle = BundleV03::new(material, SignatureContent::DsseEnvelope(envelope));
        if let Some(entry) = beside.entry {
            bundle = bundle.with_tlog_entry(entry);
        }
        if let Some(timestamp) = beside.timestamp {
            bundle = bundle.with_rfc3161_timestamp(timestamp);
        }
        bundle.into_bundle().to_json().map(String::into_bytes).map_err(failed)
    }
}

/// The cryptographic library failed, as it does without randomness.
fn failed(error: impl ToString) -> SignError {
    SignError::away("cryptography", error.to_string())
}
