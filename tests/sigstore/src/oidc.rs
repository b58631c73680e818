//! An OpenID Connect issuer that gives a token to whoever asks, and the check of one.

use anyhow::{Context as _, ensure};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use crate::keys::{Key, point};

/// The audience that Fulcio asks for.
const AUDIENCE: &str = "sigstore";

/// What a token says (OpenID Connect, and GitHub Actions' own claims).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it; filled in.
    #[serde(default)]
    pub iss: String,
    /// For whom: filled in.
    #[serde(default)]
    pub aud: String,
    /// Whom it is about.
    pub sub: String,
    /// When it was issued, in seconds since 1970; filled in.
    #[serde(default)]
    pub iat: i64,
    /// When it ends, in seconds since 1970; filled in if it is 0.
    #[serde(default)]
    pub exp: i64,
    /// An email address, which then is the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address is verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub email_verified: bool,
    /// `owner/repository/.github/workflows/file@ref`, which then is the identity.
    #[serde(default, rename = "job_workflow_ref", skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// `owner/repository`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// What was built, `refs/heads/main`.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What started the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
}

/// An issuer.
pub(crate) struct Oidc {
    url: String,
    key: Key,
}

impl Oidc {
    pub(crate) fn new(url: String) -> anyhow::Result<Self> {
        Ok(Self { url, key: Key::generate()? })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A token (RFC 7519) with `claims`.
    pub(crate) fn token(&self, claims: Claims) -> anyhow::Result<String> {
        let now = crate::now();
        let exp = if claims.exp == 0 { now + 300 } else { claims.exp };
        let email_verified = claims.email.is_some();
        let claims = Claims {
            iss: self.url.clone(),
            aud: AUDIENCE.to_owned(),
            iat: now,
            exp,
            email_verified,
            ..claims
        };
        let header = URL_SAFE_NO_PAD.encode(br#"{"alg":"ES256","typ":"JWT"}"#);
        let claims = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&claims)?);
        let signed = format!("{header}.{claims}");
        let signature = fixed(&self.key.sign(signed.as_bytes())?)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// What a token says, if this issuer signed it and it has not ended.
    pub(crate) fn check(&self, token: &str) -> anyhow::Result<Claims> {
        let (signed, signature) = token.rsplit_once('.').context("no token")?;
        let (_, claims) = signed.split_once('.').context("no token")?;
        let signature = URL_SAFE_NO_PAD.decode(signature)?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point(&self.key.spki)?);
        key.verify(signed.as_bytes(), &signature).context("the token is not of this issuer")?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
        ensure!(claims.aud == AUDIENCE, "the token is for another audience");
        ensure!(claims.exp > crate::now(), "the token has expired");
        Ok(claims)
    }
}

/// A DER signature as its two numbers, 32 bytes each (RFC 7518 section 3.4).
fn fixed(der: &[u8]) -> anyhow::Result<[u8; 64]> {
    let numbers = crate::keys::der_content(der)?;
    let (first, rest) = crate::keys::first_der(numbers)?;
    let mut fixed = [0; 64];
    for (number, place) in [first, rest].into_iter().zip([32, 64]) {
        let digits = crate::keys::der_content(number)?;
        let digits = &digits[digits.iter().take_while(|it| **it == 0).count()..];
        fixed[place - digits.len()..place].copy_from_slice(digits);
    }
    Ok(fixed)
}
