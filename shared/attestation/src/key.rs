//! The private key that signs.

use std::fmt;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair},
};
use events::Digest;
use pkcs8::EncryptedPrivateKeyInfo;
use sigstore_crypto::KeyPair;

use crate::{
    bundle::Bundle,
    dsse,
    key_file::{ENCRYPTED_PRIVATE_KEY, KeyError, PRIVATE_KEY, decode, encode},
    public_key::PublicKey,
    statement::Statement,
};

/// An ECDSA P-256 private key. Its secret leaves it through [`SigningKey::to_pem`] alone.
pub struct SigningKey {
    pair: KeyPair,
    pkcs8: Vec<u8>,
    public: PublicKey,
}

impl SigningKey {
    /// Reads an unencrypted PKCS#8 PEM file (RFC 5958).
    ///
    /// # Errors
    /// Any other file, with the command that turns it into one where there is such a command.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_pkcs8(decode(pem, PRIVATE_KEY)?)
    }

    /// Reads an encrypted PKCS#8 PEM file (PBES2, RFC 8018), as `openssl genpkey -aes256` writes it.
    ///
    /// # Errors
    /// Any other file, and a wrong passphrase.
    pub fn from_encrypted_pem(pem: &str, passphrase: &str) -> Result<Self, KeyError> {
        let encrypted = decode(pem, ENCRYPTED_PRIVATE_KEY)?;
        let encrypted = EncryptedPrivateKeyInfo::try_from(encrypted.as_slice())
            .map_err(|error| KeyError::UnsupportedPrivateKey(error.to_string()))?;
        let decrypted = encrypted.decrypt(passphrase).map_err(|_| KeyError::WrongPassphrase)?;
        Self::from_pkcs8(decrypted.as_bytes().to_vec())
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
        encode(PRIVATE_KEY, &self.pkcs8)
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
        let signature = self.signature_over(statement)?;
        Bundle::around_statement(self.public.hint(), statement.as_bytes().to_vec(), signature)
            .map_err(|error| KeyError::Library(error.to_string()))
    }

    /// The signature of a DSSE envelope around `statement`, in DER: for bundles with more beside it.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the cryptographic library fails.
    pub fn signature_over(&self, statement: &Statement) -> Result<Vec<u8>, KeyError> {
        self.signature_of(&dsse::pae(statement.as_bytes()))
    }

    /// Signs a file as it is into a Sigstore bundle v0.3, as `cosign sign-blob` does.
    ///
    /// # Errors
    /// [`KeyError::Library`] when the cryptographic library fails.
    pub fn sign_file(&self, file: &[u8]) -> Result<Vec<u8>, KeyError> {
        Bundle::beside_file(self.public.hint(), Digest::of(file), self.signature_of(file)?)
            .map_err(|error| KeyError::Library(error.to_string()))
    }

    /// The signature over bytes as they are, in DER.
    pub(crate) fn signature_of(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(bytes);
        let signature = signature.map_err(|error| KeyError::Library(error.to_string()))?;
        Ok(signature.into_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}
