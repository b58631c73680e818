//! The PEM files that keys are kept in, and what can be wrong with them.

use pem::{EncodeConfig, LineEnding, Pem};

use crate::json;

/// Label of an unencrypted PKCS#8 private key (RFC 7468 section 10).
pub(crate) const PRIVATE_KEY: &str = "PRIVATE KEY";

/// Label of an encrypted PKCS#8 private key (RFC 7468 section 11).
pub(crate) const ENCRYPTED_PRIVATE_KEY: &str = "ENCRYPTED PRIVATE KEY";

/// Bytes of the largest key file; an RSA-8192 key needs a tenth of it.
const MAX_PEM_BYTES: usize = 64 * 1024;

/// Why a key cannot be used. No message repeats any part of the file.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum KeyError {
    /// Not PEM, or more than one block.
    #[error(
        "not a key file: {0}; a PEM file with one `BEGIN {PRIVATE_KEY}` or `BEGIN PUBLIC KEY` block is needed"
    )]
    NotPem(String),
    /// The private key needs a passphrase.
    #[error(
        "the private key is encrypted: give its passphrase in a file, or decrypt it with \
         `openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW_KEY`"
    )]
    Encrypted,
    /// The passphrase does not open the key.
    #[error(
        "the passphrase does not open the private key: give the one that it was encrypted with"
    )]
    WrongPassphrase,
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

/// The content of the only block in `pem`, which must be labelled `expected`.
pub(crate) fn decode(pem: &str, expected: &'static str) -> Result<Vec<u8>, KeyError> {
    if pem.len() > MAX_PEM_BYTES {
        return Err(KeyError::NotPem(format!("{} bytes are too many", pem.len())));
    }
    let blocks =
        pem::parse_many(pem).map_err(|_| KeyError::NotPem("its base64 is broken".to_owned()))?;
    for block in &blocks {
        // Both openssl's and cosign's labels for encrypted keys begin so; SEC1 keys carry a header instead.
        let is_wanted = block.tag() == expected;
        if !is_wanted && block.tag().starts_with("ENCRYPTED ")
            || block.headers().get("Proc-Type").is_some()
        {
            return Err(KeyError::Encrypted);
        }
        // `openssl ecparam -genkey` writes the curve as a block of its own before the key.
        if block.tag() == "EC PRIVATE KEY" && expected == PRIVATE_KEY {
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
pub(crate) fn encode(label: &str, content: &[u8]) -> String {
    pem::encode_config(
        &Pem::new(label, content),
        EncodeConfig::new().set_line_ending(LineEnding::LF),
    )
}
