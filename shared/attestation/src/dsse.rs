//! The Dead Simple Signing Envelope (DSSE v1.0.2) around a statement.

use serde::{Deserialize, Serialize};

use crate::base64_bytes::Base64;

/// The only payload type that is read and written.
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The envelope as JSON has it; `signatures` is a list there, though a bundle must have exactly one.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Envelope {
    pub(crate) payload: Base64,
    pub(crate) payload_type: String,
    pub(crate) signatures: Vec<Signature>,
}

/// One signature. Its `keyid` is optional and unauthenticated, so it is neither written nor read.
#[derive(Serialize, Deserialize)]
pub(crate) struct Signature {
    pub(crate) sig: Base64,
}

/// What gets signed: DSSE's pre-authentication encoding of a statement.
pub(crate) fn pae(payload: &[u8]) -> Vec<u8> {
    let mut encoded =
        format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}
