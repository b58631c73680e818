//! `attestry advisories sync` and `attestry up --feeds` from URLs of a server on this machine.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Cursor, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    place::{Place, Up, wait_until},
    suppliers::{acme, submit, widget},
};

/// What is served at `/records.json`: a body, or a status.
type Served = Arc<Mutex<Result<String, u16>>>;

fn record(id: &str, fixed: &str) -> String {
    json!({
        "id": id, "modified": format!("2024-01-01T00:00:0{fixed}Z"),
        "affected": [{
            "package": { "ecosystem": "PyPI", "name": "idna" },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
        }],
    })
    .to_string()
}

/// A server that lives as long as the test, and its URL.
fn serve(served: &Served) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/records.json", listener.local_addr().unwrap());
    let served = served.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &served.lock().unwrap());
        }
    });
    url
}

fn answer(mut stream: TcpStream, served: &Result<String, u16>) {
    let asked = BufReader::new(&stream).lines().map_while(Result::ok);
    let asked: Vec<_> = asked.take_while(|it| !it.is_empty()).collect();
    let tag = format!("\"{}\"", served.as_ref().map_or(0, String::len));
    let has_it = asked.iter().any(|it| it.to_lowercase() == format!("if-none-match: {tag}"));
    let (status, body) = match served {
        Ok(_) if has_it => (304, ""),
        Ok(body) => (200, body.as_str()),
        Err(status) => (*status, ""),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} So\r\nETag: {tag}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .unwrap();
}

fn shown(place: &Place, id: &str) -> Value {
    place.attestry(&format!("advisories show {id} --format json")).expect(0).json()
}

#[test]
fn index_follows_a_url_and_tells_where_records_come_from() {
    let place = Place::new();
    let served = Served::new(Mutex::new(Ok(record("A", "2"))));
    let url = serve(&served);
    let sync =
        |code| place.attestry(&format!("advisories sync --from {url} --allow-http")).expect(code);

    sync(0).says(&["1 advisories"]);
    let first = shown(&place, "A");
    assert_eq!(first["known"]["source"], url.as_str());
    sync(0).says(&["1 advisories"]);
    assert_eq!(shown(&place, "A")["known"], first["known"], "nothing has changed");

    *served.lock().unwrap() = Ok(format!("{}  ", record("A", "3")));
    sync(0).says(&["0 new, 1 changed, 0 gone"]);
    let changed = shown(&place, "A");
    assert_eq!(changed["known"]["first"], first["known"]["first"]);
    assert!(changed["known"]["at"].as_str() > first["known"]["at"].as_str());
    assert_ne!(changed["known"]["digest"], first["known"]["digest"]);
}

#[test]
fn feed_that_fails_leaves_what_it_served_and_one_that_never_served_leaves_the_index() {
    let place = Place::new();
    let served = Served::new(Mutex::new(Err(500)));
    let url = serve(&served);
    place.write("feeds.toml", format!("[[feed]]\nurl = \"{url}\"\n"));
    place.write("own.json", record("B", "2"));
    let sync = "advisories sync --feeds feeds.toml --allow-http --from own.json";

    place.attestry(sync).expect(3).says(&[&url, "answers 500", "the index stays as it is"]);
    place.attestry("advisories show B").expect(3).says(&["no advisory index"]);

    *served.lock().unwrap() = Ok(record("A", "2"));
    place.attestry(sync).expect(0).says(&["2 advisories"]);

    *served.lock().unwrap() = Err(503);
    place.attestry(sync).expect(3).says(&["2 advisories", "answers 503", "was served before"]);
    place.attestry("advisories show A").expect(0).says(&[&url]);
}

#[test]
fn update_adds_to_the_index() {
    let place = Place::new();
    place.write("all.json", record("A", "2"));
    place.write("one.json", record("B", "2"));
    place.write("epss.csv", "cve,epss,percentile\nCVE-2025-3248,0.9,0.99\n");
    let sync = "advisories sync --update --from all.json --from epss.csv";
    place.attestry(sync).expect(0).says(&["1 advisories"]);

    place.attestry("advisories sync --update --from one.json").expect(0).says(&[
        "2 advisories",
        "1 new, 0 changed, 0 gone",
        "1  vulnerabilities with an EPSS score",
    ]);
    place.attestry("advisories show A").expect(0).says(&["all.json"]);

    place.attestry("advisories sync --from one.json").expect(0).says(&[
        "1 advisories",
        "0 new, 0 changed, 1 gone",
        "The index before had EPSS",
    ]);
}

