//! Judges builds: the generator's `evidence.signed` → `evidence.ready` with a verdict.

pub mod again;
mod decision;
mod difference;
mod evidence;
mod index;
mod input;
mod judgement;
mod known;
mod modes;
pub mod offline;
mod places;
pub mod promoted;
mod quality;
pub mod queries;
mod settings;
mod signed_policy;
pub mod standing;
mod study;
mod trust;
mod vulnerabilities;
pub mod waivers;

use std::sync::Arc;

use advisories::Index;
use archive::Archive;
use events::{Envelope, EvidenceReady, EvidenceSigned, Producer};
use jiff::{SignedDuration, Timestamp};
use policy::{Evaluator, Mode};
use uuid::Uuid;
use worker::{Budget, Context, HandleError, Handler, WorkerArgs, metrics, off_thread};

use crate::{
    evidence::{Case, Evidence},
    judgement::Judgement,
    known::Wanted,
    modes::Modes,
    queries::Judged,
    settings::Waivers,
    waivers::Approved,
};
pub use crate::{
    settings::{GateArgs, Settings, SettingsError},
    trust::TrustError,
};

/// A policy that is archived for longer than this need not be stored again with each verdict.
const POLICY_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Settings of the policy gate.
#[derive(clap::Parser, Debug)]
#[command(
    name = "attestry-policy-gate",
    version,
    about = "Judges every build's evidence by policy and answers CI with a verdict",
    after_help = "Examples:\n  attestry-policy-gate --nats-url nats://127.0.0.1:4222 --archive /var/lib/attestry/archive --policy policy --trusted-key signer.pub --advisories /var/lib/attestry/advisories\n  attestry-policy-gate --policy bundle.tar.gz --policy-trust policy-signers.toml --trust trust.toml"
)]
pub struct Args {
    /// What decides.
    #[command(flatten)]
    pub gate: GateArgs,
    /// Settings shared by every worker.
    #[command(flatten)]
    pub worker: WorkerArgs,
}

/// Verifies the evidence of a build, judges it, and says why. Whatever cannot be judged fails. Cheap to clone.
#[derive(Clone)]
pub struct PolicyGate {
    archive: Archive,
    settings: Arc<Settings>,
    budget: Arc<Budget>,
}

/// The event that a judgement answers: its claim has the event's name.
struct Trigger<'a> {
    event: Uuid,
    time: Timestamp,
    case: Case<'a>,
    /// The build's story, if it was judged before.
    supersedes: Option<Uuid>,
}

impl PolicyGate {
    /// A gate that decides by `settings`.
    pub fn new(archive: Archive, settings: Settings) -> Self {
        // Judging takes some twenty times the bytes of an SBOM.
        let budget = Arc::new(Budget::new(policy::MAX_INPUT_BYTES as u64));
        Self { archive, settings: Arc::new(settings), budget }
    }

    /// The judgement of this event that was claimed first: judging again could say something else,
    /// because time has passed and the policy may have changed. Everything else follows from it.
    async fn judgement(
        &self,
        trigger: &Trigger<'_>,
        context: &Context,
    ) -> Result<Judgement, HandleError> {
        let name = format!("verdicts/{}", trigger.event);
        if let Some(first) = self.archive.held(&name).await? {
            return read_claim(&first);
        }
        let documents = trigger.case.evidence.documents.iter();
        let bytes = documents.fold(0_u64, |sum, it| sum.saturating_add(it.size));
        let _share = self.budget.take(bytes).await?;
        let settings = self.settings.clone();
        let policy = off_thread(move || Ok(settings.policy.get())).await?;
        metrics::policy_refused(self.settings.policy.is_refused());
        let trust = self.settings.trust.at(context.now);
        let wanted = Wanted::by(policy.data());
        let evidence = Evidence::load(&self.archive, &trigger.case, &trust, &wanted).await?;
        let (settings, now, supersedes) = (self.settings.clone(), context.now, trigger.supersedes);
        let judge = move || {
            let index = settings.index()?;
            let waivers = settings.waivers(now)?;
            let shadow = settings.shadow.as_ref().map(policy::CurrentPolicy::get);
            let by = judgement::By {
                settings: &settings,
                policy: &policy,
                waivers: &waivers,
                shadow: shadow.as_deref(),
                mode: settings.mode(&evidence),
                supersedes,
            };
            let judgement = Judgement::of(&evidence, index.as_ref(), &by, now)?;
            Ok((judgement, policy))
        };
        let (judgement, policy) = off_thread(judge).await?;
        self.keep_policy(&policy, trigger.time, context.now).await?;
        let claim = serde_json::to_vec(&judgement).map_err(HandleError::transient)?;
        let first = read_claim(&self.archive.claim(&name, claim.into()).await?)?;
        let project = trigger.case.evidence.project.as_str();
        metrics::verdict(project, first.result());
        if first.is_overridden {
            metrics::overridden(project);
            tracing::error!(project, event = %trigger.event, "A verdict was overridden");
        }
        Ok(first)
    }

