//! A file or a digest, and what it is to a signed statement.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use aws_lc_rs::digest::{SHA512, digest};
use events::Digest;
use serde::Deserialize;

use crate::{
    json,
    predicate::{Predicate, Reference},
    refusal::VerifyError,
    statement::{
        MAX_STATEMENT_BYTES, NO_SUBJECT_DIGEST, STATEMENT_TYPE, Statement, StatementError,
    },
};

/// The older statement, which npm's registry still signs.
const STATEMENT_TYPE_V0_1: &str = "https://in-toto.io/Statement/v0.1";

/// What is asked about: a file, or what is known of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifact<'a> {
    bytes: Option<&'a [u8]>,
    sha256: Option<Digest>,
    /// 64 bytes, in lower-case hex.
    sha512: Option<String>,
}

/// What an artifact is to what was signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It was signed itself.
    File,
    /// A subject of the statement.
    Subject,
    /// The statement itself.
    Statement,
    /// A document that the statement refers to.
    Reference,
}

impl Part {
    /// What it is called in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "the signed file",
            Self::Subject => "subject",
            Self::Statement => "the statement itself",
            Self::Reference => "referenced document",
        }
    }
}

impl<'a> Artifact<'a> {
    /// A file at hand.
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { bytes: Some(bytes), sha256: Some(Digest::of(bytes)), sha512: None }
    }

    /// A file of which only the digest is known; `sha512` has 64 bytes in lower-case hex.
    ///
    /// # Errors
    /// Text of another form, with what is wrong.
    pub fn digests(sha256: Option<Digest>, sha512: Option<&str>) -> Result<Self, &'static str> {
        let is_hex = |it: &str| {
            it.len() == 128 && it.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'))
        };
        if sha512.is_some_and(|it| !is_hex(it)) {
            return Err("a SHA-512 has 128 lower-case hex digits");
        }
        Ok(Self { bytes: None, sha256, sha512: sha512.map(str::to_owned) })
    }

    pub(crate) fn bytes(&self) -> Option<&'a [u8]> {
        self.bytes
    }

    /// Its SHA-256, where known.
    pub fn sha256(&self) -> Option<Digest> {
        self.sha256
    }

    /// Computed only where somebody asks: a megabyte takes a millisecond.
    fn sha512(&self) -> Option<Cow<'_, str>> {
        match (&self.sha512, self.bytes) {
            (Some(known), _) => Some(Cow::Borrowed(known)),
            (None, Some(bytes)) => Some(hex::encode(digest(&SHA512, bytes)).into()),
            (None, None) => None,
        }
    }

    /// What it is to the statement in `payload`; none if the statement is about something else.
    pub(crate) fn part_of(
        &self,
        payload: &[u8],
        subjects: &Subjects,
        statement: Option<&Statement>,
    ) -> Result<Option<Part>, VerifyError> {
        let sha256 = self.sha256.map(|it| it.hex());
        if let Some(hex) = &sha256
            && subjects.have("sha256", hex)
        {
            return Ok(Some(Part::Subject));
        }
        if subjects.use_algorithm("sha512")
            && let Some(hex) = self.sha512()
            && subjects.have("sha512", &hex)
        {
            return Ok(Some(Part::Subject));
        }
        if self.sha256 == Some(Digest::of(payload)) {
            return Ok(Some(Part::Statement));
        }
        let references = statement.filter(|it| it.predicate_type() == Reference::TYPE);
        let Some(statement) = references else { return Ok(None) };
        let references = statement.predicate::<Reference>()?.references;
        let refers = references.iter().any(|it| Some(it.digest) == self.sha256);
        Ok(refers.then_some(Part::Reference))
    }
}

impl fmt::Display for Artifact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.sha256, &self.sha512) {
            (Some(digest), _) => digest.fmt(f),
            (None, Some(hex)) => write!(f, "sha512:{hex}"),
            (None, None) => f.write_str("no digest"),
        }
    }
}

/// What any statement is about, ours and the older ones of others.
pub(crate) struct Subjects {
    digests: Vec<BTreeMap<String, String>>,
    pub(crate) predicate_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    #[serde(rename = "_type")]
    kind: String,
    #[serde(default)]
    subject: Vec<ReadSubject>,
    predicate_type: String,
}

#[derive(Deserialize)]
struct ReadSubject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

impl Subjects {
    /// Reads what a statement v1 or v0.1 is about.
    ///
    /// # Errors
    /// Anything that is no such statement, or is about nothing.
    pub(crate) fn read(payload: &[u8]) -> Result<Self, StatementError> {
        if payload.len() > MAX_STATEMENT_BYTES {
            let max_bytes = MAX_STATEMENT_BYTES;
            return Err(StatementError::TooLarge { bytes: payload.len(), max_bytes });
        }
        let read: Read = json::parse(payload).map_err(StatementError::Malformed)?;
        if ![STATEMENT_TYPE, STATEMENT_TYPE_V0_1].contains(&read.kind.as_str()) {
            return Err(StatementError::WrongType { found: json::excerpt(&read.kind) });
        }
        if read.subject.is_empty() {
            return Err(StatementError::NoSubject);
        }
        if let Some(index) = read.subject.iter().position(|it| it.digest.is_empty()) {
            let reason = NO_SUBJECT_DIGEST.to_owned();
            return Err(StatementError::SubjectDigest { index, reason });
        }
        if read.predicate_type.is_empty() || read.predicate_type.contains(char::is_control) {
            let field = "predicateType".to_owned();
            return Err(StatementError::UnprintableField { field });
        }
        let digests = read.subject.into_iter().map(|it| it.digest).collect();
        Ok(Self { digests, predicate_type: read.predicate_type })
    }

    fn have(&self, algorithm: &str, hex: &str) -> bool {
        self.digests.iter().any(|it| it.get(algorithm).is_some_and(|it| it == hex))
    }

    fn use_algorithm(&self, algorithm: &str) -> bool {
        self.digests.iter().any(|it| it.contains_key(algorithm))
    }

    pub(crate) fn first_sha256(&self) -> Option<Digest> {
        self.digests.iter().find_map(|it| format!("sha256:{}", it.get("sha256")?).parse().ok())
    }

    pub(crate) fn first_sha512(&self) -> Option<Vec<u8>> {
        self.digests.iter().find_map(|it| hex::decode(it.get("sha512")?).ok())
    }
}
