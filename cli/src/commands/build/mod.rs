//! `attestry build`: hands over a build, and waits for what becomes of it.

mod ci;
mod dependency;
mod describe;
pub(super) mod outcome;
mod project;
mod provenance;

pub(super) use self::project::name as project_name;

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use bus::{Bus, Published};
use bytes::Bytes;
use events::{BuildCompleted, BuildKind, CHUNK_BYTES, Digest, Envelope, Label, Uri};

use self::provenance::ProvenanceArgs;
use crate::{
    client::{ClientArgs, patience, paused_text},
    failure::Failure,
    output::{Format, note, progress},
};

/// How long `--wait` without a duration waits.
const DEFAULT_WAIT: &str = "10m";

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Submit a completed build: artifacts are hashed here, lockfiles and SBOMs uploaded
    Submit(Box<Args>),
}

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  attestry build submit --source . --artifact 'dist/*.whl' --kind release --wait --out dist\n  attestry build submit --source . --artifact app.tar --sbom syft.cdx.json --base-image debian:12@sha256:… --wait\n  attestry build submit --event build-finished.json --source . --wait=2m"
)]
pub(crate) struct Args {
    /// Name of the project [default: from pyproject.toml, Cargo.toml or package.json in --source, else its folder]
    #[arg(long, env = "ATTESTRY_PROJECT", value_name = "NAME")]
    project: Option<String>,
    /// Why it was built [default: pr]
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// Where a release is to run: staging or production [default: production]
    #[arg(long, value_name = "ENVIRONMENT", value_parser = crate::commands::verdict::environment)]
    environment: Option<events::Environment>,
    /// Directory whose lockfiles the build used, with the manifests beside them
    #[arg(long, value_name = "DIR")]
    source: Option<PathBuf>,
    /// What the build made: a file or a glob; repeat for several
    #[arg(long, value_name = "FILE|GLOB", required_unless_present = "event")]
    artifact: Vec<String>,
    /// An SBOM, CycloneDX or SPDX, that the build made of itself: kept, and compared with ours; repeat for several
    #[arg(long, value_name = "FILE")]
    sbom: Vec<PathBuf>,
    /// A ready build.completed event or CDEvent (build.finished, artifact.packaged,
    /// artifact.published) instead of flags; `-` reads standard input
    #[arg(long, value_name = "FILE|-")]
    event: Option<PathBuf>,
    /// Version of the product
    #[arg(long, value_name = "VERSION")]
    product_version: Option<Label>,
    /// What tells this build from others [default: the CI run, else a digest of what was built]
    #[arg(long, value_name = "RUN")]
    run: Option<Label>,
    /// Source repository [default: from CI or git]
    #[arg(long, value_name = "URI")]
    repository: Option<Uri>,
    /// Branch or tag, such as refs/heads/main [default: from CI or git]
    #[arg(long = "ref", value_name = "REF")]
    reference: Option<Label>,
    /// Commit, in full [default: from CI or git]
    #[arg(long, value_name = "SHA")]
    commit: Option<String>,
    #[command(flatten)]
    provenance: ProvenanceArgs,
    /// Wait for the verdict, at most this long; give it as --wait=5m
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = DEFAULT_WAIT, value_parser = patience)]
    wait: Option<Duration>,
    /// How the verdict is reported [default: as --format]
    #[arg(long, value_enum, requires = "wait")]
    report: Option<outcome::ReportFormat>,
    /// Directory that SBOM, provenance, bundles, checksums and verdict are written to
    #[arg(long, value_name = "DIR", requires = "wait")]
    out: Option<PathBuf>,
    /// Public key, PEM: the verdict must be signed with it
    #[arg(long, value_name = "FILE", requires = "wait")]
    key: Option<PathBuf>,
    /// W3C trace context that the build's trace continues
    #[arg(long, env = "TRACEPARENT", value_name = "TRACEPARENT", hide_env_values = true)]
    traceparent: Option<String>,
    #[command(flatten)]
    client: ClientArgs,
}

/// Why a build was made.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    /// To check a proposed change
    Pr,
    /// To be promoted to users
    Release,
}

impl From<Kind> for BuildKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Pr => Self::Pr,
            Kind::Release => Self::Release,
        }
    }
}

/// A document to upload.
struct Upload {
    path: String,
    digest: Digest,
    bytes: Bytes,
}

