//! `cargo xtask <command>`: what developers and CI run, in one place.

#![allow(clippy::print_stderr, reason = "a developer's tool talks to the terminal")]

mod bench;
mod chaos;
mod ci;
mod demo;
mod deny;
mod fuzz;
mod interop;
mod readme;
mod schemas;
mod steps;
mod tidy;

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Parser, ValueEnum};
use steps::Steps;

/// What developers and CI run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Xtask {
    /// Run the pipeline on a real build and show what happens; fetches what is missing
    Demo,
    /// Everything that a change must pass, cheapest first
    Ci,
    /// The rules of ARCHITECTURE.md that the compiler does not check
    Tidy,
    /// All tests
    Test,
    /// Write the schemas of docs/schemas and the documentation of every crate; a warning is an error
    Docs,
    /// Kill and pause a running pipeline at moments that a seed decides, then count what is left
    Chaos(chaos::Args),
    /// Measure this machine: `pipeline` and `ingest` beside their floors, `registry`, or `sbom` beside its peers; a full run builds optimised
    Bench(bench::Args),
    /// Feed every reader with mutated documents for a while; needs cargo-fuzz
    Fuzz(fuzz::Args),
    /// A private Sigstore on loopback, for labs: its files are in target/sigstore
    #[command(subcommand)]
    Sigstore(Sigstore),
    /// Let other projects' programs check what ours writes; needs python3, npm and the network
    Interop {
        /// What they check
        #[arg(value_enum)]
        what: Interop,
        /// For `advisories`: a directory of OSV records, then lockfiles or directories of them; for `sbom`: lockfiles or
        /// directories of them [default: our fixtures; for `sbom`, our own Cargo.lock too]
        #[arg(value_name = "PATH")]
        over: Vec<PathBuf>,
    },
}

/// What is done with the private Sigstore.
#[derive(Clone, Copy, Debug, clap::Subcommand)]
enum Sigstore {
    /// Start it and let it run until Ctrl-C
    Up,
}

/// What other projects' programs check.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Interop {
    /// The demo's statements and bundles, with in-toto's Python types and Sigstore's JavaScript verifier
    Evidence,
    /// Which OSV records affect the packages of lockfiles, with PyPA's packaging and PyPI's semver
    Advisories,
    /// Lockfiles, as syft, cdxgen, uv, cyclonedx-py, cyclonedx-npm and cargo-cyclonedx understand them; cdx-validate and ntia-conformance-checker
    Sbom,
    /// The policy library over made-up inputs, with OPA itself and rego-cpp
    Policy,
    /// Signatures made with a private Sigstore, ours by sigstore-python and @sigstore/verify, theirs by us
    Sigstore,
}

fn main() -> anyhow::Result<()> {
    let xtask = Xtask::parse();
    // Paths below are those of the repository, wherever we are called.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))?;

    let mut steps = Steps::default();
    match xtask {
        Xtask::Demo => return demo::run(&mut steps),
        Xtask::Ci => ci::everything(&mut steps)?,
        Xtask::Tidy => ci::tidy(&mut steps)?,
        Xtask::Test => ci::test(&mut steps)?,
        Xtask::Docs => {
            steps.step("schemas", schemas::write)?;
            ci::docs(&mut steps)?;
        }
        Xtask::Chaos(args) => chaos::run(&mut steps, &args)?,
        Xtask::Bench(args) => bench::run(&mut steps, &args)?,
        Xtask::Fuzz(args) => fuzz::run(&mut steps, &args)?,
        Xtask::Interop { what: Interop::Evidence, .. } => interop::evidence(&mut steps)?,
        Xtask::Interop { what: Interop::Advisories, over } => {
            interop::advisories(&mut steps, over)?;
        }
        Xtask::Interop { what: Interop::Sbom, over } => interop::sbom(&mut steps, over)?,
        Xtask::Interop { what: Interop::Policy, .. } => interop::policy(&mut steps)?,
        Xtask::Interop { what: Interop::Sigstore, .. } => interop::signatures(&mut steps)?,
        Xtask::Sigstore(Sigstore::Up) => steps.cargo("run --quiet --package private-sigstore")?,
    }
    steps.print_summary();
    Ok(())
}
