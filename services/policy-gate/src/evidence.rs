//! The evidence of a build, read from the archive and verified before anything is judged.

use archive::Archive;
use attestation::{
    Predicate, Provenance, Reference, Signer, Trust, Verified,
    signer::Evidence as SignatureEvidence, verify::MAX_BUNDLE_BYTES, verify_bundle,
};
use bytes::Bytes;
use events::{BuildCompleted, BundleRef, Digest, Document, Environment, EvidenceSigned, Role};
use policy::MAX_INPUT_BYTES;
use uuid::Uuid;
use worker::HandleError;

use crate::known::{Known, Wanted};

/// What is known about a build, each signature checked against the documents that it is about.
pub(crate) struct Evidence {
    pub(crate) build: BuildCompleted,
    pub(crate) sbom: Option<(Digest, Bytes)>,
    pub(crate) provenance: Option<(Digest, Bytes)>,
    /// How the SBOMs that the build made of itself compare with the generator's.
    pub(crate) comparison: Option<(Digest, Bytes)>,
    pub(crate) signatures: Vec<CheckedSignature>,
    /// Digests of the bundles, for the VSA's `inputAttestations`.
    pub(crate) bundles: Vec<Digest>,
    /// What it is judged for.
    pub(crate) environment: Environment,
    /// What is known beside.
    pub(crate) known: Known,
    /// Whether policy asks how good the SBOM is.
    pub(crate) quality: bool,
}

/// Which build's evidence, and what for.
pub(crate) struct Case<'a> {
    /// The build's story.
    pub(crate) story: Uuid,
    /// The generator's evidence.
    pub(crate) evidence: &'a EvidenceSigned,
    /// What it is judged for, if not what CI said.
    pub(crate) environment: Option<Environment>,
}

/// One bundle and what became of its verification.
pub(crate) struct CheckedSignature {
    pub(crate) predicate_type: String,
    pub(crate) statement: Digest,
    /// Who signed and what proves when, or why the bundle was refused.
    pub(crate) checked: Result<(Signer, SignatureEvidence), String>,
}

impl Evidence {
    /// Reads what `event` names. A signature that does not hold is evidence too: policy says no.
    pub(crate) async fn load(
        archive: &Archive,
        case: &Case<'_>,
        keys: &Trust,
        wanted: &Wanted,
    ) -> Result<Self, HandleError> {
        let event = case.evidence;
        let read = async |role| {
            let Some(document) = event.documents.iter().find(|it| it.role == role) else {
                return Ok(None);
            };
            let bytes = archive.get(document.digest, MAX_INPUT_BYTES as u64).await?;
            Ok::<_, HandleError>(Some((document.digest, bytes)))
        };
        let Some((_, build)) = read(Role::Build).await? else {
            let detail = "the event names no document of role `build`; replay the build itself";
            return Err(HandleError::permanent("evidence-incomplete", detail));
        };
        let build: BuildCompleted = serde_json::from_slice(&build)
            .map_err(|error| HandleError::permanent("evidence-unreadable", error))?;
        let sbom = read(Role::Sbom).await?;
        let provenance = read(Role::Provenance).await?;
        let comparison = read(Role::SbomComparison).await?;

        let about: Vec<&Document> = event.documents.iter().filter(|it| is_about(it.role)).collect();
        let mut signatures = Vec::new();
        for bundle in &event.bundles {
            let bytes = archive.get(bundle.bundle, MAX_BUNDLE_BYTES as u64).await?;
            let checked = check(bundle, &bytes, keys, &build, &about, provenance.as_ref());
            signatures.push(CheckedSignature {
                predicate_type: bundle.predicate_type.to_string(),
                statement: bundle.statement,
                checked,
            });
        }
        Ok(Self {
            environment: build.judged_for(case.environment),
            known: Known::load(archive, &build, case.story, wanted).await?,
            quality: wanted.quality,
            build,
            sbom,
            provenance,
            comparison,
            signatures,
            bundles: event.bundles.iter().map(|it| it.bundle).collect(),
        })
    }
}

/// Whether the signed reference has to name documents of this role.
fn is_about(role: Role) -> bool {
    matches!(role, Role::Sbom | Role::SuppliedSbom | Role::SbomComparison)
}

/// Verifies a bundle, and that it signs this build's own documents: a good signature over another
/// build's provenance proves nothing here.
fn check(
    announced: &BundleRef,
    bytes: &[u8],
    keys: &Trust,
    build: &BuildCompleted,
    about: &[&Document],
    provenance: Option<&(Digest, Bytes)>,
) -> Result<(Signer, SignatureEvidence), String> {
    let verified = verify_bundle(bytes, keys).map_err(|error| error.to_string())?;
    let Verified { statement, signer, evidence, .. } = verified;
    let digest = Digest::of(statement.as_bytes());
    if digest != announced.statement {
        return Err(format!("the bundle signs statement {digest}, not the one announced"));
    }
    if statement.predicate_type() != announced.predicate_type.as_str() {
        return Err(format!("the bundle signs a `{}`", statement.predicate_type()));
    }
    let subjects: Vec<Digest> = statement.subjects().iter().map(|it| it.digest).collect();
    if let Some(missing) = build.artifacts.iter().find(|it| !subjects.contains(&it.digest)) {
        return Err(format!("the signed statement does not speak of artifact `{}`", missing.name));
    }
    match statement.predicate_type() {
        Provenance::TYPE if provenance.is_none_or(|(it, _)| *it != digest) => {
            return Err("the signed provenance is not the one to be judged".to_owned());
        }
        Reference::TYPE => {
            let reference: Reference = statement.predicate().map_err(|error| error.to_string())?;
            let names = |document: &&&Document| {
                reference.references.iter().any(|it| it.digest == document.digest)
            };
            if let Some(unnamed) = about.iter().find(|it| !names(it)) {
                return Err(format!("the signed reference does not name {}", unnamed.name));
            }
            if !about.iter().any(|it| it.role == Role::Sbom) {
                return Err("the signed reference names an SBOM that is not there".to_owned());
            }
        }
        _ => {}
    }
    Ok((signer, evidence))
}
