//! `cargo deny` at a pinned version: what it allows is in `deny.toml`.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::steps::{Steps, cargo};

const VERSION: &str = "0.20.2";
const TOOLS: &str = "target/tools";

/// The advisory database is not checked: CI does not reach it.
pub(crate) fn check(steps: &mut Steps) -> anyhow::Result<()> {
    let ours = Path::new(TOOLS).join("bin/cargo-deny");
    let on_path = Path::new("cargo-deny");
    let program = match [on_path, &ours].into_iter().find(|it| is_pinned_version(it)) {
        Some(program) => program,
        None => {
            install(steps)?;
            &ours
        }
    };
    steps.run(Command::new(program).args(["--locked", "check", "bans", "licenses", "sources"]))
}

/// Without optimisation, which would take longer than all checks it will ever do here.
fn install(steps: &mut Steps) -> anyhow::Result<()> {
    let what = format!("install --locked --debug cargo-deny --version {VERSION} --root {TOOLS}");
    let mut install = cargo(&what);
    install.env("CARGO_PROFILE_DEV_DEBUG", "false");
    steps.run(&mut install)
}

fn is_pinned_version(program: &Path) -> bool {
    let output = Command::new(program).arg("--version").stderr(Stdio::null()).output();
    output.is_ok_and(|it| it.stdout.trim_ascii() == format!("cargo-deny {VERSION}").as_bytes())
}
