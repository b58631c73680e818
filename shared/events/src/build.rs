//! What CI says when a build is complete.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Dependency, Digest, Event, FilePath, Label, Priority, Producer, Scope, Uri,
    listing::{Listing, Named},
};

/// CI built something and asks for a verdict: `build.completed`.
///
/// Names everything by digest; the lockfiles travel in chunks beside it (see [`Input`]), the
/// artifacts stay where they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BuildCompleted {
    /// The project that was built.
    pub project: Scope,
    /// Why it was built; decides priority and how strict the policy is.
    pub kind: BuildKind,
    /// Where a release is to run; a pull request runs nowhere. Left out, a release is for production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What tells this build of the project from every other: a CI run with its attempt, or a
    /// digest of what was built. The same run submitted twice is one build.
    pub run: Label,
    /// Version of the product, where CI knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Label>,
    /// The source that was built, where CI knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// What built it.
    pub builder: Builder,
    /// When the build began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the build ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// Parameters that whoever started the build chose (SLSA `externalParameters`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<Label, Uri>,
    /// Parameters that the platform itself set (SLSA `internalParameters`); no secret among them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub internal_parameters: BTreeMap<Label, Uri>,
    /// What the build fetched beside source and lockfiles, such as its base image: up to 1,000.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub dependencies: Listing<Dependency, 0, 1000>,
    /// What the build made: 1 to 1,000.
    pub artifacts: Listing<Artifact, 1, 1000>,
    /// The lockfiles that the build used, files that say more about them, and what its artifacts
    /// hold: up to 1,000.
    #[serde(default)]
    pub inputs: Listing<Input, 0, 1000>,
    /// CycloneDX SBOMs that the build made of itself, kept and compared with ours: up to 20.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub sboms: Listing<Input, 0, 20>,
}

/// Why a build was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BuildKind {
    /// To check a proposed change.
    Pr,
    /// To be promoted to users.
    Release,
}

/// What a build is judged for: the further it goes, the stricter policy may be.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// To be merged.
    Pr,
    /// To be tried where no user is.
    Staging,
    /// To be promoted to users.
    Production,
}

/// The source of a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Source {
    /// URI of the repository.
    pub repository: Uri,
    /// Branch or tag, for example `refs/heads/main`.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<Label>,
    /// The commit: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Commit>,
}

/// A git commit id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Commit(#[schemars(regex(pattern = r"^([0-9a-f]{40}|[0-9a-f]{64})$"))] String);

/// The platform that ran the build (SLSA `builder`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Builder {
    /// URI that names the platform and its trust level (SLSA `builder.id`).
    pub id: Uri,
    /// URI of the template that says how the parameters are read (SLSA `buildType`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build_type: Option<Uri>,
    /// The run on that platform, for people to look up (SLSA `invocationId`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invocation: Option<Uri>,
    /// Versions of the platform's components, by name (SLSA `builder.version`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub version: BTreeMap<Label, Label>,
}

impl Builder {
    /// A platform of which no more than its id is known.
    pub fn new(id: Uri) -> Self {
        Self { id, build_type: None, invocation: None, version: BTreeMap::new() }
    }
}

/// A file that the build made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// Its path below the build's output.
    pub name: FilePath,
    /// Digest of its content.
    pub digest: Digest,
    /// Its size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// A document that CI uploaded for this build: `chunks` messages, whose bytes together have `digest`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// Its path below the build's source.
    pub path: FilePath,
    /// Digest of its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Number of chunks it was uploaded in, [`CHUNK_BYTES`] each but the last.
    pub chunks: u32,
}

/// Size of an upload's chunks in bytes.
pub const CHUNK_BYTES: usize = 512 * 1024;

impl BuildKind {
    /// How urgent events about such a build are.
    pub fn priority(self) -> Priority {
        match self {
            Self::Pr => Priority::Pr,
            Self::Release => Priority::Release,
        }
    }

    /// As it is written: `pr` or `release`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pr => "pr",
            Self::Release => "release",
        }
    }
}

impl BuildCompleted {
    /// What it is judged for: `asked`, or else what CI said. A pull request is never promoted, and a release never judged
    /// as one, whoever says so.
    pub fn judged_for(&self, asked: Option<Environment>) -> Environment {
        match (self.kind, asked.or(self.environment)) {
            (BuildKind::Pr, _) => Environment::Pr,
            (BuildKind::Release, Some(Environment::Staging)) => Environment::Staging,
            (BuildKind::Release, _) => Environment::Production,
        }
    }
}

impl Environment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Pr, Self::Staging, Self::Production];

    /// As it is written: `pr`, `staging` or `production`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pr => "pr",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

/// The text is not a git commit id.
#[derive(Debug, thiserror::Error)]
#[error("a commit is 40 or 64 lower-case hex digits; give the full id, not an abbreviation")]
pub struct InvalidCommit;

impl TryFrom<String> for Commit {
    type Error = InvalidCommit;

    fn try_from(text: String) -> Result<Self, InvalidCommit> {
        let hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if hex && matches!(text.len(), 40 | 64) { Ok(Self(text)) } else { Err(InvalidCommit) }
    }
}

impl From<Commit> for String {
    fn from(commit: Commit) -> Self {
        commit.0
    }
}

impl Commit {
    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Named for Artifact {
    fn name(&self) -> &str {
        self.name.as_str()
    }
}

impl Named for Input {
    fn name(&self) -> &str {
        self.path.as_str()
    }
}

impl Event for BuildCompleted {
    const NOUN: &'static str = "build";
    const VERB: &'static str = "completed";

    fn natural_key(&self) -> String {
        // The project cannot hold a NUL, so no two pairs read the same.
        format!("{}\0{}", self.project, self.run)
    }

    fn producer(&self) -> Option<Producer> {
        None
    }
}
