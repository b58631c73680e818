//! From a document to a ticket, and across the death of the process at each step of it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
};

use archive::Archive;
use jiff::SignedDuration;
use private_github::{Issue, LOGIN, PrivateGitHub, REPOSITORY, TOKEN};
use tickets::{Deed, Note, Place, Recall, Ticket, TicketError, Tracker};

use super::*;
use crate::{
    MapperArgs,
    store::Arrival,
    testing::{JINJA, JINJA_FIXED, TORCH, day, full_index, now, project, sbom},
};

/// Where the child is told when and where to die: `directory|seconds|step`.
const MORTAL: &str = "ATTESTRY_TEST_MORTAL";
/// More than any run has steps.
const STEPS_MAX: u64 = 100;

/// A clock that only sleeping moves.
struct Stands(Mutex<Timestamp>);

impl Clock for Stands {
    fn now(&self) -> Timestamp {
        *self.0.lock().expect("free")
    }

    fn sleep(&self, pause: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        *self.0.lock().expect("free") += SignedDuration::try_from(pause).expect("short");
        Box::pin(std::future::ready(()))
    }
}

struct Home {
    directory: tempfile::TempDir,
    server: PrivateGitHub,
    seconds: AtomicU64,
}

impl Home {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("temporary");
        let server = PrivateGitHub::start().expect("starts");
        let token = directory.path().join("token");
        fs::write(&token, TOKEN).expect("writes");
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).expect("changes");
        let table = format!(
            "[[github]]\nrepository = '{REPOSITORY}'\ntoken_file = 'token'\napi = '{}'\nlabels = ['security']\n",
            server.url()
        );
        fs::write(directory.path().join("tickets.toml"), table).expect("writes");
        Self { directory, server, seconds: AtomicU64::new(0) }
    }

    fn record(&self, arrival: &Arrival) {
        let mapper = mapper(self.directory.path());
        mapper.store().record(arrival, Some(&full_index()), now()).expect("records");
    }

    /// A run, a minute after the one before.
    async fn run(&self) -> Report {
        let seconds = self.seconds.fetch_add(60, Ordering::Relaxed);
        let mut reports = run_in(self.directory.path(), seconds, false).await;
        reports.remove(0)
    }

    /// A run in a process of its own, which ends at its step `dies_at`; whether it got to its end before.
    fn run_mortal(&self, dies_at: u64) -> bool {
        let seconds = self.seconds.fetch_add(60, Ordering::Relaxed);
        let directory = self.directory.path().display();
        let child = Command::new(std::env::current_exe().expect("this one"))
            .args(["--ignored", "--exact", "tickets::tests::mortal_run"])
            .env(MORTAL, format!("{directory}|{seconds}|{dies_at}"))
            .output()
            .expect("runs");
        let is_dead = child.status.code().is_none();
        let output = String::from_utf8_lossy(&child.stdout);
        assert!(is_dead || output.contains("1 passed"), "{output}");
        !is_dead
    }

    /// Runs until there is nothing to do, and twice more.
    async fn settle(&self) {
        for _ in 0..8 {
            self.run().await;
        }
        let writes = self.server.writes();
        for _ in 0..2 {
            let report = self.run().await;
            assert!(report.is_settled() && report.held == 0, "{report:#?}");
        }
        assert_eq!(self.server.writes(), writes, "two runs more change nothing");
    }

    fn ours(&self) -> Vec<Issue> {
        self.server.issues().into_iter().filter(|it| it.login == LOGIN).collect()
    }
}

fn mapper(directory: &Path) -> Mapper {
    let archive = Archive::open(&directory.join("archive").display().to_string());
    let args = MapperArgs { store: directory.join("backlog.db"), ..MapperArgs::default() };
    Mapper::open(archive.expect("opens"), &args).expect("opens")
}

