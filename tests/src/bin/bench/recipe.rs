//! What the floor repeats: the events and archive writes of one real build, observed.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, ensure};
use archive::{Archive, Class};
use bus::Bus;
use events::{
    BacklogMapped, BuildCompleted, Digest, Envelope, Event, EvidenceReady, EvidenceSigned,
    Producer, Role, VerdictResult, stage_stream, subject,
};
use serde::{Deserialize, Serialize};

use crate::{load::Load, system::System};

/// Largest document that a build of ours makes.
const MAX_DOCUMENT_BYTES: u64 = 64 << 20;

/// The hops of one build, in order.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Recipe {
    pub(crate) hops: Vec<Hop>,
}

/// What one worker does with one event.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hop {
    pub(crate) worker: String,
    /// The stream of the event that it handles.
    pub(crate) stream: String,
    /// That event's subject, without the correlation at its end.
    pub(crate) input: String,
    /// Subject of the event that follows, likewise.
    pub(crate) output: String,
    /// The bytes of the event that follows.
    pub(crate) payload: String,
    /// What is durable before, in order.
    pub(crate) steps: Vec<Step>,
}

/// Writes that are waited for together.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Step {
    /// Documents.
    Store(Vec<Document>),
    /// Names.
    Claim(Vec<Claim>),
}

/// A document that is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) class: Class,
    pub(crate) media_type: String,
    pub(crate) text: String,
    /// Whether each build has its own; the others are written again as they are.
    pub(crate) fresh: bool,
}

/// A name that is claimed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claim {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// Has one build answered and notes what happened.
pub(crate) async fn record(system: &System, load: &mut Load) -> anyhow::Result<Recipe> {
    let before = Files::of(&system.archive_dir())?;
    let build = load.answered().await?;
    system.wait_until_mapped().await?;
    let written = Files::of(&system.archive_dir())?.since(&before);
    let recorder = Recorder { bus: &load.bus, archive: system.archive()?, build, written };
    recorder.recipe().await
}

struct Recorder<'a> {
    bus: &'a Bus,
    archive: Archive,
    build: Envelope<BuildCompleted>,
    written: Written,
}

impl Recorder<'_> {
    async fn recipe(mut self) -> anyhow::Result<Recipe> {
        let build = self.build.clone();
        let made = self.event::<EvidenceReady>(Some(Producer::Generator)).await?;
        let signed = self.event::<EvidenceSigned>(Some(Producer::Generator)).await?;
        let judged = self.event::<EvidenceReady>(Some(Producer::PolicyGate)).await?;
        let verdict = self.event::<EvidenceSigned>(Some(Producer::PolicyGate)).await?;
        let mapped = self.event::<BacklogMapped>(None).await?;
        let result = verdict.data.verdict.as_ref().map(|it| it.result);
        ensure!(result == Some(VerdictResult::Passed), "the benchmark's build is {result:?}");

        let evidence = self.documents(digests(&made.data, None)).await?;
        let signatures = self.signatures(&signed.data).await?;
        // The policy is stored before what it decides.
        let policy = self.documents(digests(&judged.data, Some(Role::Policy))).await?;
        let decision = self.claims("verdicts").await?;
        let judgement = self.documents(digests(&judged.data, None)).await?;
        let index = self.claims("judged").await?;
        let verdict_signature = self.signatures(&verdict.data).await?;
        self.ensure_nothing_is_left().await?;
        Ok(Recipe {
            hops: vec![
                hop("generator", &build, &made, vec![evidence])?,
                hop("signer", &made, &signed, signatures)?,
                hop("policy-gate", &signed, &judged, vec![policy, decision, judgement, index])?,
                hop("signer", &judged, &verdict, verdict_signature)?,
                // Its database is its own business, as the registrar's is.
                hop("backlog-mapper", &verdict, &mapped, vec![])?,
            ],
        })
    }

    async fn event<E: Event>(&self, producer: Option<Producer>) -> anyhow::Result<Envelope<E>> {
        let found = self.bus.find(&self.build.scope, producer, self.build.id).await?;
        found.with_context(|| format!("the build has no {} of {producer:?}", subject::stage::<E>()))
    }

    /// Bundles are claimed as they are, and stored when all are.
    async fn signatures(&mut self, event: &EvidenceSigned) -> anyhow::Result<Vec<Step>> {
        let mut claims = Vec::new();
        for bundle in &event.bundles {
            let name = format!("signatures/{}", bundle.statement.hex());
            claims.extend(self.below(&name).await?);
        }
        let bundles = event.bundles.iter().map(|it| it.bundle).collect();
        Ok(vec![Step::Claim(claims), self.documents(bundles).await?])
    }

    /// Those of `digests` that this build wrote.
    async fn documents(&mut self, digests: Vec<Digest>) -> anyhow::Result<Step> {
        let mut documents = Vec::new();
        for digest in digests {
            let Some(fresh) = self.written.documents.remove(&digest) else { continue };
            let metadata = self.archive.metadata(digest).await?;
            let bytes = self.archive.get(digest, MAX_DOCUMENT_BYTES).await?;
            let text = String::from_utf8(bytes.into()).context("a document is not UTF-8")?;
            let (class, media_type) = (metadata.class, metadata.media_type);
            documents.push(Document { class, media_type, text, fresh });
        }
        Ok(Step::Store(documents))
    }

    async fn claims(&mut self, prefix: &str) -> anyhow::Result<Step> {
        Ok(Step::Claim(self.below(prefix).await?))
    }

    /// This build's claims below `prefix`.
    async fn below(&mut self, prefix: &str) -> anyhow::Result<Vec<Claim>> {
        let is_below = |name: &str| Path::new(name).starts_with(prefix);
        let names: Vec<String> = self.written.claims.extract_if(.., |it| is_below(it)).collect();
        let mut claims = Vec::new();
        for name in names {
            let value = self.archive.claimed(&name).await?.context("a claim vanished")?;
            let value = String::from_utf8(value.into()).context("a claim is not UTF-8")?;
            claims.push(Claim { name, value });
        }
        Ok(claims)
    }

    /// The floor must do every write that the pipeline does, or it would be no floor.
    async fn ensure_nothing_is_left(&self) -> anyhow::Result<()> {
        for digest in self.written.documents.keys() {
            let class = self.archive.metadata(*digest).await?.class;
            ensure!(
                class == Class::Segment,
                "the pipeline stores a document of class {class:?} that no event names: teach recipe.rs whose it is"
            );
        }
        let unknown = self.written.claims.iter().find(|name| !name.starts_with("segments/"));
        ensure!(unknown.is_none(), "nobody's claim {unknown:?}: teach recipe.rs whose it is");
        Ok(())
    }
}

