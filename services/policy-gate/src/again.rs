//! Judging again: `verdict.requested` → a verdict that supersedes the one before; and who asks for it by itself, because
//! the world has changed.

use std::{collections::HashMap, time::Duration};

use advisories::Index;
use bus::Bus;
use events::{
    Digest, Envelope, Environment, EvidenceReady, Label, Listing, Priority, RequestReason,
    VerdictRequested, VerdictResult,
};
use jiff::Timestamp;
use policy::CurrentPolicy;
use tracing::{info, warn};
use worker::{Context, HandleError, Handler, metrics, off_thread};

use crate::{
    PolicyGate, Trigger,
    evidence::Case,
    known::of_operators,
    promoted::{Latest, Promoted, World, all_of},
    queries::{Judged, noted},
    vulnerabilities::Vulnerabilities,
};

/// How often it is looked whether the world has changed.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Largest SBOM that is read for it.
const SBOM_BYTES_MAX: u64 = 64 << 20;

/// The gate, as it is asked for another verdict.
pub struct JudgedAgain(pub PolicyGate);

impl Handler for JudgedAgain {
    const NAME: &'static str = PolicyGate::NAME;
    type Input = VerdictRequested;
    type Output = EvidenceReady;

    async fn handle(
        &self,
        event: &Envelope<VerdictRequested>,
        context: &Context,
    ) -> Result<Vec<EvidenceReady>, HandleError> {
        let (gate, request) = (&self.0, &event.data);
        let before = self.before(event).await?;
        let Some(evidence) = &before.evidence else {
            let detail = "the build was judged by a release that did not keep what to judge again; submit it again under another run";
            return Err(HandleError::permanent("evidence-unknown", detail));
        };
        let case = Case { story: request.build, evidence, environment: request.environment };
        let supersedes = Some(request.build);
        let trigger = Trigger { event: event.id, time: event.time, case, supersedes };
        let judgement = gate.judgement(&trigger, context).await?;
        let judged = Judged {
            correlation: event.correlation,
            time: event.time,
            build: Some(request.build),
            evidence: None,
            artifacts: judgement.artifacts.clone(),
            ..before.clone()
        };
        gate.keep(&judgement, &judged, event.time, context.now).await?;
        if judgement.verdict.environment == Some(Environment::Production) {
            let latest = judgement.latest(event.correlation);
            let stands =
                Promoted::judged_again(&gate.archive, &before.scope, request.build, latest).await?;
            match judgement.promoted(request.build, before.time, evidence) {
                Some(promoted) if !stands => {
                    Promoted { latest, ..promoted }.note(&gate.archive).await?;
                }
                None if stands => {
                    let (project, build) = (before.scope.as_str(), request.build);
                    warn!(project, %build, "A promoted build would fail now");
                }
                _ => {}
            }
        }
        Ok(vec![judgement.into_event(evidence)])
    }
}

impl JudgedAgain {
    /// What is on record of the build: what the event says of it is no evidence.
    async fn before(&self, event: &Envelope<VerdictRequested>) -> Result<Judged, HandleError> {
        let request = &event.data;
        let Some(artifact) = request.artifacts.first() else {
            return Err(HandleError::permanent("build-unknown", "the request names no artifact"));
        };
        let noted = noted(&self.0.archive, artifact.digest, request.build).await?;
        noted.filter(|it| it.scope == event.scope && it.scope == request.project).ok_or_else(|| {
            let (project, digest) = (&request.project, artifact.digest);
            let detail = format!(
                "no verdict on build {} of {project} with artifact {digest} is on record; submit the build",
                request.build
            );
            HandleError::permanent("build-unknown", detail)
        })
    }
}

/// Counts what is promoted and would fail now, and asks for another verdict where the world has changed since the last.
/// Does not end.
pub async fn watch(bus: &Bus, gate: &PolicyGate) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut advised = Advised::default();
    loop {
        ticks.tick().await;
        // Whoever needs what is away says so; the next look comes soon.
        if let Err(error) = look(bus, gate, &mut advised, worker::now()).await {
            tracing::debug!(?error, "Failed to look whether the world has changed");
        }
    }
}

/// What an index says of SBOMs: asked once, not at every look.
#[derive(Default)]
struct Advised {
    index: Option<Digest>,
    of: HashMap<Digest, Option<Digest>>,
}

