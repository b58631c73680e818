//! The answer to `explain`: the whole story of a digest. It crosses the bus as JSON, so fields may
//! be added and none may change. Times are exact to the microsecond.

use events::{Digest, Position, VerdictResult};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

mod submission;

pub use self::submission::{
    Decision, Mapped, Parsed, Submission, SubmittedDocument, SupplierDocument, Update,
};

/// Most builds, submissions and updates that one explanation tells about, all together.
pub const MAX_BUILDS: usize = 20;
/// Most beyond those that are counted.
pub const MAX_COUNTED: usize = 1_000;
/// Most entries of one list in a story; the field `more` counts the others.
pub const MAX_LISTED: usize = 50;

/// What is known about a digest, or about what has one id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The digest asked about; none if an id was asked about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Only what was known then; none: what is known now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// What the digest is, each way once; empty when nobody ever named it.
    pub found_as: Vec<Found>,
    /// The newest builds that name it, newest first.
    pub builds: Vec<Build>,
    /// The newest submissions that name it, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub submissions: Vec<Submission>,
    /// Advisory indexes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub updates: Vec<Update>,
    /// How many older builds and submissions name it too; nobody counts beyond [`MAX_COUNTED`].
    pub more_builds: u64,
}

impl Explanation {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.builds.is_empty() && self.submissions.is_empty() && self.updates.is_empty()
    }

    /// Leaves one story out and counts it; false when there is none.
    pub fn shorten(&mut self) -> bool {
        let shorter = self.submissions.pop().is_some()
            || self.builds.pop().is_some()
            || self.updates.pop().is_some();
        self.more_builds += u64::from(shorter);
        shorter
    }
}

/// What a digest is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "as", rename_all = "kebab-case")]
pub enum Found {
    /// Something that a build made.
    Artifact {
        /// Its path below the build's output.
        name: String,
    },
    /// A lockfile that a build used.
    Input {
        /// Its path below the build's source.
        name: String,
    },
    /// A document of evidence.
    Document {
        /// Where a release puts it.
        name: String,
        /// The part it plays, for example `sbom`.
        role: String,
    },
    /// An in-toto statement.
    Statement {
        /// Where a release puts the bundle that signs it.
        name: String,
        /// Its predicate type.
        predicate_type: String,
    },
    /// A Sigstore bundle.
    Bundle {
        /// Where a release puts it.
        name: String,
        /// Predicate type of the statement that it signs.
        predicate_type: String,
    },
    /// The policy that judged.
    Policy,
    /// The report of a judgement.
    Report,
    /// A document that somebody submitted.
    Submitted {
        /// Its name, as the sender says; empty if there was none.
        name: String,
        /// The sender's scope.
        scope: String,
    },
    /// The Sigstore bundle that came with such a document.
    Signature {
        /// The document's name.
        name: String,
        /// The sender's scope.
        scope: String,
    },
    /// An index of advisories.
    Advisories,
}

/// One build, from submission to answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Build {
    /// Its id, which every event of it carries.
    pub correlation: Uuid,
    /// What was submitted; none while only consequences are known.
    #[serde(flatten)]
    pub submitted: Option<Submitted>,
    /// How far it came.
    pub state: State,
    /// When its signed verdict was made, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Timestamp>,
    /// What it made.
    pub artifacts: Vec<File>,
    /// The lockfiles that it used.
    pub inputs: Vec<File>,
    /// Its events, each after the one that caused it.
    pub events: Vec<Event>,
    /// Documents of evidence about it.
    pub documents: Vec<Document>,
    /// Statements about it, and who signed each.
    pub statements: Vec<Statement>,
    /// The verdict; without `signed_at` it is not one yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What the mapper found after the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapped: Option<Mapped>,
    /// What failed at least once.
    pub attempts: Vec<Attempt>,
    /// What was set aside.
    pub quarantine: Vec<Entry>,
    /// How many entries the lists above leave out, all together.
    pub more: u64,
}