/// Documents that an event names, of one role or of all, and its statements.
fn digests(event: &EvidenceReady, role: Option<Role>) -> Vec<Digest> {
    let documents = event.documents.iter().filter(|it| role.is_none_or(|role| it.role == role));
    let documents = documents.map(|it| it.digest);
    let statements = event.statements.iter().filter(|_| role.is_none()).map(|it| it.digest);
    documents.chain(statements).collect()
}

fn hop<In: Event, Out: Event>(
    worker: &str,
    input: &Envelope<In>,
    output: &Envelope<Out>,
    steps: Vec<Step>,
) -> anyhow::Result<Hop> {
    let without_correlation = |subject: String| {
        let cut = subject.rsplit_once('.').map(|(start, _)| start.to_owned());
        cut.context("a subject of one token")
    };
    Ok(Hop {
        worker: worker.to_owned(),
        stream: stage_stream::<In>(),
        input: without_correlation(input.subject())?,
        output: without_correlation(output.subject())?,
        payload: serde_json::to_string(output)?,
        steps,
    })
}

/// The archive's documents and claims: path below its root, and what changes with every write.
struct Files(BTreeMap<PathBuf, (u64, i64, i64)>);

/// What was written, new or again.
struct Written {
    /// Documents, and whether they were not there before.
    documents: BTreeMap<Digest, bool>,
    claims: Vec<String>,
}

impl Files {
    fn of(root: &Path) -> anyhow::Result<Self> {
        let mut files = BTreeMap::new();
        let mut directories = vec![root.join("documents"), root.join("claims")];
        while let Some(directory) = directories.pop() {
            // A claim may never have been made.
            let Ok(entries) = fs::read_dir(&directory) else { continue };
            for entry in entries {
                let entry = entry?;
                // A file on its way may have its name by now.
                let Ok(metadata) = entry.metadata() else { continue };
                if metadata.is_dir() {
                    directories.push(entry.path());
                } else {
                    let path = entry.path().strip_prefix(root)?.to_owned();
                    files.insert(path, (metadata.ino(), metadata.mtime(), metadata.mtime_nsec()));
                }
            }
        }
        Ok(Self(files))
    }

    fn since(self, before: &Self) -> Written {
        let mut written = Written { documents: BTreeMap::new(), claims: Vec::new() };
        for (path, state) in &self.0 {
            let known = before.0.get(path);
            if known == Some(state) {
                continue;
            }
            if let Ok(name) = path.strip_prefix("claims") {
                written.claims.push(name.display().to_string());
            } else if let Some(digest) = digest_of(path) {
                written.documents.insert(digest, known.is_none());
            }
        }
        written
    }
}

/// The document at `documents/sha256/<2 digits>/<62 digits>`; a file on its way is none.
fn digest_of(path: &Path) -> Option<Digest> {
    let hex = path.strip_prefix("documents/sha256").ok()?.to_str()?.replace('/', "");
    format!("sha256:{hex}").parse().ok()
}
