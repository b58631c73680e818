//! The Sigstore bundle around an envelope or beside a file: v0.3 is written, v0.1 to v0.3 are read.

use events::Digest;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    base64_bytes::Base64,
    dsse::{Envelope, PAYLOAD_TYPE, Signature},
    json,
    refusal::{MAX_BUNDLE_BYTES, VerifyError},
};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Other versions that are read, and an older spelling of this one.
const OTHER_MEDIA_TYPES: [&str; 3] = [
    "application/vnd.dev.sigstore.bundle+json;version=0.1",
    "application/vnd.dev.sigstore.bundle+json;version=0.2",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
];

/// A bundle with one signature; nothing in it is true until it is verified.
pub(crate) struct Bundle {
    pub(crate) material: Material,
    /// Whether log entries or timestamps stand beside the signature.
    pub(crate) entries: usize,
    pub(crate) timestamps: usize,
    /// What was signed.
    pub(crate) content: Content,
}

/// What a signature is to be verified with.
pub(crate) enum Material {
    /// A key that lies elsewhere.
    Key {
        /// Says which key to try; anybody may have written it.
        hint: String,
    },
    /// A certificate.
    Certificate,
}

/// What a signature is over.
pub(crate) enum Content {
    /// A statement, in a DSSE envelope.
    Statement {
        /// The statement, not yet believed.
        payload: Vec<u8>,
        /// Signature over the pre-authentication encoding of the payload.
        signature: Vec<u8>,
    },
    /// A file as it is, which lies elsewhere.
    File {
        /// Signature over the file's bytes.
        signature: Vec<u8>,
    },
}

impl Bundle {
    /// The bundle around a statement, as JSON.
    pub(crate) fn around_statement(
        hint: String,
        payload: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Wire {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: WireMaterial {
                public_key: Some(PublicKeyIdentifier { hint }),
                ..WireMaterial::default()
            },
            dsse_envelope: Some(Envelope {
                payload: Base64(payload),
                payload_type: PAYLOAD_TYPE.to_owned(),
                signatures: vec![Signature { sig: Base64(signature) }],
            }),
            message_signature: None,
        })
    }

    /// The bundle beside a file, as JSON.
    pub(crate) fn beside_file(
        hint: String,
        file: Digest,
        signature: Vec<u8>,
    ) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&serde_json::json!({
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": { "publicKey": { "hint": hint } },
            "messageSignature": {
                "messageDigest": { "algorithm": "SHA2_256", "digest": Base64(file.as_bytes().to_vec()) },
                "signature": Base64(signature),
            },
        }))
    }

    /// Reads the shape of a bundle; nothing in it is true until its signature is verified.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, VerifyError> {
        if bytes.len() > MAX_BUNDLE_BYTES {
            return Err(VerifyError::TooLarge { bytes: bytes.len() });
        }
        let wire: Wire = json::parse(bytes).map_err(VerifyError::NotABundle)?;
        let media_type = wire.media_type.as_str();
        if media_type != MEDIA_TYPE && !OTHER_MEDIA_TYPES.contains(&media_type) {
            return Err(VerifyError::UnsupportedMediaType { found: json::excerpt(media_type) });
        }
        let WireMaterial { public_key, certificate, x509_certificate_chain, .. } =
            &wire.verification_material;
        let material = match (public_key, certificate.is_some() || x509_certificate_chain.is_some())
        {
            (Some(key), false) => Material::Key { hint: key.hint.clone() },
            (None, true) => Material::Certificate,
            (None, false) => return Err(VerifyError::NoKeyHint),
            (Some(_), true) => {
                let both = "`verificationMaterial` has both a key and a certificate";
                return Err(VerifyError::NotABundle(both.to_owned()));
            }
        };
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(envelope), None) => statement(envelope)?,
            (None, Some(signed)) => Content::File { signature: signed.signature.0 },
            _ => return Err(VerifyError::NoContent),
        };
        let beside = wire.verification_material;
        let timestamps = beside.timestamp_verification_data.and_then(|it| it.rfc3161_timestamps);
        Ok(Self {
            material,
            entries: beside.tlog_entries.map_or(0, |it| it.len()),
            timestamps: timestamps.map_or(0, |it| it.len()),
            content,
        })
    }

    /// What stands beside the signature, for messages; none if it stands alone.
    pub(crate) fn beside(&self) -> Option<&'static str> {
        match (self.entries, self.timestamps) {
            (0, 0) => None,
            (0, _) => Some("timestamps"),
            _ => Some("transparency log entries"),
        }
    }
}

fn statement(envelope: Envelope) -> Result<Content, VerifyError> {
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(VerifyError::WrongPayloadType { found: json::excerpt(&envelope.payload_type) });
    }
    let [signature] = <[Signature; 1]>::try_from(envelope.signatures)
        .map_err(|signatures| VerifyError::WrongSignatureCount { found: signatures.len() })?;
    Ok(Content::Statement { payload: envelope.payload.0, signature: signature.sig.0 })
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    media_type: String,
    verification_material: WireMaterial,
    #[serde(default)]
    dsse_envelope: Option<Envelope>,
    #[serde(default, skip_serializing)]
    message_signature: Option<MessageSignature>,
}

/// What is only counted here is read by who verifies it.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMaterial {
    #[serde(default)]
    public_key: Option<PublicKeyIdentifier>,
    #[serde(default, skip_serializing)]
    certificate: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    x509_certificate_chain: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    tlog_entries: Option<Vec<IgnoredAny>>,
    #[serde(default, skip_serializing)]
    timestamp_verification_data: Option<WireTimestamps>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireTimestamps {
    #[serde(default)]
    rfc3161_timestamps: Option<Vec<IgnoredAny>>,
}

/// The digest beside it is not read: the signature says what it is over.
#[derive(Serialize, Deserialize)]
struct MessageSignature {
    signature: Base64,
}

#[derive(Serialize, Deserialize)]
struct PublicKeyIdentifier {
    #[serde(default)]
    hint: String,
}
