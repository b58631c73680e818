//! The services, each a process of its own: started, killed, paused, and started again.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File},
    os::fd::OwnedFd,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::Context;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use tokio::time::{Instant, sleep};

/// How long a service may take to end after SIGTERM; its own limit for draining is shorter.
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL_EVERY: Duration = Duration::from_millis(20);
/// How much of a log explains why its service ended.
const LOG_TAIL_LINES: usize = 3;

/// A service, and how it is started.
pub(crate) struct Service {
    /// Its name, as in `attestry-<name>`.
    pub(crate) name: &'static str,
    /// The program's file.
    pub(crate) program: PathBuf,
    /// Arguments of every replica.
    pub(crate) arguments: Vec<OsString>,
}

/// Every replica of every service.
pub(crate) struct Fleet {
    replicas: Vec<Replica>,
    /// Most memory that a process of each service ever held, in KiB.
    pub(crate) peaks: BTreeMap<&'static str, u64>,
    /// Processes that ended although nobody made them.
    pub(crate) deaths: Vec<String>,
    /// Times that a service could not start because the archive was away.
    pub(crate) refused_starts: usize,
}

struct Replica {
    service: &'static str,
    command: Command,
    log: PathBuf,
    child: Option<Child>,
    /// A pause ends in the process that it began in, not in its successor.
    starts: u64,
    wanted: bool,
}

/// One process of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Paused {
    replica: usize,
    start: u64,
}

impl Fleet {
    /// Starts `count` replicas of each of `services`; what they say goes to `logs`.
    pub(crate) fn start(
        services: &[Service],
        count: usize,
        logs: &std::path::Path,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(logs)?;
        let mut replicas = Vec::new();
        for service in services {
            for number in 1..=count {
                let log = logs.join(format!("{}-{number}.log", service.name));
                let mut command = Command::new(&service.program);
                command.args(&service.arguments).stdin(Stdio::null());
                let (child, starts) = (None, 0);
                let service = service.name;
                replicas.push(Replica { service, command, log, child, starts, wanted: true });
            }
        }
        let (peaks, deaths) = (BTreeMap::new(), Vec::new());
        let mut fleet = Self { replicas, peaks, deaths, refused_starts: 0 };
        fleet.revive(false)?;
        Ok(fleet)
    }

    /// Whether `service` is meant to run now.
    pub(crate) fn is_wanted(&self, service: &str) -> bool {
        self.of(service).any(|index| self.replicas[index].wanted)
    }

    /// Kills a replica as a crash would (SIGKILL), and starts it again at once.
    pub(crate) fn kill(&mut self, service: &str, number: usize) -> anyhow::Result<()> {
        let Some(index) = self.of(service).nth(number) else { return Ok(()) };
        self.measure();
        self.replicas[index].kill();
        self.replicas[index].start()
    }

    /// Kills every replica of a service; nothing is started before [`Fleet::revive`].
    pub(crate) fn kill_service(&mut self, service: &str) {
        self.measure();
        let meant = self.replicas.iter_mut().filter(|it| it.service == service);
        meant.for_each(Replica::kill);
    }

    /// Kills everything at once; nothing is started before [`Fleet::revive`].
    pub(crate) fn kill_all(&mut self) {
        self.measure();
        self.replicas.iter_mut().for_each(Replica::kill);
    }

    /// Starts whatever is meant to run and does not; one that ended by itself is remembered, unless
    /// it is `excused` because it could not have started.
    pub(crate) fn revive(&mut self, excused: bool) -> anyhow::Result<()> {
        for replica in self.replicas.iter_mut().filter(|it| it.wanted) {
            if let Some(child) = &mut replica.child {
                let Some(status) = child.try_wait()? else { continue };
                let (service, tail) = (replica.service, replica.log_tail());
                // After a kill there is no policy of before that could judge.
                let had_no_policy =
                    service == "policy-gate" && tail.contains("Rego v1 is expected");
                if excused || had_no_policy {
                    self.refused_starts += 1;
                } else {
                    self.deaths.push(format!("{service} ended by itself ({status}): {tail}"));
                }
            }
            replica.start()?;
        }
        Ok(())
    }

