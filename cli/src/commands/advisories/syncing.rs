//! The index of what sources have, made once or again and again: what `advisories sync` and `up --feeds` share.

use std::{path::PathBuf, time::Duration};

use advisories::{BuildReport, CurrentIndex, Index, IndexError, Source};
use events::{AdvisoriesUpdated, Digest, Envelope, Label, OPERATOR, Priority, Scope};
use feeds::{Cached, Failed, FeedError, Feeds, content_of};
use jiff::{SignedDuration, Timestamp};
use tokio::{runtime::Builder, sync::oneshot};

use super::{metrics, not_empty, unreadable};
use crate::failure::Failure;

/// Servers are asked no more often.
const MIN_INTERVAL: Duration = Duration::from_secs(60);
/// How soon what failed is tried again, if it would not be sooner.
const RETRY: Duration = Duration::from_secs(15 * 60);

/// What an index is made of, and where it lies.
#[derive(Clone)]
pub(crate) struct Syncing {
    files: Vec<PathBuf>,
    feeds: Vec<Feeds>,
    /// What URLs served last.
    cache: PathBuf,
    advisories: PathBuf,
    /// Whether what no source speaks of stays.
    keeps: bool,
    /// What was there of the feeds when this process made the index last, and told of it.
    made_of: Option<Digest>,
}

/// An index that was made.
pub(crate) struct Made {
    pub(crate) digest: Digest,
    pub(crate) records: u64,
    pub(crate) report: BuildReport,
}

/// Who hears of what is done.
pub(crate) trait Hears {
    /// Something on the way that somebody should know.
    fn note(&self, text: &str);
    /// A new index is in place: tells the pipeline, and people.
    async fn made(&self, made: &Made) -> Result<(), Failure>;
    /// A sync has ended; after one that failed another follows soon.
    fn ended(&self, synced: Result<(), &Failure>);
}

impl Syncing {
    /// Of feeds alone, and of nothing that was there before.
    pub(crate) fn of_feeds(feeds: Vec<Feeds>, cache: PathBuf, advisories: PathBuf) -> Self {
        metrics::announce(&feeds);
        Self { files: Vec::new(), feeds, cache, advisories, keeps: false, made_of: None }
    }

    /// Of files, too; `keeps` says whether what no source speaks of stays.
    pub(crate) fn with_files(self, files: Vec<PathBuf>, keeps: bool) -> Self {
        Self { files, keeps, ..self }
    }

