//! A supplier that tries everything with its own key, on a broker with the configuration that we print.

use std::{collections::BTreeMap, time::Duration};

use async_nats::{Client, ConnectOptions, Event, HeaderMap, ServerError};
use bus::{Access, Accounts, UserSeed};
use bytes::Bytes;
use e2e_tests::{Broker, eventually, seconds};
use events::DecisionResult;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tokio::{sync::mpsc, time::timeout};

use super::place::{Place, id, named, sbom};

/// What it tries to publish or ask, and where.
const FORBIDDEN: [(&str, &str); 49] = [
    ("a manifest as another", "ingest.other.manifest.s-2"),
    ("a chunk as another", "ingest.other.chunk.00.0"),
    ("over another's manifest", "ingest.other.manifest.s-1"),
    ("an event", "attestry.v1.document.submitted.background.other.0"),
    ("a verdict", "attestry.v1.evidence.signed.pr.x.policy-gate.0"),
    ("quarantine", "attestry.v1.quarantine.x"),
    ("a receipt for itself", "receipts.acme.s-2"),
    ("a receipt for another", "receipts.other.s-2"),
    ("another's receipt", "$JS.API.DIRECT.GET.ATTESTRY_RECEIPTS.receipts.other.s-1"),
    ("any receipt by number", "$JS.API.DIRECT.GET.ATTESTRY_RECEIPTS"),
    ("another's manifest", "$JS.API.DIRECT.GET.ATTESTRY_INGEST_OTHER.ingest.other.manifest.s-1"),
    ("another's manifest by number", "$JS.API.STREAM.MSG.GET.ATTESTRY_INGEST_OTHER"),
    ("an event's bytes", "$JS.API.STREAM.MSG.GET.ATTESTRY_EVIDENCE_READY"),
    ("the broker's state", "$JS.API.INFO"),
    ("the names of streams", "$JS.API.STREAM.NAMES"),
    ("the list of streams", "$JS.API.STREAM.LIST"),
    ("a stream of its own", "$JS.API.STREAM.CREATE.MINE"),
    ("its stream's state", "$JS.API.STREAM.INFO.ATTESTRY_INGEST_ACME"),
    ("another's state", "$JS.API.STREAM.INFO.ATTESTRY_INGEST_OTHER"),
    ("more room for itself", "$JS.API.STREAM.UPDATE.ATTESTRY_INGEST_ACME"),
    ("less for another", "$JS.API.STREAM.UPDATE.ATTESTRY_INGEST_OTHER"),
    ("delete its stream", "$JS.API.STREAM.DELETE.ATTESTRY_INGEST_ACME"),
    ("delete another's", "$JS.API.STREAM.DELETE.ATTESTRY_INGEST_OTHER"),
    ("delete the receipts", "$JS.API.STREAM.DELETE.ATTESTRY_RECEIPTS"),
    ("purge its stream", "$JS.API.STREAM.PURGE.ATTESTRY_INGEST_ACME"),
    ("purge another's", "$JS.API.STREAM.PURGE.ATTESTRY_INGEST_OTHER"),
    ("purge the evidence", "$JS.API.STREAM.PURGE.ATTESTRY_EVIDENCE_READY"),
    ("delete a message", "$JS.API.STREAM.MSG.DELETE.ATTESTRY_INGEST_OTHER"),
    ("take a snapshot", "$JS.API.STREAM.SNAPSHOT.ATTESTRY_INGEST_OTHER"),
    ("restore a stream", "$JS.API.STREAM.RESTORE.ATTESTRY_INGEST_OTHER"),
    ("depose a leader", "$JS.API.STREAM.LEADER.STEPDOWN.ATTESTRY_RECEIPTS"),
    ("a consumer of its own stream", "$JS.API.CONSUMER.CREATE.ATTESTRY_INGEST_ACME"),
    ("a consumer of another's", "$JS.API.CONSUMER.CREATE.ATTESTRY_INGEST_OTHER.mine"),
    ("a durable one of receipts", "$JS.API.CONSUMER.DURABLE.CREATE.ATTESTRY_RECEIPTS.mine"),
    (
        "delete a worker's consumer",
        "$JS.API.CONSUMER.DELETE.ATTESTRY_DOCUMENT_SUBMITTED.supplier-ingest-background",
    ),
    (
        "pause a worker's consumer",
        "$JS.API.CONSUMER.PAUSE.ATTESTRY_DOCUMENT_SUBMITTED.supplier-ingest-background",
    ),
    (
        "a worker's work",
        "$JS.API.CONSUMER.MSG.NEXT.ATTESTRY_DOCUMENT_SUBMITTED.supplier-ingest-background",
    ),
    ("the list of consumers", "$JS.API.CONSUMER.LIST.ATTESTRY_DOCUMENT_SUBMITTED"),
    (
        "acknowledge a worker's work",
        "$JS.ACK.ATTESTRY_DOCUMENT_SUBMITTED.supplier-ingest-background.1.1.1.1.0",
    ),
    ("flow control", "$JS.FC.ATTESTRY_RECEIPTS.x.y"),
    ("an advisory", "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.ATTESTRY_RECEIPTS.x"),
    ("the servers", "$SYS.REQ.SERVER.PING"),
    ("another's account", "$SYS.REQ.ACCOUNT.SUPPLIER_OTHER.CONNZ"),
    ("a key in a bucket", "$KV.bucket.key"),
    ("an object in a bucket", "$O.bucket.C.x"),
    ("an answer to a worker", "_INBOX.x"),
    ("an answer to another", "_INBOX_other.x"),
    ("an answer of a service", "_R_.x"),
    ("a question to the gate", "attestry.v1.query.judged"),
];

