//! The verdict on one build: what policy says, and the statement that will be signed.

use std::collections::{BTreeMap, BTreeSet};

use advisories::Index;
use archive::{Class, Entry};
use attestation::{
    Predicate, Statement, Subject, VerificationSummary,
    predicate::verification_summary::{InputAttestation, Policy, VerificationResult, Verifier},
};
use bytes::Bytes;
use events::{
    Artifact, Digest, Document, Environment, EvidenceReady, EvidenceSigned, Label, Producer, Role,
    StatementRef, Uri, Verdict, VerdictResult, subject,
};
use jiff::Timestamp;
use policy::{AdvisoryIndex, Evaluator, Mode, Report};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;
use worker::{HandleError, metrics};

use crate::{
    Settings,
    decision::{Judged, input},
    evidence::Evidence,
    modes, places,
    promoted::{Latest, Promoted, World, all_of},
    waivers,
};

/// A verdict with everything it consists of; what is claimed for a build, and what all the rest
/// follows from.
#[derive(Serialize, Deserialize)]
pub(crate) struct Judgement {
    pub(crate) verdict: Verdict,
    /// When it was judged; not told by claims of before.
    #[serde(default)]
    pub(crate) time: Timestamp,
    /// What it depends on beside evidence, policy and time.
    #[serde(default)]
    world: World,
    /// Whether somebody let it pass whatever was found.
    #[serde(default)]
    pub(crate) is_overridden: bool,
    /// Waivers that excepted something.
    #[serde(default)]
    pub(crate) waivers: Vec<Digest>,
    #[serde(deserialize_with = "artifacts")]
    pub(crate) artifacts: Vec<Artifact>,
    /// The build's version, where CI knows it.
    #[serde(default)]
    version: Option<Label>,
    /// The report, as JSON.
    report: String,
    /// The VSA statement, as JSON.
    summary: String,
    /// What was judged, as JSON; none in claims of before it was kept.
    #[serde(default)]
    decision: Option<String>,
    /// Size of the policy files that judged, in bytes.
    policy_size: u64,
}

/// Claims of before have digests alone.
fn artifacts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Artifact>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Made {
        Named(Artifact),
        Digest(Digest),
    }
    let made = Vec::<Made>::deserialize(deserializer)?;
    Ok(made
        .into_iter()
        .filter_map(|it| match it {
            Made::Named(artifact) => Some(artifact),
            Made::Digest(digest) => {
                Some(Artifact { name: digest.hex().parse().ok()?, digest, size: None })
            }
        })
        .collect())
}

/// What is judged by.
pub(crate) struct By<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) policy: &'a Evaluator,
    /// Those that count now.
    pub(crate) waivers: &'a [waivers::Approved],
    /// Asked beside; it decides nothing.
    pub(crate) shadow: Option<&'a Evaluator>,
    pub(crate) mode: Mode,
    /// The build's story, if it was judged before.
    pub(crate) supersedes: Option<Uuid>,
}

impl By<'_> {
    /// What policy says, waivers counted, and what the shadow would say.
    fn ask(&self, build: &waivers::Build<'_>, input: &str) -> Result<Report, HandleError> {
        let ask = |policy: &Evaluator| {
            let mut report = policy.build(input).map_err(|error| HandleError::Outage {
                dependency: "processes",
                detail: error.to_string(),
            })?;
            waivers::except(&mut report, self.waivers, build);
            Ok::<_, HandleError>(report)
        };
        let mut report = ask(self.policy)?;
        if let Some(shadow) = self.shadow {
            let shadow = ask(shadow)?;
            metrics::shadow_verdict(shadow.result == report.result);
            report.compare(shadow);
        }
        Ok(report)
    }
}

