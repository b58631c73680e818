//! The nats-server child of `attestry up`: started, watched, and told who may connect.

use std::{
    net::IpAddr,
    path::Path,
    time::{Duration, Instant},
};

use broker::{Options, Search, Server, find_or_fetch};
use bus::Bus;
use supplier_ingest::PassportDirectory;

use super::{
    Args,
    access::{self, Access},
};
use crate::{failure::Failure, output::note};

/// How soon a nats-server child that died is noticed.
const SERVER_CHECK_EVERY: Duration = Duration::from_secs(1);
/// How soon a stream that takes nothing is noticed.
const BLOCKED_CHECK_EVERY: Duration = Duration::from_secs(5);
/// Bytes that must be free for a restart to be worth it.
const ROOM_TO_RESTART: u64 = 64 << 20;
/// Port of the nats-server child unless something else has it.
const NATS_PORT: u16 = 4222;

/// Starts the nats-server child again whenever it has died, or takes nothing although its disk, which
/// was full, has room again.
pub(super) async fn keep_running(
    server: &mut Option<(Server, Access)>,
    bus: &Bus,
    data: &Path,
) -> Result<(), Failure> {
    let Some((server, access)) = server else { return std::future::pending().await };
    let mut blocked_check = Instant::now();
    loop {
        tokio::time::sleep(SERVER_CHECK_EVERY).await;
        if !server.is_running() {
            note("nats-server has died; starting it again on its port and store");
            server.restart().await?;
        } else if blocked_check.elapsed() >= BLOCKED_CHECK_EVERY {
            blocked_check = Instant::now();
            if has_room(data) && is_blocked(bus).await {
                note("a stream takes nothing since the disk was full: restarting nats-server");
                // SIGTERM, so that it writes down what was acknowledged; it ends within ten seconds.
                if let Err(error) = server.stop().await {
                    note(&error.to_string());
                }
                server.restart().await?;
            }
        } else {
            access.follow(server).await;
        }
    }
}

async fn is_blocked(bus: &Bus) -> bool {
    // A broker that does not answer is another matter.
    bus.streams().await.is_ok_and(|streams| streams.iter().any(|stream| stream.blocked))
}

/// Whether a restart would not only meet the full disk again.
fn has_room(data: &Path) -> bool {
    let room = rustix::fs::statvfs(data.join("nats"));
    room.is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) >= ROOM_TO_RESTART)
}

pub(super) async fn start_server(
    args: &Args,
    passports: PassportDirectory,
) -> Result<(Server, Access), Failure> {
    let access = Access::prepare(&args.data, passports, args.nats_listen.is_loopback())?;
    let cache = broker::default_cache_dir().unwrap_or_else(|| args.data.join("cache"));
    let mut search = Search::new(cache);
    search.given.clone_from(&args.nats_server);
    let binary = find_or_fetch(&search).await?;
    for passed_over in &binary.passed_over {
        note(passed_over);
    }
    let options = |port| {
        let mut options = Options::new(args.data.join("nats"));
        (options.host, options.port) = (args.nats_listen, port);
        options.extra_config = access::CONFIG.to_owned();
        options.account = Some(bus::ACCOUNT.to_owned());
        options
    };
    let port = match args.nats_port {
        Some(0) => None,
        Some(port) => Some(port),
        None if port_is_free(args.nats_listen, NATS_PORT) => Some(NATS_PORT),
        None => None,
    };
    Ok((Server::start(&binary, options(port)).await?, access))
}

fn port_is_free(host: IpAddr, port: u16) -> bool {
    std::net::TcpListener::bind((host, port)).is_ok()
}
