//! `cargo xtask bench`: builds services and benchmark, optimised unless it is a smoke run, and runs it.

use std::{env, process::Command};

use anyhow::Context;

use crate::steps::Steps;

/// Settings of `cargo xtask bench`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What is measured, and how: `pipeline`, `ingest`, `registry` or `sbom`, each with `--help`; or `advisories`, `backlog`, `signing`, or `policy`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        required = true,
        value_name = "BENCHMARK"
    )]
    benchmark: Vec<String>,
}

/// Runs the benchmark as asked.
pub(crate) fn run(steps: &mut Steps, args: &Args) -> anyhow::Result<()> {
    match args.benchmark.first().map(String::as_str) {
        Some("signing") => return steps.cargo("bench --package attestation --bench signing"),
        Some("policy") => return steps.cargo("bench --package policy --bench judging"),
        Some("advisories") => return cargo_bench(steps, args, "advisories", "matching"),
        Some("backlog") => return cargo_bench(steps, args, "backlog-mapper", "changed"),
        _ => {}
    }
    // A smoke run is about whether it works, and CI has built everything that way.
    let is_quick = |it: &String| matches!(it.as_str(), "--quick" | "--help");
    let (profile, flag) = match args.benchmark.iter().any(is_quick) {
        true => ("debug", ""),
        false => ("release", " --release"),
    };
    let programs = match args.benchmark.first().map(String::as_str) {
        // Each optimised program takes minutes to link.
        Some("sbom") => "--package attestry --package e2e-tests --bin attestry --bin bench",
        Some("ingest") => "--package e2e-tests --bin bench",
        _ => "--workspace --bins",
    };
    steps.cargo(&format!("build {programs}{flag}"))?;
    // This program lies in the same target directory, below its own profile.
    let program = env::current_exe()?;
    let target = program.parent().and_then(|it| it.parent());
    let target = target.context("xtask does not run from a target directory")?;
    steps.run(Command::new(target.join(profile).join("bench")).args(&args.benchmark))
}

fn cargo_bench(steps: &mut Steps, args: &Args, package: &str, bench: &str) -> anyhow::Result<()> {
    let quick = args.benchmark.iter().any(|it| it == "--quick");
    let profile = if quick { " --profile dev" } else { "" };
    let given = args.benchmark[1..].join(" ");
    steps.cargo(&format!("bench --package {package} --bench {bench}{profile} -- {given}"))
}
