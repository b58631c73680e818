//! Feeds of a server of our own that answers as servers do, and as they should not.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use feeds::{FeedError, Feeds, Fetched, content_of};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const RECORD: &str = r#"{"id":"A"}"#;

fn now() -> Timestamp {
    Timestamp::from_second(1_764_460_800).unwrap()
}

/// The URL of a server that answers every request so; it ends with the test.
async fn serve<F: Fn(&str, &HeaderMap) -> Response + Clone + Send + Sync + 'static>(
    answer: F,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(move |request: Request| {
        let answer = answer(request.uri().path(), request.headers());
        async move { answer }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The URL of a server that sends these bytes, and then closes or says nothing more.
async fn serve_bytes(bytes: &'static [u8], closes: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = Vec::new();
            while !asked.ends_with(b"\r\n\r\n") {
                asked.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(bytes).await.unwrap();
            if !closes {
                open.push(stream);
            }
        }
    });
    url
}

fn feeds(urls: &[String]) -> Feeds {
    Feeds::of_urls(urls, true).unwrap()
}

async fn fetch(url: &str, cache: &TempDir) -> Fetched {
    feeds(&[url.to_owned()]).fetch(cache.path(), now()).await.unwrap()
}

/// The only failure, and what is there all the same.
async fn failure(url: &str, cache: &TempDir) -> (FeedError, usize) {
    let mut fetched = fetch(url, cache).await;
    let failed = fetched.failed.pop().expect("fails");
    assert_eq!(failed.url, url);
    (failed.error, fetched.cached.len())
}

#[tokio::test]
async fn feed_is_kept_under_its_url_and_asked_for_only_if_it_has_changed() {
    let version = Arc::new(AtomicUsize::new(1));
    let sent = Arc::new(AtomicUsize::new(0));
    let url = serve({
        let (version, sent) = (version.clone(), sent.clone());
        move |_, headers| {
            let tag = format!("\"{}\"", version.load(Ordering::SeqCst));
            if headers.get(header::IF_NONE_MATCH).is_some_and(|it| *it == *tag) {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            sent.fetch_add(1, Ordering::SeqCst);
            ([(header::ETAG, tag.clone())], format!("{{\"id\":{tag}}}")).into_response()
        }
    })
    .await;
    let (url, cache) = (format!("{url}/all.json"), TempDir::new().unwrap());

    let first = fetch(&url, &cache).await;
    assert!(first.failed.is_empty());
    let cached = &first.cached[0];
    assert_eq!((cached.url.as_str(), cached.fetched), (url.as_str(), now()));
    assert!(cached.path.to_str().unwrap().ends_with(".json"));
    let bytes = fs::read(&cached.path).unwrap();
    assert_eq!(bytes, b"{\"id\":\"1\"}");
    assert_eq!(cached.digest, events::Digest::of(&bytes));

    let again = fetch(&url, &cache).await;
    assert_eq!(content_of(&again.cached), content_of(&first.cached));
    let first = first.cached;
    assert_eq!((again.cached, sent.load(Ordering::SeqCst)), (first.clone(), 1));

    version.store(2, Ordering::SeqCst);
    let later = fetch(&url, &cache).await;
    assert_ne!(content_of(&later.cached), content_of(&first));
    assert_eq!(fs::read(&later.cached[0].path).unwrap(), b"{\"id\":\"2\"}");
}

#[tokio::test]
async fn server_without_tags_is_asked_by_date_and_sends_the_same_in_vain() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let url = serve({
        let asked = asked.clone();
        move |_, headers| {
            asked.lock().unwrap().push(headers.get(header::IF_MODIFIED_SINCE).cloned());
            ([(header::LAST_MODIFIED, "Mon, 30 Nov 2026 00:00:00 GMT")], RECORD).into_response()
        }
    })
    .await;
    let (url, cache) = (format!("{url}/a.json"), TempDir::new().unwrap());

    let [first, again] = [fetch(&url, &cache).await, fetch(&url, &cache).await];

    assert_eq!(content_of(&first.cached), content_of(&again.cached));
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0], None);
    assert_eq!(asked[1].as_ref().unwrap(), "Mon, 30 Nov 2026 00:00:00 GMT");
}

