//! `bench registry`: how fast events are recorded, how large what they leave is, how fast it answers.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use archive::Archive;
use events::Digest;
use registry::{Registry, View, journal};
use serde::Serialize;

use crate::{
    now, report,
    stats::percentile,
    synthetic::{EVENTS_PER_BUILD, Events},
};

/// Holds the registry and its journal while they are measured.
const AREA: &str = "target/bench/registry-area";
/// Records of one transaction.
const BATCH: usize = 1_000;
/// Records of one segment.
const SEGMENT: usize = 10_000;
/// Digests that are asked about.
const QUESTIONS: usize = 200;

/// How much is recorded.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Events, six for each build
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// A smoke run: 10,000 events
    #[arg(long, conflicts_with = "events")]
    quick: bool,
    /// Where the numbers are written
    #[arg(long, value_name = "FILE", default_value = "target/bench/registry.json")]
    json: PathBuf,
}

/// What was measured. Times are in seconds unless the name says otherwise.
#[derive(Debug, Serialize)]
struct Measured {
    profile: &'static str,
    events: usize,
    payload_bytes: u64,
    record_seconds: f64,
    seal_seconds: f64,
    /// Recorded and sealed.
    events_per_second: f64,
    registry_bytes: u64,
    registry_bytes_per_event: f64,
    archive_bytes: u64,
    archive_bytes_per_event: f64,
    segments: u64,
    rebuild_seconds: f64,
    check_seconds: f64,
    explain_p50_ms: f64,
    explain_p99_ms: f64,
    /// The policy that judged every build.
    explain_policy_ms: f64,
    reconcile_ms: f64,
}

/// Records, seals, rebuilds, asks; prints the numbers and writes them.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let area = Path::new(AREA);
    if area.exists() {
        fs::remove_dir_all(area).with_context(|| format!("cannot empty {AREA}"))?;
    }
    fs::create_dir_all(area).with_context(|| format!("cannot make {AREA}"))?;
    let events = if args.quick { 10_000 } else { args.events.max(EVENTS_PER_BUILD) };
    let measured = measure(area, events).await?;
    measured.print();
    report::write(&args.json, &serde_json::to_string_pretty(&measured)?)?;
    fs::remove_dir_all(area).with_context(|| format!("cannot remove {AREA}"))
}

async fn measure(area: &Path, count: usize) -> anyhow::Result<Measured> {
    let (database, place) = (area.join("registry.db"), area.join("archive"));
    let archive = Archive::open(&place.display().to_string())?;
    let mut registry = Registry::open(&database)?;
    let mut events = Events::default();
    let recorded = record(&mut registry, &archive, &mut events, count).await?;
    let live = registry.dump(&mut std::io::sink())?;
    drop(registry);

    let (rebuilt, rebuild_time) =
        timed(journal::rebuild(&archive, &area.join("rebuilt.db"))).await?;
    ensure!(rebuilt.dump == live, "the registry that was rebuilt differs from the live one");
    let (checked, check_time) = timed(journal::check(&archive)).await?;
    ensure!(checked.problems.is_empty(), "the journal has problems: {:?}", checked.problems);

    let view = View::open(&database)?;
    let mut answers = explain(&view, &events)?;
    let policy = Instant::now();
    view.explain(events.policy(), None)?;
    let policy = policy.elapsed();
    let reconcile = Instant::now();
    let account = view.reconcile(&[])?;
    let reconcile = reconcile.elapsed();
    let builds = count.div_ceil(EVENTS_PER_BUILD) as u64;
    ensure!(account.builds.passed == builds, "not every build passed: {:?}", account.builds);

    let count = builds as usize * EVENTS_PER_BUILD;
    let (registry_bytes, archive_bytes) = (database_size(&database)?, tree_size(&place)?);
    let took = (recorded.recording + recorded.sealing).as_secs_f64();
    Ok(Measured {
        profile: report::profile(),
        events: count,
        payload_bytes: recorded.payload_bytes,
        record_seconds: recorded.recording.as_secs_f64(),
        seal_seconds: recorded.sealing.as_secs_f64(),
        events_per_second: count as f64 / took,
        registry_bytes,
        registry_bytes_per_event: registry_bytes as f64 / count as f64,
        archive_bytes,
        archive_bytes_per_event: archive_bytes as f64 / count as f64,
        segments: rebuilt.segments,
        rebuild_seconds: rebuild_time.as_secs_f64(),
        check_seconds: check_time.as_secs_f64(),
        explain_p50_ms: percentile(&mut answers, 50),
        explain_p99_ms: percentile(&mut answers, 99),
        explain_policy_ms: policy.as_secs_f64() * 1_000.0,
        reconcile_ms: reconcile.as_secs_f64() * 1_000.0,
    })
}

