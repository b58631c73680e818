//! Builds and drops under fire: every service a process of its own, killed and paused at moments that a seed
//! decides; then the invariants.

#![allow(clippy::print_stdout, reason = "the driver tells what it does")]

mod area;
mod builds;
mod diagnosis;
mod drops;
mod faults;
mod fleet;
mod invariants;
mod policies;
mod report;
mod steps;
mod streams;
mod submit;
mod watch;
mod work;
mod world;

use std::{
    env, fs,
    path::PathBuf,
    process::ExitCode,
    str::FromStr,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use advisories::Index;
use anyhow::{Context, anyhow, bail};
use async_nats::jetstream;
use bus::{Bus, BusOptions};
use clap::Parser;
use jiff::Timestamp;
use registry::View;
use tokio::{
    sync::{Semaphore, watch as channel},
    time::{sleep, timeout},
};

use crate::{
    area::Area,
    drops::Supplier,
    faults::Planned,
    invariants::Remains,
    policies::Policies,
    report::{Drops, Report},
    steps::{Aim, Hits, Pace},
    streams::Streams,
    submit::Sender,
    work::Work,
    world::{SERVICES, World},
};

/// Builds and drops that are under way at once: this many, or this part of all if that is more.
const UNDER_WAY: usize = 48;
const UNDER_WAY_PART: usize = 10;
const BUILDS_PER_DROP: usize = 4;
/// Real advisories, beside this crate.
const ADVISORIES: &str = "../shared/advisories/fixtures/osv";
/// How long workers may take to settle what is left once everything has its answer.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Kills and pauses a running pipeline, and counts what is left.
#[derive(Parser)]
#[command(name = "cargo xtask chaos")]
struct Args {
    /// Builds to submit
    #[arg(long, value_name = "N", default_value_t = 200)]
    builds: usize,
    /// Documents that suppliers drop, one in ten of them broken [default: a quarter of the builds]
    #[arg(long, value_name = "M")]
    drops: Option<usize>,
    /// Kills of services and broker; pauses, power failures and a lost archive come on top
    #[arg(long, value_name = "K", default_value_t = 10)]
    kills: usize,
    /// Kills supplier-ingest and the broker so often each at every step of a submission
    #[arg(long, value_name = "N", default_value_t = 0)]
    kills_per_step: usize,
    /// Decides builds, drops and faults; everything of the run is kept in target/chaos/S
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Replicas of each service
    #[arg(long, value_name = "R", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    replicas: u8,
    /// Stop a service for so long in the middle of the run
    #[arg(long, value_name = "SERVICE=SECONDS")]
    stop: Option<Stop>,
    /// Write the result as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// A service, and how long it is stopped.
#[derive(Clone)]
struct Stop {
    service: String,
    duration: Duration,
}

impl FromStr for Stop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let services = || format!("write SERVICE=SECONDS with one of {}", SERVICES.join(", "));
        let (service, seconds) = text.split_once('=').ok_or_else(services)?;
        if !SERVICES.contains(&service) {
            return Err(services());
        }
        let seconds = seconds.parse().map_err(|_| services())?;
        Ok(Self { service: service.to_owned(), duration: Duration::from_secs(seconds) })
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let judged = tokio::select! {
        judged = judge(&args) => judged,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted")),
    };
    match judged {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            println!("\nFAILED with seed {}: {error:#}", args.seed);
            ExitCode::FAILURE
        }
    }
}