impl Advised {
    /// What `index` says of the components of `sbom`; an SBOM that cannot be read is as new as the index.
    async fn of(
        &mut self,
        gate: &PolicyGate,
        index: &Index,
        sbom: Digest,
    ) -> Result<Option<Digest>, HandleError> {
        if self.index != Some(index.digest()) {
            *self = Self { index: Some(index.digest()), of: HashMap::new() };
        }
        if let Some(known) = self.of.get(&sbom) {
            return Ok(*known);
        }
        let bytes = gate.archive.get(sbom, SBOM_BYTES_MAX).await?;
        let asked = index.clone();
        let advice = off_thread(move || Ok(Vulnerabilities::advice(&asked, &bytes).ok().flatten()));
        let advice = advice.await?.or(Some(index.digest()));
        self.of.insert(sbom, advice);
        Ok(advice)
    }
}

async fn look(
    bus: &Bus,
    gate: &PolicyGate,
    advised: &mut Advised,
    now: Timestamp,
) -> Result<(), HandleError> {
    let promoted = Promoted::all(&gate.archive).await?;
    let failing = promoted.iter().filter(|it| it.latest.result == VerdictResult::Failed).count();
    metrics::promoted_failing(failing);
    let Some(rest) = gate.settings.judge_again else { return Ok(()) };
    let due = promoted.into_iter().filter(|it| now.duration_since(it.latest.time) >= rest);
    let due: Vec<Promoted> = due.collect();
    if due.is_empty() {
        return Ok(());
    }
    let settings = gate.settings.clone();
    let world = move || {
        let (policy, index) = (CurrentPolicy::get(&settings.policy).digest(), settings.index()?);
        let waivers = settings.waivers(now)?;
        Ok((policy, index, all_of(waivers.iter().map(|it| it.id))))
    };
    let (policy, index, waivers) = off_thread(world).await?;
    for it in due {
        let advisories = match (&index, it.sbom) {
            (Some(index), Some(sbom)) => advised.of(gate, index, sbom).await?,
            (index, _) => index.as_ref().map(Index::digest),
        };
        let vex = of_operators(&gate.archive, &it.project).await?;
        let vex = all_of(vex.iter().map(|it| it.document));
        let world = World { advisories, waivers, vex };
        if let Some((reason, key)) = changed(&it.latest, policy, &world) {
            request(bus, it, reason, key, now).await?;
        }
    }
    Ok(())
}

/// Why what was said last may not hold any more, and what tells this change from every other.
fn changed(latest: &Latest, policy: Digest, world: &World) -> Option<(RequestReason, Label)> {
    let reason = match (latest.policy == policy, latest.world == *world) {
        (true, true) => return None,
        (false, _) => RequestReason::Policy,
        (true, false) if latest.world.waivers != world.waivers => RequestReason::Waiver,
        (true, false) => RequestReason::Advisory,
    };
    // With the verdict before: what changes back and forth is another change each time.
    let text = format!("{} {policy} {world:?}", latest.story);
    Some((reason, Label::of(&Digest::of(text.as_bytes()).to_string())))
}

async fn request(
    bus: &Bus,
    promoted: Promoted,
    reason: RequestReason,
    key: Label,
    now: Timestamp,
) -> Result<(), HandleError> {
    let Promoted { project, build, artifacts, .. } = promoted;
    let artifacts = Listing::try_from(artifacts).map_err(HandleError::transient)?;
    let environment = Some(Environment::Production);
    let request =
        VerdictRequested { project: project.clone(), build, artifacts, reason, key, environment };
    let source = Label::of("/attestry/policy-gate");
    let event = Envelope::root(source, now, Priority::Background, project, request);
    let published = bus.publish(&event, None).await.map_err(HandleError::transient)?;
    if published == bus::Published::Stored {
        let project = event.scope.as_str();
        info!(project, %build, reason = reason.as_str(), "Asked for another verdict");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_has_changed_is_told_and_each_change_is_another() {
        let of = |text: &str| Some(Digest::of(text.as_bytes()));
        let (policy, other) = (Digest::of(b"p"), Digest::of(b"q"));
        let world = World { advisories: of("a"), waivers: of("w"), vex: of("v") };
        let latest = Latest {
            result: VerdictResult::Passed,
            story: Uuid::from_u128(1),
            time: Timestamp::UNIX_EPOCH,
            policy,
            world,
        };
        let reason = |policy, world| changed(&latest, policy, &world).map(|(reason, _)| reason);

        assert_eq!(reason(policy, world), None);
        assert_eq!(reason(other, world), Some(RequestReason::Policy));
        assert_eq!(reason(policy, World { waivers: None, ..world }), Some(RequestReason::Waiver));
        assert_eq!(reason(policy, World { vex: None, ..world }), Some(RequestReason::Advisory));
        let later = Latest { story: Uuid::from_u128(2), ..latest };
        let key = |latest| changed(latest, other, &world).map(|(_, key)| key);
        assert_eq!(key(&latest), key(&latest));
        assert_ne!(key(&latest), key(&later));
    }
}
