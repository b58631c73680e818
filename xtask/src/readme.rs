//! Runs the examples of README.md as a reader would: in order, in one shell, until one fails.

use std::{
    env, fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

/// Where the examples run: a stand-in for the root, so that nobody's `data` is touched.
const STAGE: &str = "target/readme-test";
/// Folders of the repository that the examples read.
const READ: [&str; 2] = ["policy", "shared"];
/// Every example together takes a tenth of it.
const LIMIT: &str = "300";
/// A failed command ends the script, and whatever runs in the background ends with it.
const PROLOGUE: &str = "set -emo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n";

/// Fails with what the examples printed, when one of them does not do as README.md says.
pub(crate) fn check() -> anyhow::Result<()> {
    let readme = fs::read_to_string("README.md").context("cannot read README.md")?;
    let commands = console_commands(&readme);
    ensure!(!commands.is_empty(), "README.md has no ```console block");
    let root = env::current_dir()?;
    let stage = Path::new(STAGE);
    if stage.exists() {
        fs::remove_dir_all(stage)?;
    }
    fs::create_dir_all(stage)?;
    for folder in READ {
        symlink(root.join(folder), stage.join(folder))?;
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let paths = [root.join("target/debug")].into_iter().chain(env::split_paths(&path));
    let output = Command::new("timeout")
        .args([LIMIT, "bash", "-xc", &format!("{PROLOGUE}{}", commands.join("\n"))])
        .current_dir(stage)
        .env("PATH", env::join_paths(paths)?)
        .env_remove("NATS_URL")
        .stdin(Stdio::null())
        .output()
        .context("cannot run bash")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "an example failed ({}):\n{printed}\n{said}", output.status);
    eprintln!("  {} commands", commands.len());
    Ok(())
}

/// The lines behind a `$ ` in every block that is marked `console`.
fn console_commands(markdown: &str) -> Vec<&str> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in markdown.lines() {
        match line.strip_prefix("```") {
            Some(kind) => inside = !inside && kind == "console",
            None if inside => commands.extend(line.strip_prefix("$ ")),
            None => {}
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_console_blocks_are_run() {
        let markdown = "```text\n$ no\n```\n$ no\n```console\n$ one\noutput\n$ two\n```\n$ no\n";

        assert_eq!(console_commands(markdown), ["one", "two"]);
    }
}