    /// Stops a replica in its tracks (SIGSTOP).
    pub(crate) fn pause(&mut self, service: &str, number: usize) -> anyhow::Result<Option<Paused>> {
        let Some(replica) = self.of(service).nth(number) else { return Ok(None) };
        self.replicas[replica].signal(Signal::STOP)?;
        Ok(Some(Paused { replica, start: self.replicas[replica].starts }))
    }

    /// Lets a paused process go on, if it still is the same one.
    pub(crate) fn resume(&mut self, paused: Paused) -> anyhow::Result<()> {
        let replica = &mut self.replicas[paused.replica];
        if replica.starts == paused.start { replica.signal(Signal::CONT) } else { Ok(()) }
    }

    /// A handle on the first replica of `service` that runs, which means no other process later.
    pub(crate) fn handle(&self, service: &str) -> anyhow::Result<Option<OwnedFd>> {
        let mut running = self.of(service).filter_map(|it| self.replicas[it].child.as_ref());
        let open = |child| pidfd_open(Pid::from_child(child), PidfdFlags::empty());
        running.next().map(open).transpose().with_context(|| format!("cannot watch {service}"))
    }

    /// Asks every replica of `service`, or of all, to end (SIGTERM) and waits until it has.
    pub(crate) async fn stop(&mut self, service: Option<&str>) -> anyhow::Result<()> {
        self.measure();
        let meant = |it: &&mut Replica| service.is_none_or(|name| name == it.service);
        for replica in self.replicas.iter_mut().filter(meant) {
            replica.wanted = false;
            replica.signal(Signal::TERM)?;
            replica.signal(Signal::CONT)?;
        }
        let deadline = Instant::now() + STOP_LIMIT;
        for replica in self.replicas.iter_mut().filter(meant) {
            while let Some(child) = &mut replica.child {
                let name = replica.service;
                match child.try_wait()? {
                    Some(status) if status.success() => replica.child = None,
                    Some(status) => {
                        self.deaths.push(format!("{name} ended badly after SIGTERM ({status})"));
                        replica.child = None;
                    }
                    None if Instant::now() > deadline => {
                        let limit = STOP_LIMIT.as_secs();
                        self.deaths.push(format!("{name} ran on for {limit} s after SIGTERM"));
                        replica.kill();
                    }
                    None => sleep(POLL_EVERY).await,
                }
            }
        }
        Ok(())
    }

    /// Starts a service again that was stopped.
    pub(crate) fn start_again(&mut self, service: &str) -> anyhow::Result<()> {
        for index in self.of(service).collect::<Vec<_>>() {
            self.replicas[index].wanted = true;
        }
        self.revive(false)
    }

    /// The end of what the first replica of `service` said.
    pub(crate) fn last_words(&self, service: &str) -> String {
        let first = self.of(service).next();
        first.map(|index| self.replicas[index].log_tail()).unwrap_or_default()
    }

    /// Notes the peak of every process that runs.
    pub(crate) fn measure(&mut self) {
        for replica in &self.replicas {
            let peak = replica.child.as_ref().and_then(|child| peak_memory(child.id()));
            let known = self.peaks.entry(replica.service).or_default();
            *known = peak.unwrap_or_default().max(*known);
        }
    }

    fn of<'a>(&'a self, service: &'a str) -> impl Iterator<Item = usize> + 'a {
        let numbered = self.replicas.iter().enumerate();
        numbered.filter(move |(_, it)| it.service == service).map(|(index, _)| index)
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.replicas.iter_mut().for_each(Replica::kill);
    }
}

impl Replica {
    fn start(&mut self) -> anyhow::Result<()> {
        let log = File::options().create(true).append(true).open(&self.log)?;
        self.command.stdout(log.try_clone()?).stderr(log);
        let child = self.command.spawn();
        self.child = Some(child.with_context(|| format!("cannot start {}", self.service))?);
        self.starts += 1;
        Ok(())
    }

    fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        // Both fail only for a process that has ended already.
        child.kill().ok();
        child.wait().ok();
    }

    fn signal(&mut self, signal: Signal) -> anyhow::Result<()> {
        let Some(child) = &mut self.child else { return Ok(()) };
        // Once reaped, its number may be another's.
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        kill_process(Pid::from_child(child), signal)
            .with_context(|| format!("cannot signal {}", self.service))
    }

    fn log_tail(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(LOG_TAIL_LINES).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
    }
}

/// Most memory that a process ever held, in KiB; only Linux says.
pub(crate) fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