impl Judgement {
    /// Judges `evidence` as of `now`, by what `index` knows about its components.
    pub(crate) fn of(
        evidence: &Evidence,
        index: Option<&Index>,
        by: &By<'_>,
        now: Timestamp,
    ) -> Result<Self, HandleError> {
        let build = waivers::Build {
            project: evidence.build.project.as_str(),
            artifacts: evidence.build.artifacts.iter().map(|it| it.digest).collect(),
        };
        let (mut report, decision, advice) = match input(evidence, index, by.settings.config, now) {
            Ok(Judged { input, decision, advice }) => {
                (by.ask(&build, &input)?, Some(decision), advice)
            }
            Err(reason) => (Report::unjudged(by.policy.digest(), reason), None, None),
        };
        report.advisories = index.map(named);
        report.supersedes = by.supersedes;
        if let Some((_, sbom)) = &evidence.sbom {
            places::complete(&mut report, sbom);
        }
        modes::apply(&mut report, by.mode);
        waivers::overrule(&mut report, by.waivers, &build);
        let policy = by.policy;
        let summary = summary(evidence, &report, now);
        let summary = Statement::new(&subjects(evidence), &summary)
            .map_err(|error| HandleError::permanent("statement-unfit", error))?;
        let summary = String::from_utf8_lossy(summary.as_bytes()).into_owned();
        let text = serde_json::to_string_pretty(&report).map_err(HandleError::transient)?;
        Ok(Self {
            verdict: Verdict {
                result: report.result,
                policy: report.policy_digest,
                report: Digest::of(text.as_bytes()),
                environment: Some(evidence.environment),
                supersedes: by.supersedes,
            },
            time: now,
            world: World {
                advisories: advice.or(index.map(Index::digest)),
                waivers: all_of(by.waivers.iter().map(|it| it.id)),
                vex: evidence.known.vex_on_record,
            },
            is_overridden: report.overridden.is_some(),
            waivers: {
                let used: BTreeSet<_> =
                    report.waived.iter().map(|it| it.grant.waiver.hex()).collect();
                by.waivers.iter().map(|it| it.id).filter(|it| used.contains(&it.hex())).collect()
            },
            artifacts: evidence.build.artifacts.to_vec(),
            version: evidence.build.version.clone(),
            report: text,
            summary,
            decision,
            policy_size: policy.canonical().len() as u64,
        })
    }

    /// What is put on record of a build that passed for production.
    pub(crate) fn promoted(
        &self,
        story: Uuid,
        time: Timestamp,
        evidence: &EvidenceSigned,
    ) -> Option<Promoted> {
        let passed = self.verdict.result == VerdictResult::Passed;
        let production = self.verdict.environment == Some(Environment::Production);
        (passed && production).then(|| Promoted {
            project: evidence.project.clone(),
            build: story,
            time,
            version: self.version.clone(),
            artifacts: self.artifacts.clone(),
            sbom: evidence.documents.iter().find(|it| it.role == Role::Sbom).map(|it| it.digest),
            latest: self.latest(story),
            before: None,
        })
    }

    /// The verdict, as it is on record of what is promoted.
    pub(crate) fn latest(&self, story: Uuid) -> Latest {
        let Verdict { result, policy, .. } = self.verdict;
        Latest { result, story, time: self.time, policy, world: self.world }
    }

