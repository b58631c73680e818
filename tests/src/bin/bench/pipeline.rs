//! `bench pipeline`: every configuration in turn, the pipeline first, then its floor on the same recipe.

use std::path::PathBuf;

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    load::{Latency, Load},
    processes::Usage,
    recipe::{self, Recipe},
    report,
    system::{Kind, System},
};

/// Events on the bus that one build makes up to its verdict, its own included.
const EVENTS_PER_BUILD: f64 = 5.0;
/// Builds that nobody measures: connections, caches and allocators settle.
const WARM_UP: usize = 20;

/// What is measured. Everything, unless narrowed.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A smoke run: few builds, one configuration
    #[arg(long)]
    quick: bool,
    /// When the broker's disk is synced; repeat for several
    #[arg(long, value_enum)]
    sync: Vec<Sync>,
    /// Processes per service; repeat for several [default: 1 2 4]
    #[arg(long)]
    replicas: Vec<usize>,
    /// Size of the builds; repeat for several
    #[arg(long, value_enum)]
    size: Vec<Size>,
    /// Builds per throughput run [default: 1000 small ones, 300 of Hotpass]
    #[arg(long)]
    builds: Option<usize>,
    /// Runs of the latency measurement, with one replica; 0 leaves it out
    #[arg(long, default_value_t = 5)]
    latency_runs: usize,
    /// Builds per latency run
    #[arg(long, default_value_t = 200)]
    latency_builds: usize,
    /// Where the numbers are written
    #[arg(long, value_name = "FILE", default_value = "target/bench/pipeline.json")]
    json: PathBuf,
}

/// When the broker's disk is synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sync {
    /// Before every acknowledgement.
    Always,
    /// Every two minutes, as the server does unless told.
    Default,
}

/// How large a build is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Size {
    /// A lockfile with ten packages.
    Small,
    /// Hotpass's own lockfile, 382 packages.
    Hotpass,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Configuration {
    /// When the broker's disk is synced.
    pub(crate) sync: Sync,
    /// Processes per service.
    pub(crate) replicas: usize,
    /// How large the builds are.
    pub(crate) size: Size,
    /// Builds of the throughput run.
    pub(crate) builds: usize,
}

/// What was measured in one configuration.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub(crate) configuration: Configuration,
    pub(crate) pipeline: Measured,
    pub(crate) floor: Measured,
    /// Throughput of the pipeline, as a part of the floor's.
    pub(crate) throughput_ratio: f64,
}

/// What one system did.
#[derive(Debug, Serialize)]
pub(crate) struct Measured {
    pub(crate) builds_per_second: f64,
    pub(crate) events_per_second: f64,
    /// From before the upload of the lockfile to the stored verdict, one build at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<Latency>,
    /// CPUs that all processes together kept busy up to the last verdict; far fewer than there are
    /// mean waiting for the disk.
    pub(crate) busy_cpus: f64,
    /// What a build costs in all, its way into the backlog included.
    pub(crate) processes: Vec<Usage>,
}

/// Measures what `args` ask for, prints the table and writes the numbers.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for configuration in args.configurations() {
        println!("{}", report::title(&configuration));
        let (pipeline, recipe) = measure_pipeline(args, &configuration).await?;
        println!("  pipeline  {}", report::summary(&pipeline));
        let floor = measure_floor(args, &configuration, recipe).await?;
        println!("  floor     {}", report::summary(&floor));
        let throughput_ratio = pipeline.builds_per_second / floor.builds_per_second;
        rows.push(Row { configuration, pipeline, floor, throughput_ratio });
    }
    println!("\n{}", report::table(&rows));
    report::write(&args.json, &report::json(&rows)?)
}

async fn measure_pipeline(
    args: &Args,
    configuration: &Configuration,
) -> anyhow::Result<(Measured, Recipe)> {
    let mut system = System::start(configuration, Kind::Pipeline).await?;
    let mut load = Load::start(&system, configuration).await?;
    load.throughput(WARM_UP.min(configuration.builds)).await?;
    let recipe = recipe::record(&system, &mut load).await?;
    let measured = measure(args, configuration, &mut system, &mut load).await?;
    system.remove().await?;
    Ok((measured, recipe))
}

async fn measure_floor(
    args: &Args,
    configuration: &Configuration,
    recipe: Recipe,
) -> anyhow::Result<Measured> {
    let mut system = System::start(configuration, Kind::Floor(recipe)).await?;
    let mut load = Load::start(&system, configuration).await?;
    load.throughput(WARM_UP.min(configuration.builds)).await?;
    let measured = measure(args, configuration, &mut system, &mut load).await?;
    system.remove().await?;
    Ok(measured)
}

async fn measure(
    args: &Args,
    configuration: &Configuration,
    system: &mut System,
    load: &mut Load,
) -> anyhow::Result<Measured> {
    // Before the queues fill: it is the idle pipeline that answers.
    let latency = match args.latency(configuration) {
        Some((runs, builds)) => Some(load.latency(runs, builds).await?),
        None => None,
    };
    system.wait_until_mapped().await?;
    let before = system.usage()?;
    let builds_per_second = load.throughput(configuration.builds).await?;
    let up_to_verdicts = system.usage()?.since(&before, configuration.builds);
    // Nobody waits for the backlog, but every build is to be paid for.
    system.wait_until_mapped().await?;
    let processes = system.usage()?.since(&before, configuration.builds);
    let cpu_ms_per_build: f64 = up_to_verdicts.iter().map(|it| it.cpu_ms_per_build).sum();
    Ok(Measured {
        builds_per_second,
        events_per_second: builds_per_second * EVENTS_PER_BUILD,
        latency,
        busy_cpus: builds_per_second * cpu_ms_per_build / 1_000.0,
        processes,
    })
}

impl Args {
    fn configurations(&self) -> Vec<Configuration> {
        let all = Configurations::of(self);
        let mut configurations = Vec::new();
        for sync in all.sync {
            for replicas in &all.replicas {
                for size in &all.sizes {
                    let (replicas, size) = (*replicas, *size);
                    let usual = if self.quick { 20 } else { size.usual_builds() };
                    let builds = self.builds.unwrap_or(usual);
                    configurations.push(Configuration { sync, replicas, size, builds });
                }
            }
        }
        configurations
    }

    /// Runs and builds per run; latency is that of an idle machine with one process per service.
    fn latency(&self, configuration: &Configuration) -> Option<(usize, usize)> {
        let (runs, builds) =
            if self.quick { (1, 10) } else { (self.latency_runs, self.latency_builds) };
        (configuration.replicas == 1 && runs > 0 && builds > 0).then_some((runs, builds))
    }
}

struct Configurations {
    sync: Vec<Sync>,
    replicas: Vec<usize>,
    sizes: Vec<Size>,
}

impl Configurations {
    fn of(args: &Args) -> Self {
        let or = |given: &[usize], usual: &[usize]| {
            if given.is_empty() { usual.to_vec() } else { given.to_vec() }
        };
        let mut all = Self {
            sync: args.sync.clone(),
            replicas: or(&args.replicas, if args.quick { &[1] } else { &[1, 2, 4] }),
            sizes: args.size.clone(),
        };
        if all.sync.is_empty() {
            all.sync =
                if args.quick { vec![Sync::Always] } else { vec![Sync::Always, Sync::Default] };
        }
        if all.sizes.is_empty() {
            all.sizes = vec![Size::Small, Size::Hotpass];
        }
        all
    }
}

impl Size {
    fn usual_builds(self) -> usize {
        match self {
            Self::Small => 1000,
            Self::Hotpass => 300,
        }
    }
}
