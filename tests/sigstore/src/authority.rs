//! Fulcio: certificates for whoever shows a token, logged in a certificate log.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType,
    SerialNumber, SignatureAlgorithm,
};
use serde_json::{Value, json};

use crate::{
    keys::{Key, b64, der, der_content, first_der, point, sha256, unb64},
    oidc::Claims,
};

/// As long as Fulcio's.
const LIFETIME: Duration = Duration::from_secs(600);
/// Fulcio's arc, 1.3.6.1.4.1.57264.1, before the number of an extension.
const ARC: [u64; 8] = [1, 3, 6, 1, 4, 1, 57264, 1];
/// Where a certificate keeps its timestamps of certificate logs (RFC 6962 section 3.3).
const SCT_LIST: [u64; 10] = [1, 3, 6, 1, 4, 1, 11129, 2, 4, 2];
const UTF8_STRING: u8 = 0x0c;
const OCTET_STRING: u8 = 0x04;
const EXTENDED_KEY_USAGE: [u64; 4] = [2, 5, 29, 37];
/// `SEQUENCE { id-kp-timeStamping }`.
const TIME_STAMPING: [u8; 12] = [0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 8];

/// An authority with a certificate log of its own.
pub(crate) struct Authority {
    name: CertificateParams,
    key: KeyPair,
    /// Its certificate, DER.
    pub(crate) certificate: Vec<u8>,
    /// The key of its certificate log.
    pub(crate) log: Key,
}

impl Authority {
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = (crate::clock() - LIFETIME).into();
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?.der().to_vec();
        Ok(Self { name: params, key, certificate, log: Key::generate()? })
    }

    /// The answer to `POST /api/v2/signingCert`.
    pub(crate) fn issue(&self, request: &Value, claims: &Claims) -> anyhow::Result<Value> {
        let spki = match request["certificateSigningRequest"].as_str() {
            Some(request) => key_of_request(&unb64(request)?)?,
            None => key_with_proof(&request["publicKeyRequest"], claims)?,
        };
        let leaf = self.leaf(&spki, claims)?;
        let chain = [leaf.as_slice(), &self.certificate].map(pem_of);
        Ok(json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": chain } } }))
    }

    /// A certificate for `claims`, with the timestamp of the certificate log in it.
    fn leaf(&self, spki: &[u8], claims: &Claims) -> anyhow::Result<Vec<u8>> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.not_before = crate::clock().into();
        params.not_after = (crate::clock() + LIFETIME).into();
        params.serial_number = Some(SerialNumber::from_slice(&crate::random::<16>()?));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.use_authority_key_identifier_extension = true;
        params.subject_alt_names = vec![claims.subject_alternative_name()?];
        let issuer = claims.iss.as_bytes();
        params.custom_extensions = vec![extension(&arc(1), issuer.to_vec())];
        for (number, text) in claims.extensions() {
            let text = der(UTF8_STRING, text.as_bytes());
            params.custom_extensions.push(extension(&arc(number), text));
        }
        let key = PublicKey(point(spki)?);
        let by = Issuer::from_params(&self.name, &self.key);
        // What the log signs is the certificate without what it signs; the same parameters give it twice.
        let before = params.signed_by(&key, &by)?;
        let list = self.timestamps(before.der())?;
        params.custom_extensions.push(extension(&SCT_LIST, der(OCTET_STRING, &list)));
        Ok(params.signed_by(&key, &by)?.der().to_vec())
    }

    /// The list of signed certificate timestamps (RFC 6962 section 3.2).
    fn timestamps(&self, certificate: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (to_be_signed, _) = first_der(der_content(certificate)?)?;
        let since = crate::clock().duration_since(SystemTime::UNIX_EPOCH)?;
        let time = u64::try_from(since.as_millis())?.to_be_bytes();
        let length = u32::try_from(to_be_signed.len())?.to_be_bytes();
        let issuer = sha256(&self.key.subject_public_key_info());
        let signed =
            [&[0, 0][..], &time, &[0, 1], &issuer, &length[1..], to_be_signed, &[0, 0]].concat();
        let signature = self.log.sign(&signed)?;
        let with_length = |bytes: &[u8]| -> anyhow::Result<Vec<u8>> {
            Ok([&u16::try_from(bytes.len())?.to_be_bytes()[..], bytes].concat())
        };
        // Version 1, log, time, no extensions, SHA-256 with ECDSA.
        let timestamp =
            [&[0][..], &self.log.id(), &time, &[0, 0, 4, 3], &with_length(&signature)?].concat();
        with_length(&with_length(&timestamp)?)
    }

    /// A certificate of this authority for a timestamp authority, and its key, both PEM.
    pub(crate) fn timestamp_signer(&self) -> anyhow::Result<(Vec<u8>, String)> {
        let mut params = CertificateParams::default();
        params.distinguished_name = named("timestamps");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.not_before = (crate::clock() - LIFETIME).into();
        let mut usage = extension(&EXTENDED_KEY_USAGE, TIME_STAMPING.to_vec());
        usage.set_criticality(true);
        params.custom_extensions = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let by = Issuer::from_params(&self.name, &self.key);
        Ok((params.signed_by(&key, &by)?.der().to_vec(), key.serialize_pem()))
    }
}