fn desk(directory: &Path, seconds: u64) -> Desk {
    let time = now() + SignedDuration::from_secs(i64::try_from(seconds).expect("few"));
    let clock = Arc::new(Stands(Mutex::new(time)));
    Desk::with_clock(Some(&directory.join("tickets.toml")), clock).expect("valid")
}

async fn run_in(directory: &Path, seconds: u64, dry_run: bool) -> Vec<Report> {
    run(&mapper(directory), &desk(directory, seconds), dry_run).await
}

/// Counts what happens, and ends the process when told, before or after it.
struct Mortal<T> {
    inner: T,
    steps: Arc<(AtomicU64, u64)>,
}

impl<T> Mortal<T> {
    fn step(&self) {
        let (done, dies_at) = &*self.steps;
        if done.fetch_add(1, Ordering::Relaxed) == *dies_at {
            // As a SIGKILL does: nothing is written, flushed or dropped.
            std::process::abort();
        }
    }

    async fn at<R>(&self, work: impl Future<Output = R> + Send) -> R {
        self.step();
        let result = work.await;
        self.step();
        result
    }
}

impl Tracker for Mortal<&tickets::Remote> {
    fn recall(&self) -> Recall {
        self.inner.recall()
    }

    async fn changes(&self, since: Option<Timestamp>) -> Result<Vec<Ticket>, TicketError> {
        self.at(self.inner.changes(since)).await
    }

    async fn perform(&self, deed: &Deed<'_>) -> Result<Option<Ticket>, TicketError> {
        self.at(self.inner.perform(deed)).await
    }

    async fn has_told(&self, place: &Place, note: &Note) -> Result<bool, TicketError> {
        self.at(self.inner.has_told(place, note)).await
    }
}

impl Ledger for Mortal<StoreLedger> {
    async fn load(&self) -> Result<Memory, LedgerError> {
        self.at(self.inner.load()).await
    }

    async fn keep(&self, key: Key, known: &Known) -> Result<(), LedgerError> {
        self.at(self.inner.keep(key, known)).await
    }

    async fn keep_cursor(&self, cursor: Timestamp) -> Result<(), LedgerError> {
        self.at(self.inner.keep_cursor(cursor)).await
    }
}

#[tokio::test]
#[ignore = "the child of `whenever_the_process_dies_there_is_one_ticket`"]
async fn mortal_run() {
    let told = std::env::var_os(MORTAL).expect("run by its parent").into_string().expect("text");
    let mut parts = told.split('|');
    let directory = PathBuf::from(parts.next().expect("a directory"));
    let seconds = parts.next().and_then(|it| it.parse().ok()).expect("seconds");
    let dies_at = parts.next().and_then(|it| it.parse().ok()).expect("a step");
    let (mapper, desk) = (mapper(&directory), desk(&directory, seconds));
    let tracker = &desk.trackers[0];
    let wanted = wanted(&mapper, tracker).await.expect("reads");
    let steps = Arc::new((AtomicU64::new(0), dies_at));
    let ledger = StoreLedger { mapper: mapper.clone(), tracker: tracker.name.clone() };
    let ledger = Mortal { inner: ledger, steps: Arc::clone(&steps) };
    let remote = Mortal { inner: &tracker.remote, steps };
    let run = sync(&remote, &ledger, &wanted, tracker.limits(false), &*desk.clock);
    run.await.expect("the record works");
}

#[tokio::test]
async fn whenever_the_process_dies_there_is_one_ticket() {
    let app = project("hotpass");
    for dies_at in 0..STEPS_MAX {
        let home = Home::new();
        home.record(&sbom(1, day(1), &app, &[JINJA]));
        let made = home.run_mortal(dies_at);
        home.settle().await;
        let ours = home.ours();
        assert_eq!((ours.len(), ours[0].open), (1, true), "step {dies_at}: {ours:#?}");
        home.record(&sbom(2, day(2), &app, &[JINJA_FIXED]));
        let closed = home.run_mortal(dies_at);
        home.settle().await;
        let ours = home.ours();
        let state = (ours.len(), ours[0].open, ours[0].reason.as_deref());
        assert_eq!(state, (1, false, Some("completed")), "step {dies_at}: {ours:#?}");
        assert_eq!(home.server.comments().len(), 1, "step {dies_at}");
        if made && closed {
            assert!(dies_at > 12, "it died at each of {dies_at} steps");
            return;
        }
    }
    panic!("a run has more than {STEPS_MAX} steps");
}

