//! The Sigstore bundle v0.3 around an envelope, signed with a key.

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

/// A bundle with one DSSE signature by a key.
pub(crate) struct Bundle {
    /// Says which key to try; anybody may have written it.
    pub(crate) hint: String,
    /// The statement, not yet believed.
    pub(crate) payload: Vec<u8>,
    /// Signature over the pre-authentication encoding of the payload.
    pub(crate) signature: Vec<u8>,
}

impl Bundle {
    /// The bundle as JSON.
    pub(crate) fn into_bytes(self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&Wire {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: Material {
                public_key: Some(PublicKeyIdentifier { hint: self.hint }),
                certificate: None,
                x509_certificate_chain: None,
            },
            dsse_envelope: Some(Envelope {
                payload: Base64(self.payload),
                payload_type: PAYLOAD_TYPE.to_owned(),
                signatures: vec![Signature { sig: Base64(self.signature) }],
            }),
            message_signature: None,
        })
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
        if wire.message_signature.is_some() {
            return Err(VerifyError::NoStatement);
        }
        let envelope = wire.dsse_envelope.ok_or(VerifyError::NoStatement)?;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(VerifyError::WrongPayloadType {
                found: json::excerpt(&envelope.payload_type),
            });
        }
        let [signature] = <[Signature; 1]>::try_from(envelope.signatures)
            .map_err(|signatures| VerifyError::WrongSignatureCount { found: signatures.len() })?;
        Ok(Self { hint, payload: envelope.payload.0, signature: signature.sig.0 })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    media_type: String,
    verification_material: Material,
    #[serde(default)]
    dsse_envelope: Option<Envelope>,
    #[serde(default, skip_serializing)]
    message_signature: Option<IgnoredAny>,
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

#[derive(Serialize, Deserialize)]
struct PublicKeyIdentifier {
    #[serde(default)]
    hint: String,
}
