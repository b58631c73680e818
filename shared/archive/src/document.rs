//! What is stored, and what is known about it.

use bytes::Bytes;
use events::Digest;
use jiff::{SignedDuration, Timestamp};
use object_store::path::Path as Location;
use serde::{Deserialize, Serialize};

/// How long evidence is kept unless its class says otherwise.
const RETENTION: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Whoever stores a document again finds it kept for at least this long: 11 months. The month in
/// between spares documents that every build stores a write each time.
const RENEW: SignedDuration = SignedDuration::from_hours(335 * 24);

/// A document to be stored.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What kind of evidence it is; decides how long it is kept.
    pub class: Class,
    /// Its media type (RFC 6838).
    pub media_type: String,
    /// When the fact that it records came to be.
    pub event_time: Timestamp,
    /// Its bytes.
    pub bytes: Bytes,
}

/// Kinds of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// What came in: build descriptions, lockfiles.
    Input,
    /// SBOMs.
    Sbom,
    /// VEX documents.
    Vex,
    /// In-toto statements and other signed content.
    Statement,
    /// Sigstore bundles.
    Bundle,
    /// Checksums, reports and other documents for people.
    Report,
    /// Policy bundles that judged.
    Policy,
    /// Segments of the registry's journal; kept for good, and never refused for want of room that
    /// is only reserved.
    Segment,
}

/// What is known about a stored document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What kind of evidence it is.
    pub class: Class,
    /// Its media type.
    pub media_type: String,
    /// When the fact that it records came to be.
    pub event_time: Timestamp,
    /// When it was stored first.
    pub ingested_at: Timestamp,
    /// It is kept at least until then.
    pub retain_until: Timestamp,
}

impl Metadata {
    /// Of a document that is stored for the first time.
    pub(crate) fn new(digest: Digest, entry: &Entry, now: Timestamp) -> Self {
        Self {
            digest,
            size: entry.bytes.len() as u64,
            class: entry.class,
            media_type: entry.media_type.clone(),
            event_time: entry.event_time,
            ingested_at: now,
            retain_until: retain_until(entry.class, now),
        }
    }

    /// What becomes of it when the document is stored again as `class`, if it changes.
    pub(crate) fn renewed(&self, class: Class, now: Timestamp) -> Option<Self> {
        // Under whatever class its bytes came first, a segment must outlive everything.
        let becomes_segment = class == Class::Segment && self.class != Class::Segment;
        let class = if becomes_segment { class } else { self.class };
        let soon = now.saturating_add(RENEW).unwrap_or(Timestamp::MAX);
        if !becomes_segment && self.retain_until >= soon {
            return None;
        }
        let retain_until = retain_until(class, now).max(self.retain_until);
        Some(Self { class, retain_until, ..self.clone() })
    }
}

/// Two levels, so that no directory holds more than a 256th of the documents.
pub(crate) fn document_location(digest: Digest) -> Location {
    let hex = digest.hex();
    Location::from(format!("documents/sha256/{}/{}", &hex[..2], &hex[2..]))
}

pub(crate) fn metadata_location(digest: Digest) -> Location {
    let hex = digest.hex();
    Location::from(format!("metadata/sha256/{}/{}.json", &hex[..2], &hex[2..]))
}

fn retain_until(class: Class, now: Timestamp) -> Timestamp {
    match class {
        Class::Segment => Timestamp::MAX,
        _ => now.saturating_add(RETENTION).unwrap_or(Timestamp::MAX),
    }
}
