//! Whether a bundle was signed by a key that we trust, and what it then says.

use std::collections::BTreeMap;

use jiff::Timestamp;

pub use crate::refusal::{MAX_BUNDLE_BYTES, VerifyError};
use crate::{
    bundle::Bundle,
    dsse, json,
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
