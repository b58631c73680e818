//! Whether a bundle was signed by a key that we trust, and what it then says.

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use crate::bundle::MAX_BUNDLE_BYTES;
use crate::{
    bundle::Bundle,
    dsse, json,
    public_key::PublicKey,
    statement::{MAX_STATEMENT_BYTES, Statement, StatementError},
};

/// A key whose signatures are believed.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustedKey {
    /// Name for people, such as `release signer 2026`.
    pub label: String,
    /// The key.
    pub key: PublicKey,
    /// Whether it is a key of a developer's machine, whose signatures production must not accept.
    pub development: bool,
}

/// The keys whose signatures are believed, each under its hint.
#[derive(Clone, Debug, Default)]
pub struct KeySet(BTreeMap<String, TrustedKey>);

impl KeySet {
    /// A set that trusts nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key.
    ///
    /// # Errors
    /// [`AlreadyTrusted`] for a key that is in the set: whether it is a development key must not depend on the order.
    pub fn add(&mut self, trusted: TrustedKey) -> Result<(), AlreadyTrusted> {
        let hint = trusted.key.hint();
        if let Some(earlier) = self.0.get(&hint) {
            return Err(AlreadyTrusted { earlier: earlier.label.clone(), label: trusted.label });
        }
        self.0.insert(hint, trusted);
        Ok(())
    }
}

/// A key was added twice.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("`{label}` is the same key as `{earlier}`: list it once")]
pub struct AlreadyTrusted {
    /// Label of the key that was there.
    pub earlier: String,
    /// Label of the key that was refused.
    pub label: String,
}

/// A statement that was signed by a trusted key. Only [`verify_bundle`] makes one.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// The statement, parsed from the very bytes the signature covers.
    pub statement: Statement,
    /// Hint of the key that signed.
    pub key_hint: String,
    /// Label of that key in the [`KeySet`].
    pub key_label: String,
    /// Whether that key is a development key.
    pub development: bool,
    /// When the signature was made, as proven by a log or a timestamp authority.
    ///
    /// Always `None` for bundles signed with a key: the key holder can claim any time, and log entries and timestamps
    /// beside the key are not read.
    pub proven_time: Option<Timestamp>,
}

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
    #[error("`dsseEnvelope` is missing or not alone: sign an in-toto statement, not a plain file")]
    NoStatement,
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
        "the signature was not made by `{label}` over this statement: the bundle was changed after signing, or names \
         the wrong key; get it again from its producer"
    )]
    WrongSignature {
        /// Label of the key that was tried.
        label: String,
    },
    /// Signed, yet no Statement v1.
    #[error("the signature is right, yet the payload is unusable: {0}")]
    Statement(#[from] StatementError),
}

/// Verifies that a key of `keys` signed the statement in `bytes`, a Sigstore bundle v0.3.
///
/// The hint in the bundle only selects the key. The signature is checked over the raw payload before any of the
/// payload is parsed.
///
/// # Errors
/// The first check that failed.
pub fn verify_bundle(bytes: &[u8], keys: &KeySet) -> Result<Verified, VerifyError> {
    let bundle = Bundle::parse(bytes)?;
    let Some(trusted) = keys.0.get(&bundle.hint) else {
        return Err(VerifyError::UnknownKey { hint: json::excerpt(&bundle.hint) });
    };
    if !trusted.key.verifies(&dsse::pae(&bundle.payload), bundle.signature) {
        return Err(VerifyError::WrongSignature { label: trusted.label.clone() });
    }
    Ok(Verified {
        statement: Statement::parse(bundle.payload, MAX_STATEMENT_BYTES)?,
        key_hint: bundle.hint,
        key_label: trusted.label.clone(),
        development: trusted.development,
        proven_time: None,
    })
}