#[test]
fn what_cannot_be_fetched_is_refused_before_anything_is() {
    let place = Place::new();
    place.write("own.json", record("A", "2"));
    place.write("feeds.toml", "[[feed]]\nurl = \"https://example.org/all\"\n");
    for (arguments, word) in [
        ("--from http://127.0.0.1:9/all.zip", "write https"),
        ("--from https://me:secret@127.0.0.1:9/all.zip", "a password"),
        ("--feeds feeds.toml", "`format`"),
        ("--feeds missing.toml", "missing.toml"),
        ("--from own.json --every 1h", "name a URL"),
        ("--from own.json --every 1s", "once a minute"),
    ] {
        let said = place.attestry(&format!("advisories sync {arguments}")).expect(2);
        said.says(&[word]);
        assert!(!said.stderr.contains("secret"), "{}", said.stderr);
    }
    let match_url = "advisories match own.json --from https://example.org/all.zip";
    place.attestry(match_url).expect(2).says(&["only `attestry advisories sync` fetches"]);
}

/// An ecosystem's folder as in OSV's bucket.
#[derive(Clone, Default)]
struct Bucket(Arc<Mutex<Folder>>);

#[derive(Default)]
struct Folder {
    is_away: bool,
    /// By id: when it was changed, and the record.
    records: BTreeMap<String, (String, String)>,
    archive: Vec<u8>,
    /// Paths that were asked for.
    asked: Vec<String>,
}

impl Bucket {
    /// Serves it as long as the test lives; its URL.
    fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/PyPI/", listener.local_addr().unwrap());
        let bucket = self.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                bucket.folder().answer(stream.unwrap());
            }
        });
        url
    }

    fn folder(&self) -> MutexGuard<'_, Folder> {
        self.0.lock().unwrap()
    }
}

impl Folder {
    /// Says of `left` that it is vulnerable before `fixed`.
    fn advise(&mut self, id: &str, modified: &str, fixed: &str) {
        let record = json!({
            "id": id, "modified": modified, "aliases": ["CVE-2026-0001"],
            "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N" }],
            "affected": [{
                "package": { "ecosystem": "PyPI", "name": "left" },
                "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": fixed }] }],
            }],
        });
        self.records.insert(id.to_owned(), (modified.to_owned(), record.to_string()));
    }

    fn publish(&mut self) {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (id, (_, record)) in &self.records {
            zip.start_file(format!("{id}.json"), SimpleFileOptions::default()).unwrap();
            zip.write_all(record.as_bytes()).unwrap();
        }
        self.archive = zip.finish().unwrap().into_inner();
    }

    fn answer(&mut self, mut stream: TcpStream) {
        let asked: Vec<_> = BufReader::new(&stream)
            .lines()
            .map_while(Result::ok)
            .take_while(|it| !it.is_empty())
            .collect();
        let path = asked[0].split(' ').nth(1).unwrap().trim_start_matches("/PyPI/").to_owned();
        let list = || {
            let line =
                |(id, (modified, _)): (&String, &(String, String))| format!("{modified},{id}\n");
            self.records.iter().map(line).collect::<String>().into_bytes()
        };
        let body = match path.as_str() {
            _ if self.is_away => None,
            "modified_id.csv" => Some(list()),
            "all.zip" => Some(self.archive.clone()),
            _ => {
                self.records.get(path.trim_end_matches(".json")).map(|it| it.1.clone().into_bytes())
            }
        };
        let status = if body.is_some() { "200 OK" } else { "503 Away" };
        let body = body.unwrap_or_default();
        let head = format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        stream.write_all(format!("HTTP/1.1 {status}\r\n{head}").as_bytes()).unwrap();
        stream.write_all(&body).unwrap();
        self.asked.push(path);
    }
}

/// The value of a metric of the feed `pypi`.
fn of_feed(up: &Up, metric: &str) -> f64 {
    let (_, text) = up.get("/metrics");
    let line = format!("attestry_feed_{metric}{{feed=\"pypi\"}} ");
    text.lines().find_map(|it| it.strip_prefix(&line)).unwrap().parse().unwrap()
}