/// A broker where two suppliers have accounts, and whoever shows no key is the operator.
pub(super) async fn guarded() -> (Broker, BTreeMap<&'static str, UserSeed>) {
    let seeds: BTreeMap<_, _> = ["acme", "other"].map(|it| (it, UserSeed::generate())).into();
    let operator = UserSeed::generate().public_key();
    let accounts = Accounts {
        operators: vec![operator.clone()],
        anonymous: Some(operator),
        suppliers: seeds.iter().map(|(supplier, it)| (id(supplier), it.public_key())).collect(),
    };
    let broker = Broker::start_with(|_, options| options.extra_config = accounts.to_config()).await;
    (broker, seeds)
}

/// A supplier's connection without our library in between, and what the broker complains of.
pub(super) struct Intruder {
    pub(super) client: Client,
    complaints: mpsc::UnboundedReceiver<String>,
}

impl Intruder {
    pub(super) async fn connect(broker: &Broker, supplier: &str, seed: &UserSeed) -> Self {
        let (sender, complaints) = mpsc::unbounded_channel();
        let options = ConnectOptions::with_nkey(seed.to_text())
            .custom_inbox_prefix(format!("_INBOX_{supplier}"))
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(text)) = event {
                    sender.send(text).ok();
                }
                std::future::ready(())
            });
        let client = options.connect(broker.server.url()).await.expect("its key is known");
        Self { client, complaints }
    }

    /// Insists that the broker complains of `subject`, in so many words.
    async fn is_forbidden(&mut self, attempt: &str, subject: &str) {
        let words = format!("\"{subject}\"");
        let complaint = async {
            loop {
                let complaint = self.complaints.recv().await.expect("the connection lives");
                if complaint.contains("Permissions Violation") && complaint.contains(&words) {
                    return;
                }
            }
        };
        let complained = timeout(seconds(10), complaint).await;
        assert!(complained.is_ok(), "{attempt}: the broker said nothing of {subject}");
    }

    /// What the broker answers to a publish on `subject`.
    pub(super) async fn publish(&self, subject: &str, headers: HeaderMap, payload: &[u8]) -> Value {
        let payload = Bytes::copy_from_slice(payload);
        let answer = self.client.request_with_headers(subject.to_owned(), headers, payload);
        let answer = timeout(seconds(10), answer).await.expect("in time").expect("an answer");
        serde_json::from_slice(&answer.payload).expect("JSON")
    }

    /// Returns once the broker has done all that was asked of it before.
    async fn sync(&self) {
        self.publish("ingest.acme.manifest.sync", HeaderMap::new(), b"{}").await;
        let lookup = "$JS.API.DIRECT.GET.ATTESTRY_RECEIPTS.receipts.acme.s-1";
        let found = self.client.request(lookup.to_owned(), Bytes::new()).await.expect("an answer");
        assert!(!found.payload.is_empty(), "its own receipt is there");
    }
}

/// All that lies at the broker but for what acme itself dropped.
async fn everything_else(broker: &Broker) -> BTreeMap<String, String> {
    let streams: Vec<_> = broker.raw().await.streams().try_collect().await.expect("listed");
    let others = streams.into_iter().filter(|it| it.config.name != "ATTESTRY_INGEST_ACME");
    let state = |it: async_nats::jetstream::stream::Info| {
        (it.config.name.clone(), format!("{:?} {:?}", it.config, it.state))
    };
    others.map(state).collect()
}

/// A place with receipts of both, where nobody works any more.
async fn with_receipts() -> (Place, BTreeMap<&'static str, UserSeed>) {
    let (broker, seeds) = guarded().await;
    let place = Place::start_on(broker, &["acme", "other"]).await;
    for supplier in ["acme", "other"] {
        let receipt = Bytes::from(format!("receipt of {supplier}"));
        place.bus.deliver_receipt(&id(supplier), &named("s-1"), receipt).await.unwrap();
        place.drop_raw(supplier, "s-1", format!("manifest of {supplier}")).await;
    }
    (place, seeds)
}

