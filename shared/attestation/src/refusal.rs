//! Why a bundle is refused.

use crate::{dsse, statement::StatementError};

/// Bytes of the largest bundle that is read.
pub const MAX_BUNDLE_BYTES: usize = 16 * 1024 * 1024;

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
        "`mediaType` is `{found}`: only bundle v0.3 is read, so sign again with a client that writes \
         `application/vnd.dev.sigstore.bundle.v0.3+json`"
    )]
    UnsupportedMediaType {
        /// The media type there is.
        found: String,
    },
    /// A keyless bundle.
    #[error(
        "the bundle is signed with a certificate and only keys are trusted here: sign it with a key of the key set"
    )]
    SignedWithCertificate,
    /// A bundle that names no key.
    #[error("`verificationMaterial.publicKey` is missing: the bundle must say which key signed it")]
    NoKeyHint,
    /// A signature over a file instead of a statement.
    #[error("`dsseEnvelope` is missing: sign an in-toto statement, not a plain file")]
    NoStatement,
    /// No signature, or one of each kind.
    #[error("the bundle must have either `dsseEnvelope` or `messageSignature`: sign again")]
    NoContent,
    /// Signed by a trusted key, yet about something else.
    #[error(
        "the signature of `{label}` holds, but its statement names another document: no subject has the digest {document}; sign this very file, byte for byte"
    )]
    OtherDocument {
        /// Label of the key that signed.
        label: String,
        /// Digest of the document at hand.
        document: events::Digest,
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
    /// The bundle or its statement was changed, or another key signed it.
    #[error(
        "the signature was not made by `{label}` over these bytes: document or bundle were changed after \
         signing, or the bundle names the wrong key; get both again from their producer"
    )]
    WrongSignature {
        /// Label of the key that was tried.
        label: String,
    },
    /// Signed, yet no Statement v1.
    #[error("the signature is right, yet the payload is unusable: {0}")]
    Statement(#[from] StatementError),
}
