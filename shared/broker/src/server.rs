//! A `nats-server` process with JetStream on disk, which does not outlive us.

use std::{
    fs::{self, File, TryLockError},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::{Binary, BrokerError, Options};

/// Recovering a large store takes a while.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(10);
/// How long a predecessor may take to let go of the store.
const LOCK_LIMIT: Duration = Duration::from_secs(3);
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
pub(crate) const POLL_INTERVAL: Duration = Duration::from_millis(10);
pub(crate) const MAX_LOG_BYTES: u64 = 1 << 20;
const MAX_INFO_BYTES: u64 = 64 << 10;
const LOG_TAIL_LINES: usize = 12;

/// A running server; killed when dropped, and also when this process dies in any other way.
///
/// It runs in its own process group: Ctrl-C reaches us alone, so that workers can drain before it stops.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    pub(crate) options: Options,
    port: u16,
    /// Locked, and held open by the server as its stderr: the store is in use as long as either of us lives.
    pub(crate) log: File,
    process: Option<Process>,
}

#[derive(Debug)]
pub(crate) struct Process {
    server: Child,
    /// Ends the server once the pipe from us is closed, however we end.
    watchdog: Child,
    /// Where the log of this start begins.
    log_offset: u64,
}

impl Server {
    /// Starts the server and waits until it answers.
    ///
    /// # Errors
    /// [`BrokerError::Store`] and [`BrokerError::InUse`] when the store cannot be had;
    /// [`BrokerError::Process`] and [`BrokerError::NotReady`] when the server does not come up.
    pub async fn start(binary: &Binary, options: Options) -> Result<Self, BrokerError> {
        let mut options = options;
        options.store_dir = make_dir(&options.store_dir)?;
        let log = take_store(&options.store_dir).await?;
        if let Some(account) = &options.account {
            move_streams(&options.store_dir, account)?;
        }
        let program = binary.path.clone();
        let mut server = Self { program, options, port: 0, log, process: None };
        server.spawn(None).await?;
        Ok(server)
    }

