//! What an accepted document means for the backlog, and what an operator's VEX does to it.

use std::path::{Path, PathBuf};

use advisories::Index;
use backlog_mapper::{
    Mapper, MapperArgs,
    config::Config,
    export::{Form, Table, render},
    store::Reader,
};
use bytes::Bytes;
use e2e_tests::seconds;
use events::{
    BacklogMapped, Content, Digest, DocumentSubmitted, Envelope, EvidenceSigned, Input, Label,
    Manifest, Priority, Producer, Sender,
};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;
use worker::{Context, Handler};

use super::place::{Place, bytes, named, sbom, submission};

const ADVISORIES: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../services/backlog-mapper/fixtures/osv");

#[tokio::test(flavor = "multi_thread")]
async fn operators_vex_closes_an_entry_until_a_version_that_it_does_not_speak_about() {
    let mut place = Place::busy(&["acme"], 1).await;
    let (mapper, store) = mapper(&place, "backlog.db");
    place.workers.run(&place.broker, mapper.clone()).await;

    let vulnerable = submit(&place, "s-1", &sbom("widget", "1.0", "jinja2@2.10")).await;
    let opened = mapped(&place, "acme", vulnerable).await.opened;
    assert_eq!(opened.len(), 1, "{opened:?}");
    let vex = say(&place, &vex("pkg:pypi/widget@1.0")).await;
    assert_eq!(mapped(&place, "acme", vex).await.closed, opened);
    let next = submit(&place, "s-2", &sbom("widget", "2.0", "jinja2@2.10")).await;
    assert_eq!(mapped(&place, "acme", next).await.opened, opened, "the same entry again");

    let told = registers(&store);
    assert!(told.contains("jinja2"), "{told}");
    let context = Context::new(&place.bus, Timestamp::UNIX_EPOCH);
    let (other, other_store) = self::mapper(&place, "other.db");
    for submission in [next, vex, vulnerable] {
        let event = signed(&place, submission).await;
        let again = mapper.handle(&event, &context).await.unwrap();
        assert_eq!(again, [mapped(&place, "acme", submission).await]);
        other.handle(&event, &context).await.unwrap();
    }
    assert_eq!(registers(&store), told, "an event that comes again changes nothing");
    assert_eq!(registers(&other_store), told, "in whatever order they come");
    let (new, new_store) = self::mapper(&place, "new.db");
    new.refill(&place.bus).await.unwrap();
    assert_eq!(registers(&new_store), told, "a store that was lost is filled from the stream");
    place.assert_nothing_in_quarantine().await;
}

/// A mapper with a database of its own, which can be read at the path.
pub(super) fn mapper(place: &Place, store: &str) -> (Mapper, PathBuf) {
    let at = |name: &str| place.directory.path().join(name);
    let (index, _) = Index::build(&[ADVISORIES.into()]).unwrap();
    index.save(&at("advisories")).unwrap();
    let args = MapperArgs {
        store: at(store),
        registers: at("registers"),
        advisories: at("advisories"),
        ..Default::default()
    };
    (Mapper::open(place.archive.clone(), &args).unwrap(), at(store))
}

/// Every register in every form.
fn registers(store: &Path) -> String {
    let register =
        Reader::open(store).unwrap().register(&Config::default(), None, worker::now()).unwrap();
    let forms = Table::ALL.into_iter().flat_map(|table| Form::ALL.map(|form| (table, form)));
    forms.map(|(table, form)| render(&register, table, form)).collect()
}

/// Submits `document` as acme, and returns the submission's id.
async fn submit(place: &Place, name: &str, document: &Bytes) -> Uuid {
    place.submit("acme", name, document).await;
    submission("acme", name)
}

/// Has an operator add `document`, about acme, and returns the submission's id.
async fn say(place: &Place, document: &Bytes) -> Uuid {
    let from = Sender::Operator("acme".parse().unwrap());
    let (scope, digest) = (from.scope(), Digest::of(document));
    let chunks = place.bus.upload(&scope, digest, document).await.unwrap();
    let (path, size) = ("vex.json".parse().unwrap(), document.len() as u64);
    let document = Input { path, digest, size, chunks };
    let content = Content::Named(Manifest { document, bundle: None });
    let data = DocumentSubmitted { from, submission: named("vex-1"), content };
    let time = Timestamp::UNIX_EPOCH;
    let event = Envelope::root(Label::of("/cli"), time, Priority::Background, scope, data);
    place.bus.publish(&event, None).await.unwrap();
    event.id
}

/// What the mapper said of a submission, once it has.
pub(super) async fn mapped(place: &Place, scope: &str, submission: Uuid) -> BacklogMapped {
    let scope = scope.parse().unwrap();
    let waited = place.bus.wait_for::<BacklogMapped>(&scope, None, submission);
    let found = tokio::time::timeout(seconds(60), waited).await.expect("within a minute");
    found.unwrap().expect("not quarantined").data
}

async fn signed(place: &Place, submission: Uuid) -> Envelope<EvidenceSigned> {
    let (scope, producer) = ("acme".parse().unwrap(), Some(Producer::SupplierIngest));
    place.bus.find(&scope, producer, submission).await.unwrap().expect("signed")
}

/// The vulnerabilities of jinja2 2.10 do not matter in `product`.
fn vex(product: &str) -> Bytes {
    let statements = ["CVE-2019-10906", "CVE-2020-28493"].map(|vulnerability| {
        json!({
            "vulnerability": { "name": vulnerability },
            "products": [{ "@id": product, "subcomponents": [{ "@id": "pkg:pypi/jinja2@2.10" }] }],
            "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path"
        })
    });
    bytes(&json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": "https://example.org/vex/1",
        "author": "us",
        "timestamp": "2026-01-01T00:00:00Z",
        "version": 1,
        "statements": statements
    }))
}