#[tokio::test(flavor = "multi_thread")]
async fn supplier_publishes_nothing_but_to_its_own_door() {
    let (place, seeds) = with_receipts().await;
    let mut acme = Intruder::connect(&place.broker, "acme", &seeds["acme"]).await;
    let before = everything_else(&place.broker).await;
    let payload = json!({
        "last_by_subj": "receipts.other.s-1", "seq": 1, "name": "MINE", "subjects": ["mine"],
        "config": {}, "durable_name": "mine",
    });
    let payload = Bytes::from(payload.to_string());
    for (attempt, subject) in FORBIDDEN {
        // Answers would go where it can hear them.
        let inbox = acme.client.new_inbox();
        let sent = acme.client.publish_with_reply(subject.to_owned(), inbox, payload.clone());
        sent.await.unwrap();
        acme.is_forbidden(attempt, subject).await;
    }
    acme.sync().await;
    assert_eq!(everything_else(&place.broker).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn supplier_hears_nothing_but_answers_to_itself_and_its_receipts() {
    let (place, seeds) = with_receipts().await;
    let mut acme = Intruder::connect(&place.broker, "acme", &seeds["acme"]).await;
    let subjects = [
        ">",
        "*.>",
        "*.*.*",
        "_INBOX.>",
        "_INBOX_other.>",
        "_INBOX_acme-2.>",
        "receipts.>",
        "receipts.*.*",
        "receipts.other.>",
        "receipts.other.s-2",
        "ingest.>",
        "ingest.other.>",
        "attestry.>",
        "$JS.>",
        "$JS.ACK.>",
        "$JS.API.>",
        "$JS.EVENT.>",
        "$SYS.>",
        "$KV.>",
        "$O.>",
        "_R_.>",
        "_GR_.>",
    ];
    let mut heard = Vec::new();
    for subject in subjects {
        heard.push(acme.client.subscribe(subject).await.unwrap());
        acme.is_forbidden("subscribe", subject).await;
        let queue = acme.client.queue_subscribe(subject, "workers".to_owned()).await;
        heard.push(queue.unwrap());
        acme.is_forbidden("subscribe as a worker", subject).await;
    }
    let mut own = acme.client.subscribe("receipts.acme.*").await.unwrap();
    acme.sync().await;

    for supplier in ["other", "acme"] {
        let receipt = Bytes::from(format!("second receipt of {supplier}"));
        place.bus.deliver_receipt(&id(supplier), &named("s-2"), receipt).await.unwrap();
    }
    let told = timeout(seconds(10), own.next()).await.expect("in time").expect("told");
    assert_eq!(
        (told.subject.as_str(), &told.payload[..]),
        ("receipts.acme.s-2", &b"second receipt of acme"[..])
    );
    acme.sync().await;
    for subscription in &mut heard {
        let nothing = timeout(Duration::ZERO, subscription.next()).await;
        assert!(!matches!(nothing, Ok(Some(_))), "{nothing:?}");
    }
}

/// Whoever asks chooses where the answer goes, and the broker does not ask whether he may publish there.
#[tokio::test(flavor = "multi_thread")]
async fn broker_answers_a_supplier_and_is_not_its_deputy() {
    let (place, seeds) = with_receipts().await;
    let acme = Intruder::connect(&place.broker, "acme", &seeds["acme"]).await;
    let before = everything_else(&place.broker).await;
    let targets = [
        "ingest.other.manifest.deputy",
        "attestry.v1.document.submitted.background.other.0",
        "receipts.other.deputy",
        "$JS.API.STREAM.PURGE.ATTESTRY_INGEST_OTHER",
        "$JS.API.STREAM.DELETE.ATTESTRY_RECEIPTS",
        "$JS.ACK.ATTESTRY_DOCUMENT_SUBMITTED.supplier-ingest-background.1.1.1.1.0",
    ];
    let requests =
        ["ingest.acme.manifest.deputy", "$JS.API.DIRECT.GET.ATTESTRY_RECEIPTS.receipts.acme.s-1"];
    for target in targets {
        for request in requests {
            let sent = acme.client.publish_with_reply(request, target, "{}".into());
            sent.await.unwrap();
        }
    }
    acme.sync().await;
    assert_eq!(everything_else(&place.broker).await, before);
}

/// Why permissions of a user in our own account are not enough; when this fails, ADR 0030 may be read anew.
#[tokio::test(flavor = "multi_thread")]
async fn with_permissions_alone_the_broker_would_be_its_deputy() {
    let seed = UserSeed::generate();
    let Access { publish, subscribe } = Access::of(&id("acme"));
    let permissions =
        json!({ "publish": { "allow": publish }, "subscribe": { "allow": subscribe } });
    let config = format!(
        "authorization {{ users: [ {{ user: op, password: op }}, {{ nkey: {}, permissions: {permissions} }} ] }}\n\
         no_auth_user: op",
        seed.public_key()
    );
    let broker = Broker::start_with(|_, options| options.extra_config = config).await;
    let place = Place::start_on(broker, &["acme", "other"]).await;
    let acme = Intruder::connect(&place.broker, "acme", &seed).await;
    let target = "attestry.v1.document.submitted.background.other.0";
    acme.client.publish_with_reply("ingest.acme.manifest.x", target, "{}".into()).await.unwrap();
    eventually(seconds(10), "the broker stores its answer as an event", async || {
        place.broker.subjects_of("ATTESTRY_DOCUMENT_SUBMITTED").await.contains_key(target)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_wipe_nothing_and_take_no_ids() {
    let (place, seeds) = with_receipts().await;
    let mut acme = Intruder::connect(&place.broker, "acme", &seeds["acme"]).await;
    let before = everything_else(&place.broker).await;
    let with = |name: &str, value: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(name, value);
        headers
    };
    for (name, value) in [
        ("Nats-Rollup", "all"),
        ("Nats-Rollup", "sub"),
        ("Nats-TTL", "1s"),
        ("Nats-Schedule", "@at 2036-01-01T00:00:00Z"),
        ("Nats-Incr", "1"),
        ("Nats-Batch-Id", "x"),
    ] {
        let answer = acme.publish("ingest.acme.manifest.s-1", with(name, value), b"changed").await;
        assert!(answer["error"]["code"].is_number(), "{name}: {answer}");
    }
    let kept = place.broker.subjects_of("ATTESTRY_INGEST_ACME").await;
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["ingest.acme.manifest.s-1"]);
    // The broker tells whoever may hear it which way a message went.
    let target = "ingest.other.manifest.trace";
    let traced = with("Nats-Trace-Dest", target);
    let sent = acme.client.publish_with_headers("ingest.acme.manifest.s-1", traced, "x".into());
    sent.await.unwrap();
    acme.is_forbidden("trace into another's door", target).await;

    let id_of_other = || with("Nats-Msg-Id", "the id of other's next message");
    let taken = acme.publish("ingest.acme.manifest.s-2", id_of_other(), b"mine").await;
    assert_eq!(taken["stream"], "ATTESTRY_INGEST_ACME");
    assert_eq!(everything_else(&place.broker).await, before);
    let other = Intruder::connect(&place.broker, "other", &seeds["other"]).await;
    let stored = other.publish("ingest.other.manifest.s-2", id_of_other(), b"others").await;
    assert!(stored["duplicate"].is_null() && stored["error"].is_null(), "{stored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn supplier_fills_no_more_than_its_own_stream() {
    let (broker, seeds) = guarded().await;
    let place = Place::start_on(broker, &["acme", "other"]).await;
    place.limit("acme", "max_mib = 1");
    let place = place.at_work(1).await;
    let acme = Intruder::connect(&place.broker, "acme", &seeds["acme"]).await;
    let stream = place.broker.raw().await.get_stream("ATTESTRY_INGEST_ACME").await.unwrap();
    eventually(seconds(30), "the passport's limit counts", async || {
        stream.get_info().await.is_ok_and(|it| it.config.max_bytes == 1 << 20)
    })
    .await;

    let chunk = vec![b'x'; 256 * 1024];
    let mut refusals = Vec::new();
    for number in 0..8 {
        let subject = format!("ingest.acme.chunk.00.{number}");
        let answer = acme.publish(&subject, HeaderMap::new(), &chunk).await;
        refusals.extend(answer["error"]["description"].as_str().map(str::to_owned));
    }
    assert_eq!(refusals, vec!["maximum bytes exceeded"; 5]);
    // Its account allows no such message and closes the connection; nor would its stream take one.
    let larger = Bytes::from(vec![b'x'; 527 * 1024]);
    acme.client.publish("ingest.acme.chunk.01.0", larger.clone()).await.unwrap();
    let raw = place.broker.raw().await;
    let refused = raw.publish("ingest.acme.chunk.01.0", larger).await.unwrap().await.unwrap_err();
    assert!(refused.to_string().contains("message size exceeds"), "{refused}");
    assert!(stream.get_info().await.unwrap().state.bytes <= 1 << 20);

    let document = sbom("widget", "1.0", "left@1.0");
    place.submit("other", "s-1", &document).await;
    let answer = place.answer("other", "s-1").await;
    assert_eq!(answer.receipt.decision.result, DecisionResult::Accepted);
    let kept = place.broker.subjects_of("ATTESTRY_INGEST_ACME").await;
    assert_eq!(kept.len(), 3, "{:?}", kept.keys());
}
