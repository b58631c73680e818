//! Whether a bundle was signed by somebody whom we trust, and what it then says.

use sigstore_verify::{
    PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult,
    types::{
        Artifact as SigstoreArtifact, ArtifactDigest, Bundle as SigstoreBundle, HashAlgorithm,
    },
};

use crate::{
    artifact::Subjects,
    bundle::{Bundle, Content, Material},
    dsse, json,
    signer::{Certificate, Evidence, Identity, Signer},
    statement::{MAX_STATEMENT_BYTES, Statement, StatementError},
    trust::{Trust, TrustRoot, TrustedKey, check_predicate_type},
};
pub use crate::{
    artifact::{Artifact, Part},
    refusal::{MAX_BUNDLE_BYTES, VerifyError},
};

/// A statement that somebody signed whom we trust. Only [`verify_bundle`] makes one.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// The statement, parsed from the very bytes the signature covers.
    pub statement: Statement,
    /// Who signed.
    pub signer: Signer,
    /// What stood beside the signature.
    pub evidence: Evidence,
}

/// An artifact that somebody signed whom we trust. Only [`verify_artifact`] makes one.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct SignedArtifact {
    /// Who signed.
    pub signer: Signer,
    /// What stood beside the signature.
    pub evidence: Evidence,
    /// What the artifact is to what was signed.
    pub part: Part,
    /// What the signed statement claims; none where the artifact itself was signed.
    pub predicate_type: Option<String>,
    /// The signed statement, if it is a Statement v1 with SHA-256 subjects.
    pub statement: Option<Statement>,
}

/// Verifies that somebody whom `trust` believes signed the statement in `bytes`, a Sigstore bundle.
///
/// The hint in the bundle only selects the key. The signature is checked over the raw payload before any of the
/// payload is believed.
///
/// # Errors
/// The first check that failed.
pub fn verify_bundle(bytes: &[u8], trust: &Trust) -> Result<Verified, VerifyError> {
    let bundle = Bundle::parse(bytes)?;
    let Content::Statement { payload, .. } = &bundle.content else {
        return Err(VerifyError::NoStatement);
    };
    let checked = check(bytes, &bundle, None, trust)?;
    let statement = Statement::parse(payload.as_slice(), MAX_STATEMENT_BYTES)?;
    checked.may_sign(statement.predicate_type())?;
    Ok(Verified { statement, signer: checked.signer, evidence: checked.evidence })
}

/// The statement in a bundle, whoever signed it: to show what it says, never to rely on it.
///
/// # Errors
/// [`VerifyError`] when it is no bundle around a statement.
pub fn read_without_verifying_unsafe(bytes: &[u8]) -> Result<Statement, VerifyError> {
    match Bundle::parse(bytes)?.content {
        Content::Statement { payload, .. } => Ok(Statement::parse(payload, MAX_STATEMENT_BYTES)?),
        Content::File { .. } => Err(VerifyError::NoStatement),
    }
}

/// Verifies that somebody whom `trust` believes signed `artifact`: either the file itself
/// (`messageSignature`, as `cosign sign-blob` does), or a statement that has it as a subject, refers to it by
/// digest, or is it.
///
/// Statements v0.1 and subjects with SHA-512 alone are read as well, for npm's are such.
///
/// # Errors
/// The first check that failed; [`VerifyError::OtherDocument`] for a good signature over another one.
pub fn verify_artifact(
    bytes: &[u8],
    artifact: &Artifact<'_>,
    trust: &Trust,
) -> Result<SignedArtifact, VerifyError> {
    let bundle = Bundle::parse(bytes)?;
    let checked = check(bytes, &bundle, Some(artifact), trust)?;
    let Content::Statement { payload, .. } = &bundle.content else {
        let Checked { signer, evidence, .. } = checked;
        let part = Part::File;
        return Ok(SignedArtifact {
            signer,
            evidence,
            part,
            predicate_type: None,
            statement: None,
        });
    };
    let subjects = Subjects::read(payload)?;
    checked.may_sign(&subjects.predicate_type)?;
    let statement = Statement::parse(payload.as_slice(), MAX_STATEMENT_BYTES).ok();
    let Some(part) = artifact.part_of(payload, &subjects, statement.as_ref())? else {
        let (label, document) = (checked.signer.label, artifact.to_string());
        return Err(VerifyError::OtherDocument { label, document });
    };
    Ok(SignedArtifact {
        signer: checked.signer,
        evidence: checked.evidence,
        part,
        predicate_type: Some(subjects.predicate_type),
        statement,
    })
}

