//! What crosses the bus: event types, their envelope, digests and subjects. Pure: no I/O, no
//! clock, no NATS.

mod accepted;
mod attempts;
mod backlog;
mod build;
pub mod cdevent;
mod decode;
mod dependency;
mod digest;
mod envelope;
mod evidence;
mod listing;
pub mod quarantine;
pub mod receipt;
mod record;
mod schemas;
mod signed;
pub mod subject;
mod submission;
mod text;
mod verdict;

pub use crate::{
    accepted::Accepted,
    attempts::Attempts,
    backlog::{AdvisoriesUpdated, BacklogMapped},
    build::{
        Artifact, BuildCompleted, BuildKind, Builder, CHUNK_BYTES, Commit, Environment, Input,
        InvalidCommit, Source,
    },
    decode::{DecodeError, MAX_EVENT_BYTES, decode, decode_content},
    dependency::{Dependency, DigestSet, InvalidDependency, PublicUri, without_credentials},
    digest::{Digest, Digester, InvalidDigest},
    envelope::{Cause, Envelope, Event, Priority},
    evidence::{
        BundleRef, Document, EvidenceReady, EvidenceSigned, Producer, Role, StatementRef, Verdict,
        VerdictResult,
    },
    listing::{InvalidListing, Listing, Named},
    quarantine::{Ended, Quarantined},
    record::{ATTEMPTS_STREAM, InvalidPosition, Position, QUARANTINE_STREAM, Record, stage_stream},
    schemas::schemas,
    signed::{Answer, EvidenceResigned, SignedEvidence, SignedQuery},
    submission::{
        Content, Decision, DecisionResult, DocumentKind, DocumentSubmitted, Grade, Manifest,
        OPERATOR, Sender, SubmissionId, SupplierId,
    },
    text::{FilePath, InvalidText, Label, Scope, Text, Uri},
    verdict::{RequestReason, VerdictRequested},
};

#[cfg(test)]
mod testing {
    //! Small events for the unit tests.

    use jiff::Timestamp;

    use crate::*;

    pub(crate) fn build_completed(run: &str) -> Envelope<BuildCompleted> {
        let project: Scope = "acme/hotpass".parse().expect("valid");
        let name = "hotpass-0.1.0-py3-none-any.whl".parse().expect("valid");
        let artifact = Artifact { name, digest: Digest::of(b"wheel"), size: Some(5) };
        let data = BuildCompleted {
            project: project.clone(),
            kind: BuildKind::Pr,
            environment: None,
            run: run.parse().expect("valid"),
            version: None,
            source: None,
            builder: Builder::new(Uri::of("urn:ci")),
            started_at: None,
            finished_at: None,
            parameters: Default::default(),
            internal_parameters: Default::default(),
            dependencies: Default::default(),
            artifacts: vec![artifact].try_into().expect("valid"),
            inputs: Listing::default(),
            sboms: Default::default(),
        };
        Envelope::root(Label::of("/ci"), Timestamp::UNIX_EPOCH, Priority::Pr, project, data)
    }

    pub(crate) fn evidence_ready(producer: Producer) -> EvidenceReady {
        EvidenceReady {
            producer,
            project: "acme/hotpass".parse().expect("valid"),
            documents: vec![],
            statements: vec![],
            verdict: None,
            decision: None,
        }
    }
}
