//! Where a test runs: a directory, commands with a limit, and a running pipeline.

use std::{
    fs::{self, File},
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// How long a command, a start or a stop may take. Far more than they need: the machine may be busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// Two packages that nobody objects to.
pub(crate) const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "app"
version = "1.0.0"
source = { virtual = "." }
dependencies = [
    { name = "six" },
]

[[package]]
name = "six"
version = "1.17.0"
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://files.pythonhosted.org/packages/six-1.17.0.tar.gz", hash = "sha256:ff70335d468e7eb6ec65b95b99d3a2836546063f63acc5171de367e834932a81", size = 34031 }
"#;

/// Broken in line 2.
pub(crate) const BROKEN_LOCK: &str = "version = 1\nrevision = = 3\n";

/// A directory of one test, in which its commands run; gone when the test is.
pub(crate) struct Place(TempDir);

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A running `attestry up` on `data/` of its place, where commands find it, or another command that stays; killed when
/// dropped.
pub(crate) struct Up {
    process: Child,
    log: PathBuf,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A place with `app/uv.lock` of this content and `app.whl`.
    pub(crate) fn with_lock(lock: &str) -> Self {
        let place = Self::new();
        place.write("app/uv.lock", lock);
        place.write("app.whl", "the bytes of a wheel");
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file, with the directories it needs.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        let path = self.path(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The files below a directory, with their paths below it, in order.
    pub(crate) fn files(&self, directory: &str) -> Vec<String> {
        let root = self.path(directory);
        let files = walkdir::WalkDir::new(&root).sort_by_file_name().into_iter();
        let files = files.map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        files.map(|it| it.path().strip_prefix(&root).unwrap().display().to_string()).collect()
    }

    /// Runs `attestry` with these words as arguments.
    pub(crate) fn attestry(&self, arguments: &str) -> Said {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        self.run(&arguments, "")
    }

    /// Submits `app.whl`, built from `app/`, and waits for its verdict.
    pub(crate) fn submit(&self, more: &str) -> Said {
        self.attestry(&format!("build submit --source app --artifact app.whl --wait=90s {more}"))
    }

    /// Runs `attestry` with these arguments and this on its standard input.
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let pid = Pid::from_child(&child);
        // Whoever reads nothing closes it early.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()));
        match ended.recv_timeout(LIMIT) {
            Ok(output) => Said::from(output.unwrap()),
            Err(_) => {
                kill_process(pid, Signal::KILL).ok();
                panic!("attestry {arguments:?} did not end within {LIMIT:?}");
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attestry"));
        command.args(arguments).current_dir(self.0.path());
        // Where these tests run says nothing about the builds in them.
        for variable in ["GITHUB_ACTIONS", "NATS_URL", "CREDS"] {
            command.env_remove(variable);
        }
        command
    }

    /// Starts `attestry up` with a broker of its own.
    pub(crate) fn up(&self) -> Up {
        self.start(&["--nats-port", "0"])
    }

    /// Starts `attestry up` with a broker of its own and a collector for its traces.
    pub(crate) fn up_tracing_to(&self, url: &str) -> Up {
        self.start(&["--nats-port", "0", "--otlp-endpoint", url])
    }

    /// Starts `attestry up` with a broker of its own and more settings.
    pub(crate) fn up_with(&self, more: &[&str]) -> Up {
        self.start(&[&["--nats-port", "0"], more].concat())
    }

    /// Starts `attestry up` on a broker that runs already.
    pub(crate) fn up_on(&self, url: &str) -> Up {
        self.start(&["--nats-url", url])
    }

    pub(crate) fn start(&self, broker: &[&str]) -> Up {
        let arguments = [&["up", "--metrics", "127.0.0.1:0"], broker].concat();
        self.stay(&arguments, "Submit a build")
    }

    /// Starts a command that stays, and waits until it says that.
    pub(crate) fn stay(&self, arguments: &[&str], until: &str) -> Up {
        let log = self.path("up.log");
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stderr(File::create(&log).unwrap());
        let mut up = Up { process: command.spawn().unwrap(), log };
        wait_until("a command that stays has begun", || {
            let ended = up.process.try_wait().unwrap();
            assert!(ended.is_none(), "{arguments:?} ended: {ended:?}\n{}", up.said());
            up.said().contains(until)
        });
        up
    }
}

impl Up {
    /// Everything it has said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Status and body of `path` on its health address.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let said = self.said();
        let address = said.split("http://").nth(1).and_then(|it| it.split('/').next());
        let address: SocketAddr = address.unwrap().parse().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// SIGTERM; its exit code and how long it took.
    pub(crate) fn terminate(mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let mut status = None;
        wait_until("attestry up stops", || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        });
        (status.unwrap().code(), began.elapsed())
    }

    /// SIGKILL, as the kernel does when memory is short.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Both fail only when it has ended.
        self.process.kill().ok();
        self.process.wait().ok();
        if thread::panicking() {
            eprintln!("attestry up said:\n{}", self.said());
        }
    }
}

impl Said {
    /// Insists on the exit code.
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Insists on each of these words somewhere in the output.
    pub(crate) fn says(&self, words: &[&str]) {
        for word in words {
            let said = self.stdout.contains(word) || self.stderr.contains(word);
            assert!(said, "no `{word}` in\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        }
    }

    /// Its standard output as one JSON document.
    pub(crate) fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.stdout);
        parsed.unwrap_or_else(|error| panic!("{error} in {}", self.stdout))
    }

    /// Its standard output as JSON Lines.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Waits until `condition` holds.
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whether a process with this id exists.
pub(crate) fn lives(pid: &str) -> bool {
    Path::new("/proc").join(pid.trim()).exists()
}