/// A signature that holds.
struct Checked<'a> {
    signer: Signer,
    evidence: Evidence,
    /// Predicate types that the signer may sign; empty means all.
    predicate_types: &'a [String],
}

impl Checked<'_> {
    fn may_sign(&self, predicate_type: &str) -> Result<(), VerifyError> {
        check_predicate_type(&self.signer.label, self.predicate_types, predicate_type)
    }
}

/// Whether the signature in `bundle` holds and is of somebody whom `trust` believes, with the evidence that
/// `trust` asks for. `artifact` is the file beside the bundle, where it signs one.
fn check<'a>(
    bytes: &[u8],
    bundle: &Bundle,
    artifact: Option<&Artifact<'_>>,
    trust: &'a Trust,
) -> Result<Checked<'a>, VerifyError> {
    let checked = match &bundle.material {
        Material::Key { hint } => {
            if trust.has_only_identities() {
                return Err(VerifyError::SignedWithKey);
            }
            let key = trust.key(hint)?;
            let evidence = match (bundle.beside(), trust.root()) {
                (Some(_), Some(root)) => {
                    with_root(bytes, bundle, artifact, root, Signed::WithKey(key))?.1
                }
                // Evidence that nobody can check and nobody asks for changes nothing.
                (Some(what), None) if trust.asks_for_evidence() => {
                    return Err(VerifyError::NoTrustedRoot { what });
                }
                _ => key_alone(&bundle.content, artifact, key)?,
            };
            trust.check_validity(key, &evidence)?;
            let signer = Signer {
                label: key.label.clone(),
                development: key.development,
                identity: Identity::Key { hint: key.key.hint() },
            };
            Checked { signer, evidence, predicate_types: &key.predicate_types }
        }
        Material::Certificate => {
            if trust.has_only_keys() {
                return Err(VerifyError::SignedWithCertificate);
            }
            let root = trust.root().ok_or(VerifyError::NoTrustedRoot { what: "a certificate" })?;
            let (certificate, evidence) =
                with_root(bytes, bundle, artifact, root, Signed::WithCertificate)?;
            let certificate = certificate.ok_or_else(|| {
                VerifyError::Certificate("the bundle has none that can be read".to_owned())
            })?;
            let rule = trust.rule(&certificate)?;
            let identity = Identity::Certificate(certificate);
            let signer = Signer { label: rule.label.clone(), development: false, identity };
            Checked { signer, evidence, predicate_types: &rule.predicate_types }
        }
    };
    trust.check_evidence(&checked.evidence)?;
    Ok(checked)
}

/// What a bundle claims to be signed with.
#[derive(Clone, Copy)]
enum Signed<'a> {
    WithKey(&'a TrustedKey),
    WithCertificate,
}

/// Verifies a bundle with everything that stands beside its signature.
fn with_root(
    bytes: &[u8],
    bundle: &Bundle,
    artifact: Option<&Artifact<'_>>,
    root: &TrustRoot,
    signed: Signed<'_>,
) -> Result<(Option<Certificate>, Evidence), VerifyError> {
    let not_a_bundle =
        |error: &dyn std::fmt::Display| VerifyError::NotABundle(json::excerpt(&error.to_string()));
    let text = std::str::from_utf8(bytes).map_err(|error| not_a_bundle(&error))?;
    let whole = SigstoreBundle::from_json(text).map_err(|error| not_a_bundle(&error))?;
    let label = match signed {
        Signed::WithKey(key) => key.label.as_str(),
        Signed::WithCertificate => "the certificate's key",
    };
    let document = artifact.map(ToString::to_string).unwrap_or_default();
    let verify = |over: SigstoreArtifact<'_>| {
        let result = match signed {
            Signed::WithKey(key) => {
                let policy = PublicKeyVerificationPolicy::new(key.key.der().clone());
                let policy = if bundle.entries == 0 { policy.skip_tlog_unsafe() } else { policy };
                root.verifier().verify(over, &whole, &policy)
            }
            Signed::WithCertificate => {
                root.verifier().verify(over, &whole, &VerificationPolicy::any_identity())
            }
        };
        result.map_err(|error| VerifyError::of(&error, label, &document))
    };
    let result = match (&bundle.content, artifact) {
        // Which subject is meant is asked later, of the payload that by then is believed.
        (Content::Statement { payload, .. }, _) => verify(first_subject(payload)?.into())?,
        (Content::File { .. }, Some(artifact)) => over_file(artifact, verify)?,
        (Content::File { .. }, None) => return Err(VerifyError::NoStatement),
    };
    evidence_of(&result, bundle, signed)
}

