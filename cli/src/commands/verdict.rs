//! `attestry verdict`: may this artifact be promoted?

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use bus::Bus;
use events::{Digest, Envelope, EvidenceSigned, Producer, Scope};

use super::build::outcome::{Reported, tell};
use crate::{
    client::{self, ClientArgs},
    failure::Failure,
    output::Format,
};

/// How often an artifact that nobody knows yet is asked for.
const ASK_EVERY: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  attestry verdict sha256:$(sha256sum dist/app.whl | cut -d' ' -f1) --wait=1m"
)]
pub(crate) struct Args {
    /// Digest of the artifact, sha256:HEX
    #[arg(value_name = "DIGEST")]
    digest: Digest,
    /// Only verdicts on this project's builds [default: every project must have passed it]
    #[arg(long, env = "ATTESTRY_PROJECT", value_name = "NAME")]
    project: Option<Scope>,
    /// Wait for the verdict, at most this long; give it as --wait=5m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "10m", value_parser = client::patience)]
    wait: Option<Duration>,
    /// Public key, PEM: the verdict must be signed with it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: Args, format: Format) -> Result<(), Failure> {
    let bus = args.client.connect().await?;
    let deadline = tokio::time::Instant::now() + args.wait.unwrap_or_default();
    let verdicts = loop {
        let verdicts = latest(&bus, args.digest, args.project.as_ref()).await?;
        if !verdicts.is_empty() {
            break verdicts;
        }
        if tokio::time::Instant::now() >= deadline {
            let remedy = "submit its build, or wait for it with --wait";
            return Err(Failure::Unknown(format!("no verdict on {}; {remedy}", args.digest)));
        }
        tokio::time::sleep(ASK_EVERY).await;
    };
    let reported = Reported { format: format.into(), out: None, key: args.key.as_deref() };
    let mut answer = Ok(());
    for signed in &verdicts {
        let told = tell(&bus, signed, &[args.digest], &reported).await;
        // One project that says no is enough; what cannot be found out weighs more than a yes.
        answer = answer.and(told);
    }
    answer
}

/// The signed verdict on each project's newest build with this artifact.
pub(super) async fn latest(
    bus: &Bus,
    artifact: Digest,
    project: Option<&Scope>,
) -> Result<Vec<Envelope<EvidenceSigned>>, Failure> {
    let judged = client::judged(bus, artifact).await?.into_iter();
    let wanted = judged.filter(|it| project.is_none_or(|name| *name == it.scope));
    // Oldest first, so the newest stays.
    let newest: BTreeMap<Scope, _> = wanted.map(|it| (it.scope, it.correlation)).collect();
    let mut verdicts = Vec::new();
    for (scope, correlation) in newest {
        let gate = Some(Producer::PolicyGate);
        verdicts.extend(bus.find::<EvidenceSigned>(&scope, gate, correlation).await?);
    }
    Ok(verdicts)
}