    /// Syncs, waits, and syncs again, on a thread of its own: what it does blocks, and whoever drops this need not wait
    /// for the end of it. Does not end: a thread that does is told of and begun again.
    pub(crate) async fn keep_apart(
        self,
        every: Duration,
        hears: impl Hears + Clone + Send + 'static,
    ) {
        loop {
            let why = self.clone().run_apart(every, hears.clone()).await;
            metrics::ended(false, now());
            let again = "it is begun again in 15 minutes";
            hears.ended(Err(&Failure::Unknown(format!("The thread that syncs {why}; {again}"))));
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Says why the thread has ended.
    async fn run_apart(self, every: Duration, hears: impl Hears + Send + 'static) -> String {
        // Goes with this future; the thread ends then, at the next thing that it waits for.
        let (_running, dropped) = oneshot::channel::<()>();
        let (ended, end) = oneshot::channel();
        let work = move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let kept = runtime.map(|runtime| {
                runtime.block_on(async {
                    tokio::select! {
                        () = self.keep(every, &hears) => {}
                        _ = dropped => {}
                    }
                });
            });
            let why = kept.err().map(|error| format!("cannot start: {error}"));
            // Nobody hears it where all of it has ended.
            ended.send(why.unwrap_or_else(|| "has ended".to_owned())).ok();
        };
        match std::thread::Builder::new().name("advisories".to_owned()).spawn(work) {
            Ok(_) => end.await.unwrap_or_else(|_| "has panicked".to_owned()),
            Err(error) => format!("cannot start: {error}"),
        }
    }

    /// Syncs, waits, and syncs again. Does not end.
    async fn keep(mut self, every: Duration, hears: &impl Hears) {
        loop {
            let (synced, until) = self.once(hears).await;
            hears.ended(synced.as_ref().copied());
            tokio::time::sleep(pause(every, synced.is_err(), until, now())).await;
        }
    }

    /// Fetches, and makes the index if anything else is there than when it was made last. An error tells what the index
    /// lacks. Beside it, when to come back, if a feed asks for that.
    pub(crate) async fn once(
        &mut self,
        hears: &impl Hears,
    ) -> (Result<(), Failure>, Option<Timestamp>) {
        let mut failed = Vec::new();
        let synced = self.sync(&mut failed, hears).await.and_then(|()| stale(&failed));
        metrics::ended(synced.is_ok(), now());
        (synced, failed.iter().filter_map(|it| it.error.until()).max())
    }

    async fn sync(&mut self, failed: &mut Vec<Failed>, hears: &impl Hears) -> Result<(), Failure> {
        let cached = self.fetch(failed).await?;
        let content = content_of(&cached);
        if self.made_of != Some(content) {
            let made = self.make(cached, hears)?;
            hears.made(&made).await?;
            self.made_of = Some(content);
        }
        Ok(())
    }

    /// What every feed serves or served; one that never did is an error, for the index would lack it.
    async fn fetch(&self, failed: &mut Vec<Failed>) -> Result<Vec<Cached>, Failure> {
        let mut cached = Vec::new();
        for feeds in &self.feeds {
            let fetched = feeds.fetch(&self.cache, now()).await.map_err(Failure::unknown)?;
            metrics::asked(feeds, &fetched.failed, now());
            cached.extend(fetched.cached);
            failed.extend(fetched.failed);
        }
        let has = |url: &str| cached.iter().any(|it| it.url == url);
        match failed.iter().find(|it| !has(&it.url)) {
            Some(it) => {
                let told = told(&it.name, &it.error);
                Err(Failure::Unknown(format!("{told}; the index stays as it is")))
            }
            None => Ok(cached),
        }
    }

    fn make(&self, cached: Vec<Cached>, hears: &impl Hears) -> Result<Made, Failure> {
        let mut sources: Vec<Source> = self.files.iter().cloned().map(Source::from).collect();
        sources.extend(cached.into_iter().map(|it| Source { path: it.path, name: it.url }));
        let before = self.before(hears)?;
        let built = match &before {
            Some(before) if self.keeps => before.update(&sources, now()),
            before => Index::sync(&sources, before.as_ref(), now()),
        };
        let (index, report) = built.map_err(unreadable)?;
        not_empty(&index, &report, sources.iter().map(|it| it.name.as_str()))?;
        if let Some(before) = &before {
            note_lost(before, &index, hears);
        }
        let digest = index.save(&self.advisories).map_err(Failure::unknown)?;
        Ok(Made { digest, records: index.len() as u64, report })
    }

    /// The index so far, which others in this process may use. One that cannot be read is replaced, unless it is to be kept.
    fn before(&self, hears: &impl Hears) -> Result<Option<Index>, Failure> {
        match CurrentIndex::new(&self.advisories).get() {
            Err(error @ (IndexError::Format { .. } | IndexError::Damaged { .. }))
                if !self.keeps =>
            {
                hears.note(&format!("{error}: since when records are known is forgotten"));
                Ok(None)
            }
            read => read.map_err(Failure::unknown),
        }
    }
}

impl Made {
    /// What the pipeline is told, so that what is known already is matched again.
    pub(crate) fn event(&self) -> Envelope<AdvisoriesUpdated> {
        let now = now();
        let (source, scope) = (Label::of("/attestry/cli"), Scope::of(OPERATOR));
        let updated =
            AdvisoriesUpdated { index: self.digest, records: self.records, saved_at: now };
        Envelope::root(source, now, Priority::Background, scope, updated)
    }
}

/// How long to wait for the next sync.
fn pause(every: Duration, has_failed: bool, until: Option<Timestamp>, now: Timestamp) -> Duration {
    let next = if has_failed { every.min(RETRY) } else { every };
    let asked = until.and_then(|it| Duration::try_from(it.duration_since(now)).ok());
    // A server that asks for more than a whole interval is asked again when that is over.
    next.max(asked.unwrap_or_default().min(every))
}

fn stale(failed: &[Failed]) -> Result<(), Failure> {
    let each: Vec<_> = failed.iter().map(|it| told(&it.name, &it.error)).collect();
    match each.is_empty() {
        true => Ok(()),
        false => Err(Failure::Unknown(format!(
            "{}; the index has what was served before",
            each.join("; ")
        ))),
    }
}

fn told(name: &str, error: &FeedError) -> String {
    format!("{name} {error}")
}

/// Lists of what is exploited are easily forgotten.
fn note_lost(before: &Index, index: &Index, hears: &impl Hears) {
    let ((kev, epss), (kev_now, epss_now)) = (before.exploitation(), index.exploitation());
    for (had, has, what) in [(kev, kev_now, "KEV"), (epss, epss_now, "EPSS")] {
        if had > 0 && has == 0 {
            hears.note(&format!(
                "The index before had {what}, and no source has it: name it too, or use --update."
            ));
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "when a sync reads what it reads")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// Reads what `--every` is given, such as `6h`.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<SignedDuration>().ok().and_then(|it| Duration::try_from(it).ok());
    let interval = parsed.ok_or("no duration; write 6h, 90m or 1h30m")?;
    if interval < MIN_INTERVAL {
        return Err("servers are asked once a minute at most; write 1m or more".to_owned());
    }
    Ok(interval)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        path::Path,
        sync::{
            Arc, Mutex,
            atomic::{AtomicU32, Ordering},
        },
    };

    use tokio::sync::mpsc;

    use super::*;

    /// What is served at `/a.json`: a body, or a status.
    type Served = Arc<Mutex<Result<String, u16>>>;

    /// Hears everything, and cannot tell of an index so many times.
    #[derive(Clone)]
    struct Ear {
        heard: mpsc::UnboundedSender<String>,
        deaf: Arc<AtomicU32>,
    }

    impl Hears for Ear {
        fn note(&self, text: &str) {
            self.heard.send(format!("note {text}")).ok();
        }

        async fn made(&self, made: &Made) -> Result<(), Failure> {
            let left = self.deaf.load(Ordering::SeqCst);
            self.deaf.store(left.saturating_sub(1), Ordering::SeqCst);
            self.heard
                .send(format!("made of {}, {} changed", made.records, made.report.changed))
                .ok();
            if left > 0 { Err(Failure::unknown("nobody listens")) } else { Ok(()) }
        }

        fn ended(&self, synced: Result<(), &Failure>) {
            let how = synced.map_or_else(ToString::to_string, |()| "well".to_owned());
            self.heard.send(format!("ended {how}")).ok();
        }
    }

    fn record(day: u8) -> String {
        format!(r#"{{"id":"A","modified":"2024-01-0{day}T00:00:00Z","affected":[]}}"#)
    }

    /// A server that lives as long as the test, and a list with its URL.
    fn serve(served: &Served, place: &Path) -> Feeds {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/a.json?token=secret", listener.local_addr().unwrap());
        let served = served.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let asked = BufReader::new(&stream).lines().map_while(Result::ok);
                assert!(asked.take_while(|it| !it.is_empty()).count() > 0);
                let (status, body) = match &*served.lock().unwrap() {
                    Ok(body) => (200, body.clone()),
                    Err(status) => (*status, String::new()),
                };
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} So\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                )
                .ok();
            }
        });
        let list = place.join("feeds.toml");
        std::fs::write(&list, format!("[[feed]]\nurl = '{url}'\nname = 'own'\n")).unwrap();
        Feeds::load(&list, true).unwrap()
    }

    #[tokio::test]
    async fn loop_goes_on_whatever_fails_and_makes_an_index_of_what_has_changed() {
        let place = tempfile::tempdir().unwrap();
        let served = Served::new(Mutex::new(Err(500)));
        let feeds = serve(&served, place.path());
        let advisories = place.path().join("advisories");
        let syncing =
            Syncing::of_feeds(vec![feeds], place.path().join("cache"), advisories.clone());
        let (heard, mut hears) = mpsc::unbounded_channel();
        let ear = Ear { heard, deaf: Arc::default() };
        let deaf = ear.deaf.clone();
        let mut until = async |words: &[&str]| {
            for word in words {
                let mut said = String::new();
                while !said.contains(word) {
                    said = hears.recv().await.expect("it goes on");
                    assert!(!said.contains("secret"), "{said}");
                }
            }
        };
        let steps = async {
            until(&["own answers 500; try again later; the index stays as it is"; 2]).await;
            assert!(Index::current(&advisories).unwrap().is_none());
            *served.lock().unwrap() = Ok(record(1));
            until(&["made of 1, 0 changed", "ended well", "ended well"]).await;
            *served.lock().unwrap() = Err(404);
            until(&["own answers 404; check the URL; the index has what was served before"]).await;
            // Told in vain, it is made and told again, though nothing else has changed since.
            deaf.store(2, Ordering::SeqCst);
            *served.lock().unwrap() = Ok(record(2));
            until(&[
                "made of 1, 1",
                "ended nobody",
                "made of 1, 0",
                "ended nobody",
                "made of 1, 0",
            ])
            .await;
            until(&["ended well"]).await;
        };
        tokio::select! {
            () = syncing.keep_apart(Duration::from_millis(5), ear) => unreachable!("it does not end"),
            () = steps => {}
        }
        let index = Index::current(&advisories).unwrap().unwrap();
        assert_eq!(index.advisory("A")[0].modified, Some("2024-01-02T00:00:00Z".parse().unwrap()));
        // Its thread ends, and lets go of what it has.
        while hears.recv().await.is_some() {}
        let told = String::from_utf8(worker::metrics::text().unwrap()).unwrap();
        for name in ["failures_total", "last_success_timestamp_seconds"] {
            let line = told
                .lines()
                .find(|it| it.starts_with(&format!("attestry_feed_{name}{{feed=\"own\"}}")));
            assert!(line.is_some_and(|it| !it.ends_with(" 0")), "{told}");
        }
    }

    #[derive(Clone)]
    struct Panics(mpsc::UnboundedSender<String>);

    impl Hears for Panics {
        fn note(&self, _: &str) {}

        async fn made(&self, _: &Made) -> Result<(), Failure> {
            panic!("as bugs do")
        }

        fn ended(&self, synced: Result<(), &Failure>) {
            self.0.send(synced.unwrap_err().to_string()).ok();
        }
    }

    #[tokio::test]
    async fn thread_that_panics_is_told_of_and_takes_nobody_with_it() {
        let place = tempfile::tempdir().unwrap();
        let feeds = serve(&Served::new(Mutex::new(Ok(record(1)))), place.path());
        let (cache, advisories) = (place.path().join("cache"), place.path().join("advisories"));
        let syncing = Syncing::of_feeds(vec![feeds], cache, advisories);
        let (heard, mut hears) = mpsc::unbounded_channel();
        tokio::select! {
            () = syncing.keep_apart(MIN_INTERVAL, Panics(heard)) => unreachable!("it does not end"),
            said = hears.recv() => assert!(said.unwrap().contains("has panicked")),
        }
    }

    #[test]
    fn intervals_are_a_minute_or_more() {
        for (text, seconds) in [("6h", 21_600), ("90m", 5_400), ("1h30m", 5_400), ("60s", 60)] {
            assert_eq!(interval(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "6", "-6h", "59s", "0h", "often"] {
            assert!(interval(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_failed_is_tried_sooner_but_not_before_the_server_likes() {
        let [minute, hour] = [60, 3_600].map(Duration::from_secs);
        let at = |seconds: u64| Timestamp::UNIX_EPOCH + Duration::from_secs(seconds);
        let now = at(10_000);
        assert_eq!(pause(hour, false, None, now), hour);
        assert_eq!(pause(hour, true, None, now), RETRY);
        assert_eq!(pause(minute, true, None, now), minute);
        assert_eq!(pause(hour, true, Some(at(11_800)), now), hour / 2);
        assert_eq!(pause(hour, true, Some(at(90_000)), now), hour);
        assert_eq!(pause(hour, true, Some(at(9_000)), now), RETRY);
    }
}