/// Verifies over the file's digest, which is known, and over the file where its algorithm wants that.
fn over_file(
    artifact: &Artifact<'_>,
    verify: impl Fn(SigstoreArtifact<'_>) -> Result<VerificationResult, VerifyError>,
) -> Result<VerificationResult, VerifyError> {
    let by_digest = match artifact.sha256() {
        Some(digest) => verify(sha256(digest.as_bytes())?.into()),
        None => Err(VerifyError::NeedsFile("SHA-256 is needed".to_owned())),
    };
    match (by_digest, artifact.bytes()) {
        (Err(VerifyError::NeedsFile(_)), Some(bytes)) => verify(SigstoreArtifact::from_blob(bytes)),
        (result, _) => result,
    }
}

fn evidence_of(
    result: &VerificationResult,
    bundle: &Bundle,
    signed: Signed<'_>,
) -> Result<(Option<Certificate>, Evidence), VerifyError> {
    // What the verifier promises by returning is asked again, lest another version promise less.
    if bundle.entries > 0 && !result.tlog_verified() {
        return Err(VerifyError::TransparencyLog("it was not verified".to_owned()));
    }
    if matches!(signed, Signed::WithCertificate) {
        if !result.certificate_verified() || result.verified_timestamps().is_empty() {
            return Err(VerifyError::Certificate("it was not verified".to_owned()));
        }
        if !result.sct_verified() {
            return Err(VerifyError::CertificateLog("it was not verified".to_owned()));
        }
    }
    let mut times = result.verified_timestamps().to_vec();
    times.sort_unstable();
    times.dedup();
    let evidence = Evidence { logged: bundle.entries > 0, times };
    Ok((result.certificate().map(Certificate::of), evidence))
}

/// Verifies what a key signed, with nothing beside it.
fn key_alone(
    content: &Content,
    artifact: Option<&Artifact<'_>>,
    key: &TrustedKey,
) -> Result<Evidence, VerifyError> {
    let holds = match (content, artifact) {
        (Content::Statement { payload, signature }, _) => {
            key.key.verifies(&dsse::pae(payload), signature)
        }
        (Content::File { signature }, Some(artifact)) => {
            // The digest is known already, and not every algorithm makes do with it.
            let by_digest = match artifact.sha256() {
                Some(digest) => key.key.verifies_digest(digest, signature),
                None => Err("it is over the file or its SHA-256".to_owned()),
            };
            match (by_digest, artifact.bytes()) {
                (Ok(holds), _) => holds,
                (Err(_), Some(bytes)) => key.key.verifies(bytes, signature),
                (Err(why), None) => return Err(VerifyError::NeedsFile(why)),
            }
        }
        (Content::File { .. }, None) => return Err(VerifyError::NoStatement),
    };
    match holds {
        true => Ok(Evidence::default()),
        false => Err(VerifyError::WrongSignature { label: key.label.clone() }),
    }
}

/// A digest of the first subject that has one, which the verifier wants to find among the subjects.
fn first_subject(payload: &[u8]) -> Result<ArtifactDigest, VerifyError> {
    let subjects = Subjects::read(payload)?;
    let sha512 = || {
        let bytes = subjects.first_sha512()?;
        ArtifactDigest::new(HashAlgorithm::Sha2512, bytes).ok()
    };
    match subjects.first_sha256() {
        Some(digest) => sha256(digest.as_bytes()),
        None => sha512().ok_or(VerifyError::Statement(StatementError::SubjectDigest {
            index: 0,
            reason: "no `sha256` and no `sha512` digest, and no other is accepted".to_owned(),
        })),
    }
}

fn sha256(bytes: &[u8]) -> Result<ArtifactDigest, VerifyError> {
    let digest = ArtifactDigest::new(HashAlgorithm::Sha2256, bytes.to_vec());
    digest.map_err(|error| VerifyError::NotABundle(json::excerpt(&error.to_string())))
}
