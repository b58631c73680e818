//! `attestry verdict`: may this artifact be promoted? And may what was promoted stay?

mod again;
mod promoted;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use bus::Bus;
use events::{Digest, Envelope, Environment, EvidenceSigned, Producer, Scope};
use policy_gate::queries::Judged;

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
    after_help = "Examples:\n  attestry verdict sha256:$(sha256sum dist/app.whl | cut -d' ' -f1) --wait=1m --for production\n  attestry verdict sha256:… --again --environment production --wait     # judge it again, as of now\n  attestry verdict --promoted                                           # exit 1 if one would fail now"
)]
pub(crate) struct Args {
    /// Digest of the artifact, sha256:HEX
    #[arg(value_name = "DIGEST", required_unless_present = "promoted")]
    digest: Option<Digest>,
    /// Instead, what each project promoted last, and what was said of it last
    #[arg(long, conflicts_with_all = ["digest", "wanted", "key", "wait", "environment"])]
    promoted: bool,
    /// Only this project [default: every project must have passed it]
    #[arg(long, env = "ATTESTRY_PROJECT", value_name = "NAME")]
    project: Option<Scope>,
    /// Only a verdict for this environment counts: pr, staging or production
    #[arg(id = "wanted", long = "for", value_name = "ENVIRONMENT", value_parser = environment, conflicts_with = "again")]
    wanted: Option<Environment>,
    /// Have it judged again, by the policy, advisories, waivers and VEX of now
    #[arg(long)]
    again: bool,
    /// What it is judged for now [default: as before]
    #[arg(long, value_name = "ENVIRONMENT", requires = "again", value_parser = environment)]
    environment: Option<Environment>,
    /// Wait for the verdict, at most this long; give it as --wait=5m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "10m", value_parser = client::patience)]
    wait: Option<Duration>,
    /// Public key, PEM: the verdict must be signed with it
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[command(flatten)]
    client: ClientArgs,
}

/// The environment of that name.
///
/// # Errors
/// There is none.
pub(crate) fn environment(text: &str) -> Result<Environment, String> {
    let mut all = Environment::ALL.into_iter();
    let found = all.find(|it| it.as_str() == text);
    found.ok_or_else(|| "is neither pr, staging nor production".to_owned())
}

pub(crate) async fn run(args: Args, format: Format) -> Result<(), Failure> {
    let bus = args.client.connect().await?;
    let project = args.project.as_ref();
    let Some(digest) = args.digest else {
        return match args.again {
            true => again::all(&bus, project, format).await,
            false => promoted::list(&bus, project, format).await,
        };
    };
    let reported = Reported { format: format.into(), out: None, key: args.key.as_deref() };
    if args.again {
        let asked = again::Asked { project, environment: args.environment, wait: args.wait };
        return again::one(&bus, digest, &asked, &reported, format).await;
    }
    let deadline = tokio::time::Instant::now() + args.wait.unwrap_or_default();
    let verdicts = loop {
        let verdicts = latest_for(&bus, digest, project, args.wanted).await?;
        if !verdicts.is_empty() {
            break verdicts;
        }
        if tokio::time::Instant::now() >= deadline {
            let wanted = args.wanted.map_or(String::new(), |it| format!(" for {}", it.as_str()));
            let remedy = "submit its build, or wait for it with --wait";
            return Err(Failure::Unknown(format!("no verdict on {digest}{wanted}; {remedy}")));
        }
        tokio::time::sleep(ASK_EVERY).await;
    };
    let mut answer = Ok(());
    for signed in &verdicts {
        let told = tell(&bus, signed, &[digest], &reported).await;
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
    latest_for(bus, artifact, project, None).await
}

/// As [`latest`], of verdicts for this environment alone.
async fn latest_for(
    bus: &Bus,
    artifact: Digest,
    project: Option<&Scope>,
    wanted: Option<Environment>,
) -> Result<Vec<Envelope<EvidenceSigned>>, Failure> {
    let mut by_project: BTreeMap<Scope, Vec<Judged>> = BTreeMap::new();
    for judged in client::judged(bus, artifact).await? {
        if project.is_none_or(|name| *name == judged.scope) {
            by_project.entry(judged.scope.clone()).or_default().push(judged);
        }
    }
    let mut verdicts = Vec::new();
    for (scope, judged) in by_project {
        for judged in judged.into_iter().rev() {
            let gate = Some(Producer::PolicyGate);
            let found = bus.find::<EvidenceSigned>(&scope, gate, judged.correlation).await?;
            let environment =
                |it: &EvidenceSigned| it.verdict.as_ref().and_then(|it| it.environment);
            match (found, wanted) {
                // Not signed yet, or for something else: an older one says so.
                (None, Some(_)) => {}
                (Some(it), Some(_)) if environment(&it.data) != wanted => {}
                (found, _) => {
                    verdicts.extend(found);
                    break;
                }
            }
        }
    }
    Ok(verdicts)
}