#[tokio::test]
async fn damaged_cache_is_fetched_anew() {
    let url = serve(|_, headers| match headers.get(header::IF_NONE_MATCH) {
        Some(_) => StatusCode::NOT_MODIFIED.into_response(),
        None => ([(header::ETAG, "\"1\"")], RECORD).into_response(),
    })
    .await;
    let (url, cache) = (format!("{url}/a.json"), TempDir::new().unwrap());
    let path = fetch(&url, &cache).await.cached[0].path.clone();
    let about = path.with_file_name("about.json");
    let sound = fs::read(&about).unwrap();
    for damage in [(&path, &b"{"[..]), (&about, b"{"), (&about, &sound[..sound.len() / 2])] {
        fs::write(damage.0, damage.1).unwrap();

        assert_eq!(fetch(&url, &cache).await.cached.len(), 1);

        assert_eq!(fs::read_to_string(&path).unwrap(), RECORD);
    }
}

#[tokio::test]
async fn what_a_feed_served_before_stays_whatever_it_does_now() {
    let fault = Arc::new(AtomicUsize::new(0));
    let url = serve({
        let fault = fault.clone();
        move |_, _| match fault.load(Ordering::SeqCst) {
            0 => RECORD.into_response(),
            1 => "<html>Sorry</html>".into_response(),
            2 => ([(header::CONTENT_ENCODING, "gzip")], RECORD).into_response(),
            status => StatusCode::from_u16(status as u16).unwrap().into_response(),
        }
    })
    .await;
    let (url, cache) = (format!("{url}/a.json"), TempDir::new().unwrap());
    let path = fetch(&url, &cache).await.cached[0].path.clone();
    for (number, expected) in [
        (1, "no json"),
        (2, "compressed"),
        (404, "answers 404; check the URL"),
        (304, "answers 304"),
        (206, "answers 206"),
        (500, "answers 500; try again later"),
    ] {
        fault.store(number, Ordering::SeqCst);

        // There was no tag to ask with, so that 304 answers a question that was not asked.
        let (error, kept) = failure(&url, &cache).await;

        assert!(error.to_string().contains(expected), "{number}: {error}");
        assert_eq!((kept, fs::read_to_string(&path).unwrap().as_str()), (1, RECORD), "{number}");
    }
    fs::remove_file(&path).unwrap();
    assert_eq!(failure(&url, &cache).await.1, 0, "nothing is there any more");
}

#[tokio::test]
async fn server_that_asks_to_wait_is_believed() {
    for (value, until) in [
        ("120", Some(now() + Duration::from_secs(120))),
        ("Mon, 30 Nov 2026 01:00:00 GMT", Some("2026-11-30T01:00:00Z".parse().unwrap())),
        ("soon", None),
    ] {
        let url = serve(move |_, _| {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, value)]).into_response()
        })
        .await;
        let (error, _) = failure(&format!("{url}/a.zip"), &TempDir::new().unwrap()).await;
        assert!(matches!(error, FeedError::Busy { status: 429, .. }), "{error}");
        assert_eq!(error.until(), until, "{value}");
    }
}

