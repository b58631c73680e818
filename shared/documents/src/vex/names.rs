//! The names that products go by, and when two of them are the same.

use events::Digest;
use purl::Purl;

use crate::bom::MAX_PURL_BYTES;

/// Length of `sha256:` and its digits.
const DIGEST_BYTES: usize = 71;

/// A name by its kind.
pub(super) enum Name<'a> {
    Purl(Named<'a>),
    Link(BomLink<'a>),
    Digest(Digest),
    /// A bom-ref, or anything else.
    Reference(&'a str),
}

impl<'a> Name<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        if text.starts_with("pkg:") {
            return Self::Purl(Named::of(text));
        }
        if let Some(link) = BomLink::of(text) {
            return Self::Link(link);
        }
        match text.get(..DIGEST_BYTES).map(|text| text.to_ascii_lowercase().parse()) {
            Some(Ok(digest)) if text.len() == DIGEST_BYTES => Self::Digest(digest),
            _ => Self::Reference(text),
        }
    }
}

/// A package URL; one that cannot be read is only equal to itself.
pub(super) struct Named<'a> {
    pub(super) text: &'a str,
    parsed: Option<Purl>,
}

impl<'a> Named<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let parsed = if text.len() > MAX_PURL_BYTES { None } else { Purl::canonicalize(text).ok() };
        Self { text, parsed }
    }

    pub(super) fn version(&self) -> Option<&str> {
        self.parsed.as_ref().and_then(Purl::version)
    }

    /// Whether `found`, which is of `version` if it does not say so itself, is among what this
    /// purl names.
    pub(super) fn covers(&self, found: &Named<'_>, version: Option<&str>) -> bool {
        let (Some(said), Some(is)) = (&self.parsed, &found.parsed) else {
            return self.text == found.text;
        };
        is_same_package(said, is)
            && said.version().is_none_or(|it| is.version().or(version) == Some(it))
            && said.subpath().is_none_or(|it| is.subpath() == Some(it))
            && said.qualifiers().iter().all(|(key, value)| is.qualifiers().get(key) == Some(value))
    }
}

/// Whether both are of one package, in any version. The path of a Go module may have been written in
/// lower case, as the specification once asked.
fn is_same_package(left: &Purl, right: &Purl) -> bool {
    let name = |purl: &Purl| {
        let name = format!("{}/{}", purl.namespace().unwrap_or_default(), purl.name());
        if purl.kind() == "golang" { name.to_lowercase() } else { name }
    };
    left.kind() == right.kind() && name(left) == name(right)
}

/// `urn:cdx:<serial>/<version>[#<bom-ref>]` (CycloneDX, BOM-Link).
pub(super) struct BomLink<'a> {
    serial: &'a str,
    version: u64,
    pub(super) reference: Option<&'a str>,
}

impl<'a> BomLink<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_at_checked("urn:cdx:".len())?;
        if !scheme.eq_ignore_ascii_case("urn:cdx:") {
            return None;
        }
        let (document, reference) = match rest.split_once('#') {
            Some((document, reference)) => (document, Some(reference)),
            None => (rest, None),
        };
        let (serial, version) = document.split_once('/')?;
        Some(Self { serial, version: version.parse().ok()?, reference })
    }

    pub(super) fn names_document(&self, serial: Option<&str>, version: u64) -> bool {
        let uuid = serial.map(|it| it.strip_prefix("urn:uuid:").unwrap_or(it));
        self.version == version && uuid.is_some_and(|it| it.eq_ignore_ascii_case(self.serial))
    }

    /// Whether the part behind `#` is `bom_ref`, as it is or percent-encoded.
    pub(super) fn refers_to(&self, bom_ref: &str) -> bool {
        let Some(reference) = self.reference else { return false };
        reference == bom_ref || decoded(reference).is_some_and(|it| it == bom_ref.as_bytes())
    }
}

/// The bytes of a percent-encoded text (RFC 3986, 2.1).
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            _ => byte,
        });
    }
    Some(decoded)
}
