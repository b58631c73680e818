//! Processes of a system under measurement, and what the kernel says they used.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, bail};
use serde::Serialize;

/// The unit of CPU time in /proc: 100 a second on every Linux that we know of (USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

/// A process of ours, killed when dropped: nothing of a measurement is kept.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    log: String,
}

/// What processes of one name used.
#[derive(Debug, Serialize)]
pub(crate) struct Usage {
    /// The service, or the server.
    pub(crate) process: &'static str,
    /// Processes of this name.
    pub(crate) replicas: usize,
    /// Most memory that one of them ever had (`VmHWM`), in bytes.
    pub(crate) peak_memory_bytes: u64,
    /// CPU time of all of them per build of the throughput run, in milliseconds.
    pub(crate) cpu_ms_per_build: f64,
}

/// What processes used so far, by name.
#[derive(Default)]
pub(crate) struct Snapshot(BTreeMap<&'static str, Used>);

#[derive(Default)]
struct Used {
    processes: usize,
    peak_memory_bytes: u64,
    cpu_seconds: f64,
}

impl Process {
    /// Starts `command`, which writes its log to `<logs>/<name>-<number>.log`.
    pub(crate) fn start(
        name: &'static str,
        number: usize,
        command: &mut Command,
        logs: &Path,
    ) -> anyhow::Result<Self> {
        let log = logs.join(format!("{name}-{number}.log"));
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        // A developer's setting that makes every error of the policy engine walk the stack.
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn();
        let program = command.get_program().display().to_string();
        let child = child.with_context(|| format!("cannot start {program}; is it built?"))?;
        Ok(Self { name, child, log: log.display().to_string() })
    }

    /// Fails when the process ended, with what it said.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let said = fs::read_to_string(&self.log).unwrap_or_default();
        let (name, log) = (self.name, &self.log);
        bail!("{name} ended ({status}); {log} says:\n{said}")
    }

    /// Adds what it used to `snapshot`.
    pub(crate) fn measure(&self, snapshot: &mut Snapshot) -> anyhow::Result<()> {
        snapshot.add(self.name, self.child.id())
    }

    /// Adds what the processes used that it started itself, as `name`.
    pub(crate) fn measure_children(
        &self,
        name: &'static str,
        snapshot: &mut Snapshot,
    ) -> anyhow::Result<()> {
        let threads = format!("/proc/{}/task", self.child.id());
        for thread in fs::read_dir(&threads).with_context(|| threads.clone())? {
            // A thread that has ended since has no children.
            let children = fs::read_to_string(thread?.path().join("children"));
            for child in children.unwrap_or_default().split_whitespace() {
                snapshot.add(name, child.parse().context("a process id")?)?;
            }
        }
        Ok(())
    }

    /// Name of the service.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only for a process that has ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Snapshot {
    /// Adds what process `pid`, one of those called `name`, used.
    pub(crate) fn add(&mut self, name: &'static str, pid: u32) -> anyhow::Result<()> {
        let read = |file: &str| {
            let path = format!("/proc/{pid}/{file}");
            fs::read_to_string(&path).with_context(|| format!("cannot read {path} of {name}"))
        };
        let peak = peak_memory(&read("status")?).context("/proc names no VmHWM")?;
        let cpu = cpu_seconds(&read("stat")?).context("/proc names no CPU time")?;
        let used = self.0.entry(name).or_default();
        used.processes += 1;
        used.peak_memory_bytes = used.peak_memory_bytes.max(peak);
        used.cpu_seconds += cpu;
        Ok(())
    }

    /// What was used since `before`, in which `builds` were answered.
    pub(crate) fn since(self, before: &Self, builds: usize) -> Vec<Usage> {
        let usage = |(process, used): (&'static str, Used)| {
            let cpu_before = before.0.get(process).map_or(0.0, |it| it.cpu_seconds);
            Usage {
                process,
                replicas: used.processes,
                peak_memory_bytes: used.peak_memory_bytes,
                cpu_ms_per_build: (used.cpu_seconds - cpu_before) * 1_000.0 / builds as f64,
            }
        };
        self.0.into_iter().map(usage).collect()
    }
}

/// `VmHWM` of `/proc/<pid>/status`, in bytes.
pub(crate) fn peak_memory(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// User and system time of `/proc/<pid>/stat`, in seconds.
fn cpu_seconds(stat: &str) -> Option<f64> {
    // The name of the program, in brackets, may hold spaces and brackets.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peak_memory_is_read_in_bytes() {
        assert_eq!(peak_memory("Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2 << 20));
        assert_eq!(peak_memory("Name:\tx\n"), None);
    }

    #[test]
    fn name_with_brackets_and_spaces_moves_no_field() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 9 0 5 6 7";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds("7 (a) S 1"), None);
    }
}
