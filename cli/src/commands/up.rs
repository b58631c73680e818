//! `attestry up`: every worker in one process, over a nats-server child.

pub(crate) mod access;
mod feeds;
mod server;

use std::{
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

use archive::Archive;
use backlog_mapper::{Mapper, MapperArgs};
use bus::{Bus, BusOptions};
use futures::TryFutureExt;
use generator::Generator;
use policy_gate::{
    GateArgs, PolicyGate,
    again::{self, JudgedAgain},
    queries, standing,
};
use registrar::{Registrar, RegistrarArgs};
use signer::{Signer, SigningIdentity};
use supplier_ingest::{
    IngestArgs, PassportDirectory, ReceiptDelivery, SupplierIngest, stand_at_doors,
};
use tokio::sync::watch;
use worker::{Health, LogFormat, LoopArgs, Telemetry, run_until, shutdown_signal};

use self::{
    feeds::FeedArgs,
    server::{keep_running, start_server},
};
use crate::{failure::Failure, output::note};

/// Below the data directory: where the broker of a running `attestry up` listens.
pub(crate) const NATS_URL_FILE: &str = "nats/url";
/// Below the data directory: the seed of the user that may do everything there.
pub(crate) const OPERATOR_SEED_FILE: &str = "nats/operator.nk";
/// Below the data directory: the registry.
pub(crate) const REGISTRY_FILE: &str = "registry/registry.db";

/// Runs all workers in one process. Everything it needs is made below --data or fetched
#[derive(clap::Args)]
#[command(
    after_help = "Example:\n  attestry up --data data\n\nProcess isolation is off, and a development key signs unless --signing-key is given: use it for\na laptop, a demo, a small team. Production policy refuses what a development key signed."
)]
pub(crate) struct Args {
    /// Directory of archive, streams and development key
    #[arg(long, env = "ATTESTRY_DATA", value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Use this NATS server instead of a child process
    #[arg(long, env, value_name = "URL")]
    nats_url: Option<String>,
    /// Seed of an nkey, or NATS credentials
    #[arg(long, env, value_name = "FILE", requires = "nats_url")]
    creds: Option<PathBuf>,
    /// nats-server binary, 2.12 or newer [default: from PATH, else fetched]
    #[arg(long, env = "ATTESTRY_NATS_SERVER", value_name = "FILE", conflicts_with = "nats_url")]
    nats_server: Option<PathBuf>,
    /// Port of the nats-server child; 0 picks a free one [default: 4222 if free, else a free one]
    #[arg(long, env, value_name = "PORT", conflicts_with = "nats_url")]
    nats_port: Option<u16>,
    /// Address that the nats-server child listens on. On another than a loopback address nobody connects
    /// without a key: workers and operators have that in nats/operator.nk below --data, suppliers that of their passport
    #[arg(
        long,
        env,
        value_name = "ADDR",
        default_value = "127.0.0.1",
        conflicts_with = "nats_url"
    )]
    nats_listen: IpAddr,
    /// Address of /live, /ready and /metrics; port 0 picks a free one
    #[arg(long, env, value_name = "ADDR", default_value = "127.0.0.1:9464")]
    metrics: SocketAddr,
    /// Private key, P-256 in PKCS#8 PEM [default: a development key, made on first start]
    #[arg(long, env, value_name = "FILE")]
    signing_key: Option<PathBuf>,
    /// Directory of Rego policies, or an OPA bundle (*.tar.gz) [default: the library that ships with Attestry]
    #[arg(long, env, value_name = "DIR")]
    policy: Option<PathBuf>,
    /// How much a denial counts, by project and environment: TOML [default: it stops the build]
    #[arg(long, env, value_name = "FILE")]
    modes: Option<PathBuf>,
    /// Directory of Rego policies that are asked beside and decide nothing
    #[arg(long, env, value_name = "DIR")]
    shadow_policy: Option<PathBuf>,
    /// Judge again what is promoted when policy, advisories, waivers or VEX change, this many seconds after its last
    /// verdict at the soonest
    #[arg(long, env, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    judge_again: u32,
    /// TOML file that says who owns which backlog entries [default: Security owns everything]
    #[arg(long, env, value_name = "FILE")]
    routing: Option<PathBuf>,
    /// TOML file with days by severity [default: critical 7, high 30, medium 90, low 180]
    #[arg(long, env, value_name = "FILE")]
    sla: Option<PathBuf>,
    /// TOML file with risks of your own, and other words for those that are derived
    #[arg(long, env, value_name = "FILE")]
    risks: Option<PathBuf>,
    /// How many days a supplier's VEX statement suppresses after it was said; 0 for good
    #[arg(long, env, value_name = "DAYS", default_value_t = MapperArgs::default().supplier_vex_days)]
    supplier_vex_days: u32,
    /// TOML file that says which backlog entries have tickets at which tracker [default: none have]
    #[arg(long, env, value_name = "FILE")]
    tickets: Option<PathBuf>,
    /// Which log lines are written to stderr, for example `info`
    #[arg(long, env = "RUST_LOG", value_name = "FILTER", default_value = "warn")]
    log: String,
    /// Format of the log lines
    #[arg(long, env, value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
    /// OTLP/HTTP endpoint that traces are sent to
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    otlp_endpoint: Option<String>,
    #[command(flatten)]
    feeds: FeedArgs,
    #[command(flatten)]
    events: LoopArgs,
}

pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let endpoint = args.otlp_endpoint.as_deref();
    let _telemetry = Telemetry::start("attestry", &args.log, args.log_format, endpoint)
        .map_err(Failure::Input)?;
    let archive_directory = args.data.join("artifacts/supply-chain");
    let archive =
        Archive::open(&archive_directory.display().to_string()).map_err(Failure::input)?;
    let identity = Identity::load(&args)?;
    let settings = Settings::load(&args, &identity, &archive)?;
    let following = args.feeds.load(&args.data)?;
    let health = Health::default();
    let serving = health.serve(args.metrics).await.map_err(|error| {
        let remedy = "choose another address with --metrics, for example 127.0.0.1:0";
        Failure::Input(format!("cannot serve metrics on {}: {error}; {remedy}", args.metrics))
    })?;

    let shutdown = shutdown_signal();
    tokio::pin!(shutdown);
    let mut server = match args.nats_url {
        Some(_) => None,
        None => tokio::select! {
            () = &mut shutdown => return Ok(()),
            server = start_server(&args, settings.suppliers.passports.clone()) => Some(server?),
        },
    };
    let (url, creds) = match (&args.nats_url, &server) {
        (Some(url), _) => (url.clone(), args.creds.clone()),
        (None, Some((server, _))) => (server.url(), Some(args.data.join(OPERATOR_SEED_FILE))),
        (None, None) => return Err(Failure::unknown("no broker")),
    };
    let url_file = args.data.join(NATS_URL_FILE);
    let options = BusOptions { url: url.clone(), creds, name: "attestry-up".to_owned() };
    let connected = tokio::select! {
        () = &mut shutdown => return Ok(()),
        connected = async {
            let bus = Bus::connect(&options, None).await?;
            bus.set_up().await.map(|()| bus)
        } => connected?,
    };
    write_url(&url_file, &url)?;
    greet(&args, &url, serving, &identity);
    let handlers = Handlers::new(&archive, settings, identity.key);
    let registry = args.data.join(REGISTRY_FILE);
    let registrar = RegistrarArgs { registry, ..RegistrarArgs::default() };
    let registrar = Registrar::new(archive.clone(), registrar);
    let workers = Workers { bus: connected, events: args.events, health, archive };
    let worked = tokio::select! {
        worked = workers.run(shutdown, handlers, registrar) => worked,
        ended = keep_running(&mut server, &workers.bus, &args.data) => ended,
        () = worker::measure_archive(&workers.archive) => Ok(()),
        () = following.keep(&workers.bus) => Ok(()),
    };
    workers.bus.close().await;
    // Left behind, it would only point at nobody.
    drop(fs::remove_file(&url_file));
    if let Some((server, _)) = &mut server {
        server.stop().await?;
    }
    worked
}

