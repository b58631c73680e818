//! Public keys: how they are written, named and used.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::Digest;
use sigstore_crypto::{VerificationKey, validate_raw_public_key};
use sigstore_types::{DerPublicKey, HashAlgorithm, SignatureBytes};

use crate::key_file::{KeyError, decode, encode};

const PEM_LABEL: &str = "PUBLIC KEY";

/// A key that verifies signatures: ECDSA P-256 or P-384, Ed25519, or RSA of 2048 bits and more.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(DerPublicKey);

impl PublicKey {
    /// Reads a PEM file with one `PUBLIC KEY` block (RFC 7468 section 13).
    ///
    /// # Errors
    /// Anything else, a private key above all, and algorithms that cannot be verified.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_spki(decode(pem, PEM_LABEL)?)
    }

    pub(crate) fn from_spki(der: Vec<u8>) -> Result<Self, KeyError> {
        let key = DerPublicKey::new(der);
        VerificationKey::from_spki(&key)
            .and_then(|parsed| validate_raw_public_key(parsed.scheme(), parsed.as_bytes()))
            .map_err(|error| KeyError::UnsupportedPublicKey(error.to_string()))?;
        Ok(Self(key))
    }

    /// The key as PEM, with line feeds alone.
    pub fn to_pem(&self) -> String {
        encode(PEM_LABEL, self.0.as_bytes())
    }

    /// The key's SubjectPublicKeyInfo, DER.
    pub fn to_der(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }

    /// The name a bundle calls the key by: base64 of the SHA-256 of its SubjectPublicKeyInfo.
    pub fn hint(&self) -> String {
        STANDARD.encode(self.digest().as_bytes())
    }

    /// The same name for people and tools: the SHA-256 of its SubjectPublicKeyInfo in hex.
    pub fn fingerprint(&self) -> String {
        self.digest().hex()
    }

    /// Whether `signature` over `message` was made with the matching private key.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        VerificationKey::from_spki(&self.0)
            .and_then(|key| key.verify(message, &SignatureBytes::from_bytes(signature)))
            .is_ok()
    }

    /// Whether `signature` over the message with this digest was made with the matching private key.
    ///
    /// # Errors
    /// The algorithm takes no digest, or another one.
    pub(crate) fn verifies_digest(&self, digest: Digest, signature: &[u8]) -> Result<bool, String> {
        let key = VerificationKey::from_spki(&self.0).map_err(|error| error.to_string())?;
        let scheme = key.scheme();
        if scheme.hash_algorithm() != Some(HashAlgorithm::Sha2256) {
            return Err(format!("{} signs no SHA-256", scheme.name()));
        }
        let signature = SignatureBytes::from_bytes(signature);
        Ok(key.verify_prehashed(digest.as_bytes(), &signature).is_ok())
    }

    /// The SubjectPublicKeyInfo.
    pub(crate) fn der(&self) -> &DerPublicKey {
        &self.0
    }

    fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}
