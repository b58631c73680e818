//! A server that is not GitHub, or means harm.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{Method, StatusCode},
    response::{IntoResponse as _, Response},
};
use futures::stream;
use private_github::TOKEN;
use serde_json::{Value, json};
use tickets::{Clock, Limits, Report, sync};

use crate::place::{Book, Hands, secret, tracker_at, wanted};

/// What is answered: to listings, and to what changes something.
#[derive(Clone)]
struct Answers {
    list: Arc<dyn Fn() -> Response + Send + Sync>,
    create: Arc<dyn Fn() -> Response + Send + Sync>,
    /// Every request: method and path.
    heard: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(answers): State<Answers>, request: Request) -> Response {
    let line = format!("{} {}", request.method(), request.uri().path());
    answers.heard.lock().expect("free").push(line);
    match (request.method(), request.uri().path()) {
        (_, "/user") => json!({ "login": "attestry-bot" }).to_string().into_response(),
        (&Method::GET, _) => (answers.list)(),
        _ => (answers.create)(),
    }
}

impl Answers {
    fn new(list: impl Fn() -> Response + Send + Sync + 'static) -> Self {
        let create = || issue("attestry-bot", |_| ()).to_string().into_response();
        Self { list: Arc::new(list), create: Arc::new(create), heard: Arc::default() }
    }

    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let url = format!("http://{}", listener.local_addr().expect("one"));
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn heard(&self) -> usize {
        self.heard.lock().expect("free").len()
    }
}

async fn run(url: &str) -> Report {
    let directory = tempfile::tempdir().expect("temporary");
    secret(&directory, TOKEN);
    let clock = Hands::new();
    let timeout = Duration::from_secs(60);
    let tracker = tracker_at(url, &directory, Arc::clone(&clock) as Arc<dyn Clock>, timeout);
    let limits = Limits { dry_run: false, open_max: 100 };
    sync(&tracker, &Book::default(), &[wanted("a")], limits, &*clock).await.expect("keeps")
}

fn issue(login: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut issue = json!({
        "number": 1, "html_url": "https://github.com/acme/app/issues/1", "state": "open",
        "body": wanted("a").key.marker(), "user": { "login": login },
        "created_at": "2026-11-30T10:00:00Z", "updated_at": "2026-11-30T11:00:00Z",
    });
    change(&mut issue);
    issue
}

fn linked(next: &str) -> Response {
    ([("link", format!("<{next}>; rel=\"next\""))], "[]").into_response()
}

#[tokio::test]
async fn token_goes_nowhere_else() {
    let elsewhere = Answers::new(|| "[]".into_response());
    let other = elsewhere.serve().await;
    let next = format!("{other}/repos/acme/app/issues?page=2");
    let report = run(&Answers::new(move || linked(&next)).serve().await).await;
    assert!(report.stopped.is_some_and(|why| why.contains("at another place")));
    for status in [301, 302, 307, 308] {
        let location = format!("{other}/repos/acme/app/issues");
        let redirect = move || {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [("location", location.clone())]).into_response()
        };
        let report = run(&Answers::new(redirect).serve().await).await;
        assert!(report.stopped.is_some_and(|why| why.contains("renamed")), "{status}");
    }
    assert_eq!(elsewhere.heard(), 0);
}

#[tokio::test]
async fn what_is_no_listing_makes_no_ticket() {
    let now = |field: &'static str, value: &'static str| {
        json!([issue("attestry-bot", |it| it[field] = value.into())]).to_string()
    };
    let answers = [
        String::new(),
        "<html>Sign in to the wireless network</html>".to_owned(),
        "{}".to_owned(),
        "[{}]".to_owned(),
        "[".repeat(100_000),
        now("updated_at", "yesterday"),
        now("state", "somewhere"),
        now("number", "-1"),
    ];
    for answer in answers {
        let text = answer.clone();
        let server = Answers::new(move || text.clone().into_response());
        let report = run(&server.serve().await).await;
        let why = report.stopped.expect("stopped");
        assert!(why.contains("not what GitHub answers"), "{answer}: {why}");
        assert_eq!(server.heard(), 2, "nothing is made by who cannot list");
    }
}

#[tokio::test]
async fn endless_answers_end() {
    let endless = || {
        let chunk = Bytes::from(vec![b' '; 1 << 20]);
        Body::from_stream(stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone())))
            .into_response()
    };
    let report = run(&Answers::new(endless).serve().await).await;
    assert!(report.stopped.is_some_and(|why| why.contains("larger than")));
    let here = Arc::new(Mutex::new(String::new()));
    let next = Arc::clone(&here);
    let pages = Answers::new(move || linked(&format!("{}/more", next.lock().expect("free"))));
    let url = pages.serve().await;
    here.lock().expect("free").clone_from(&url);
    let report = run(&url).await;
    assert!(report.stopped.is_some_and(|why| why.contains("more pages")));
    assert_eq!(pages.heard(), 1001);
}

#[tokio::test]
async fn times_at_the_ends_of_time_do_no_harm() {
    for time in ["-009999-01-02T01:59:59Z", "9999-12-30T22:00:00Z"] {
        let of = move |it: &mut Value| {
            it["updated_at"] = time.into();
            it["created_at"] = time.into();
        };
        let list = move || json!([issue("attestry-bot", of)]).to_string().into_response();
        let report = run(&Answers::new(list).serve().await).await;
        assert_eq!((report.stopped, report.failures), (None, 0), "{time}");
    }
}

#[tokio::test]
async fn ticket_that_somebody_else_seems_to_have_made_is_not_ours() {
    let create = || issue("stranger", |_| ()).to_string().into_response();
    let answers = Answers::new(|| "[]".into_response());
    let server = Answers { create: Arc::new(create), ..answers };
    let report = run(&server.serve().await).await;
    assert_eq!((report.failures, report.open), (1, 0), "{report:?}");
}

#[tokio::test]
async fn listing_of_whom_we_did_not_ask_for_is_not_believed() {
    let list = || json!([issue("stranger", |_| ())]).to_string().into_response();
    let server = Answers::new(list);
    let report = run(&server.serve().await).await;
    assert_eq!((report.steps, report.open), (1, 1), "{report:?}");
    let heard = server.heard.lock().expect("free").clone();
    assert_eq!(heard.last().map(String::as_str), Some("POST /repos/acme/app/issues"));
}
