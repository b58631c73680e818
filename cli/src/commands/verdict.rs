//! `attestry verdict`: may this artifact be promoted?

use std::{path::PathBuf, time::Duration};

use bus::Bus;
use events::{Digest, Envelope, EvidenceSigned, Producer};
use jiff::SignedDuration;

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
    /// Digest of the artifact, sha256:<hex>
    #[arg(value_name = "DIGEST")]
    digest: Digest,
    /// Wait for the verdict, at most this long; give it as --wait=5m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "10m")]
    wait: Option<SignedDuration>,
    /// Public key, PEM: the verdict must be signed with it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

pub(crate) async fn run(args: Args, format: Format) -> Result<(), Failure> {
    let bus = args.client.connect().await?;
    let wait = args.wait.map(Duration::try_from).transpose();
    let wait = wait.map_err(|_| Failure::input("--wait must be positive"))?.unwrap_or_default();
    let deadline = tokio::time::Instant::now() + wait;
    let signed = loop {
        match latest(&bus, args.digest).await? {
            Some(signed) => break signed,
            None if tokio::time::Instant::now() >= deadline => {
                let remedy = "submit its build, or wait for it with --wait";
                return Err(Failure::Unknown(format!("no verdict on {}; {remedy}", args.digest)));
            }
            None => tokio::time::sleep(ASK_EVERY).await,
        }
    };
    let reported = Reported { format: format.into(), out: None, key: args.key.as_deref() };
    tell(&bus, &signed, &reported).await
}

/// The signed verdict on the newest build with this artifact.
async fn latest(bus: &Bus, artifact: Digest) -> Result<Option<Envelope<EvidenceSigned>>, Failure> {
    let Some(build) = client::judged(bus, artifact).await?.pop() else { return Ok(None) };
    let gate = Some(Producer::PolicyGate);
    Ok(bus.find::<EvidenceSigned>(&build.scope, gate, build.correlation).await?)
}
