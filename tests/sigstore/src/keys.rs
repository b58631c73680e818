//! Keys, and the little DER that the standards around them want.

use anyhow::Context as _;
use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
        UnparsedPublicKey,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// Bytes of a point of P-256, uncompressed: the end of every such key's SubjectPublicKeyInfo.
const POINT_BYTES: usize = 65;

/// A P-256 key of one of the services.
pub(crate) struct Key {
    pair: EcdsaKeyPair,
    /// Its SubjectPublicKeyInfo, DER.
    pub(crate) spki: Vec<u8>,
}

impl Key {
    pub(crate) fn generate() -> anyhow::Result<Self> {
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new())?;
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref())?;
        let spki: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
        let spki = spki.as_ref().to_vec();
        Ok(Self { spki, pair })
    }

    /// An ECDSA signature over SHA-256, DER.
    pub(crate) fn sign(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        Ok(self.pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec())
    }

    /// What logs are called by: the SHA-256 of the key.
    pub(crate) fn id(&self) -> [u8; 32] {
        sha256(&self.spki)
    }
}

/// Whether the key in `spki` made `signature` over `message`.
pub(crate) fn verifies(spki: &[u8], message: &[u8], signature: &[u8]) -> anyhow::Result<()> {
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point(spki)?);
    key.verify(message, signature).context("the signature is not of this key")
}

/// The point of a P-256 key.
pub(crate) fn point(spki: &[u8]) -> anyhow::Result<&[u8]> {
    let at = spki.len().checked_sub(POINT_BYTES).context("no P-256 key")?;
    let point = &spki[at..];
    anyhow::ensure!(point[0] == 4, "no uncompressed P-256 key");
    Ok(point)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

pub(crate) fn b64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn unb64(text: &str) -> anyhow::Result<Vec<u8>> {
    Ok(STANDARD.decode(text)?)
}

/// One DER value with its tag and length.
pub(crate) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut value = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => value.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let length = &length[length.iter().take_while(|it| **it == 0).count()..];
            value.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            value.extend_from_slice(length);
        }
    }
    value.extend_from_slice(content);
    value
}

/// The DER value that `bytes` begin with, whole, and what follows it.
pub(crate) fn first_der(bytes: &[u8]) -> anyhow::Result<(&[u8], &[u8])> {
    let length = *bytes.get(1).context("DER ends early")?;
    let (header, length) = match length.checked_sub(0x80) {
        None => (2, usize::from(length)),
        Some(count) => {
            let count = usize::from(count);
            let digits = bytes.get(2..2 + count).context("DER ends early")?;
            (2 + count, digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)))
        }
    };
    let value = bytes.get(..header + length).context("DER ends early")?;
    Ok((value, &bytes[header + length..]))
}

/// The content of the DER value that `bytes` begin with.
pub(crate) fn der_content(bytes: &[u8]) -> anyhow::Result<&[u8]> {
    let (value, _) = first_der(bytes)?;
    let long = value[1].checked_sub(0x80).map_or(0, usize::from);
    Ok(&value[2 + long..])
}
