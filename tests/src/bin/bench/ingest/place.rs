//! A broker with the services that a supplier's document meets, each a process of its own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use advisories::Index;
use anyhow::{Context, ensure};
use async_nats::jetstream::{
    self,
    consumer::{DeliverPolicy, pull, push},
};
use attestation::{PublicKey, Trust, TrustedKey};
use broker::{Options, Search, Server};
use bus::{Bus, BusOptions};
use events::{EvidenceSigned, Priority, stage_stream};

use super::supplier::Supplier;
use crate::{
    pipeline::Sync,
    processes::{Process, Snapshot},
    system::{ADVISORIES, make_key},
};

/// Holds everything of what runs; left as it is when a measurement fails.
const AREA: &str = "target/bench/ingest";
pub(super) const INGEST: &str = "supplier-ingest";
pub(super) const MAPPER: &str = "backlog-mapper";
/// The processes in which supplier-ingest has its policy asked.
pub(super) const JUDGES: &str = "supplier-ingest's judge";
const SERVICES: [&str; 4] = [INGEST, "signer", MAPPER, "registrar"];
/// Doors are looked for every two seconds.
const START_LIMIT: Duration = Duration::from_secs(60);
const MAPPING_LIMIT: Duration = Duration::from_secs(600);

/// Everything that runs.
pub(super) struct Place {
    // Ends before the broker does.
    processes: Vec<Process>,
    server: Server,
    raw: jetstream::Context,
    /// Who signs receipts.
    pub(super) trust: Trust,
}

impl Place {
    /// Starts it with `suppliers`, and waits until each of them has a door.
    pub(super) async fn start(sync: Sync, suppliers: &[Supplier]) -> anyhow::Result<Self> {
        let area = Path::new(AREA);
        if area.exists() {
            fs::remove_dir_all(area).with_context(|| format!("cannot empty {AREA}"))?;
        }
        let passports = at("passports");
        fs::create_dir_all(&passports).with_context(|| format!("cannot make {AREA}"))?;
        suppliers.iter().try_for_each(|it| it.write_passport(&passports))?;
        let cache = broker::default_cache_dir().context("there is no home for the cache")?;
        let binary = broker::find_or_fetch(&Search::new(cache)).await?;
        let sync_always = sync == Sync::Always;
        let options = Options { sync_always, ..Options::new(area.join("nats")) };
        let server = Server::start(&binary, options).await?;
        let raw = jetstream::new(async_nats::connect(server.url()).await?);
        let mut place = Self { processes: Vec::new(), server, raw, trust: Trust::new() };
        let bus = place.connect().await?;
        bus.set_up().await?;
        let key = place.start_services()?;
        place.trust.add(TrustedKey::new("bench", key))?;
        place.wait_until_attended(&bus, suppliers).await?;
        Ok(place)
    }

    /// A new connection as clients and services have it.
    pub(super) async fn connect(&self) -> anyhow::Result<Bus> {
        let options = BusOptions { url: self.server.url(), creds: None, name: "bench".to_owned() };
        Ok(Bus::connect(&options, None).await?)
    }

    /// The broker without our library in between.
    pub(super) fn raw(&self) -> &jetstream::Context {
        &self.raw
    }

    /// Receipts from now on, each once it is stored: a consumer sees what a subscription may not.
    pub(super) async fn receipts(&self) -> anyhow::Result<push::Ordered> {
        let stream = self.raw.get_stream("ATTESTRY_RECEIPTS").await?;
        let config = push::OrderedConfig {
            deliver_subject: self.raw.client().new_inbox(),
            deliver_policy: DeliverPolicy::New,
            ..Default::default()
        };
        Ok(stream.create_consumer(config).await?.messages().await?)
    }

    /// What every process used so far. Fails when one of them ended.
    pub(super) fn usage(&mut self) -> anyhow::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        for process in &mut self.processes {
            process.check()?;
            process.measure(&mut snapshot)?;
            if process.name() == INGEST {
                process.measure_children(JUDGES, &mut snapshot)?;
            }
        }
        Ok(snapshot)
    }

    /// Waits until the mapper has nothing left to do.
    pub(super) async fn wait_until_mapped(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + MAPPING_LIMIT;
        loop {
            let stream = self.raw.get_stream(stage_stream::<EvidenceSigned>()).await?;
            let name = format!("{MAPPER}-{}", Priority::Background);
            let consumer = stream.get_consumer::<pull::Config>(&name).await;
            let consumer = consumer.map_err(anyhow::Error::from_boxed)?;
            let info = consumer.cached_info();
            if info.num_pending == 0 && info.num_ack_pending == 0 {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the mapper does not keep up; see {AREA}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Ends the services; the broker goes on.
    pub(super) fn stop_services(&mut self) {
        self.processes.clear();
    }

    /// Ends everything and removes what it wrote.
    pub(super) async fn remove(mut self) -> anyhow::Result<()> {
        self.processes.clear();
        self.server.stop().await?;
        fs::remove_dir_all(AREA).with_context(|| format!("cannot remove {AREA}"))
    }

    /// Starts them with an advisory index, and returns the key by which receipts are signed.
    fn start_services(&mut self) -> anyhow::Result<PublicKey> {
        let shown = |name: &str| at(name).display().to_string();
        let public = make_key(&at("signing.pem"), &at("signing.pub"))?;
        Index::build(&[ADVISORIES.into()])?.0.save(&at("advisories"))?;
        let [key, passports, store, registers, advisories, registry] =
            ["signing.pem", "passports", "backlog.db", "registers", "advisories", "registry.db"]
                .map(shown);
        for name in SERVICES {
            let flags: Vec<&str> = match name {
                INGEST => vec!["--passports", &passports, "--advisories", &advisories],
                "signer" => vec!["--signing-key", &key],
                MAPPER => {
                    vec!["--store", &store, "--registers", &registers, "--advisories", &advisories]
                }
                _ => vec!["--registry", &registry],
            };
            let mut command = Command::new(env::current_exe()?);
            command.args([
                "ingest-service",
                name,
                "--nats-url",
                &self.server.url(),
                "--metrics",
                "127.0.0.1:0",
            ]);
            command.arg("--archive").arg(at("archive")).args(flags);
            self.processes.push(Process::start(name, 1, &mut command, Path::new(AREA))?);
        }
        Ok(public)
    }

    /// supplier-ingest opens a door for each passport, and stands at it from then on.
    async fn wait_until_attended(
        &mut self,
        bus: &Bus,
        suppliers: &[Supplier],
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            self.processes.iter_mut().try_for_each(Process::check)?;
            let doors = bus.doors().await?;
            if suppliers.iter().all(|it| doors.contains_key(&it.id)) {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "not every supplier has a door; see {AREA}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A file or folder of what runs.
pub(super) fn at(name: &str) -> PathBuf {
    Path::new(AREA).join(name)
}
