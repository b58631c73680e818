//! What a build fetched beside its source and lockfiles: a base image, a toolchain.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{Label, Uri, listing::Named};

/// Something that the build fetched, pinned by digest (SLSA `resolvedDependencies`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Dependency {
    /// What it is: a package URL, or a URI without credentials.
    pub uri: PublicUri,
    /// Digests of its content.
    pub digest: DigestSet,
    /// The part it played, such as `base-image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Label>,
    /// Its media type (RFC 6838).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<Label>,
}

impl Named for Dependency {
    fn name(&self) -> &str {
        self.uri.as_str()
    }
}

/// A URI that may be published: it has a scheme, and nobody's credentials in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicUri(String);

/// Digests of one content: 1 to 8, lower-case hex by algorithm (in-toto attestation v1, `DigestSet`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct DigestSet(BTreeMap<String, String>);

/// Most digests of one content.
const DIGESTS_MAX: usize = 8;

/// Algorithms that a digest set may name, and how many hex digits each yields.
const ALGORITHMS: [(&str, &[usize]); 14] = [
    ("sha256", &[64]),
    ("sha512", &[128]),
    ("sha384", &[96]),
    ("sha224", &[56]),
    ("sha512_256", &[64]),
    ("sha512_224", &[56]),
    ("sha3_256", &[64]),
    ("sha3_512", &[128]),
    ("sha3_384", &[96]),
    ("sha3_224", &[56]),
    ("blake2b", &[128]),
    ("blake2s", &[64]),
    ("sha1", &[40]),
    ("gitCommit", &[40, 64]),
];

/// Why a dependency is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDependency {
    /// The URI is no line of text of its length.
    #[error(transparent)]
    Text(#[from] crate::InvalidText),
    /// No scheme.
    #[error("is no URI: begin it with its scheme, such as `pkg:` or `https:`")]
    NoScheme,
    /// A user name or password before the host.
    #[error("holds credentials before the host; remove them: provenance is published")]
    Credentials,
    /// No digest, or too many.
    #[error("has {0} digests; 1 to {DIGESTS_MAX} are allowed")]
    Digests(usize),
    /// An algorithm that in-toto does not name, or that proves nothing.
    #[error("no digest algorithm `{0}`; use `sha256`, or another one of in-toto's digest sets")]
    Algorithm(String),
    /// Other digits than the algorithm yields.
    #[error("`{0}` is not as many lower-case hex digits as the algorithm yields")]
    Hex(&'static str),
}

impl PublicUri {
    /// The URI itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PublicUri {
    type Error = InvalidDependency;

    fn try_from(text: String) -> Result<Self, InvalidDependency> {
        let text = String::from(Uri::try_from(text)?);
        let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
        let fits = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if !scheme.starts_with(|c: char| c.is_ascii_alphabetic()) || !scheme.chars().all(fits) {
            return Err(InvalidDependency::NoScheme);
        }
        match without_credentials(&text) == text {
            true => Ok(Self(text)),
            false => Err(InvalidDependency::Credentials),
        }
    }
}

impl From<PublicUri> for String {
    fn from(uri: PublicUri) -> Self {
        uri.0
    }
}

impl DigestSet {
    /// The digests by algorithm.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(algorithm, hex)| (algorithm.as_str(), hex.as_str()))
    }
}

impl TryFrom<BTreeMap<String, String>> for DigestSet {
    type Error = InvalidDependency;

    fn try_from(digests: BTreeMap<String, String>) -> Result<Self, InvalidDependency> {
        if !(1..=DIGESTS_MAX).contains(&digests.len()) {
            return Err(InvalidDependency::Digests(digests.len()));
        }
        for (algorithm, hex) in &digests {
            let Some((name, lengths)) = ALGORITHMS.iter().find(|(name, _)| name == algorithm)
            else {
                return Err(InvalidDependency::Algorithm(Label::of(algorithm).into()));
            };
            let digits = hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            if !digits || !lengths.contains(&hex.len()) {
                return Err(InvalidDependency::Hex(name));
            }
        }
        Ok(Self(digests))
    }
}

impl From<DigestSet> for BTreeMap<String, String> {
    fn from(digests: DigestSet) -> Self {
        digests.0
    }
}

/// `https://user:token@host/path` without what must not be published.
pub fn without_credentials(uri: &str) -> String {
    let Some((scheme, rest)) = uri.split_once("://") else { return uri.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://{host}{path}"),
        None => uri.to_owned(),
    }
}

impl JsonSchema for PublicUri {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PublicUri".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "maxLength": 2048,
            "pattern": "^[A-Za-z][A-Za-z0-9+.-]*:[^\\u0000-\\u001f]+$",
            "description": "A URI without user name and password."
        })
    }
}

impl JsonSchema for DigestSet {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DigestSet".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = ALGORITHMS.iter().map(|(name, _)| *name).collect();
        json_schema!({
            "type": "object",
            "minProperties": 1,
            "maxProperties": DIGESTS_MAX,
            "propertyNames": { "enum": names },
            "additionalProperties": { "type": "string", "pattern": "^[0-9a-f]{40,128}$" }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(uri: &str, digests: &[(&str, &str)]) -> String {
        let digests: BTreeMap<_, _> = digests.iter().copied().collect();
        let json = serde_json::json!({ "uri": uri, "digest": digests });
        serde_json::from_value::<Dependency>(json).expect_err("refused").to_string()
    }

    #[test]
    fn dependency_survives_a_round_trip() {
        let hex = "0".repeat(64);
        let json = serde_json::json!({
            "uri": "pkg:oci/debian@sha256%3A00?repository_url=docker.io/library/debian",
            "digest": { "sha256": hex, "gitCommit": "a".repeat(40) },
            "name": "base-image",
        });

        let read: Dependency = serde_json::from_value(json.clone()).expect("valid");

        assert_eq!(serde_json::to_value(&read).expect("encodes"), json);
        assert_eq!(read.digest.iter().count(), 2);
    }

    #[test]
    fn dependency_that_proves_nothing_is_refused_with_the_remedy() {
        let good = "0".repeat(64);
        let sound = [("sha256", good.as_str())];
        assert!(refusal("debian:12", &[]).contains("0 digests"));
        assert!(refusal("pkg:oci/a", &[("md5", "00")]).contains("no digest algorithm `md5`"));
        assert!(refusal("pkg:oci/a", &[("sha256", "00")]).contains("`sha256` is not as many"));
        let upper = "A".repeat(64);
        assert!(refusal("pkg:oci/a", &[("sha256", &upper)]).contains("lower-case hex"));
        assert!(refusal("debian", &sound).contains("is no URI"));
        assert!(refusal("//host/x", &sound).contains("is no URI"));
        assert!(refusal("https://me:pw@host/x", &sound).contains("credentials"));
        assert!(refusal("https://host/\nx", &sound).contains("control character"));
    }

    #[test]
    fn credentials_are_cut_and_nothing_else() {
        for (given, published) in [
            ("https://me:secret@host/a@b/c", "https://host/a@b/c"),
            ("https://token@host?x=1", "https://host?x=1"),
            ("https://a@b@host", "https://host"),
            ("git+ssh://git@host/a.git@v1", "git+ssh://host/a.git@v1"),
            ("https://host/?q=a@b", "https://host/?q=a@b"),
            ("git@github.com:a/b.git", "git@github.com:a/b.git"),
            ("pkg:npm/%40scope/a@1", "pkg:npm/%40scope/a@1"),
        ] {
            assert_eq!(without_credentials(given), published);
        }
    }
}