#[derive(Default)]
struct Recorded {
    recording: Duration,
    sealing: Duration,
    payload_bytes: u64,
}

/// Making the events is not measured.
async fn record(
    registry: &mut Registry,
    archive: &Archive,
    events: &mut Events,
    count: usize,
) -> anyhow::Result<Recorded> {
    let mut recorded = Recorded::default();
    let (mut done, mut unsealed) = (0, 0);
    while done < count {
        let builds = (count - done).min(BATCH).div_ceil(EVENTS_PER_BUILD);
        let batch = events.next(builds)?;
        recorded.payload_bytes += batch.iter().map(|it| it.payload.len() as u64).sum::<u64>();
        let began = Instant::now();
        let new = registry.record(&batch)?;
        recorded.recording += began.elapsed();
        ensure!(new == batch.len(), "{new} of {} records were new", batch.len());
        done += new;
        unsealed += new;
        if unsealed >= SEGMENT || done >= count {
            let began = Instant::now();
            while journal::seal(registry, archive, SEGMENT, now()).await?.is_some() {}
            recorded.sealing += began.elapsed();
            unsealed = 0;
        }
    }
    Ok(recorded)
}

/// How long each of the answers about artifacts, documents and bundles took, in milliseconds.
fn explain(view: &View, events: &Events) -> anyhow::Result<Vec<f64>> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut answers = Vec::new();
    for _ in 0..QUESTIONS {
        let digest: Digest = events.some_digest(&mut random);
        let began = Instant::now();
        let explanation = view.explain(digest, None)?;
        answers.push(began.elapsed().as_secs_f64() * 1_000.0);
        ensure!(
            explanation.builds.len() == 1,
            "{digest} is of {} builds",
            explanation.builds.len()
        );
    }
    Ok(answers)
}

async fn timed<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<(T, Duration), E> {
    let began = Instant::now();
    Ok((work.await?, began.elapsed()))
}

impl Measured {
    fn print(&self) {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        println!("{} build, {} events", self.profile, self.events);
        println!("recorded and sealed  {:9.0} events/s", self.events_per_second);
        println!("  recording          {:9.1} s", self.record_seconds);
        println!("  sealing            {:9.1} s, {} segments", self.seal_seconds, self.segments);
        let per_event = self.registry_bytes_per_event;
        println!(
            "registry             {:9.1} MiB, {per_event:.0} bytes per event",
            mib(self.registry_bytes)
        );
        let (archive, per_event) = (mib(self.archive_bytes), self.archive_bytes_per_event);
        println!("journal in archive   {archive:9.1} MiB, {per_event:.0} bytes per event");
        println!("payloads             {:9.1} MiB", mib(self.payload_bytes));
        println!("rebuild              {:9.1} s", self.rebuild_seconds);
        println!("check                {:9.1} s", self.check_seconds);
        println!(
            "explain p50, p99     {:9.2} ms, {:.2} ms",
            self.explain_p50_ms, self.explain_p99_ms
        );
        println!("explain the policy   {:9.2} ms", self.explain_policy_ms);
        println!("reconcile            {:9.1} ms", self.reconcile_ms);
    }
}

/// The database with its log.
fn database_size(path: &Path) -> anyhow::Result<u64> {
    let log = fs::metadata(path.with_added_extension("wal")).map_or(0, |it| it.len());
    Ok(fs::metadata(path)?.len() + log)
}

fn tree_size(directory: &Path) -> anyhow::Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        size += if metadata.is_dir() { tree_size(&entry.path())? } else { metadata.len() };
    }
    Ok(size)
}