/// What the workers decide by, loaded before anything runs: what is wrong with it shows at once.
struct Settings {
    gate: policy_gate::Settings,
    suppliers: supplier_ingest::Settings,
    mapper: Mapper,
}

impl Settings {
    fn load(args: &Args, identity: &Identity, archive: &Archive) -> Result<Self, Failure> {
        let suppliers = IngestArgs {
            passports: args.data.join("passports"),
            trusted_root: None,
            policy: args.policy.clone(),
            advisories: Some(args.data.join("advisories")),
            policy_timeout: 30,
            policy_memory: 2048,
        };
        let mapper = MapperArgs {
            store: args.data.join("backlog/backlog.db"),
            registers: args.data.join("registers"),
            advisories: args.data.join("advisories"),
            routing: args.routing.clone(),
            sla: args.sla.clone(),
            risks: args.risks.clone(),
            supplier_vex_days: args.supplier_vex_days,
            tickets: args.tickets.clone(),
        };
        Ok(Self {
            gate: identity.gate.load().map_err(Failure::input)?,
            suppliers: suppliers.load().map_err(Failure::input)?,
            mapper: Mapper::open(archive.clone(), &mapper)
                .map_err(|error| Failure::Input(format!("{error}; or choose another --data")))?,
        })
    }
}

/// Who signs, and therefore whom the gate trusts.
struct Identity {
    key: attestation::SigningKey,
    gate: GateArgs,
    development_key: Option<PathBuf>,
}

impl Identity {
    fn load(args: &Args) -> Result<Self, Failure> {
        let development_key = match args.signing_key {
            Some(_) => None,
            None => Some(args.data.join("keys/development-key.pem")),
        };
        let source = signer::KeyArgs {
            signing_key: args.signing_key.clone(),
            development_key: development_key.clone(),
            ..signer::KeyArgs::default()
        };
        let key = source.load().map_err(Failure::input)?;
        let public = args.data.join("keys/signer.pub");
        let written = fs::create_dir_all(args.data.join("keys"))
            .and_then(|()| fs::write(&public, key.public_key().to_pem()));
        written.map_err(|error| Failure::Input(format!("{}: {error}", public.display())))?;
        let development = development_key.is_some();
        let approvers = args.data.join("approvers.toml");
        let may_waive = approvers.exists();
        if may_waive {
            let made = fs::create_dir_all(args.data.join("waivers"));
            made.map_err(|error| Failure::Input(format!("{}: {error}", args.data.display())))?;
        }
        let gate = GateArgs {
            waivers: may_waive.then(|| args.data.join("waivers")),
            approvers: may_waive.then(|| approvers.clone()),
            policy: args.policy.clone(),
            trusted_key: if development { vec![] } else { vec![public.clone()] },
            trusted_development_key: if development { vec![public] } else { vec![] },
            allow_development_key: development,
            modes: args.modes.clone(),
            shadow_policy: args.shadow_policy.clone(),
            judge_again: Some(args.judge_again),
            advisories: Some(args.data.join("advisories")),
            ..GateArgs::default()
        };
        Ok(Self { key, gate, development_key })
    }
}

/// What all workers share.
struct Workers {
    bus: Bus,
    events: LoopArgs,
    health: Health,
    archive: Archive,
}

/// All workers that handle events.
struct Handlers {
    generator: Generator,
    signer: Signer,
    gate: PolicyGate,
    ingest: SupplierIngest,
    receipts: ReceiptDelivery,
    mapper: Mapper,
    /// Whose doors are stood at.
    passports: PassportDirectory,
}

