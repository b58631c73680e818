//! Whether a bundle was signed by a key that we trust, and what it then says.

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use crate::refusal::{MAX_BUNDLE_BYTES, VerifyError};
use events::Digest;

use crate::{
    bundle::{Bundle, Content},
    dsse, json,
    predicate::{Predicate, Reference},
    public_key::PublicKey,
    statement::{MAX_STATEMENT_BYTES, Statement},
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

/// Verifies that a key of `keys` signed the statement in `bytes`, a Sigstore bundle v0.3.
///
/// The hint in the bundle only selects the key. The signature is checked over the raw payload before any of the
/// payload is parsed.
///
/// # Errors
/// The first check that failed.
pub fn verify_bundle(bytes: &[u8], keys: &KeySet) -> Result<Verified, VerifyError> {
    let bundle = Bundle::parse(bytes)?;
    let Content::Statement { payload, signature } = bundle.content else {
        return Err(VerifyError::NoStatement);
    };
    let trusted = keys.find(&bundle.hint)?;
    Ok(Verified {
        statement: trusted.opened(payload, signature)?,
        key_hint: bundle.hint,
        key_label: trusted.label.clone(),
        development: trusted.development,
        proven_time: None,
    })
}

/// The statement in a bundle, whoever signed it: to show what it says, never to rely on it.
///
/// # Errors
/// [`VerifyError`] when it is no bundle around a statement.
pub fn read_without_verifying_unsafe(bytes: &[u8]) -> Result<Statement, VerifyError> {
    match Bundle::parse(bytes)?.content {
        Content::Statement { payload, .. } => Ok(Statement::parse(payload, MAX_STATEMENT_BYTES)?),
        Content::File { .. } => Err(VerifyError::NoStatement),
    }
}

/// A document that a trusted key signed. Only [`verify_document`] makes one.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct SignedDocument {
    /// Hint of the key that signed.
    pub key_hint: String,
    /// Label of that key in the [`KeySet`].
    pub key_label: String,
    /// Whether that key is a development key.
    pub development: bool,
    /// What the signed statement claims of the document; none where the file itself was signed.
    pub predicate_type: Option<String>,
}

/// Verifies that a key of `keys` signed `document`: either the file itself (`messageSignature`, as
/// `cosign sign-blob` does), or a statement that has it as a subject or refers to it by digest.
///
/// # Errors
/// The first check that failed; [`VerifyError::OtherDocument`] for a good signature over another one.
pub fn verify_document(
    bundle: &[u8],
    document: &[u8],
    keys: &KeySet,
) -> Result<SignedDocument, VerifyError> {
    let bundle = Bundle::parse(bundle)?;
    let trusted = keys.find(&bundle.hint)?;
    let predicate_type = match bundle.content {
        Content::File { signature } => {
            if !trusted.key.verifies(document, signature) {
                return Err(VerifyError::WrongSignature { label: trusted.label.clone() });
            }
            None
        }
        Content::Statement { payload, signature } => {
            let statement = trusted.opened(payload, signature)?;
            let document = Digest::of(document);
            if !covers(&statement, document)? {
                let label = trusted.label.clone();
                return Err(VerifyError::OtherDocument { label, document });
            }
            Some(statement.predicate_type().to_owned())
        }
    };
    Ok(SignedDocument {
        key_hint: bundle.hint,
        key_label: trusted.label.clone(),
        development: trusted.development,
        predicate_type,
    })
}

fn covers(statement: &Statement, document: Digest) -> Result<bool, VerifyError> {
    if statement.subjects().iter().any(|it| it.digest == document) {
        return Ok(true);
    }
    if statement.predicate_type() != Reference::TYPE {
        return Ok(false);
    }
    let references = statement.predicate::<Reference>()?.references;
    Ok(references.iter().any(|it| it.digest == document))
}

impl KeySet {
    fn find(&self, hint: &str) -> Result<&TrustedKey, VerifyError> {
        self.0.get(hint).ok_or_else(|| VerifyError::UnknownKey { hint: json::excerpt(hint) })
    }
}

impl TrustedKey {
    /// The statement in `payload`, if this key signed it.
    fn opened(&self, payload: Vec<u8>, signature: Vec<u8>) -> Result<Statement, VerifyError> {
        if !self.key.verifies(&dsse::pae(&payload), signature) {
            return Err(VerifyError::WrongSignature { label: self.label.clone() });
        }
        Ok(Statement::parse(payload, MAX_STATEMENT_BYTES)?)
    }
}
