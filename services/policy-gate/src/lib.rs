//! Judges builds: the generator's `evidence.signed` → `evidence.ready` with a verdict.

mod decision;
mod evidence;
mod index;
mod input;
mod judgement;
pub mod offline;
mod places;
pub mod queries;
mod settings;
mod trust;
mod vulnerabilities;
pub mod waivers;

use std::sync::Arc;

use advisories::Index;
use archive::Archive;
use events::{Envelope, EvidenceReady, EvidenceSigned, Producer};
use jiff::{SignedDuration, Timestamp};
use policy::Evaluator;
use worker::{Budget, Context, HandleError, Handler, WorkerArgs, metrics, off_thread};

use crate::{evidence::Evidence, judgement::Judgement, settings::Waivers, waivers::Approved};
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
    after_help = "Example:\n  attestry-policy-gate --nats-url nats://127.0.0.1:4222 --archive /var/lib/attestry/archive --policy policy --trusted-key signer.pub --advisories /var/lib/attestry/advisories"
)]
pub struct Args {
    /// What decides.
    #[command(flatten)]
    pub gate: GateArgs,
    /// Settings shared by every worker.
    #[command(flatten)]
    pub worker: WorkerArgs,
}

/// Verifies the evidence of a build, judges it, and says why. Whatever cannot be judged fails.
pub struct PolicyGate {
    archive: Archive,
    settings: Arc<Settings>,
    budget: Budget,
}

impl PolicyGate {
    /// A gate that decides by `settings`.
    pub fn new(archive: Archive, settings: Settings) -> Self {
        // Judging takes some twenty times the bytes of an SBOM.
        let budget = Budget::new(policy::MAX_INPUT_BYTES as u64);
        Self { archive, settings: Arc::new(settings), budget }
    }

    /// The judgement of this event that was claimed first: judging again could say something else,
    /// because time has passed and the policy may have changed. Everything else follows from it.
    async fn judgement(
        &self,
        event: &Envelope<EvidenceSigned>,
        context: &Context,
    ) -> Result<Judgement, HandleError> {
        let name = format!("verdicts/{}", event.id);
        if let Some(first) = self.archive.held(&name).await? {
            return read_claim(&first);
        }
        let bytes = event.data.documents.iter().fold(0_u64, |sum, it| sum.saturating_add(it.size));
        let _share = self.budget.take(bytes).await?;
        let trust = self.settings.trust.at(context.now);
        let evidence = Evidence::load(&self.archive, &event.data, &trust).await?;
        let (settings, now) = (self.settings.clone(), context.now);
        let judge = move || {
            let (index, policy) = (settings.index()?, settings.policy.get());
            metrics::policy_refused(settings.policy.is_refused());
            let waivers = settings.waivers(now)?;
            let by = judgement::By { settings: &settings, policy: &policy, waivers: &waivers };
            let judgement = Judgement::of(&evidence, index.as_ref(), &by, now)?;
            Ok((judgement, policy))
        };
        let (judgement, policy) = off_thread(judge).await?;
        self.keep_policy(&policy, event.time, context.now).await?;
        let claim = serde_json::to_vec(&judgement).map_err(HandleError::transient)?;
        let first = self.archive.claim(&name, claim.into()).await?;
        metrics::verdict(event.data.project.as_str(), judgement.result());
        read_claim(&first)
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
        let judgement = self.judgement(event, context).await?;
        let entries = judgement.entries(event.time);
        let stored = async { Ok(self.archive.put(&entries, context.now).await?) };
        let indexed = queries::index(&self.archive, event, judgement.artifacts());
        futures::try_join!(stored, indexed)?;
        Ok(vec![judgement.into_event(&event.data)])
    }
}

impl Settings {
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
        };
        assert!(settings.index().expect("none yet").is_none());
        index(&[("CVE-2026-1", "HIGH", None)]).save(directory.path()).expect("saves");
        assert!(settings.index().expect("reads").is_some());
        std::fs::remove_file(directory.path().join("current")).expect("removes");
        let gone = settings.index().expect_err("an outage");
        assert!(matches!(gone, HandleError::Outage { dependency: "advisories", .. }), "{gone:?}");
    }
}
