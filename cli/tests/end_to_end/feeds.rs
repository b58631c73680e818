//! `attestry advisories sync` from URLs of a server on this machine.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::place::Place;

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
