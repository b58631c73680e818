//! Why a bundle is refused.

use jiff::Timestamp;
use sigstore_verify::{CertificateError, Error, TransparencyLogError, bundle::Error as Shape};

use crate::{dsse, json, statement::StatementError, trust::Validity};

/// Bytes of the largest bundle that is read.
pub const MAX_BUNDLE_BYTES: usize = 16 * 1024 * 1024;

/// Characters of what a verifier says that are repeated.
const MAX_DETAIL: usize = 400;

/// Which check a bundle failed, and what would satisfy it.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// More bytes than are read.
    #[error(
        "the bundle has {bytes} bytes and at most {MAX_BUNDLE_BYTES} are read: name large documents by digest"
    )]
    TooLarge {
        /// Bytes there are.
        bytes: usize,
    },
    /// Not JSON, a duplicate key, or a field that is missing or of another type.
    #[error("not a Sigstore bundle: {0}")]
    NotABundle(String),
    /// Another format or version.
    #[error(
        "`mediaType` is `{found}`: only bundles v0.1 to v0.3 are read, so sign again with a client that writes \
         `application/vnd.dev.sigstore.bundle.v0.3+json`"
    )]
    UnsupportedMediaType {
        /// The media type there is.
        found: String,
    },
    /// A certificate where only keys are trusted.
    #[error(
        "the bundle is signed with a certificate and only keys are trusted here: sign it with a key of the key \
         set, or trust the identity and the root that issued its certificate"
    )]
    SignedWithCertificate,
    /// A key where only identities are trusted.
    #[error(
        "the bundle is signed with a key and only identities are trusted here: give the key, if you trust it"
    )]
    SignedWithKey,
    /// There is evidence, and nothing to check it with.
    #[error(
        "the bundle has {what} and no trusted root is at hand to check it: give the `trusted_root.json` of the \
         Sigstore instance that signed"
    )]
    NoTrustedRoot {
        /// What is to be checked.
        what: &'static str,
    },
    /// A bundle that names no key.
    #[error("`verificationMaterial.publicKey` is missing: the bundle must say which key signed it")]
    NoKeyHint,
    /// A signature over a file instead of a statement.
    #[error("`dsseEnvelope` is missing: sign an in-toto statement, not a plain file")]
    NoStatement,
    /// No signature, or one of each kind.
    #[error("the bundle must have either `dsseEnvelope` or `messageSignature`: sign again")]
    NoContent,
    /// Signed by a trusted signer, yet about something else.
    #[error(
        "the signature of `{label}` holds, but its statement names another document: no subject has the digest {document}; sign this very file, byte for byte"
    )]
    OtherDocument {
        /// Label of the key or rule that signed.
        label: String,
        /// Digest of the document at hand.
        document: String,
    },
    /// The payload is something else than a statement.
    #[error("`dsseEnvelope.payloadType` is `{found}`: only `{}` is accepted", dsse::PAYLOAD_TYPE)]
    WrongPayloadType {
        /// The payload type there is.
        found: String,
    },
    /// No signature, or several.
    #[error("`dsseEnvelope.signatures` has {found} entries: a bundle must have exactly one")]
    WrongSignatureCount {
        /// How many there are.
        found: usize,
    },
    /// Nobody we trust has this key.
    #[error(
        "no trusted key has the hint `{hint}`: add the signer's public key to the key set if you trust it"
    )]
    UnknownKey {
        /// The hint in the bundle.
        hint: String,
    },
    /// The key is trusted at other times only.
    #[error(
        "`{label}` is trusted {}, and {}: sign with a key that is valid now, or with a time stamp from when this one was",
        span(*.validity), when(*.time)
    )]
    KeyNotValid {
        /// Label of the key.
        label: String,
        /// The time that does not fit; none if nothing says when it signed.
        time: Option<Timestamp>,
        /// When it is trusted.
        validity: Validity,
    },
    /// The certificate is genuine, and of nobody we trust.
    #[error("nobody trusts `{identity}`, for whom `{issuer}` vouches: {reasons}")]
    UntrustedIdentity {
        /// The identity in the certificate.
        identity: String,
        /// The issuer in the certificate.
        issuer: String,
        /// What each rule asks for.
        reasons: String,
    },
    /// The signer may sign other kinds of claim.
    #[error("`{label}` may not sign a `{found}`, only: {allowed}")]
    PredicateTypeNotAllowed {
        /// Label of the key or rule.
        label: String,
        /// The predicate type there is.
        found: String,
        /// The predicate types that are allowed.
        allowed: String,
    },
    /// The bundle or its statement was changed, or another key signed it.
    #[error(
        "the signature was not made by `{label}` over these bytes: document or bundle were changed after \
         signing, or the bundle names the wrong key; get both again from their producer"
    )]
    WrongSignature {
        /// Label of the key that was tried.
        label: String,
    },
    /// A digest alone does not suffice for this algorithm.
    #[error(
        "the signature can be checked over the file alone, not over its digest: {0}; give the file"
    )]
    NeedsFile(String),
    /// The certificate does not hold.
    #[error(
        "the certificate does not hold: {0}; it must be issued by an authority of the trusted root and be valid \
         when the signature was made"
    )]
    Certificate(String),
    /// The certificate was not logged.
    #[error(
        "the certificate's timestamp of a certificate log (SCT) does not hold: {0}; a certificate log of the \
         trusted root must have signed it"
    )]
    CertificateLog(String),
    /// The entry in the transparency log does not hold.
    #[error(
        "the transparency log entry does not hold: {0}; a log of the trusted root must prove that it has this \
         very signature"
    )]
    TransparencyLog(String),
    /// No time, or one that does not hold.
    #[error(
        "no time is proven: {0}; a log or a timestamp authority of the trusted root must say when the signature \
         was made"
    )]
    Time(String),
    /// The policy asks for a log entry.
    #[error(
        "the signature is in no transparency log, and that is required: sign with a log configured"
    )]
    NotLogged,
    /// The policy asks for a proven time.
    #[error(
        "nothing proves when the signature was made, and that is required: sign with a timestamp authority or a log configured"
    )]
    NoProvenTime,
    /// Signed, yet no Statement v1.
    #[error("the signature is right, yet the payload is unusable: {0}")]
    Statement(#[from] StatementError),
}

