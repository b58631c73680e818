//! Suppliers that connect with a key of their own: what they may is enough, and they come and go alone.

use std::path::PathBuf;

use async_nats::{ConnectOptions, HeaderMap, connection::State};
use bus::{Accounts, Bus, BusError, BusOptions, UserSeed};
use e2e_tests::{Broker, eventually, seconds};
use events::Digest;
use futures::StreamExt;
use tokio::time::timeout;

use super::{
    intruders::{Intruder, guarded},
    place::{Place, id, named, sbom},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_supplier_may_do_is_enough_for_a_submission() {
    let (broker, seeds) = guarded().await;
    let place = Place::start_on(broker, &["acme", "other"]).await.at_work(1).await;
    let seed = place.directory.path().join("acme.nk");
    std::fs::write(&seed, seeds["acme"].to_text()).unwrap();
    let options =
        BusOptions { url: place.broker.server.url(), creds: Some(seed), name: "acme".to_owned() };
    let bus = Bus::connect_as(&id("acme"), &options, Some(seconds(30))).await.unwrap();
    let document = sbom("widget", "1.0", "left@1.0");
    let manifest = place.signed(&document);
    assert!(bus.has_door(&id("acme")).await.unwrap());
    assert!(!bus.has_manifest(&id("acme"), &named("s-1")).await.unwrap());
    let mut arrives = bus.receipt_arrives(&id("acme"), &named("s-1")).await.unwrap();
    for (input, bytes) in &manifest.1 {
        bus.drop_missing(&id("acme"), input.digest, bytes, 8, |_, _| {}).await.unwrap();
    }
    bus.drop_manifest(&id("acme"), &named("s-1"), &manifest.0).await.unwrap();
    assert!(bus.has_manifest(&id("acme"), &named("s-1")).await.unwrap());
    timeout(seconds(60), arrives.next()).await.expect("in time").expect("told");
    let receipt = bus.receipt(&id("acme"), &named("s-1")).await.unwrap();
    assert_eq!(receipt.unwrap().payload, place.answer("acme", "s-1").await.bundle);

    // In another's name all of it is refused, at once and by name.
    let other = id("other");
    for refused in [
        bus.has_door(&other).await.map(drop),
        bus.receipt(&other, &named("s-1")).await.map(drop),
        bus.drop_manifest(&other, &named("s-1"), &manifest.0).await.map(drop),
        bus.drop_missing(&other, Digest::of(&document), &document, 8, |_, _| {}).await,
    ] {
        assert!(matches!(refused, Err(BusError::Refused { .. })), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn supplier_that_comes_or_goes_disconnects_nobody_else() {
    let seeds = ["acme", "other"].map(|supplier| (supplier, UserSeed::generate()));
    let operator = UserSeed::generate().public_key();
    let accounts = |suppliers: &[usize]| Accounts {
        operators: vec![operator.clone()],
        anonymous: Some(operator.clone()),
        suppliers: suppliers
            .iter()
            .map(|it| (id(seeds[*it].0), seeds[*it].1.public_key()))
            .collect(),
    };
    let mut file = PathBuf::new();
    let broker = Broker::start_with(|_, options| {
        file = options.store_dir.join("suppliers.conf");
        std::fs::write(&file, accounts(&[0]).to_config()).unwrap();
        options.extra_config = "include \"suppliers.conf\"".to_owned();
    })
    .await;
    let mut place = Place::start_on(broker, &["acme", "other"]).await;
    let acme = Intruder::connect(&place.broker, "acme", &seeds[0].1).await;
    let number = |it: &Intruder| it.client.server_info().client_id;
    let first = number(&acme);
    let unknown = ConnectOptions::with_nkey(seeds[1].1.to_text());
    unknown.connect(place.broker.server.url()).await.expect_err("it has no account yet");

    std::fs::write(&file, accounts(&[0, 1]).to_config()).unwrap();
    place.broker.server.reload().await.unwrap();
    let other = Intruder::connect(&place.broker, "other", &seeds[1].1).await;
    for (supplier, intruder) in [("acme", &acme), ("other", &other)] {
        let subject = format!("ingest.{supplier}.manifest.s-1");
        let answer = intruder.publish(&subject, HeaderMap::new(), b"{}").await;
        assert!(answer["seq"].is_number(), "{supplier}: {answer}");
    }
    assert_eq!(number(&acme), first, "it is the connection of before");

    let second = number(&other);
    std::fs::write(&file, accounts(&[1]).to_config()).unwrap();
    place.broker.server.reload().await.unwrap();
    eventually(seconds(10), "acme is locked out", async || {
        acme.client.connection_state() != State::Connected
    })
    .await;
    let known = ConnectOptions::with_nkey(seeds[0].1.to_text());
    known.connect(place.broker.server.url()).await.expect_err("it has no account any more");
    let answer = other.publish("ingest.other.manifest.s-2", HeaderMap::new(), b"{}").await;
    assert!(answer["seq"].is_number(), "{answer}");
    assert_eq!(number(&other), second);
    place.bus.has_door(&id("other")).await.expect("we are connected");
}
