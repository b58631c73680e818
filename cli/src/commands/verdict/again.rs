//! Asking for another verdict.

use std::{collections::BTreeMap, time::Duration};

use bus::{Bus, Published};
use events::{
    Artifact, Digest, Envelope, Environment, EvidenceSigned, Label, Listing, Priority, Producer,
    RequestReason, Scope, VerdictRequested,
};
use jiff::Timestamp;
use policy_gate::queries::Judged;
use serde::Serialize;
use uuid::Uuid;

use super::promoted;
use crate::{
    client,
    commands::build::outcome::{Reported, quarantined, tell},
    failure::Failure,
    output::{self, Format},
};

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) project: Option<&'a Scope>,
    pub(super) environment: Option<Environment>,
    pub(super) wait: Option<Duration>,
}

#[derive(Serialize)]
struct Requested<'a> {
    project: &'a str,
    build: Uuid,
    /// The story that the request began.
    request: Uuid,
}

/// Has an artifact's newest build of each project judged again.
pub(super) async fn one(
    bus: &Bus,
    artifact: Digest,
    asked: &Asked<'_>,
    reported: &Reported<'_>,
    format: Format,
) -> Result<(), Failure> {
    let judged = client::judged(bus, artifact).await?.into_iter();
    let wanted = judged.filter(|it| asked.project.is_none_or(|name| *name == it.scope));
    // Oldest first, so the newest stays.
    let newest: BTreeMap<Scope, Judged> = wanted.map(|it| (it.scope.clone(), it)).collect();
    if newest.is_empty() {
        return Err(Failure::Unknown(format!("no verdict on {artifact}; submit its build")));
    }
    let mut answer = Ok(());
    for judged in newest.into_values() {
        let build = judged.build.unwrap_or(judged.correlation);
        let reason = match asked.environment {
            Some(_) => RequestReason::Promotion,
            None => RequestReason::Operator,
        };
        let environment = match asked.environment {
            Some(asked) => Some(asked),
            None => environment_of(bus, &judged).await?,
        };
        let matter = (judged.scope, build, judged.artifacts);
        let event = request(matter, reason, environment)?;
        publish(bus, &event, format).await?;
        let Some(patience) = asked.wait else { continue };
        let producer = Some(Producer::PolicyGate);
        let waiting = bus.wait_for::<EvidenceSigned>(&event.scope, producer, event.correlation);
        let told = match tokio::time::timeout(patience, waiting).await {
            Err(_) => Err(Failure::unknown("no verdict yet; ask again with `attestry verdict`")),
            Ok(waited) => match waited? {
                Ok(signed) => tell(bus, &signed, &[artifact], reported).await,
                Err(entry) => Err(quarantined(&entry)),
            },
        };
        answer = answer.and(told);
    }
    answer
}

/// Has everything judged again that is promoted.
pub(super) async fn all(bus: &Bus, project: Option<&Scope>, format: Format) -> Result<(), Failure> {
    for it in promoted::ask(bus, project).await? {
        let matter = (it.project, it.build, it.artifacts);
        let environment = Some(Environment::Production);
        let event = request(matter, RequestReason::Operator, environment)?;
        publish(bus, &event, format).await?;
    }
    Ok(())
}

/// What a verdict was made for.
async fn environment_of(bus: &Bus, judged: &Judged) -> Result<Option<Environment>, Failure> {
    let gate = Some(Producer::PolicyGate);
    let verdict = bus.find::<EvidenceSigned>(&judged.scope, gate, judged.correlation).await?;
    Ok(verdict.and_then(|it| it.data.verdict).and_then(|it| it.environment))
}

fn request(
    (project, build, artifacts): (Scope, Uuid, Vec<Artifact>),
    reason: RequestReason,
    environment: Option<Environment>,
) -> Result<Envelope<VerdictRequested>, Failure> {
    #[allow(clippy::disallowed_methods, reason = "somebody asks now")]
    let now = Timestamp::now();
    let artifacts = Listing::try_from(artifacts).map_err(|_| {
        let why = "the build was judged by a release that did not keep what to judge again; submit it under another run";
        Failure::unknown(why)
    })?;
    let key = Label::of(&now.to_string());
    let request =
        VerdictRequested { project: project.clone(), build, artifacts, reason, key, environment };
    Ok(Envelope::root(Label::of("/attestry/cli"), now, Priority::Pr, project, request))
}

async fn publish(
    bus: &Bus,
    event: &Envelope<VerdictRequested>,
    format: Format,
) -> Result<(), Failure> {
    let published = bus.publish(event, None).await?;
    let (project, build) = (event.scope.as_str(), event.data.build);
    let said = match published {
        Published::Stored => format!("Asked for another verdict on {project}, build {build}"),
        Published::AlreadyThere => format!("Asked before, on {project}, build {build}"),
    };
    output::result(format, &said, &Requested { project, build, request: event.id })
}