/// Whether everything held.
async fn judge(args: &Args) -> anyhow::Result<bool> {
    let report = run(args).await?;
    report.print();
    if let Some(file) = &args.json {
        fs::write(file, serde_json::to_vec_pretty(&report.json())?)
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(report.holds())
}

/// What is submitted, by suppliers that have their passports then.
fn plan(args: &Args, area: &Area) -> anyhow::Result<Work> {
    #[allow(clippy::disallowed_methods, reason = "what is submitted comes to be now")]
    let now = Timestamp::now();
    let suppliers = Supplier::with_passports(&area.passports())?;
    let count = args.drops.unwrap_or(args.builds / BUILDS_PER_DROP);
    Ok(Work {
        builds: builds::plan(args.builds, args.seed, now)?,
        drops: drops::plan(count, args.seed, &suppliers, now)?,
    })
}

/// Puts an index of real advisories where the backlog mapper looks for it.
fn save_advisories(area: &Area) -> anyhow::Result<Index> {
    let source = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(ADVISORIES);
    let (index, _) = Index::build(&[source]).context("cannot build the advisory index")?;
    index.save(&area.advisories())?;
    Ok(index)
}

fn aims(args: &Args) -> anyhow::Result<Vec<Aim>> {
    let aims = steps::plan(args.kills_per_step, args.seed);
    if args.replicas > 1 && !aims.is_empty() {
        bail!("--kills-per-step needs one replica of each service; leave --replicas away");
    }
    Ok(aims)
}

fn announce(work: &Work, faults: usize, kills: usize, area: &Area) {
    let (builds, drops, place) = (work.builds.len(), work.drops.len(), area.root().display());
    println!(
        "{builds} builds, {drops} drops, {faults} faults, {kills} kills at steps; everything lies in {place}"
    );
}

async fn run(args: &Args) -> anyhow::Result<Report> {
    let area = Area::empty(args.seed)?;
    let keys = area.make_keys()?;
    let advisories = save_advisories(&area)?;
    let work = plan(args, &area)?;
    let policies = Policies::write(area.policy())?;
    let replicas = usize::from(args.replicas);
    let scope =
        faults::Scope { answers: work.len(), kills: args.kills, services: &SERVICES, replicas };
    let planned = faults::plan(&scope, args.seed);
    let aims = aims(args)?;
    announce(&work, planned.len(), aims.len(), &area);

    // The service programs lie beside this one.
    let programs = env::current_exe()?;
    let programs = programs.parent().context("no directory of programs")?;
    let world = World::start(&area, programs, replicas).await?;
    let began = Instant::now();
    let (bus, jetstream, hits) = tokio::select! {
        driven = drive(args, &world, &work, planned, &aims) => driven?,
        ended = world.supervise() => bail!("the supervisor gave up: {ended:?}"),
        ended = policies.keep_changing() => bail!("the policy cannot be changed: {ended:?}"),
    };
    let took = began.elapsed();
    let settled = bus.settled().await?;
    let behind = catch_up(&bus, &area).await?;
    let streams = Streams::read(&jetstream).await?;
    world.measure_broker().await;
    let mut fleet = world.fleet.lock().await;
    fleet.stop(None).await?;
    let broker_peak = *world.broker_peak.lock().await;
    let remains = Remains {
        area: &area,
        work: &work,
        keys: &keys,
        advisories: &advisories,
        policies: policies.digests(),
        streams: &streams,
        settled: &settled,
        behind: &behind,
        fleet: &fleet,
        broker_peak,
        hits: &hits,
        kills_per_step: args.kills_per_step,
    };
    let (invariants, headline) = invariants::check(&remains).await?;
    Ok(Report {
        seed: args.seed,
        builds: work.builds.len(),
        drops: Drops::of(&work),
        replicas,
        took,
        faults: world.inflicted.lock().await.clone(),
        files_lost: world.lost.load(Ordering::Relaxed),
        redeliveries: streams.redeliveries(),
        invariants,
        headline,
        hits,
    })
}

/// Submits everything, lets everything go wrong, and waits until nothing is left to do.
async fn drive(
    args: &Args,
    world: &Arc<World>,
    work: &Work,
    planned: Vec<Planned>,
    aims: &[Aim],
) -> anyhow::Result<(Bus, jetstream::Context, Hits)> {
    let url = world.broker.lock().await.url();
    let options = BusOptions { url: url.clone(), creds: None, name: "chaos".to_owned() };
    let bus = Bus::connect(&options, None).await?;
    bus.set_up().await?;
    let jetstream = streams::connect(&url).await?;
    let window = Semaphore::new(UNDER_WAY.max(work.len() / UNDER_WAY_PART));
    let (answered, progress) = channel::channel(0);
    let stop = async {
        let Some(Stop { service, duration }) = &args.stop else { return Ok(()) };
        progress.clone().wait_for(|it| *it >= work.len() / 2).await?;
        world.stop(service, *duration).await
    };
    let (pace, trap) = (Pace::of(aims, work.len()), &*world.trap);
    let sender = Sender { bus: &bus, jetstream: &jetstream, url: &url, trap };
    let ((), (), (), hits, ()) = tokio::try_join!(
        submit::submit_all(&sender, work, &pace, &window),
        watch::follow(&jetstream, work, &window, &answered),
        world.inflict(planned, progress.clone()),
        steps::kill_at(world, aims, &pace, work.len(), progress.clone()),
        stop,
    )?;
    let settled = async {
        while !streams::all_settled(&jetstream).await.unwrap_or(false) {
            sleep(LOOK_EVERY).await;
        }
    };
    if timeout(SETTLE_LIMIT, settled).await.is_err() {
        let names = work.names();
        let all = names.keys().copied().collect();
        let why = diagnosis::of(&jetstream, &names, &all).await?;
        bail!("workers did not settle within {} s\n{why}", SETTLE_LIMIT.as_secs());
    }
    Ok((bus, jetstream, hits))
}

/// Waits until the registry has what the streams have, and says what it still has not.
async fn catch_up(bus: &Bus, area: &Area) -> anyhow::Result<Vec<String>> {
    let last = bus.last_sequences().await?;
    let behind = || {
        let known = View::open(&area.registry()).and_then(|it| it.progress()).unwrap_or_default();
        let missing = |(stream, last): (&String, &u64)| {
            let known = known.get(stream).copied().unwrap_or_default();
            (known < *last).then(|| format!("{stream} is recorded up to {known} of {last}"))
        };
        last.iter().filter_map(missing).collect::<Vec<_>>()
    };
    let deadline = Instant::now() + SETTLE_LIMIT;
    while !behind().is_empty() && Instant::now() < deadline {
        sleep(LOOK_EVERY).await;
    }
    Ok(behind())
}
