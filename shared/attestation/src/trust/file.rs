//! The trust policy as a TOML file.

use std::{fmt, ops::Range, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use toml::Spanned;

use super::{IdentityEntry, IdentityRuleError, Required, Trust, TrustRoot, TrustedKey, Validity};
use crate::public_key::PublicKey;

/// Largest trust policy in bytes.
pub const MAX_TRUST_FILE_BYTES: usize = 256 * 1024;

/// What is wrong with a trust policy, and where.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub struct TrustFileError {
    /// The line, from 1; none if it is the file as a whole.
    pub line: Option<usize>,
    /// What is wrong, and the remedy.
    pub problem: String,
}

impl fmt::Display for TrustFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.problem),
            None => f.write_str(&self.problem),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    trusted_root: Option<Spanned<String>>,
    #[serde(default)]
    require: RequireEntry,
    #[serde(default)]
    keys: Vec<KeyEntry>,
    #[serde(default)]
    identities: Vec<Spanned<IdentityEntry>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RequireEntry {
    log: bool,
    time: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    label: String,
    file: Option<Spanned<String>>,
    pem: Option<Spanned<String>>,
    #[serde(default)]
    development: bool,
    not_before: Option<Timestamp>,
    not_after: Option<Timestamp>,
    #[serde(default)]
    predicate_types: Vec<String>,
}

impl Trust {
    /// Reads a trust policy; `read` gets the files that it names.
    ///
    /// Without `trusted_root`, identities are those of Sigstore's public good instance.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line.
    pub fn from_toml(
        text: &str,
        read: impl Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Self, TrustFileError> {
        if text.len() > MAX_TRUST_FILE_BYTES {
            let size = text.len();
            let problem = format!("has {size} bytes; at most {MAX_TRUST_FILE_BYTES} are read");
            return Err(TrustFileError { line: None, problem });
        }
        let at = At { text };
        let file: File = toml::from_str(text).map_err(|error| {
            at.wrong(error.span().unwrap_or_default(), error.message().replace('\n', " "))
        })?;
        let mut trust = Self::new();
        trust.require(Required { log: file.require.log, time: file.require.time });
        for entry in file.keys {
            let (key, span) = at.key(entry, &read)?;
            trust.add(key).map_err(|twice| at.wrong(span, twice.to_string()))?;
        }
        for entry in file.identities {
            let wrong = |error: IdentityRuleError| at.wrong(entry.span(), error.to_string());
            trust.add_identity(entry.get_ref().rule().map_err(wrong)?);
        }
        if trust.is_empty() {
            let problem = "trusts nobody: write `[[keys]]` or `[[identities]]`".to_owned();
            return Err(TrustFileError { line: None, problem });
        }
        match file.trusted_root {
            Some(name) => {
                let wrong = |problem| at.wrong(name.span(), format!("`trusted_root` {problem}"));
                let bytes = read(name.get_ref()).map_err(wrong)?;
                let root = TrustRoot::from_json(&bytes);
                trust.set_root(Arc::new(root.map_err(|error| wrong(error.to_string()))?));
            }
            None if !trust.has_only_keys() => {
                let root = TrustRoot::public_good();
                let wrong = |error: super::TrustRootError| at.wrong(0..0, error.to_string());
                trust.set_root(Arc::new(root.map_err(wrong)?));
            }
            None => {}
        }
        Ok(trust)
    }
}

/// The text that spans point into.
struct At<'a> {
    text: &'a str,
}

impl At<'_> {
    fn wrong(&self, span: Range<usize>, problem: String) -> TrustFileError {
        let line = self.text.get(..span.start).map(|before| before.matches('\n').count() + 1);
        TrustFileError { line, problem }
    }

    fn key(
        &self,
        entry: KeyEntry,
        read: impl Fn(&str) -> Result<Vec<u8>, String>,
    ) -> Result<(TrustedKey, Range<usize>), TrustFileError> {
        let (pem, span) = match (entry.pem, entry.file) {
            (Some(pem), None) => (pem.get_ref().clone(), pem.span()),
            (None, Some(file)) => {
                let wrong = |problem| self.wrong(file.span(), format!("`file` {problem}"));
                let bytes = read(file.get_ref()).map_err(wrong)?;
                let text = String::from_utf8(bytes);
                (text.map_err(|_| wrong("is no PEM text".to_owned()))?, file.span())
            }
            (pem, file) => {
                let span = pem.or(file).map(|it| it.span()).unwrap_or_default();
                let label = entry.label;
                let problem = format!("key `{label}` needs either `file` or `pem`");
                return Err(self.wrong(span, problem));
            }
        };
        let key = PublicKey::from_pem(&pem);
        let key = key.map_err(|error| self.wrong(span.clone(), error.to_string()))?;
        let trusted = TrustedKey {
            label: entry.label,
            key,
            development: entry.development,
            validity: Validity { from: entry.not_before, until: entry.not_after },
            predicate_types: entry.predicate_types,
        };
        Ok((trusted, span))
    }
}