impl Handlers {
    fn new(archive: &Archive, settings: Settings, key: attestation::SigningKey) -> Self {
        Self {
            generator: Generator::new(archive.clone()),
            signer: Signer::new(archive.clone(), SigningIdentity::of_key(key), 1),
            gate: PolicyGate::new(archive.clone(), settings.gate),
            passports: settings.suppliers.passports.clone(),
            ingest: SupplierIngest::new(archive.clone(), settings.suppliers),
            receipts: ReceiptDelivery::new(archive.clone()),
            mapper: settings.mapper,
        }
    }
}

impl Workers {
    /// Runs until `shutdown`, or until one of them cannot go on.
    async fn run(
        &self,
        shutdown: impl Future<Output = ()>,
        handlers: Handlers,
        registrar: Registrar,
    ) -> Result<(), Failure> {
        let (stop, stopped) = watch::channel(false);
        let until = || {
            let mut stopped = stopped.clone();
            async move { drop(stopped.wait_for(|it| *it).await) }
        };
        let Self { bus, events, health, archive } = self;
        let passports = &handlers.passports;
        // On the heap, because the main thread's stack does not hold the state of all of them.
        let workers = async {
            tokio::try_join!(
                Box::pin(run_until(until(), bus, events, health, handlers.generator)),
                Box::pin(run_until(until(), bus, events, health, handlers.signer)),
                Box::pin(run_until(until(), bus, events, health, handlers.gate.clone())),
                Box::pin(run_until(
                    until(),
                    bus,
                    events,
                    health,
                    JudgedAgain(handlers.gate.clone())
                )),
                Box::pin(run_until(until(), bus, events, health, handlers.ingest)),
                Box::pin(run_until(until(), bus, events, health, handlers.receipts)),
                Box::pin(handlers.mapper.run(until(), bus, events, health)),
            )
            .map_err(Failure::from)
        };
        // It ends after the others, so that it seals what they did last.
        let (closing, closed) = watch::channel(false);
        let all = async {
            let handled = async {
                let handled = workers.await;
                closing.send_replace(true);
                handled
            };
            let mut closed = closed;
            let kept = registrar.run(async { drop(closed.wait_for(|it| *it).await) }, bus, health);
            let (handled, kept) = tokio::join!(handled, kept.map_err(Failure::unknown));
            handled.and(kept)
        };
        let signal = async {
            shutdown.await;
            stop.send_replace(true);
            std::future::pending().await
        };
        tokio::select! {
            ended = all => ended,
            () = queries::answer(bus, archive) => Ok(()),
            () = again::watch(bus, &handlers.gate) => Ok(()),
            () = standing::answer(bus, &handlers.gate) => Ok(()),
            () = stand_at_doors(bus, passports) => Ok(()),
            () = signal => Ok(()),
        }
    }
}

fn write_url(file: &Path, url: &str) -> Result<(), Failure> {
    let written = match file.parent() {
        Some(parent) => fs::create_dir_all(parent),
        None => Ok(()),
    };
    written
        .and_then(|()| fs::write(file, url))
        .map_err(|error| Failure::Input(format!("{}: {error}", file.display())))
}

fn greet(args: &Args, url: &str, serving: SocketAddr, identity: &Identity) {
    let data = &args.data;
    note(
        "Attestry is up: generator, signer, policy-gate, supplier-ingest, backlog-mapper and registrar\nin one process (isolation is off).",
    );
    note(&format!("  broker    {url} (elsewhere: set NATS_URL, or give --nats-url)"));
    note(&format!("  archive   {}", data.join("artifacts/supply-chain").display()));
    note(&format!("  health    http://{serving}/ready   metrics http://{serving}/metrics"));
    match &identity.development_key {
        Some(path) => {
            note(&format!(
                "  signing   development key {}: verdicts are marked, production policy refuses them",
                path.display()
            ));
        }
        None => note("  signing   the given --signing-key"),
    }
    note(&format!("  suppliers {}", data.join("passports").display()));
    note(&format!("  backlog   {}", data.join("registers").display()));
    args.feeds.greet();
    note(&format!("  verify    with {}", data.join("keys/signer.pub").display()));
    note(
        "Submit a build: attestry build submit --source DIR --artifact FILE --kind release --wait",
    );
}
