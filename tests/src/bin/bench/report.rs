//! The table for people, and the numbers for machines.

use std::{fmt::Write, fs, path::Path};

use anyhow::Context;
use serde::Serialize;

use crate::{
    load::Latency,
    pipeline::{Configuration, Measured, Row, Size, Sync},
    processes::Usage,
};

const MIB: f64 = 1024.0 * 1024.0;

/// Everything that was measured, and on what.
#[derive(Serialize)]
struct Report<'a> {
    /// `debug` numbers say nothing about the product.
    profile: &'static str,
    cpus: usize,
    rows: &'a [Row],
}

/// The numbers as JSON.
pub(crate) fn json(rows: &[Row]) -> anyhow::Result<String> {
    let report = Report { profile: profile(), cpus: cpus(), rows };
    serde_json::to_string_pretty(&report).context("the numbers cannot be written as JSON")
}

/// Writes the numbers of a benchmark to `path`.
pub(crate) fn write(path: &Path, numbers: &str) -> anyhow::Result<()> {
    let directory = path.parent().context("the file for the numbers has no directory")?;
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(path, numbers))
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("Numbers: {}", path.display());
    Ok(())
}

/// What is measured next.
pub(crate) fn title(configuration: &Configuration) -> String {
    let Configuration { sync, replicas, size, builds } = configuration;
    format!("sync {}, {replicas} of each, {builds} builds, {}", name(*sync), kind(*size))
}

/// One system on one line.
pub(crate) fn summary(measured: &Measured) -> String {
    let latency = measured.latency.as_ref().map_or_else(String::new, |it| {
        format!(", p50 {:.1} ms, p99 {:.1} ms", it.p50_ms, it.p99_ms)
    });
    format!("{:.1} builds/s{latency}", measured.builds_per_second)
}

/// All configurations beside their floors.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = format!(
        "{} build, {} CPUs; busy: CPUs that all processes together kept busy\n\
         latency in ms: median of the runs, from the upload to the stored verdict\n\n",
        profile(),
        cpus()
    );
    table += "sync     replicas  build    builds/s  events/s  busy   floor  busy  ratio     p50     p99  floor p50  floor p99\n";
    for Row { configuration, pipeline, floor, throughput_ratio } in rows {
        let Configuration { sync, replicas, size, .. } = configuration;
        let [p50, p99] = percentiles(pipeline.latency.as_ref());
        let [floor_p50, floor_p99] = percentiles(floor.latency.as_ref());
        // Writing to a String cannot fail.
        writeln!(
            table,
            "{:8} {replicas:8}  {:7} {:9.1} {:9.1} {:5.2} {:7.1} {:5.2} {throughput_ratio:6.2} {p50:>7} {p99:>7} {floor_p50:>10} {floor_p99:>10}",
            name(*sync),
            kind(*size),
            pipeline.builds_per_second,
            pipeline.events_per_second,
            pipeline.busy_cpus,
            floor.builds_per_second,
            floor.busy_cpus,
        )
        .unwrap_or_default();
    }
    table += "\nPeak memory of one process in MiB, and CPU time of all in ms per build\n\n";
    table +=
        "sync     replicas  build    process           MiB   CPU ms  floor MiB  floor CPU ms\n";
    for row in rows {
        for usage in &row.pipeline.processes {
            let floor = row.floor.processes.iter().find(|it| it.process == usage.process);
            writeln!(table, "{}", usage_line(&row.configuration, usage, floor)).unwrap_or_default();
        }
    }
    table
}

fn usage_line(configuration: &Configuration, usage: &Usage, floor: Option<&Usage>) -> String {
    let Configuration { sync, replicas, size, .. } = configuration;
    let memory = |it: &Usage| format!("{:.1}", it.peak_memory_bytes as f64 / MIB);
    let cpu = |it: &Usage| format!("{:.2}", it.cpu_ms_per_build);
    format!(
        "{:8} {replicas:8}  {:7}  {:14} {:>6} {:>8} {:>10} {:>13}",
        name(*sync),
        kind(*size),
        usage.process,
        memory(usage),
        cpu(usage),
        floor.map_or_else(|| "-".to_owned(), memory),
        floor.map_or_else(|| "-".to_owned(), cpu),
    )
}

fn percentiles(latency: Option<&Latency>) -> [String; 2] {
    match latency {
        Some(it) => [it.p50_ms, it.p99_ms].map(|ms| format!("{ms:.1}")),
        None => ["-", "-"].map(str::to_owned),
    }
}

fn name(sync: Sync) -> &'static str {
    match sync {
        Sync::Always => "always",
        Sync::Default => "default",
    }
}

fn kind(size: Size) -> &'static str {
    match size {
        Size::Small => "small",
        Size::Hotpass => "hotpass",
    }
}

/// How this program, and everything beside it, was built.
pub(crate) fn profile() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