#[test]
fn running_pipeline_follows_a_bucket_and_the_backlog_what_is_changed_in_it() {
    let (place, bucket) = (acme(), Bucket::default());
    let id = "GHSA-xxxx-left-0001";
    bucket.folder().advise(id, "2026-11-01T00:00:00Z", "1.5.0");
    bucket.folder().publish();
    bucket.folder().is_away = true;
    let list = format!(
        "[[feed]]\nurl = \"{}\"\nformat = \"osv-bucket\"\nname = \"pypi\"\n",
        bucket.serve()
    );
    place.write("feeds.toml", list);
    let settings = ["--feeds", "feeds.toml", "--allow-http", "--every", "1h"];

    // Nobody waits for a server that is away.
    let up = place.up_with(&settings);
    submit(&place, "widget.json", widget().to_string()).expect(0);
    wait_until("the failure is counted", || of_feed(&up, "failures_total") > 0.0);
    assert_eq!(of_feed(&up, "last_success_timestamp_seconds"), 0.0);
    wait_until("the failure is logged", || up.said().contains("pypi modified_id.csv answers 503"));
    assert_eq!(up.get("/ready").0, 200);
    assert_eq!(up.terminate().0, Some(0));

    bucket.folder().is_away = false;
    let up = place.up_with(&settings);
    let listed = |words: &str| place.attestry("backlog list").stdout.contains(words);
    wait_until("a finding follows the index", || listed("left") && listed("1.5.0"));
    wait_until("the success is told", || of_feed(&up, "last_success_timestamp_seconds") > 0.0);
    assert!(up.get("/metrics").1.contains("attestry_advisories_last_sync_timestamp_seconds 1"));

    up.kill();
    bucket.folder().advise(id, "2026-11-02T00:00:00Z", "1.6.0");
    bucket.folder().asked.clear();
    let _up = place.up_with(&settings);
    wait_until("the backlog follows the record", || listed("left") && listed("1.6.0"));
    assert_eq!(bucket.folder().asked, ["modified_id.csv", &format!("{id}.json")]);

    // What came bit by bit is what comes at once.
    bucket.folder().publish();
    let whole =
        "advisories sync --feeds feeds.toml --allow-http --feed-cache anew --advisories anew";
    place.attestry(whole).expect(0).says(&["1 advisories"]);
    assert_eq!(place.read("anew/current"), place.read("data/advisories/current"));
}

#[test]
fn command_that_stays_tells_what_the_index_lacks_and_ends_when_it_is_asked_to() {
    let place = Place::new();
    let served = Served::new(Mutex::new(Err(500)));
    let list = format!("[[feed]]\nurl = \"{}\"\nname = \"pypi\"\n", serve(&served));
    place.write("feeds.toml", list);
    let words = "advisories sync --feeds feeds.toml --allow-http --every 1h --metrics 127.0.0.1:0";
    let words: Vec<_> = words.split(' ').collect();

    let sync = place.stay(&words, "pypi answers 500; try again later; the index stays as it is");
    let ready = sync.get("/ready");
    assert!(ready.0 == 503 && ready.1.contains("advisories: pypi answers 500"), "{ready:?}");
    assert_eq!(of_feed(&sync, "failures_total"), 1.0);
    assert_eq!(sync.terminate().0, Some(0));

    *served.lock().unwrap() = Ok(record("A", "2"));
    let sync = place.stay(&words, "health http://");
    wait_until("it is ready", || sync.get("/ready").0 == 200);
    assert!(of_feed(&sync, "last_success_timestamp_seconds") > 0.0);
    assert_eq!(sync.terminate().0, Some(0));
    place.attestry("advisories show A").expect(0);
}

#[test]
fn list_that_cannot_be_used_stops_the_start() {
    let place = Place::new();
    place.write("feeds.toml", "[[feed]]\nurl = \"http://example.org/all.zip\"\n");
    for (arguments, word) in [
        ("--feeds feeds.toml", "write https"),
        ("--feeds missing.toml", "missing.toml"),
        ("--every 1h", "--feeds"),
        ("--feeds feeds.toml --every 1s", "once a minute"),
    ] {
        let up = format!("up --nats-port 0 --metrics 127.0.0.1:0 {arguments}");
        place.attestry(&up).expect(2).says(&[word]);
    }
    let sync = "advisories sync --from own.json --metrics 127.0.0.1:0";
    place.attestry(sync).expect(2).says(&["--every"]);
}
