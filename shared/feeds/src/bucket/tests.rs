//! A bucket that is followed, whatever it serves and whenever the follower dies.

mod killed;
mod seeded;
mod server;

use std::fs;

use futures::stream;
use jiff::SignedDuration;

use self::server::{Fault, Place};
use super::{ARCHIVE, LIST, RECORDS};
use crate::FeedError;

#[tokio::test]
async fn archive_comes_first_and_then_only_what_was_changed() {
    let place = Place::new(&["A", "B", "C"]).await;
    assert_eq!(place.follow().await, [LIST, ARCHIVE]);
    assert_eq!(place.index(), place.full());
    assert_eq!(place.follow().await, [LIST], "nothing was changed");

    place.state().pass(48);
    place.state().change("B");
    place.state().change("RHSA-2026:1");
    let mut asked = place.follow().await;
    asked[1..].sort();
    assert_eq!(asked, [LIST, "B.json", "RHSA-2026:1.json"]);
    assert_eq!(place.index(), place.full());

    place.state().pass(1);
    place.state().change("B");
    assert_eq!(place.follow().await, [LIST, "B.json"]);
    assert_eq!(place.index(), place.full());
    let records = place.paths().pop().unwrap();
    assert_eq!(fs::read_dir(records).unwrap().count(), 2, "that of before is gone");
}

#[tokio::test]
async fn record_that_is_listed_late_is_fetched_all_the_same() {
    let place = Place::new(&["A", "B"]).await;
    place.follow().await;
    place.state().pass(24);
    place.state().change("A");
    place.follow().await;
    let long_ago = place.state().now - SignedDuration::from_hours(30 * 24);
    place.state().records.insert("LATE".to_owned(), (long_ago, 1));
    assert_eq!(place.follow().await, [LIST, "LATE.json"]);
    assert_eq!(place.index(), place.full());
}

#[tokio::test]
async fn what_an_archive_may_be_too_old_for_is_fetched_beside_it() {
    let place = Place::new(&["A", "B"]).await;
    // Changed after the archive was made, and the list knows.
    place.state().pass(2);
    place.state().change("B");
    assert_eq!(place.follow().await, [LIST, ARCHIVE, "B.json"]);
    assert_eq!(place.index(), place.full());
}

#[tokio::test]
async fn too_many_changes_bring_the_archive_and_so_does_a_week() {
    let mut place = Place::new(&["A", "B", "C", "D"]).await;
    place.max_changed = 2;
    place.follow().await;
    place.state().pass(26);
    ["A", "B", "C"].iter().for_each(|it| place.state().change(it));
    // Not yet anew: it is asked for, and what it has is what there is.
    assert_eq!(place.follow().await, [LIST, ARCHIVE]);
    assert_ne!(place.index(), place.full());
    place.state().pass(1);
    place.state().publish();
    assert_eq!(place.follow().await, [LIST, ARCHIVE]);
    assert_eq!(place.index(), place.full());
    // They were changed so shortly before that it need not have them.
    assert_eq!(place.follow().await, [LIST, ARCHIVE]);
    // It is the same a day later: there is nothing that it could lack.
    place.state().pass(25);
    assert_eq!(place.follow().await, [LIST, ARCHIVE]);
    place.state().change("D");
    assert_eq!(place.follow().await, [LIST, "D.json"]);

    place.state().pass(5 * 24);
    assert_eq!(place.follow().await, [LIST]);
    place.state().records.remove("D");
    place.state().pass(24);
    place.state().publish();
    assert_eq!(place.follow().await, [LIST, ARCHIVE]);
    assert_eq!(place.index(), place.full(), "what is gone goes with the next archive");
}

