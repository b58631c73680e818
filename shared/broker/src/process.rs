//! Runs a program to its end with a limit, since a broken one must not hang us.

use std::{process::Stdio, time::Duration};

use tokio::process::Command;

/// What the program printed on standard output, or one line on why it failed.
pub(crate) async fn output_within(
    limit: Duration,
    command: &mut Command,
) -> Result<String, String> {
    let name = command.as_std().get_program().display().to_string();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(limit, output)
        .await
        .map_err(|_| format!("{name} did not end within {} s", limit.as_secs()))?
        .map_err(|error| format!("cannot run {name}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    // pip explains itself after its ERROR; Python puts the exception last.
    let reason = stderr
        .lines()
        .find(|line| line.starts_with("ERROR"))
        .or_else(|| stderr.lines().rev().find(|line| !line.trim().is_empty()));
    Err(format!("{name} failed ({}): {}", output.status, reason.unwrap_or("it did not say why")))
}
