//! The document that policies see, and what is kept of it so that the judgement can be repeated.

use advisories::Index;
use bytes::Bytes;
use events::Digest;
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    evidence::{CheckedSignature, Evidence},
    input::{Config, Input, Previous, Signature},
    judgement::named,
    study::{Study, With, json},
};

/// What policies see, and the same with documents by digest.
pub(crate) struct Judged {
    pub(crate) input: String,
    pub(crate) decision: String,
    /// [`Vulnerabilities::advice`](crate::vulnerabilities::Vulnerabilities), if there is an SBOM.
    pub(crate) advice: Option<Digest>,
}

/// The input document of `evidence`.
///
/// # Errors
/// Which document cannot be judged, and why.
pub(crate) fn input(
    evidence: &Evidence,
    index: Option<&Index>,
    config: Config,
    now: Timestamp,
) -> Result<Judged, String> {
    let raw = |what, document: Option<&(Digest, Bytes)>| {
        document.map(|(_, bytes)| json(what, bytes)).transpose()
    };
    let Evidence { build, known, .. } = evidence;
    let artifacts: Vec<Digest> = build.artifacts.iter().map(|it| it.digest).collect();
    let quality = evidence.quality;
    let with = With { known, advisories: index, artifacts: &artifacts, quality, now };
    let study = evidence.sbom.as_ref().map(|(_, sbom)| Study::of(sbom, &with)).transpose()?;
    let provenance = raw("provenance", evidence.provenance.as_ref())?;
    let comparison = raw("comparison of SBOMs", evidence.comparison.as_ref())?;
    let signatures = evidence.signatures.iter().map(Signature::of).collect();
    let mut input = Input {
        provenance: provenance.as_deref(),
        sbom_comparison: comparison.as_deref(),
        signatures,
        advisories: index.map(named),
        vex: &known.vex,
        suppliers: known.suppliers.as_deref(),
        previous: known.previous.as_ref().map(|(before, _)| Previous::of(before)),
        config,
        ..Input::of(build, evidence.environment, now)
    };
    study.as_ref().inspect(|it| input.add(it));
    let text = serde_json::to_string(&input).map_err(|error| error.to_string())?;
    (input.sbom, input.provenance, input.sbom_comparison) = (None, None, None);
    let digest = |document: &Option<(Digest, Bytes)>| document.as_ref().map(|(digest, _)| *digest);
    let documents = Documents {
        sbom: digest(&evidence.sbom),
        provenance: digest(&evidence.provenance),
        sbom_comparison: digest(&evidence.comparison),
    };
    let decision = serde_json::to_string(&Decision { documents, input });
    let advice = study.as_ref().and_then(|it| it.vulnerabilities.advice);
    Ok(Judged { input: text, decision: decision.map_err(|error| error.to_string())?, advice })
}

impl<'a> Signature<'a> {
    fn of(signature: &'a CheckedSignature) -> Self {
        let checked = signature.checked.as_ref().ok();
        if let Err(reason) = &signature.checked {
            tracing::warn!(statement = %signature.statement, reason, "A signature does not hold");
        }
        Self {
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
    }
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
