//! The in-toto Statement v1: which artifacts are spoken of, and what kind of claim is made.

use std::collections::BTreeMap;

use events::Digest;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{json, predicate::Predicate, resource::sha256_set};

/// The only `_type` that is read and written.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// What is said of a subject without a digest.
pub(crate) const NO_SUBJECT_DIGEST: &str = "it has no digest: a subject is known by nothing else";

/// Bytes of the largest statement that is built or taken from a bundle; as base64 it fits into the largest bundle.
pub const MAX_STATEMENT_BYTES: usize = 8 * 1024 * 1024;

/// An in-toto Statement v1 with at least one subject, each pinned by SHA-256.
///
/// It keeps the bytes it was read from; they are what gets signed and what its digest is taken of.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    bytes: Vec<u8>,
    subjects: Vec<Subject>,
    predicate_type: String,
}

/// An artifact that a statement speaks of; matched by digest alone (in-toto Statement v1, `subject`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Name that tells the subjects of one statement apart, such as a file name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// URI that identifies the artifact, such as a purl.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digest of the artifact.
    #[serde(with = "sha256_set")]
    pub digest: Digest,
}

/// Why bytes are no statement that can be used.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// More bytes than the caller allows.
    #[error(
        "the statement has {bytes} bytes and at most {max_bytes} are read: name large documents by digest"
    )]
    TooLarge {
        /// Bytes there are.
        bytes: usize,
        /// Bytes allowed.
        max_bytes: usize,
    },
    /// Not JSON, a duplicate key, or a field of another type.
    #[error("not a statement: {0}")]
    Malformed(String),
    /// Another `_type`, such as Statement v0.1.
    #[error(
        "`_type` is `{found}`: only `{STATEMENT_TYPE}` is accepted, so the producer must write Statement v1"
    )]
    WrongType {
        /// The `_type` there is.
        found: String,
    },
    /// No subject at all.
    #[error("`subject` is empty: a statement must name at least one artifact")]
    NoSubject,
    /// A subject without a usable digest.
    #[error("`subject[{index}].digest`: {reason}")]
    SubjectDigest {
        /// Position of the subject, from 0.
        index: usize,
        /// What is wrong.
        reason: String,
    },
    /// A name, URI or type that could forge terminal output.
    #[error("`{field}` is empty or has a control character: remove it at the producer")]
    UnprintableField {
        /// Path of the field.
        field: String,
    },
    /// The claim is of another kind than was asked for.
    #[error("`predicateType` is `{found}` where `{expected}` is needed")]
    WrongPredicateType {
        /// The type there is.
        found: String,
        /// The type asked for.
        expected: &'static str,
    },
    /// The claim does not fit its own type.
    #[error("`predicate` is no `{predicate_type}`: {reason}")]
    MalformedPredicate {
        /// The type it claims.
        predicate_type: &'static str,
        /// What is wrong.
        reason: String,
    },
}

impl Statement {
    /// Statement that makes the claim `predicate` about `subjects`; equal arguments give equal bytes.
    ///
    /// # Errors
    /// As for [`Statement::parse`]: what we write passes the same gate as what we read.
    pub fn new<P: Predicate>(subjects: &[Subject], predicate: &P) -> Result<Self, StatementError> {
        let written =
            Written { kind: STATEMENT_TYPE, subject: subjects, predicate_type: P::TYPE, predicate };
        let bytes = serde_json::to_vec(&written)
            .map_err(|error| StatementError::Malformed(error.to_string()))?;
        Self::parse(bytes, MAX_STATEMENT_BYTES)
    }

    /// Reads a statement of at most `max_bytes` bytes. Unknown fields are ignored, as in-toto asks of consumers.
    ///
    /// # Errors
    /// Anything that is not a Statement v1 whose every subject has a `sha256` digest.
    pub fn parse(bytes: impl Into<Vec<u8>>, max_bytes: usize) -> Result<Self, StatementError> {
        let bytes = bytes.into();
        if bytes.len() > max_bytes {
            return Err(StatementError::TooLarge { bytes: bytes.len(), max_bytes });
        }
        let read: Read = json::parse(&bytes).map_err(StatementError::Malformed)?;
        if read.kind != STATEMENT_TYPE {
            return Err(StatementError::WrongType { found: json::excerpt(&read.kind) });
        }
        if read.subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        printable("predicateType", &read.predicate_type)?;
        let subjects =
            read.subject.into_iter().enumerate().map(subject).collect::<Result<_, _>>()?;
        Ok(Self { bytes, subjects, predicate_type: read.predicate_type })
    }

    /// The statement as it was written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The artifacts it speaks of; never empty.
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// The kind of claim, a URI.
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The claim itself.
    ///
    /// # Errors
    /// [`StatementError::WrongPredicateType`] when it is another kind of claim than `P`, and
    /// [`StatementError::MalformedPredicate`] when it does not fit.
    pub fn predicate<P: Predicate>(&self) -> Result<P, StatementError> {
        if self.predicate_type != P::TYPE {
            let found = json::excerpt(&self.predicate_type);
            return Err(StatementError::WrongPredicateType { found, expected: P::TYPE });
        }
        let claim = json::read::<Claim<P>>(&self.bytes);
        claim.map(|claim| claim.predicate).map_err(|reason| StatementError::MalformedPredicate {
            predicate_type: P::TYPE,
            reason,
        })
    }
}

fn subject((index, read): (usize, ReadSubject)) -> Result<Subject, StatementError> {
    let digest = sha256_set::sha256_of(&read.digest)
        .map_err(|reason| StatementError::SubjectDigest { index, reason })?;
    for (field, text) in [("name", &read.name), ("uri", &read.uri)] {
        if let Some(text) = text {
            printable(&format!("subject[{index}].{field}"), text)?;
        }
    }
    Ok(Subject { name: read.name, uri: read.uri, digest })
}

fn printable(field: &str, text: &str) -> Result<(), StatementError> {
    if text.is_empty() || text.contains(char::is_control) {
        return Err(StatementError::UnprintableField { field: field.to_owned() });
    }
    Ok(())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a, P> {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: &'a [Subject],
    predicate_type: &'static str,
    predicate: &'a P,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(default)]
    subject: Vec<ReadSubject>,
    predicate_type: String,
    /// Read only to see that it is an object; absent and `null` mean empty, as PyPI's publish attestation has it.
    #[serde(default, rename = "predicate")]
    _predicate: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Deserialize)]
struct ReadSubject {
    name: Option<String>,
    uri: Option<String>,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Claim<P> {
    predicate: P,
}
