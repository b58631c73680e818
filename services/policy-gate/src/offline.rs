//! What policies would see of documents at hand, for whoever writes policies.

use advisories::Index;
use documents::bom;
use events::{BuildCompleted, BuildKind, Digest};
use jiff::Timestamp;
use serde_json::{Value, json, value::RawValue};

use crate::{
    index::Index as SbomIndex,
    input::{Config, Input, Signature},
    judgement::named,
    vulnerabilities::Vulnerabilities,
};

const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const REFERENCE: &str = "https://in-toto.io/attestation/reference/v0.1";

/// Documents that nobody has submitted.
pub struct Documents<'a> {
    /// A CycloneDX SBOM.
    pub sbom: Option<&'a [u8]>,
    /// An in-toto statement with SLSA provenance.
    pub provenance: Option<&'a [u8]>,
    /// What components are matched with.
    pub index: Option<&'a Index>,
    /// What it would be judged for.
    pub environment: BuildKind,
    /// As of when.
    pub now: Timestamp,
}

impl Documents<'_> {
    /// The `attestry.policy-input/v1` of a build that these would be the evidence of. Signatures are taken for granted;
    /// what CI would say of the build is taken from the provenance.
    ///
    /// # Errors
    /// Which document cannot be read, and why.
    pub fn input(&self) -> Result<String, String> {
        let raw = |what: &str, bytes: Option<&[u8]>| {
            let parse = |bytes| serde_json::from_slice::<Box<RawValue>>(bytes);
            bytes.map(parse).transpose().map_err(|error| format!("the {what} is not JSON: {error}"))
        };
        let (sbom, provenance) = (raw("SBOM", self.sbom)?, raw("provenance", self.provenance)?);
        let build = self.build()?;
        let sbom_index = self.sbom.map(SbomIndex::of).transpose();
        let sbom_index =
            sbom_index.map_err(|error| format!("the SBOM is no CycloneDX: {error}"))?;
        let found = match (self.index, self.sbom) {
            (Some(index), Some(sbom)) => {
                Vulnerabilities::find(index, sbom).map_err(|error| error.to_string())?
            }
            _ => Vulnerabilities::default(),
        };
        let signature = |predicate_type, bytes: &[u8]| Signature {
            predicate_type,
            statement: Digest::of(bytes),
            verified: true,
            reason: None,
            key: None,
            label: Some("taken for granted"),
            issuer: None,
            claims: None,
            logged: false,
            proven_time: None,
            development_key: false,
        };
        let provenance_signature = self.provenance.map(|bytes| signature(PROVENANCE, bytes));
        let reference_signature = self.sbom.map(|bytes| signature(REFERENCE, bytes));
        let input = Input {
            time: self.now,
            environment: self.environment,
            project: build.project.as_str(),
            build: &build,
            sbom: sbom.as_deref(),
            index: sbom_index,
            sbom_digest: self.sbom.map(Digest::of),
            sbom_comparison: None,
            provenance: provenance.as_deref(),
            signatures: provenance_signature.into_iter().chain(reference_signature).collect(),
            findings: &found.listed,
            finding_count: found.count,
            advisories: self.index.map(named),
            config: Config::default(),
        };
        serde_json::to_string(&input).map_err(|error| error.to_string())
    }

    fn build(&self) -> Result<BuildCompleted, String> {
        let provenance: Value =
            self.provenance.and_then(|it| serde_json::from_slice(it).ok()).unwrap_or_default();
        let subject = match self.sbom {
            Some(sbom) => bom::read(sbom).map_err(|error| format!("the SBOM: {error}"))?.subject,
            None => None,
        };
        let name = subject.as_ref().map_or("unnamed", |it| it.name.as_str());
        let subjects = provenance["subject"].as_array().into_iter().flatten();
        let mut artifacts: Vec<Value> = subjects
            .filter_map(|it| {
                let digest = format!("sha256:{}", it["digest"]["sha256"].as_str()?);
                Some(json!({ "name": it["name"].as_str().unwrap_or(name), "digest": digest }))
            })
            .collect();
        if artifacts.is_empty() {
            artifacts.push(json!({ "name": name, "digest": Digest::of(name.as_bytes()) }));
        }
        let definition = &provenance["predicate"]["buildDefinition"];
        let source =
            definition["resolvedDependencies"].as_array().into_iter().flatten().find_map(|it| {
                let commit = it["digest"]["gitCommit"].as_str()?;
                let uri = it["uri"].as_str()?;
                let repository = uri.strip_prefix("git+").unwrap_or(uri).split('@').next()?;
                Some(json!({ "repository": repository, "commit": commit }))
            });
        let builder = provenance["predicate"]["runDetails"]["builder"]["id"].as_str();
        let mut build = json!({
            "project": name,
            "kind": self.environment,
            "run": "offline",
            "builder": { "id": builder.unwrap_or("urn:attestry:offline") },
            "artifacts": artifacts,
        });
        if let Some(source) = source {
            build["source"] = source;
        }
        serde_json::from_value(build)
            .map_err(|error| format!("the documents name a build that cannot be: {error}"))
    }
}
