//! A bucket on this machine: its list is always that of now, its archive that of when it was made last.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use advisories::Index;
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use events::Digest;
use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::Client;
use tempfile::TempDir;
use tokio::net::TcpListener;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{Feed, FeedError, Feeds, bucket::Bucket, content_of};

/// When the first records were changed.
const START: &str = "2026-01-01T00:00:00Z";

/// What goes wrong at a path.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Status(u16),
    /// The body breaks off, without the end that its length or its chunks promise.
    Cut,
    /// Something else is served.
    Body(Vec<u8>),
}

/// What the bucket holds.
pub(crate) struct State {
    pub(crate) now: Timestamp,
    /// When each was changed, and how often.
    pub(crate) records: BTreeMap<String, (Timestamp, u32)>,
    archive: (Timestamp, Vec<u8>),
    pub(crate) faults: BTreeMap<String, Fault>,
    /// In front of the lines of the list.
    pub(crate) more_lines: String,
    asked: Vec<String>,
}

/// The server, and somebody who follows it.
pub(crate) struct Place {
    state: Arc<Mutex<State>>,
    client: Client,
    feed: Feed,
    pub(crate) cache: TempDir,
    pub(crate) max_changed: usize,
}

/// One run.
pub(crate) struct Ran {
    pub(crate) done: Result<(), FeedError>,
    /// Paths below the bucket that were asked for.
    pub(crate) asked: Vec<String>,
}

fn record(id: &str, (at, version): (Timestamp, u32)) -> String {
    format!(
        r#"{{"id":"{id}","modified":"{at}","affected":[{{"package":{{"ecosystem":"PyPI","name":"{id}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{version}"}}]}}]}}]}}"#
    )
}

impl State {
    /// Changes a record, or makes it.
    pub(crate) fn change(&mut self, id: &str) {
        let now = self.now;
        let record = self.records.entry(id.to_owned()).or_insert((now, 0));
        *record = (now, record.1 + 1);
    }

    pub(crate) fn pass(&mut self, hours: i64) {
        self.now += SignedDuration::from_hours(hours);
    }

    /// Makes the archive anew.
    pub(crate) fn publish(&mut self) {
        self.archive = (self.now, self.zip());
    }

    /// Makes the archive anew, with a record as it was at the start.
    pub(crate) fn publish_without_the_change_of(&mut self, id: &str) {
        let changed = self.records[id];
        self.records.insert(id.to_owned(), (START.parse().unwrap(), 1));
        self.publish();
        self.records.insert(id.to_owned(), changed);
    }

