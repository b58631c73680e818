//! Makes the evidence of a build: `build.completed` → `evidence.ready`.

mod evidence;

use std::sync::Arc;

use archive::{Archive, Class, Entry};
use bytes::Bytes;
use documents::lockfile::{self, Lockfile, MAX_LOCKFILE_BYTES};
use events::{BuildCompleted, Envelope, EvidenceReady, Input};
use worker::{Budget, Context, HandleError, Handler, WorkerArgs, off_thread};

use crate::evidence::Evidence;

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

    /// The bytes of an uploaded lockfile, from the archive if an earlier attempt stored them there.
    async fn fetch(
        &self,
        event: &Envelope<BuildCompleted>,
        input: &Input,
        context: &Context,
    ) -> Result<Bytes, HandleError> {
        let max = MAX_LOCKFILE_BYTES as u64;
        if self.archive.contains(input.digest).await? {
            return Ok(self.archive.get(input.digest, max).await?);
        }
        Ok(context.download(event, input, max).await?)
    }
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
            sources.push((input.path.to_string(), self.fetch(event, input, context).await?));
        }
        let sources = Arc::new(sources);
        let build = Arc::new(event.clone());
        let (lockfiles, event) = (sources.clone(), build.clone());
        let evidence = off_thread(move || Evidence::of(&event, &parse(&lockfiles)?)).await?;

        let inputs = sources.iter().map(|(_, bytes)| Entry {
            class: Class::Input,
            media_type: "application/octet-stream".to_owned(),
            event_time: build.time,
            bytes: bytes.clone(),
        });
        let entries: Vec<Entry> = inputs.chain(evidence.entries(build.time)).collect();
        self.archive.put(&entries, context.now).await?;
        Ok(vec![evidence.into_event(build.data.project.clone())])
    }
}

fn parse(sources: &[(String, Bytes)]) -> Result<Vec<Lockfile>, HandleError> {
    let parse = |(path, bytes): &(String, Bytes)| {
        lockfile::parse(path, bytes)
            .map_err(|error| HandleError::permanent("lockfile-unreadable", error))
    };
    sources.iter().map(parse).collect()
}
