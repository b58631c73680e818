//! Runs one step after another and says what it runs and how long it took.

use std::{
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};

/// The steps done so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Runs a program with our output and no input.
    pub(crate) fn run(&mut self, command: &mut Command) -> anyhow::Result<()> {
        let line = command_line(command);
        self.step(&line, || {
            let status = command.stdin(Stdio::null()).status();
            let status = status.with_context(|| format!("cannot run `{line}`"))?;
            ensure!(status.success(), "`{line}` failed ({status})");
            Ok(())
        })
    }

    /// Runs `cargo` with these words as arguments.
    pub(crate) fn cargo(&mut self, arguments: &str) -> anyhow::Result<()> {
        self.run(&mut cargo(arguments))
    }

    pub(crate) fn step(
        &mut self,
        name: &str,
        work: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        eprintln!("\n> {name}");
        let start = Instant::now();
        let result = work();
        let took = start.elapsed();
        let outcome = if result.is_ok() { "done" } else { "FAILED" };
        eprintln!("  {outcome} in {:.1} s", took.as_secs_f64());
        self.done.push((name.to_owned(), took));
        result
    }

    pub(crate) fn print_summary(&self) {
        eprintln!();
        for (name, took) in &self.done {
            eprintln!("{:>7.1} s  {name}", took.as_secs_f64());
        }
        let total: Duration = self.done.iter().map(|(_, took)| *took).sum();
        eprintln!("{:>7.1} s  in all: every step passed", total.as_secs_f64());
    }
}

/// `cargo` with these words as arguments.
pub(crate) fn cargo(arguments: &str) -> Command {
    // The cargo of the toolchain that runs us, not whatever comes first on PATH.
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments.split_whitespace());
    command
}

fn command_line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let words = command.get_args().map(|it| it.to_string_lossy().into_owned());
    std::iter::once(name).chain(words).collect::<Vec<_>>().join(" ")
}