#[tokio::test]
async fn one_record_that_fails_costs_the_others_nothing_and_is_asked_for_again() {
    let place = Place::new(&["A", "B", "C"]).await;
    place.follow().await;
    place.state().pass(48);
    ["A", "B", "C"].iter().for_each(|it| place.state().change(it));
    let old = place.modified("B").unwrap();
    for (fault, told) in [
        (Fault::Status(404), "answers 404"),
        (
            Fault::Body(b"{\"id\":\"A\",\"modified\":\"2026-02-01T00:00:00Z\"}".to_vec()),
            "of that id",
        ),
        (Fault::Body(b"{\"id\":\"B\",\"modified\":\"2025-12-31T00:00:00Z\"}".to_vec()), "an older"),
        (Fault::Body(b"{\"id\":\"B\"}".to_vec()), "no OSV record"),
        (Fault::Body(b"<html>Sorry</html>".to_vec()), "no OSV record"),
        (Fault::Body(b"{\"id\":\"B\",\"modi".to_vec()), "no OSV record"),
        (Fault::Body(vec![b' '; 33 << 20]), "32 MiB"),
    ] {
        place.state().faults.insert("B.json".to_owned(), fault);
        let error = place.run().await.done.unwrap_err();
        let FeedError::Records { missing: 1, id, .. } = &error else { panic!("{error}") };
        assert!(id == "B" && error.to_string().contains(told), "{error}");
        assert_eq!(place.modified("B"), Some(old));
        let others = ["A", "C"].map(|it| place.modified(it));
        assert_eq!(others, [Some(place.state().now); 2]);
    }
    place.state().faults.clear();
    assert_eq!(place.follow().await, [LIST, "B.json"]);
    assert_eq!(place.index(), place.full());
}

#[tokio::test]
async fn server_that_fails_is_left_alone_and_what_came_is_kept() {
    let place = Place::new(&["A", "B", "C", "D", "E"]).await;
    place.follow().await;
    place.state().pass(48);
    ["A", "B", "C", "D", "E"].iter().for_each(|it| place.state().change(it));
    for fault in [Fault::Status(503), Fault::Status(500), Fault::Cut] {
        place.state().faults.insert("C.json".to_owned(), fault);
        let ran = place.run().await;
        assert!(matches!(ran.done, Err(FeedError::Records { .. })), "{:?}", ran.done);
        assert_eq!(ran.asked.last().unwrap(), "C.json", "nothing more is asked for");
        place.state().faults.clear();
    }
    place.follow().await;
    assert_eq!(place.index(), place.full());
}

#[tokio::test]
async fn fault_of_list_or_archive_leaves_what_was_there() {
    let faults = || {
        [
            (Fault::Status(404), "answers 404"),
            (Fault::Status(500), "answers 500"),
            (Fault::Cut, "cannot be fetched"),
            (Fault::Body(b"<html>".to_vec()), "serves something that is no"),
        ]
    };
    let place = Place::new(&["A"]).await;
    for part in [LIST, ARCHIVE] {
        for (fault, told) in faults() {
            place.state().faults.insert(part.to_owned(), fault);
            let error = place.run().await.done.unwrap_err().to_string();
            assert!(error.starts_with(part) && error.contains(told), "{error}");
            assert!(place.paths().is_empty());
        }
        place.state().faults.clear();
    }
    place.follow().await;
    let before = place.index();
    place.state().pass(8 * 24);
    place.state().change("A");
    for (fault, told) in faults() {
        place.state().faults.insert(LIST.to_owned(), fault);
        let error = place.run().await.done.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
        assert_eq!(place.index(), before);
    }
    place.state().faults.clear();
    place.state().faults.insert(LIST.to_owned(), Fault::Body(b"no times\n".to_vec()));
    let error = place.run().await.done.unwrap_err().to_string();
    assert!(error.contains("no list of times and ids"), "{error}");
    place.state().faults.clear();
    // An archive that is due and does not come costs no record.
    place.state().faults.insert(ARCHIVE.to_owned(), Fault::Status(500));
    assert!(place.run().await.done.is_err());
    assert_eq!(place.index(), place.full());
}

