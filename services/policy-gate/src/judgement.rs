//! The verdict on one build: what policy says, and the statement that will be signed.

use std::collections::BTreeMap;

use archive::{Class, Entry};
use attestation::{
    Predicate, Statement, Subject, VerificationSummary,
    predicate::verification_summary::{InputAttestation, Policy, VerificationResult, Verifier},
};
use bytes::Bytes;
use events::{
    Digest, Document, EvidenceReady, Label, Producer, Role, Scope, StatementRef, Uri, Verdict,
    VerdictResult, subject,
};
use jiff::Timestamp;
use serde_json::value::RawValue;
use worker::HandleError;

use crate::{
    Settings,
    evidence::Evidence,
    policy::{Input, Signature},
    verdict::Report,
};

/// A verdict with everything it consists of.
pub(crate) struct Judgement {
    report: Bytes,
    policy: Bytes,
    summary: Statement,
    verdict: Verdict,
    artifacts: Vec<Digest>,
}

impl Judgement {
    /// Judges `evidence` as of `now`.
    pub(crate) fn of(
        evidence: &Evidence,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Self, HandleError> {
        let report = match input(evidence, settings, now) {
            Ok(input) => settings.policy.evaluate(&input),
            Err(reason) => Report::unjudged(settings.policy.digest(), reason),
        };
        let summary = summary(evidence, settings, &report, now);
        let summary = Statement::new(&subjects(evidence), &summary)
            .map_err(|error| HandleError::permanent("statement-unfit", error))?;
        let report_bytes: Bytes =
            serde_json::to_vec_pretty(&report).map_err(HandleError::transient)?.into();
        Ok(Self {
            verdict: Verdict {
                result: report.result,
                policy: report.policy_digest,
                report: Digest::of(&report_bytes),
            },
            report: report_bytes,
            policy: Bytes::copy_from_slice(settings.policy.canonical()),
            summary,
            artifacts: evidence.build.artifacts.iter().map(|it| it.digest).collect(),
        })
    }

    pub(crate) fn artifacts(&self) -> &[Digest] {
        &self.artifacts
    }

    /// As metrics name it.
    pub(crate) fn result(&self) -> &'static str {
        match self.verdict.result {
            VerdictResult::Passed => "passed",
            VerdictResult::Failed => "failed",
        }
    }

    /// What has to be in the archive before the event may be published.
    pub(crate) fn entries(&self, event_time: Timestamp) -> Vec<Entry> {
        let entry = |class, media_type: &str, bytes: Bytes| Entry {
            class,
            media_type: media_type.to_owned(),
            event_time,
            bytes,
        };
        let summary = Bytes::copy_from_slice(self.summary.as_bytes());
        vec![
            entry(Class::Report, REPORT_JSON, self.report.clone()),
            entry(Class::Policy, POLICY_FILES, self.policy.clone()),
            entry(Class::Statement, "application/vnd.in-toto+json", summary),
        ]
    }

    pub(crate) fn into_event(self, project: Scope) -> EvidenceReady {
        let document = |role, name: &str, media_type, bytes: &Bytes| {
            Some(Document {
                role,
                name: name.parse().ok()?,
                digest: Digest::of(bytes),
                size: bytes.len() as u64,
                media_type: Label::of(media_type),
            })
        };
        let documents = [
            document(Role::Report, "verdict/report.json", REPORT_JSON, &self.report),
            document(Role::Policy, "verdict/policy.bundle", POLICY_FILES, &self.policy),
        ];
        let statement =
            "bundles/verdict.sigstore.json".parse().ok().map(|bundle_name| StatementRef {
                digest: Digest::of(self.summary.as_bytes()),
                predicate_type: Uri::of(VerificationSummary::TYPE),
                bundle_name,
            });
        EvidenceReady {
            producer: Producer::PolicyGate,
            project,
            documents: documents.into_iter().flatten().collect(),
            statements: statement.into_iter().collect(),
            verdict: Some(self.verdict),
        }
    }
}

const REPORT_JSON: &str = "application/vnd.attestry.policy-report.v1+json";
const POLICY_FILES: &str = "application/vnd.attestry.policy-files.v1";

/// The document that policies see, as JSON.
fn input(evidence: &Evidence, settings: &Settings, now: Timestamp) -> Result<String, String> {
    let raw = |what: &str, bytes: Option<&Bytes>| {
        let parse = |bytes: &Bytes| serde_json::from_slice::<Box<RawValue>>(bytes);
        bytes.map(parse).transpose().map_err(|error| format!("the {what} is not JSON: {error}"))
    };
    let sbom = raw("SBOM", evidence.sbom.as_ref().map(|(_, bytes)| bytes))?;
    let provenance = raw("provenance", evidence.provenance.as_ref())?;
    let signatures = evidence.signatures.iter().map(|signature| {
        let checked = signature.checked.as_ref().ok();
        if let Err(reason) = &signature.checked {
            tracing::warn!(statement = %signature.statement, reason, "A signature does not hold");
        }
        Signature {
            predicate_type: &signature.predicate_type,
            statement: signature.statement,
            verified: checked.is_some(),
            key: checked.map(|(hint, _)| hint.as_str()),
            development_key: checked.is_some_and(|(_, development)| *development),
        }
    });
    let input = Input {
        time: now,
        environment: evidence.build.kind,
        project: evidence.build.project.as_str(),
        build: &evidence.build,
        sbom: sbom.as_deref(),
        sbom_digest: evidence.sbom.as_ref().map(|(digest, _)| *digest),
        provenance: provenance.as_deref(),
        signatures: signatures.collect(),
        config: settings.config,
    };
    serde_json::to_string(&input).map_err(|error| error.to_string())
}

/// SLSA VSA v1: what was judged, by which policy, on which evidence, with which result.
fn summary(
    evidence: &Evidence,
    settings: &Settings,
    report: &Report,
    now: Timestamp,
) -> VerificationSummary {
    let passed = report.result == VerdictResult::Passed;
    let development = evidence
        .signatures
        .iter()
        .any(|it| it.checked.as_ref().is_ok_and(|(_, development)| *development));
    let mut version =
        BTreeMap::from([("attestry".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    if development {
        // The VSA has no field for it, and whoever reads a verdict must be able to see it.
        version.insert("signing-key".to_owned(), "development".to_owned());
    }
    let build = &evidence.build;
    let project = subject::token(build.project.as_str());
    VerificationSummary {
        verifier: Verifier { id: "urn:attestry:policy-gate".to_owned(), version },
        time_verified: now,
        resource_uri: format!("urn:attestry:project:{project}:{}", build.kind.as_str()),
        policy: Policy { uri: "urn:attestry:policy".to_owned(), digest: settings.policy.digest() },
        input_attestations: evidence
            .bundles
            .iter()
            .map(|digest| InputAttestation { uri: None, digest: *digest })
            .collect(),
        verification_result: match passed {
            true => VerificationResult::Passed,
            false => VerificationResult::Failed,
        },
        // Provenance that exists and was checked is level 1; what the platform isolates, nobody told.
        verified_levels: vec![if passed { "SLSA_BUILD_LEVEL_1" } else { "FAILED" }.to_owned()],
        dependency_levels: BTreeMap::new(),
        slsa_version: Some("1.1".to_owned()),
    }
}

fn subjects(evidence: &Evidence) -> Vec<Subject> {
    let subject = |artifact: &events::Artifact| Subject {
        name: Some(artifact.name.to_string()),
        uri: None,
        digest: artifact.digest,
    };
    evidence.build.artifacts.iter().map(subject).collect()
}
