//! Whose signatures are believed, and with which evidence.

mod file;
mod identity;
mod root;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

pub use self::{
    file::{MAX_TRUST_FILE_BYTES, TrustFileError},
    identity::{IdentityEntry, IdentityRule, IdentityRuleError, SubjectRule},
    root::{MAX_TRUSTED_ROOT_BYTES, TrustRoot, TrustRootError},
};
use crate::{
    json,
    public_key::PublicKey,
    refusal::VerifyError,
    signer::{Certificate, Evidence},
};

/// Characters of an identity that a refusal repeats: those of workflows are long, and have to be compared.
const MAX_IDENTITY: usize = 512;

/// A key whose signatures are believed.
#[derive(Clone, Debug, PartialEq)]
pub struct TrustedKey {
    /// Name for people, such as `release signer 2026`.
    pub label: String,
    /// The key.
    pub key: PublicKey,
    /// Whether it is a key of a developer's machine, whose signatures production must not accept.
    pub development: bool,
    /// When what it signs is believed.
    pub validity: Validity,
    /// Predicate types that it may sign; empty means all.
    pub predicate_types: Vec<String>,
}

impl TrustedKey {
    /// `key`, believed whenever and whatever it signs.
    pub fn new(label: impl Into<String>, key: PublicKey) -> Self {
        Self {
            label: label.into(),
            key,
            development: false,
            validity: Validity::default(),
            predicate_types: Vec::new(),
        }
    }
}

/// A span of time with both ends in it; an absent end is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// When it begins.
    pub from: Option<Timestamp>,
    /// When it ends.
    pub until: Option<Timestamp>,
}

impl Validity {
    fn is_always(self) -> bool {
        self == Self::default()
    }

    fn includes(self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.until.is_none_or(|until| time <= until)
    }
}

/// What must stand beside every signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// An entry in a transparency log that the trusted root knows, with its proof of inclusion.
    pub log: bool,
    /// A time proven by a log or a timestamp authority that the trusted root knows.
    pub time: bool,
}

/// Keys and identities whose signatures are believed, and what must stand beside a signature.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Each key under its hint.
    keys: BTreeMap<String, TrustedKey>,
    identities: Vec<IdentityRule>,
    root: Option<Arc<TrustRoot>>,
    required: Required,
    now: Option<Timestamp>,
    any_hint: bool,
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

impl Trust {
    /// Trusts nobody yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Believes a key.
    ///
    /// # Errors
    /// [`AlreadyTrusted`] for a key that is believed: whether it is a development key must not depend on the order.
    pub fn add(&mut self, trusted: TrustedKey) -> Result<(), AlreadyTrusted> {
        let hint = trusted.key.hint();
        if let Some(earlier) = self.keys.get(&hint) {
            return Err(AlreadyTrusted { earlier: earlier.label.clone(), label: trusted.label });
        }
        self.keys.insert(hint, trusted);
        Ok(())
    }

    /// Believes certificates that fit `rule`, if they were issued under the trusted root.
    pub fn add_identity(&mut self, rule: IdentityRule) {
        self.identities.push(rule);
    }

    /// Believes certificates, logs and timestamps of these authorities and no others.
    pub fn set_root(&mut self, root: Arc<TrustRoot>) {
        self.root = Some(root);
    }

    /// Asks for evidence beside every signature.
    pub fn require(&mut self, required: Required) {
        self.required = required;
    }

    /// Tries the only key whatever hint a bundle has: some tools write none, or names of their own.
    pub fn disregard_hints(&mut self) {
        self.any_hint = true;
    }

    /// The same trust, to be asked at `now`: that is when a signature without a proven time counts as made.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now: Some(now), ..self.clone() }
    }

    /// Whether it believes nobody.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.identities.is_empty()
    }

    pub(crate) fn has_only_keys(&self) -> bool {
        self.identities.is_empty()
    }

    pub(crate) fn has_only_identities(&self) -> bool {
        self.keys.is_empty() && !self.identities.is_empty()
    }

    pub(crate) fn asks_for_evidence(&self) -> bool {
        self.required.log || self.required.time
    }

    pub(crate) fn key(&self, hint: &str) -> Result<&TrustedKey, VerifyError> {
        let only = self.keys.values().next().filter(|_| self.any_hint && self.keys.len() == 1);
        let unknown = || VerifyError::UnknownKey { hint: json::excerpt(hint) };
        self.keys.get(hint).or(only).ok_or_else(unknown)
    }

    pub(crate) fn root(&self) -> Option<&TrustRoot> {
        self.root.as_deref()
    }

    /// The first rule that `certificate` fits.
    pub(crate) fn rule(&self, certificate: &Certificate) -> Result<&IdentityRule, VerifyError> {
        let mut reasons = Vec::new();
        for rule in &self.identities {
            match rule.mismatch(certificate) {
                None => return Ok(rule),
                Some(reason) => reasons.push(format!("`{}`: {reason}", rule.label)),
            }
        }
        Err(VerifyError::UntrustedIdentity {
            identity: json::excerpt_of(&certificate.identity, MAX_IDENTITY),
            issuer: json::excerpt_of(&certificate.issuer, MAX_IDENTITY),
            reasons: match reasons.is_empty() {
                true => "no identity is trusted here, only keys are".to_owned(),
                false => reasons.join("; "),
            },
        })
    }

    /// Whether `evidence` is all that is asked for.
    pub(crate) fn check_evidence(&self, evidence: &Evidence) -> Result<(), VerifyError> {
        if self.required.log && !evidence.logged {
            return Err(VerifyError::NotLogged);
        }
        if self.required.time && evidence.times.is_empty() {
            return Err(VerifyError::NoProvenTime);
        }
        Ok(())
    }

    /// Whether a key was valid when it signed: at each proven time, or else now.
    pub(crate) fn check_validity(
        &self,
        key: &TrustedKey,
        evidence: &Evidence,
    ) -> Result<(), VerifyError> {
        if key.validity.is_always() {
            return Ok(());
        }
        let times = match evidence.times.as_slice() {
            [] => self.now.as_slice(),
            proven => proven,
        };
        match times.iter().find(|time| !key.validity.includes(**time)) {
            None if !times.is_empty() => Ok(()),
            outside => Err(VerifyError::KeyNotValid {
                label: key.label.clone(),
                time: outside.copied(),
                validity: key.validity,
            }),
        }
    }
}

/// Whether a signer whose rule allows `allowed`, all if empty, may sign a `predicate_type`.
pub(crate) fn check_predicate_type(
    label: &str,
    allowed: &[String],
    predicate_type: &str,
) -> Result<(), VerifyError> {
    if allowed.is_empty() || allowed.iter().any(|it| it == predicate_type) {
        return Ok(());
    }
    Err(VerifyError::PredicateTypeNotAllowed {
        label: label.to_owned(),
        found: json::excerpt(predicate_type),
        allowed: allowed.join(", "),
    })
}
