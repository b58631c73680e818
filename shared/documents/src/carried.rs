//! Documents that an attestation carries as its predicate, as cosign, syft and trivy attach them:
//! taken out before they are read. Nothing is verified here; who signed is asked elsewhere.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::schema::json;
use crate::{Kind, detect};

/// In-toto's type of the payload in an envelope (DSSE).
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// Predicate types that are documents themselves; versions follow.
const PREDICATES: [&str; 3] =
    ["https://cyclonedx.org/bom", "https://spdx.dev/Document", "https://openvex.dev/ns"];
const MAX_QUOTED_CHARS: usize = 80;

/// Why nothing is found in an attestation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CarriedError {
    /// It is broken, or no statement.
    #[error("the attestation cannot be read: {0}; send it as it was made, or the document itself")]
    Unreadable(String),
    /// A bundle over a file that lies elsewhere.
    #[error("the bundle signs a file and carries none; send the document, and this as its bundle")]
    NoStatement,
    /// A predicate that is no SBOM and no VEX.
    #[error(
        "the attestation is a {found:?}; send one whose predicate is CycloneDX, SPDX or OpenVEX"
    )]
    OtherPredicate {
        /// The predicate type, shortened.
        found: String,
    },
}

impl CarriedError {
    /// The kind of refusal in a word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "attestation-unreadable",
            Self::NoStatement => "attestation-without-document",
            Self::OtherPredicate { .. } => "attestation-predicate",
        }
    }
}

/// The document within `bytes`: what an attestation carries, else the bytes themselves.
///
/// Read are in-toto statements (v0.1 and v1), bare, in a DSSE envelope, or in a Sigstore bundle. The
/// predicate is the document, or has it under `Data`, where cosign wrapped it; SPDX's tag-value
/// format is a text.
///
/// # Errors
/// [`CarriedError`]: it is an attestation, but there is no document in it.
pub fn carried(bytes: &[u8]) -> Result<Cow<'_, [u8]>, CarriedError> {
    let statement = match detect(bytes) {
        Kind::InToto => Cow::Borrowed(bytes),
        Kind::Dsse => Cow::Owned(payload(&parse::<Envelope<'_>>(text(bytes)?)?)?),
        Kind::SigstoreBundle => {
            let bundle = parse::<Bundle<'_>>(text(bytes)?)?;
            let envelope = bundle.dsse_envelope.ok_or(CarriedError::NoStatement)?;
            Cow::Owned(payload(&envelope)?)
        }
        _ => return Ok(Cow::Borrowed(bytes)),
    };
    let statement = parse::<Statement<'_>>(text(&statement)?)?;
    let kind = statement.predicate_type.as_ref();
    if !PREDICATES.iter().any(|it| kind.starts_with(it)) {
        let found = kind.chars().take(MAX_QUOTED_CHARS).collect();
        return Err(CarriedError::OtherPredicate { found });
    }
    let predicate = statement.predicate.get();
    let document = match serde_json::from_str::<Wrapped<'_>>(predicate) {
        Ok(wrapped) => wrapped.data.get(),
        Err(_) => predicate,
    };
    match document.starts_with('"') {
        true => Ok(Cow::Owned(parse::<String>(document)?.into_bytes())),
        false => Ok(Cow::Owned(document.as_bytes().to_vec())),
    }
}

fn text(bytes: &[u8]) -> Result<&str, CarriedError> {
    json::decode(bytes).map_err(|error| CarriedError::Unreadable(reason(&error.to_string())))
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, CarriedError> {
    serde_json::from_str(text).map_err(|error| CarriedError::Unreadable(error.to_string()))
}

/// A remedy of its own would be about another document.
fn reason(message: &str) -> String {
    message.split("; ").next().unwrap_or(message).to_owned()
}

/// Padding may be missing, as Go's encoders of bundles leave it away.
fn payload(envelope: &Envelope<'_>) -> Result<Vec<u8>, CarriedError> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
    if envelope.payload_type != PAYLOAD_TYPE {
        let found = envelope.payload_type.chars().take(MAX_QUOTED_CHARS).collect();
        return Err(CarriedError::OtherPredicate { found });
    }
    let decoded = BASE64.decode(envelope.payload.as_bytes());
    decoded.map_err(|error| CarriedError::Unreadable(format!("`payload` is no base64: {error}")))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bundle<'a> {
    #[serde(borrow)]
    dsse_envelope: Option<Envelope<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(borrow)]
    payload: Cow<'a, str>,
    #[serde(borrow)]
    payload_type: Cow<'a, str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Statement<'a> {
    #[serde(borrow)]
    predicate_type: Cow<'a, str>,
    #[serde(borrow)]
    predicate: &'a RawValue,
}

/// How cosign wrapped predicates that it did not know.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Wrapped<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(default, rename = "Timestamp")]
    _timestamp: Option<serde::de::IgnoredAny>,
}
