//! `cargo xtask chaos`: builds the services and the driver that kills them, and runs it.

use std::{env, path::PathBuf, process::Command};

use crate::steps::Steps;

/// What the driver is given by CI: short, and still every kind of fault and of broken drop, and a death at every
/// step of a submission.
const SHORT: [&str; 2] = [
    "--builds 200 --drops 22 --kills 10 --seed 1",
    "--builds 0 --drops 90 --kills 0 --kills-per-step 1 --seed 1",
];

/// Settings of `cargo xtask chaos`.
#[derive(Debug, clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Args {
    /// Build everything optimised
    #[arg(long)]
    release: bool,
    /// What the driver is told; `--help` lists it
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTIONS")]
    driver: Vec<String>,
}

/// Runs the driver as asked.
pub(crate) fn run(steps: &mut Steps, args: &Args) -> anyhow::Result<()> {
    let profile = if args.release { "release" } else { "debug" };
    steps.cargo(&format!(
        "build --workspace --bins{}",
        if args.release { " --release" } else { "" }
    ))?;
    steps.run(Command::new(driver(profile)?).args(&args.driver))
}

/// The runs that every change must pass.
pub(crate) fn short(steps: &mut Steps) -> anyhow::Result<()> {
    SHORT.iter().try_for_each(|options| {
        let driver = options.split(' ').map(str::to_owned).collect();
        run(steps, &Args { release: false, driver })
    })
}

/// Where cargo puts the driver: this program lies in the same target directory.
fn driver(profile: &str) -> anyhow::Result<PathBuf> {
    let program = env::current_exe()?;
    let target = program.parent().and_then(|it| it.parent());
    let target =
        target.ok_or_else(|| anyhow::anyhow!("{} has no target directory", program.display()))?;
    Ok(target.join(profile).join("chaos"))
}