#[tokio::test]
async fn too_much_is_refused_whether_it_is_announced_or_not() {
    let directory = TempDir::new().unwrap();
    let url = serve(|path, _| match path {
        "/announced.json" => format!("{{{}}}", " ".repeat(2_000)).into_response(),
        _ => {
            let chunks = (0..1_000).map(|_| Ok::<_, std::io::Error>("{  "));
            Body::from_stream(futures::stream::iter(chunks)).into_response()
        }
    })
    .await;
    for name in ["announced", "endless"] {
        let list = directory.path().join("feeds.toml");
        let text = format!("[[feed]]\nurl = \"{url}/{name}.json\"\nmax-bytes = 1000\n");
        fs::write(&list, text).unwrap();
        let cache = TempDir::new().unwrap();

        let fetched = Feeds::load(&list, true).unwrap().fetch(cache.path(), now()).await.unwrap();

        assert!(matches!(fetched.failed[0].error, FeedError::TooLarge { most: 1000 }), "{name}");
        let left: Vec<_> = fs::read_dir(cache.path())
            .unwrap()
            .flat_map(|it| fs::read_dir(it.unwrap().path()).unwrap())
            .collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
}

#[tokio::test]
async fn redirects_are_followed_to_an_end_and_to_nothing_but_http() {
    let url = serve(|path, _| match path {
        "/moved.json" => Redirect::temporary("/there.json").into_response(),
        "/there.json" => RECORD.into_response(),
        "/file.json" => Redirect::temporary("file:///etc/passwd").into_response(),
        _ => Redirect::temporary("/again.json").into_response(),
    })
    .await;
    let cache = TempDir::new().unwrap();

    let moved = fetch(&format!("{url}/moved.json"), &cache).await;
    assert_eq!(moved.cached[0].url, format!("{url}/moved.json"));
    for (path, expected) in [("again", "redirects"), ("file", "answers 307")] {
        let (error, _) = failure(&format!("{url}/{path}.json"), &cache).await;
        assert!(error.to_string().contains(expected), "{path}: {error}");
    }
}

#[tokio::test]
async fn body_that_breaks_off_is_not_kept() {
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":";
    let url = serve_bytes(cut, true).await;
    let (error, kept) = failure(&format!("{url}/a.json"), &TempDir::new().unwrap()).await;
    assert!(matches!(error, FeedError::Away(_)), "{error}");
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn failure_tells_no_query_that_may_be_a_secret() {
    let silent = serve_bytes(b"", true).await;
    let moved = serve(|path, _| match path {
        "/a.json" => Redirect::temporary("/b.json?token=secret").into_response(),
        _ => Redirect::temporary("file:///secret").into_response(),
    })
    .await;
    for url in ["http://127.0.0.1:1".to_owned(), silent, moved] {
        let url = format!("{url}/a.json?token=secret");
        let fetched = fetch(&url, &TempDir::new().unwrap()).await;
        let failed = &fetched.failed[0];
        let told = format!("{} {} {:?}", failed.name, failed.error, failed.error);
        assert!(!told.contains("secret"), "{told}");
        assert!(url.starts_with(&failed.name), "{told}");
    }
}

#[tokio::test]
async fn server_that_falls_silent_is_given_up() {
    for bytes in [&b""[..], b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"id\":"] {
        let url = serve_bytes(bytes, false).await;
        let feeds = feeds(&[format!("{url}/a.json")]);
        let cache = TempDir::new().unwrap();
        let patience = Duration::from_millis(200);

        let fetched = feeds.fetch_patiently(cache.path(), now(), patience).await.unwrap();

        assert!(matches!(fetched.failed[0].error, FeedError::Away(_)), "{:?}", fetched.failed);
    }
}

#[tokio::test]
async fn what_a_killed_process_left_is_removed_when_nobody_can_be_at_it() {
    let served = Arc::new(AtomicUsize::new(0));
    let url = serve(move |_, _| {
        let number = served.fetch_add(1, Ordering::SeqCst);
        format!("{{\"id\":\"{number}\"}}").into_response()
    })
    .await;
    let (url, cache) = (format!("{url}/a.json"), TempDir::new().unwrap());
    let left = fetch(&url, &cache).await.cached[0].path.with_file_name(".incoming1");
    fs::write(&left, "{").unwrap();
    let written = Timestamp::try_from(fs::metadata(&left).unwrap().modified().unwrap()).unwrap();
    for (hours, is_there) in [(1, true), (3, false)] {
        let later = written + jiff::SignedDuration::from_hours(hours);

        feeds(std::slice::from_ref(&url)).fetch(cache.path(), later).await.unwrap();

        assert_eq!(left.exists(), is_there, "after {hours} hours");
    }
}

#[tokio::test]
async fn one_feed_that_fails_costs_the_others_nothing() {
    let url = serve(|path, _| match path {
        "/a.json" => StatusCode::NOT_FOUND.into_response(),
        _ => RECORD.into_response(),
    })
    .await;
    let urls = ["a", "b", "c"].map(|it| format!("{url}/{it}.json"));
    let cache = TempDir::new().unwrap();

    let fetched = feeds(&urls).fetch(cache.path(), now()).await.unwrap();

    assert_eq!((fetched.cached.len(), fetched.failed.len()), (2, 1));
    assert_eq!(fetched.failed[0].url, urls[0]);
}
