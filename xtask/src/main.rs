//! `cargo xtask <command>`: what developers and CI run, in one place.

#![allow(clippy::print_stderr, reason = "a developer's tool talks to the terminal")]

mod ci;
mod deny;
mod steps;
mod tidy;

use std::{env, path::Path};

use anyhow::Context;
use clap::Parser;
use steps::Steps;

/// What developers and CI run.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Xtask {
    /// Everything that a change must pass, cheapest first
    Ci,
    /// The rules of ARCHITECTURE.md that the compiler does not check
    Tidy,
    /// All tests
    Test,
    /// Documentation of every crate; a warning is an error
    Docs,
}

fn main() -> anyhow::Result<()> {
    let xtask = Xtask::parse();
    // Paths below are those of the repository, wherever we are called.
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("xtask has no parent")?;
    env::set_current_dir(root).with_context(|| format!("cannot enter {}", root.display()))?;

    let mut steps = Steps::default();
    match xtask {
        Xtask::Ci => ci::everything(&mut steps)?,
        Xtask::Tidy => ci::tidy(&mut steps)?,
        Xtask::Test => ci::test(&mut steps)?,
        Xtask::Docs => ci::docs(&mut steps)?,
    }
    steps.print_summary();
    Ok(())
}