    fn zip(&self) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (id, change) in &self.records {
            zip.start_file(format!("{id}.json"), SimpleFileOptions::default()).unwrap();
            zip.write_all(record(id, *change).as_bytes()).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn list(&self) -> String {
        let mut lines: Vec<_> = self.records.iter().map(|(id, (at, _))| (at, id)).collect();
        lines.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let lines: String = lines.iter().map(|(at, id)| format!("{at},{id}\n")).collect();
        format!("{}{lines}", self.more_lines)
    }

    fn answer(&mut self, path: &str, headers: &HeaderMap) -> Response {
        let path = path.trim_start_matches("/PyPI/");
        self.asked.push(path.to_owned());
        match self.faults.get(path) {
            Some(Fault::Status(status)) => {
                return StatusCode::from_u16(*status).unwrap().into_response();
            }
            Some(Fault::Cut) => {
                let start = Ok(if path.ends_with(".zip") { "PK\u{3}\u{4}" } else { "{\"id\":" });
                let end = Err(std::io::Error::other("cut"));
                return Body::from_stream(futures::stream::iter([start, end])).into_response();
            }
            Some(Fault::Body(body)) => return body.clone().into_response(),
            None => {}
        }
        let (made, body) = match path {
            super::super::LIST => (self.now, self.list().into_bytes()),
            super::super::ARCHIVE => self.archive.clone(),
            _ => {
                let id = path.trim_end_matches(".json");
                let Some(change) = self.records.get(id) else {
                    return StatusCode::NOT_FOUND.into_response();
                };
                (change.0, record(id, *change).into_bytes())
            }
        };
        let tag = format!("\"{}\"", Digest::of(&body));
        if headers.get(header::IF_NONE_MATCH).is_some_and(|it| *it == *tag) {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        let made = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&made).unwrap();
        ([(header::ETAG, tag), (header::LAST_MODIFIED, made)], body).into_response()
    }
}

impl Place {
    /// With an archive of these records, which were changed long ago.
    pub(crate) async fn new(ids: &[&str]) -> Self {
        let now: Timestamp = START.parse().unwrap();
        let mut state = State {
            now,
            records: BTreeMap::new(),
            archive: (now, Vec::new()),
            faults: BTreeMap::new(),
            more_lines: String::new(),
            asked: Vec::new(),
        };
        ids.iter().for_each(|it| state.change(it));
        state.pass(10 * 24);
        state.publish();
        let state = Arc::new(Mutex::new(state));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/PyPI/", listener.local_addr().unwrap());
        let router = Router::new().fallback({
            let state = state.clone();
            move |request: Request| {
                let answer = state.lock().unwrap().answer(request.uri().path(), request.headers());
                async move { answer }
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        let cache = TempDir::new().unwrap();
        let list = cache.path().join("feeds.toml");
        std::fs::write(&list, format!("[[feed]]\nurl = '{url}'\nformat = 'osv-bucket'\n")).unwrap();
        let feeds = Feeds::load(&list, true).unwrap();
        let feed = feeds.feeds[0].clone();
        let client = feeds.client(Duration::from_secs(20)).unwrap();
        Self { state, client, feed, cache, max_changed: super::super::MAX_CHANGED }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Somebody else who follows the same server.
    pub(crate) fn other(&self) -> Self {
        Self {
            state: self.state.clone(),
            client: self.client.clone(),
            feed: self.feed.clone(),
            cache: TempDir::new().unwrap(),
            max_changed: self.max_changed,
        }
    }

    fn bucket(&self) -> Bucket {
        Bucket { max_changed: self.max_changed, ..Bucket::of(&self.feed, self.cache.path()) }
    }

    pub(crate) async fn run(&self) -> Ran {
        let now = self.state().now;
        self.state().asked.clear();
        let done = self.bucket().refresh(&self.client, now).await;
        let asked = self.state().asked.clone();
        Ran { done, asked }
    }

    /// A run that must succeed; what it asked for.
    pub(crate) async fn follow(&self) -> Vec<String> {
        let ran = self.run().await;
        ran.done.unwrap();
        ran.asked
    }

    /// What differs as soon as anything differs that is there.
    pub(crate) fn content(&self) -> Digest {
        content_of(&self.bucket().cached())
    }

    /// Whether no more was changed than is fetched one by one.
    pub(crate) fn lacks_nothing(&self) -> bool {
        let bucket = self.bucket();
        let noted = bucket.noted().expect("noted");
        bucket.pending(|_, key| noted.has(&key)).unwrap().is_some()
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.bucket().cached().into_iter().map(|it| it.path).collect()
    }

    /// The digest of an index of what is there.
    pub(crate) fn index(&self) -> Digest {
        let (index, report) = Index::build(&self.paths()).unwrap();
        assert_eq!(report.problem_count, 0, "{:?}", report.problems);
        index.digest()
    }

    /// The digest of an index of all that the server holds now.
    pub(crate) fn full(&self) -> Digest {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("all.zip");
        std::fs::write(&path, self.state().zip()).unwrap();
        Index::build(&[path]).unwrap().0.digest()
    }

    /// When each record that is there was changed.
    pub(crate) fn known(&self) -> BTreeMap<String, Timestamp> {
        if self.paths().is_empty() {
            return BTreeMap::new();
        }
        let (index, _) = Index::build(&self.paths()).unwrap();
        let ids: Vec<_> = self.state().records.keys().cloned().collect();
        let modified = |id: &String| index.advisory(id).first().and_then(|it| it.modified);
        ids.into_iter().filter_map(|id| modified(&id).map(|it| (id, it))).collect()
    }

    pub(crate) fn modified(&self, id: &str) -> Option<Timestamp> {
        self.known().get(id).copied()
    }
}