/// What CI submitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Submitted {
    /// The project.
    pub project: String,
    /// Why it was built: `pr` or `release`.
    pub kind: String,
    /// What tells this build of the project from every other.
    pub run: String,
    /// Version of the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// URI of the platform that built it.
    pub builder: String,
    /// The source that was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
}

/// The source of a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// URI of the repository.
    pub repository: String,
    /// Branch or tag.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// How far a build came, or what was submitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Its signed verdict is `PASSED`.
    Passed,
    /// Its signed verdict is `FAILED`.
    Failed,
    /// Its signed receipt says `accepted`.
    Accepted,
    /// Its signed receipt says `rejected`.
    Rejected,
    /// The backlog has what an advisory index says.
    Mapped,
    /// It waits for somebody to replay or drop what could not be handled.
    Quarantined,
    /// Somebody decided that it is not to be handled.
    Dropped,
    /// It is on its way.
    InProgress,
}

/// A file that a build used or made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// Its path.
    pub name: String,
    /// Digest of its content.
    pub digest: Digest,
    /// Its size in bytes, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: Uuid,
    /// Its type without the root `attestry.v1.`, for example `evidence.ready`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Whose evidence it speaks of; none for a build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub producer: Option<String>,
    /// Who stated it, for example `/attestry/generator`.
    pub source: String,
    /// When the fact came to be.
    pub time: Timestamp,
    /// When its stream stored it.
    pub known_at: Timestamp,
    /// The event that caused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Uuid>,
    /// Where it lies.
    pub position: Position,
    /// Later messages with its id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repeats: Vec<Repeat>,
}

/// A later message with the id of a known event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    /// Where it lies.
    pub position: Position,
    /// When its stream stored it.
    pub known_at: Timestamp,
    /// The quarantine entry that it replays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay_of: Option<u64>,
    /// Whether its bytes are those of the event; otherwise somebody contradicts it.
    pub same: bool,
}

/// A document in the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The part it plays, for example `sbom`.
    pub role: String,
    /// Where a release puts it.
    pub name: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type.
    pub media_type: String,
    /// Who made it.
    pub producer: String,
}

/// An in-toto statement in the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its predicate type.
    pub predicate_type: String,
    /// Where a release puts the bundle.
    pub name: String,
    /// Who made it.
    pub producer: String,
    /// The bundle that signs it, once it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Bundle>,
}

/// A Sigstore bundle in the archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bundle {
    /// Digest of its bytes.
    pub digest: Digest,
    /// Who signed, as the signer says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// When it was signed.
    pub time: Timestamp,
}

/// How the build was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether the build may be promoted.
    pub result: VerdictResult,
    /// Digest of the policy that judged.
    pub policy: Digest,
    /// Digest of the report.
    pub report: Digest,
    /// When the gate judged.
    pub time: Timestamp,
    /// When the verdict was signed; before that it answers nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// Digest of the bundle that signs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Digest>,
}

/// Failures of one message at one worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The worker.
    pub worker: String,
    /// Where the message lies.
    pub position: Position,
    /// Failures that count now: a crash is counted before an attempt and taken back after it.
    pub failed: u64,
    /// The most failures that ever counted.
    pub failed_max: u64,
    /// What the last failure said.
    pub reason: String,
    /// When the last word was stored.
    pub time: Timestamp,
}

/// An entry in quarantine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number.
    pub id: u64,
    /// The worker that gave up.
    pub worker: String,
    /// Stable reason code.
    pub reason: String,
    /// What is wrong, where, and how to mend it.
    pub detail: String,
    /// Attempts that failed.
    pub attempts: u64,
    /// Where the message lies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// When it came there.
    pub time: Timestamp,
    /// How it left; none while it lies there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<End>,
}

/// How an entry left the quarantine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// How.
    pub how: events::Ended,
    /// When.
    pub time: Timestamp,
}