    /// The policy that judged must outlast this process, which may come back with another one.
    async fn keep_policy(
        &self,
        policy: &Evaluator,
        event_time: Timestamp,
        now: Timestamp,
    ) -> Result<(), HandleError> {
        let soon = now.saturating_add(POLICY_KEPT).unwrap_or(Timestamp::MAX);
        if !self.archive.keeps(policy.digest(), soon).await? {
            self.archive.put(&[judgement::policy_entry(policy, event_time)], now).await?;
        }
        Ok(())
    }

    /// What a verdict consists of, in the archive, and its build under the artifacts' digests.
    async fn keep(
        &self,
        judgement: &Judgement,
        judged: &Judged,
        event_time: Timestamp,
        now: Timestamp,
    ) -> Result<(), HandleError> {
        let entries = judgement.entries(event_time);
        let stored = async { Ok::<_, HandleError>(self.archive.put(&entries, now).await?) };
        let used =
            standing::Used { time: now, project: judged.scope.clone(), story: judged.correlation };
        futures::try_join!(
            stored,
            queries::index(&self.archive, judged),
            standing::used(&self.archive, &judgement.waivers, &used),
        )?;
        Ok(())
    }
}

impl Handler for PolicyGate {
    const NAME: &'static str = "policy-gate";
    const INPUT_FROM: &'static [Producer] = &[Producer::Generator];
    type Input = EvidenceSigned;
    type Output = EvidenceReady;

    async fn handle(
        &self,
        event: &Envelope<EvidenceSigned>,
        context: &Context,
    ) -> Result<Vec<EvidenceReady>, HandleError> {
        let case = Case { story: event.correlation, evidence: &event.data, environment: None };
        let trigger = Trigger { event: event.id, time: event.time, case, supersedes: None };
        let judgement = self.judgement(&trigger, context).await?;
        let judged = Judged {
            scope: event.scope.clone(),
            correlation: event.correlation,
            time: event.time,
            build: None,
            artifacts: judgement.artifacts.clone(),
            evidence: Some(event.data.clone()),
        };
        self.keep(&judgement, &judged, event.time, context.now).await?;
        if let Some(promoted) = judgement.promoted(event.correlation, event.time, &event.data) {
            promoted.note(&self.archive).await?;
        }
        Ok(vec![judgement.into_event(&event.data)])
    }
}

impl Settings {
    /// How much a denial counts. A file that was spoilt since the start makes nothing pass.
    fn mode(&self, evidence: &Evidence) -> Mode {
        let Some(path) = &self.modes else { return Mode::Enforce };
        match Modes::read(path) {
            Ok(modes) => modes.of(&evidence.build.project, evidence.environment),
            Err(problem) => {
                tracing::error!(%problem, "The modes cannot be read; every denial is enforced");
                Mode::Enforce
            }
        }
    }

    /// The waivers that count at `now`. A directory that cannot be read waives nothing, and builds wait for it: what was
    /// waived must not fail for want of a disk.
    fn waivers(&self, now: Timestamp) -> Result<Vec<Approved>, HandleError> {
        let Some(Waivers { directory, approvers }) = &self.waivers else { return Ok(vec![]) };
        let active = waivers::active(directory, &approvers.at(now), &self.trust.at(now), now);
        active.map_err(|error| HandleError::Outage {
            dependency: "waivers",
            detail: error.to_string(),
        })
    }

    /// The advisory index of now; none if the operator gave none, or none was made yet. One that
    /// cannot be read or is gone must not let a build pass unseen, and so every build waits.
    fn index(&self) -> Result<Option<Index>, HandleError> {
        let Some(advisories) = &self.advisories else { return Ok(None) };
        advisories.get().map_err(|error| HandleError::Outage {
            dependency: "advisories",
            detail: error.to_string(),
        })
    }
}

fn read_claim(stored: &[u8]) -> Result<Judgement, HandleError> {
    serde_json::from_slice(stored).map_err(|error| {
        HandleError::transient(format!("the archive's claim on a judgement is damaged: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use crate::trust::CurrentTrust;
    use advisories::CurrentIndex;
    use attestation::Trust;
    use policy::{CurrentPolicy, Limits};

    use super::*;
    use crate::{input::Config, vulnerabilities::tests::index};

    #[test]
    fn builds_wait_for_an_index_that_vanished() {
        let directory = tempfile::tempdir().expect("temporary");
        let settings = Settings {
            policy: CurrentPolicy::load(None, Limits::default()).expect("loads"),
            trust: CurrentTrust::Fixed(Trust::new()),
            config: Config::default(),
            advisories: Some(CurrentIndex::new(directory.path())),
            waivers: None,
            modes: None,
            shadow: None,
            judge_again: None,
        };
        assert!(settings.index().expect("none yet").is_none());
        index(&[("CVE-2026-1", "HIGH", None)]).save(directory.path()).expect("saves");
        assert!(settings.index().expect("reads").is_some());
        std::fs::remove_file(directory.path().join("current")).expect("removes");
        let gone = settings.index().expect_err("an outage");
        assert!(matches!(gone, HandleError::Outage { dependency: "advisories", .. }), "{gone:?}");
    }
}
