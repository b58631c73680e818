//! A broker of its own with the processes that answer builds: the services, or their floor.

use std::{
    env, fs,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use advisories::Index;
use anyhow::{Context, ensure};
use archive::Archive;
use async_nats::jetstream::{self, consumer::PullConsumer};
use attestation::{PublicKey, SigningKey};
use broker::{Options, Search, Server};
use bus::{Bus, BusOptions};
use events::{BuildCompleted, EvidenceReady, EvidenceSigned, Priority, stage_stream};

use crate::{
    pipeline::{Configuration, Sync},
    processes::{Process, Snapshot},
    recipe::Recipe,
};

/// Holds everything of the system that runs; left as it is when a measurement fails.
const AREA: &str = "target/bench/area";
/// The hops' workers: each takes events of one stream.
const WORKERS: [&str; 4] = ["generator", "signer", "policy-gate", MAPPER];
const MAPPER: &str = "backlog-mapper";
/// A worker starts in less than a second.
const START_LIMIT: Duration = Duration::from_secs(30);
/// The mapper keeps up with builds, or nearly.
const MAPPING_LIMIT: Duration = Duration::from_secs(120);
/// What the mapper holds components against.
pub(crate) const ADVISORIES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../services/backlog-mapper/fixtures/osv");

/// Who answers builds.
pub(crate) enum Kind {
    /// Attestry's services.
    Pipeline,
    /// Processes that do the same publishes, acknowledgements and archive writes, and nothing else.
    Floor(Recipe),
}

/// A running system.
pub(crate) struct System {
    // Ends before the broker does.
    processes: Vec<Process>,
    server: Server,
    raw: jetstream::Context,
}

impl System {
    /// Starts it and waits until every process asks for work.
    pub(crate) async fn start(configuration: &Configuration, kind: Kind) -> anyhow::Result<Self> {
        let area = Path::new(AREA);
        if area.exists() {
            fs::remove_dir_all(area).with_context(|| format!("cannot empty {AREA}"))?;
        }
        fs::create_dir_all(area).with_context(|| format!("cannot make {AREA}"))?;
        let cache = broker::default_cache_dir().context("there is no home for the cache")?;
        let binary = broker::find_or_fetch(&Search::new(cache)).await?;
        let sync_always = configuration.sync == Sync::Always;
        let options = Options { sync_always, ..Options::new(area.join("nats")) };
        let server = Server::start(&binary, options).await?;
        let raw = jetstream::new(async_nats::connect(server.url()).await?);
        let mut system = Self { processes: Vec::new(), server, raw };
        system.connect().await?.set_up().await?;
        match kind {
            Kind::Pipeline => system.start_services(configuration.replicas)?,
            Kind::Floor(recipe) => system.start_floor(configuration.replicas, &recipe)?,
        }
        system.wait_until_ready(configuration.replicas).await?;
        Ok(system)
    }

    /// A new connection as clients and services have it.
    pub(crate) async fn connect(&self) -> anyhow::Result<Bus> {
        let options = BusOptions { url: self.server.url(), creds: None, name: "bench".to_owned() };
        Ok(Bus::connect(&options, None).await?)
    }

    /// The broker without our library in between.
    pub(crate) fn raw(&self) -> &jetstream::Context {
        &self.raw
    }

    /// The archive's directory.
    pub(crate) fn archive_dir(&self) -> PathBuf {
        Path::new(AREA).join("archive")
    }

    /// The archive that the processes write to.
    pub(crate) fn archive(&self) -> anyhow::Result<Archive> {
        Ok(Archive::open(&self.archive_dir().display().to_string())?)
    }

    /// What every process used so far. Fails when one of them ended.
    pub(crate) fn usage(&mut self) -> anyhow::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        for process in &mut self.processes {
            process.check()?;
            process.measure(&mut snapshot)?;
        }
        let pid = Path::new(AREA).join("nats/nats-server.pid");
        let pid = fs::read_to_string(&pid).with_context(|| pid.display().to_string())?;
        snapshot.add("client", std::process::id())?;
        snapshot.add("nats-server", pid.trim().parse().context("a process id")?)?;
        Ok(snapshot)
    }

    /// Waits until every verdict so far is in the backlog.
    pub(crate) async fn wait_until_mapped(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + MAPPING_LIMIT;
        loop {
            let consumer = consumer(&self.raw, MAPPER).await.context("nobody maps verdicts")?;
            let info = consumer.cached_info();
            if info.num_pending == 0 && info.num_ack_pending == 0 {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the mapper does not keep up; see {AREA}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends everything and removes what it wrote.
    pub(crate) async fn remove(mut self) -> anyhow::Result<()> {
        self.processes.clear();
        self.server.stop().await?;
        fs::remove_dir_all(AREA).with_context(|| format!("cannot remove {AREA}"))
    }

    /// All services that a build meets; supplier-ingest is not one of them.
    fn start_services(&mut self, replicas: usize) -> anyhow::Result<()> {
        let at = |name: &str| Path::new(AREA).join(name).display().to_string();
        let [key, public] = ["signing.pem", "signing.pub"].map(at);
        make_key(Path::new(&key), Path::new(&public))?;
        let [store, registers, advisories] = ["backlog.db", "registers", "advisories"].map(at);
        Index::build(&[ADVISORIES.into()])?.0.save(Path::new(&advisories))?;
        let flags = |worker| match worker {
            "signer" => vec!["--signing-key", &key],
            "policy-gate" => vec!["--trusted-key", &public],
            MAPPER => {
                vec!["--store", &store, "--registers", &registers, "--advisories", &advisories]
            }
            _ => vec![],
        };
        for name in WORKERS {
            for number in 1..=processes(name, replicas) {
                self.start_service(name, number, &flags(name))?;
            }
        }
        if program("registrar")?.exists() {
            self.start_service("registrar", 1, &["--registry", &at("registry.db")])?;
        }
        Ok(())
    }

    fn start_service(
        &mut self,
        name: &'static str,
        number: usize,
        flags: &[&str],
    ) -> anyhow::Result<()> {
        let mut command = Command::new(program(name)?);
        command.args(["--nats-url", &self.server.url(), "--metrics", "127.0.0.1:0"]);
        command.arg("--archive").arg(self.archive_dir()).args(flags);
        self.processes.push(Process::start(name, number, &mut command, Path::new(AREA))?);
        Ok(())
    }

    fn start_floor(&mut self, replicas: usize, recipe: &Recipe) -> anyhow::Result<()> {
        let file = Path::new(AREA).join("recipe.json");
        fs::write(&file, serde_json::to_vec(recipe)?)
            .with_context(|| format!("cannot write {}", file.display()))?;
        for name in WORKERS {
            for number in 1..=processes(name, replicas) {
                let mut command = Command::new(env::current_exe()?);
                command.args(["floor-worker", name, "--nats-url", &self.server.url()]);
                command.arg("--archive").arg(self.archive_dir()).arg("--recipe").arg(&file);
                let process = Process::start(name, number, &mut command, Path::new(AREA))?;
                self.processes.push(process);
            }
        }
        Ok(())
    }

    /// A replica that asks for work has a pull request of its own at the consumer.
    async fn wait_until_ready(&mut self, replicas: usize) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        for worker in WORKERS {
            while asking(&self.raw, worker).await < processes(worker, replicas) {
                for process in &mut self.processes {
                    process.check()?;
                }
                ensure!(Instant::now() < deadline, "{worker} does not ask for work; see {AREA}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }
}

/// A mapper is the only writer of its database: more of them would only wait, as registrars would.
fn processes(worker: &str, replicas: usize) -> usize {
    if worker == MAPPER { 1 } else { replicas }
}

/// Replicas of `worker` that wait for builds of the measured priority.
async fn asking(jetstream: &jetstream::Context, worker: &str) -> usize {
    let consumer = consumer(jetstream, worker).await;
    consumer.map_or(0, |consumer| consumer.cached_info().num_waiting)
}

/// The consumer of `worker` for builds of the measured priority; it comes to be when the first replica starts.
async fn consumer(jetstream: &jetstream::Context, worker: &str) -> Option<PullConsumer> {
    let stream = match worker {
        "generator" => stage_stream::<BuildCompleted>(),
        "signer" => stage_stream::<EvidenceReady>(),
        _ => stage_stream::<EvidenceSigned>(),
    };
    let stream = jetstream.get_stream(stream).await.ok()?;
    stream.get_consumer(&format!("{worker}-{}", Priority::Release)).await.ok()
}

/// The services lie beside this program.
fn program(service: &str) -> anyhow::Result<PathBuf> {
    Ok(env::current_exe()?.with_file_name(format!("attestry-{service}")))
}

/// A production key: a development key would mark every verdict.
pub(crate) fn make_key(private: &Path, public: &Path) -> anyhow::Result<PublicKey> {
    let key = SigningKey::generate()?;
    let mut file = fs::File::options();
    let mut file = file.write(true).create_new(true).mode(0o600).open(private)?;
    std::io::Write::write_all(&mut file, key.to_pem().as_bytes())?;
    fs::write(public, key.public_key().to_pem())?;
    Ok(key.public_key().clone())
}
