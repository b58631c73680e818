//! Rules for the identities in certificates.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::{
    json,
    signer::{CLAIMS, Certificate},
};

/// Longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 1024;
/// Largest compiled pattern, in bytes; matching is linear in the identity whatever the pattern.
const MAX_COMPILED_BYTES: usize = 256 * 1024;

/// Who is believed: an identity that an issuer vouches for.
#[derive(Clone, Debug)]
pub struct IdentityRule {
    /// Name for people, such as `release workflow`.
    pub label: String,
    /// The OpenID Connect issuer, exactly.
    pub issuer: String,
    /// The identity.
    pub subject: SubjectRule,
    /// What the issuer must have said of the workload, exactly: by the names of [`CLAIMS`].
    pub claims: BTreeMap<String, String>,
    /// Predicate types that it may sign; empty means all.
    pub predicate_types: Vec<String>,
}

/// The subject alternative name in a certificate.
#[derive(Clone, Debug)]
pub enum SubjectRule {
    /// This very text: case, scheme and all.
    Exact(String),
    /// A text that a regular expression matches from its beginning to its end.
    Pattern(Regex),
}

/// A rule as files have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityEntry {
    /// Name for people.
    pub label: String,
    /// The OpenID Connect issuer.
    pub issuer: String,
    /// The identity, exactly; either this or a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// A regular expression for the whole identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_pattern: Option<String>,
    /// What the issuer must have said of the workload.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, String>,
    /// Predicate types that it may sign; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predicate_types: Vec<String>,
}

impl IdentityEntry {
    /// The rule that it is.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn rule(&self) -> Result<IdentityRule, IdentityRuleError> {
        let subject = match (&self.identity, &self.identity_pattern) {
            (Some(exact), None) => SubjectRule::Exact(exact.clone()),
            (None, Some(pattern)) => SubjectRule::pattern(pattern)?,
            _ => return Err(IdentityRuleError::OneOf(json::excerpt(&self.label))),
        };
        let mut rule = IdentityRule::new(&self.label, &self.issuer, subject)?;
        for (name, value) in &self.claims {
            rule = rule.with_claim(name, value)?;
        }
        rule.predicate_types.clone_from(&self.predicate_types);
        Ok(rule)
    }
}

/// Why a rule cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityRuleError {
    /// An empty issuer, identity or pattern.
    #[error("`{0}` is empty: a rule needs the issuer and the identity")]
    Empty(&'static str),
    /// Neither an identity nor a pattern, or both.
    #[error("identity `{0}` needs either `identity` or `identity_pattern`")]
    OneOf(String),
    /// Not a regular expression that can be used.
    #[error("the pattern {pattern:?} cannot be used: {reason}")]
    Pattern {
        /// The pattern, shortened.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// No such claim.
    #[error("`{0}` is no claim of a certificate; known are {known}", known = CLAIMS.join(", "))]
    UnknownClaim(String),
}

impl SubjectRule {
    /// The pattern `text`, which must match the whole identity.
    ///
    /// # Errors
    /// [`IdentityRuleError::Pattern`] when it is no regular expression, or a very large one.
    pub fn pattern(text: &str) -> Result<Self, IdentityRuleError> {
        let unusable = |reason: String| IdentityRuleError::Pattern {
            pattern: json::excerpt(text),
            reason: json::excerpt(&reason),
        };
        if text.is_empty() {
            return Err(IdentityRuleError::Empty("identity"));
        }
        if text.len() > MAX_PATTERN_BYTES {
            return Err(unusable(format!("more than {MAX_PATTERN_BYTES} bytes")));
        }
        // Alone first: `a)|(b` must not get out of the group.
        let alone = RegexBuilder::new(text).size_limit(MAX_COMPILED_BYTES).build();
        let whole = alone.and_then(|_| {
            RegexBuilder::new(&format!(r"\A(?:{text})\z")).size_limit(MAX_COMPILED_BYTES).build()
        });
        let last_line = |error: regex::Error| {
            let text = error.to_string();
            unusable(text.lines().last().unwrap_or_default().to_owned())
        };
        whole.map(Self::Pattern).map_err(last_line)
    }

    fn matches(&self, identity: &str) -> bool {
        match self {
            Self::Exact(exact) => exact == identity,
            // Look-alikes from other scripts are no text that a pattern was meant for.
            Self::Pattern(pattern) => {
                identity.bytes().all(|it| it.is_ascii_graphic()) && pattern.is_match(identity)
            }
        }
    }
}

impl IdentityRule {
    /// A rule for what `issuer` vouches for as `subject`.
    ///
    /// # Errors
    /// [`IdentityRuleError::Empty`] when one of them is empty.
    pub fn new(
        label: impl Into<String>,
        issuer: impl Into<String>,
        subject: SubjectRule,
    ) -> Result<Self, IdentityRuleError> {
        let issuer = issuer.into();
        if issuer.is_empty() {
            return Err(IdentityRuleError::Empty("issuer"));
        }
        if matches!(&subject, SubjectRule::Exact(exact) if exact.is_empty()) {
            return Err(IdentityRuleError::Empty("identity"));
        }
        Ok(Self {
            label: label.into(),
            issuer,
            subject,
            claims: BTreeMap::new(),
            predicate_types: Vec::new(),
        })
    }

    /// The rule with a claim that must have this very value.
    ///
    /// # Errors
    /// [`IdentityRuleError::UnknownClaim`] for a name that is not among [`CLAIMS`].
    pub fn with_claim(mut self, name: &str, value: &str) -> Result<Self, IdentityRuleError> {
        if !CLAIMS.contains(&name) {
            return Err(IdentityRuleError::UnknownClaim(json::excerpt(name)));
        }
        self.claims.insert(name.to_owned(), value.to_owned());
        Ok(self)
    }

    /// What `certificate` would have to say in place of what it says.
    pub(crate) fn mismatch(&self, certificate: &Certificate) -> Option<String> {
        if self.issuer != certificate.issuer {
            return Some(format!("the issuer must be `{}`", self.issuer));
        }
        if !self.subject.matches(&certificate.identity) {
            return Some(match &self.subject {
                SubjectRule::Exact(exact) => format!("the identity must be `{exact}`"),
                SubjectRule::Pattern(pattern) => {
                    format!("the identity must match `{pattern}` as a whole")
                }
            });
        }
        let mut claims = self.claims.iter();
        let (name, expected) =
            claims.find(|(name, value)| certificate.claims.get(name.as_str()) != Some(value))?;
        Some(format!("the claim `{name}` must be `{expected}`"))
    }
}
