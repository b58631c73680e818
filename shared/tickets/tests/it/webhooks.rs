//! Signed messages to a receiver that keeps one ticket for each key.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde_json::Value;
use tempfile::TempDir;
use tickets::{
    Base, Clock, Desired, Limits, Report, SecretFile, Wanted, Webhook, WebhookSettings, signature,
    sync,
};

use crate::place::{Book, Hands, fixed, note, secret, wanted};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[derive(Clone, Copy)]
enum Fault {
    Status(u16),
    AnswerLost,
    Silent,
    Busy,
}

/// What the receiver has: tickets by key, and what it took already.
#[derive(Default)]
struct Received {
    heard: usize,
    ids: BTreeSet<String>,
    tickets: BTreeMap<String, Vec<String>>,
    faults: VecDeque<Fault>,
}

struct Receiver {
    received: Arc<Mutex<Received>>,
    webhook: Webhook,
    clock: Arc<Hands>,
    book: Book,
    directory: TempDir,
}

type Shared = (Arc<Mutex<Received>>, SecretFile);

async fn take(
    State((received, secret)): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers[name].to_str().expect("text").to_owned();
    let id = header("webhook-id");
    let time = header("webhook-timestamp").parse().expect("seconds");
    let expected = signature(&secret.read().expect("there"), &id, time, &body);
    assert_eq!(Ok(header("webhook-signature")), expected);
    let message: Value = serde_json::from_slice(&body).expect("JSON");
    let fault = {
        let mut received = received.lock().expect("free");
        received.heard += 1;
        let fault = received.faults.pop_front();
        match fault {
            Some(Fault::Busy) => {
                return (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "300")]).into_response();
            }
            Some(Fault::Status(status)) => {
                return StatusCode::from_u16(status).expect("a status").into_response();
            }
            _ => {}
        }
        if received.ids.insert(id) {
            let key = message["data"]["key"].as_str().expect("a key").to_owned();
            let what = message["type"].as_str().expect("a type");
            let what = format!("{what} {}", message["data"]["state"].as_str().expect("a state"));
            received.tickets.entry(key).or_default().push(what);
        }
        fault
    };
    match fault {
        Some(Fault::AnswerLost) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::Silent) => std::future::pending().await,
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

impl Receiver {
    async fn start(faults: &[Fault]) -> Self {
        let directory = tempfile::tempdir().expect("temporary");
        let secret = secret(&directory, SECRET);
        let received = Received { faults: faults.iter().copied().collect(), ..Received::default() };
        let received = Arc::new(Mutex::new(received));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let url = format!("http://{}/hooks/T0P", listener.local_addr().expect("one"));
        let state = (Arc::clone(&received), secret.clone());
        let router = Router::new().route("/hooks/T0P", post(take)).with_state(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let settings = WebhookSettings {
            name: "bridge".to_owned(),
            url: Base::parse(&url).expect("valid"),
            secret,
            timeout: Duration::from_secs(2),
        };
        let clock = Hands::new();
        let webhook = Webhook::new(settings, Arc::clone(&clock) as Arc<dyn Clock>);
        let webhook = webhook.expect("a client");
        Self { received, webhook, clock, book: Book::default(), directory }
    }

    async fn run(&self, wanted: &[Wanted]) -> Report {
        self.clock.pass(60);
        let limits = Limits { dry_run: false, open_max: 100 };
        sync(&self.webhook, &self.book, wanted, limits, &*self.clock).await.expect("keeps")
    }

    async fn settle(&self, wanted: &[Wanted]) {
        for _ in 0..10 {
            self.run(wanted).await;
        }
        let heard = self.received.lock().expect("free").heard;
        assert!(self.run(wanted).await.is_settled());
        assert_eq!(self.received.lock().expect("free").heard, heard);
    }

    fn told(&self) -> Vec<Vec<String>> {
        self.received.lock().expect("free").tickets.values().cloned().collect()
    }
}

#[tokio::test]
async fn each_step_is_told_once_whatever_the_receiver_does() {
    let faults: [&[Fault]; 6] = [
        &[],
        &[Fault::Status(500), Fault::Status(502)],
        &[Fault::AnswerLost],
        &[Fault::AnswerLost, Fault::AnswerLost],
        &[Fault::Silent],
        &[Fault::Busy],
    ];
    for faults in faults {
        let receiver = Receiver::start(faults).await;
        receiver.settle(&[wanted("a")]).await;
        assert_eq!(receiver.told(), [["ticket.create open"]]);
        receiver.received.lock().expect("free").faults = faults.iter().copied().collect();
        receiver.settle(&[fixed(wanted("a"))]).await;
        let told = ["ticket.create open", "ticket.comment done", "ticket.close done"];
        assert_eq!(receiver.told(), [told]);
    }
}

#[tokio::test]
async fn what_is_and_was_and_is_again_is_told_each_time() {
    let receiver = Receiver::start(&[]).await;
    let again = Wanted { change: note("again"), ..wanted("a") };
    let twice = Wanted { state: Desired::Done, ..again.clone() };
    for wanted in [wanted("a"), fixed(wanted("a")), again, twice] {
        receiver.settle(&[wanted]).await;
    }
    let told = receiver.told().remove(0);
    let closed = told.iter().filter(|it| it.starts_with("ticket.close")).count();
    let opened = told.iter().filter(|it| it.starts_with("ticket.reopen")).count();
    assert_eq!((closed, opened), (2, 1), "{told:?}");
}

#[tokio::test]
async fn refusals_tell_neither_address_nor_secret() {
    for status in [401, 404, 410, 422, 500] {
        let receiver = Receiver::start(&[Fault::Status(status); 3]).await;
        let report = format!("{:?}", receiver.run(&[wanted("a")]).await);
        assert!(report.contains("bridge"), "{report}");
        assert!(!report.contains("T0P") && !report.contains("MfKQ9r8G"), "{report}");
    }
    let receiver = Receiver::start(&[]).await;
    secret(&receiver.directory, "too-short");
    let report = receiver.run(&[wanted("a")]).await;
    assert!(report.stopped.is_some_and(|why| !why.contains("too-short")));
}
