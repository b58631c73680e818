//! One process of the floor: a raw consumer whose handler only writes what the pipeline writes.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use archive::{Archive, Entry};
use async_nats::{
    Client,
    jetstream::{
        self,
        consumer::{AckPolicy, PullConsumer, pull},
        message::PublishMessage,
    },
};
use events::Priority;
use futures::{StreamExt, TryStreamExt, future::try_join_all};

use crate::{
    now,
    recipe::{Claim, Document, Hop, Recipe, Step},
};

/// As many events at once as a service handles.
const IN_FLIGHT: usize = 8;
/// Length of a correlation as text.
const CORRELATION: usize = 36;

/// What one process of the floor is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The service that it stands in for
    worker: String,
    /// NATS server
    #[arg(long)]
    nats_url: String,
    /// Directory of the archive
    #[arg(long)]
    archive: String,
    /// What each hop writes
    #[arg(long)]
    recipe: PathBuf,
}

struct Floor {
    client: Client,
    jetstream: jetstream::Context,
    archive: Archive,
    hops: Vec<Hop>,
}

/// Handles events until it is killed.
pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let recipe: Recipe = serde_json::from_slice(&fs::read(&args.recipe)?)?;
    let hops = recipe.hops.into_iter().filter(|hop| hop.worker == args.worker).collect();
    let client = async_nats::connect(&args.nats_url).await?;
    let jetstream = jetstream::new(client.clone());
    let floor = Floor { client, jetstream, archive: Archive::open(&args.archive)?, hops };
    let floor = Arc::new(floor);
    let messages = floor.consumer(&args.worker).await?;
    let messages = messages.stream().max_messages_per_batch(IN_FLIGHT).messages().await?;
    messages
        .map(|message| message.context("the broker sends no more events"))
        .try_for_each_concurrent(IN_FLIGHT, |message| {
            let floor = floor.clone();
            async move { tokio::spawn(async move { floor.handle(&message).await }).await? }
        })
        .await
}

impl Floor {
    async fn consumer(&self, worker: &str) -> anyhow::Result<PullConsumer> {
        let first = self.hops.first().with_context(|| format!("{worker} has no hop"))?;
        let config = pull::Config {
            durable_name: Some(format!("{worker}-{}", Priority::Release)),
            filter_subjects: self.hops.iter().map(|hop| format!("{}.*", hop.input)).collect(),
            ack_policy: AckPolicy::Explicit,
            ack_wait: Duration::from_secs(30),
            max_ack_pending: 10_000,
            ..Default::default()
        };
        let stream = self.jetstream.get_stream(&first.stream).await?;
        Ok(stream.create_consumer(config).await?)
    }

    async fn handle(&self, message: &jetstream::Message) -> anyhow::Result<()> {
        let (input, correlation) =
            message.subject.rsplit_once('.').context("a subject of one token")?;
        let hop = self.hops.iter().find(|hop| hop.input == input);
        let hop = hop.with_context(|| format!("no hop begins at {input}"))?;
        for step in &hop.steps {
            self.write(step, correlation).await?;
        }
        let following = PublishMessage::build()
            .payload(hop.payload.clone().into())
            .message_id(format!("{}.{correlation}", hop.output))
            .expected_last_subject_sequence(0);
        let subject = format!("{}.{correlation}", hop.output);
        self.jetstream.send_publish(subject, following).await?.await?;
        let reply = message.reply.clone().context("an event that cannot be acknowledged")?;
        self.client.request(reply, "+ACK".into()).await?;
        Ok(())
    }

    async fn write(&self, step: &Step, correlation: &str) -> anyhow::Result<()> {
        match step {
            Step::Store(documents) if documents.is_empty() => {}
            Step::Store(documents) => {
                let now = now();
                let entry = |document: &Document| Entry {
                    class: document.class,
                    media_type: document.media_type.clone(),
                    event_time: now,
                    bytes: match document.fresh {
                        true => own(&document.text, correlation).into(),
                        false => document.text.clone().into(),
                    },
                };
                let entries: Vec<Entry> = documents.iter().map(entry).collect();
                self.archive.put(&entries, now).await?;
            }
            Step::Claim(claims) => {
                let claim = async |Claim { name, value }: &Claim| {
                    self.archive.claim(&own_name(name, correlation), value.clone().into()).await
                };
                try_join_all(claims.iter().map(claim)).await?;
            }
        }
        Ok(())
    }
}

/// A text of the same length that no other build has; too short ones stay as they are.
fn own(text: &str, correlation: &str) -> String {
    match text.get(CORRELATION..) {
        Some(rest) => format!("{correlation}{rest}"),
        None => text.to_owned(),
    }
}

/// A name of the same depth and length that no other build has.
fn own_name(name: &str, correlation: &str) -> String {
    name.split('/').map(|part| own(part, correlation)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORRELATION: &str = "6a1d3b52-0f0e-5c7d-9a64-7c0f51c5a7e1";

    #[test]
    fn every_build_has_documents_of_its_own_of_the_same_size() {
        let text = "{".repeat(100);
        let own = own(&text, CORRELATION);
        assert_eq!((own.len(), own.starts_with(CORRELATION)), (100, true));
    }

    #[test]
    fn names_keep_their_depth_and_what_tells_them_apart() {
        let digests = ["a".repeat(64), "b".repeat(64)];
        let names = digests.map(|it| own_name(&format!("bundles/{it}/1"), CORRELATION));
        assert_ne!(names[0], names[1]);
        assert_eq!(names[0].matches('/').count(), 2);
        assert!(names[0].starts_with(&format!("bundles/{CORRELATION}")), "{}", names[0]);
    }
}
