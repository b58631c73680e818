//! The steps of CI, in the order in which they are cheap.

use std::process::{Command, Stdio};

use crate::{
    chaos, deny, readme, schemas,
    steps::{Steps, cargo},
    tidy,
};

/// Clippy and rustdoc share one check of the dependencies, all tests share one build: two passes, no third profile.
pub(crate) fn everything(steps: &mut Steps) -> anyhow::Result<()> {
    tidy(steps)?;
    steps.step("schemas", schemas::check)?;
    steps.cargo("fmt --all --check")?;
    deny::check(steps)?;
    steps.cargo("clippy --workspace --all-targets -- -D warnings")?;
    docs(steps)?;
    test(steps)
}

pub(crate) fn tidy(steps: &mut Steps) -> anyhow::Result<()> {
    steps.step("tidy", tidy::check)
}

pub(crate) fn docs(steps: &mut Steps) -> anyhow::Result<()> {
    let mut doc = cargo("doc --workspace --no-deps");
    steps.run(doc.env("RUSTDOCFLAGS", "-D warnings"))
}

/// The tests of policy and of the whole pipeline are cargo tests too.
pub(crate) fn test(steps: &mut Steps) -> anyhow::Result<()> {
    if has_nextest() {
        // Nextest leaves out the tests in documentation.
        steps.cargo("test --workspace --doc")?;
        steps.cargo("nextest run --workspace --no-fail-fast")?;
    } else {
        steps.cargo("test --workspace --no-fail-fast")?;
    }
    // The command that the examples call was built for its own tests.
    steps.step("examples of README.md", readme::check)?;
    chaos::short(steps)
}

fn has_nextest() -> bool {
    let mut version = Command::new("cargo-nextest");
    version.args(["nextest", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}
