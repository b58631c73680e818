//! `cargo xtask fuzz`: every target of `fuzz/` for a while; needs cargo-fuzz.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, ensure};

use crate::steps::Steps;

/// Settings of `cargo xtask fuzz`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Targets [default: all of fuzz/fuzz_targets]
    targets: Vec<String>,
    /// How long each target runs, in seconds
    #[arg(long, default_value_t = 600)]
    seconds: u32,
    /// Processes that fuzz one target at once
    #[arg(long, default_value_t = 1)]
    jobs: u32,
}

/// Real documents that fuzzing begins with.
const SEEDS: [(&str, &str); 3] = [
    ("lockfiles", "shared/documents/fixtures/lockfiles"),
    ("boms", "shared/documents/fixtures"),
    ("metadata", "shared/documents/fixtures/metadata"),
];
/// Larger inputs are slow to mutate and reach nothing new.
const LONGEST_INPUT: u64 = 32 * 1024;
/// Most memory of a target, in MiB.
const MEMORY: u32 = 2048;
/// Longest time for one input, in seconds.
const TIMEOUT: u32 = 10;

/// Runs every target as asked; a finding is an error, and its input lies in `fuzz/artifacts`.
pub(crate) fn run(steps: &mut Steps, args: &Args) -> anyhow::Result<()> {
    let installed = Command::new("cargo").args(["fuzz", "--version"]).output();
    ensure!(
        installed.is_ok_and(|it| it.status.success()),
        "cargo-fuzz is missing; install it with `cargo install cargo-fuzz`"
    );
    let targets = if args.targets.is_empty() { all()? } else { args.targets.clone() };
    for target in &targets {
        seed(target)?;
        steps.step(&format!("fuzz {target}"), || fuzz(target, args))?;
    }
    Ok(())
}

fn all() -> anyhow::Result<Vec<String>> {
    let manifest = fs::read_to_string("fuzz/Cargo.toml").context("cannot read fuzz/Cargo.toml")?;
    let manifest: toml::Table = manifest.parse()?;
    let bins = manifest.get("bin").and_then(toml::Value::as_array).context("no [[bin]]")?;
    let names = bins.iter().filter_map(|bin| Some(bin.get("name")?.as_str()?.to_owned()));
    Ok(names.collect())
}

/// Copies small fixtures into the target's corpus, with a first byte for every format of a family.
fn seed(target: &str) -> anyhow::Result<()> {
    let corpus = Path::new("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus)?;
    let seeds = SEEDS.iter().filter(|(prefix, _)| target.starts_with(prefix));
    for (prefix, folder) in seeds {
        for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
            let is_small =
                entry.metadata().is_ok_and(|it| it.is_file() && it.len() <= LONGEST_INPUT);
            if !is_small {
                continue;
            }
            let bytes = fs::read(entry.path())?;
            let name = entry.file_name().to_string_lossy();
            match *prefix {
                "boms" => fs::write(corpus.join(&*name), bytes)?,
                _ => {
                    for format in 0_u8..12 {
                        let with_format: Vec<u8> =
                            [format].into_iter().chain(bytes.clone()).collect();
                        fs::write(corpus.join(format!("{format}-{name}")), with_format)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn fuzz(target: &str, args: &Args) -> anyhow::Result<()> {
    let mut command = Command::new("cargo");
    // The toolchain is a stable one: coverage needs no more than leave, sanitizers would.
    command.env("RUSTC_BOOTSTRAP", "1");
    command.args(["fuzz", "run", "--sanitizer", "none", target, "--"]);
    command.arg(format!("-max_total_time={}", args.seconds));
    command.arg(format!("-max_len={LONGEST_INPUT}"));
    command.arg(format!("-rss_limit_mb={MEMORY}"));
    command.arg(format!("-timeout={TIMEOUT}"));
    if args.jobs > 1 {
        command.arg(format!("-fork={}", args.jobs));
    }
    let status = command.status().context("cannot start cargo fuzz")?;
    ensure!(status.success(), "{target} has a finding; its input lies in fuzz/artifacts/{target}");
    Ok(())
}
