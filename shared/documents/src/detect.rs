//! Telling kinds of documents apart before one of them is read.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::schema::JsonError;
use crate::schema::json::{Form, form};
use crate::{spdx, xml};

/// What a document says it is. Whether it keeps that promise, only reading it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// CycloneDX in JSON or XML: an SBOM, a VEX, or both.
    CycloneDx,
    /// OpenVEX.
    OpenVex,
    /// CSAF 2.x.
    Csaf,
    /// SPDX: JSON, 2.x or 3.x, or tag-value.
    Spdx,
    /// An in-toto statement.
    InToto,
    /// A DSSE envelope around an in-toto statement.
    Dsse,
    /// A Sigstore bundle.
    SigstoreBundle,
    /// XML of anything else, or HTML.
    Xml,
    /// Something compressed.
    Compressed,
    /// Anything else, broken documents and too large ones included.
    Unknown,
}

/// What kind of document `bytes` is, by its first bytes, the first top-level key that tells, or the namespace
/// of the outermost element.
///
/// Nothing is kept and nothing recurses: any document costs at most one pass over it.
pub fn detect(bytes: &[u8]) -> Kind {
    let text = match form(bytes) {
        Ok(Form::Json(text)) => text,
        Ok(Form::Xml(text)) if xml::is_cyclonedx(text) => return Kind::CycloneDx,
        Ok(Form::Xml(_)) | Err(JsonError::Html) => return Kind::Xml,
        Err(JsonError::Compressed { .. }) => return Kind::Compressed,
        Err(_) => return Kind::Unknown,
    };
    if spdx::begins_tag_value(text) {
        return Kind::Spdx;
    }
    let mut kind = Kind::Unknown;
    let read = serde_json::Deserializer::from_str(text).deserialize_map(TopLevel(&mut kind));
    // The reader is stopped by an error as soon as the kind is known.
    drop(read);
    kind
}

struct TopLevel<'a>(&'a mut Kind);

impl<'de> Visitor<'de> for TopLevel<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(key) = entries.next_key::<String>()? {
            let told = match key.as_str() {
                "bomFormat" => Some(Kind::CycloneDx),
                "spdxVersion" => Some(Kind::Spdx),
                "@context" | "_type" | "payloadType" | "mediaType" | "document" => {
                    told_by_value(&key, entries.next_value::<&RawValue>()?.get())
                }
                _ => entries.next_value::<IgnoredAny>().map(|_| None)?,
            };
            if let Some(kind) = told {
                *self.0 = kind;
                return Err(A::Error::custom("the kind is known"));
            }
        }
        Ok(())
    }
}

fn told_by_value(key: &str, value: &str) -> Option<Kind> {
    if key == "document" {
        return value.contains("\"csaf_version\"").then_some(Kind::Csaf);
    }
    let text: String = serde_json::from_str(value).ok()?;
    let begins = |prefix: &str| text.starts_with(prefix);
    match key {
        "@context" if begins("https://openvex.dev/ns") => Some(Kind::OpenVex),
        "@context" if begins(spdx::CONTEXT_OF_3) => Some(Kind::Spdx),
        "_type" if begins("https://in-toto.io/Statement/") => Some(Kind::InToto),
        "payloadType" if text == "application/vnd.in-toto+json" => Some(Kind::Dsse),
        "mediaType" if begins("application/vnd.dev.sigstore.bundle") => Some(Kind::SigstoreBundle),
        _ => None,
    }
}
