//! Submits builds and waits for their verdicts, in the same way whoever answers.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use async_nats::jetstream::{
    self,
    consumer::{DeliverPolicy, push},
};
use bus::Bus;
use bytes::Bytes;
use events::{
    Artifact, BuildCompleted, BuildKind, Builder, Commit, Digest, Envelope, EvidenceSigned, Input,
    Label, Priority, Producer, Source, Uri, stage_stream, subject,
};
use futures::{StreamExt, stream::FuturesUnordered};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    now,
    pipeline::{Configuration, Size},
    stats::percentile,
    system::System,
};

/// Builds without a verdict at any time: more than all workers together have in hand.
const IN_FLIGHT: usize = 128;
/// Nothing takes so long but what will never come.
const PATIENCE: Duration = Duration::from_secs(60);
const HOTPASS_LOCK: &str =
    include_str!("../../../../shared/documents/fixtures/lockfiles/hotpass.uv.lock");

/// Whoever submits builds.
pub(crate) struct Load {
    pub(crate) bus: Bus,
    /// Verdicts, each once it is stored.
    verdicts: push::Ordered,
    lock: Bytes,
    input: Input,
    submitted: usize,
}

/// How long one build took from its submission to its verdict, on an otherwise idle pipeline.
#[derive(Debug, Serialize)]
pub(crate) struct Latency {
    /// Builds of each run.
    pub(crate) builds: usize,
    /// Median of the runs' medians, in milliseconds.
    pub(crate) p50_ms: f64,
    /// Median of the runs' 99th percentiles, in milliseconds.
    pub(crate) p99_ms: f64,
    /// Every run.
    pub(crate) runs: Vec<LatencyRun>,
}

/// One run.
#[derive(Debug, Serialize)]
pub(crate) struct LatencyRun {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Load {
    /// Connects, and uploads the lockfile that all builds share.
    pub(crate) async fn start(
        system: &System,
        configuration: &Configuration,
    ) -> anyhow::Result<Self> {
        let lock = match configuration.size {
            Size::Small => small_lock().into(),
            Size::Hotpass => Bytes::from_static(HOTPASS_LOCK.as_bytes()),
        };
        let bus = system.connect().await?;
        let (digest, size) = (Digest::of(&lock), lock.len() as u64);
        let chunks = bus.upload(&project()?, digest, &lock).await?;
        let input = Input { path: "uv.lock".parse()?, digest, size, chunks };
        let verdicts = verdicts(system.raw()).await?;
        Ok(Self { bus, verdicts, lock, input, submitted: 0 })
    }

    /// Submits `builds` with many in flight, and returns the verdicts per second.
    ///
    /// The lockfile is there already: what is measured is the way from event to verdict.
    pub(crate) async fn throughput(&mut self, builds: usize) -> anyhow::Result<f64> {
        let bus = self.bus.clone();
        let began = Instant::now();
        let mut publishing = FuturesUnordered::new();
        let mut unanswered = HashSet::new();
        let mut to_submit = builds;
        while to_submit > 0 || !unanswered.is_empty() {
            while to_submit > 0 && unanswered.len() < IN_FLIGHT {
                let event = self.next_build()?;
                unanswered.insert(event.id);
                publishing.push(async { publish(&bus, event).await });
                to_submit -= 1;
            }
            tokio::select! {
                Some(published) = publishing.next() => published?,
                verdict = self.next_verdict() => {
                    let unknown = "a verdict for a build that nobody waits for";
                    ensure!(unanswered.remove(&verdict?), unknown);
                }
            }
        }
        Ok(builds as f64 / began.elapsed().as_secs_f64())
    }

    /// `runs` times `builds`, one after the other, as somebody would submit them: lockfile and event.
    pub(crate) async fn latency(&mut self, runs: usize, builds: usize) -> anyhow::Result<Latency> {
        let mut measured = Vec::new();
        for _ in 0..runs {
            let mut took = Vec::new();
            for _ in 0..builds {
                let began = Instant::now();
                self.answered().await?;
                took.push(began.elapsed().as_secs_f64() * 1_000.0);
            }
            let (p50_ms, p99_ms) = (percentile(&mut took, 50), percentile(&mut took, 99));
            measured.push(LatencyRun { p50_ms, p99_ms });
        }
        let median = |of: fn(&LatencyRun) -> f64| {
            percentile(&mut measured.iter().map(of).collect::<Vec<_>>(), 50)
        };
        let (p50_ms, p99_ms) = (median(|it| it.p50_ms), median(|it| it.p99_ms));
        Ok(Latency { builds, p50_ms, p99_ms, runs: measured })
    }