#[tokio::test]
async fn entry_gets_its_ticket_which_follows_it_to_its_end() {
    let home = Home::new();
    let app = project("hotpass");
    home.record(&sbom(1, day(1), &app, &[JINJA, TORCH]));
    // The same build once more, and the same event: nothing is new.
    home.record(&sbom(1, day(1), &app, &[JINJA, TORCH]));
    home.record(&sbom(2, day(2), &app, &[JINJA, TORCH]));
    home.settle().await;
    let ours = home.ours();
    assert_eq!(ours.len(), 2, "{ours:#?}");
    let jinja = ours.iter().find(|it| it.title.contains("jinja2")).expect("one");
    assert_eq!(jinja.labels, ["security"]);
    insta::assert_snapshot!(format!("{}\n\n{}", jinja.title, jinja.body));
    home.record(&sbom(3, day(3), &app, &[JINJA_FIXED, TORCH]));
    home.settle().await;
    home.record(&sbom(4, day(4), &app, &[JINJA, TORCH]));
    home.settle().await;
    let states: Vec<bool> = home.ours().iter().map(|it| it.open).collect();
    assert_eq!(states, [true, true], "closed by the fix, and opened again");
    assert_eq!(home.server.comments().len(), 2);
    // A rebuilt database knows nothing of tickets, and finds them.
    fs::remove_file(home.directory.path().join("backlog.db")).expect("there");
    home.record(&sbom(4, day(4), &app, &[JINJA, TORCH]));
    home.settle().await;
    assert_eq!(home.ours().len(), 2);
}

#[tokio::test]
async fn entry_tells_its_ticket() {
    let home = Home::new();
    home.record(&sbom(1, day(1), &project("hotpass"), &[JINJA]));
    home.settle().await;
    let mapper = mapper(home.directory.path());
    let reader = Reader::open(mapper.store().path()).expect("opens");
    let id = reader.register(mapper.config(), None, day(2)).expect("reads").entries[0].id.clone();
    let entry = reader.entry(&id, mapper.config(), None).expect("reads").expect("there");
    let ticket = &entry.tickets[0];
    assert_eq!((ticket.open, ticket.in_progress), (Some(true), false));
    assert_eq!(ticket.url.as_deref(), Some("https://github.com/acme/app/issues/1"));
    assert_eq!(reader.tickets().expect("reads").len(), 1);
}

#[tokio::test]
async fn dry_run_changes_nothing_anywhere() {
    let home = Home::new();
    home.record(&sbom(1, day(1), &project("hotpass"), &[JINJA]));
    let reports = run_in(home.directory.path(), 0, true).await;
    assert_eq!((reports[0].steps, home.server.writes()), (1, 0), "{reports:?}");
    let kept = mapper(home.directory.path()).store().tickets(&reports[0].tracker);
    assert_eq!(kept.expect("reads"), Memory::default());
}

#[test]
fn run_that_is_asked_for_begins_after_it() {
    let desk = Desk::open(None).expect("no trackers");
    assert_eq!((desk.ask(false), desk.ask(true)), (1, 1));
    assert!(desk.begin(), "what is asked for first is answered first");
    assert_eq!((desk.ask(true), desk.ask(false)), (2, 1), "one in hand began before");
    desk.end(true, Vec::new());
    assert!(desk.begin());
    desk.end(true, Vec::new());
    assert!(!desk.begin());
    assert_eq!(desk.ask(false), 2);
    desk.end(false, Vec::new());
    assert_eq!(desk.state().told, TicketsState { runs: 1, plans: 2, ..TicketsState::default() });
}
