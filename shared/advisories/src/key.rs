//! Short names: of a package, whatever its version, and of everything that an index says of it.

use std::fmt;

use events::{Digest, Digester};
use serde::{Deserialize, Serialize};

use crate::{Ecosystem, Package};

const BYTES: usize = 16;

/// A package without its version: the first 16 bytes of the SHA-256 of its ecosystem and the name under which records
/// and packages meet, so that two spellings of one name have one key. The same in every index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PackageKey([u8; BYTES]);

/// What an index says of one package: two indexes with the same one answer alike for each of its versions, but for KEV
/// and EPSS, which are no part of it. The first 16 bytes of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint([u8; BYTES]);

/// The text is no key and no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 32 lower-case hexadecimal digits")]
pub struct InvalidKey;

impl PackageKey {
    /// The key of the packages of that name.
    pub fn of(ecosystem: Ecosystem, name: &str) -> Self {
        let mut digester = Digester::default();
        digester.update(ecosystem.osv_name().as_bytes());
        digester.update(b"\0");
        digester.update(ecosystem.lookup_name(name).as_bytes());
        Self(first(&digester.finish()))
    }

    /// The key with these bytes.
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

impl Package {
    /// What all versions of the package have in common.
    pub fn key(&self) -> PackageKey {
        PackageKey::of(self.ecosystem, &self.name)
    }
}

impl Fingerprint {
    pub(crate) fn of(said: &[u8]) -> Self {
        Self::of_digest(&Digest::of(said))
    }

    pub(crate) fn of_digest(digest: &Digest) -> Self {
        Self(first(digest))
    }

    /// The fingerprint with these bytes.
    pub fn from_bytes(bytes: [u8; BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }
}

fn first(digest: &Digest) -> [u8; BYTES] {
    let (first, _) = digest.as_bytes().split_first_chunk().unwrap_or((&[0; BYTES], &[]));
    *first
}

fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

fn read_hex(text: &str) -> Result<[u8; BYTES], InvalidKey> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Ok(byte - b'0'),
        b'a'..=b'f' => Ok(byte - b'a' + 10),
        _ => Err(InvalidKey),
    };
    if text.len() != 2 * BYTES {
        return Err(InvalidKey);
    }
    let mut bytes = [0; BYTES];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Ok(bytes)
}

impl TryFrom<String> for PackageKey {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        read_hex(&text).map(Self)
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = InvalidKey;

    fn try_from(text: String) -> Result<Self, InvalidKey> {
        read_hex(&text).map(Self)
    }
}

impl From<PackageKey> for String {
    fn from(key: PackageKey) -> Self {
        key.to_string()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl fmt::Display for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for PackageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_have_one_key() {
        for (ecosystem, one, other) in [
            (Ecosystem::PyPi, "Ruamel.YAML", "ruamel-yaml"),
            (Ecosystem::CratesIo, "serde_json", "serde-json"),
            (Ecosystem::Npm, "JSONStream", "jsonstream"),
        ] {
            assert_eq!(PackageKey::of(ecosystem, one), PackageKey::of(ecosystem, other));
        }
        let key = PackageKey::of(Ecosystem::PyPi, "a");
        assert_ne!(key, PackageKey::of(Ecosystem::Npm, "a"));
        assert_ne!(key, PackageKey::of(Ecosystem::PyPi, "b"));
        let versions = ["1", "2"].map(|it| Package::new(Ecosystem::PyPi, "A", it).key());
        assert_eq!(versions, [key, key]);
    }

    #[test]
    fn key_is_the_same_for_all_time() {
        // printf 'PyPI\0django' | sha256sum
        let django = PackageKey::of(Ecosystem::PyPi, "Django").to_string();
        assert_eq!(django, "59c94fdb0df5a0a1f57008aac20a8b96");
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let fingerprint = Fingerprint::of(b"said");
        let text = serde_json::to_string(&fingerprint).unwrap();
        assert_eq!(text, format!("\"{fingerprint}\""));
        assert_eq!(serde_json::from_str::<Fingerprint>(&text).unwrap(), fingerprint);
        assert_eq!(Fingerprint::from_bytes(*fingerprint.as_bytes()), fingerprint);
        let upper = fingerprint.to_string().to_uppercase();
        for text in ["", "00", &upper, &"é".repeat(16), &"0".repeat(33)] {
            assert_eq!(PackageKey::try_from(text.to_owned()), Err(InvalidKey), "{text}");
        }
    }
}