impl Upload {
    fn new(path: String, bytes: Bytes) -> Self {
        Self { path, digest: Digest::of(&bytes), bytes }
    }
}

pub(crate) async fn run(command: Command, format: Format) -> Result<(), Failure> {
    let Command::Submit(args) = command;
    submit(*args, format).await
}

async fn submit(args: Args, format: Format) -> Result<(), Failure> {
    if args.environment.is_some() && args.event.is_none() && args.kind != Some(Kind::Release) {
        let why =
            "--environment is for releases: a pull request is judged as one; add --kind release";
        return Err(Failure::Input(why.to_owned()));
    }
    let (event, uploads) = describe::event(&args)?;
    let bus = args.client.connect().await?;
    let project = &event.data.project;
    for upload in &uploads {
        progress(format, &format!("Uploading {} ({} bytes)", upload.path, upload.bytes.len()));
        retry(async || bus.upload(project, upload.digest, &upload.bytes).await).await?;
    }
    let published = retry(async || bus.publish(&event, args.traceparent.as_deref()).await).await?;
    let known = match published {
        Published::Stored => "",
        Published::AlreadyThere => {
            resume(&bus, &event).await?;
            " (submitted before: its outcome stands)"
        }
    };
    progress(format, &format!("Submitted build {} of {project}{known}", event.id));
    match args.wait {
        None => outcome::submitted(format, &event, published == Published::AlreadyThere),
        Some(wait) => finish(&bus, &args, &event, wait, format).await,
    }
}

/// A build that was submitted before must be this one. If nothing became of it, it is set going
/// again: its quarantine entry may have been dropped.
async fn resume(bus: &Bus, event: &Envelope<BuildCompleted>) -> Result<(), Failure> {
    let stored = retry(async || bus.find(&event.scope, None, event.id).await).await?;
    let same = stored.is_some_and(|stored: Envelope<BuildCompleted>| stored.data == event.data);
    if !same {
        return Err(Failure::Input(format!(
            "run `{}` of {} was submitted before with other content; give every build its own --run",
            event.data.run, event.data.project
        )));
    }
    retry(async || outcome::resume(bus, event).await).await
}

async fn finish(
    bus: &Bus,
    args: &Args,
    event: &Envelope<BuildCompleted>,
    wait: Duration,
    format: Format,
) -> Result<(), Failure> {
    let reported = outcome::Reported {
        format: args.report.unwrap_or_else(|| format.into()),
        out: args.out.as_deref(),
        key: args.key.as_deref(),
    };
    let waited = tokio::time::timeout(wait, async {
        tokio::select! {
            done = outcome::wait(bus, event, &reported) => done,
            never = tell_pauses(bus) => match never {},
        }
    });
    if let Ok(done) = waited.await {
        return done;
    }
    let paused = bus.pauses().await.unwrap_or_default();
    let why: String =
        paused.iter().map(|(worker, pause)| format!("; {}", paused_text(worker, pause))).collect();
    let remedy =
        format!("ask again with the same command, or `attestry verdict`; build {}", event.id);
    Err(Failure::Unknown(format!("no verdict within {wait:?}: still pending{why}; {remedy}")))
}

/// How often whoever waits is told of workers that wait.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Says once of every worker that waits for something what that is. Does not end.
async fn tell_pauses(bus: &Bus) -> std::convert::Infallible {
    let mut told = BTreeSet::new();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        // A broker that is away is told by who waits for the verdict.
        for (worker, pause) in bus.pauses().await.unwrap_or_default() {
            if told.insert((worker.clone(), pause.dependency.clone())) {
                note(&format!("pending: {}; nothing is lost", paused_text(&worker, &pause)));
            }
        }
    }
}

/// Repeats a request that the broker did not answer, for as long as a blink of the broker may take.
async fn retry<T>(request: impl AsyncFn() -> Result<T, bus::BusError>) -> Result<T, Failure> {
    const TRIES: u32 = 5;
    for attempt in 1.. {
        match request().await {
            Err(error @ bus::BusError::Away { .. }) if attempt < TRIES => {
                note(&format!("{error}; trying again"));
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            answer => return Ok(answer?),
        }
    }
    Err(Failure::unknown("the broker did not answer"))
}

/// Number of chunks that an upload of this size makes.
fn chunks(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(CHUNK_BYTES)).unwrap_or(u32::MAX)
}