    /// The URL for clients on this machine.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", self.address(self.port))
    }

    fn address(&self, port: u16) -> SocketAddr {
        let host = match self.options.host {
            IpAddr::V4(host) if host.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(host) if host.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            host => host,
        };
        SocketAddr::new(host, port)
    }

    /// The port, the same over restarts.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The log of this server and its predecessors on the same store.
    #[must_use]
    pub fn log_path(&self) -> PathBuf {
        log_path(&self.options.store_dir)
    }

    /// Limits what all streams together may take, in bytes, from the next start on.
    pub fn set_max_store(&mut self, bytes: Option<u64>) {
        self.options.max_store = bytes;
    }

    /// Whether the process lives; one that died by itself is noticed here.
    pub fn is_running(&mut self) -> bool {
        let running = self.process.as_mut().is_some_and(|it| matches!(it.exit_status(), Ok(None)));
        if !running {
            self.process = None;
        }
        running
    }

    /// Kills the process at once, as a crash would (SIGKILL). Nothing happens when it does not run.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Asks the process to stop (SIGTERM) and waits for its end.
    ///
    /// # Errors
    /// [`BrokerError::StopTimeout`] when it had to be killed after 10 s.
    pub async fn stop(&mut self) -> Result<(), BrokerError> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        // A paused process sees SIGTERM only when it goes on; both fail only when it has ended.
        process.signal(Signal::TERM).ok();
        process.signal(Signal::CONT).ok();
        let deadline = Instant::now() + STOP_LIMIT;
        while process.exit_status()?.is_none() {
            if Instant::now() > deadline {
                return Err(BrokerError::StopTimeout { limit: STOP_LIMIT });
            }
            sleep(POLL_INTERVAL).await;
        }
        Ok(())
    }

    /// Starts the server again on the same port and store; kills it first when it runs.
    ///
    /// # Errors
    /// As for [`Server::start`].
    pub async fn restart(&mut self) -> Result<(), BrokerError> {
        self.kill();
        self.spawn(Some(self.port)).await
    }

    /// Stops the process in its tracks (SIGSTOP): connections stay open and nobody answers.
    ///
    /// # Errors
    /// [`BrokerError::Process`] when it does not run.
    pub fn pause(&mut self) -> Result<(), BrokerError> {
        let process = self.running()?;
        process.signal(Signal::STOP)?;
        // The signal only asks: until all threads have heard it, the server may still answer.
        let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&process.server)), stopped)
            .map(drop)
            .map_err(|error| process_error("pause nats-server", error.into()))
    }

    /// Lets a paused process go on (SIGCONT).
    ///
    /// # Errors
    /// [`BrokerError::Process`] when it does not run.
    pub fn resume(&mut self) -> Result<(), BrokerError> {
        self.running()?.signal(Signal::CONT)
    }

    pub(crate) fn running(&mut self) -> Result<&mut Process, BrokerError> {
        self.process.as_mut().ok_or_else(not_running)
    }

    async fn spawn(&mut self, port: Option<u16>) -> Result<(), BrokerError> {
        let ports_dir = self.options.store_dir.join("ports");
        // Names carry process ids, which may come again: only this start may have written here.
        match fs::remove_dir_all(&ports_dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(store_error(&ports_dir, &error));
            }
            _ => make_dir(&ports_dir)?,
        };
        let config = self.options.store_dir.join("nats-server.conf");
        fs::write(&config, self.options.config(port, &ports_dir)?)
            .map_err(|error| store_error(&config, &error))?;

        // Held by `self` before the wait, so that a failure below still ends the process.
        self.process = Some(Process::spawn(&self.program, &config, &self.log)?);
        let pid_file = pid_path(&self.options.store_dir);
        fs::write(&pid_file, self.running()?.server.id().to_string())
            .map_err(|error| store_error(&pid_file, &error))?;
        self.port = self.wait_until_ready(&ports_dir).await?;
        Ok(())
    }

    async fn wait_until_ready(&mut self, ports_dir: &Path) -> Result<u16, BrokerError> {
        let deadline = Instant::now() + START_LIMIT;
        loop {
            if let Some(port) = reported_port(ports_dir)
                && answers(self.address(port)).await
            {
                return Ok(port);
            }
            if let Some(status) = self.running()?.exit_status()? {
                return Err(self.not_ready(format!("ended at its start ({status})")));
            }
            if Instant::now() > deadline {
                let why = format!("did not answer within {} s", START_LIMIT.as_secs());
                return Err(self.not_ready(why));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    fn not_ready(&self, why: String) -> BrokerError {
        let log = self.log_path();
        let offset = self.process.as_ref().map_or(0, |it| it.log_offset);
        let log_tail = log_tail(&log, offset).unwrap_or_else(|error| format!("  ({error})"));
        BrokerError::NotReady { why, log, log_tail }
    }
}

impl Process {
    fn spawn(program: &Path, config: &Path, log: &File) -> Result<Self, BrokerError> {
        let log_error = |error: io::Error| process_error("write the log of nats-server", error);
        let log_offset = log.metadata().map_err(log_error)?.len();
        let stderr = log.try_clone().map_err(log_error)?;
        let mut server = Command::new(program)
            .arg("--config")
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .process_group(0)
            .spawn()
            .map_err(|error| process_error(&format!("start {}", program.display()), error))?;
        match watchdog(server.id()) {
            Ok(watchdog) => Ok(Self { server, watchdog, log_offset }),
            Err(error) => {
                end(&mut server);
                Err(process_error("start sh, which is to end nats-server after us", error))
            }
        }
    }

    pub(crate) fn signal(&mut self, signal: Signal) -> Result<(), BrokerError> {
        // Once reaped, its number may be another's.
        if self.exit_status()?.is_some() {
            return Err(not_running());
        }
        kill_process(Pid::from_child(&self.server), signal)
            .map_err(|error| process_error("signal nats-server", error.into()))
    }

    fn exit_status(&mut self) -> Result<Option<ExitStatus>, BrokerError> {
        self.server.try_wait().map_err(|error| process_error("wait for nats-server", error))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // First the watchdog: it must not aim at a number that is free again.
        end(&mut self.watchdog);
        end(&mut self.server);
    }
}

/// A shell that waits for the end of our pipe, which the kernel closes however we end.
///
/// The kernel's own way, `PR_SET_PDEATHSIG`, needs unsafe code and follows the thread instead of the process.
fn watchdog(server: u32) -> io::Result<Child> {
    Command::new("sh")
        .args(["-c", "read -r _; kill -KILL \"$1\"", "nats-server-watchdog"])
        .arg(server.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

fn end(child: &mut Child) {
    // Both fail only for a child that has ended already.
    child.kill().ok();
    child.wait().ok();
}

fn make_dir(dir: &Path) -> Result<PathBuf, BrokerError> {
    fs::create_dir_all(dir)
        .and_then(|()| dir.canonicalize())
        .map_err(|error| store_error(dir, &error))
}

/// Streams of a server without accounts lie in `$G`, where one with accounts does not look.
fn move_streams(store_dir: &Path, account: &str) -> Result<(), BrokerError> {
    let streams = store_dir.join("jetstream");
    let (before, now) = (streams.join("$G"), streams.join(account));
    if !before.is_dir() || now.exists() {
        return Ok(());
    }
    fs::rename(&before, &now).map_err(|error| store_error(&before, &error))
}

/// Opens the log and locks it: two servers on one store would destroy it.
async fn take_store(store_dir: &Path) -> Result<File, BrokerError> {
    let path = log_path(store_dir);
    let log = File::options()
        .create(true)
        .append(true)
        .open(&path)
        .map_err(|error| store_error(&path, &error))?;
    let deadline = Instant::now() + LOCK_LIMIT;
    loop {
        match log.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                sleep(POLL_INTERVAL).await;
            }
            Err(TryLockError::WouldBlock) => {
                let pid = fs::read_to_string(pid_path(store_dir)).ok();
                let pid = pid.and_then(|it| it.trim().parse().ok());
                return Err(BrokerError::InUse { store_dir: store_dir.to_owned(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(store_error(&path, &error)),
        }
    }
    let length = log.metadata().map(|it| it.len()).map_err(|error| store_error(&path, &error))?;
    if length > MAX_LOG_BYTES {
        log.set_len(0).map_err(|error| store_error(&path, &error))?;
    }
    Ok(log)
}

/// The port from the file that the server writes once it listens: `{"nats":["nats://127.0.0.1:4222"]}`.
fn reported_port(ports_dir: &Path) -> Option<u16> {
    let file = fs::read_dir(ports_dir).ok()?.next()?.ok()?.path();
    let ports: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    ports["nats"][0].as_str()?.rsplit_once(':')?.1.parse().ok()
}

/// Whether a client would be greeted with `INFO {…}`.
async fn answers(address: SocketAddr) -> bool {
    let greeting = async {
        let stream = TcpStream::connect(address).await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).take(MAX_INFO_BYTES).read_line(&mut line).await.ok()?;
        Some(line.starts_with("INFO {"))
    };
    matches!(tokio::time::timeout(ANSWER_LIMIT, greeting).await, Ok(Some(true)))
}

/// The last lines of the log since `offset`, indented.
fn log_tail(path: &Path, offset: u64) -> io::Result<String> {
    let tail = read_tail(path, offset, 16 << 10)?;
    let lines: Vec<&str> = tail.lines().collect();
    let last = &lines[lines.len().saturating_sub(LOG_TAIL_LINES)..];
    Ok(last.iter().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n"))
}

/// The end of a file from `offset` on, at most `limit` bytes of it.
pub(crate) fn read_tail(path: &Path, offset: u64, limit: u64) -> io::Result<String> {
    use std::io::{Read, Seek, SeekFrom};

    let mut file = File::open(path)?;
    let offset = offset.max(file.metadata()?.len().saturating_sub(limit));
    file.seek(SeekFrom::Start(offset))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    Ok(String::from_utf8_lossy(&tail).into_owned())
}

fn log_path(store_dir: &Path) -> PathBuf {
    store_dir.join("nats-server.log")
}

fn pid_path(store_dir: &Path) -> PathBuf {
    store_dir.join("nats-server.pid")
}

pub(crate) fn store_error(path: &Path, error: &io::Error) -> BrokerError {
    BrokerError::Store { path: path.to_owned(), why: error.to_string() }
}

fn not_running() -> BrokerError {
    process_error("signal nats-server", io::Error::other("it does not run"))
}

pub(crate) fn process_error(what: &str, source: io::Error) -> BrokerError {
    BrokerError::Process { what: what.to_owned(), source }
}