    /// Submits one build, waits for its verdict and returns the build.
    pub(crate) async fn answered(&mut self) -> anyhow::Result<Envelope<BuildCompleted>> {
        let event = self.next_build()?;
        self.bus.upload(&event.scope, self.input.digest, &self.lock).await?;
        self.bus.publish(&event, None).await?;
        let verdict = self.next_verdict().await?;
        ensure!(verdict == event.id, "a verdict for another build than the one submitted");
        Ok(event)
    }

    /// A build like the last one, but with a run and an artifact of its own.
    fn next_build(&mut self) -> anyhow::Result<Envelope<BuildCompleted>> {
        self.submitted += 1;
        let run = format!("bench/{:06}", self.submitted);
        let name = "dist/hotpass-0.1.0-py3-none-any.whl".parse()?;
        let artifact = Artifact { name, digest: Digest::of(run.as_bytes()), size: Some(123_456) };
        let data = BuildCompleted {
            project: project()?,
            kind: BuildKind::Release,
            environment: None,
            run: Label::of(&run),
            version: Some(Label::of("0.1.0")),
            source: Some(Source {
                repository: Uri::of("https://github.com/acme/hotpass"),
                reference: Some(Label::of("refs/tags/v0.1.0")),
                commit: Some(Commit::try_from("9073529a3eb8".repeat(4)[..40].to_owned())?),
            }),
            builder: Builder {
                invocation: Some(Uri::of("https://github.com/acme/hotpass/actions/runs/1")),
                ..Builder::new(Uri::of("https://github.com/actions/runner/github-hosted"))
            },
            started_at: None,
            finished_at: None,
            parameters: Default::default(),
            internal_parameters: Default::default(),
            dependencies: Default::default(),
            artifacts: vec![artifact].try_into()?,
            inputs: vec![self.input.clone()].try_into()?,
            sboms: Default::default(),
        };
        Ok(Envelope::root(Label::of("/bench"), now(), Priority::Release, project()?, data))
    }

    async fn next_verdict(&mut self) -> anyhow::Result<Uuid> {
        let next = tokio::time::timeout(PATIENCE, self.verdicts.next()).await;
        let next = next.context(
            "no verdict for a minute: target/bench/area has the logs of the services that ran",
        )?;
        let message = next.context("the broker sends no more verdicts")??;
        let (_, correlation) =
            message.subject.rsplit_once('.').context("a subject of one token")?;
        Ok(correlation.parse()?)
    }
}

async fn publish(bus: &Bus, event: Envelope<BuildCompleted>) -> anyhow::Result<()> {
    bus.publish(&event, None).await?;
    Ok(())
}

fn project() -> anyhow::Result<events::Scope> {
    "acme/hotpass".parse().context("the benchmark's project")
}

/// A consumer sees what is stored, a subscription what may never be.
async fn verdicts(jetstream: &jetstream::Context) -> anyhow::Result<push::Ordered> {
    let stream = jetstream.get_stream(stage_stream::<EvidenceSigned>()).await?;
    let stage = subject::stage::<EvidenceSigned>();
    let config = push::OrderedConfig {
        deliver_subject: jetstream.client().new_inbox(),
        deliver_policy: DeliverPolicy::All,
        filter_subject: format!("{stage}.*.*.{}.*", Producer::PolicyGate.as_str()),
        ..Default::default()
    };
    Ok(stream.create_consumer(config).await?.messages().await?)
}

/// A lockfile of uv with the project and ten packages from the index.
fn small_lock() -> String {
    let mut lock = "version = 1\nrevision = 3\nrequires-python = \">=3.12\"\n".to_owned();
    let mut dependencies = String::new();
    for index in 0..10 {
        let hash = Digest::of(&[index]);
        let name = format!("package-{index}");
        let file = format!("https://files.pythonhosted.org/packages/{name}-1.{index}.0.tar.gz");
        lock += &format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"1.{index}.0\"\n\
             source = {{ registry = \"https://pypi.org/simple\" }}\n\
             sdist = {{ url = \"{file}\", hash = \"{hash}\", size = 1000 }}\n"
        );
        dependencies += &format!("    {{ name = \"{name}\" }},\n");
    }
    lock +=
        "\n[[package]]\nname = \"hotpass\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\n";
    lock += &format!("dependencies = [\n{dependencies}]\n");
    lock
}
