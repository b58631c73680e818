//! A million components against 300,000 advisories: `cargo xtask bench advisories`.
//!
//! Building and matching are measured in processes of their own. A matching process opens the index and holds its
//! components against it on two threads: each alone, with nothing kept in between, or each thread all of its own at once.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a benchmark")]

mod made;

use std::{
    fs::{self, File},
    io::BufWriter,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::Instant,
};

use advisories::{Index, Package};
use made::World;
use serde_json::{Value, json};

/// As in the services.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const THREADS: u64 = 2;
const RECORDS: u64 = 300_000;
const COMPONENTS: [u64; 3] = [10_000, 100_000, 1_000_000];
/// Components that are made, and then looked up one by one, so that making them is not measured.
const BATCH: u64 = 10_000;
const ALONE: &str = "one by one";
const TOGETHER: &str = "at once";
/// A process has used so much of a processor when a tick is added, in seconds.
const TICK: f64 = 0.01;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["--build", sources, index] => println!("{}", build(Path::new(sources), Path::new(index))),
        ["--match", how, index, records, seed, components] => {
            let world = World { seed: seed.parse().unwrap(), records: records.parse().unwrap() };
            let components = components.parse().unwrap();
            println!("{}", look_up(Path::new(index), world, components, how == TOGETHER));
        }
        [] => measure(World { seed: 1, records: RECORDS }, &COMPONENTS),
        ["--quick"] => measure(World { seed: 1, records: 3_000 }, &[1_000, 10_000]),
        ["--seed", seed] => {
            measure(World { seed: seed.parse().unwrap(), records: RECORDS }, &COMPONENTS);
        }
        _ => panic!("usage: [--quick | --seed NUMBER]"),
    }
}

fn measure(world: World, components: &[u64]) {
    let place = place();
    let [sources, index] = ["sources", "index"].map(|it| place.join(it));
    fs::create_dir_all(&sources).unwrap();
    let file = |name: &str| BufWriter::new(File::create(sources.join(name)).unwrap());
    world.write_records(file("records.jsonl")).unwrap();
    world.write_scores(file("scores.csv")).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();

    let built = child(&["--build", &text(&sources), &text(&index)]);
    println!("{} advisories, seed {}, {THREADS} threads\n", built["advisories"], world.seed);
    println!("| | open s | then s | CPU s in all | peak MiB | |");
    println!("|---|---|---|---|---|---|");
    let note = format!("{} MiB of sources, {} MiB of index", built["read"], built["written"]);
    row("build and save", &built, &note);
    for how in [ALONE, TOGETHER] {
        for count in components {
            let [records, seed, count] =
                [world.records, world.seed, *count].map(|it| it.to_string());
            let said = child(&["--match", how, &text(&index), &records, &seed, &count]);
            row(&format!("match {count} {how}"), &said, &format!("{} matches", said["matches"]));
        }
    }
    fs::remove_dir_all(&place).unwrap();
}

fn row(what: &str, said: &Value, note: &str) {
    let open = said["open"].as_f64().map(|it| it.to_string()).unwrap_or_default();
    let [seconds, cpu, peak] = [&said["seconds"], &said["cpu"], &said["peak"]];
    println!("| {what} | {open} | {seconds} | {cpu} | {peak} | {note} |");
}

/// A new directory in the target directory.
fn place() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let place = root.join("target/bench/advisories");
    if place.exists() {
        fs::remove_dir_all(&place).unwrap();
    }
    place
}

/// Runs this program again, and reads what it prints.
fn child(arguments: &[&str]) -> Value {
    let itself = std::env::current_exe().unwrap();
    let output = Command::new(itself).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn build(sources: &Path, directory: &Path) -> Value {
    let began = Instant::now();
    let (index, report) = Index::build(&[sources.to_owned()]).unwrap();
    index.save(directory).unwrap();
    let seconds = seconds(began);
    assert_eq!(report.problem_count, 0, "{:?}", report.problems.first());
    json!({
        "advisories": index.len(),
        "seconds": seconds,
        "cpu": cpu(),
        "read": size(sources),
        "written": size(directory),
        "peak": peak(),
    })
}

fn look_up(directory: &Path, world: World, count: u64, together: bool) -> Value {
    let began = Instant::now();
    let index = Index::current(directory).unwrap().unwrap();
    let open = seconds(began);
    let part = count / THREADS;
    let work = if together { at_once } else { one_by_one };
    let done: Vec<(usize, f64)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS)
            .map(|number| {
                let index = &index;
                let components = world.components(number, part);
                scope.spawn(move || work(index, &mut { components }))
            })
            .collect();
        workers.into_iter().map(|it| it.join().unwrap()).collect()
    });
    let matches: usize = done.iter().map(|(matches, _)| matches).sum();
    assert!(matches > 0, "nothing matches");
    // Threads that wait for nobody: the slower one tells.
    let slowest = done.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max);
    json!({ "open": open, "seconds": round(slowest), "cpu": cpu(), "matches": matches, "peak": peak() })
}

/// How many matches the components have, and how long looking them up took.
fn one_by_one(index: &Index, components: &mut dyn Iterator<Item = Package>) -> (usize, f64) {
    let (mut matches, mut took) = (0, 0.0);
    loop {
        let batch: Vec<_> = components.take(BATCH as usize).collect();
        if batch.is_empty() {
            return (matches, took);
        }
        let began = Instant::now();
        matches += batch.iter().map(|it| index.matches(it).len()).sum::<usize>();
        took += began.elapsed().as_secs_f64();
    }
}

fn at_once(index: &Index, components: &mut dyn Iterator<Item = Package>) -> (usize, f64) {
    let packages: Vec<_> = components.collect();
    let began = Instant::now();
    let mut matches = 0;
    index.matches_of(&packages, |_, found| matches += found.len());
    (matches, began.elapsed().as_secs_f64())
}

fn seconds(began: Instant) -> f64 {
    round(began.elapsed().as_secs_f64())
}

fn round(seconds: f64) -> f64 {
    (seconds * 1_000.0).round() / 1_000.0
}

/// Of all files in a directory, in MiB.
fn size(directory: &Path) -> u64 {
    let files = fs::read_dir(directory).unwrap();
    files.map(|it| it.unwrap().metadata().unwrap().len()).sum::<u64>() >> 20
}

/// How long this process had a processor, of the program and for it.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    // The name of the program, in brackets, may hold spaces.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    round(ticks.map(|it| it.parse::<f64>().unwrap() * TICK).sum())
}

/// Most memory that this process ever had, in MiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() >> 10
}