/// The key of a PKCS#10 request (RFC 2986), which it signs itself.
fn key_of_request(pem: &[u8]) -> anyhow::Result<Vec<u8>> {
    let request = pem::parse(pem)?.into_contents();
    let (info, rest) = first_der(der_content(&request)?)?;
    let (_, signature) = first_der(rest)?;
    // Version and subject come before the key, and a bit string tells first how many bits it does not use.
    let (_, parts) = first_der(der_content(info)?)?;
    let (spki, _) = first_der(first_der(parts)?.1)?;
    let signature = der_content(signature)?.get(1..).context("no signature")?;
    crate::keys::verifies(spki, info, signature).context("the request is not signed by its key")?;
    Ok(spki.to_vec())
}

/// A key whose holder signed whom the token is about.
fn key_with_proof(asked: &Value, claims: &Claims) -> anyhow::Result<Vec<u8>> {
    let pem = asked["publicKey"]["content"].as_str().context("no public key")?;
    let spki = pem::parse(pem)?.into_contents();
    let proof = asked["proofOfPossession"].as_str().context("no proof of possession")?;
    let said = claims.email.as_deref().unwrap_or(&claims.sub);
    crate::keys::verifies(&spki, said.as_bytes(), &unb64(proof)?)
        .context("the proof of possession does not hold")?;
    Ok(spki)
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::OrganizationName, "private sigstore");
    named.push(DnType::CommonName, name);
    named
}

fn arc(number: u64) -> Vec<u64> {
    ARC.into_iter().chain([number]).collect()
}

fn extension(oid: &[u64], content: Vec<u8>) -> CustomExtension {
    CustomExtension::from_oid_content(oid, content)
}

pub(crate) fn pem_of(certificate: &[u8]) -> String {
    pem::encode(&pem::Pem::new("CERTIFICATE", certificate))
}

/// A public key as its point.
struct PublicKey<'a>(&'a [u8]);

impl PublicKeyData for PublicKey<'_> {
    fn der_bytes(&self) -> &[u8] {
        self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

impl Claims {
    fn subject_alternative_name(&self) -> anyhow::Result<SanType> {
        if let Some(email) = &self.email {
            return Ok(SanType::Rfc822Name(email.as_str().try_into()?));
        }
        let workflow = self.workflow.as_ref().map(|it| format!("https://github.com/{it}"));
        let uri = workflow.unwrap_or_else(|| self.sub.clone());
        ensure!(uri.contains("://"), "`sub` must be a URI where there is no email address");
        Ok(SanType::URI(uri.as_str().try_into()?))
    }

    /// Texts by the number of their extension.
    fn extensions(&self) -> Vec<(u64, String)> {
        let on_github = |it: &String| format!("https://github.com/{it}");
        let said = [
            (8, Some(self.iss.clone())),
            (9, self.workflow.as_ref().map(on_github)),
            (12, self.repository.as_ref().map(on_github)),
            (14, self.reference.clone()),
            (18, self.workflow.as_ref().map(on_github)),
            (20, self.event_name.clone()),
            (24, Some(self.sub.clone())),
        ];
        said.into_iter().filter_map(|(number, text)| Some((number, text?))).collect()
    }
}

/// A certificate as trusted roots have it.
pub(crate) fn raw(certificate: &[u8]) -> Value {
    json!({ "rawBytes": b64(certificate) })
}
