//! Where identity tokens (OpenID Connect) come from. None is ever logged.

use std::path::PathBuf;

use jiff::Timestamp;
use sigstore_sign::oidc::IdentityToken;

use crate::error::SignError;

const OIDC: &str = "oidc";
/// A token of whatever issuer, as other Sigstore clients take it.
const VARIABLE: &str = "SIGSTORE_ID_TOKEN";
/// Largest token file, in bytes.
const MAX_TOKEN_BYTES: u64 = 64 * 1024;

/// Where identity tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A file, read again for each certificate: whoever keeps it replaces the token before it ends, as
    /// Kubernetes does with projected service account tokens.
    File(PathBuf),
    /// `SIGSTORE_ID_TOKEN`, or what the CI system at hand gives: GitHub Actions, GitLab CI and others.
    Ambient,
}

impl TokenSource {
    /// A token that has not ended.
    pub(crate) async fn token(&self, now: Timestamp) -> Result<IdentityToken, SignError> {
        let token = match self {
            Self::File(path) => {
                let text = read(path).await.map_err(|error| {
                    SignError::away(OIDC, format_args!("token file {}: {error}", path.display()))
                })?;
                parse(&text, &path.display().to_string())?
            }
            Self::Ambient => match from_environment() {
                Some(text) => parse(&text, VARIABLE)?,
                None => ambient().await?,
            },
        };
        if token.expiration() <= now {
            let ended = token.expiration();
            let detail = format!("the identity token ended at {ended}; see that it is renewed");
            return Err(SignError::away(OIDC, detail));
        }
        Ok(token)
    }
}

#[allow(clippy::disallowed_methods, reason = "`Args` can be printed, and a token must not")]
fn from_environment() -> Option<String> {
    std::env::var(VARIABLE).ok()
}

async fn ambient() -> Result<IdentityToken, SignError> {
    match IdentityToken::detect_ambient().await {
        Ok(Some(token)) => Ok(token),
        Ok(None) => {
            let detail = format!(
                "no identity token: set {VARIABLE}, give --identity-token-file, or let the CI job have one \
                 (GitHub Actions: `permissions: id-token: write`; GitLab CI: `id_tokens`)"
            );
            Err(SignError::away(OIDC, detail))
        }
        Err(error) => Err(SignError::away(OIDC, error)),
    }
}

async fn read(path: &std::path::Path) -> std::io::Result<String> {
    let size = tokio::fs::metadata(path).await?.len();
    if size > MAX_TOKEN_BYTES {
        return Err(std::io::Error::other(format!("{size} bytes are too many for a token")));
    }
    tokio::fs::read_to_string(path).await
}

fn parse(text: &str, place: &str) -> Result<IdentityToken, SignError> {
    // What is wrong with it may repeat a part of it.
    IdentityToken::from_jwt(text.trim())
        .map_err(|_| SignError::away(OIDC, format_args!("{place} holds no identity token (JWT)")))
}
