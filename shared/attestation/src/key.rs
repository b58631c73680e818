//! The private key that signs, and the PEM files keys are kept in.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use pem::{EncodeConfig, LineEnding, Pem};
use sigstore_crypto::KeyPair;

use crate::{bundle::Bundle, dsse, json, public_key::PublicKey, statement::Statement};

const PEM_LABEL: &str = "PRIVATE KEY";

/// Bytes of the largest key file; an RSA-8192 key needs a tenth of it.
const MAX_PEM_BYTES: usize = 64 * 1024;

/// An ECDSA P-256 private key. Its secret leaves it through [`SigningKey::to_pem`] alone.
pub struct SigningKey {
    pair: KeyPair,
    pkcs8: Vec<u8>,
    public: PublicKey,
}

/// Why a key cannot be used. No message repeats any part of the file.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// Not PEM, or more than one block.
    #[error(
        "not a key file: {0}; a PEM file with one `BEGIN {PEM_LABEL}` or `BEGIN PUBLIC KEY` block is needed"
    )]
    NotPem(String),
    /// The private key needs a passphrase.
    #[error(
        "the private key is encrypted and no passphrase is asked for: decrypt it first with \
         `openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW_KEY`"
    )]
    Encrypted,
    /// The older format for elliptic curve keys.
    #[error(
        "the private key is in SEC1 format (`BEGIN EC PRIVATE KEY`): convert it with \
         `openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW_KEY`"
    )]
    Sec1,
    /// Another kind of PEM block, such as a public key where a private one belongs.
    #[error("the file holds a `BEGIN {found}` block where `BEGIN {expected}` is needed")]
    WrongBlock {
        /// Label there is.
        found: String,
        /// Label needed.
        expected: &'static str,
    },
    /// A private key that cannot sign here.
    #[error(
        "the private key is not ECDSA P-256 in PKCS#8 ({0}): make one with \
         `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out KEY`"
    )]
    UnsupportedPrivateKey(String),
    /// A public key that cannot verify here.
    #[error(
        "the public key cannot be used ({0}): ECDSA P-256 and P-384, Ed25519 and RSA from 2048 bits can"
    )]
    UnsupportedPublicKey(String),
    /// The cryptographic library failed, as it does without randomness.
    #[error("the cryptographic library failed: {0}")]
    Library(String),
}

impl SigningKey {
    /// Reads an unencrypted PKCS#8 PEM file (RFC 5958).
    ///
    /// # Errors
    /// Any other file, with the command that turns it into one where there is such a command.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_pkcs8(decode_pem(pem, PEM_LABEL)?)
    }

    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// [`KeyError::Library`] when there is no randomness.
    pub fn generate() -> Result<Self, KeyError> {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new())
                .map_err(|error| KeyError::Library(error.to_string()))?;
        Self::from_pkcs8(pkcs8.as_ref().to_vec())
    }

    fn from_pkcs8(pkcs8: Vec<u8>) -> Result<Self, KeyError> {
        let pair = KeyPair::from_pkcs8_der(&pkcs8)
            .map_err(|error| KeyError::UnsupportedPrivateKey(error.to_string()))?;
        let spki = pair.public_key_der().map_err(|error| KeyError::Library(error.to_string()))?;
        Ok(Self { pair, pkcs8, public: PublicKey::from_spki(spki.into_bytes())? })
    }

    /// The secret as PKCS#8 PEM, with line feeds alone. Write it to a file of mode 0600 and nowhere else.
    pub fn to_pem(&self) -> String {
        encode_pem(PEM_LABEL, &self.pkcs8)
    }

    /// The key that verifies what this one signs.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs `statement` into a Sigstore bundle v0.3. ECDSA is randomised: no two bundles are alike.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the cryptographic library fails.
    pub fn sign_statement(&self, statement: &Statement) -> Result<Vec<u8>, KeyError> {
        let payload = statement.as_bytes().to_vec();
        let signature = self
            .pair
            .sign(&dsse::pae(&payload))
            .map_err(|error| KeyError::Library(error.to_string()))?
            .into_bytes();
        let bundle = Bundle { hint: self.public.hint(), payload, signature };
        bundle.into_bytes().map_err(|error| KeyError::Library(error.to_string()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The content of the only block in `pem`, which must be labelled `expected`.
pub(crate) fn decode_pem(pem: &str, expected: &'static str) -> Result<Vec<u8>, KeyError> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(KeyError::NotPem(format!("{} bytes are too many", pem.len())));
    }
    let blocks =
        pem::parse_many(pem).map_err(|_| KeyError::NotPem("its base64 is broken".to_owned()))?;
    for block in &blocks {
        // Both openssl's and cosign's labels for encrypted keys begin so; SEC1 keys carry a header instead.
        if block.tag().starts_with("ENCRYPTED ") || block.headers().get("Proc-Type").is_some() {
            return Err(KeyError::Encrypted);
        }
        // `openssl ecparam -genkey` writes the curve as a block of its own before the key.
        if block.tag() == "EC PRIVATE KEY" && expected == PEM_LABEL {
            return Err(KeyError::Sec1);
        }
    }
    let [block] = <[Pem; 1]>::try_from(blocks).map_err(|blocks| {
        KeyError::NotPem(format!("{} PEM blocks where one is needed", blocks.len()))
    })?;
    if block.tag() != expected {
        return Err(KeyError::WrongBlock { found: json::excerpt(block.tag()), expected });
    }
    Ok(block.into_contents())
}

/// One PEM block; openssl on every system reads line feeds, so no file depends on where it was written.
pub(crate) fn encode_pem(label: &str, content: &[u8]) -> String {
    pem::encode_config(
        &Pem::new(label, content),
        EncodeConfig::new().set_line_ending(LineEnding::LF),
    )
}