fn span(validity: Validity) -> String {
    match (validity.from, validity.until) {
        (Some(from), Some(until)) => format!("from {from} until {until}"),
        (Some(from), None) => format!("from {from} on"),
        (None, Some(until)) => format!("until {until}"),
        (None, None) => "always".to_owned(),
    }
}

fn when(time: Option<Timestamp>) -> String {
    match time {
        Some(time) => format!("this was signed at {time}, or is asked about then"),
        None => "nothing says when this was signed".to_owned(),
    }
}

impl VerifyError {
    /// What the verifier of `label`'s signature over `document` says.
    pub(crate) fn of(error: &Error, label: &str, document: &str) -> Self {
        let detail = json::excerpt_of(&error.to_string(), MAX_DETAIL);
        match error {
            Error::SignatureInvalid(_) => Self::WrongSignature { label: label.to_owned() },
            Error::ArtifactMismatch(_) => {
                Self::OtherDocument { label: label.to_owned(), document: document.to_owned() }
            }
            Error::UnsupportedArtifact(_) => Self::NeedsFile(detail),
            Error::Certificate(CertificateError::Sct(_)) => Self::CertificateLog(detail),
            Error::Certificate(_) => Self::Certificate(detail),
            Error::TransparencyLog(TransparencyLogError::IntegratedTime(_))
            | Error::Timestamp(_) => Self::Time(detail),
            Error::TransparencyLog(_)
            | Error::Bundle(
                Shape::MissingInclusionPromise(_)
                | Shape::MissingInclusionProof(_)
                | Shape::MissingCheckpoint
                | Shape::LogIndexOutOfRange { .. }
                | Shape::CheckpointRootMismatch,
            ) => Self::TransparencyLog(detail),
            Error::Bundle(Shape::MissingSigningTimeEvidence | Shape::MissingTimestamp) => {
                Self::Time(detail)
            }
            _ => Self::NotABundle(detail),
        }
    }
}
