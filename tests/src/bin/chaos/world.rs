//! Everything that runs and everything that can go wrong with it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use broker::{Options, Search, Server};
use tokio::{
    net::TcpListener,
    sync::{Mutex, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::{
    area::Area,
    faults::{Fault, Planned, Target},
    fleet::{Fleet, Service, peak_memory},
    steps::{self, Aim, Trap, Victim},
};

/// How often it is looked after what ended by itself.
const REVIVE_EVERY: Duration = Duration::from_millis(200);
/// How long after the archive came back a service may still end because it was away.
const EXCUSE: Duration = Duration::from_secs(3);
/// A pipeline that stands still gets its next fault after so long: nothing is spared meanwhile.
const LONGEST_PEACE: Duration = Duration::from_secs(8);

/// A broker, an archive, and services that run on them.
pub(crate) struct World {
    /// Where everything lies.
    pub(crate) area: Area,
    /// The services.
    pub(crate) fleet: Mutex<Fleet>,
    /// The broker.
    pub(crate) broker: Mutex<Server>,
    place: Mutex<Place>,
    /// Faults by kind.
    pub(crate) inflicted: Mutex<BTreeMap<String, usize>>,
    /// Most memory that the broker ever held, in KiB.
    pub(crate) broker_peak: Mutex<u64>,
    /// Documents that power failures took.
    pub(crate) lost: AtomicUsize,
    /// Where the steps of a submission are waited for.
    pub(crate) trap: Arc<Trap>,
    began: Instant,
    /// Ends with this.
    _proxy: JoinSet<()>,
}

/// Where the archive is.
#[derive(Default)]
struct Place {
    /// Losses of the archive that are not over.
    away: usize,
    back: Option<Instant>,
}

impl World {
    /// Starts the broker and every replica.
    pub(crate) async fn start(
        area: &Area,
        programs: &Path,
        replicas: usize,
    ) -> anyhow::Result<Arc<Self>> {
        let cache = broker::default_cache_dir().context("no home for the broker's cache")?;
        let binary = broker::find_or_fetch(&Search::new(cache)).await?;
        let server = Server::start(&binary, Options::new(area.nats())).await?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let trapped = format!("nats://{}", listener.local_addr()?);
        let trap = Arc::new(Trap::default());
        let mut proxy = JoinSet::new();
        proxy.spawn(steps::proxy::serve(listener, server.port(), trap.clone()));
        let services = services(area, programs, &server.url(), &trapped);
        let fleet = Fleet::start(&services, replicas, &area.logs())?;
        Ok(Arc::new(Self {
            area: area.clone(),
            fleet: Mutex::new(fleet),
            broker: Mutex::new(server),
            place: Mutex::default(),
            inflicted: Mutex::default(),
            broker_peak: Mutex::default(),
            lost: AtomicUsize::default(),
            trap,
            began: Instant::now(),
            _proxy: proxy,
        }))
    }

    /// Starts again whatever ended by itself. Never completes.
    pub(crate) async fn supervise(&self) -> anyhow::Result<()> {
        loop {
            sleep(REVIVE_EVERY).await;
            let mut fleet = self.fleet.lock().await;
            fleet.revive(self.place.lock().await.is_excuse())?;
        }
    }

    /// Lets everything in `planned` happen, each at its moment, and waits until the last is over.
    pub(crate) async fn inflict(
        self: &Arc<Self>,
        planned: Vec<Planned>,
        mut answered: watch::Receiver<usize>,
    ) -> anyhow::Result<()> {
        let mut endings = JoinSet::new();
        for planned in planned {
            let reached = answered.wait_for(|it| *it >= planned.answered);
            // Whoever waits in vain for the pipeline to go on gets the fault all the same.
            timeout(LONGEST_PEACE, reached).await.ok();
            sleep(planned.delay).await;
            self.tell(&planned.fault.to_string());
            *self.inflicted.lock().await.entry(planned.fault.kind()).or_default() += 1;
            let world = self.clone();
            match planned.fault {
                Fault::Kill(target) => self.kill(target).await?,
                Fault::PowerFailure => self.power_failure().await?,
                Fault::RegistryLost => self.lose_registry().await?,
                Fault::ArchiveAway(duration) => {
                    self.take_archive().await?;
                    endings.spawn(async move {
                        sleep(duration).await;
                        world.return_archive(false).await
                    });
                }
                Fault::Pause(target, duration) => {
                    let until = Instant::now() + duration;
                    self.pause(target, until, &mut endings).await?;
                }
            }
        }
        while let Some(ended) = endings.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Stops a service for a while, as an operator would.
    pub(crate) async fn stop(&self, service: &str, duration: Duration) -> anyhow::Result<()> {
        self.tell(&format!("stop {service} for {} s", duration.as_secs()));
        self.fleet.lock().await.stop(Some(service)).await?;
        sleep(duration).await;
        self.tell(&format!("start {service} again"));
        self.fleet.lock().await.start_again(service)
    }

    /// Notes the broker's peak.
    pub(crate) async fn measure_broker(&self) {
        let process = fs::read_to_string(self.area.nats().join("nats-server.pid"));
        let process = process.ok().and_then(|it| it.trim().parse().ok());
        let peak = process.and_then(peak_memory).unwrap_or_default();
        let mut known = self.broker_peak.lock().await;
        *known = peak.max(*known);
    }

    /// Kills whom `aim` means, who stands at its step.
    pub(crate) async fn kill_now(&self, aim: &Aim) -> anyhow::Result<()> {
        let target = match aim.victim {
            Victim::Ingest => Target::Service(steps::VICTIM, 0),
            Victim::Broker => Target::Broker,
        };
        let fault = Fault::Kill(target);
        self.tell(&format!("{fault}: {aim}"));
        *self.inflicted.lock().await.entry(fault.kind()).or_default() += 1;
        self.kill(target).await
    }

    async fn kill(&self, target: Target) -> anyhow::Result<()> {
        match target {
            Target::Service(service, number) => {
                let mut fleet = self.fleet.lock().await;
                // One that is stopped is beyond harm: another takes its place.
                let others = SERVICES.into_iter().find(|it| fleet.is_wanted(it));
                let victim = if fleet.is_wanted(service) { Some(service) } else { others };
                victim.map_or(Ok(()), |victim| fleet.kill(victim, number))
            }
            Target::Broker => {
                self.measure_broker().await;
                Ok(self.broker.lock().await.restart().await?)
            }
        }
    }

    async fn pause(
        self: &Arc<Self>,
        target: Target,
        until: Instant,
        endings: &mut JoinSet<anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        let world = self.clone();
        match target {
            Target::Service(service, number) => {
                let Some(paused) = self.fleet.lock().await.pause(service, number)? else {
                    return Ok(());
                };
                endings.spawn(async move {
                    sleep_until(until).await;
                    world.fleet.lock().await.resume(paused)
                });
            }
            Target::Broker => {
                self.broker.lock().await.pause()?;
                endings.spawn(async move {
                    sleep_until(until).await;
                    Ok(world.broker.lock().await.resume()?)
                });
            }
        }
        Ok(())
    }

    /// Nothing is left but what was synced.
    async fn power_failure(&self) -> anyhow::Result<()> {
        self.measure_broker().await;
        let mut fleet = self.fleet.lock().await;
        let mut broker = self.broker.lock().await;
        fleet.kill_all();
        broker.kill();
        self.return_archive(true).await?;
        let lost = archive::lose_unsynced(&self.area.ledger(), &self.area.archive())?;
        self.lost.fetch_add(lost, Ordering::Relaxed);
        self.tell(&format!("power failure took {lost} files"));
        broker.restart().await?;
        fleet.revive(false)
    }

    /// The registrar finds nothing of what it knew.
    async fn lose_registry(&self) -> anyhow::Result<()> {
        let mut fleet = self.fleet.lock().await;
        fleet.kill_service(REGISTRAR);
        for suffix in ["", "-wal", "-shm"] {
            let mut file = self.area.registry().into_os_string();
            file.push(suffix);
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        fleet.revive(false)
    }

    async fn take_archive(&self) -> anyhow::Result<()> {
        let mut place = self.place.lock().await;
        place.away += 1;
        if place.away == 1 {
            fs::rename(self.area.archive(), self.area.archive_away())?;
            // A file in its place, so that nobody makes a new one.
            fs::write(self.area.archive(), "not mounted\n")?;
        }
        Ok(())
    }

    async fn return_archive(&self, all: bool) -> anyhow::Result<()> {
        let mut place = self.place.lock().await;
        if place.away == 0 {
            return Ok(());
        }
        place.away = if all { 0 } else { place.away - 1 };
        if place.away == 0 {
            let back = || {
                fs::remove_file(self.area.archive())?;
                fs::rename(self.area.archive_away(), self.area.archive())
            };
            back().map_err(|error: io::Error| {
                let place = self.area.archive();
                anyhow::anyhow!("something is in the archive's place {}: {error}", place.display())
            })?;
            place.back = Some(Instant::now());
        }
        Ok(())
    }

    fn tell(&self, what: &str) {
        println!("{:>7.1} s  {what}", self.began.elapsed().as_secs_f64());
    }
}

impl Place {
    fn is_excuse(&self) -> bool {
        self.away > 0 || self.back.is_some_and(|back| back.elapsed() < EXCUSE)
    }
}

/// The names of the services that take part.
pub(crate) const SERVICES: [&str; 6] =
    ["generator", "signer", "policy-gate", "supplier-ingest", "backlog-mapper", REGISTRAR];
const REGISTRAR: &str = "registrar";

fn services(area: &Area, programs: &Path, url: &str, trapped: &str) -> Vec<Service> {
    let service = |name: &'static str| {
        let mut arguments: Vec<OsString> = vec![
            "--nats-url".into(),
            if name == steps::VICTIM { trapped } else { url }.into(),
            "--archive".into(),
            area.archive().into(),
            "--archive-ledger".into(),
            area.ledger().into(),
            "--metrics".into(),
            "127.0.0.1:0".into(),
        ];
        let own: &[(&str, OsString)] = match name {
            "signer" => &[("--signing-key", area.private_key().into())],
            "policy-gate" => &[
                ("--trusted-key", area.public_key().into()),
                ("--policy", area.policy().into()),
                ("--advisories", area.advisories().into()),
            ],
            "supplier-ingest" => &[("--passports", area.passports().into())],
            "backlog-mapper" => &[
                ("--store", area.backlog().into()),
                ("--registers", area.registers().into()),
                ("--advisories", area.advisories().into()),
            ],
            // Many small segments: there is always one on its way.
            REGISTRAR => &[("--registry", area.registry().into()), ("--seal-after", "2".into())],
            _ => &[],
        };
        arguments.extend(own.iter().flat_map(|(flag, value)| [flag.into(), value.clone()]));
        Service { name, program: programs.join(format!("attestry-{name}")), arguments }
    };
    SERVICES.map(service).into()
}
