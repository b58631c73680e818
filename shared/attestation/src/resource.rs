//! How in-toto names a thing: a `ResourceDescriptor` and its digests.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

pub use crate::base64_bytes::Base64;

/// A resource with whatever is known of it (in-toto attestation v1, `ResourceDescriptor`).
///
/// Every field is optional, yet one of `uri`, `digest` and `content` should be there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceDescriptor {
    /// Name that tells it from its neighbours, such as a file name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// URI that identifies it, such as a purl.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Digests of its content, lower-case hex by algorithm (`sha256`, `gitCommit`, …).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub digest: BTreeMap<String, String>,
    /// The content itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Base64>,
    /// Where the content can be had, when the `uri` is no location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub download_location: Option<String>,
    /// Media type of the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Anything else, by the producer's own keys.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, Value>,
}

/// Reads a list that Go writes as `null` when it is empty.
pub(crate) fn list_or_null<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A `Digest` as an in-toto `DigestSet`: written with `sha256` alone, read from a set that has at least `sha256`.
pub(crate) mod sha256_set {
    use std::collections::BTreeMap;

    use events::Digest;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

    /// The digest under `sha256`, or what is missing.
    pub(crate) fn sha256_of(set: &BTreeMap<String, String>) -> Result<Digest, String> {
        let hex = set.get("sha256").ok_or("no `sha256` digest, and no other is accepted")?;
        format!("sha256:{hex}")
            .parse()
            .map_err(|_| "`sha256` must be 64 lower-case hex digits".to_owned())
    }

    pub(crate) fn serialize<S: Serializer>(
        digest: &Digest,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        BTreeMap::from([("sha256", digest.hex())]).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Digest, D::Error> {
        sha256_of(&BTreeMap::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
