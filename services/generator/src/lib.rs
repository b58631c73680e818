//! Makes the evidence of a build: `build.completed` → `evidence.ready`.

mod checksums;
mod comparison;
mod evidence;
mod inputs;
mod provenance;

use std::sync::Arc;

use archive::{Archive, Class, Entry};
use documents::lockfile::MAX_LOCKFILE_BYTES;
use events::{BuildCompleted, Envelope, EvidenceReady, Input};
use jiff::{SignedDuration, Timestamp};
use worker::{Budget, Context, HandleError, Handler, WorkerArgs, off_thread};

use crate::{
    evidence::Evidence,
    inputs::{Inputs, Upload},
};

/// An upload that the archive keeps for less than this is stored again, which renews it.
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

/// Makes SBOM, provenance and checksums, deterministically from the event and its uploads.
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

    /// What was uploaded with `event`, from the archive if an earlier build or attempt stored it
    /// there, and not so long ago that it could be removed from under this build's evidence.
    async fn fetch(
        &self,
        event: &Envelope<BuildCompleted>,
        inputs: &[Input],
        context: &Context,
    ) -> Result<Vec<Upload>, HandleError> {
        let max = MAX_LOCKFILE_BYTES as u64;
        let until = context.now.saturating_add(KEPT_FOR).unwrap_or(Timestamp::MAX);
        let mut uploads = Vec::new();
        for input in inputs {
            let archived = self.archive.keeps(input.digest, until).await?;
            let bytes = match archived {
                true => self.archive.get(input.digest, max).await?,
                false => context.download(event, input, max).await?,
            };
            uploads.push(Upload { path: input.path.to_string(), bytes, archived });
        }
        Ok(uploads)
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
        let uploaded = event.data.inputs.iter().chain(event.data.sboms.iter());
        let bytes = uploaded.fold(0_u64, |sum, it| sum.saturating_add(it.size));
        let _share = self.budget.take(bytes).await?;
        let inputs = Arc::new(self.fetch(event, &event.data.inputs, context).await?);
        let supplied = self.fetch(event, &event.data.sboms, context).await?;
        let build = Arc::new(event.clone());
        let (read, event) = (inputs.clone(), build.clone());
        let make = move || Evidence::of(&event, &Inputs::read(&event.data, &read)?, &supplied);
        let evidence = off_thread(make).await?;

        let fresh = inputs.iter().filter(|input| !input.archived);
        let inputs = fresh.map(|input| Entry {
            class: Class::Input,
            media_type: "application/octet-stream".to_owned(),
            event_time: build.time,
            bytes: input.bytes.clone(),
        });
        let entries: Vec<Entry> = inputs.chain(evidence.entries(build.time)).collect();
        self.archive.put(&entries, context.now).await?;
        Ok(vec![evidence.into_event(build.data.project.clone())])
    }
}

#[cfg(test)]
mod testing {
    //! A small build for the unit tests.

    use events::{Artifact, BuildCompleted, Digest, Envelope, Label, Priority};
    use jiff::Timestamp;
    use serde_json::json;

    /// Two packages, and the project that asks for them.
    pub(crate) const LOCK: &str = r#"version = 1
revision = 3
requires-python = ">=3.12"

[[package]]
name = "app"
version = "0.1.0"
source = { virtual = "." }
dependencies = [{ name = "left-pad" }, { name = "zope-interface" }]

[[package]]
name = "left-pad"
version = "1.0"
source = { registry = "https://pypi.org/simple" }

[[package]]
name = "zope-interface"
version = "2.0"
source = { registry = "https://pypi.org/simple" }
"#;

    /// A build of `app.whl`, whose bytes are `wheel`.
    pub(crate) fn build() -> Envelope<BuildCompleted> {
        let name = "app.whl".parse().expect("a path");
        let artifact = Artifact { name, digest: Digest::of(b"wheel"), size: Some(5) };
        let data = json!({
            "project": "acme/app", "kind": "release", "run": "1", "artifacts": [artifact],
            "builder": { "id": "https://ci.example/builder" },
        });
        let data: BuildCompleted = serde_json::from_value(data).expect("a build");
        let (source, project) = (Label::of("/ci"), data.project.clone());
        Envelope::root(source, Timestamp::UNIX_EPOCH, Priority::Release, project, data)
    }
}