#[tokio::test]
async fn hostile_ids_reach_neither_disk_nor_server() {
    let place = Place::new(&["A", "B"]).await;
    place.follow().await;
    place.state().pass(48);
    place.state().change("B");
    let now = place.state().now;
    let ids =
        ["../../../etc/passwd", "..", "/etc/passwd", "a/../../b", "a\\b", "%2e%2e%2fa", "A?x"];
    place.state().more_lines = ids.iter().map(|it| format!("{now},{it}\n")).collect();
    let ran = place.run().await;
    assert_eq!(ran.asked, [LIST, "B.json"]);
    let FeedError::Lines { count: 7, line: 1, .. } = ran.done.unwrap_err() else { panic!() };
    assert_eq!(place.index(), place.full(), "the others are there");
    let records = place.paths().pop().unwrap();
    assert!(records.ends_with(RECORDS));
    assert_eq!(fs::read_dir(records).unwrap().count(), 1);
}

#[tokio::test]
async fn cache_that_was_damaged_is_fetched_anew() {
    let place = Place::new(&["A", "B"]).await;
    place.follow().await;
    place.state().pass(48);
    place.state().change("B");
    place.follow().await;
    let [archive, records] = &place.paths()[..] else { panic!() };
    let noted = records.with_file_name("noted");
    for damage in [noted.clone(), archive.clone(), archive.with_file_name("about.json")] {
        fs::write(&damage, "?").unwrap();
        place.follow().await;
        assert_eq!(place.index(), place.full(), "{}", damage.display());
    }
    fs::remove_dir_all(records).unwrap();
    assert_eq!(place.follow().await, [LIST, "B.json"]);
    assert_eq!(place.index(), place.full());
}

#[tokio::test]
async fn two_at_a_time_do_not_disturb_each_other() {
    let place = Place::new(&["A"]).await;
    place.follow().await;
    let lock = place.paths()[0].parent().unwrap().parent().unwrap().to_owned();
    let is_lock = |it: &fs::DirEntry| it.path().join("lock").exists();
    let bucket = fs::read_dir(lock).unwrap().map(Result::unwrap).find(is_lock).unwrap().path();
    let held = fs::File::open(bucket.join("lock")).unwrap();
    held.lock().unwrap();
    assert!(matches!(place.run().await.done, Err(FeedError::Locked)));
    drop(held);
    place.follow().await;
}

/// Of this process, which does nothing else, in KiB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn list_of_a_million_lines_is_read_line_by_line() {
    use axum::{Router, body::Body, extract::Request, response::IntoResponse};
    let line = |it: u32| format!("2025-01-01T00:00:00.{it:06}Z,MAL-2025-{it:012}\n");
    let chunk = bytes_of((0..1_000).map(line));
    let zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new())).finish().unwrap().into_inner();
    let router = Router::new().fallback(move |request: Request| {
        let answer = match request.uri().path() {
            "/all.zip" => zip.clone().into_response(),
            _ => {
                let chunks = std::iter::repeat_n(chunk.clone(), 1_000);
                Body::from_stream(stream::iter(chunks.map(Ok::<_, std::io::Error>))).into_response()
            }
        };
        async move { answer }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let cache = tempfile::tempdir().unwrap();
    let list = cache.path().join("feeds.toml");
    fs::write(&list, format!("[[feed]]\nurl = '{url}'\nformat = 'osv-bucket'\n")).unwrap();
    let feeds = crate::Feeds::load(&list, true).unwrap();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();

    let fetched = feeds.fetch(&cache.path().join("cache"), now).await.unwrap();

    assert!(fetched.failed.is_empty(), "{:?}", fetched.failed);
    assert_eq!(fetched.cached.len(), 1, "no record is fetched beside the archive");
    // The list has 47 MB, and what is noted of it 16.
    let peak = peak_memory();
    assert!(peak < 128 * 1024, "{peak} KiB");
}

fn bytes_of(lines: impl Iterator<Item = String>) -> axum::body::Bytes {
    lines.collect::<String>().into()
}
