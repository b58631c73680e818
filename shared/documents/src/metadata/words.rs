//! Texts of metadata: decoded, checked, and put into package URLs.

use std::borrow::Cow;

use purl::Purl;

use super::error::Fault;
use crate::lockfile::{MAX_LOCKFILE_BYTES, MAX_WORD_BYTES, Problem, text};

const UTF8_MARK: char = '\u{FEFF}';

/// The bytes as text, if they are few enough: UTF-8, or else Latin-1, which everything is.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Fault> {
    if bytes.len() > MAX_LOCKFILE_BYTES {
        return Err(Problem::TooLarge { bytes: bytes.len() }.into());
    }
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text.strip_prefix(UTF8_MARK).unwrap_or(text)),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    })
}

/// What a file says of a licence or a supplier, where it is one line that says something.
pub(super) fn remark(value: &str) -> Option<String> {
    let value = value.trim();
    let says_nothing = ["", "unknown", "none", "(none)", "n/a"];
    let is_sound = value.len() <= MAX_WORD_BYTES
        && !value.contains(char::is_control)
        && !says_nothing.contains(&value.to_ascii_lowercase().as_str());
    is_sound.then(|| value.to_owned())
}

/// A canonical package URL; qualifiers without a value are left out.
pub(super) fn purl(
    kind: &str,
    namespace: Option<&str>,
    name: &str,
    version: Option<&str>,
    qualifiers: &[(&'static str, Option<&str>)],
) -> Result<String, Problem> {
    let mut purl = Purl::new(kind, name)
        .with_namespace(namespace.unwrap_or_default())
        .with_version(version.unwrap_or_default());
    for (key, value) in qualifiers {
        purl = purl.with_qualifier(key, value.unwrap_or_default());
    }
    let purl = purl.checked().map(|purl| purl.canonical());
    purl.map_err(|_| text::invalid("name", name, "a name that a package URL can hold"))
}
