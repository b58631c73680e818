//! A server, a ledger that outlives runs, and a clock that nobody waits for.

use std::{
    collections::BTreeMap,
    fs,
    future::Future,
    os::unix::fs::PermissionsExt as _,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use events::Digest;
use jiff::{SignedDuration, Timestamp};
use private_github::{Issue, LOGIN, PrivateGitHub, REPOSITORY, TOKEN};
use tempfile::TempDir;
use tickets::{
    Base, Clock, Desired, GitHub, GitHubSettings, Key, Known, Ledger, LedgerError, Limits, Memory,
    Note, Report, SecretFile, Wanted, sync,
};

/// How long a request may take. What is silent is waited for so long; nothing else should be.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Runs in which whatever happened must be mended.
const RUNS_MAX: usize = 12;

/// A clock that only goes on when told, a year behind the server's.
pub(crate) struct Hands(Mutex<Timestamp>);

impl Hands {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new("2026-01-01T00:00:00Z".parse().expect("valid"))))
    }

    pub(crate) fn pass(&self, seconds: i64) {
        *self.0.lock().expect("free") += SignedDuration::from_secs(seconds);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("free")
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.pass(i64::try_from(pause.as_secs()).expect("short"));
        Box::pin(std::future::ready(()))
    }
}

#[derive(Default)]
pub(crate) struct Book {
    memory: Mutex<Memory>,
    /// After so many entries the process dies: what it would keep is not kept, and nothing more is done.
    dies_after: Mutex<Option<u32>>,
}

impl Book {
    pub(crate) fn die_after(&self, entries: Option<u32>) {
        *self.dies_after.lock().expect("free") = entries;
    }

    fn keep(&self, change: impl FnOnce(&mut Memory)) -> Result<(), LedgerError> {
        if let Some(left) = self.dies_after.lock().expect("free").as_mut() {
            *left = left.checked_sub(1).ok_or_else(|| LedgerError("dead".to_owned()))?;
        }
        change(&mut self.memory.lock().expect("free"));
        Ok(())
    }
}

impl Ledger for Book {
    async fn load(&self) -> Result<Memory, LedgerError> {
        Ok(self.memory.lock().expect("free").clone())
    }

    async fn keep(&self, key: Key, known: &Known) -> Result<(), LedgerError> {
        // As it would lie on a disk.
        let text = serde_json::to_string(known).expect("encodes");
        let known = serde_json::from_str(&text).expect("decodes");
        self.keep(|memory| drop(memory.known.insert(key, known)))
    }

    async fn keep_cursor(&self, cursor: Timestamp) -> Result<(), LedgerError> {
        self.keep(|memory| memory.cursor = Some(cursor))
    }
}

/// Everything of one test.
pub(crate) struct Place {
    pub(crate) server: PrivateGitHub,
    pub(crate) clock: Arc<Hands>,
    pub(crate) book: Book,
    pub(crate) limits: Limits,
    tracker: GitHub,
    directory: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with_token(TOKEN)
    }

    pub(crate) fn with_token(token: &str) -> Self {
        let server = PrivateGitHub::start().expect("starts");
        let directory = tempfile::tempdir().expect("temporary");
        secret(&directory, token);
        let clock = Hands::new();
        let tracker = tracker(&server, &directory, Arc::clone(&clock) as Arc<dyn Clock>);
        let limits = Limits { dry_run: false, open_max: 100 };
        Self { server, clock, book: Book::default(), limits, tracker, directory }
    }

    /// The process ends, and another begins.
    pub(crate) fn restart(&mut self) {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.tracker = tracker(&self.server, &self.directory, clock);
    }

    pub(crate) fn set_token(&self, token: &str) {
        secret(&self.directory, token);
    }

    /// One run, a minute after the one before.
    pub(crate) async fn run(&self, wanted: &[Wanted]) -> Report {
        self.try_run(wanted).await.expect("the ledger works")
    }

    pub(crate) async fn try_run(&self, wanted: &[Wanted]) -> Result<Report, LedgerError> {
        self.clock.pass(60);
        sync(&self.tracker, &self.book, wanted, self.limits, &*self.clock).await
    }

    /// Runs until nothing is left to do, and two more that must change nothing.
    pub(crate) async fn settle(&self, wanted: &[Wanted]) {
        let mut reports = Vec::new();
        for _ in 0..RUNS_MAX {
            let report = self.run(wanted).await;
            let waits = report.lines.iter().any(|it| it.what.starts_with("waits"));
            let is_settled = report.is_settled() && !waits;
            if let Some(until) = report.wait_until {
                self.clock.pass(until.as_second() - self.clock.now().as_second());
            }
            reports.push(report);
            if is_settled {
                break;
            }
        }
        let writes = self.server.writes();
        for _ in 0..2 {
            let report = self.run(wanted).await;
            assert!(report.is_settled(), "{report:#?} after {reports:#?}");
        }
        assert_eq!(self.server.writes(), writes, "two runs more change nothing");
    }

    /// The issues that are ours.
    pub(crate) fn ours(&self) -> Vec<Issue> {
        self.server.issues().into_iter().filter(|it| it.login == LOGIN).collect()
    }

    pub(crate) fn known(&self) -> BTreeMap<Key, Known> {
        self.book.memory.lock().expect("free").known.clone()
    }

    /// The database is lost.
    pub(crate) fn forget(&mut self) {
        self.book = Book::default();
    }
}

pub(crate) fn secret(directory: &TempDir, text: &str) -> SecretFile {
    let path = directory.path().join("secret");
    fs::write(&path, text).expect("writes");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("changes");
    SecretFile::new(&path)
}

fn tracker(server: &PrivateGitHub, directory: &TempDir, clock: Arc<dyn Clock>) -> GitHub {
    tracker_at(&server.url(), directory, clock, TIMEOUT)
}

pub(crate) fn tracker_at(
    url: &str,
    directory: &TempDir,
    clock: Arc<dyn Clock>,
    timeout: Duration,
) -> GitHub {
    let settings = GitHubSettings {
        base: Base::parse(url).expect("valid"),
        repository: REPOSITORY.to_owned(),
        token: SecretFile::new(&directory.path().join("secret")),
        timeout,
    };
    GitHub::new(settings, clock).expect("a client")
}

pub(crate) fn wanted(name: &str) -> Wanted {
    Wanted {
        entry: name.to_owned(),
        key: Key::of(Digest::of(name.as_bytes())),
        title: format!("Bump {name}"),
        body: format!("{name} is old."),
        labels: vec!["security".to_owned()],
        state: Desired::Open,
        worth_one: true,
        change: note("found"),
        evidence: Digest::of(b"first document"),
        due: "2026-06-01T00:00:00Z".parse().expect("valid"),
    }
}

pub(crate) fn note(text: &str) -> Note {
    Note { id: Digest::of(text.as_bytes()), text: text.to_owned() }
}

pub(crate) fn fixed(wanted: Wanted) -> Wanted {
    Wanted { state: Desired::Done, change: note("fixed"), ..wanted }
}
