//! The Sigstore bundle v0.3 around an envelope or beside a file, signed with a key.

use events::Digest;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{
    base64_bytes::Base64,
    dsse::{Envelope, PAYLOAD_TYPE, Signature},
    json,
    refusal::{MAX_BUNDLE_BYTES, VerifyError},
};

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// The same version in the older spelling, which the specification still allows.
const MEDIA_TYPE_OLD_SPELLING: &str = "application/vnd.dev.sigstore.bundle+json;version=0.3";

/// A bundle with one signature by a key.
pub(crate) struct Bundle {
    /// Says which key to try; anybody may have written it.
    pub(crate) hint: String,
    /// What the key signed.
    pub(crate) content: Content,
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
            verification_material: Material {
                public_key: Some(PublicKeyIdentifier { hint }),
                certificate: None,
                x509_certificate_chain: None,
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
        if ![MEDIA_TYPE, MEDIA_TYPE_OLD_SPELLING].contains(&wire.media_type.as_str()) {
            return Err(VerifyError::UnsupportedMediaType {
                found: json::excerpt(&wire.media_type),
            });
        }
        let material = wire.verification_material;
        if material.certificate.is_some() || material.x509_certificate_chain.is_some() {
            return Err(VerifyError::SignedWithCertificate);
        }
        let hint = material.public_key.ok_or(VerifyError::NoKeyHint)?.hint;
        let content = match (wire.dsse_envelope, wire.message_signature) {
            (Some(envelope), None) => statement(envelope)?,
            (None, Some(signed)) => Content::File { signature: signed.signature.0 },
            _ => return Err(VerifyError::NoContent),
        };
        Ok(Self { hint, content })
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
    verification_material: Material,
    #[serde(default)]
    dsse_envelope: Option<Envelope>,
    #[serde(default, skip_serializing)]
    message_signature: Option<MessageSignature>,
}

/// Log entries and timestamps may stand beside these; a verifier of keys alone has no use for them.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default)]
    public_key: Option<PublicKeyIdentifier>,
    #[serde(default, skip_serializing)]
    certificate: Option<IgnoredAny>,
    #[serde(default, skip_serializing)]
    x509_certificate_chain: Option<IgnoredAny>,
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
