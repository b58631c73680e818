//! The invariants of ARCHITECTURE.md that the compiler does not check.

mod decisions;
mod dependencies;
mod files;
mod lints;

use std::{fs, process::Command};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;

use crate::steps::cargo;

/// What `cargo metadata` says about the workspace.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: String,
}

/// One crate of the workspace.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `None` for what ends up in the program, else `dev` or `build`.
    kind: Option<String>,
}

/// A file that git tracks or would track.
#[derive(Debug)]
struct SourceFile {
    path: String,
    text: String,
}

/// Checks every rule and names every violation.
pub(crate) fn check() -> anyhow::Result<()> {
    let metadata = cargo("metadata --no-deps --format-version=1").output()?;
    ensure!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Metadata = serde_json::from_slice(&metadata.stdout)?;
    let files = source_files()?;

    let mut violations = dependencies::violations(&metadata);
    violations.extend(lints::violations(&metadata, &files));
    violations.extend(files::violations(&files));
    violations.extend(decisions::violations(&files));
    if violations.is_empty() {
        return Ok(());
    }
    bail!(
        "{} rules broken (see ARCHITECTURE.md):\n  {}",
        violations.len(),
        violations.join("\n  ")
    );
}

/// Text files only; a file that was deleted but not yet staged is no file.
fn source_files() -> anyhow::Result<Vec<SourceFile>> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).output().context("cannot run git")?;
    let why = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "tidy needs a git checkout to know its files: {why}");
    let paths = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let read =
        |path: &str| Some(SourceFile { text: fs::read_to_string(path).ok()?, path: path.into() });
    Ok(paths.split_terminator('\0').filter_map(read).collect())
}
