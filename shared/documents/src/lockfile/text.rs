//! Texts of a lockfile: decoded, and checked before anything believes them.

use super::error::{Fault, Problem};
use super::{Hash, HashAlgorithm, MAX_LOCATION_BYTES, MAX_LOCKFILE_BYTES, MAX_WORD_BYTES};

/// The bytes as text, if they are few enough and UTF-8.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.len() > MAX_LOCKFILE_BYTES {
        return Err(Problem::TooLarge { bytes: bytes.len() }.anywhere());
    }
    std::str::from_utf8(bytes).map_err(|error| Problem::NotUtf8.at(error.valid_up_to()))
}

/// A name or version: not empty, of sane length, without white space or control characters.
pub(crate) fn word(field: &'static str, value: &str) -> Result<(), Problem> {
    limited(field, value, MAX_WORD_BYTES)?;
    if value.is_empty() || value.contains(|c: char| c.is_whitespace() || c.is_control()) {
        let expected = "a text without white space and control characters";
        return Err(invalid(field, value, expected));
    }
    Ok(())
}

/// A URL or path: of sane length, without control characters.
pub(crate) fn location(field: &'static str, value: &str) -> Result<(), Problem> {
    limited(field, value, MAX_LOCATION_BYTES)?;
    if value.is_empty() || value.contains(char::is_control) {
        return Err(invalid(field, value, "a URL or path without control characters"));
    }
    Ok(())
}

/// A digest written `algorithm:hex`.
pub(super) fn hash(field: &'static str, value: &str) -> Result<Hash, Problem> {
    let expected = "a digest such as sha256:…";
    let (algorithm, hex) = value.split_once(':').ok_or_else(|| invalid(field, value, expected))?;
    let (algorithm, digits) =
        hash_algorithm(algorithm).ok_or_else(|| invalid(field, value, expected))?;
    if hex.len() != digits || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(invalid(field, value, "a digest with the hex digits of its algorithm"));
    }
    Ok(Hash { algorithm, hex: hex.to_ascii_lowercase() })
}

/// The hash function of this name, as Python and npm write it, and its number of hex digits.
pub(super) fn hash_algorithm(name: &str) -> Option<(HashAlgorithm, usize)> {
    Some(match name {
        "md5" => (HashAlgorithm::Md5, 32),
        "sha1" => (HashAlgorithm::Sha1, 40),
        "sha256" => (HashAlgorithm::Sha256, 64),
        "sha384" => (HashAlgorithm::Sha384, 96),
        "sha512" => (HashAlgorithm::Sha512, 128),
        "blake2b" => (HashAlgorithm::Blake2b512, 128),
        _ => return None,
    })
}

/// Offset of the first conflict marker at the start of a line.
pub(super) fn conflict_marker(text: &str) -> Option<usize> {
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> ") {
            return Some(offset);
        }
        offset += line.len();
    }
    None
}

/// Where the lines of a text begin, to find the line of any offset quickly.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    /// The lines of `text`.
    pub(super) fn of(text: &str) -> Self {
        Self(text.match_indices('\n').map(|(at, _)| at + 1).collect())
    }

    /// The line of byte `offset`, from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|&start| start <= offset) + 1
    }
}

/// The problem of a value that is not as `expected`, shortened to fit a line.
pub(crate) fn invalid(field: &'static str, value: &str, expected: &'static str) -> Problem {
    Problem::InvalidValue { field, value: value.chars().take(80).collect(), expected }
}

fn limited(field: &'static str, value: &str, limit: usize) -> Result<(), Problem> {
    match value.len() {
        bytes if bytes > limit => Err(Problem::TooLong { field, bytes, limit }),
        _ => Ok(()),
    }
}
