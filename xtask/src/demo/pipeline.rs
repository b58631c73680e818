//! A running `attestry up`.

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use anyhow::{Context, ensure};

/// The first start may fetch a nats-server.
const START_LIMIT: Duration = Duration::from_secs(300);
/// With what the greeting of `attestry up` ends.
const GREETING_END: &str = "Submit a build";
/// Runs what it is given until our pipe is closed, which the kernel does however we end. It says nothing
/// itself, so that its standard error ends with that of the program.
const SUPERVISE: &str = r#""$@" & exec 2>&-; read -r _; kill -TERM $!; wait $!"#;

/// Stopped when dropped, and also when we die of Ctrl-C or worse.
pub(super) struct Pipeline {
    supervisor: Child,
    program: PathBuf,
    url: String,
}

impl Pipeline {
    /// Starts `attestry up` on `data`, shows what it says, and waits until it is up.
    pub(super) fn start(program: &Path, data: &Path) -> anyhow::Result<Self> {
        let data_text = data.display();
        let arguments = format!("up --data {data_text} --nats-port 0 --metrics 127.0.0.1:0");
        println!("\n$ {} {arguments} &", program.display());
        let mut command = Command::new("sh");
        command.args(["-c", SUPERVISE, "supervisor"]).arg(program);
        command.args(arguments.split_whitespace());
        // A process group of its own: Ctrl-C reaches us alone, and the broker drains as on SIGTERM.
        command.stdin(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut supervisor = command.spawn().context("cannot run sh")?;
        let said = supervisor.stderr.take().context("no standard error")?;
        let mut pipeline = Self { supervisor, program: program.to_owned(), url: String::new() };
        wait_until_up(said)?;
        let url = data.join("nats/url");
        pipeline.url =
            fs::read_to_string(&url).with_context(|| format!("cannot read {}", url.display()))?;
        println!("$ export NATS_URL={}", pipeline.url);
        Ok(pipeline)
    }

    /// Runs a command of `attestry` and insists on its exit code.
    pub(super) fn attestry(&self, expected: i32, arguments: &str) -> anyhow::Result<()> {
        let line = format!("{} {arguments}", self.program.display());
        println!("\n$ {line}");
        let mut command = Command::new(&self.program);
        command.args(arguments.split_whitespace()).env("NATS_URL", &self.url);
        let status = command.status().with_context(|| format!("cannot run `{line}`"))?;
        println!("[{status}]");
        ensure!(status.code() == Some(expected), "`{line}`: {status}, expected {expected}");
        Ok(())
    }

    /// What a command of `attestry` prints, whatever becomes of it.
    pub(super) fn output(&self, arguments: &str) -> anyhow::Result<String> {
        let mut command = Command::new(&self.program);
        command.args(arguments.split_whitespace()).env("NATS_URL", &self.url);
        let output = command.output().with_context(|| format!("cannot run `{arguments}`"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Lets it drain, and says whether it ended well.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        println!("\n$ kill %1");
        drop(self.supervisor.stdin.take());
        let status = self.supervisor.wait().context("cannot wait for attestry up")?;
        println!("[{status}]");
        ensure!(status.success(), "`attestry up` did not end well: {status}");
        Ok(())
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        self.supervisor.wait().ok();
    }
}

/// Shows what `attestry up` says, from now on, until it ends.
fn wait_until_up(said: ChildStderr) -> anyhow::Result<()> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(said).lines().map_while(Result::ok) {
            println!("  up | {line}");
            // Once it is up, nobody listens any more.
            sender.send(line).ok();
        }
    });
    loop {
        match lines.recv_timeout(START_LIMIT) {
            Ok(line) if line.starts_with(GREETING_END) => return Ok(()),
            Ok(_) => {}
            Err(error) => {
                let why = match error {
                    mpsc::RecvTimeoutError::Timeout => "said nothing for too long",
                    mpsc::RecvTimeoutError::Disconnected => "ended before it was up",
                };
                anyhow::bail!("`attestry up` {why}; what it said is above");
            }
        }
    }
}
