//! The document that policies see as `input`, version 1.

use std::collections::BTreeMap;

use events::{BuildCompleted, Digest, Environment, Label};
use jiff::Timestamp;
use policy::AdvisoryIndex;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    difference::Difference,
    index::Index,
    known::{Supplied, VexDocument},
    promoted::Before,
    quality::Quality,
    study::Study,
    vulnerabilities::Vulnerability,
};

/// Everything that is known about a build when it is judged: `attestry.policy-input/v1`.
///
/// Documents are passed on as they were read, so that rules judge what was signed.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "schema", rename = "attestry.policy-input/v1")]
pub(crate) struct Input<'a> {
    /// When it is judged; policies have no other clock.
    pub(crate) time: Timestamp,
    /// What the build is for, and so how strict rules are.
    pub(crate) environment: Environment,
    /// The project that was built.
    pub(crate) project: &'a str,
    /// What CI said of the build.
    pub(crate) build: &'a BuildCompleted,
    /// The CycloneDX SBOM, or null when there is none.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub(crate) sbom: Option<&'a RawValue>,
    /// What rules would look through every component for, or null without an SBOM.
    pub(crate) index: Option<&'a Index>,
    /// Digest of the SBOM's bytes.
    pub(crate) sbom_digest: Option<Digest>,
    /// How much of what standards ask for the SBOM tells, by standard; null unless the policy's data asks for it.
    pub(crate) quality: Option<&'a BTreeMap<&'static str, Quality>>,
    /// The build of this project that was promoted before, or null.
    pub(crate) previous: Option<Previous<'a>>,
    /// What the SBOM has that the previous one had not, and the other way round; null without one.
    pub(crate) difference: Option<&'a Difference>,
    /// How the SBOMs that the build made of itself compare with this one, or null when it made none:
    /// `attestry.sbom-comparison/v1`.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub(crate) sbom_comparison: Option<&'a RawValue>,
    /// The in-toto statement with SLSA provenance, or null when there is none.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub(crate) provenance: Option<&'a RawValue>,
    /// Signatures over this build's statements, as checked before judging: a signature over any
    /// other document must not be listed.
    pub(crate) signatures: Vec<Signature<'a>>,
    /// Known vulnerabilities of the SBOM's components, the worst first; of very many, the worst.
    pub(crate) findings: &'a [Vulnerability],
    /// How many known vulnerabilities there are.
    pub(crate) finding_count: usize,
    /// What the components were matched with, or null: then nothing is known about them.
    pub(crate) advisories: Option<AdvisoryIndex>,
    /// VEX documents that were asked: operators', about this project or all.
    pub(crate) vex: &'a [VexDocument],
    /// Accepted SBOMs of the suppliers that `supplied_components` in the policy's data names; null if it names none.
    pub(crate) suppliers: Option<&'a [Supplied]>,
    /// What the operator decided.
    pub(crate) config: Config,
}

impl<'a> Input<'a> {
    /// What CI says of a build, and nothing else yet.
    pub(crate) fn of(build: &'a BuildCompleted, environment: Environment, time: Timestamp) -> Self {
        Self {
            time,
            environment,
            project: build.project.as_str(),
            build,
            sbom: None,
            index: None,
            sbom_digest: None,
            quality: None,
            previous: None,
            difference: None,
            sbom_comparison: None,
            provenance: None,
            signatures: Vec::new(),
            findings: &[],
            finding_count: 0,
            advisories: None,
            vex: &[],
            suppliers: None,
            config: Config::default(),
        }
    }

    /// Adds the SBOM, and what was found out about it.
    pub(crate) fn add(&mut self, study: &'a Study) {
        self.sbom = Some(&study.sbom);
        self.sbom_digest = Some(study.digest);
        self.index = Some(&study.index);
        self.quality = study.quality.as_ref();
        self.difference = study.difference.as_ref();
        self.findings = &study.vulnerabilities.listed;
        self.finding_count = study.vulnerabilities.count;
    }
}

impl<'a> Previous<'a> {
    pub(crate) fn of(before: &'a Before) -> Self {
        let Before { time, version, sbom } = before;
        Self { time: *time, sbom_digest: *sbom, version: version.as_ref() }
    }
}

/// The build that was promoted before.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Previous<'a> {
    /// When its evidence came to be.
    pub(crate) time: Timestamp,
    pub(crate) sbom_digest: Digest,
    /// Version of the product, where CI knew it.
    pub(crate) version: Option<&'a Label>,
}

/// One checked signature over an in-toto statement.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Signature<'a> {
    /// Predicate type of the statement.
    pub(crate) predicate_type: &'a str,
    /// Digest of the statement's bytes.
    pub(crate) statement: Digest,
    /// Whether signature and identity were verified against the trust root.
    pub(crate) verified: bool,
    /// Which check it failed, and what would satisfy it; absent where it is verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
    /// The key's hint, or the identity in the certificate.
    pub(crate) key: Option<&'a str>,
    /// What the trust policy calls the signer.
    pub(crate) label: Option<&'a str>,
    /// Who vouches for the identity; null for a key.
    pub(crate) issuer: Option<&'a str>,
    /// What the certificate says of the workload, such as `repository` and `ref`; null for a key.
    pub(crate) claims: Option<&'a BTreeMap<&'static str, String>>,
    /// Whether a transparency log proved that it has the signature.
    pub(crate) logged: bool,
    /// When the signature existed at the latest, as a log or a timestamp authority says.
    pub(crate) proven_time: Option<Timestamp>,
    /// Whether it is the key of a developer's machine, which proves nothing.
    pub(crate) development_key: bool,
}

/// Choices of the operator that rules respect.
#[derive(Clone, Copy, Debug, Default, Serialize, JsonSchema)]
pub(crate) struct Config {
    /// Turns the refusal of development keys into a warning.
    pub(crate) allow_development_key: bool,
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    /// Written when `WRITE_SCHEMA` is set, compared otherwise.
    #[test]
    #[allow(clippy::disallowed_methods, reason = "whoever changes the input sets it once")]
    fn the_schema_beside_the_policies_is_that_of_the_input() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy/input.schema.json");
        let schema = schemars::schema_for!(Input<'static>);
        let text = serde_json::to_string_pretty(&schema).expect("writes") + "\n";
        if std::env::var_os("WRITE_SCHEMA").is_some() {
            fs::write(&path, &text).expect("writes");
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "run WRITE_SCHEMA=1 cargo test -p policy-gate schema");
    }
}
