//! Makes the evidence of a build: `build.completed` → `evidence.ready`.

mod evidence;

use std::sync::Arc;

use archive::{Archive, Class, Entry};
use bytes::Bytes;
use documents::{
    inventory::Inventory,
    lockfile::{self, MAX_LOCKFILE_BYTES},
};
use events::{BuildCompleted, Envelope, EvidenceReady, Input};
use jiff::{SignedDuration, Timestamp};
use worker::{Budget, Context, HandleError, Handler, WorkerArgs, off_thread};

use crate::evidence::Evidence;

/// A lockfile that the archive keeps for less than this is stored again, which renews it.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Settings of the generator.
#[derive(clap::Parser, Debug)]
#[command(
    name = "attestry-generator",
    version,
    about = "Makes SBOM, provenance and checksums of every completed build",
    after_help = "Example:\n  attestry-generator --nats-url nats://127.0.0.1:4222 --archive /var/lib/attestry/archive"
)]
pub struct Args {
    /// Settings shared by every worker.
    #[command(flatten)]
    pub worker: WorkerArgs,
}

/// Makes SBOM, provenance and checksums, deterministically from the event and its lockfiles.
pub struct Generator {
    archive: Archive,
    budget: Budget,
}

impl Generator {
    /// A generator that stores evidence in `archive`.
    pub fn new(archive: Archive) -> Self {
        // Parsing takes some twenty times the bytes of a lockfile.
        Self { archive, budget: Budget::new(MAX_LOCKFILE_BYTES as u64) }
    }

    /// An uploaded lockfile, from the archive if an earlier build or attempt stored it there, and
    /// not so long ago that it could be removed from under this build's evidence.
    async fn fetch(
        &self,
        event: &Envelope<BuildCompleted>,
        input: &Input,
        context: &Context,
    ) -> Result<Source, HandleError> {
        let (max, path) = (MAX_LOCKFILE_BYTES as u64, input.path.to_string());
        let until = context.now.saturating_add(KEPT_FOR).unwrap_or(Timestamp::MAX);
        if self.archive.keeps(input.digest, until).await? {
            let bytes = self.archive.get(input.digest, max).await?;
            return Ok(Source { path, bytes, archived: true });
        }
        let bytes = context.download(event, input, max).await?;
        Ok(Source { path, bytes, archived: false })
    }
}

/// A lockfile, and whether the archive has it already.
struct Source {
    path: String,
    bytes: Bytes,
    archived: bool,
}

impl Handler for Generator {
    const NAME: &'static str = "generator";
    type Input = BuildCompleted;
    type Output = EvidenceReady;

    async fn handle(
        &self,
        event: &Envelope<BuildCompleted>,
        context: &Context,
    ) -> Result<Vec<EvidenceReady>, HandleError> {
        let bytes = event.data.inputs.iter().fold(0_u64, |sum, it| sum.saturating_add(it.size));
        let _share = self.budget.take(bytes).await?;
        let mut sources = Vec::new();
        for input in event.data.inputs.iter() {
            sources.push(self.fetch(event, input, context).await?);
        }
        let sources = Arc::new(sources);
        let build = Arc::new(event.clone());
        let (lockfiles, event) = (sources.clone(), build.clone());
        let evidence = off_thread(move || Evidence::of(&event, &parse(&lockfiles)?)).await?;

        let fresh = sources.iter().filter(|source| !source.archived);
        let inputs = fresh.map(|source| Entry {
            class: Class::Input,
            media_type: "application/octet-stream".to_owned(),
            event_time: build.time,
            bytes: source.bytes.clone(),
        });
        let entries: Vec<Entry> = inputs.chain(evidence.entries(build.time)).collect();
        self.archive.put(&entries, context.now).await?;
        Ok(vec![evidence.into_event(build.data.project.clone())])
    }
}

fn parse(sources: &[Source]) -> Result<Vec<Inventory>, HandleError> {
    let parse = |source: &Source| {
        lockfile::parse(&source.path, &source.bytes)
            .map_err(|error| HandleError::permanent("lockfile-unreadable", error))
    };
    sources.iter().map(parse).collect()
}