    /// As metrics name it.
    pub(crate) fn result(&self) -> &'static str {
        match self.verdict.result {
            VerdictResult::Passed => "passed",
            VerdictResult::Failed => "failed",
        }
    }

    /// What has to be in the archive before the event may be published, beside the policy.
    pub(crate) fn entries(&self, event_time: Timestamp) -> Vec<Entry> {
        let entry = |class, media_type: &str, text: &str| Entry {
            class,
            media_type: media_type.to_owned(),
            event_time,
            bytes: Bytes::copy_from_slice(text.as_bytes()),
        };
        let decision = self.decision.iter().map(|it| entry(Class::Report, DECISION_JSON, it));
        let made = [
            entry(Class::Report, REPORT_JSON, &self.report),
            entry(Class::Statement, "application/vnd.in-toto+json", &self.summary),
        ];
        made.into_iter().chain(decision).collect()
    }

    /// The event with the verdict on `judged`. It names the SBOM again, for whoever maps what was promoted.
    pub(crate) fn into_event(self, judged: &EvidenceSigned) -> EvidenceReady {
        let document = |role, name: &str, media_type, digest, size| {
            let (name, media_type) = (name.parse().ok()?, Label::of(media_type));
            Some(Document { role, name, digest, size, media_type })
        };
        let (report, policy) = (self.verdict.report, self.verdict.policy);
        let size = self.report.len() as u64;
        let documents = [
            document(Role::Report, "verdict/report.json", REPORT_JSON, report, size),
            document(Role::Policy, "verdict/policy.bundle", POLICY_FILES, policy, self.policy_size),
            self.decision.as_ref().and_then(|text| {
                let (digest, size) = (Digest::of(text.as_bytes()), text.len() as u64);
                document(Role::Decision, "verdict/decision.json", DECISION_JSON, digest, size)
            }),
        ];
        let sboms = judged.documents.iter().filter(|it| it.role == Role::Sbom);
        let statement =
            "bundles/verdict.sigstore.json".parse().ok().map(|bundle_name| StatementRef {
                digest: Digest::of(self.summary.as_bytes()),
                predicate_type: Uri::of(VerificationSummary::TYPE),
                bundle_name,
            });
        EvidenceReady {
            producer: Producer::PolicyGate,
            project: judged.project.clone(),
            documents: documents.into_iter().flatten().chain(sboms.cloned()).collect(),
            statements: statement.into_iter().collect(),
            verdict: Some(self.verdict),
            decision: None,
        }
    }
}

/// The policy files that judge, for whoever repeats the judgement.
pub(crate) fn policy_entry(policy: &Evaluator, event_time: Timestamp) -> Entry {
    Entry {
        class: Class::Policy,
        media_type: POLICY_FILES.to_owned(),
        event_time,
        bytes: Bytes::copy_from_slice(policy.canonical()),
    }
}

const REPORT_JSON: &str = "application/vnd.attestry.policy-report.v1+json";
const DECISION_JSON: &str = "application/vnd.attestry.policy-decision.v1+json";
const POLICY_FILES: &str = "application/vnd.attestry.policy-files.v1";

pub(crate) fn named(index: &Index) -> AdvisoryIndex {
    let (kev, epss) = index.exploitation();
    AdvisoryIndex {
        digest: index.digest(),
        records: index.len() as u64,
        kev: kev as u64,
        epss: epss as u64,
    }
}

/// SLSA VSA v1: what was judged, by which policy, on which evidence, with which result.
fn summary(evidence: &Evidence, report: &Report, now: Timestamp) -> VerificationSummary {
    let passed = report.result == VerdictResult::Passed;
    let development = evidence
        .signatures
        .iter()
        .any(|it| it.checked.as_ref().is_ok_and(|(signer, _)| signer.development));
    let mut version =
        BTreeMap::from([("attestry".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]);
    if development {
        // The VSA has no field for it, and whoever reads a verdict must be able to see it.
        version.insert("signing-key".to_owned(), "development".to_owned());
    }
    if let Some(advisories) = &report.advisories {
        // As with any scanner, the same verifier says more with a later one.
        version.insert("advisories".to_owned(), advisories.digest.to_string());
    }
    if report.mode != Mode::Enforce {
        version.insert("mode".to_owned(), report.mode.as_str().to_owned());
    }
    if let Some(overridden) = &report.overridden {
        version.insert("override".to_owned(), overridden.waiver.to_string());
    }
    let project = subject::token(evidence.build.project.as_str());
    VerificationSummary {
        verifier: Verifier { id: "urn:attestry:policy-gate".to_owned(), version },
        time_verified: now,
        resource_uri: format!("urn:attestry:project:{project}:{}", evidence.environment.as_str()),
        policy: Policy { uri: "urn:attestry:policy".to_owned(), digest: report.policy_digest },
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
    let subject = |artifact: &Artifact| Subject {
        name: Some(artifact.name.to_string()),
        uri: None,
        digest: artifact.digest,
    };
    evidence.build.artifacts.iter().map(subject).collect()
}

#[cfg(test)]
mod tests;
