//! The document that policies see, and what is kept of it so that the judgement can be repeated.

use advisories::Index;
use bytes::Bytes;
use events::Digest;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    Settings,
    evidence::Evidence,
    index::Index as SbomIndex,
    input::{Input, Signature},
    judgement::named,
    vulnerabilities::Vulnerabilities,
};

/// What policies see, and the same with documents by digest.
pub(crate) struct Judged {
    pub(crate) input: String,
    pub(crate) decision: String,
}

/// The input document of `evidence`.
///
/// # Errors
/// Which document cannot be judged, and why.
pub(crate) fn input(
    evidence: &Evidence,
    index: Option<&Index>,
    settings: &Settings,
    now: Timestamp,
) -> Result<Judged, String> {
    let raw = |what: &str, document: Option<&(Digest, Bytes)>| {
        let parse = |(_, bytes): &(Digest, Bytes)| serde_json::from_slice::<Box<RawValue>>(bytes);
        document.map(parse).transpose().map_err(|error| format!("the {what} is not JSON: {error}"))
    };
    let sbom = raw("SBOM", evidence.sbom.as_ref())?;
    let sbom_index = evidence.sbom.as_ref().map(|(_, bytes)| SbomIndex::of(bytes)).transpose();
    let sbom_index = sbom_index.map_err(|error| format!("the SBOM is no CycloneDX: {error}"))?;
    let provenance = raw("provenance", evidence.provenance.as_ref())?;
    let comparison = raw("comparison of SBOMs", evidence.comparison.as_ref())?;
    let vulnerabilities = match (index, &evidence.sbom) {
        (Some(index), Some((_, sbom))) => Vulnerabilities::find(index, sbom)
            .map_err(|error| format!("the SBOM cannot be matched with advisories: {error}"))?,
        _ => Vulnerabilities::default(),
    };
    let signatures = evidence.signatures.iter().map(|signature| {
        let checked = signature.checked.as_ref().ok();
        if let Err(reason) = &signature.checked {
            tracing::warn!(statement = %signature.statement, reason, "A signature does not hold");
        }
        Signature {
            predicate_type: &signature.predicate_type,
            statement: signature.statement,
            verified: checked.is_some(),
            reason: signature.checked.as_ref().err().map(String::as_str),
            key: checked.map(|(signer, _)| signer.name()),
            label: checked.map(|(signer, _)| signer.label.as_str()),
            issuer: checked.and_then(|(signer, _)| signer.issuer()),
            claims: checked.and_then(|(signer, _)| signer.claims()),
            logged: checked.is_some_and(|(_, evidence)| evidence.logged),
            proven_time: checked.and_then(|(_, evidence)| evidence.proven_time()),
            development_key: checked.is_some_and(|(signer, _)| signer.development),
        }
    });
    let mut input = Input {
        time: now,
        environment: evidence.build.kind,
        project: evidence.build.project.as_str(),
        build: &evidence.build,
        sbom: sbom.as_deref(),
        index: sbom_index,
        sbom_digest: evidence.sbom.as_ref().map(|(digest, _)| *digest),
        sbom_comparison: comparison.as_deref(),
        provenance: provenance.as_deref(),
        signatures: signatures.collect(),
        findings: &vulnerabilities.listed,
        finding_count: vulnerabilities.count,
        advisories: index.map(named),
        config: settings.config,
    };
    let text = serde_json::to_string(&input).map_err(|error| error.to_string())?;
    (input.sbom, input.provenance, input.sbom_comparison) = (None, None, None);
    let digest = |document: &Option<(Digest, Bytes)>| document.as_ref().map(|(digest, _)| *digest);
    let documents = Documents {
        sbom: digest(&evidence.sbom),
        provenance: digest(&evidence.provenance),
        sbom_comparison: digest(&evidence.comparison),
    };
    let decision = serde_json::to_string(&Decision { documents, input });
    Ok(Judged { input: text, decision: decision.map_err(|error| error.to_string())? })
}

/// `attestry.policy-decision/v1`: the input of a judgement, whose documents lie in the archive.
#[derive(Serialize)]
#[serde(tag = "schema", rename = "attestry.policy-decision/v1")]
struct Decision<'a> {
    /// Which documents stand in the input where it has null.
    documents: Documents,
    input: Input<'a>,
}

#[derive(Serialize)]
struct Documents {
    sbom: Option<Digest>,
    provenance: Option<Digest>,
    sbom_comparison: Option<Digest>,
}
