//! How long a command takes, and how much memory.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use serde::Serialize;

/// What the runs of a command came to.
#[derive(Debug, Serialize)]
pub(super) struct Measured {
    /// Median of the runs from start to exit, in milliseconds.
    pub(super) median_ms: f64,
    /// The fastest run.
    pub(super) fastest_ms: f64,
    /// Most memory of the process itself, its children not counted (`VmHWM`), in bytes.
    pub(super) peak_bytes: u64,
}

/// Runs `command` in `folder`: once to warm the caches and see its memory, then `runs` times.
pub(super) fn measure(command: &[String], folder: &Path, runs: usize) -> anyhow::Result<Measured> {
    let peak_bytes = peak(start(command, folder)?)?;
    let mut times = Vec::new();
    for _ in 0..runs.max(1) {
        let began = Instant::now();
        let status = start(command, folder)?.wait()?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
        ensure!(status.success(), "{} ended with {status}", command[0]);
    }
    let fastest_ms = times.iter().copied().fold(f64::INFINITY, f64::min);
    Ok(Measured { median_ms: crate::stats::percentile(&mut times, 50), fastest_ms, peak_bytes })
}

fn start(command: &[String], folder: &Path) -> anyhow::Result<Child> {
    let [program, arguments @ ..] = command else { bail!("no command") };
    let mut process = Command::new(program);
    process.args(arguments).current_dir(folder).stdin(Stdio::null());
    // No peer may ask a server: what is measured is reading.
    for name in ["http_proxy", "https_proxy", "npm_config_registry"] {
        process.env(name, "http://127.0.0.1:9");
    }
    process.env("FETCH_LICENSE", "false").stdout(Stdio::null()).stderr(Stdio::null());
    process.spawn().with_context(|| format!("cannot start {program}"))
}

/// The high-water mark of the process, looked at until it ends.
fn peak(mut process: Child) -> anyhow::Result<u64> {
    let status = format!("/proc/{}/status", process.id());
    let mut peak = 0;
    loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let kib = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = kib.and_then(|it| it.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or_default() * 1024);
        if let Some(ended) = process.try_wait()? {
            ensure!(ended.success(), "ended with {ended}");
            return Ok(peak);
        }
        thread::sleep(Duration::from_micros(200));
    }
}
